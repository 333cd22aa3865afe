/*
 * crowd.c - more of everything than a profile of this size has room for
 *
 * usage: crowd paths | threads | idle | mappings
 *
 * idle: as many threads, with no call of their own; what is counted then is
 * the C library's share of `threads`.
 *
 * Limits the size of its files, so that the tables of its profile are small,
 * and begins anew.  Prints an account that holds although the tables do not.
 */
#include <pthread.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "account.h"

#define FILE_BYTES (2 << 20)
#define LEVELS     14   /* 16384 paths */
#define THREADS    400
#define MAPPINGS   2000
#define PAGE       4096

static struct account account;

/* --- paths ---------------------------------------------------------------- */

static void
at_leaf(void)
{
	static int n;
	size_t size = 16 + (size_t)(n % 100);
	void *block = account_alloc(&account, malloc(size), size);

	/* Some stay. */
	if (n++ % 16 != 0) {
		account_free(&account, block, size);
		free(block);
	}
}

static void left(unsigned path, int level);
static void right(unsigned path, int level);

static inline void
go_on(unsigned path, int level)
{
	if (level == LEVELS)
		at_leaf();
	else if (path >> level & 1)
		left(path, level + 1);
	else
		right(path, level + 1);
	__asm__ volatile("" ::: "memory"); /* no jump instead of a call */
}

static __attribute__((noinline)) void
left(unsigned path, int level)
{
	go_on(path, level);
}

static __attribute__((noinline)) void
right(unsigned path, int level)
{
	go_on(path, level);
	__asm__ volatile("nop");
}

static void
paths(void)
{
	for (unsigned path = 0; path < 1U << LEVELS; path++)
		go_on(path, 0);
}

/* --- threads -------------------------------------------------------------- */

static pthread_barrier_t all_there;
static bool idle;
static struct account accounts[THREADS];

static void *
work(void *argument)
{
	struct account *a = argument;
	void *kept;

	pthread_barrier_wait(&all_there);
	if (idle)
		return NULL;
	kept = account_alloc(a, malloc(100), 100);
	pthread_barrier_wait(&all_there);
	for (size_t size = 1; size < 300; size += 3) {
		void *block = account_alloc(a, malloc(size), size);

		account_free(a, block, size);
		block = account_alloc(a, realloc(block, size + 40),
		    size + 40);
		account_free(a, block, size + 40);
		free(block);
	}
	return kept; /* the first thread frees it */
}

static void
threads(void)
{
	static pthread_t thread[THREADS];
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 128 * 1024);
	pthread_barrier_init(&all_there, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], &small, work, &accounts[i]) != 0)
			abort();
	for (int i = 0; i < THREADS; i++) {
		void *kept;

		pthread_join(thread[i], &kept);
		account_add(&account, &accounts[i]);
		if (kept == NULL)
			continue;
		account_free(&account, kept, 100);
		free(kept);
	}
}

/* --- mappings ------------------------------------------------------------- */

static void
mappings(void)
{
	char *at = mmap(NULL, (size_t)2 * MAPPINGS * PAGE, PROT_NONE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	for (int i = 0; i < MAPPINGS; i++)
		if (mmap(at + (size_t)2 * i * PAGE, PAGE, PROT_READ,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
		    MAP_FAILED)
			abort();
	if (munmap(at, (size_t)2 * MAPPINGS * PAGE) != 0)
		abort();
}

/* Usable sizes depend on who came first where there are many threads. */
static void
say(const struct account *a)
{
	account_say("allocations", a->allocations);
	account_say("frees", a->frees);
	account_say("requested_bytes", a->requested);
	account_say("live_requested_bytes", a->requested - a->requested_freed);
	account_say("live_blocks", a->allocations - a->frees);
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} modes[] = {
		{ "paths", paths },
		{ "threads", threads },
		{ "idle", threads },
		{ "mappings", mappings },
	};
	struct rlimit limit;

	if (argc != 2)
		return 2;
	idle = strcmp(argv[1], "idle") == 0;
	getrlimit(RLIMIT_FSIZE, &limit);
	if (limit.rlim_cur != FILE_BYTES) {
		limit.rlim_cur = FILE_BYTES;
		setrlimit(RLIMIT_FSIZE, &limit);
		execv("/proc/self/exe", argv);
		return 3;
	}
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++)
		if (strcmp(argv[1], modes[i].name) == 0) {
			modes[i].run();
			say(&account);
			return 0;
		}
	return 2;
}
