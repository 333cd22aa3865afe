/*
 * pools.c - a program with arenas and free lists that says what they hand out
 *
 * usage: pools WHAT [swapped]
 *
 * Without heaptide all of it works as well, and prints the same.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "heaptide.h"

#define CELLS 4096

/* A free list of cells of 48 bytes in one block of malloc()'s. */
struct cells {
	struct tide_pool *pool;
	char *memory;
	void *free;
};

static void
fail(const char *what)
{
	fprintf(stderr, "%s\n", what);
	exit(1);
}

static void
cells_open(struct cells *c, const char *name)
{
	size_t i;

	c->pool = tide_pool_create(name);
	c->memory = malloc((size_t)CELLS * 48);
	c->free = NULL;
	for (i = 0; i < CELLS; i++) {
		*(void **)(c->memory + i * 48) = c->free;
		c->free = c->memory + i * 48;
	}
}

static void *
cells_take(struct cells *c)
{
	void *cell = c->free;

	if (cell == NULL)
		fail("no cell is left");
	c->free = *(void **)cell;
	(void)tide_pool_alloc(c->pool, cell, 48);
	__asm__ volatile("" ::: "memory"); /* not a jump */
	return cell;
}

static void
cells_give(struct cells *c, void *cell)
{
	(void)tide_pool_free(c->pool, cell);
	*(void **)cell = c->free;
	c->free = cell;
}

static void
cells_close(struct cells *c)
{
	(void)tide_pool_destroy(c->pool);
	free(c->memory);
}

/* --- what is counted ------------------------------------------------------ */

static int swapped; /* names come in another order */

static __attribute__((noinline)) void
keep_some(struct cells *c, int n)
{
	while (n-- > 0)
		(void)cells_take(c);
}

static __attribute__((noinline)) void
use_some(struct cells *c, int n)
{
	while (n-- > 0)
		cells_give(c, cells_take(c));
}

static void
count(void)
{
	struct cells first, second, gone;

	if (swapped)
		(void)tide_pool_destroy(tide_pool_create("second"));
	cells_open(&first, "first");
	cells_open(&second, "second");
	cells_open(&gone, "gone");
	keep_some(&first, 100);
	use_some(&first, 1000);
	keep_some(&second, 7);
	keep_some(&gone, 500);
	cells_close(&gone);
}

/* One a byte, and one where a block of malloc()'s is. */
static void
odd_addresses(void)
{
	struct tide_pool *pool = tide_pool_create("odd");
	struct tide_pool *other = tide_pool_create("other");
	char *block = malloc(1000);
	int there = pool != NULL;
	int i;

	for (i = 0; i < 1000; i++) {
		if ((tide_pool_alloc(pool, block + i, 1) == 0) != there ||
		    (tide_pool_alloc(other, block + i, 3) == 0) != there)
			fail("not taken");
	}
	if (there && tide_pool_alloc(pool, block, 2) != -EEXIST)
		fail("taken twice");
	for (i = 1; i < 1000; i++)
		if ((tide_pool_free(pool, block + i) == 0) != there)
			fail("not there");
	if (there && (tide_pool_free(pool, block + 5) != -ENOENT ||
	    tide_pool_alloc(pool, NULL, 1) != -EINVAL ||
	    tide_pool_alloc(pool, block, UINT64_MAX) != -EINVAL ||
	    tide_pool_create("") != NULL || tide_pool_create(NULL) != NULL))
		fail("another answer");
	if (tide_pool_alloc(NULL, block, 1) != -ENODEV ||
	    tide_pool_free(NULL, block) != -ENODEV ||
	    tide_pool_destroy(NULL) != -ENODEV)
		fail("no pool, and another answer");
}

/* --- a leak --------------------------------------------------------------- */

static __attribute__((noinline)) void
leak_one(struct cells *c)
{
	(void)cells_take(c);
}

static void
leak(void)
{
	struct cells c;
	int i;

	cells_open(&c, "requests");
	for (i = 0; i < 60; i++) {
		keep_some(&c, i == 0 ? 10 : 0);
		use_some(&c, 50);
		leak_one(&c);
		leak_one(&c);
		(void)tide_mark("batch");
	}
}

/* --- threads, and children ------------------------------------------------ */

#define THREADS 4

/* Each gives back what the one before it took. */
static struct tide_pool *shared;
static char memory[THREADS][5000];
static pthread_barrier_t barrier;

static void *
work(void *number)
{
	size_t own = (size_t)(uintptr_t)number, before = (own + 1) % THREADS;
	int round, i;

	for (round = 0; round < 20; round++) {
		for (i = 0; i < 5000; i++)
			(void)tide_pool_alloc(shared, &memory[own][i], 10);
		pthread_barrier_wait(&barrier);
		for (i = round == 19 ? 1000 : 0; i < 5000; i++)
			(void)tide_pool_free(shared, &memory[before][i]);
		pthread_barrier_wait(&barrier);
	}
	return NULL;
}

static void
threads(void)
{
	pthread_t thread[THREADS];
	uintptr_t i;

	shared = tide_pool_create("shared");
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work, (void *)i);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void
child(void)
{
	struct cells c;
	void *before;
	pid_t pid;

	cells_open(&c, "family");
	before = cells_take(&c);
	keep_some(&c, 9);
	pid = fork();
	if (pid == 0) {
		cells_give(&c, before); /* the parent's */
		keep_some(&c, 3);
		exit(0);
	}
	waitpid(pid, NULL, 0);
}

/* A pool for each request, of many, and more names than are told apart. */
static void
many(void)
{
	char block[64], name[16];
	struct tide_pool *pool;
	int i;

	for (i = 0; i < 100000; i++) {
		pool = tide_pool_create("request");
		(void)tide_pool_alloc(pool, block, 64);
		(void)tide_pool_alloc(pool, block + 1, 63);
		(void)tide_pool_destroy(pool);
	}
	for (i = 0; i < 1100; i++) {
		snprintf(name, sizeof(name), "name %d", i);
		(void)tide_pool_alloc(tide_pool_create(name), block, 1);
	}
}

int
main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} rows[] = {
		{ "count", count }, { "odd", odd_addresses }, { "leak", leak },
		{ "threads", threads }, { "child", child }, { "many", many },
	};
	size_t i;

	swapped = argc > 2;
	for (i = 0; argc > 1 && i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(argv[1], rows[i].name) == 0) {
			rows[i].run();
			puts("done");
			return 0;
		}
	return 2;
}
