/*
 * loader.c - a C program that opens a C++ library for itself alone
 *
 * usage: loader LIBRARY N
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

/* Twice: the second time it comes to other addresses, or to the same. */
int
main(int argc, char **argv)
{
	int n = argc == 3 ? atoi(argv[2]) : 0;

	for (int i = 0; i < 2; i++) {
		void *library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
		long (*fill)(int);
		int (*throws)(int);

		if (library == NULL) {
			puts(dlerror());
			return 1;
		}
		*(void **)&fill = dlsym(library, "private_fill");
		*(void **)&throws = dlsym(library, "private_throw");
		printf("%ld %d\n", fill(n), throws(n));
		dlclose(library);
	}
	return 0;
}
