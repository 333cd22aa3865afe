/*
 * endings.c - holds 60 blocks of 1000 bytes, and ends in the way it is told
 *
 * usage: endings MODE
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCKS 100
#define HELD   60

static char *self;
static void *block[BLOCKS];

static void
hold(void)
{
	for (int i = 0; i < BLOCKS; i++)
		block[i] = malloc(1000);
	for (int i = HELD; i < BLOCKS; i++)
		free(block[i]);
}

static void
by_return(void)
{
}

static void
by_exit(void)
{
	exit(3);
}

static void
by_quick_exit(void)
{
	quick_exit(5);
}

static void
by_underscore_exit(void)
{
	_exit(4);
}

/* The address is in a variable, or the compiler would see the disease. */
static void
by_segfault(void)
{
	static volatile int *volatile nowhere;

	*nowhere = 1;
}

static void
by_kill(void)
{
	kill(getpid(), SIGKILL);
}

/* A child runs our exit handlers in our memory, and we go on. */
static void
in_vfork(void)
{
	if (vfork() == 0)
		exit(3);
	by_kill();
}

static void
by_term(void)
{
	raise(SIGTERM);
}

/* In its next life it holds its blocks again, once. */
static void
by_exec(void)
{
	char exit_mode[] = "exit";
	char *arguments[] = { self, exit_mode, NULL };

	execv(self, arguments);
}

static void *
exec_here(void *unused)
{
	by_exec();
	return unused;
}

static void
by_exec_in_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exec_here, NULL);
	for (;;)
		pause();
}

static int late; /* 1: a destructor has work to do, 2: and it ends us */

/* After main(), after every atexit(): a third of the blocks goes and comes. */
__attribute__((destructor)) static void
destroy(void)
{
	for (int i = 0; late != 0 && i < HELD / 3; i++) {
		free(block[i]);
		block[i] = NULL;
	}
	for (int i = 0; late != 0 && i < HELD / 3; i++)
		block[i] = malloc(1000);
	if (late == 2)
		_exit(9);
}

static void
by_destructor(void)
{
	late = 1;
}

static void
in_destructor(void)
{
	late = 2;
	exit(1);
}

static void *
exit_here(void *unused)
{
	(void)unused;
	exit(6);
}

static void
by_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, exit_here, NULL);
	for (;;)
		pause();
}

static void *
outlive(void *unused)
{
	usleep(20000);
	return unused;
}

static void
by_last_thread(void)
{
	pthread_t thread;

	pthread_create(&thread, NULL, outlive, NULL);
	pthread_exit(NULL);
}

static void *
allocate_and_end(void *unused)
{
	block[0] = malloc(20);
	_exit(4);
	return unused;
}

/* A thread comes long after the process, which ends before it has looked. */
static void
by_late_thread(void)
{
	pthread_t thread;

	usleep(50000);
	pthread_create(&thread, NULL, allocate_and_end, NULL);
	for (;;)
		pause();
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*end)(void);
	} modes[] = {
		{ "return", by_return },
		{ "exit", by_exit },
		{ "quick_exit", by_quick_exit },
		{ "_exit", by_underscore_exit },
		{ "abort", abort },
		{ "segfault", by_segfault },
		{ "kill", by_kill },
		{ "in-vfork", in_vfork },
		{ "term", by_term },
		{ "exec", by_exec },
		{ "exec-in-thread", by_exec_in_thread },
		{ "destructor", by_destructor },
		{ "in-destructor", in_destructor },
		{ "thread", by_thread },
		{ "last-thread", by_last_thread },
		{ "late-thread", by_late_thread },
	};

	self = argv[0];
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (argc == 2 && strcmp(argv[1], modes[i].name) == 0) {
			hold();
			modes[i].end();
			return 0;
		}
	return 2;
}
