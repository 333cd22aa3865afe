/*
 * epochs [THREADS] [EPOCHS] - a keeper's account of how old what it holds is
 *
 * In each epoch each thread makes blocks: some go within it, some one, two or
 * seven epochs later, some never; each kind by a function of its own.  At the
 * end it prints, of each function, how many bytes it holds that are at least so
 * many epochs old: FUNCTION AGE BYTES.
 */
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "heaptide.h"

enum { KINDS = 4, EPOCHS_MOST = 4096, BLOCKS = 20 };

static const int lasts[KINDS] = { 1, 2, 7, EPOCHS_MOST };
static int threads = 1, epochs = 12;
static pthread_barrier_t barrier;

/* By thread, kind, and the epoch that they were made in. */
static void *held[8][KINDS][EPOCHS_MOST][BLOCKS];

#define MAKER(name, bytes) \
	static __attribute__((noinline)) void * \
	name(void) \
	{ \
		void *volatile p = malloc(bytes); \
\
		return p; \
	}

MAKER(lasts_one, 100)
MAKER(lasts_two, 200)
MAKER(lasts_seven, 300)
MAKER(lasts_for_ever, 40)
MAKER(comes_and_goes, 500)

static void *(*const make[KINDS])(void) = {
	lasts_one, lasts_two, lasts_seven, lasts_for_ever
};

static void
do_epoch(int me, int epoch)
{
	int kind, i;

	for (i = 0; i < 1000; i++)
		free(comes_and_goes());
	for (kind = 0; kind < KINDS; kind++) {
		int old = epoch - lasts[kind];

		for (i = 0; i < BLOCKS; i++) {
			held[me][kind][epoch][i] = make[kind]();
			/* What another thread has made. */
			if (old >= 0)
				free(held[(me + 1) % threads][kind][old][i]);
		}
	}
}

/* Plain, nobody is there to hear of it. */
static void
mark(void)
{
	int r = tide_mark("round");

	if (r < 0 && r != -ENODEV)
		exit(3);
}

static void *
work(void *context)
{
	int me = (int)(intptr_t)context;
	int epoch;

	for (epoch = 0; epoch < epochs; epoch++) {
		do_epoch(me, epoch);
		if (pthread_barrier_wait(&barrier) ==
		    PTHREAD_BARRIER_SERIAL_THREAD)
			mark();
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

/* What is live was made in the last epochs; @age 0: in the one that ended. */
static void
account(const char *name, int kind)
{
	size_t block = malloc_usable_size(held[0][kind][epochs - 1][0]);
	int age;

	for (age = 0; age < 10 && age < epochs; age++) {
		int alive = (lasts[kind] < epochs ? lasts[kind] : epochs) - age;

		if (alive > 0)
			printf("%s %d %zu\n", name, age, (size_t)alive *
			    BLOCKS * (size_t)threads * block);
	}
}

int
main(int argc, char **argv)
{
	pthread_t thread[8];
	int i;

	if (argc > 1)
		threads = atoi(argv[1]);
	if (argc > 2)
		epochs = atoi(argv[2]);
	pthread_barrier_init(&barrier, NULL, (unsigned)threads);
	for (i = 1; i < threads; i++)
		pthread_create(&thread[i], NULL, work, (void *)(intptr_t)i);
	work(NULL);
	for (i = 1; i < threads; i++)
		pthread_join(thread[i], NULL);
	account("lasts_one", 0);
	account("lasts_two", 1);
	account("lasts_seven", 2);
	account("lasts_for_ever", 3);
	fflush(stdout);
	_exit(0);
}
