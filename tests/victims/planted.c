/*
 * planted.c - leaks that are known, and what only looks like one
 *
 * usage: planted SCENARIO BATCHES SEED
 *
 * Works through batches, each of which is an epoch.  Blocks of a kind come from
 * one function that is named after what it is; of those called leak_... blocks
 * are never given back, and of no others.  Beside the scenario a few innocents
 * are at work in all of them.  Nothing is freed at the end.
 *
 * Its own tables are static: they are no growth.
 */
#include <heaptide.h>

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KIND static __attribute__((noinline)) void *

/* --- chance --------------------------------------------------------------- */

static uint64_t seed;

/* splitmix64 (Steele, Lea, Flood 2014). */
static double
uniform(double low, double high)
{
	uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	z ^= z >> 31;
	return low + (high - low) * ((double)(z >> 11) + 0.5) /
	    9007199254740992.0;
}

static double
normal(void)
{
	return sqrt(-2 * log(uniform(0, 1))) *
	    cos(2 * 3.14159265358979323846 * uniform(0, 1));
}

static int
around(double mean)
{
	return (int)fmax(0, mean + sqrt(mean) * normal() + 0.5);
}

/* --- who allocates -------------------------------------------------------- */

/*
 * What each of them notes has two ends: the call is not its last, so it has a
 * frame of its own; and no two are alike, so the compiler does not make them
 * one.
 */
static void *volatile last;
static const char *volatile by;

#define ALLOCATES(name) \
	KIND \
	name(size_t bytes) \
	{ \
		by = #name; \
		last = malloc(bytes); \
		if (last == NULL) \
			abort(); \
		memset(last, 1, bytes < 64 ? bytes : 64); \
		return last; \
	}

ALLOCATES(leak_here)
ALLOCATES(leak_slowly)
ALLOCATES(leak_on_error)
ALLOCATES(leak_in_child)
ALLOCATES(request_buffer)
ALLOCATES(queue_put)
ALLOCATES(stack_push)
ALLOCATES(cache_put)
ALLOCATES(memory_put)
ALLOCATES(pool_grow)
ALLOCATES(collect)
ALLOCATES(serve_season)
ALLOCATES(build_up)
ALLOCATES(load_table)

KIND
leak_by_mmap(size_t bytes)
{
	last = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (last == MAP_FAILED)
		abort();
	*(volatile char *)last = 1;
	return last;
}

/* --- what is held --------------------------------------------------------- */

#define BAG 65536

/* A ring, the oldest first. */
struct bag {
	void *block[BAG];
	unsigned first, count;
};

static void
put(struct bag *b, void *block)
{
	if (b->count == BAG)
		abort();
	b->block[(b->first + b->count++) % BAG] = block;
}

static void
drop_oldest(struct bag *b)
{
	free(b->block[b->first]);
	b->first = (b->first + 1) % BAG;
	b->count--;
}

static void
drop_newest(struct bag *b)
{
	b->count--;
	free(b->block[(b->first + b->count) % BAG]);
}

static void
drop_any(struct bag *b)
{
	unsigned i = (b->first + (unsigned)uniform(0, b->count)) % BAG;

	free(b->block[i]);
	b->count--;
	b->block[i] = b->block[(b->first + b->count) % BAG];
}

/* --- batches -------------------------------------------------------------- */

/* Drawn once a run. */
static struct {
	int batches;
	double rate, size; /* blocks a batch; bytes of one */
	double limit;      /* blocks, of what has one */
	double spread, slow;
	double period, phase;
	double until, gone;
} it;

static void
work(int blocks, size_t bytes)
{
	for (int i = 0; i < blocks; i++)
		free(request_buffer(bytes));
}

static void
tiny(int now)
{
	(void)now;
	work(1000000, 64);
	(void)leak_here(16);
}

