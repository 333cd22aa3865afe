/*
 * ranges.c - maps, cuts, moves and overwrites ranges in several threads at once
 *
 * usage: ranges		four threads in one region, blocks of theirs in turn
 *        ranges live		what is looked at while it waits for its input
 *        ranges huge		two huge pages, one given back; status 77: none
 *
 * Prints what it has in the end, by the names of "mapped" in `heaptide report
 * --json`: as it kept account of it, page by page, and as the kernel agrees.
 */
#include <fcntl.h>
#include <linux/mman.h>
#include <pthread.h>
#include <stdbool.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>

#include "account.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

#define PAGE    UINT64_C(4096)
#define BLOCK   16   /* pages, of one thread */
#define BLOCKS  256
#define PAGES   (BLOCK * BLOCKS)
#define THREADS 4
#define STEPS   4000

/* Far below where the kernel puts what has no address of its own. */
#define REGION ((char *)UINT64_C(0x100000000000))

enum kind { NONE, ANONYMOUS, FILES, SHARED, RESERVED, KINDS };

static const char *const names[KINDS] = {
	[ANONYMOUS] = "anonymous", [FILES] = "file", [SHARED] = "shared",
	[RESERVED] = "reserved",
};

static uint8_t pages[PAGES]; /* enum kind; each is one thread's */
static const int both = PROT_READ | PROT_WRITE;
static int file;

static void
must(bool is)
{
	if (!is)
		abort();
}

/* --- one step each -------------------------------------------------------- */

static char *
at(size_t page)
{
	return REGION + page * PAGE;
}

static void
map(size_t page, size_t n, enum kind kind)
{
	static const int flags[KINDS] = {
		[ANONYMOUS] = MAP_PRIVATE | MAP_ANONYMOUS,
		[FILES] = MAP_PRIVATE,
		[SHARED] = MAP_SHARED | MAP_ANONYMOUS,
		[RESERVED] = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
	};

	must(mmap(at(page), n * PAGE, kind == FILES ? PROT_READ : both,
	    flags[kind] | MAP_FIXED, kind == FILES ? file : -1, 0) ==
	    at(page));
	memset(pages + page, kind, n);
}

static void
unmap(size_t page, size_t n)
{
	must(munmap(at(page), n * PAGE) == 0);
	memset(pages + page, NONE, n);
}

/* A whole block of one kind, moved to another block, or a part of it. */
static void
move(size_t from, size_t to, size_t n, size_t grown)
{
	map(from, n, ANONYMOUS);
	must(mremap(at(from), n * PAGE, grown * PAGE,
	    MREMAP_MAYMOVE | MREMAP_FIXED, at(to)) == at(to));
	memset(pages + from, NONE, n);
	memset(pages + to, ANONYMOUS, grown);
}

static void
shrink(size_t page, size_t n, size_t left)
{
	map(page, n, ANONYMOUS);
	must(mremap(at(page), n * PAGE, left * PAGE, 0) == at(page));
	memset(pages + page + left, NONE, n - left);
}

static void
grow_in_place(size_t page, size_t n)
{
	map(page, 1, ANONYMOUS);
	if (n > 1)
		unmap(page + 1, n - 1);
	must(mremap(at(page), PAGE, n * PAGE, 0) == at(page));
	memset(pages + page, ANONYMOUS, n);
}

/* What is shared can be had twice. */
static void
double_it(size_t from, size_t to, size_t n)
{
	map(from, n, SHARED);
	must(mremap(at(from), 0, n * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
	    at(to)) == at(to));
	memset(pages + to, SHARED, n);
}

/* What is moved may leave its place behind, empty but mapped. */
static void
move_and_keep(size_t from, size_t to, size_t n)
{
	map(from, n, ANONYMOUS);
	if (mremap(at(from), n * PAGE, n * PAGE, MREMAP_MAYMOVE |
	    MREMAP_FIXED | MREMAP_DONTUNMAP, at(to)) != at(to))
		map(to, n, ANONYMOUS); /* before Linux 5.7 */
	memset(pages + to, ANONYMOUS, n);
}

