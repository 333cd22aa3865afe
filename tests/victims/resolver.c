/*
 * resolver.c - a library that allocates before anybody's constructor has run
 *
 * Its function is chosen by an IFUNC resolver, which the dynamic linker calls
 * while it is still relocating, libraries in front of this one not yet; and
 * the resolver allocates.  So does its constructor.  Linked or preloaded.
 */
#include <stdlib.h>
#include <string.h>

int resolver_chosen(void);
unsigned resolver_sum(void);

static char *early[4];
static char *late;

static int
one(void)
{
	return 1;
}

static __attribute__((used)) int (*choose(void))(void)
{
	early[0] = malloc(100);
	early[1] = calloc(10, 10);
	early[2] = malloc(200);
	early[3] = malloc(10);
	if (early[0] != NULL && early[1] != NULL && early[2] != NULL) {
		memset(early[0], 1, 100);
		memset(early[2], 2, 200);
		free(early[2]);
		early[2] = realloc(NULL, 20);
		early[2] = realloc(early[2], 2000);
	}
	return one;
}

/* Known in here alone, so it is chosen while this library is relocated. */
static int chosen(void) __attribute__((ifunc("choose")));

int
resolver_chosen(void)
{
	return chosen();
}

__attribute__((constructor)) static void
start(void)
{
	late = malloc(300);
	if (late != NULL)
		memset(late, 3, 300);
}

/* The blocks hold what they were filled with, and can grow and go. */
unsigned
resolver_sum(void)
{
	unsigned sum = 0;

	early[0] = realloc(early[0], 1000);
	for (int i = 0; i < 100; i++)
		sum += (unsigned)(early[0][i] + early[1][i] + late[i]);
	for (int i = 0; i < 4; i++)
		free(early[i]);
	free(late);
	return sum;
}