static void
error_path(int now)
{
	(void)now;
	for (int i = around(it.rate * 30); i > 0; i--) {
		void *request = request_buffer(512);

		/* A tenth are errors, and of those 2 % are forgotten. */
		if (uniform(0, 1) < 0.1) {
			void *message = leak_on_error(200);

			if (uniform(0, 1) >= 0.02)
				free(message);
		}
		free(request);
	}
}

static void
late(int now)
{
	work(1000, 64);
	if (now >= it.batches / 2)
		(void)leak_here(64);
}

static void
two(int now)
{
	(void)now;
	work(1000, 64);
	for (int i = 0; i < 3; i++)
		(void)leak_here(4000);
	for (int i = around(3) + 1; i > 0; i--)
		(void)leak_slowly(64);
}

static void
by_mmap(int now)
{
	(void)now;
	(void)leak_by_mmap(65536);
}

static void
in_child(int now)
{
	(void)now;
	work(1000, 64);
	(void)leak_in_child(128);
}

static void
fifo(int now)
{
	static struct bag cache;

	(void)now;
	for (int i = around(it.rate); i > 0; i--) {
		if (cache.count >= it.limit)
			drop_oldest(&cache);
		put(&cache, cache_put((size_t)it.size));
	}
}

static void
any(int now)
{
	static struct bag cache;

	(void)now;
	for (int i = around(it.rate); i > 0; i--) {
		if (cache.count >= it.limit)
			drop_any(&cache);
		put(&cache, cache_put((size_t)it.size));
	}
}

/* A clock: who was used since it came by last gets another round. */
static void
lru(int now)
{
	static struct bag cache;
	static bool used[BAG]; /* by place in the ring */
	unsigned at, to;

	(void)now;
	for (int i = around(it.rate); i > 0; i--) {
		for (int hits = 0; hits < 2 && cache.count > 0; hits++)
			used[(cache.first + (unsigned)(pow(uniform(0, 1), 3) *
			    cache.count)) % BAG] = true;
		while (cache.count >= it.limit) {
			at = cache.first;
			if (!used[at]) {
				drop_oldest(&cache);
				break;
			}
			used[at] = false;
			to = (cache.first + cache.count) % BAG;
			cache.block[to] = cache.block[at];
			cache.first = (cache.first + 1) % BAG;
			used[to] = false;
		}
		to = (cache.first + cache.count) % BAG;
		put(&cache, cache_put((size_t)it.size));
		used[to] = false;
	}
}

/* What was asked for once is known for good. */
static void
memory(int now)
{
	static unsigned known;

	(void)now;
	for (int i = around(it.rate * 5); i > 0; i--)
		if (uniform(0, it.limit) > known) {
			(void)memory_put(48);
			known++;
		}
}

static void
pool(int now)
{
	static int have;
	int want = (int)(100 * exp(it.spread * normal()));

	(void)now;
	for (; have < want; have++)
		(void)pool_grow(256);
}

static double
wander(double *level)
{
	*level += (100 - *level) / it.slow + 30 * sqrt(2 / it.slow) * normal();
	return *level = fmax(0, *level);
}

static void
queue(int now)
{
	static struct bag waiting;
	static double level = 100;
	double want = wander(&level);

	(void)now;
	while (waiting.count > want / 4)
		drop_oldest(&waiting);
	while (waiting.count < want)
		put(&waiting, queue_put(1024));
}

static void
stack(int now)
{
	static struct bag held;
	static double level = 100;
	double want = wander(&level);

	(void)now;
	while (held.count > want)
		drop_newest(&held);
	while (held.count < want)
		put(&held, stack_push(1024));
}

static void
sawtooth(int now)
{
	static struct bag collected;

	if (now % (int)it.period == (int)it.phase % (int)it.period)
		while (collected.count > 0)
			drop_oldest(&collected);
	for (int i = around(it.rate); i > 0; i--)
		put(&collected, collect(512));
}

static void
log_normal(int now)
{
	static void *table;

	(void)now;
	free(table);
	table = load_table((size_t)(100000 * exp(it.spread * normal())) + 1);
}

