/*
 * turned.c - threads that allocate without end, and free each other's blocks
 *
 * usage: turned THREADS FILE
 *
 * Until FILE exists; then prints the account of all threads.  Blocks are
 * handed over through slots, so most are freed by another thread than they are
 * from; some are large, and the heap grows slowly.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

#include "account.h"

#define THREADS_MOST 64
#define SLOTS        4096

struct block {
	size_t bytes;
};

static _Atomic(struct block *) slot[SLOTS];
static struct account accounts[THREADS_MOST];
static _Atomic int enough;

static struct block *
make(struct account *a, size_t bytes)
{
	struct block *b = account_alloc(a, malloc(bytes), bytes);

	b->bytes = bytes;
	return b;
}

static void
drop(struct account *a, struct block *b)
{
	if (b == NULL)
		return;
	account_free(a, b, b->bytes);
	free(b);
}

static __attribute__((noinline)) struct block *
grow(struct account *a, struct block *b, size_t bytes)
{
	account_free(a, b, b->bytes);
	b = account_alloc(a, realloc(b, bytes), bytes);
	b->bytes = bytes;
	return b;
}

static __attribute__((noinline)) void
leak(struct account *a)
{
	(void)make(a, 100);
}

static void *
work(void *context)
{
	struct account *a = context;
	uint32_t random = (uint32_t)(a - accounts) + 1;
	struct timespec pause = { 0, 1000 };
	uint64_t n = 0;

	while (!atomic_load(&enough)) {
		uint32_t r = account_random(&random);
		size_t bytes = r % 1000 == 0 ? 300000 : 16 + r % 2000;
		struct block *b = make(a, bytes);

		if (r % 7 == 0)
			b = grow(a, b, bytes + 500);
		drop(a, atomic_exchange(&slot[r % SLOTS], b));
		if (n++ % 1000 == 0)
			leak(a);
		if (n % 100 == 0) /* two processors are all there are */
			nanosleep(&pause, NULL);
	}
	return NULL;
}

int
main(int argc, char **argv)
{
	static struct account all;
	pthread_t thread[THREADS_MOST];
	struct timespec pause = { 0, 5000000 };
	int threads = argc == 3 ? atoi(argv[1]) : 0;
	int i;

	if (threads < 1 || threads > THREADS_MOST)
		return 2;
	atomic_store(&enough, access(argv[2], F_OK) == 0);
	for (i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, work, &accounts[i]) != 0)
			return 1;
	while (access(argv[2], F_OK) != 0)
		nanosleep(&pause, NULL);
	atomic_store(&enough, 1);
	for (i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		account_add(&all, &accounts[i]);
	}
	account_print(&all);
	return 0;
}
