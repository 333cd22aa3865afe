/*
 * long-batches.c - a job of eight hours, as fast as it goes
 *
 * usage: long-batches ITEMS [LEAK [SLOTS]]
 *
 * Does ITEMS items in batches of 1000.  Each allocates a block of its batch's,
 * and gives two of SLOTS (4096) blocks that live on each other's size, anew: so
 * at the end of each batch the heap holds the same, to the byte.  The whole is
 * eight hours by a clock of its own, so an item more is so
 * much time.  LEAK: bytes that each batch forgets, in planted_leak().
 *
 * It goes on where it was, and makes a new start where there is no room: 85.
 * At its end it prints a line of JSON: items, a sum of all that was done, which
 * is the same however often it was started, and of the heap at the end of each
 * batch, by this process alone: the median of all slopes with its range of 95 %
 * (Theil and Sen), bytes an hour; and how far what is resident has drifted from
 * the second tenth to the last.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "heaptide.h"
#include "model/trend.h"

#define BATCH  1000
#define POINTS 2048
#define HOURS  8.0

struct work {
	uint64_t items, at, sum, leak;
	size_t slots;
	struct slot {
		char *at;
		size_t bytes;
	} *slot;
	char *batch[BATCH];
	uint64_t seed;
	/* Each @stride-th batch. */
	struct trend_point live[POINTS];
	double resident[POINTS];
	size_t points, stride, batches;
};

static void *volatile forgotten;

static uint64_t
mix(uint64_t x)
{
	x ^= x >> 30;
	x *= UINT64_C(0xbf58476d1ce4e5b9);
	x ^= x >> 27;
	x *= UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Most are small, one in a thousand has up to 16 KiB. */
static size_t
size_of(uint64_t random)
{
	return 16 + (random >> 8) % 496 + ((random & 1023) == 0 ?
	    (random >> 20) % 16384 : 0);
}

static char *
block(size_t bytes, uint64_t random)
{
	char *p = malloc(bytes);

	if (p == NULL)
		abort();
	p[0] = (char)random;
	p[bytes - 1] = (char)(random >> 8);
	return p;
}

static void
fill(struct work *w)
{
	for (size_t i = 0; i < w->slots; i++) {
		w->slot[i].bytes = size_of(mix(i));
		w->slot[i].at = block(w->slot[i].bytes, i);
	}
}

static void
swap(struct slot *a, struct slot *b, uint64_t random)
{
	size_t bytes = a->bytes;

	if (a == b)
		return;
	free(a->at);
	free(b->at);
	a->bytes = b->bytes;
	b->bytes = bytes;
	a->at = block(a->bytes, random);
	b->at = block(b->bytes, random);
}

static void
item(struct work *w, uint64_t number, size_t i)
{
	uint64_t random = mix(number + 1);

	w->batch[i] = block(size_of(random), random);
	swap(&w->slot[(random >> 32) % w->slots],
	    &w->slot[mix(random) % w->slots], random);
	w->sum = mix(w->sum + random + (uint64_t)(uint8_t)w->batch[i][0]);
}

static void __attribute__((noinline))
planted_leak(uint64_t bytes)
{
	forgotten = malloc(bytes);
	if (forgotten != NULL)
		memset(forgotten, 1, bytes);
}

static double
resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (f == NULL || fscanf(f, "%*u %lu", &pages) != 1)
		abort();
	fclose(f);
	return (double)pages * (double)sysconf(_SC_PAGESIZE);
}

/* Half of the points go where there is no room for one more. */
static void
note(struct work *w)
{
	if (w->batches++ % w->stride != 0)
		return;
	if (w->points == POINTS) {
		for (size_t i = 0; i < POINTS / 2; i++) {
			w->live[i] = w->live[i * 2];
			w->resident[i] = w->resident[i * 2];
		}
		w->points /= 2;
		w->stride *= 2;
	}
	w->live[w->points].at = HOURS * 3600 * (double)w->at /
	    (double)w->items;
	w->live[w->points].value = (double)tide_live();
	w->resident[w->points++] = resident();
}

static int
save(void *context, uint64_t cursor)
{
	struct work *w = context;

	(void)cursor;
	return tide_checkpoint(w->at, &w->sum, sizeof(w->sum));
}

static void
do_batches(struct work *w)
{
	tide_batch b = TIDE_BATCH_INIT;
	tide_op_conf conf;
	tide_op *op;

	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.fixed = BATCH;
	op = tide_op_open("churn", &conf);
	while (w->at < w->items && tide_batch_begin(op, &b, w->at,
	    w->items - w->at, -1) > 0) {
		size_t n = 0;

		for (; n < b.n && tide_batch_more(&b); n++)
			item(w, b.first + n, n);
		w->at = b.first + n;
		for (size_t i = 0; i < n; i++)
			free(w->batch[i]);
		if (w->leak != 0)
			planted_leak(w->leak);
		tide_batch_end(&b, n);
		note(w);
	}
}

static double
mean(const double *value, size_t from, size_t to)
{
	double sum = 0;

	for (size_t i = from; i < to; i++)
		sum += value[i];
	return to > from ? sum / (double)(to - from) : 0;
}

static void
print(const struct work *w)
{
	size_t skip = w->points / 10; /* until the allocator has settled */
	double first = mean(w->resident, skip, 2 * skip);
	double last = mean(w->resident, w->points - skip, w->points);
	struct trend_line line = { .rate = 0 };

	(void)trend_of(w->live + skip, w->points - skip, &line);
	printf("{\"items\":%" PRIu64 ",\"sum\":\"%016" PRIx64 "\",\"points\":"
	    "%zu,\"slope\":%.3f,\"low\":%.3f,\"high\":%.3f,\"resident\":%.0f,"
	    "\"drift\":%.5f}\n", w->at, w->sum, w->points, line.rate * 3600,
	    line.low * 3600, line.high * 3600, last,
	    first > 0 ? last / first - 1 : 0);
}

int
main(int argc, char **argv)
{
	static struct work w;
	size_t bytes = sizeof(w.sum);

	if (argc < 2 || argc > 4)
		return 2;
	w.items = strtoull(argv[1], NULL, 10);
	w.leak = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	w.slots = argc > 3 ? strtoull(argv[3], NULL, 10) : 4096;
	w.stride = 1;
	w.slot = calloc(w.slots, sizeof(*w.slot));
	if (w.items == 0 || w.slots == 0 || w.slot == NULL)
		return 2;
	if (tide_run_begin("churn", w.items, "item", NULL) < 0 ||
	    tide_resume(&w.at, &w.sum, &bytes) < 0)
		return 3;
	fill(&w);
	tide_on_checkpoint(save, &w);
	do_batches(&w);
	if (save(&w, w.at) != 0)
		return 3;
	if (w.at < w.items) {
		fprintf(stderr, "stopped at %" PRIu64 ": %d\n", w.at,
		    tide_should_stop());
		(void)tide_run_finish(0);
		return TIDE_EXIT_CHECKPOINT;
	}
	print(&w);
	return tide_run_finish(1) != 0;
}
