/*
 * known-threads.c - many threads, and every allocation they make is known
 *
 * usage: known-threads MODE [idle]
 *
 * Prints the account of all threads together.  With `idle` the same threads
 * come and go without a call of their own: what is counted then is the C
 * library's share, to be taken off.
 */
#include <pthread.h>
#include <stdbool.h>

#include "account.h"

#define THREADS 6
#define BRIEF   1000 /* threads one after another */
#define SLOTS   200
#define PASSED  20000

static bool idle;

/* --- each for itself ------------------------------------------------------ */

struct worker {
	pthread_t thread;
	uint32_t seed;
	struct account account;
	void *block[SLOTS];
	size_t size[SLOTS];
};

static struct worker workers[THREADS];
static pthread_barrier_t all_there;

static void
drop(struct worker *w, size_t i)
{
	account_free(&w->account, w->block[i], w->size[i]);
	free(w->block[i]);
	w->block[i] = NULL;
}

static void
fill(struct worker *w, size_t i, size_t size)
{
	w->block[i] = account_alloc(&w->account, malloc(size), size);
	w->size[i] = size;
}

/* Small blocks in a few slots: stays far below what all of them held. */
static void
churn(struct worker *w)
{
	for (int n = 0; n < 30000; n++) {
		size_t i = account_random(&w->seed) % 30;

		if (w->block[i] != NULL)
			drop(w, i);
		fill(w, i, account_random(&w->seed) % 1000);
	}
}

static void *
work(void *argument)
{
	struct worker *w = argument;

	for (size_t i = 0; !idle && i < SLOTS; i++)
		fill(w, i, 1000 + account_random(&w->seed) % 9000);
	pthread_barrier_wait(&all_there); /* the peak of the process */
	for (size_t i = 0; !idle && i < SLOTS; i++)
		drop(w, i);
	if (!idle)
		churn(w);
	return NULL;
}

/* The barrier is not passed before all have filled their slots. */
static void
apart(struct account *sum)
{
	pthread_barrier_init(&all_there, NULL, THREADS);
	for (uint32_t i = 0; i < THREADS; i++) {
		workers[i].seed = i;
		if (pthread_create(&workers[i].thread, NULL, work,
		    &workers[i]) != 0)
			abort();
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		account_add(sum, &workers[i].account);
	}
	/* This thread frees what is left of the others'. */
	for (int i = 0; i < THREADS / 2; i++)
		for (size_t k = 0; k < SLOTS; k++)
			if (workers[i].block[k] != NULL) {
				account_free(sum, workers[i].block[k],
				    workers[i].size[k]);
				free(workers[i].block[k]);
			}
}

/* --- one allocates, another frees ----------------------------------------- */

static struct {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct passed {
		void *block;
		size_t size;
	} ring[64];
	size_t in, out;
} belt = { .lock = PTHREAD_MUTEX_INITIALIZER,
	.moved = PTHREAD_COND_INITIALIZER };

static void
put(struct passed p)
{
	pthread_mutex_lock(&belt.lock);
	while (belt.in - belt.out == 64)
		pthread_cond_wait(&belt.moved, &belt.lock);
	belt.ring[belt.in++ % 64] = p;
	pthread_cond_broadcast(&belt.moved);
	pthread_mutex_unlock(&belt.lock);
}

static struct passed
get(void)
{
	struct passed p;

	pthread_mutex_lock(&belt.lock);
	while (belt.in == belt.out)
		pthread_cond_wait(&belt.moved, &belt.lock);
	p = belt.ring[belt.out++ % 64];
	pthread_cond_broadcast(&belt.moved);
	pthread_mutex_unlock(&belt.lock);
	return p;
}

static void *
produce(void *argument)
{
	struct worker *w = argument;

	for (int n = 0; !idle && n < PASSED; n++) {
		struct passed p = { .size = account_random(&w->seed) % 3000 };

		p.block = account_alloc(&w->account, malloc(p.size), p.size);
		put(p);
	}
	return NULL;
}

/* Every tenth comes back larger, and stays. */
static void *
consume(void *argument)
{
	struct worker *w = argument;

	for (int n = 0; !idle && n < PASSED; n++) {
		struct passed p = get();

		account_free(&w->account, p.block, p.size);
		if (n % 10 != 0)
			free(p.block);
		else
			account_alloc(&w->account, realloc(p.block,
			    p.size + 50), p.size + 50);
	}
	return NULL;
}

static void
handed_over(struct account *sum)
{
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&workers[i].thread, NULL,
		    i % 2 == 0 ? produce : consume, &workers[i]) != 0)
			abort();
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		account_add(sum, &workers[i].account);
	}
}

/* --- threads that come and go --------------------------------------------- */

static pthread_key_t key;

/* Runs when the thread is nearly gone. */
static void
at_end(void *argument)
{
	struct worker *w = argument;

	fill(w, 1, 222);
	drop(w, 0);
}

static void *
live_briefly(void *argument)
{
	struct worker *w = argument;

	if (idle)
		return NULL;
	pthread_setspecific(key, w);
	for (size_t size = 1; size < 100; size++) {
		fill(w, 0, size * 10);
		drop(w, 0);
	}
	fill(w, 0, 111);
	return NULL;
}

static void
brief(struct account *sum)
{
	pthread_key_create(&key, at_end);
	for (int i = 0; i < BRIEF; i++) {
		struct worker w = { .seed = 0 };

		if (pthread_create(&w.thread, NULL, live_briefly, &w) != 0)
			abort();
		pthread_join(w.thread, NULL);
		account_add(sum, &w.account);
	}
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct account *sum);
	} modes[] = {
		{ "apart", apart },
		{ "handed-over", handed_over },
		{ "brief", brief },
	};
	struct account sum = { 0 };

	idle = argc == 3 && strcmp(argv[2], "idle") == 0;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (argc >= 2 && strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run(&sum);
			account_print(&sum);
			if (i == 0)
				account_say("peak_bytes", sum.peak);
			return 0;
		}
	return 2;
}
