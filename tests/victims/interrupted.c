/*
 * interrupted.c - a signal comes at any moment, and its handler allocates
 *
 * usage: LD_PRELOAD=bump.so interrupted
 *
 * With an allocator that can bear it (bump.c) the only one whom the handler
 * may disturb is a profiler.  Main program and handler have an account each.
 */
#include <signal.h>
#include <sys/time.h>

#include "account.h"

#define ROUNDS 400000

static struct account main_account;
static struct account handler_account;
static void *volatile held;

static void
handle(int signal)
{
	int error = errno;
	void *brief;

	(void)signal;
	if (held != NULL) {
		account_free(&handler_account, held, 100);
		free(held);
	}
	held = account_alloc(&handler_account, malloc(100), 100);
	brief = account_alloc(&handler_account, calloc(2, 100), 200);
	account_free(&handler_account, brief, 200);
	free(brief);
	errno = error;
}

/* At different depths, so that there are stacks to be walked and kept. */
static __attribute__((noinline)) void
round_of(int i, int depth)
{
	void *block;

	if (depth > 0) {
		round_of(i, depth - 1);
		__asm__ volatile("" ::: "memory"); /* no tail call */
		return;
	}
	block = account_alloc(&main_account, malloc((size_t)i % 500),
	    (size_t)i % 500);
	account_free(&main_account, block, (size_t)i % 500);
	if (i % 3 != 0) {
		free(block);
		return;
	}
	account_alloc(&main_account, realloc(block, 700), 700);
}

int
main(void)
{
	const struct itimerval often = {
		.it_interval.tv_usec = 50, .it_value.tv_usec = 50,
	};
	const struct itimerval never = { .it_value.tv_usec = 0 };
	struct sigaction action = { .sa_handler = handle,
		.sa_flags = SA_RESTART };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (int i = 0; i < ROUNDS; i++)
		round_of(i, i % 20);
	setitimer(ITIMER_REAL, &never, NULL);
	account_say("interruptions", handler_account.allocations / 2);
	account_add(&main_account, &handler_account);
	account_print(&main_account);
	return 0;
}
