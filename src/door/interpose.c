/*
 * interpose.c - malloc and its family, as the program calls them
 *
 * Floor 8 (door).  Follow one malloc: the hot road is the allocator's own
 * call and a few adds in this thread's tally.  A thread that we have not met,
 * a process that is not counted, and blocks of our pool take the cold road,
 * the functions named *_aside.
 *
 * Arguments go to the allocator untouched, and so do its refusals: an
 * alignment or a size that it takes is none of our business.
 */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "door/asked.h"
#include "door/boot.h"
#include "door/cooperate-room.h"
#include "door/kind.h"
#include "door/pool.h"
#include "door/real.h"
#include "door/record.h"
#include "heap/tally.h"
#include "sys/arch.h"

/* Is this call one for the cold road?  It may meet the thread on the way. */
#define ASIDE(entry) \
	(UNLIKELY(!boot_counts()) && \
	((entry) = boot_enter()) != ENTRY_COUNT)

/* --- the cold road --- */

static void *
counted_aside(enum entry entry, void *block, size_t requested)
{
	if (entry == ENTRY_SHARED && block != NULL)
		record_shared_alloc(block, requested,
		    real_held(block, requested));
	return block;
}

static COLD void *
malloc_aside(enum entry entry, size_t size)
{
	if (entry == ENTRY_POOL)
		return pool_take(size, 16);
	return counted_aside(entry, real.malloc(size), size);
}

