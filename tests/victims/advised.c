/*
 * advised.c - a program with operations, that uses memory in a way to be told
 *
 *	advised WAY [NAME=NUMBER]...
 *
 * Each WAY is a disease that `heaptide recommend` knows, and most have a
 * number that cures it.  Prints what it came to: items done, batches, the most
 * items in a batch, and the depth in which heaptide is there.
 */
#include <heaptide.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MIB (1024L * 1024)

static struct {
	long items, bytes;   /* how many, and how large each is */
	long max, min, fixed, initial; /* of tide_op_conf */
	long heavy;          /* one in so many is 50 times as large */
	long weights;        /* 1: tell them */
	long base;           /* bytes that each batch takes beside its items */
	long keep;           /* bytes that each batch leaves behind */
	long cache;          /* bytes that a cache may hold */
	long give;           /* 1: it gives them back under pressure */
	long trim;           /* 1: the allocator has to give back */
	long threads;        /* that come, eight at a time */
	long linger_ms;      /* before the end */
	long pace_us;        /* that a batch takes */
	long slow_from, slow_us; /* items of a batch from then on take longer */
	long hold;           /* bytes held all the time */
	long blind;          /* 1: it does not ask between two items */
} set = { .items = 2000, .bytes = 65536 };

static const struct {
	const char *name;
	long *at;
} names[] = {
	{ "items", &set.items }, { "bytes", &set.bytes }, { "max", &set.max },
	{ "min", &set.min }, { "fixed", &set.fixed },
	{ "initial", &set.initial }, { "heavy", &set.heavy },
	{ "weights", &set.weights }, { "base", &set.base },
	{ "keep", &set.keep }, { "cache", &set.cache }, { "give", &set.give },
	{ "trim", &set.trim }, { "threads", &set.threads },
	{ "linger_ms", &set.linger_ms }, { "pace_us", &set.pace_us },
	{ "hold", &set.hold }, { "slow_from", &set.slow_from },
	{ "slow_us", &set.slow_us }, { "blind", &set.blind },
};

