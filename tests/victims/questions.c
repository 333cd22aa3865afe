/*
 * questions.c - a program that asks its allocator about itself, and tunes it
 *
 * usage: questions
 *
 * Prints what must not depend on who stands in between: what mallopt() takes,
 * that M_PERTURB fills, by how much mallinfo2() moves, that every usable byte
 * can be used.  Its account goes to standard error.
 */
#include "one-account.h"

/* All that is usable is the program's. */
static void
use_all(void)
{
	unsigned char *block[64];
	size_t sum = 0;

	for (size_t i = 0; i < 64; i++) {
		block[i] = take(malloc(i * i * 5), i * i * 5);
		memset(block[i], (int)i, malloc_usable_size(block[i]));
	}
	for (size_t i = 0; i < 64; i++) {
		size_t usable = malloc_usable_size(block[i]);

		for (size_t k = 0; k < usable; k++)
			sum += block[i][k] != i;
		give(block[i], i * i * 5);
	}
	printf("bytes that others wrote: %zu\n", sum);
}

static void
ask(void)
{
	struct mallinfo2 before, between;
	void *block[100], *large;
	FILE *info = tmpfile();
	char line[100] = "";

	before = mallinfo2();
	for (int i = 0; i < 100; i++)
		block[i] = take(malloc(5000), 5000);
	large = take(malloc(30 << 20), 30 << 20);
	between = mallinfo2();
	printf("in use: %d, mapped: %d\n",
	    between.uordblks - before.uordblks >= 500000,
	    between.hblkhd - before.hblkhd >= 30 << 20 ||
	    between.uordblks - before.uordblks >= 30 << 20);
	for (int i = 0; i < 100; i++)
		give(block[i], 5000);
	give(large, 30 << 20);
	(void)malloc_trim(0);
	printf("malloc_trim: none is left behind: %d\n",
	    mallinfo2().hblkhd <= before.hblkhd + 4096);
	printf("malloc_info: %d\n", info != NULL ? malloc_info(0, info) : 0);
	if (info != NULL) {
		rewind(info);
		if (fgets(line, sizeof(line), info) != NULL)
			printf("%s", line);
		fclose(info);
	}
}

static void
tune(void)
{
	unsigned char *block;
	int filled = 0;

	printf("mallopt: %d %d %d\n", mallopt(M_MMAP_THRESHOLD, 256 << 10),
	    mallopt(M_TRIM_THRESHOLD, 64 << 10), mallopt(M_PERTURB, 0x5a));
	block = take(malloc(700), 700);
	for (int i = 0; i < 700; i++)
		filled += block[i] == (0x5a ^ 0xff);
	printf("filled by M_PERTURB: %d\n", filled);
	give(block, 700);
	block = take(calloc(7, 100), 700);
	for (int i = 0; i < 700; i++)
		filled += block[i];
	printf("calloc: %d\n", filled);
	give(block, 700);
	(void)mallopt(M_PERTURB, 0);
}

int
main(void)
{
	use_all();
	ask();
	tune();
	fflush(stdout);
	return 0;
}
