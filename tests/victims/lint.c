/*
 * lint.c - what a C program may do wrong with its blocks, one at a time
 *
 * usage: lint WHAT [TIMES]
 *
 * The last line before it is done says so, as the allocator may end us there.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static char variable[256];

/* Each in a function of its own, for the stacks to tell. */
static __attribute__((noinline)) void *
make(size_t bytes)
{
	char *block = malloc(bytes);

	if (block == NULL)
		abort();
	memset(block, 1, bytes);
	return block;
}

static __attribute__((noinline)) void
give_back(void *block)
{
	free(block);
	__asm__ volatile("" ::: "memory"); /* not a jump */
}

static void
double_free(size_t bytes)
{
	void *block = make(bytes);

	give_back(block);
	give_back(block);
}

static void
small_double_free(void)
{
	double_free(40);
}

/* Larger than what a thread keeps for itself. */
static void
large_double_free(void)
{
	void *beside;
	void *block = make(5000);

	beside = make(64); /* or it would become one with the rest */
	give_back(block);
	give_back(block);
	free(beside);
}

static void
foreign_variable(void)
{
	give_back(variable + 64);
}

static void
foreign_stack(void)
{
	char local[128] __attribute__((aligned(16))) = { 0 };
	void *volatile address = local + 64;

	give_back(address);
}

static void
interior(void)
{
	char *block = make(300);

	give_back(block + 160);
}

static void
realloc_to_nothing(void)
{
	void *block = make(50);
	void *volatile left = realloc(block, 0);

	(void)left;
}

static void
realloc_after_free(void)
{
	void *volatile block = make(60);
	void *volatile left;

	give_back(block);
	left = realloc(block, 100);
	(void)left;
}

void free_sized(void *block, size_t size);
#pragma weak free_sized

static void
other_size(void)
{
	if (free_sized == NULL)
		exit(77);
	free_sized(make(70), 71);
}

static void
same_size(void)
{
	if (free_sized == NULL)
		exit(77);
	free_sized(make(70), 70);
}

/* What libc allocates, and its user frees; and blocks that grow and shrink. */
static void
nothing(void)
{
	char *line = NULL, *text = NULL;
	size_t room = 0;
	FILE *from = fopen("/proc/self/stat", "r");

	if (from == NULL || getline(&line, &room, from) < 0 ||
	    asprintf(&text, "%s%d", "text", 1) < 0)
		abort();
	fclose(from);
	free(line);
	free(text);
	free(strdup("copied"));
	text = make(10);
	text = realloc(text, 1000);
	text = realloc(text, 20);
	free(text);
	free(NULL);
	free(aligned_alloc(64, 128));
}

static const struct {
	const char *name;
	void (*run)(void);
} rows[] = {
	{ "double-free", small_double_free },
	{ "large-double-free", large_double_free },
	{ "foreign-variable", foreign_variable },
	{ "foreign-stack", foreign_stack },
	{ "interior", interior },
	{ "realloc-zero", realloc_to_nothing },
	{ "realloc-after-free", realloc_after_free },
	{ "other-size", other_size },
	{ "same-size", same_size },
	{ "nothing", nothing },
};

int
main(int argc, char **argv)
{
	int times = argc > 2 ? atoi(argv[2]) : 1;
	size_t i;
	int n;

	setvbuf(stdout, NULL, _IONBF, 0);
	for (i = 0; argc > 1 && i < ARRAY_LENGTH(rows); i++) {
		if (strcmp(argv[1], rows[i].name) != 0)
			continue;
		puts("now");
		for (n = 0; n < times; n++)
			rows[i].run();
		puts("done");
		return 0;
	}
	return 2;
}
