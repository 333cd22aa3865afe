/*
 * first-calls.c - a program that looks at what an early library has left
 *
 * usage: first-calls [LIBRARY]
 *
 * LIBRARY is opened; without it, one that was preloaded is used.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

int
main(int argc, char **argv)
{
	void *library = argc > 1 ? dlopen(argv[1], RTLD_NOW) : RTLD_DEFAULT;
	int (*chosen)(void);
	unsigned (*sum)(void);

	*(void **)&chosen = dlsym(library, "resolver_chosen");
	*(void **)&sum = dlsym(library, "resolver_sum");
	if (chosen == NULL || sum == NULL)
		return 1;
	printf("%d %u\n", chosen(), sum());
	return 0;
}
