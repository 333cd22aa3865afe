/*
 * queries.c - one call of heaptide.h, many times, for valgrind to count
 *
 *	queries WHAT COUNT
 *
 * The loop around it is the same for each; `nothing` is that loop alone.
 */
#include <heaptide.h>

#include <stdio.h>
#include <stdlib.h>

/* It has been computed, and nothing is known of it. */
#define KEEP(value) __asm__ volatile("" : : "r"(value) : "memory")

#define LOOP(what, value) \
	if (strcmp(argv[1], what) == 0) { \
		for (i = 0; i < count; i++) \
			KEEP(value); \
		found = 1; \
	}

int
main(int argc, char **argv)
{
	unsigned long count = argc > 2 ? strtoul(argv[2], NULL, 10) : 0, i;
	tide_batch b = TIDE_BATCH_INIT, pair = TIDE_BATCH_INIT;
	tide_op *op = tide_op_open("queries", NULL);
	int found = 0;

	if (argc < 2 || tide_batch_begin(op, &b, 0, 1000000, -1) < 1)
		return 9;
	/* What is due once is done before. */
	for (i = 0; i < 3; i++)
		KEEP(tide_batch_more(&b));
	LOOP("nothing", (int)i)
	LOOP("tide_budget", tide_budget())
	LOOP("tide_used", tide_used())
	LOOP("tide_available", tide_available())
	LOOP("tide_live", tide_live())
	LOOP("tide_state", tide_state())
	LOOP("tide_should_stop", tide_should_stop())
	LOOP("tide_level", tide_level())
	LOOP("tide_batch_more", tide_batch_more(&b))
	LOOP("tide_item", tide_item(&b, 1))
	LOOP("tide_item_done", (tide_item_done(&b), 1))
	LOOP("tide_poll", tide_poll(0))
	tide_batch_end(&b, 1);
	LOOP("pair", (tide_batch_begin(op, &pair, 0, 1, -1),
	    tide_batch_end(&pair, 1)))
	if (!found)
		fprintf(stderr, "queries: '%s' is none of them\n", argv[1]);
	return found ? tide_level() : 9;
}
