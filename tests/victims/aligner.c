/*
 * aligner.c - asks for aligned blocks in every way, and for odd ones
 *
 * usage: aligner [idle]
 */
#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int failed;

static void
use(const char *what, void *block, size_t alignment, size_t bytes)
{
	if (block == NULL || (uintptr_t)block % alignment != 0) {
		fprintf(stderr, "%s: %p\n", what, block);
		failed = 1;
		return;
	}
	memset(block, 1, bytes);
	free(block);
}

int
main(int argc, char **argv)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *block = NULL;

	if (argc > 1 && strcmp(argv[1], "idle") == 0)
		return 0;
	use("valloc", valloc(100), page, 100);
	use("pvalloc", pvalloc(page + 1), page, 2 * page);
	use("memalign", memalign(64, 100), 64, 100);
	use("aligned_alloc", aligned_alloc(256, 256), 256, 256);
	if (posix_memalign(&block, 32, 50) != 0)
		return 3;
	use("posix_memalign", block, 32, 50);
	use("reallocarray", reallocarray(NULL, 10, 20), 16, 200);
	return failed;
}
