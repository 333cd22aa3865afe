/*
 * plugin.c - a library that allocates, for `binder` to open
 *
 * Built with -DOWN_MALLOC it has a malloc of its own as well.
 */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

void *plugin_take(size_t bytes);
void plugin_give(void *block);
unsigned plugin_work(unsigned times);

#ifdef OWN_MALLOC
static char heap[1 << 20] __attribute__((aligned(16)));
static size_t used;

void *
malloc(size_t bytes)
{
	size_t at = used;

	used += (bytes + 15) & ~(size_t)15;
	return used <= sizeof(heap) ? heap + at : NULL;
}

void
free(void *block)
{
	(void)block;
}
#endif

void *
plugin_take(size_t bytes)
{
	return malloc(bytes);
}

void
plugin_give(void *block)
{
	free(block);
}

/* Blocks that nobody else ever sees; two in three go back. */
unsigned
plugin_work(unsigned times)
{
	unsigned char *block;
	unsigned sum = 0;

	for (unsigned i = 0; i < times; i++) {
		block = malloc(100 + i);
		if (block == NULL)
			abort();
		memset(block, (int)i, 100);
		sum += block[99];
		if (i % 3 != 0)
			free(block);
	}
	return sum;
}
