/*
 * sizeless.c - an allocator without malloc_usable_size, of blocks that nothing
 * may be read in front of
 *
 * usage: LD_PRELOAD=sizeless.so, behind heaptide
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096

/* A block has pages of its own; its size stands at their very end. */
static size_t
room_of(size_t bytes)
{
	return (bytes + sizeof(size_t) + PAGE - 1) / PAGE * PAGE;
}

void *
malloc(size_t bytes)
{
	size_t room = room_of(bytes);
	char *fence = mmap(NULL, room + PAGE, PROT_NONE, MAP_PRIVATE |
	    MAP_ANONYMOUS, -1, 0);

	if (fence == MAP_FAILED || mprotect(fence + PAGE, room, PROT_READ |
	    PROT_WRITE) != 0) {
		errno = ENOMEM;
		return NULL;
	}
	return fence + PAGE;
}

void
free(void *block)
{
	(void)block;
}

void *
calloc(size_t n, size_t bytes)
{
	return malloc(n * bytes);
}

void *
realloc(void *block, size_t bytes)
{
	char *fresh = malloc(bytes);
	size_t i;

	/* The old size is not known; the old pages end at a fence. */
	for (i = 0; block != NULL && fresh != NULL && i < bytes &&
	    (i % PAGE != 0 || i == 0); i++)
		fresh[i] = ((char *)block)[i];
	return fresh;
}

int
posix_memalign(void **to, size_t alignment, size_t bytes)
{
	(void)alignment;
	*to = malloc(bytes);
	return *to == NULL ? ENOMEM : 0;
}

void *
aligned_alloc(size_t alignment, size_t bytes)
{
	(void)alignment;
	return malloc(bytes);
}

void *
memalign(size_t alignment, size_t bytes)
{
	(void)alignment;
	return malloc(bytes);
}
