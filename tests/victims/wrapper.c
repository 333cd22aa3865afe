/*
 * wrapper.c - an interposer as many are: it counts, and passes everything on
 *
 * usage: LD_PRELOAD=wrapper.so, before heaptide or behind it
 *
 * What it needs it looks for at the first call, and dlsym() allocates on the
 * way there.  It brings no malloc_usable_size().
 */
#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	void *(*malloc)(size_t);
	void *(*calloc)(size_t, size_t);
	void *(*realloc)(void *, size_t);
	void (*free)(void *);
	int (*posix_memalign)(void **, size_t, size_t);
	void *(*aligned_alloc)(size_t, size_t);
	void *(*memalign)(size_t, size_t);
	volatile int looking; /* the compiler takes dlsym() for a leaf */
	unsigned long calls;
} next;

/* For who allocates while we look; never given back. */
static char few[8192] __attribute__((aligned(16)));
static size_t few_used;

static void *
take_few(size_t bytes)
{
	char *p = few + few_used;

	few_used += (bytes + 15) & ~(size_t)15;
	return few_used <= sizeof(few) ? p : NULL;
}

static int
is_few(const void *p)
{
	return (const char *)p >= few && (const char *)p < few + sizeof(few);
}

static int
look(void)
{
	if (next.free != NULL)
		return 1;
	if (next.looking)
		return 0;
	next.looking = 1;
	*(void **)&next.malloc = dlsym(RTLD_NEXT, "malloc");
	*(void **)&next.calloc = dlsym(RTLD_NEXT, "calloc");
	*(void **)&next.realloc = dlsym(RTLD_NEXT, "realloc");
	*(void **)&next.posix_memalign = dlsym(RTLD_NEXT, "posix_memalign");
	*(void **)&next.aligned_alloc = dlsym(RTLD_NEXT, "aligned_alloc");
	*(void **)&next.memalign = dlsym(RTLD_NEXT, "memalign");
	(void)dlsym(RTLD_NEXT, "no_such_function"); /* an error's text */
	(void)dlerror();
	*(void **)&next.free = dlsym(RTLD_NEXT, "free");
	next.looking = 0;
	return 1;
}

void *
malloc(size_t bytes)
{
	if (!look())
		return take_few(bytes);
	next.calls++;
	return next.malloc(bytes);
}

void *
calloc(size_t n, size_t bytes)
{
	if (!look())
		return take_few(n * bytes);
	next.calls++;
	return next.calloc(n, bytes);
}

void *
realloc(void *block, size_t bytes)
{
	void *fresh;

	if (!look())
		return take_few(bytes);
	if (!is_few(block))
		return next.realloc(block, bytes);
	fresh = next.malloc(bytes);
	if (fresh != NULL)
		memcpy(fresh, block, bytes);
	return fresh;
}

void
free(void *block)
{
	if (block != NULL && !is_few(block) && look())
		next.free(block);
}

int
posix_memalign(void **to, size_t alignment, size_t bytes)
{
	(void)look();
	next.calls++;
	return next.posix_memalign(to, alignment, bytes);
}

void *
aligned_alloc(size_t alignment, size_t bytes)
{
	(void)look();
	next.calls++;
	return next.aligned_alloc(alignment, bytes);
}

void *
memalign(size_t alignment, size_t bytes)
{
	(void)look();
	next.calls++;
	return next.memalign(alignment, bytes);
}
