/*
 * small-stacks.c - how much stack a call of the family takes, and where little
 * is left
 *
 * usage: small-stacks measure MODULE | live | exit-in-handler |
 *        exit-in-fiber | exec-in-handler
 *
 * measure: in a thread, prints how deep each call went below its caller; the
 * first of all calls, those that are the first of their kind (in a module, at
 * a depth, of a size), and the same again.  MODULE is one that has forward().
 * The stack below is painted before, and what is not paint afterwards was
 * used.
 *
 * live: allocates with 4 KiB left of the smallest stack that a thread may
 * have, in a handler with 4 KiB of its own, and on a fiber of 4 KiB.
 *
 * exit-in-handler, exit-in-fiber: leaves by exit(3) from there.
 * exec-in-handler: becomes `sh`, by way of PATH, with status 4.
 */
#include <dlfcn.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

#define PAINTED (64 * 1024)
#define PAINT   0x5a

static void *block;

/* --- measure -------------------------------------------------------------- */

static void
first_malloc(void)
{
	block = malloc(100);
}

static void
first_free(void)
{
	free(block);
}

static void
calloc_and_free(void)
{
	block = calloc(3, 50);
	free(block);
}

static void
realloc_and_free(void)
{
	block = realloc(malloc(10), 3000);
	free(block);
}

static void
aligned_and_free(void)
{
	if (posix_memalign(&block, 256, 1000) == 0)
		free(block);
}

static void
large_and_free(void)
{
	block = malloc(10000000);
	free(block);
}

static void *(*forward)(void *(*)(size_t), size_t);

static void
in_a_new_module(void)
{
	block = forward(malloc, 100);
	free(block);
}

/* Many sizes: new tables for the records; many addresses: new regions. */
static void
of_many_sizes(void)
{
	static void *all[400];

	for (size_t i = 0; i < 400; i++)
		all[i] = malloc(16 + i * i);
	for (size_t i = 0; i < 400; i++)
		free(all[i]);
}

/* A new return address each time, and a table that grows: ever new stacks. */
static __attribute__((noinline)) void
deeper(int n)
{
	if (n > 0)
		deeper(n - 1);
	else
		block = malloc(8);
	__asm__ volatile("" ::: "memory");
	if (n == 0)
		free(block);
}

static __attribute__((noinline)) void
paint(void)
{
	volatile unsigned char area[PAINTED];

	for (size_t i = 0; i < PAINTED; i++)
		area[i] = PAINT;
	(void)area[0];
}

/* The same frame as paint() had, so what it painted is here. */
static __attribute__((noinline)) size_t
look(void)
{
	volatile unsigned char area[PAINTED];
	size_t i;

	__asm__ volatile("" :: "r"(area) : "memory");
	for (i = 0; i < PAINTED && area[i] == PAINT; i++)
		;
	return PAINTED - i;
}

/* Less than a page below the caller is always used: by look() itself. */
static __attribute__((noinline)) void
measure(const char *name, void (*call)(void))
{
	char line[80];
	size_t used;
	int n;

	paint();
	call();
	used = look();
	n = snprintf(line, sizeof(line), "%s %zu\n", name, used);
	if (write(1, line, (size_t)n) != n)
		abort();
}

static void
at_many_depths(void)
{
	deeper(0);
}

static void *
measure_all(void *unused)
{
	static const struct {
		const char *name;
		void (*call)(void);
	} calls[] = {
		{ "malloc", first_malloc },
		{ "free", first_free },
		{ "calloc", calloc_and_free },
		{ "realloc", realloc_and_free },
		{ "posix_memalign", aligned_and_free },
		{ "large", large_and_free },
		{ "module", in_a_new_module },
		{ "sizes", of_many_sizes },
		{ "depth", at_many_depths },
	};

	for (int round = 0; round < 2; round++)
		for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
			char name[40];

			snprintf(name, sizeof(name), "%s-%s",
			    round == 0 ? "first" : "again", calls[i].name);
			measure(name, calls[i].call);
		}
	return unused;
}

/* --- live ----------------------------------------------------------------- */

static void
allocate(void)
{
	void *kept[10];

	for (size_t i = 0; i < 10; i++)
		kept[i] = malloc(1000 * i);
	for (size_t i = 0; i < 10; i++)
		free(kept[i]);
}

static __attribute__((noinline)) void
go_down(const char *lowest)
{
	volatile char here[64];

	here[0] = 0;
	if ((const char *)here > lowest + 4096 + 256)
		go_down(lowest);
	else
		allocate();
	here[1] = 0;
}

static void *
at_the_bottom(void *lowest)
{
	go_down(lowest);
	return NULL;
}

static void
in_a_small_thread(void)
{
	size_t bytes = (size_t)sysconf(_SC_THREAD_STACK_MIN);
	pthread_attr_t attributes;
	pthread_t thread;
	char *map;

	map = mmap(NULL, bytes + 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(map, 4096, PROT_NONE);
	pthread_attr_init(&attributes);
	pthread_attr_setstack(&attributes, map + 4096, bytes);
	if (pthread_create(&thread, &attributes, at_the_bottom, map + 4096) !=
	    0)
		abort();
	pthread_join(thread, NULL);
	puts("a small thread");
}

static void (*what)(void) = allocate;

static void
leave(void)
{
	exit(3);
}

static void
become_another(void)
{
	execlp("sh", "sh", "-c", "exit 4", (char *)NULL);
	_exit(5);
}

static void
handle(int signal)
{
	(void)signal;
	what();
}

static void
in_a_small_handler(void)
{
	struct sigaction action = { .sa_handler = handle,
		.sa_flags = SA_ONSTACK };
	size_t least = getauxval(AT_MINSIGSTKSZ);
	size_t bytes = (least > 0 ? least : (size_t)MINSIGSTKSZ) + 4096;
	char *map = mmap(NULL, 32 * 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t stack = { .ss_sp = map + 4096, .ss_size = bytes };

	mprotect(map, 4096, PROT_NONE);
	if (sigaltstack(&stack, NULL) != 0)
		abort();
	sigaction(SIGUSR1, &action, NULL);
	raise(SIGUSR1);
	puts("a small handler");
}

static ucontext_t back, there;

static void
in_a_small_fiber(void)
{
	char *map = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(map, 4096, PROT_NONE);
	getcontext(&there);
	there.uc_stack.ss_sp = map + 4096;
	there.uc_stack.ss_size = 4096;
	there.uc_link = &back;
	makecontext(&there, what, 0);
	swapcontext(&back, &there);
	puts("a small fiber");
}

int
main(int argc, char **argv)
{
	pthread_t thread;
	void *module;

	setvbuf(stdout, NULL, _IONBF, 0);
	if (argc == 2 && strcmp(argv[1], "live") == 0) {
		in_a_small_thread();
		in_a_small_handler();
		in_a_small_fiber();
		return 0;
	}
	if (argc == 2) {
		what = strncmp(argv[1], "exec", 4) == 0 ? become_another :
		    leave;
		if (strstr(argv[1], "fiber") != NULL)
			in_a_small_fiber();
		in_a_small_handler();
		return 2;
	}
	module = argc == 3 ? dlopen(argv[2], RTLD_NOW) : NULL;
	if (module == NULL)
		return 2;
	*(void **)&forward = dlsym(module, "forward");
	if (forward == NULL ||
	    pthread_create(&thread, NULL, measure_all, NULL) != 0)
		return 2;
	pthread_join(thread, NULL);
	return 0;
}
