/*
 * thread-ends.c - threads that end in every way, and allocate as they go
 *
 * usage: thread-ends MODE [idle]
 *
 *   cancelled   in the middle of a loop of malloc() and free(), between which
 *               they can be cancelled; the cleanup handlers free
 *   at-any-time the same, but where no call is under way they can be cancelled
 *               at any instruction
 *   main-leaves main() ends as a thread, and the last of the others ends the
 *               process
 *   exits       another thread than main()'s calls exit(); handlers allocate
 *   leaves      the same by _exit(): no handler is called
 *   keys        destructors of thread-specific data allocate, in each of the
 *               rounds that libc goes, for many keys
 *   handlers    atexit(), on_exit() and destructors of the program allocate
 *
 * Prints the account when nothing more will be allocated.  With `idle` all
 * happens without a call of our own: it is the C library's share.
 */
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

#include "account.h"

#define THREADS 100
#define KEYS    100 /* libc has room for 32 in a thread, and allocates then */

static bool idle;

struct worker {
	pthread_t thread;
	struct account account;
	void *block;
	int rounds;
};

static struct worker workers[THREADS];
static struct account first; /* of the thread of main() */

static void *
take(struct account *a, size_t size)
{
	return idle ? NULL : account_alloc(a, malloc(size), size);
}

static void
drop(struct account *a, void *block, size_t size)
{
	if (block == NULL)
		return;
	account_free(a, block, size);
	free(block);
}

static void
say(void)
{
	struct account sum = first;

	for (int i = 0; i < THREADS; i++)
		account_add(&sum, &workers[i].account);
	account_print(&sum);
}

static void
start(struct worker *w, void *(*function)(void *))
{
	if (pthread_create(&w->thread, NULL, function, w) != 0)
		abort();
}

static void
run_all(void *(*function)(void *))
{
	for (int i = 0; i < THREADS; i++)
		start(&workers[i], function);
	for (int i = 0; i < THREADS; i++)
		pthread_join(workers[i].thread, NULL);
}

/* --- cancelled ------------------------------------------------------------ */

static void
clean_up(void *argument)
{
	struct worker *w = argument;

	drop(&w->account, w->block, 500);
	drop(&w->account, take(&w->account, 33), 33);
	w->block = NULL;
}

static void *
until_cancelled(void *argument)
{
	struct worker *w = argument;

	for (;;) {
		pthread_cleanup_push(clean_up, w);
		w->block = take(&w->account, 500);
		__atomic_store_n(&w->rounds, w->rounds + 1, __ATOMIC_RELEASE);
		pthread_testcancel();
		pthread_cleanup_pop(1);
	}
	return NULL;
}

static void *
until_cancelled_at_any_time(void *argument)
{
	struct worker *w = argument;
	int was;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &was);
	pthread_cleanup_push(clean_up, w);
	for (;;) {
		clean_up(w);
		w->block = take(&w->account, 500);
		__atomic_store_n(&w->rounds, w->rounds + 1, __ATOMIC_RELEASE);
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &was);
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &was);
		for (volatile int i = 0; i < 100; i++)
			;
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &was);
		pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &was);
	}
	pthread_cleanup_pop(0);
	return NULL;
}

static void
cancel_all(void *(*function)(void *))
{
	for (int i = 0; i < THREADS; i++) {
		struct worker *w = &workers[i];

		start(w, function);
		while (__atomic_load_n(&w->rounds, __ATOMIC_ACQUIRE) < i)
			;
		pthread_cancel(w->thread);
		pthread_join(w->thread, NULL);
	}
}

static void
cancelled(void)
{
	cancel_all(until_cancelled);
	say();
}

static void
at_any_time(void)
{
	cancel_all(until_cancelled_at_any_time);
	say();
}

/* --- the process goes on, or ends, elsewhere ------------------------------ */

static _Atomic int left = THREADS;
static pthread_t main_thread;

/* The last to come ends the process, as the first thread would have. */
static void *
go_on(void *argument)
{
	struct worker *w = argument;

	for (int i = 0; i < 1000; i++) {
		void *other = take(&w->account, 40);

		drop(&w->account, w->block, 500);
		w->block = take(&w->account, 500);
		drop(&w->account, other, 40);
	}
	if (--left == 0) {
		pthread_join(main_thread, NULL);
		say();
		exit(5);
	}
	return NULL;
}

