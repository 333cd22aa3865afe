/*
 * slow ENOUGH - a program that allocates little and seldom
 *
 * 100 bytes fifty times a second, until there is a file ENOUGH, or for a
 * few minutes.  What it holds stays the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { TURNS = 15000 };

int
main(int argc, char **argv)
{
	const struct timespec pause = { 0, 20000000 };
	void *volatile block = malloc(100);
	int i;

	for (i = 0; i < TURNS && (argc < 2 || access(argv[1], F_OK) != 0); i++) {
		free(block);
		block = malloc(100);
		nanosleep(&pause, NULL);
	}
	free(block);
	puts("done");
	return 0;
}
