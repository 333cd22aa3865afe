/*
 * pywatch.h - has a code object of Python's been destroyed?
 *
 * Floor 5 (stack).  May use: base.  Used by: door.
 * Contexts: inside malloc and in signal handlers; any thread.
 *
 * As long as a block is not given back, what lies there is what lay there.
 * So who has compared a code object need not do so again while pywatch_ended()
 * is what it was before that, if the object was put in here and everybody who
 * frees anything asks pywatch_freed() first.
 *
 * It is a set of hashes: at worst another's end is taken for that of one in it.
 */
#ifndef STACK_PYWATCH_H
#define STACK_PYWATCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

#define PYWATCH_BITS 13

/* For the functions below. */
extern struct pywatch_set {
	_Atomic uint64_t word[(1 << PYWATCH_BITS) / 64];
	_Atomic uint32_t ended;
} pywatch_set INSIDE;

/*
 * A number that is another once something in the set may have been freed.  To
 * be asked for before what is put in is looked at.
 */
static HOT uint32_t
pywatch_ended(void)
{
	return atomic_load_explicit(&pywatch_set.ended, memory_order_acquire);
}

/* One more, which is empty: who was in it has to be put in again. */
void pywatch_end(void);

static HOT uint64_t
pywatch_hash(uint64_t address)
{
	return address * UINT64_C(0x9e3779b97f4a7c15) >> (64 - PYWATCH_BITS);
}

static inline void
pywatch_put(uint64_t address)
{
	uint64_t hash = pywatch_hash(address);

	atomic_fetch_or(&pywatch_set.word[hash / 64],
	    UINT64_C(1) << hash % 64);
}

/* @block is about to be given back to the allocator. */
static HOT void
pywatch_freed(const void *block)
{
	uint64_t hash = pywatch_hash((uintptr_t)block);

	if (UNLIKELY((atomic_load_explicit(&pywatch_set.word[hash / 64],
	    memory_order_relaxed) >> hash % 64 & 1) != 0))
		pywatch_end();
}

#endif
