/*
 * first-blocks.c - what the first blocks of a program look like: nobody has had
 * them before, so M_PERTURB has set each of their bytes
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

int
main(void)
{
	static const size_t sizes[] = { 1, 24, 25, 40, 100, 500, 1000, 1100 };
	size_t sum = 0;

	(void)mallopt(M_PERTURB, 0x55);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		const volatile unsigned char *block = malloc(sizes[i]);

		if (block == NULL)
			return 1;
		printf("%zu bytes: %02x\n", sizes[i], *block);
	}
	/* How much each gets beyond what was asked hangs on its neighbours. */
	for (size_t i = 0; i < 20000; i++) {
		void *block = malloc(i % 977);

		sum += malloc_usable_size(block);
		if (i % 3 == 0)
			free(block);
	}
	printf("%zu bytes in all\n", sum);
	return 0;
}
