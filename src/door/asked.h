/*
 * asked.h - malloc and free before an allocator that has to be asked for sizes
 *
 * Floor 8 (door).  A part of interpose.c, as it jumps from one to the other:
 * may be used by nobody else.  Contexts: theirs.
 *
 * jemalloc says beforehand what malloc() makes usable (real_made()), any other
 * is asked when it has given the block, and all are when they get it back.
 */
#ifndef DOOR_ASKED_H
#define DOOR_ASKED_H

#include <stddef.h>

#include "base/base.h"
#include "door/boot.h"
#include "door/cooperate-room.h"
#include "door/pool.h"
#include "door/real.h"
#include "door/record.h"
#include "heap/sample.h"
#include "heap/tally.h"
#include "sys/arch.h"

/* The slow path is due; who jumps here returns to who has called malloc(). */
static JUMPED_TO void *
malloc_due(void *block, size_t usable)
{
	return record_due(block, usable, arch_frame_of(ARCH_CALLER()));
}

/* A block whose size is known to the allocator alone. */
static JUMPED_TO void *
malloc_asked(struct tally *t, void *block, size_t size)
{
	size_t usable = max_u64(real.usable_size(block), size);

	if (tally_alloc(t, block, usable))
		return malloc_due(block, usable);
	return block;
}

/* One whose size is not known beforehand. */
static JUMPED_TO void *
malloc_unmade(struct tally *t, size_t size)
{
	void *block = real.malloc(size);

	if (UNLIKELY(block == NULL))
		return cooperate_refused();
	return malloc_asked(t, block, size);
}

/* MODE_ASK and MODE_ASK_SHORT. */
static JUMPED_TO void *
malloc_asking(struct tally *t, size_t size)
{
	size_t usable = real_made(size);
	void *block;

	if (usable == 0)
		return malloc_unmade(t, size);
	block = real.malloc(size);
	if (UNLIKELY(block == NULL))
		return cooperate_refused();
	if (tally_alloc(t, block, usable))
		return malloc_due(block, usable);
	return block;
}

/* This thread's row, if the block is the allocator's and has no record. */
static HOT struct tally *
row_of_asked(const void *block)
{
	struct tally *t = boot_row(boot_page.asks);

	if (t == NULL || UNLIKELY(pool_has(block)))
		return NULL;
	return !boot_page.asks_plain && sample_may_have(block) ? NULL : t;
}

static COLD void
free_and_look(void *block)
{
	record_look();
	real.free(block);
}

static __attribute__((noinline)) void
free_asking(void *block, struct tally *t)
{
	size_t usable = real.usable_size(block);

	if (tally_free(t, block, usable))
		free_and_look(block);
	else
		real.free(block);
}

#endif
