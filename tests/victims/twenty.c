/*
 * twenty.c - twenty functions that allocate, and what each of them holds
 *
 * usage: twenty
 *
 * Prints a line "FUNCTION BLOCKS BYTES" for each: what it holds at the end, in
 * usable bytes.  Some hold blocks of one size, some of many, some freed most
 * of what they had; the largest are as large as what is always recorded.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct held {
	uint64_t blocks;
	uint64_t bytes;
};

/* One block in @keep stays; the others are freed at once. */
#define SITE(n, count, least, spread, keep) \
static __attribute__((noinline)) struct held \
site_##n(void) \
{ \
	struct held held = { 0, 0 }; \
	uint32_t random = n; \
	for (int i = 0; i < (count); i++) { \
		random = random * 1664525 + 1013904223; \
		void *volatile p = malloc((least) + (spread) * \
		    (size_t)(random >> 16) / 65536); \
		if (i % (keep) == 0) { \
			held.blocks++; \
			held.bytes += malloc_usable_size(p); \
		} else { \
			free(p); \
		} \
	} \
	return held; \
}

#define SITES(X) \
	X(1, 20000, 16, 0, 1) X(2, 20000, 40, 0, 1) X(3, 20000, 100, 0, 2) \
	X(4, 10000, 200, 0, 3) X(5, 5000, 500, 0, 1) X(6, 3000, 1000, 0, 1) \
	X(7, 1000, 4000, 0, 1) X(8, 400, 12000, 0, 1) X(9, 200, 20000, 0, 2) \
	X(10, 20000, 16, 100, 1) X(11, 20000, 16, 400, 2) \
	X(12, 8000, 16, 2000, 4) X(13, 2000, 16, 8000, 2) \
	X(14, 800, 16, 30000, 2) X(15, 400, 16, 60000, 1) \
	X(16, 100, 100000, 0, 1) X(17, 30000, 24, 0, 5) \
	X(18, 30000, 60, 60, 6) X(19, 60000, 8, 40, 1) X(20, 15000, 300, 0, 1)

SITES(SITE)

#define ROW(n, ...) { "site_" #n, site_##n },

int
main(void)
{
	static const struct {
		const char *name;
		struct held (*run)(void);
	} sites[] = { SITES(ROW) };

	for (size_t i = 0; i < sizeof(sites) / sizeof(sites[0]); i++) {
		struct held held = sites[i].run();

		printf("%s %llu %llu\n", sites[i].name,
		    (unsigned long long)held.blocks,
		    (unsigned long long)held.bytes);
	}
	return 0;
}
