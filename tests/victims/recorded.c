/*
 * recorded.c - a run whose batches are known: 4 MiB each, and 1 MiB an item
 *
 *	recorded ITEMS [square]    or 64 KiB n^2
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptide.h"

#define MIB 1048576

static void *
filled(size_t bytes)
{
	void *p = malloc(bytes);

	if (p == NULL)
		exit(3);
	memset(p, 1, bytes);
	return p;
}

static void
work(tide_batch *b, int square)
{
	void *whole = filled(4 * MIB), *each[1024];
	uint32_t i;

	for (i = 0; i < b->n && i < 1024; i++) {
		each[i] = filled(square ? (2 * i + 1) * 65536 : MIB);
		tide_item_done(b);
	}
	(void)tide_batch_end(b, i);
	while (i > 0)
		free(each[--i]);
	free(whole);
}

int
main(int argc, char **argv)
{
	const uint64_t items = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	const int square = argc > 2 && strcmp(argv[2], "square") == 0;
	tide_op_conf conf = { .size = sizeof(conf) };
	tide_batch b = TIDE_BATCH_INIT;
	char id[40];
	uint64_t at;
	tide_op *op;

	if (tide_run_begin("recorded", items, "item", id) < 0)
		return 4;
	printf("%s\n", id);
	op = tide_op_open(square ? "square" : "linear", &conf);
	for (at = 0; tide_batch_begin(op, &b, at, items - at, -1) > 0;
	    at += b.n)
		work(&b, square);
	return tide_run_finish(at == items) < 0 || at != items;
}
