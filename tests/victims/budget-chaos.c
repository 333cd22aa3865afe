/*
 * budget-chaos.c - threads that take their work in batches, whatever happens
 * to their budget
 *
 *	budget-chaos THREADS SECONDS
 *
 * Each has operations of its own and one in common, batches inside each other,
 * guards, reservations and a cache that a cleanup empties.  A line each time
 * that any thread has got on, at most ten a second: `alive N`.  At the end
 * `longest T`, for how many tenths of a second of its own none had at most, and
 * `done N`, or `stopped N: WHY`; 0, or 75.
 */
#include <heaptide.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static uint64_t until_ns, steps;
static int ended; /* the reason, once there is one */
static __thread unsigned seed;

static uint64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static unsigned
below(unsigned n)
{
	seed = seed * 1103515245 + 12345;
	return (seed >> 8) % n;
}

/* A thread has got on. */
static void
step(void)
{
	__atomic_add_fetch(&steps, 1, __ATOMIC_RELAXED);
}

/* What a refusal means: 0: go on. */
static int
note(int r)
{
	if (r != -ENOMEM && r != 0)
		return 0; /* -ETIMEDOUT, -EDEADLK: another time */
	__atomic_store_n(&ended, r == 0 ? 1 : 2, __ATOMIC_RELAXED);
	return 1;
}

static void
work(tide_batch *b, unsigned most)
{
	void *held[64];
	unsigned n = 0, i;

	while (n < most && n < 64 && tide_batch_more(b) &&
	    tide_item(b, 20000)) {
		held[n] = malloc(10000 + below(20000));
		if (held[n] != NULL)
			memset(held[n], 1, 10000);
		n++;
		if (below(8) == 0)
			usleep(100);
	}
	for (i = 0; i < n; i++)
		free(held[i]);
	tide_batch_end(b, n);
}

/* --- a cache, of each thread ---------------------------------------------- */

struct cache {
	void *block[256];
	unsigned count;
	unsigned char pad[64];
};

static uint64_t
empty(void *context, int level, uint64_t want)
{
	struct cache *c = context;
	uint64_t freed = 0;

	(void)level;
	while (c->count > 0 && freed < want) {
		free(c->block[--c->count]);
		freed += 40000;
	}
	return freed;
}

static void
fill(struct cache *c)
{
	if (c->count == 256 || (c->block[c->count] = malloc(40000)) == NULL)
		return;
	memset(c->block[c->count++], 1, 40000);
}

/* --- a thread ------------------------------------------------------------- */

static void *
thread(void *context)
{
	static const char *const names[] = { "a", "b", "c", "d" };
	struct cache *cache = calloc(1, sizeof(*cache));
	tide_batch outer = TIDE_BATCH_INIT, inner = TIDE_BATCH_INIT;
	int id, guard, n;
	tide_op_conf conf;
	tide_op *common;
	uint64_t got;

	if (cache == NULL)
		return NULL;
	seed = (unsigned)(uintptr_t)context * 7919 + 1;
	memset(&conf, 0, sizeof(conf));
	conf.size = sizeof(conf);
	conf.max_concurrent = 2;
	common = tide_op_open("common", &conf);
	id = tide_on_pressure(empty, cache, TIDE_CLEAN_BENIGN, 0, 0, "cache");
	/* Once in any case: it may have been stopped all its time. */
	do {
		tide_op *op = below(2) ? common :
		    tide_op_open(names[below(4)], NULL);

		n = tide_batch_begin(op, &outer, 0, 50, -1);
		step();
		if (n <= 0) {
			if (note(n))
				break;
			continue;
		}
		/* While it holds one, another: so they wait for each other. */
		if (below(3) == 0 && tide_batch_begin(below(2) ? common :
		    tide_op_open(names[below(4)], NULL), &inner, 0, 20,
		    below(2) ? -1 : 1000000) > 0) {
			step();
			work(&inner, 5);
		}
		fill(cache);
		work(&outer, (unsigned)n);
		if (below(4) == 0) {
			guard = tide_guard_begin("guarded", 100000);
			tide_guard_end(guard);
		}
		if (below(4) == 0 && tide_reserve(1, 1 << 20, below(2) ? -1 :
		    0, &got) == 0)
			tide_unreserve(got);
		step();
	} while (now_ns() < until_ns && ended == 0);
	(void)tide_off_pressure(id);
	(void)empty(cache, TIDE_EXHAUSTED, UINT64_MAX);
	free(cache);
	return NULL;
}

#define THREADS_MOST 64

int
main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 4, i, running = 0;
	unsigned still = 0, longest = 0;
	uint64_t seen = 0, n;
	pthread_t id[THREADS_MOST];

	until_ns = now_ns() + (uint64_t)(argc > 2 ? atoi(argv[2]) : 5) *
	    1000000000;
	if (threads > THREADS_MOST)
		threads = THREADS_MOST;
	for (i = 0; i < threads; i++)
		running += pthread_create(&id[running], NULL, thread,
		    (void *)(uintptr_t)(i + 1)) == 0;
	printf("alive 0\n");
	fflush(stdout);
	while (now_ns() < until_ns && ended == 0) {
		usleep(100000);
		n = __atomic_load_n(&steps, __ATOMIC_RELAXED);
		if (n != seen)
			printf("alive %llu\n", (unsigned long long)n);
		still = n != seen ? 0 : still + 1;
		if (still > longest)
			longest = still;
		seen = n;
		fflush(stdout);
	}
	for (i = 0; i < running; i++)
		pthread_join(id[i], NULL);
	n = __atomic_load_n(&steps, __ATOMIC_RELAXED);
	printf("longest %u\n", longest);
	if (ended == 0) {
		printf("done %llu\n", (unsigned long long)n);
		return 0;
	}
	printf("stopped %llu: %s %d\n", (unsigned long long)n, ended == 1 ?
	    "should stop," : "no memory,", tide_should_stop());
	return TIDE_EXIT_NO_MEMORY;
}