static void
season(int now)
{
	static struct bag served;
	double wave = sin(2 * 3.14159265358979323846 *
	    (now / it.period + it.phase / 1000));

	while (served.count > 0)
		drop_oldest(&served);
	for (int i = around(60 * (1.2 + wave)); i > 0; i--)
		put(&served, serve_season(300));
}

static void
season7(int now)
{
	it.period = 7;
	season(now);
}

static void
season24(int now)
{
	it.period = 24;
	season(now);
}

static void
freed_later(int now)
{
	static struct bag built;
	double at = (double)now / it.batches;

	if (at < it.until)
		for (int i = around(it.rate); i > 0; i--)
			put(&built, build_up(128));
	else
		while (built.count > 0 && at >= it.gone)
			drop_newest(&built);
}

static void
nothing(int now)
{
	(void)now;
}

/* What goes on in all of them, if it is not the scenario itself. */
static void
innocents(int now, void (*scenario)(int now))
{
	work(200, 300);
	if (scenario != log_normal)
		log_normal(now);
	if (scenario != queue)
		queue(now);
	if (scenario != pool)
		pool(now);
}

/* --- runs ----------------------------------------------------------------- */

static const struct scenario {
	const char *name;
	void (*batch)(int now);
} scenarios[] = {
	{ "tiny", tiny },
	{ "error-path", error_path },
	{ "late", late },
	{ "two", two },
	{ "mmap", by_mmap },
	{ "child", in_child },
	{ "fifo", fifo },
	{ "lru", lru },
	{ "random", any },
	{ "memory", memory },
	{ "pool", pool },
	{ "queue", queue },
	{ "stack", stack },
	{ "sawtooth", sawtooth },
	{ "log-normal", log_normal },
	{ "season-7", season7 },
	{ "season-24", season24 },
	{ "freed-later", freed_later },
	{ "nothing", nothing },
};

static void
draw(int batches)
{
	it.batches = batches;
	it.rate = uniform(20, 100);
	it.size = uniform(100, 1000);
	it.limit = it.rate * batches * uniform(0.05, 0.7);
	it.spread = uniform(0.3, 1);
	it.slow = uniform(2, fmax(3, batches / 10.0));
	it.period = floor(uniform(2, batches / 2.0 + 1));
	it.phase = floor(uniform(0, 1000));
	it.until = uniform(0.3, 0.7);
	it.gone = it.until + uniform(0, 0.25);
}

static void
run(const struct scenario *s, int batches)
{
	for (int now = 0; now < batches; now++) {
		innocents(now, s->batch);
		s->batch(now);
		(void)tide_mark("batch");
	}
}

/* The parent is innocent. */
static int
run_in_child(const struct scenario *s, int batches)
{
	int status = 1;
	pid_t child = fork();

	if (child == 0) {
		run(s, batches);
		_exit(0);
	}
	run(&scenarios[sizeof(scenarios) / sizeof(*scenarios) - 1], batches);
	if (child > 0)
		(void)waitpid(child, &status, 0);
	return status != 0;
}

int
main(int argc, char **argv)
{
	const struct scenario *s = scenarios;
	const struct scenario *end = s + sizeof(scenarios) / sizeof(*s);

	while (s < end && argc == 4 && strcmp(s->name, argv[1]) != 0)
		s++;
	if (argc != 4 || s == end || atoi(argv[2]) < 1) {
		fprintf(stderr, "usage: planted SCENARIO BATCHES SEED\n");
		for (s = scenarios; s < end; s++)
			fprintf(stderr, "\t%s\n", s->name);
		return 2;
	}
	seed = strtoull(argv[3], NULL, 10) * 1000003;
	draw(atoi(argv[2]));
	if (s->batch == in_child)
		return run_in_child(s, atoi(argv[2]));
	run(s, atoi(argv[2]));
	return 0;
}
