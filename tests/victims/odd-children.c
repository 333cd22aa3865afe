/*
 * odd-children.c - children that are not made as libc's fork() makes them
 *
 * usage: odd-children clone | _Fork | small-stack | busy | threads
 *
 * Each child allocates 1000 blocks of 10 000 bytes and leaves; the parent
 * allocates and frees 10 000 of 50 meanwhile.  small-stack forks in a thread
 * with the least stack there may be; busy, while other threads allocate from
 * ever new places.  threads: the first to allocate in a child are three at
 * once, as a thread needs no memory that an earlier one has left.
 */
#include <limits.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static void *volatile kept;

static void
allocate(int blocks, size_t bytes)
{
	while (blocks-- > 0)
		kept = malloc(bytes);
}

static void
allocate_and_free(int blocks, size_t bytes)
{
	while (blocks-- > 0) {
		kept = malloc(bytes);
		free(kept);
	}
}

static void
be_parent_of(pid_t child)
{
	int status;

	if (child == 0) {
		allocate(1000, 10000);
		_exit(7);
	}
	allocate_and_free(10000, 50);
	if (waitpid(child, &status, 0) != child)
		abort();
	printf("child: %d\n", status);
}

static void *
fork_here(void *context)
{
	be_parent_of(fork());
	return context;
}

static void
fork_on_a_small_stack(void)
{
	pthread_attr_t attributes;
	pthread_t thread;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, PTHREAD_STACK_MIN);
	if (pthread_create(&thread, &attributes, fork_here, NULL) != 0)
		abort();
	pthread_join(thread, NULL);
}

#if defined(__x86_64__)
/*
 * Places that nobody has seen before: copies of
 *	push %rbp; mov %rsp, %rbp; movabs $malloc, %rax; call *%rax; pop %rbp; ret
 */
static const unsigned char stub[32] = {
	0x55, 0x48, 0x89, 0xe5, 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0,
	0xff, 0xd0, 0x5d, 0xc3
};
#define STUBS 100000

static unsigned char *stubs;
static volatile int stop;

static void *
call_stub(unsigned n)
{
	void *(*f)(size_t);
	void *at = stubs + n % STUBS * sizeof(stub);

	memcpy(&f, &at, sizeof(f));
	return f(32);
}

static void *
allocate_everywhere(void *context)
{
	unsigned random = (unsigned)(size_t)context;

	while (!stop) {
		random = random * 1664525 + 1013904223;
		free(call_stub(random >> 8));
	}
	return NULL;
}

static void
fork_among_busy_threads(void)
{
	void *(*f)(size_t) = malloc;
	pthread_t thread[3];
	size_t i;
	int bad = 0;

	stubs = mmap(NULL, STUBS * sizeof(stub), PROT_READ | PROT_WRITE |
	    PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < STUBS; i++) {
		memcpy(stubs + i * sizeof(stub), stub, sizeof(stub));
		memcpy(stubs + i * sizeof(stub) + 6, &f, sizeof(f));
	}
	for (i = 0; i < 3; i++)
		pthread_create(&thread[i], NULL, allocate_everywhere,
		    (void *)(i + 1));
	for (i = 0; i < 50; i++) {
		pid_t child = fork();
		int status;

		if (child == 0) {
			alarm(20);
			for (unsigned n = 0; n < 20; n++)
				free(call_stub((unsigned)i * 1000 + n));
			_exit(0);
		}
		waitpid(child, &status, 0);
		bad += status != 0;
	}
	stop = 1;
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	printf("bad: %d\n", bad);
}
#else
static void
fork_among_busy_threads(void)
{
	puts("bad: 0");
}
#endif

static volatile int started;

static void *
allocate_at_once(void *context)
{
	void *block[100];
	int i;

	if (context == NULL)
		return NULL;
	__atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
	while (started < 3)
		;
	for (i = 0; i < 100; i++)
		block[i] = malloc(100);
	for (i = 0; i < 100; i++)
		free(block[i]);
	return NULL;
}

static void
run_three(void *context)
{
	pthread_t thread[3];
	int i;

	for (i = 0; i < 3; i++)
		if (pthread_create(&thread[i], NULL, allocate_at_once,
		    context) != 0)
			abort();
	for (i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
}

static void
fork_for_threads(void)
{
	int bad = 0;
	int i;

	for (i = 0; i < 40; i++) {
		int status;

		run_three(NULL);
		if (fork() == 0) {
			run_three((void *)1);
			_exit(0);
		}
		wait(&status);
		bad += status != 0;
	}
	printf("bad: %d\n", bad);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";

	if (strcmp(how, "clone") == 0)
		be_parent_of((pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	else if (strcmp(how, "_Fork") == 0)
		be_parent_of(_Fork());
	else if (strcmp(how, "small-stack") == 0)
		fork_on_a_small_stack();
	else if (strcmp(how, "busy") == 0)
		fork_among_busy_threads();
	else if (strcmp(how, "threads") == 0)
		fork_for_threads();
	else
		return 2;
	return 0;
}
