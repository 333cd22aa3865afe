/*
 * errno.c - prints what each function of the family leaves in errno
 *
 * Nothing, as long as it succeeds; what it is when it fails is for the C
 * library to say.  The output must be the same with heaptide as without.
 */
#include <pthread.h>
#include <sys/mman.h>

#include "account.h"

static volatile size_t huge = PTRDIFF_MAX - 4096;
static volatile size_t half = SIZE_MAX / 2 + 1;

static void
say(const char *thread, const char *what)
{
	int found = errno;
	char line[128];
	int n = snprintf(line, sizeof(line), "%s %s %d\n", thread, what,
	    found);

	if (write(1, line, (size_t)n) != n)
		abort();
}

#define TRY(call)				\
	do {					\
		errno = 4711;			\
		call;				\
		say(thread, #call);		\
	} while (0)

static void
fail(const char *thread)
{
	void *p = NULL, *q;
	void *volatile keep = malloc(10); /* no failure frees it */

	TRY(q = malloc(huge));
	TRY(q = calloc(half, 2));
	TRY(q = realloc(keep, huge));
	TRY(q = reallocarray(keep, half, 2));
	TRY(q = aligned_alloc(64, huge));
	TRY(q = memalign(64, huge));
	TRY(q = valloc(huge));
	TRY(q = pvalloc(huge));
	TRY(q = pvalloc(SIZE_MAX - 10 + 0 * huge));
	TRY((void)!posix_memalign(&p, 64, huge));
	TRY((void)!posix_memalign(&p, 3, 8));
	TRY(q = mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
	TRY(munmap((char *)1, 4096));
	TRY(munmap(NULL, 0));
	TRY(q = mremap((char *)4096, 4096, 8192, 0));
	(void)q;
	free(keep);
}

/* The first of its calls is the one on which heaptide meets the thread. */
static void *
try_all(void *name)
{
	const char *thread = name;
	void *p = NULL, *q = NULL;

	TRY(p = malloc(10));
	TRY(free(p));
	TRY(p = calloc(10, 10));
	TRY(p = realloc(p, 1000));
	TRY(p = reallocarray(p, 100, 100));
	TRY(free(p));
	TRY(free(NULL));
	TRY((void)!posix_memalign(&p, 64, 100));
	TRY(free(p));
	TRY(p = aligned_alloc(64, 64));
	TRY(free(p));
	TRY(p = memalign(64, 100));
	TRY(free(p));
	TRY(p = valloc(100));
	TRY(free(p));
	TRY(p = malloc(3 << 20));
	TRY(free(p));
	TRY(p = strdup("words"));
	TRY(free(p));
	TRY(q = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0));
	TRY(q = mremap(q, 8192, 4096, 0));
	TRY(munmap(q, 4096));
	for (int i = 0; i < 5000; i++) {
		errno = 4711;
		p = malloc((size_t)i);
		q = calloc(1, 70000);
		free(p);
		free(q);
		if (errno != 4711)
			say(thread, "one of many");
	}
	fail(thread);
	return NULL;
}

int
main(void)
{
	char first[] = "first", second[] = "second";
	pthread_t thread;

	try_all(first);
	if (pthread_create(&thread, NULL, try_all, second) != 0)
		abort();
	pthread_join(thread, NULL);
	return 0;
}
