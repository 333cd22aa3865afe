/*
 * cleaner.c - a program with caches that it gives up when it is asked to
 *
 *	cleaner figures         what tide_reclaim() says of what is known
 *	cleaner serve FILE      comes by at safe points until FILE is there, or
 *	                        it shall stop
 *	cleaner away FILE       registers, and never comes by
 *	cleaner batch FILE      is in one batch until FILE is there
 *	cleaner purge PINS      leaves much free in its allocator, with so many
 *	                        blocks in between that stay, at most 64
 *	cleaner give MIB PINS THREADS
 *	                        the same, by so many threads, and wants MIB back
 *	cleaner grow            caches without end, and only comes by
 *	cleaner handler         asks in a handler that interrupts malloc()
 *	cleaner slow            has a callback that takes 12 seconds, and another
 *	                        thread that cleans up meanwhile
 *	cleaner knob FILE       says how a setting and the state change
 */
#include <malloc.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "heaptide.h"

#define MOST 4000

struct cache {
	const char *name;
	void *block[MOST];
	size_t blocks, bytes; /* usable */
	int calls, level;
};

static struct cache compact = { .name = "compact" };
static struct cache benign = { .name = "benign" };
static struct cache destructive = { .name = "destructive" };

static int nested = 1; /* what a callback is told that cleans up itself */

static void
fill(struct cache *c, size_t blocks, size_t size)
{
	while (c->blocks < blocks) {
		void *p = malloc(size);

		if (p == NULL)
			exit(3);
		memset(p, 1, size);
		c->bytes += malloc_usable_size(p);
		c->block[c->blocks++] = p;
	}
}

static uint64_t
give_up(void *ctx, int level, uint64_t want)
{
	struct cache *c = ctx;
	uint64_t bytes = c->bytes;

	(void)want;
	c->calls++;
	c->level = level;
	if (c->calls == 1)
		nested = tide_reclaim(0, 0, NULL);
	while (c->blocks > 0)
		free(c->block[--c->blocks]);
	c->bytes = 0;
	return bytes;
}

static void
put(struct cache *c, int cls)
{
	if (tide_on_pressure(give_up, c, cls, 0, 0, c->name) < 0)
		exit(4);
}

static void
put_all(void)
{
	put(&compact, TIDE_CLEAN_COMPACT);
	put(&benign, TIDE_CLEAN_BENIGN);
	put(&destructive, TIDE_CLEAN_DESTRUCTIVE);
	fill(&compact, 10, 100);
	fill(&benign, 1000, 3000);
	fill(&destructive, 100, 50000);
}

static void
say_result(const tide_reclaim_result *r)
{
	printf("freed %llu blocks %llu callbacks %u\n",
	    (unsigned long long)r->freed, (unsigned long long)r->blocks,
	    r->callbacks);
}

static int
figures(void)
{
	tide_reclaim_result r;
	size_t bytes;

	put_all();
	bytes = compact.bytes + benign.bytes;
	if (tide_reclaim(0, 0, &r) != 0)
		return 5;
	printf("known %zu\n", bytes);
	say_result(&r);
	bytes = destructive.bytes;
	if (tide_reclaim(TIDE_EMERGENCY, 0, &r) != 0)
		return 6;
	printf("known %zu\n", bytes);
	say_result(&r);
	/* Enough is enough. */
	fill(&compact, 10, 100000);
	fill(&benign, 1000, 3000);
	if (tide_reclaim(TIDE_NO_PURGE, 500000, &r) != 0)
		return 7;
	printf("stopped %u\n", r.callbacks);
	if (tide_reclaim(TIDE_NO_CALLBACKS, 0, &r) != 0)
		return 8;
	printf("purged %u\n", r.callbacks);
	printf("nested %d\n", nested);
	printf("wrong %d %d %d\n", tide_reclaim(1u << 30, 0, NULL),
	    tide_on_pressure(NULL, NULL, 0, 0, 0, NULL),
	    tide_off_pressure(12345));
	return 0;
}

static void
nap(int ms)
{
	(void)poll(NULL, 0, ms);
}

static void
say_cache(const struct cache *c)
{
	printf("%s %d %d\n", c->name, c->calls, c->level);
}

