/*
 * environment.c - prints what it was started with, and ends with status 3
 *
 * usage: environment [ARGUMENT...]
 *
 * The live tests also build it with another libc, so nothing in it is glibc's
 * alone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern char **environ;

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int
main(int argc, char **argv)
{
	size_t n = 0;
	int i;

	for (i = 1; i < argc; i++)
		printf("argument %d: %s\n", i, argv[i]);
	while (environ[n] != NULL)
		n++;
	qsort(environ, n, sizeof(*environ), compare);
	for (n = 0; environ[n] != NULL; n++)
		printf("%s\n", environ[n]);
	return 3;
}
