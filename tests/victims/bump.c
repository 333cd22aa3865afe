/*
 * bump.c - an allocator that may be called from a signal handler, anywhere
 *
 * usage: LD_PRELOAD=bump.so, behind heaptide
 *
 * glibc's must not be interrupted and called again, so with it a handler
 * that allocates can only be tried at chosen places.  This one hands out the
 * next piece of a large range and never takes any back.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#define ROOM (UINT64_C(8) << 30) /* of addresses; touched is what is used */

static _Atomic uintptr_t next;

struct head {
	size_t bytes, unused;
};

/* Whoever comes first maps; who comes between takes the winner's range. */
static uintptr_t
start(void)
{
	uintptr_t none = 0;
	void *range = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	atomic_compare_exchange_strong(&next, &none, (uintptr_t)range);
	return atomic_load(&next);
}

static void *
take(size_t alignment, size_t bytes)
{
	size_t room = bytes + alignment + sizeof(struct head) + 15;
	struct head *head;
	uintptr_t at;

	if (bytes > ROOM / 4) {
		errno = ENOMEM;
		return NULL;
	}
	if (atomic_load(&next) == 0)
		(void)start();
	at = atomic_fetch_add(&next, room & ~(size_t)15);
	at = (at + sizeof(*head) + alignment - 1) & ~(alignment - 1);
	head = (struct head *)at - 1;
	head->bytes = bytes;
	return (void *)at;
}

size_t
malloc_usable_size(void *block)
{
	return block == NULL ? 0 : ((struct head *)block - 1)->bytes;
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
	if (bytes != 0 && n > ROOM / bytes) {
		errno = ENOMEM;
		return NULL;
	}
	return take(16, n * bytes); /* fresh pages are zero */
}

void *
realloc(void *block, size_t bytes)
{
	size_t old = malloc_usable_size(block);
	void *fresh = take(16, bytes);

	if (fresh != NULL && block != NULL)
		memcpy(fresh, block, old < bytes ? old : bytes);
	return fresh;
}

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

void *
valloc(size_t bytes)
{
	return take(4096, bytes);
}

void *
pvalloc(size_t bytes)
{
	return take(4096, (bytes + 4095) & ~(size_t)4095);
}
