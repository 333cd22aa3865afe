/*
 * breeder.c - threads that allocate without end, and children all the while
 *
 * usage: breeder THREADS FILE
 *
 * Until FILE exists; then prints the account of all threads.  That of each
 * child goes to the file account.PID, and to account.PID.2, .3 ... if the kernel
 * has given the number before; what it has inherited it leaves alone.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>

#include "account.h"

#define THREADS_MOST 64
#define HELD         512

struct worker {
	struct account account;
	uint32_t random;
	struct block {
		void *start;
		size_t bytes;
	} held[HELD];
};

static struct worker workers[THREADS_MOST];
static _Atomic int enough;

static __attribute__((noinline)) void *
take(struct account *a, size_t bytes)
{
	return account_alloc(a, malloc(bytes), bytes);
}

static __attribute__((noinline)) void *
take_zeroed(struct account *a, size_t bytes)
{
	return account_alloc(a, calloc(1, bytes), bytes);
}

/* One block comes, and the one before in its place goes. */
static void
step(struct worker *w)
{
	uint32_t r = account_random(&w->random);
	struct block *b = &w->held[r % HELD];

	if (b->start != NULL) {
		account_free(&w->account, b->start, b->bytes);
		free(b->start);
	}
	b->bytes = r % 999 == 0 ? 200000 : 1 + r % 3000;
	b->start = r % 2 ? take(&w->account, b->bytes) :
	    take_zeroed(&w->account, b->bytes);
}

static void *
work(void *context)
{
	struct timespec pause = { 0, 1000 };
	struct worker *w = context;

	for (uint64_t n = 1; !atomic_load(&enough); n++) {
		step(w);
		if (n % 100 == 0) /* two processors are all there are */
			nanosleep(&pause, NULL);
	}
	return NULL;
}

static int
open_account(void)
{
	char name[32];
	int n, fd;

	snprintf(name, sizeof(name), "account.%d", getpid());
	for (n = 2; ; n++) {
		fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
		if (fd >= 0 || errno != EEXIST)
			return fd;
		snprintf(name, sizeof(name), "account.%d.%d", getpid(), n);
	}
}

static _Noreturn void
be_child(void)
{
	static struct worker w; /* the parent's is never used */
	struct timespec pause = { 0, 1000000 };

	w.random = (uint32_t)getpid();
	for (int i = 0; i < 3000; i++) {
		step(&w);
		if (i % 30 == 0)
			nanosleep(&pause, NULL);
	}
	if (close(1) != 0 || open_account() != 1)
		abort();
	account_say("allocations", w.account.allocations);
	account_say("frees", w.account.frees);
	account_say("allocated_bytes", w.account.allocated);
	_exit(0);
}

int
main(int argc, char **argv)
{
	static struct account all;
	struct timespec pause = { 0, 50000000 };
	pthread_t thread[THREADS_MOST];
	int threads = argc == 3 ? atoi(argv[1]) : 0;
	int status = 0;

	if (threads < 1 || threads > THREADS_MOST)
		return 2;
	atomic_store(&enough, access(argv[2], F_OK) == 0);
	for (int i = 0; i < threads; i++) {
		workers[i].random = (uint32_t)i + 1;
		if (pthread_create(&thread[i], NULL, work, &workers[i]) != 0)
			return 1;
	}
	while (access(argv[2], F_OK) != 0) {
		pid_t pid = fork();

		if (pid == 0)
			be_child();
		nanosleep(&pause, NULL);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0)
			return 1;
	}
	atomic_store(&enough, 1);
	for (int i = 0; i < threads; i++) {
		pthread_join(thread[i], NULL);
		account_add(&all, &workers[i].account);
	}
	account_print(&all);
	return 0;
}
