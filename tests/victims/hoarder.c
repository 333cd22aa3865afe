/*
 * hoarder SECONDS [forgetful] - a program that knows nothing of epochs
 *
 * It leaks, fills a cache, works and frees, and gives all but the leak back
 * before it ends; if it is forgetful, all but a tenth of it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SLOTS = 64 };

static char *volatile lost;
static char *cache[SLOTS];

static __attribute__((noinline)) void
leak_here(void)
{
	lost = malloc(1000);
	memset((char *)lost, 1, 1000);
}

static __attribute__((noinline)) void
cache_put(unsigned key)
{
	free(cache[key % SLOTS]);
	cache[key % SLOTS] = malloc(5000);
	memset(cache[key % SLOTS], 2, 5000);
}

static __attribute__((noinline)) void
work_on(unsigned n)
{
	char *volatile p = malloc(100 + n % 50 * 1000);

	free(p);
}

/* It grows as long as the program runs, and is given back when that ends. */
struct item {
	struct item *next;
	char bytes[200];
};

static struct item *items;

static __attribute__((noinline)) void
collect(void)
{
	struct item *i = malloc(sizeof(*i));

	i->next = items;
	items = i;
}

static double
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
	const struct timespec pause = { 0, 1000000 };
	double end = now() + (argc > 1 ? atof(argv[1]) : 3);
	unsigned n;

	for (n = 0; now() < end; n++) {
		leak_here();
		cache_put(n);
		work_on(n);
		collect();
		nanosleep(&pause, NULL);
	}
	for (n = 0; items != NULL; n++) {
		struct item *i = items;

		items = i->next;
		if (argc < 3 || n % 10 != 0)
			free(i);
	}
	for (n = 0; n < SLOTS; n++)
		free(cache[n]);
	puts("done");
	return 0;
}