static int
serve(const char *file, int comes_by)
{
	int states = 0, state = 0;

	put_all();
	puts("ready");
	fflush(stdout);
	while (access(file, F_OK) != 0 && !(comes_by && tide_should_stop())) {
		nap(5);
		if (!comes_by)
			continue;
		state = tide_poll(0);
		states |= 1 << state;
		/* So that there is something again. */
		fill(&compact, 10, 100);
		fill(&benign, 1000, 3000);
		fill(&destructive, 100, 50000);
	}
	say_cache(&compact);
	say_cache(&benign);
	say_cache(&destructive);
	printf("states %d stopped %d\n", states,
	    comes_by ? tide_should_stop() : 0);
	return 0;
}

static int
batch(const char *file)
{
	tide_op *op = tide_op_open("endless", NULL);
	tide_batch b = { 0 };
	uint64_t done = 0;

	put(&benign, TIDE_CLEAN_BENIGN);
	if (tide_batch_begin(op, &b, 0, 1000000, -1) <= 0)
		return 5;
	puts("ready");
	fflush(stdout);
	while (access(file, F_OK) != 0) {
		done += (uint64_t)tide_batch_more(&b);
		nap(5);
	}
	tide_batch_end(&b, done);
	say_cache(&benign);
	return 0;
}

/* 500 MB pass through a cache that is never told to end. */
static int
grow(void)
{
	tide_info info = { .size = sizeof(info) };
	size_t i, most = 0;

	put(&benign, TIDE_CLEAN_BENIGN);
	for (i = 0; i < 500; i++) {
		fill(&benign, benign.blocks + 1, 1000000);
		(void)tide_poll(0);
		if (benign.bytes > most)
			most = benign.bytes;
	}
	if (tide_status(&info) != 0)
		return 5;
	printf("calls %d most %zu budget %llu\n", benign.calls, most,
	    (unsigned long long)info.budget);
	fprintf(stderr, "level %d, used %llu by %s, state %d\n", info.level,
	    (unsigned long long)info.used, info.source, info.state);
	return 0;
}

static void *pin[64], *block[64000];
static size_t pins_most;

/* Blocks from one to another, and pins in between: free but for these. */
static void
leave_free(size_t from, size_t to)
{
	size_t i;

	for (i = from; i < to; i++) {
		block[i] = malloc(1000);
		if (block[i] == NULL)
			exit(3);
		memset(block[i], 1, 1000);
		if (i % 1000 == 999 && i / 1000 < pins_most) {
			pin[i / 1000] = malloc(1000);
			if (pin[i / 1000] == NULL)
				exit(3);
		}
	}
	for (i = from; i < to; i++)
		free(block[i]);
}

static int
purge(size_t pins)
{
	tide_reclaim_result r;
	tide_info before, after;
	size_t i;

	pins_most = pins;
	leave_free(0, 64000);
	before.size = after.size = sizeof(before);
	if (tide_poll(0) < 0 || tide_status(&before) != 0 ||
	    tide_reclaim(0, 0, &r) != 0)
		return 5;
	if (tide_poll(0) < 0 || tide_status(&after) != 0)
		return 7;
	printf("freed %llu returned %llu resident %llu %llu\n",
	    (unsigned long long)r.freed, (unsigned long long)r.returned,
	    (unsigned long long)before.resident,
	    (unsigned long long)after.resident);
	for (i = 0; i < 64; i++)
		free(pin[i]);
	return 0;
}

static pthread_barrier_t all_free, all_done;
static size_t givers;

static void *
giver(void *number)
{
	size_t each = 64000 / givers, first = (size_t)number * each;

	leave_free(first, first + each);
	(void)pthread_barrier_wait(&all_free);
	(void)pthread_barrier_wait(&all_done);
	return NULL;
}

/* Each has its own arena, and is still there. */
static int
give(uint64_t mib, size_t pins, size_t threads)
{
	pthread_t id[8];
	tide_reclaim_result r;
	size_t i;

	if (threads < 1 || threads > 8)
		return 2;
#ifdef M_TRIM_THRESHOLD
	/* What is free at the top of the heap stays there. */
	(void)mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
	givers = threads;
	pins_most = pins;
	(void)pthread_barrier_init(&all_free, NULL, (unsigned)threads);
	(void)pthread_barrier_init(&all_done, NULL, (unsigned)threads);
	for (i = 1; i < threads; i++)
		if (pthread_create(&id[i], NULL, giver, (void *)i) != 0)
			return 3;
	leave_free(0, 64000 / threads);
	(void)pthread_barrier_wait(&all_free);
	if (tide_reclaim(0, mib << 20, &r) != 0)
		return 5;
	printf("returned %llu\n", (unsigned long long)r.returned);
	(void)pthread_barrier_wait(&all_done);
	for (i = 1; i < threads; i++)
		(void)pthread_join(id[i], NULL);
	return 0;
}

