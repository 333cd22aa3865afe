/*
 * reuse.c - threads take from each other the addresses they just gave back
 *
 * usage: reuse ROUNDS PREFIX
 *
 * Every block says by its first bytes which call it is from and how much was
 * asked for, and lies in a slot from which any thread may take it, to free or
 * to resize it.  With one arena and no caches (the test sees to that) what one
 * gives back is given to another at once.
 *
 * After each round, when all threads stand still, the accounts are summed and
 * written to PREFIX.ROUND, a line for each call: name, allocations, frees,
 * live usable bytes, live requested bytes.  Then `quiet ROUND` is said,
 * and a byte of standard input, or its end, starts the next.  PREFIX.totals
 * has the totals.  Round 0 has no blocks: what is counted by then is libc's.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "account.h"

#define THREADS 6
#define SLOTS   48
#define STEPS   60000 /* of a thread in a round */
#define CLASSES 8
#define LABELS  (3 * CLASSES)

struct head {
	uint32_t label;
	uint32_t requested;
};

struct label {
	uint64_t allocations, frees, allocated, freed;
	uint64_t requested, requested_freed;
};

struct worker {
	pthread_t thread;
	uint32_t seed;
	struct account account;
	struct label label[LABELS];
};

static struct worker workers[THREADS];
static struct head *_Atomic slots[SLOTS];
static pthread_barrier_t begin, end;
static int rounds;

/* Few and close to each other; the last is a mapping of its own in glibc. */
static const uint32_t sizes[CLASSES] = {
	8, 24, 40, 56, 72, 120, 1000, 150000
};

/* --- calls that can be told apart ----------------------------------------- */

#define EACH_CLASS(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7)

/* The result is looked at, so that each call has a frame of its own. */
static inline void *
must(void *block)
{
	if (block == NULL)
		abort();
	return block;
}

#define CALLS(N) \
static __attribute__((noinline)) void * \
take_##N(size_t size) { return must(malloc(size)); } \
static __attribute__((noinline)) void * \
align_##N(size_t size) { return must(aligned_alloc(64, size)); } \
static __attribute__((noinline)) void * \
grow_##N(void *block, size_t size) { return must(realloc(block, size)); }

EACH_CLASS(CALLS)

#define TAKE(N)  take_##N,
#define ALIGN(N) align_##N,
#define GROW(N)  grow_##N,

static void *(*const takes[])(size_t) = { EACH_CLASS(TAKE) };
static void *(*const aligns[])(size_t) = { EACH_CLASS(ALIGN) };
static void *(*const grows[])(void *, size_t) = { EACH_CLASS(GROW) };
static const char *const names[] = { "take", "align", "grow" };

/* --- what is done to a block ---------------------------------------------- */

static void
came(struct worker *w, struct head *block, uint32_t label, uint32_t requested)
{
	struct label *l = &w->label[label];

	account_alloc(&w->account, block, requested);
	l->allocations++;
	l->allocated += malloc_usable_size(block);
	l->requested += requested;
	block->label = label;
	block->requested = requested;
}

static void
goes(struct worker *w, struct head *block)
{
	struct label *l = &w->label[block->label];

	account_free(&w->account, block, block->requested);
	l->frees++;
	l->freed += malloc_usable_size(block);
	l->requested_freed += block->requested;
}

static struct head *
fresh(struct worker *w, uint32_t class)
{
	struct head *block;
	uint32_t label = class;

	if (account_random(&w->seed) % 4 != 0) {
		block = takes[class](sizes[class]);
	} else {
		block = aligns[class](sizes[class]);
		label += CLASSES;
	}
	came(w, block, label, sizes[class]);
	return block;
}

/* Smaller or larger: in place or not as the allocator likes. */
static struct head *
resized(struct worker *w, struct head *block, uint32_t class)
{
	goes(w, block);
	block = grows[class](block, sizes[class]);
	came(w, block, 2 * CLASSES + class, sizes[class]);
	return block;
}

static void
refused(struct head *block)
{
	static volatile size_t huge = SIZE_MAX / 2 + 1;
	struct head before = *block;

	if (realloc(block, huge) != NULL || errno != ENOMEM ||
	    memcmp(block, &before, sizeof(before)) != 0)
		abort();
}

