/*
 * wasteful.c - blocks for whose alignment the allocator wastes 256 MiB each
 *
 * Prints how many it got.  Nothing is held at the end.
 */
#include <stdio.h>
#include <stdlib.h>

int
main(void)
{
	int got = 0;
	int i;

	for (i = 0; i < 10; i++) {
		void *block;

		if (posix_memalign(&block, (size_t)256 << 20, 100) == 0) {
			got++;
			free(block);
		}
	}
	printf("%d\n", got);
	return 0;
}
