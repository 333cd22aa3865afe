/*
 * early-threads.c - a library that starts threads before main() and before
 * other libraries are ready, and ends them after it
 *
 * usage: LD_PRELOAD=early-threads.so EARLY=FILE PROGRAM
 *
 * The threads allocate and free all the while.  Their account goes to FILE
 * when the library's destructor has stopped them; with IDLE set, they do
 * nothing.
 */
#include <fcntl.h>
#include <pthread.h>

#include "account.h"

#define THREADS 4
#define LEAST   2000 /* rounds, also where the program is over at once */

static struct worker {
	pthread_t thread;
	struct account account;
	void *block[50];
} workers[THREADS];

static volatile int stop;

static void *
work(void *argument)
{
	struct worker *w = argument;

	for (size_t i = 0; i < LEAST || !stop; i++) {
		void **block = &w->block[i % 50];

		if (*block != NULL) {
			account_free(&w->account, *block, i % 50 * 30);
			free(*block);
		}
		*block = account_alloc(&w->account, malloc(i % 50 * 30),
		    i % 50 * 30);
	}
	return NULL;
}

static void *
do_nothing(void *unused)
{
	return unused;
}

static __attribute__((constructor)) void
start(void)
{
	void *(*f)(void *) = getenv("IDLE") != NULL ? do_nothing : work;

	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&workers[i].thread, NULL, f,
		    &workers[i]) != 0)
			abort();
}

static __attribute__((destructor)) void
end(void)
{
	struct account sum = { 0 };
	int fd = open(getenv("EARLY"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	stop = 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(workers[i].thread, NULL);
		account_add(&sum, &workers[i].account);
	}
	if (fd < 0 || dup2(fd, 1) < 0)
		abort();
	account_print(&sum);
}