static uint32_t
any_class(struct worker *w)
{
	uint32_t n = account_random(&w->seed) % 512;

	return n == 0 ? CLASSES - 1 : n % (CLASSES - 1);
}

static void
step(struct worker *w)
{
	struct head *_Atomic *slot =
	    &slots[account_random(&w->seed) % SLOTS];
	struct head *block = atomic_exchange(slot, NULL);

	switch (account_random(&w->seed) % 8) {
	case 0:
	case 1:
		if (block != NULL)
			block = resized(w, block, any_class(w));
		break;
	case 2:
		if (block != NULL)
			refused(block);
		break;
	default:
		/* Given back and taken at the same instant as by others. */
		if (block != NULL) {
			goes(w, block);
			free(block);
		}
		block = fresh(w, any_class(w));
	}
	if (block == NULL)
		return;
	block = atomic_exchange(slot, block);
	if (block != NULL) {
		goes(w, block);
		free(block);
	}
}

static void *
work(void *argument)
{
	for (int round = 0; round < rounds; round++) {
		pthread_barrier_wait(&begin);
		for (int i = 0; round > 0 && i < STEPS; i++)
			step(argument);
		pthread_barrier_wait(&end);
	}
	return NULL;
}

/* --- the truth ------------------------------------------------------------ */

/* Everything from now on that is written by account.h goes to @name. */
static int
open_for(const char *prefix, const char *name)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s.%s", prefix, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		abort();
	return fd;
}

static void
add(struct label *to, const struct label *from)
{
	to->allocations += from->allocations;
	to->frees += from->frees;
	to->allocated += from->allocated;
	to->freed += from->freed;
	to->requested += from->requested;
	to->requested_freed += from->requested_freed;
}

static void
write_labels(const char *prefix, int round)
{
	char line[160];
	int fd;

	snprintf(line, sizeof(line), "%d", round);
	fd = open_for(prefix, line);
	for (int l = 0; l < LABELS; l++) {
		struct label sum = { 0 };
		int n;

		for (int i = 0; i < THREADS; i++)
			add(&sum, &workers[i].label[l]);
		if (sum.allocations == 0)
			continue;
		n = snprintf(line, sizeof(line),
		    "%s_%d %llu %llu %llu %llu\n", names[l / CLASSES],
		    l % CLASSES, (unsigned long long)sum.allocations,
		    (unsigned long long)sum.frees,
		    (unsigned long long)(sum.allocated - sum.freed),
		    (unsigned long long)(sum.requested -
		    sum.requested_freed));
		if (write(fd, line, (size_t)n) != n)
			abort();
	}
	close(fd);
}

static void
write_totals(const char *prefix)
{
	struct account sum = { 0 };
	int out = dup(1);
	int fd = open_for(prefix, "totals");

	for (int i = 0; i < THREADS; i++)
		account_add(&sum, &workers[i].account);
	/* account.h writes to descriptor 1. */
	if (dup2(fd, 1) != 1)
		abort();
	account_print(&sum);
	if (dup2(out, 1) != 1)
		abort();
	close(out);
	close(fd);
}

static void
stand_still(const char *prefix, int round)
{
	char line[80];
	char go;
	int n = snprintf(line, sizeof(line), "quiet %d\n", round);

	write_labels(prefix, round);
	if (write(1, line, (size_t)n) != n || read(0, &go, 1) < 0)
		abort();
}

int
main(int argc, char **argv)
{
	if (argc != 3)
		return 2;
	rounds = atoi(argv[1]);
	pthread_barrier_init(&begin, NULL, THREADS + 1);
	pthread_barrier_init(&end, NULL, THREADS + 1);
	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i].seed = i;
		if (pthread_create(&workers[i].thread, NULL, work,
		    &workers[i]) != 0)
			abort();
	}
	for (int round = 0; round < rounds; round++) {
		pthread_barrier_wait(&begin);
		pthread_barrier_wait(&end);
		stand_still(argv[2], round);
	}
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
	write_totals(argv[2]);
	return 0;
}