/* Refused, each by its own rule; nothing changes. */
static void
fail(size_t page, size_t n)
{
	static volatile size_t most = SIZE_MAX;
	size_t huge = most - 2 * PAGE + 1;

	map(page, n, ANONYMOUS);
	must(mmap(at(page), n * PAGE, both, MAP_PRIVATE | MAP_ANONYMOUS |
	    MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
	must(mmap(at(page), n * PAGE, both, MAP_PRIVATE | MAP_FIXED, -1, 0) ==
	    MAP_FAILED && errno == EBADF);
	must(munmap(at(page) + 1, PAGE) == -1 && errno == EINVAL);
	must(munmap(at(page), 0) == -1 && errno == EINVAL);
	must(munmap(at(page) + PAGE, huge) == -1 && errno == EINVAL);
	must(munmap(at(page) + PAGE, most) == -1 && errno == EINVAL);
	must(mremap(at(page) + 1, PAGE, 2 * PAGE, MREMAP_MAYMOVE) ==
	    MAP_FAILED && errno == EINVAL);
	must(mremap(at(page), n * PAGE, 0, MREMAP_MAYMOVE) == MAP_FAILED &&
	    errno == EINVAL);
	must(mremap(at(page), n * PAGE, huge, MREMAP_MAYMOVE) ==
	    MAP_FAILED);
}

/* --- several threads ------------------------------------------------------ */

/* A page of one of this thread's blocks, and how many follow it there. */
static size_t
any_page(uint32_t *seed, size_t thread, size_t *n)
{
	size_t block = account_random(seed) % (BLOCKS / THREADS);
	size_t page = account_random(seed) % BLOCK;

	*n = 1 + account_random(seed) % (BLOCK - page);
	return (block * THREADS + thread) * BLOCK + page;
}

/* A whole block that is not the one of @page. */
static size_t
other_block(uint32_t *seed, size_t page)
{
	size_t block = page / BLOCK;
	size_t away = 1 + account_random(seed) % (BLOCKS / THREADS - 1);

	return (block + away * THREADS) % BLOCKS * BLOCK;
}

static void
step(uint32_t *seed, size_t thread)
{
	size_t n;
	size_t page = any_page(seed, thread, &n);
	size_t to = other_block(seed, page);
	size_t grown = 1 + account_random(seed) % BLOCK;

	switch (account_random(seed) % 12) {
	case 0: unmap(page, n); break;
	case 1: unmap(page, 1); break;
	case 2: move(page, to, n, grown); break;
	case 3: shrink(page, n, 1 + grown % n); break;
	case 4: grow_in_place(page, n); break;
	case 5: double_it(page, to, n); break;
	case 6: move_and_keep(page, to, n); break;
	case 7: fail(page, n); break;
	default:
		map(page, n, 1 + account_random(seed) % (KINDS - 1));
		if (pages[page] == ANONYMOUS) {
			*at(page) = 1;
			must(madvise(at(page), PAGE, MADV_DONTNEED) == 0);
		}
	}
}

static void *
work(void *argument)
{
	size_t thread = (uintptr_t)argument;
	uint32_t seed = (uint32_t)thread;

	for (int i = 0; i < STEPS; i++)
		step(&seed, thread);
	return NULL;
}

/* Does the kernel say the same of each page of the region? */
static void
compare_with_maps(void)
{
	static bool mapped[PAGES];
	FILE *f = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[4096];

	must(f != NULL);
	while (fgets(line, sizeof(line), f) != NULL) {
		must(sscanf(line, "%lx-%lx", &start, &end) == 2);
		for (char *p = (char *)start; p < (char *)end; p += PAGE) {
			if (p >= REGION + PAGES * PAGE)
				break;
			if (p >= REGION)
				mapped[(size_t)(p - REGION) / PAGE] = true;
		}
	}
	fclose(f);
	for (size_t i = 0; i < PAGES; i++)
		must(mapped[i] == (pages[i] != NONE));
}

static void
say(void)
{
	for (int kind = 1; kind < KINDS; kind++) {
		uint64_t n = 0;

		for (size_t i = 0; i < PAGES; i++)
			n += pages[i] == kind;
		account_say(names[kind], n * PAGE);
	}
}

static void
at_once(void)
{
	pthread_t thread[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		must(pthread_create(&thread[i], NULL, work, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	compare_with_maps();
	say();
}

/* --- looked at from outside ----------------------------------------------- */

#define MEGABYTES(n) ((size_t)(n) << 20)

static char *
fresh(size_t bytes, int flags)
{
	char *p = mmap(NULL, bytes, both, MAP_PRIVATE | MAP_ANONYMOUS | flags,
	    -1, 0);

	must(p != MAP_FAILED);
	return p;
}

/* A range that the kernel makes longer by itself. */
static void
grow_down(void)
{
	char *p = fresh(MEGABYTES(4), 0) + MEGABYTES(4);

	must(munmap(p - MEGABYTES(4), MEGABYTES(4)) == 0);
	must(mmap(p - PAGE, PAGE, both, MAP_PRIVATE | MAP_ANONYMOUS |
	    MAP_GROWSDOWN | MAP_FIXED, -1, 0) == p - PAGE);
	for (int i = 1; i <= 20; i++)
		*(volatile char *)(p - i * (intptr_t)PAGE) = 1;
}

static int
huge(void)
{
	char *p = mmap(NULL, MEGABYTES(4), both, MAP_PRIVATE | MAP_ANONYMOUS |
	    MAP_HUGETLB | 21 << MAP_HUGE_SHIFT, -1, 0);

	if (p == MAP_FAILED)
		return 77;
	memset(p, 1, MEGABYTES(4));
	must(munmap(p, PAGE) == -1 && errno == EINVAL); /* not a whole one */
	must(munmap(p, MEGABYTES(2)) == 0);
	account_say("anonymous", MEGABYTES(2));
	return 0;
}

static void
live(void)
{
	int id = shmget(IPC_PRIVATE, MEGABYTES(10), 0600);
	char *raw, *given_back, *segment, *block;
	char go;

	grow_down();
	fresh(MEGABYTES(1) << 20, MAP_NORESERVE); /* a terabyte */
	memset(fresh(MEGABYTES(3), 0), 1, MEGABYTES(3));
	given_back = fresh(MEGABYTES(32), 0);
	memset(given_back, 1, MEGABYTES(32));
	must(madvise(given_back, MEGABYTES(32), MADV_DONTNEED) == 0);
	/* Where our mmap() is not asked. */
	raw = (char *)syscall(SYS_mmap, NULL, MEGABYTES(20), both,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	must(raw != MAP_FAILED);
	memset(raw, 1, MEGABYTES(20));
	segment = shmat(id, NULL, 0);
	must(segment != (char *)-1);
	must(shmctl(id, IPC_RMID, NULL) == 0); /* goes with its last user */
	memset(segment, 1, MEGABYTES(10));
	/* A mapping of malloc's own. */
	block = malloc(MEGABYTES(15));
	must(block != NULL);
	memset(block, 1, MEGABYTES(15));
	must(write(1, "ready\n", 6) == 6 && read(0, &go, 1) >= 0);
	must(shmdt(segment) == 0);
}

int
main(int argc, char **argv)
{
	file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	must(file >= 0);
	if (argc == 2 && strcmp(argv[1], "live") == 0)
		live();
	else if (argc == 2 && strcmp(argv[1], "huge") == 0)
		return huge();
	else
		at_once();
	return 0;
}
