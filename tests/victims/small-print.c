/*
 * small-print.c - what allocators answer at the edges, and theirs to answer
 *
 * usage: small-print [idle | PART...]
 *
 * Whatever the allocator does with realloc(block, 0) and with blocks of no
 * size is printed, and so are its refusals; its account must be right for any
 * answer.  PART is `zero`, `refused` or `aligned`; without one it is all.
 */
#include <limits.h>
#include <stdbool.h>

#include "one-account.h"

/* In variables, or the compiler would know better. */
static volatile size_t huge = PTRDIFF_MAX - 4096;
static volatile size_t most = SIZE_MAX;
static volatile size_t half = SIZE_MAX / 2 + 1;
static volatile size_t zero;
static volatile size_t odd = 3;

/* A block, or NULL and the reason. */
static void
answer(const char *what, const void *block, size_t requested)
{
	int error = errno;

	printf("%s: %s %d\n", what, block != NULL ? "block" : "NULL",
	    block != NULL ? 0 : error);
	errno = 0;
	if (block != NULL) {
		take((void *)(uintptr_t)block, requested);
		give((void *)(uintptr_t)block, requested);
	}
}

/* NULL for no size says that the block is gone. */
static void
zero_sizes(void)
{
	static const size_t sizes[] = { 1, 24, 100, 5000, 300000, 3000000 };
	void *kept[4];

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		void *block = take(malloc(sizes[i]), sizes[i]), *fresh;

		account_free(&mine, block, sizes[i]);
		fresh = realloc(block, zero);
		printf("realloc %zu to 0: %s\n", sizes[i],
		    fresh != NULL ? "block" : "NULL");
		if (fresh != NULL)
			give(take(fresh, 0), 0);
	}
	kept[0] = take(malloc(zero), 0);
	kept[1] = take(calloc(zero, 8), 0);
	kept[2] = take(calloc(8, zero), 0);
	kept[3] = take(realloc(NULL, zero), 0);
	for (size_t i = 1; i < 4; i++)
		printf("apart: %d\n", kept[i] != kept[i - 1]);
	give(kept[2], 0); /* the others stay */
	free(NULL);
}

/* By address, for the compiler knows that a block is gone afterwards. */
static void *
realloc_product(void *block, size_t n, size_t size)
{
	return realloc(block, n * size);
}

static void *(*volatile change)(void *, size_t, size_t) = realloc_product;
static void *(*volatile reallocs)(void *, size_t, size_t) = reallocarray;

static void
refused(void)
{
	char *volatile kept = take(malloc(5000), 5000);

	memset(kept, 'k', 5000);
	answer("malloc", malloc(huge), huge);
	answer("malloc, all", malloc(most), most);
	answer("calloc", calloc(1, huge), huge);
	answer("calloc, product", calloc(half, 2), 0);
	answer("calloc, small product", calloc(half + 1, 2), 2);
	answer("realloc of none", realloc(NULL, huge), huge);
	answer("realloc", change(kept, 1, huge), huge);
	answer("reallocarray", reallocs(kept, half, 2), 0);
	answer("reallocarray, huge", reallocs(kept, 1, huge), huge);
	for (size_t i = 0; i < 5000; i++)
		if (kept[i] != 'k')
			abort();
	give(kept, 5000); /* it was refused, so it is still there */
}

static void
aligned(void)
{
	static const size_t alignments[] = { 8, 16, 64, 4096, 65536 };
	void *none = &mine, *block = none;
	int error;

	error = posix_memalign(&block, odd, 100);
	printf("posix_memalign, odd: %d %d\n", error, block == none);
	error = posix_memalign(&block, zero, 100);
	printf("posix_memalign, 0: %d %d\n", error, block == none);
	error = posix_memalign(&block, 64, huge);
	printf("posix_memalign, huge: %d %d\n", error, block == none);
	answer("aligned_alloc, huge", aligned_alloc(64, huge), huge);
	answer("memalign, huge", memalign(4096, huge), huge);
	for (size_t i = 0; i < sizeof(alignments) / sizeof(*alignments); i++) {
		size_t to = alignments[i];

		/* A size that is no multiple: some allocators refuse. */
		answer("aligned_alloc", aligned_alloc(to, to + 1), to + 1);
		answer("memalign", memalign(to, 100), 100);
		if (posix_memalign(&block, to, to / 2) != 0)
			abort();
		printf("at %zu: %d\n", to, (uintptr_t)block % to == 0);
		give(take(block, to / 2), to / 2);
	}
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} parts[] = {
		{ "zero", zero_sizes },
		{ "refused", refused },
		{ "aligned", aligned },
	};
	static char buffer[BUFSIZ];

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	if (argc == 2 && strcmp(argv[1], "idle") == 0)
		return 0;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		bool wanted = argc < 2;

		for (int k = 1; k < argc; k++)
			wanted |= strcmp(argv[k], parts[i].name) == 0;
		if (wanted)
			parts[i].run();
	}
	fflush(stdout);
	dup2(2, 1); /* the account goes where warnings go */
	account_print(&mine);
	return 0;
}
