/*
 * bare.c - an allocator that brings less than the whole family
 *
 * usage: LD_PRELOAD=bare.so, alone or behind heaptide
 *
 * malloc, calloc, realloc, free and malloc_usable_size, and with -DALIGNED
 * three that align; none of valloc, pvalloc and reallocarray.  What comes from
 * libc then is freed here, and left alone; asked about it, this ends.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static char heap[96 << 20] __attribute__((aligned(4096)));
static size_t used;

struct head {
	size_t bytes, unused;
};

static int
is_mine(const void *block)
{
	return (const char *)block >= heap &&
	    (const char *)block < heap + sizeof(heap);
}

static void *
take(size_t alignment, size_t bytes)
{
	size_t at = (used + sizeof(struct head) + alignment - 1) &
	    ~(alignment - 1);

	if (bytes > sizeof(heap) || at + bytes > sizeof(heap)) {
		errno = ENOMEM;
		return NULL;
	}
	used = (at + bytes + 15) & ~(size_t)15;
	((struct head *)(heap + at) - 1)->bytes = bytes;
	return heap + at;
}

size_t
malloc_usable_size(void *block)
{
	if (block != NULL && !is_mine(block))
		abort();
	return block != NULL ? ((struct head *)block - 1)->bytes : 0;
}

void *
malloc(size_t bytes)
{
	return take(16, bytes);
}

void
free(void *block)
{
	(void)block;
}

void *
calloc(size_t n, size_t bytes)
{
	if (bytes != 0 && n > sizeof(heap) / bytes) {
		errno = ENOMEM;
		return NULL;
	}
	return take(16, n * bytes); /* no piece is used twice */
}

void *
realloc(void *block, size_t bytes)
{
	void *fresh = take(16, bytes);
	size_t old = is_mine(block) ? malloc_usable_size(block) : 0;

	if (fresh != NULL && block != NULL)
		memcpy(fresh, block, old < bytes ? old : bytes);
	return fresh;
}

#ifdef ALIGNED
int
posix_memalign(void **to, size_t alignment, size_t bytes)
{
	*to = take(alignment, bytes);
	return *to == NULL ? ENOMEM : 0;
}

void *
aligned_alloc(size_t alignment, size_t bytes)
{
	return take(alignment, bytes);
}

void *
memalign(size_t alignment, size_t bytes)
{
	return take(alignment < 16 ? 16 : alignment, bytes);
}
#endif
