/*
 * late-step [own] - something is taken once, half way, and kept: the buffer of
 * standard output, by libc; or a table of the program's own
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptide.h"

enum { EPOCHS = 40 };

static void *table;

static __attribute__((noinline)) void
load_table(void)
{
	table = malloc(4096);
}

int
main(int argc, char **argv)
{
	int own = argc > 1 && strcmp(argv[1], "own") == 0;
	int epoch;

	if (own)
		puts("from the start");
	for (epoch = 0; epoch < EPOCHS; epoch++) {
		if (epoch == EPOCHS / 2 && own)
			load_table();
		else if (epoch == EPOCHS / 2)
			puts("half way");
		tide_mark("epoch");
	}
	return table == NULL && own;
}
