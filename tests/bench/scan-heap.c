/*
 * scan-heap.c - a heap of so many MiB to be scanned: a table of lists, trees
 * and buffers, each block somewhere among all others
 *
 * scan-heap MIB BLOCK: blocks of BLOCK bytes on average; then it waits, and
 * allocates a little now and then, until there is a file `enough`.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct node {
	struct node *left, *right;
	uint64_t content[];
};

static struct node **table;
static size_t entries;
static uint64_t state = 42;

static uint64_t
draw(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

int
main(int argc, char **argv)
{
	size_t whole = (argc > 1 ? strtoul(argv[1], NULL, 10) : 64) << 20;
	size_t block = argc > 2 ? strtoul(argv[2], NULL, 10) : 128;
	size_t used = 0, i;

	entries = whole / block / 8 + 1;
	table = calloc(entries, sizeof(table[0]));
	if (table == NULL)
		return 1;
	for (i = 0; used < whole; i++) {
		size_t bytes = sizeof(struct node) + draw() % (2 * block -
		    sizeof(struct node));
		struct node *n = malloc(bytes);
		size_t a = draw() % entries, b = draw() % entries;

		if (n == NULL)
			return 1;
		memset(n, (int)i, bytes);
		n->left = table[a];
		n->right = table[b];
		table[draw() % 2 ? a : b] = n;
		used += bytes;
	}
	printf("%zu blocks\n", i);
	fflush(stdout);
	while (access("enough", F_OK) != 0) {
		free(malloc(2 << 20));
		usleep(10000);
	}
	return 0;
}