static volatile sig_atomic_t asked;
static unsigned long long returned_there;

static void
ask(int number)
{
	tide_reclaim_result r;

	(void)number;
	if (tide_reclaim(TIDE_NO_CALLBACKS, 0, &r) == 0)
		returned_there += r.returned;
	asked = asked + 1;
}

static int
handler(void)
{
	const struct itimerval often = { { 0, 1000 }, { 0, 1000 } };
	const struct itimerval never = { { 0, 0 }, { 0, 0 } };
	tide_reclaim_result r;

	if (tide_reclaim(0, 0, &r) != 0)
		return 5;
	if (signal(SIGALRM, ask) == SIG_ERR ||
	    setitimer(ITIMER_REAL, &often, NULL) != 0)
		return 6;
	while (asked < 200) {
		void *p = malloc(300000), *q = malloc(100);

		free(p);
		free(q);
	}
	(void)setitimer(ITIMER_REAL, &never, NULL);
	puts("came through");
	return 0;
}

static int inside; /* 1: of the slow one; 2: it has returned */

static uint64_t
take_long(void *ctx, int level, uint64_t want)
{
	(void)ctx;
	(void)level;
	(void)want;
	__atomic_store_n(&inside, 1, __ATOMIC_SEQ_CST);
	nap(12000);
	__atomic_store_n(&inside, 2, __ATOMIC_SEQ_CST);
	return 0;
}

static void *
clean_slowly(void *result)
{
	if (tide_on_pressure(take_long, NULL, 0, 0, 0, "slow") < 0)
		exit(4);
	*(int *)result = tide_reclaim(0, 0, NULL);
	return NULL;
}

static int
slow(void)
{
	int its = 1, r, refused = 0, gone_on = 0;
	pthread_t thread;

	put(&benign, TIDE_CLEAN_BENIGN);
	if (pthread_create(&thread, NULL, clean_slowly, &its) != 0)
		return 5;
	while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) == 0)
		nap(5);
	while (__atomic_load_n(&inside, __ATOMIC_SEQ_CST) == 1) {
		r = tide_reclaim(0, 0, NULL);
		refused += r < 0;
		gone_on += r == 0;
		nap(100);
	}
	if (pthread_join(thread, NULL) != 0)
		return 6;
	r = tide_reclaim(0, 0, NULL);
	printf("refused %d gone on %d its %d then %d\n", refused > 0,
	    gone_on > 0, its, r);
	return 0;
}

static int
knob(const char *file)
{
	int fd = tide_pressure_fd();
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char byte[8];

	if (fd < 0)
		return 5;
	printf("knob %g\n", tide_knob("samples", 10, 6));
	fflush(stdout);
	while (access(file, F_OK) != 0) {
		(void)tide_poll(0);
		if (poll(&p, 1, 5) <= 0)
			continue;
		while (read(fd, byte, sizeof(byte)) > 0)
			;
		printf("state %d knob %g\n", tide_state(),
		    tide_knob("samples", 10, 6));
		fflush(stdout);
	}
	return 0;
}

int
main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";

	if (strcmp(mode, "figures") == 0)
		return figures();
	if (strcmp(mode, "serve") == 0 && argc == 3)
		return serve(argv[2], 1);
	if (strcmp(mode, "away") == 0 && argc == 3)
		return serve(argv[2], 0);
	if (strcmp(mode, "purge") == 0 && argc == 3)
		return purge((size_t)atoi(argv[2]));
	if (strcmp(mode, "give") == 0 && argc == 5)
		return give((uint64_t)atoi(argv[2]), (size_t)atoi(argv[3]),
		    (size_t)atoi(argv[4]));
	if (strcmp(mode, "batch") == 0 && argc == 3)
		return batch(argv[2]);
	if (strcmp(mode, "grow") == 0)
		return grow();
	if (strcmp(mode, "handler") == 0)
		return handler();
	if (strcmp(mode, "slow") == 0)
		return slow();
	if (strcmp(mode, "knob") == 0 && argc == 3)
		return knob(argv[2]);
	return 2;
}