static COLD void *
calloc_aside(enum entry entry, size_t n, size_t size)
{
	size_t bytes;

	if (entry != ENTRY_POOL)
		return counted_aside(entry, real.calloc(n, size), n * size);
	if (__builtin_mul_overflow(n, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return pool_take(bytes, 16); /* zero: no piece is used twice */
}

/* True: the block was ours, or nobody counts; it has been dealt with. */
static COLD bool
free_aside(void *block)
{
	enum entry entry = ENTRY_COUNT;

	if (pool_has(block))
		return true; /* what came from the pool stays there */
	if (!ASIDE(entry))
		return false;
	if (entry == ENTRY_SHARED)
		record_shared_free(block, real_usable(block));
	if (entry != ENTRY_POOL)
		real.free(block);
	return true;
}

/* Without libc, which may not be there yet; no pattern that is a memcpy(). */
static COLD void
copy(char *to, const char *from, size_t bytes)
{
	while (bytes-- > 0) {
		*to++ = *from++;
		__asm__ volatile("" ::: "memory");
	}
}

/* realloc() of a pool's piece, or in a thread or a process aside. */
static COLD void *
realloc_aside(enum entry entry, void *block, size_t size)
{
	size_t usable;
	void *fresh;

	if (entry == ENTRY_POOL && (block == NULL || pool_has(block))) {
		fresh = pool_take(size, 16);
		if (fresh != NULL && block != NULL)
			copy(fresh, block, min_u64(size, pool_size(block)));
		return fresh;
	}
	if (entry == ENTRY_POOL || pool_has(block)) {
		fresh = malloc(size);
		if (fresh != NULL && block != NULL)
			memcpy(fresh, block, min_u64(size, pool_has(block) ?
			    pool_size(block) : real_usable(block)));
		return fresh;
	}
	if (entry == ENTRY_PASS)
		return real.realloc(block, size);
	if (block == NULL)
		return malloc_aside(entry, size);
	/* First out, or another thread may have the address by then. */
	usable = real_usable(block);
	record_shared_free(block, usable);
	fresh = real.realloc(block, size);
	if (fresh == NULL && size != 0) {
		record_shared_alloc(block, usable, usable); /* it stays */
		return NULL;
	}
	return counted_aside(entry, fresh, size);
}

/* --- the family --- */

/*
 * malloc() and free() have roads of their own for the mode that is meant to be
 * left on: all that is rare is a call away, so that nothing is kept for it.
 * The calls are jumps (JUMPED_TO), no frame of ours remains: malloc_long()
 * returns to where malloc() would.
 */

static JUMPED_TO void *
malloc_long(size_t size)
{
	enum entry entry;

	if (ASIDE(entry))
		return malloc_aside(entry, size);
	return record_made(real.malloc(size), size, ARCH_CALLER());
}

/* From MODE_DRAWN on: glibc's, which tells its size. */
static HOT void *
malloc_short(struct tally *t, void *block)
{
	size_t usable;
	size_t head;

	if (UNLIKELY(block == NULL))
		return cooperate_refused();
	head = real_head(block);
	if (real_is_mapped(head))
		return malloc_asked(t, block, 0);
	usable = real_size(head);
	if (tally_alloc(t, block, usable))
		return malloc_due(block, usable);
	return block;
}

EXPORT void *
malloc(size_t size)
{
	struct tally *t = boot_row(boot_page.drawn);

	if (LIKELY(t != NULL))
		return malloc_short(t, real.malloc(size));
	t = boot_row(boot_page.asks);
	if (t != NULL)
		return malloc_asking(t, size);
	return malloc_long(size);
}

/* True: the block is nobody's any more; else it is forgotten, and still there. */
static HOT bool
is_gone(void *block, uint64_t pc)
{
	if (UNLIKELY(!boot_counts() || pool_has(block)) && free_aside(block))
		return true;
	record_gone(block, pc);
	return false;
}

static HOT void
free_counted(void *block, struct tally *t, size_t usable)
{
	if (tally_free(t, block, usable))
		free_and_look(block);
	else
		real.free(block);
}

static __attribute__((noinline)) void
free_long(void *block, uint64_t pc)
{
	if (!is_gone(block, pc))
		real.free(block);
}

/* A piece of the pool comes by here as well: in its head, bit 1 is set. */
static HOT void
free_short(void *block, struct tally *t)
{
	size_t head = real_head(block);

	if (real_is_mapped(head))
		free_long(block, ARCH_RETURNS_TO());
	else
		free_counted(block, t, real_size(head));
}

/* This thread's row, if @block has a size before it and there is no record. */
static HOT struct tally *
row_of_short(const void *block)
{
	struct tally *t = boot_row(boot_page.plain);

	if (t != NULL)
		return t;
	t = boot_row(boot_page.drawn);
	return t != NULL && !sample_may_have(block) ? t : NULL;
}

/* Blocks stay in the register that they come in. */
EXPORT void
free(void *block)
{
	struct tally *t = row_of_short(block);

	if (UNLIKELY(block == NULL))
		return;
	if (LIKELY(t != NULL)) {
		free_short(block, t);
		return;
	}
	t = row_of_asked(block);
	if (t != NULL)
		free_asking(block, t);
	else
		free_long(block, ARCH_RETURNS_TO());
}

static JUMPED_TO void *
calloc_long(size_t n, size_t size)
{
	enum entry entry;

	if (ASIDE(entry))
		return calloc_aside(entry, n, size);
	/* The product cannot overflow where the allocator succeeds. */
	return record_made(real.calloc(n, size), n * size, ARCH_CALLER());
}

EXPORT void *
calloc(size_t n, size_t size)
{
	struct tally *t = boot_row(boot_page.drawn);

	if (UNLIKELY(t == NULL))
		return calloc_long(n, size);
	return malloc_short(t, real.calloc(n, size));
}

/*
 * The record goes before the allocator may give the address to another
 * thread, and comes back if the block stays.  NULL for a size of 0 is taken
 * as a free, which it is with every allocator that answers so.
 */
static inline void *
reallocated(void *block, size_t size, struct arch_caller caller)
{
	struct taken taken = {
		.pc = arch_frame_of(caller).pc,
		.usable = real_usable(block),
	};
	void *fresh;

	record_take(block, size, &taken);
	fresh = real.realloc(block, size);
	if (UNLIKELY(fresh == NULL && size != 0)) {
		int error = errno;

		record_put_back(block, &taken);
		errno = error;
		return cooperate_refused();
	}
	record_taken_free(block, &taken, fresh != NULL);
	return record_new(fresh, size, caller);
}

static JUMPED_TO void *
realloc_long(void *block, size_t size)
{
	enum entry entry = ENTRY_COUNT;

	if (ASIDE(entry) || UNLIKELY(pool_has(block)))
		return realloc_aside(entry, block, size);
	if (block == NULL)
		return record_new(real.malloc(size), size,
		    ARCH_CALLER());
	return reallocated(block, size, ARCH_CALLER());
}

/* As free_short() does: a piece of the pool looks mapped. */
EXPORT void *
realloc(void *block, size_t size)
{
	struct tally *t = row_of_short(block);
	size_t usable;
	void *fresh;

	if (UNLIKELY(t == NULL || block == NULL) ||
	    real_is_mapped(real_head(block)))
		return realloc_long(block, size);
	usable = real_size(real_head(block));
	fresh = real.realloc(block, size);
	if (LIKELY(fresh != NULL || size == 0))
		(void)tally_free(t, block, usable);
	return malloc_short(t, fresh);
}

/*
 * By the public name, as libc does it: it may be a realloc() of the program's
 * own that its blocks are from.  The call is a jump, no frame of ours remains.
 */
EXPORT void *
reallocarray(void *block, size_t n, size_t size)
{
	size_t bytes;

	if (UNLIKELY(__builtin_mul_overflow(n, size, &bytes))) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(block, bytes);
}

EXPORT int
posix_memalign(void **to, size_t alignment, size_t size)
{
	enum entry entry;
	int r;

	if (ASIDE(entry)) {
		if (entry == ENTRY_POOL) {
			*to = pool_take(size, alignment);
			return *to == NULL ? ENOMEM : 0;
		}
		r = real.posix_memalign(to, alignment, size);
		if (r == 0)
			(void)counted_aside(entry, *to, size);
		return r;
	}
	r = real.posix_memalign(to, alignment, size);
	if (r == 0)
		(void)record_new(*to, size, ARCH_CALLER());
	else if (r == ENOMEM)
		(void)cooperate_refused();
	return r;
}

EXPORT void *
aligned_alloc(size_t alignment, size_t size)
{
	enum entry entry;

	if (ASIDE(entry))
		return entry == ENTRY_POOL ? pool_take(size, alignment) :
		    counted_aside(entry, real.aligned_alloc(alignment, size),
		    size);
	return record_new(real.aligned_alloc(alignment, size), size,
	    ARCH_CALLER());
}

EXPORT void *
memalign(size_t alignment, size_t size)
{
	enum entry entry;

	if (ASIDE(entry))
		return entry == ENTRY_POOL ? pool_take(size, alignment) :
		    counted_aside(entry, real.memalign(alignment, size), size);
	return record_new(real.memalign(alignment, size), size,
	    ARCH_CALLER());
}

EXPORT void *
valloc(size_t size)
{
	enum entry entry;

	if (ASIDE(entry))
		return entry == ENTRY_POOL ? pool_take(size, 4096) :
		    counted_aside(entry, real.valloc(size), size);
	return record_new(real.valloc(size), size,
	    ARCH_CALLER());
}

EXPORT void *
pvalloc(size_t size)
{
	enum entry entry;

	if (ASIDE(entry))
		return entry == ENTRY_POOL ? pool_take(size, 4096) :
		    counted_aside(entry, real.pvalloc(size), size);
	return record_new(real.pvalloc(size), size,
	    ARCH_CALLER());
}

/* C23.  The sizes are a hint to the allocator, which may lack the functions. */
void free_sized(void *block, size_t size);
void free_aligned_sized(void *block, size_t alignment, size_t size);

/* Where every block has a record, the size is compared with that. */
static void
note_size(const void *block, size_t size)
{
	if (boot_counts() && boot_now.records)
		kind_note_delete(block, KIND_SIZED, size, 1);
}

EXPORT void
free_sized(void *block, size_t size)
{
	if (block == NULL)
		return;
	note_size(block, size);
	if (is_gone(block, ARCH_RETURNS_TO()))
		return;
	if (real.free_sized != NULL)
		real.free_sized(block, size);
	else
		real.free(block);
}

EXPORT void
free_aligned_sized(void *block, size_t alignment, size_t size)
{
	if (block == NULL)
		return;
	note_size(block, size);
	if (is_gone(block, ARCH_RETURNS_TO()))
		return;
	if (real.free_aligned_sized != NULL)
		real.free_aligned_sized(block, alignment, size);
	else
		real.free(block);
}
