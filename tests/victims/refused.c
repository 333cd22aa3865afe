/*
 * refused.c - all that makes the library ask the kernel for something
 *
 * usage: refused
 *
 * One after another, so that every run asks the same: starts, allocates from
 * many places and in many sizes, maps and unmaps, loads a library, makes
 * threads that stand on small and large stacks, forks (a child that allocates
 * and one that does not), and ends.  It says what it found at each step, and
 * at the end its account; all of it is the same whatever heaptide met with.
 */
#include "account.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define KEPT    400
#define PATHS   350 /* 2000 nodes, 300 sites: tables grow once and twice */
#define REGIONS 3
#define RANGES  250 /* twice as many rows: more than the table begins with */

static struct account account;

static void
must(int good, const char *step)
{
	printf("%s: %s\n", step, good && errno == 0 ? "good" : "bad");
	errno = 0;
}

/* --- growth of every table -------------------------------------------------- */

#define PLACES 4
#include "places.h"

PLACE(0) PLACE(1) PLACE(2) PLACE(3)

static place *const places[] = { place_0, place_1, place_2, place_3 };

static void
allocate(int blocks, size_t most)
{
	static void *kept[KEPT];
	static size_t bytes[KEPT];
	uint32_t random = 1;
	int i;

	for (i = 0; i < blocks; i++) {
		uint32_t k = account_random(&random) % KEPT;
		uint32_t path = account_random(&random) % PATHS;
		uint32_t shift = account_random(&random) % 12;

		if (kept[k] != NULL) {
			account_free(&account, kept[k], bytes[k]);
			free(kept[k]);
		}
		bytes[k] = 1 + (account_random(&random) % most >> shift);
		path |= path << 12; /* which has no part with any other */
		kept[k] = account_alloc(&account, places[path % PLACES](bytes[k],
		    path / PLACES), bytes[k]);
	}
	for (i = 0; i < KEPT; i++) {
		if (kept[i] != NULL) {
			account_free(&account, kept[i], bytes[i]);
			free(kept[i]);
		}
		kept[i] = NULL;
	}
}

/* Heaps that lie far apart, or the ledger has a region for them already. */
static void
allocate_apart(void)
{
	void *block[REGIONS];
	size_t bytes = 200 * 1000;
	int i;

	for (i = 0; i < REGIONS; i++) {
		mmap(NULL, 8 << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
		block[i] = account_alloc(&account, malloc(bytes), bytes);
	}
	for (i = 0; i < REGIONS; i++) {
		account_free(&account, block[i], bytes);
		free(block[i]);
	}
}

/* Now and then a page is unmapped out of the middle: one range becomes two. */
static void
map(void)
{
	char *at[RANGES];
	int good = 1;
	size_t i;

	for (i = 0; i < RANGES; i++) {
		at[i] = mmap(NULL, 3 * 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | (i % 2 ? MAP_SHARED : 0), -1,
		    0);
		if (at[i] == MAP_FAILED)
			at[i] = mmap(NULL, 3 * 4096, PROT_READ,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		good &= munmap(at[i] + 4096, 4096) == 0;
	}
	for (i = 0; i < RANGES; i++)
		good &= munmap(at[i], 3 * 4096) == 0;
	errno = 0;
	must(good, "mappings");
}

/* --- threads, children, libraries ------------------------------------------- */

static __attribute__((noinline)) void
allocate_deep(int depth)
{
	volatile char frame[3000];

	frame[0] = (char)depth;
	if (depth > 0)
		allocate_deep(depth - 1);
	else
		allocate(20, 300);
	frame[1] = frame[0];
}

static void *
run_thread(void *depth)
{
	allocate_deep((int)(intptr_t)depth);
	return NULL;
}

static void
make_threads(void)
{
	pthread_attr_t small;
	pthread_t thread;
	int good = 1;
	intptr_t i;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
	for (i = 0; i < 4; i++) {
		good &= pthread_create(&thread, i == 0 ? &small : NULL,
		    run_thread, (void *)(i * 10)) == 0;
		good &= pthread_join(thread, NULL) == 0;
	}
	pthread_attr_destroy(&small);
	must(good, "threads");
}

static void
fork_child(int allocates)
{
	int status = -1;
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child == 0) {
		if (allocates)
			allocate(200, 5000);
		_exit(allocates ? 21 : 22);
	}
	must(waitpid(child, &status, 0) == child &&
	    status == (allocates ? 21 : 22) << 8, "child");
}

static void
load_library(void)
{
	void *library = dlopen("libm.so.6", RTLD_NOW);
	double (*cosine)(double) = NULL;

	if (library != NULL)
		*(void **)&cosine = dlsym(library, "cos");
	must(cosine != NULL && cosine(0) == 1, "library");
	if (library != NULL)
		dlclose(library);
	errno = 0;
}

int
main(void)
{
	static char buffer[BUFSIZ];

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	errno = 0;
	allocate(3000, 40000);
	must(1, "start");
	allocate_apart();
	must(1, "regions");
	map();
	load_library();
	allocate_deep(100);
	make_threads();
	fork_child(1);
	fork_child(0);
	allocate(100, 1000);
	must(1, "end");
	fflush(stdout);
	account_print(&account);
	return 5;
}
