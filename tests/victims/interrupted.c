/*
 * interrupted.c - a signal comes at any moment, and its handler allocates
 *
 * usage: LD_PRELOAD=bump.so interrupted MODE ROUNDS
 *
 * With an allocator that can bear it (bump.c) the only one whom the handler
 * may disturb is a profiler.  Who is interrupted and who interrupts have an
 * account each.
 *
 *   here       in the first thread, on its own stack
 *   elsewhere  in another thread; the handler has a stack of its own, which
 *              lies above the one that it interrupts
 *   threads    in four threads at once
 *   leaving    the handler allocates, and does not return but jumps out
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/time.h>

#include "account.h"

static int rounds; /* 0: nothing is allocated, by this program */

static __thread struct account main_account;
static __thread struct account handler_account;
static __thread void *volatile held;
static __thread volatile int ready; /* this thread may be interrupted */

/* So many interruptions there must be, in all threads, before all is over. */
#define LEAST 200
static _Atomic int interruptions;

static void
handle(int signal)
{
	int error = errno;
	void *brief;

	(void)signal;
	if (!ready)
		return;
	if (held != NULL) {
		account_free(&handler_account, held, 100);
		free(held);
	}
	held = account_alloc(&handler_account, malloc(100), 100);
	interruptions++;
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

static struct account sum, sum_of_handlers;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *
go_round(void *unused)
{
	ready = rounds > 0;
	for (int i = 0; ready && (i < rounds || interruptions < LEAST); i++)
		round_of(i, i % 20);
	ready = 0;
	pthread_mutex_lock(&lock);
	account_add(&sum, &main_account);
	account_add(&sum_of_handlers, &handler_account);
	pthread_mutex_unlock(&lock);
	return unused;
}

static void
often(void (*handler)(int), int flags)
{
	const struct itimerval often = {
		.it_interval.tv_usec = 50, .it_value.tv_usec = 50,
	};
	struct sigaction action = { .sa_handler = handler,
		.sa_flags = SA_RESTART | flags };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
}

static void
no_more(void)
{
	const struct itimerval never = { .it_value.tv_usec = 0 };

	setitimer(ITIMER_REAL, &never, NULL);
}

static void
here(void)
{
	often(handle, 0);
	go_round(NULL);
	no_more();
}

static void
run(pthread_t *thread, void *(*function)(void *), void *argument)
{
	if (pthread_create(thread, NULL, function, argument) != 0)
		abort();
}

/* The signals reach whoever has not blocked them: not this thread. */
static void
be_deaf(void)
{
	sigset_t alarms;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarms, NULL);
}

static void
listen(void)
{
	sigset_t alarms;

	sigemptyset(&alarms);
	sigaddset(&alarms, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &alarms, NULL);
}

static void *
go_round_with_a_stack_for_handlers(void *place)
{
	const stack_t stack = { .ss_sp = place, .ss_size = 64 * 1024 };

	if (sigaltstack(&stack, NULL) != 0)
		abort();
	listen();
	return go_round(NULL);
}

static void
elsewhere(void)
{
	char place[64 * 1024] __attribute__((aligned(64)));
	pthread_t thread;

	be_deaf();
	often(handle, SA_ONSTACK);
	run(&thread, go_round_with_a_stack_for_handlers, place);
	pthread_join(thread, NULL);
	no_more();
}

static void *
go_round_listening(void *unused)
{
	listen();
	return go_round(unused);
}

static void
threads(void)
{
	pthread_t thread[4];

	be_deaf();
	often(handle, 0);
	for (int i = 0; i < 4; i++)
		run(&thread[i], go_round_listening, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	no_more();
}

static sigjmp_buf out;

static void
jump_out(int signal)
{
	if (!ready)
		return;
	ready = 0;
	handle(signal);
	held = malloc(10);
	siglongjmp(out, 1);
}

static __attribute__((noinline)) void
afterwards(void)
{
	for (int i = 0; i < 1000; i++)
		account_alloc(&handler_account, malloc(77), 77);
}

/*
 * What was left in the middle may be counted or not, so there is no account
 * of it; but all is well for who comes afterwards.
 */
static void
leaving(void)
{
	volatile int jumps = 0;

	often(jump_out, 0);
	if (sigsetjmp(out, 1) != 0)
		jumps++;
	if (jumps < rounds) {
		ready = 1;
		for (int i = 0;; i++)
			held = realloc(held, (size_t)i % 500 + 1);
	}
	no_more();
	afterwards();
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {
		{ "here", here },
		{ "elsewhere", elsewhere },
		{ "threads", threads },
		{ "leaving", leaving },
	};

	rounds = argc == 3 ? atoi(argv[2]) : 0;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (argc == 3 && strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run();
			account_say("in_handlers", sum_of_handlers.allocations);
			account_say("outside", sum.allocations);
			account_add(&sum, &sum_of_handlers);
			account_print(&sum);
			return 0;
		}
	return 2;
}