static void
wait_us(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

/* Each byte is there.  Inlined, so that a path begins with who wants them. */
static inline __attribute__((always_inline)) char *
fill(long bytes)
{
	char *p = malloc((size_t)bytes);

	if (p == NULL)
		exit(75);
	memset(p, 1, (size_t)bytes);
	return p;
}

/* --- what an item takes --------------------------------------------------- */

typedef long weigh(long index, long n);

static long
alike(long index, long n)
{
	(void)index;
	(void)n;
	return set.bytes;
}

static long
with_a_tail(long index, long n)
{
	(void)n;
	return set.heavy != 0 && index % set.heavy == set.heavy - 1 ?
	    50 * set.bytes : set.bytes;
}

/* Each with each: n items take n times n. */
static long
square(long index, long n)
{
	(void)index;
	return set.bytes * n;
}

/* --- what is kept --------------------------------------------------------- */

struct kept {
	struct kept *next;
	char *bytes;
};

static struct kept *forgotten, *cached;
static long cached_bytes;

static void __attribute__((noinline))
keep_forever(long bytes)
{
	struct kept *k = (struct kept *)(void *)fill(sizeof(*k));

	k->bytes = fill(bytes);
	k->next = forgotten;
	forgotten = k;
}

static void __attribute__((noinline))
fill_cache(void)
{
	struct kept *k;

	if (cached_bytes + MIB > set.cache)
		return;
	k = (struct kept *)(void *)fill(sizeof(*k));
	k->bytes = fill(MIB);
	k->next = cached;
	cached = k;
	cached_bytes += MIB;
}

static uint64_t
empty_cache(void *context, int level, uint64_t want)
{
	uint64_t freed = (uint64_t)cached_bytes;

	(void)context;
	(void)level;
	(void)want;
	while (cached != NULL) {
		struct kept *k = cached;

		cached = k->next;
		free(k->bytes);
		free(k);
	}
	cached_bytes = 0;
	return freed;
}

/* --- batches -------------------------------------------------------------- */

#define MOST 65536

static char *item[MOST];

static long
one_batch(tide_batch *b, long at, weigh *of)
{
	long n = (long)b->n, i;

	for (i = 0; i < n && i < MOST; i++) {
		long bytes = of(at + i, n);

		if (set.weights != 0 ? !tide_item(b, (uint64_t)bytes) :
		    i > 0 && set.blind == 0 && !tide_batch_more(b))
			break;
		item[i] = fill(bytes);
		if (set.slow_us != 0 && i >= set.slow_from)
			wait_us(set.slow_us);
		tide_item_done(b);
	}
	return i;
}

static void
work(weigh *of)
{
	tide_op_conf conf;
	tide_batch b;
	tide_op *op;
	long at = 0, done, i, batches = 0, most = 0;

	memset(&conf, 0, sizeof(conf));
	memset(&b, 0, sizeof(b));
	conf.size = sizeof(conf);
	conf.max = (uint32_t)set.max;
	conf.min = (uint32_t)set.min;
	conf.fixed = (uint32_t)set.fixed;
	conf.initial = (uint32_t)set.initial;
	conf.unit = "page";
	op = tide_op_open("load", &conf);
	while (at < set.items && tide_batch_begin(op, &b, (uint64_t)at,
	    (uint64_t)(set.items - at), -1) > 0) {
		char *base = set.base != 0 ? fill(set.base) : NULL;

		done = one_batch(&b, at, of);
		if (set.pace_us != 0)
			wait_us(set.pace_us);
		for (i = 0; i < done; i++)
			free(item[i]);
		free(base);
		if (set.keep != 0)
			keep_forever(set.keep);
		fill_cache();
		tide_batch_end(&b, (uint64_t)done);
		at += done;
		batches++;
		most = done > most ? done : most;
	}
	printf("items %ld batches %ld most %ld level %d\n", at, batches, most,
	    tide_level());
}

/* --- ways without batches ------------------------------------------------- */

/* A block in 64 stays, so that no page around it can go by itself. */
static void
make_holes(void)
{
	long n = set.items, i;
	char **p = malloc((size_t)n * sizeof(*p));

	for (i = 0; i < n; i++)
		p[i] = fill(set.bytes);
	for (i = 0; i < n; i++)
		if (i % 64 != 0)
			free(p[i]);
	if (set.trim != 0)
		malloc_trim(0);
	wait_us(set.linger_ms * 1000);
	for (i = 0; i < n; i += 64)
		free(p[i]);
	free(p);
}

/* What it leaves is for whoever has started it. */
static void *
come_and_go(void *context)
{
	char **left = context;
	long i;

	for (i = 0; i < set.items; i++)
		left[i] = fill(set.bytes);
	return NULL;
}

#define AT_ONCE 8

static void
have_threads(void)
{
	pthread_t thread[AT_ONCE];
	char **left[AT_ONCE];
	long begun, i, t;

	for (t = 0; t < AT_ONCE; t++)
		left[t] = calloc((size_t)set.items, sizeof(char *));
	for (begun = 0; begun < set.threads; begun += AT_ONCE) {
		for (t = 0; t < AT_ONCE; t++)
			if (pthread_create(&thread[t], NULL, come_and_go,
			    left[t]) != 0)
				exit(1);
		for (t = 0; t < AT_ONCE; t++)
			pthread_join(thread[t], NULL);
		for (t = 0; t < AT_ONCE; t++)
			for (i = 0; i < set.items; i++)
				free(left[t][i]);
	}
	wait_us(set.linger_ms * 1000);
	for (t = 0; t < AT_ONCE; t++)
		free(left[t]);
}

int
main(int argc, char **argv)
{
	const char *way = argc > 1 ? argv[1] : "";
	char *held;
	int a;
	size_t i;

	for (a = 2; a < argc; a++)
		for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			size_t n = strlen(names[i].name);

			if (strncmp(argv[a], names[i].name, n) == 0 &&
			    argv[a][n] == '=')
				*names[i].at = atol(argv[a] + n + 1);
		}
	held = set.hold != 0 ? fill(set.hold) : NULL;
	if (set.give != 0)
		tide_on_pressure(empty_cache, NULL, TIDE_CLEAN_BENIGN, 0, 0,
		    "cache");
	if (strcmp(way, "alike") == 0)
		work(alike);
	else if (strcmp(way, "tail") == 0)
		work(with_a_tail);
	else if (strcmp(way, "square") == 0)
		work(square);
	else if (strcmp(way, "holes") == 0)
		make_holes();
	else if (strcmp(way, "threads") == 0)
		have_threads();
	else
		return 2;
	free(held);
	return 0;
}
