/*
 * mapper.c - maps, cuts, moves and overwrites ranges of every kind
 *
 * Prints what it has in the end, by the names of "mapped" in `heaptide report
 * --json`.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "account.h"

#define PAGE 4096

static const int both = PROT_READ | PROT_WRITE;

static char *
must(void *at)
{
	if (at == MAP_FAILED)
		abort();
	return at;
}

static char *
map(size_t pages, int protection, int flags, int fd)
{
	return must(mmap(NULL, pages * PAGE, protection, flags, fd, 0));
}

static void
unmap(char *at, size_t pages)
{
	if (munmap(at, pages * PAGE) != 0)
		abort();
}

/* Ranges are cut at both ends and in the middle, and glued again. */
static size_t
anonymous(int fd)
{
	char *at = map(100, both, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	char *two;

	unmap(at, 10);
	unmap(at + 95 * PAGE, 5);
	unmap(at + 40 * PAGE, 20); /* 30 + 35 are left */
	unmap(at + 38 * PAGE, 24); /* across the gap: 28 + 33 */
	must(mmap(at + 20 * PAGE, 4 * PAGE, PROT_READ,
	    MAP_PRIVATE | MAP_FIXED, fd, 0)); /* a file over 4 of them */
	must(mmap(at + 45 * PAGE, 3 * PAGE, both,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));

	two = map(10, both, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	two = must(mremap(two, 10 * PAGE, 50 * PAGE, MREMAP_MAYMOVE));
	two = must(mremap(two, 50 * PAGE, 30 * PAGE, 0));
	two = must(mremap(two, 30 * PAGE, 30 * PAGE,
	    MREMAP_MAYMOVE | MREMAP_FIXED, at + 62 * PAGE)); /* over 30 */
	unmap(two, 1);
	return 28 + 33 - 4 + 3 - 1;
}

static void
fail(void)
{
	static volatile size_t huge = SIZE_MAX / 2;
	char *at = map(2, both, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	if (mmap(NULL, huge, both, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) !=
	    MAP_FAILED || munmap(at + 1, PAGE) == 0 ||
	    mmap(NULL, PAGE, both, MAP_PRIVATE, -1, 0) != MAP_FAILED ||
	    mremap(at, 2 * PAGE, huge, MREMAP_MAYMOVE) != MAP_FAILED ||
	    /* More than there is; above it lies what was mapped before. */
	    mremap(at, INT32_MAX / PAGE * PAGE, INT32_MAX, MREMAP_MAYMOVE) !=
	    MAP_FAILED)
		abort();
	unmap(at, 2);
}

/* The heap's end, which is malloc's too: nothing is allocated meanwhile. */
static void
move_break(void)
{
	char *before = sbrk(0);

	if (sbrk(5 * PAGE) != before || sbrk(-2 * PAGE) == (void *)-1 ||
	    brk(before + 7 * PAGE) != 0)
		abort();
}

int
main(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	size_t pages = anonymous(fd);

	fail();
	map(3, PROT_READ, MAP_SHARED, fd);
	map(5, both, MAP_SHARED | MAP_ANONYMOUS, -1);
	map(64, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	map(1 << 20, both, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
	move_break();
	account_say("anonymous", pages * PAGE);
	account_say("file", (4 + 3) * PAGE);
	account_say("shared", 5 * PAGE);
	account_say("reserved", (UINT64_C(64) + (1 << 20)) * PAGE);
	account_say("break", 7 * PAGE);
	return 0;
}
