/*
 * no-environment.c - executes a program with no environment but a preload
 *
 * usage: no-environment [NAME=VALUE...] -- PROGRAM [ARG...]
 *
 * And it empties its own before that, and allocates without one.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
main(int argc, char **argv)
{
	int end = 1;

	while (end < argc && strcmp(argv[end], "--") != 0)
		end++;
	if (end + 1 >= argc)
		return 2;
	argv[end] = NULL;
	environ = NULL;
	free(malloc(1000));
	clearenv();
	free(malloc(2000));
	execve(argv[end + 1], argv + end + 1, argv + 1);
	return 127;
}
