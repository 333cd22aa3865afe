/*
 * micro.c - programs that do nothing but allocate, each in one way
 *
 * usage: micro KIND COUNT
 *
 *   pairs      malloc and free at once, 16 to 512 bytes
 *   churn      one of 100,000 live blocks at random is freed and made anew
 *   few-D      a pair below D frames, reached on 16 paths in turn
 *   many-D     the same on paths drawn from 2^16
 *   threads    two threads, each with pairs and a small churn of its own
 *   handover   one thread allocates, another frees what it is handed
 *
 * COUNT is of allocations.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEEP(p) __asm__ volatile("" : "+r"(p) :: "memory")

static uint32_t
next(uint32_t *random)
{
	*random = *random * 1664525 + 1013904223;
	return *random >> 8;
}

static void
pair(size_t bytes)
{
	char *p = malloc(bytes);

	KEEP(p);
	free(p);
}

static void
pairs(uint64_t count)
{
	uint32_t random = 1;

	while (count-- > 0)
		pair(16 + next(&random) % 497);
}

static void
churn(uint64_t count, size_t live)
{
	void **block = calloc(live, sizeof(*block));
	uint32_t random = 1;

	while (count-- > 0) {
		void **at = &block[next(&random) % live];

		free(*at);
		*at = malloc(16 + next(&random) % 497);
	}
	for (size_t i = 0; i < live; i++)
		free(block[i]);
	free(block);
}

/* --- deep stacks ------------------------------------------------------------ */

/* At each level one of two places calls on, by a bit of @path. */
static __attribute__((noinline, optimize("O1"))) void
descend(int depth, uint32_t path)
{
	if (depth <= 1)
		pair(16 + path % 64);
	else if (path & 1)
		descend(depth - 1, path >> 1 | path << 31);
	else
		descend(depth - 1, path >> 1 | path << 31);
	__asm__ volatile("" ::: "memory");
}

static void
deep(uint64_t count, int depth, uint32_t paths)
{
	uint32_t random = 1;
	uint64_t i;

	for (i = 0; i < count; i++)
		descend(depth, paths == 16 ? (uint32_t)(i % 16) * 0x11111111 :
		    next(&random) % paths * 0x10001);
}

/* --- threads ---------------------------------------------------------------- */

static void *
worker(void *count)
{
	uint64_t n = (uintptr_t)count;

	pairs(n / 2);
	churn(n / 2, 10000);
	return NULL;
}

#define RING 1024

static struct {
	_Atomic(void *) slot[RING];
} ring;

static void *
consume(void *count)
{
	uint64_t n = (uintptr_t)count;
	uint64_t i;
	void *p;

	for (i = 0; i < n; i++) {
		_Atomic(void *) *slot = &ring.slot[i % RING];

		while ((p = atomic_exchange(slot, NULL)) == NULL)
			;
		free(p);
	}
	return NULL;
}

static void *
produce(void *count)
{
	uint64_t n = (uintptr_t)count;
	uint32_t random = 1;
	uint64_t i;

	for (i = 0; i < n; i++) {
		_Atomic(void *) *slot = &ring.slot[i % RING];
		void *p = malloc(16 + next(&random) % 497);

		while (atomic_load(slot) != NULL)
			;
		atomic_store(slot, p);
	}
	return NULL;
}

static void
two(void *(*first)(void *), void *(*second)(void *), uint64_t count)
{
	pthread_t thread[2];

	if (pthread_create(&thread[0], NULL, first, (void *)count) != 0 ||
	    pthread_create(&thread[1], NULL, second, (void *)count) != 0)
		exit(1);
	pthread_join(thread[0], NULL);
	pthread_join(thread[1], NULL);
}

int
main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	uint64_t count = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	int depth;

	if (count == 0)
		goto usage;
	if (strcmp(kind, "pairs") == 0)
		pairs(count);
	else if (strcmp(kind, "churn") == 0)
		churn(count, 100000);
	else if (sscanf(kind, "few-%d", &depth) == 1)
		deep(count, depth, 16);
	else if (sscanf(kind, "many-%d", &depth) == 1)
		deep(count, depth, 1 << 16);
	else if (strcmp(kind, "threads") == 0)
		two(worker, worker, count / 2);
	else if (strcmp(kind, "handover") == 0)
		two(produce, consume, count);
	else
		goto usage;
	return 0;
usage:
	fprintf(stderr, "usage: micro KIND COUNT, see micro.c\n");
	return 2;
}
