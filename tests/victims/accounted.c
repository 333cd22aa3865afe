/*
 * accounted.c - a run that keeps an account of itself, for `report RUN`
 *
 * usage: [ACCOUNTED_LAST=N] accounted TOTAL
 *
 * TOTAL items in batches of ten, each with a block of 4 KiB and a cleanup after
 * each batch that frees another.  The batch of item 30 is given up for lack of
 * memory once, that of item 70 because it is wanted; item 55 fails.  With N it
 * leaves there, in good order.  At its end it prints what tide_run_report() says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heaptide.h"

#define BYTES 4096

static char *cache;

static uint64_t
clean(void *context, int level, uint64_t want)
{
	uint64_t freed = cache != NULL ? BYTES : 0;

	(void)context;
	(void)level;
	(void)want;
	free(cache);
	cache = NULL;
	return freed;
}

static char *
block(void)
{
	char *p = malloc(BYTES);

	if (p == NULL)
		abort();
	memset(p, 1, BYTES);
	return p;
}

static void
do_batch(tide_batch *b)
{
	char *item[16];
	uint32_t i;

	for (i = 0; i < b->n && i < 16; i++)
		item[i] = block();
	if (cache == NULL)
		cache = block();
	for (i = 0; i < b->n && i < 16; i++) {
		if (b->first + i == 55)
			tide_item_fail(b, 55, "it is odd");
		free(item[i]);
	}
}

static void
print(void)
{
	struct tide_run_report r;

	memset(&r, 0, sizeof(r));
	r.size = sizeof(r);
	if (tide_run_report(&r) != 0)
		abort();
	printf("%llu %llu %llu %llu %llu %llu %llu\n",
	    (unsigned long long)r.batches, (unsigned long long)r.items,
	    (unsigned long long)r.items_failed, (unsigned long long)r.aborts,
	    (unsigned long long)r.cleanups,
	    (unsigned long long)r.checkpoints,
	    (unsigned long long)r.batch_most);
}

int
main(int argc, char **argv)
{
	uint64_t total = argc > 1 ? strtoull(argv[1], NULL, 10) : 100;
	const char *asked = getenv("ACCOUNTED_LAST");
	uint64_t last = asked != NULL ? strtoull(asked, NULL, 10) : total;
	uint64_t at = 0;
	int given_up = 0, wanted = 0;
	tide_batch b = TIDE_BATCH_INIT;
	tide_op_conf conf;
	tide_op *op;

	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.fixed = 10;
	conf.unit = "page";
	conf.reclaim_after = 1;
	if (tide_run_begin("accounted", total, "page", NULL) < 0 ||
	    tide_resume(&at, NULL, NULL) < 0)
		return 3;
	(void)tide_on_pressure(clean, NULL, TIDE_CLEAN_BENIGN, 0, 0, "cache");
	op = tide_op_open("walk", &conf);
	while (at < last && tide_batch_begin(op, &b, at, last - at, -1) > 0) {
		do_batch(&b);
		if (b.first == 30 && given_up++ == 0) {
			tide_batch_abort(&b, TIDE_NOMEM);
			continue;
		}
		if (b.first <= 70 && b.first + b.n > 70 && wanted++ == 0) {
			tide_batch_abort(&b, TIDE_ERROR);
			continue;
		}
		at = b.first + b.n;
		tide_batch_end(&b, b.n);
		if (at % 500 == 0 && tide_checkpoint(at, NULL, 0) != 0)
			return 3;
	}
	if (tide_checkpoint(at, NULL, 0) != 0)
		return 3;
	print();
	return tide_run_finish(at == total) != 0;
}