static void
main_leaves(void)
{
	main_thread = pthread_self();
	for (int i = 0; i < THREADS; i++)
		(void)take(&first, 100);
	for (int i = 0; i < THREADS; i++)
		start(&workers[i], go_on);
	pthread_exit(NULL);
}

/* The other threads have allocated, and wait for what never comes. */
static pthread_barrier_t all_there;
static void (*end)(int);

static void *
end_it(void *argument)
{
	struct worker *w = argument;

	for (int i = 0; i < 100; i++) {
		drop(&w->account, w->block, 500);
		w->block = take(&w->account, 500);
	}
	pthread_barrier_wait(&all_there);
	if (w == &workers[1]) {
		if (end == _exit)
			say();
		end(6);
	}
	for (;;)
		pause();
	return NULL;
}

static void
free_at_exit(void)
{
	for (int i = 0; i < THREADS; i += 2)
		drop(&workers[1].account, workers[i].block, 500);
	(void)take(&workers[1].account, 77);
	say();
}

static void
end_elsewhere(void)
{
	pthread_barrier_init(&all_there, NULL, THREADS);
	run_all(end_it);
}

static void
exits(void)
{
	end = exit;
	atexit(free_at_exit);
	end_elsewhere();
}

static void
leaves(void)
{
	end = _exit;
	atexit(abort);
	end_elsewhere();
}

/* --- thread-specific data ------------------------------------------------- */

static pthread_key_t keys[KEYS];

struct held {
	struct worker *worker;
	int key;
	int round;
};

static void
hold(struct worker *w, int key, int round)
{
	static struct held nothing;
	struct held *h = idle ? &nothing : take(&w->account, sizeof(*h));

	*h = (struct held){ w, key, round };
	pthread_setspecific(keys[key], h);
}

/* Comes again and again, until libc has had enough. */
static void
destroy(void *argument)
{
	struct held *h = argument;
	struct held was = *h;

	if (idle)
		return;
	drop(&was.worker->account, h, sizeof(*h));
	was.worker->rounds += 1;
	if (was.round + 1 < PTHREAD_DESTRUCTOR_ITERATIONS)
		hold(was.worker, was.key, was.round + 1);
}

static void *
hold_all(void *argument)
{
	for (int i = 0; i < KEYS; i++)
		hold(argument, i, 0);
	return NULL;
}

static void
with_keys(void)
{
	for (int i = 0; i < KEYS; i++)
		if (pthread_key_create(&keys[i], destroy) != 0)
			abort();
	run_all(hold_all);
	for (int i = 0; !idle && i < THREADS; i++)
		if (workers[i].rounds != KEYS * PTHREAD_DESTRUCTOR_ITERATIONS)
			abort();
	say();
}

/* --- handlers of the process ---------------------------------------------- */

static void *kept;
static bool with_handlers;

static void
once_more(void)
{
	drop(&first, kept, 99);
	kept = take(&first, 99);
}

static void
once_more_with_status(int status, void *context)
{
	(void)status;
	if (context != &kept)
		abort();
	once_more();
}

/* Run when all of the above are over, the later one first. */
static __attribute__((destructor(101))) void
last_of_all(void)
{
	if (!with_handlers)
		return;
	once_more();
	drop(&first, kept, 99);
	say();
}

static __attribute__((destructor(102))) void
before_the_last(void)
{
	if (with_handlers)
		once_more();
}

static void
handlers(void)
{
	with_handlers = true;
	for (int i = 0; i < 50; i++) {
		atexit(once_more);
		on_exit(once_more_with_status, &kept);
	}
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {
		{ "cancelled", cancelled },
		{ "at-any-time", at_any_time },
		{ "main-leaves", main_leaves },
		{ "exits", exits },
		{ "leaves", leaves },
		{ "keys", with_keys },
		{ "handlers", handlers },
	};

	idle = argc == 3;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (argc > 1 && strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run();
			return 0;
		}
	return 2;
}
