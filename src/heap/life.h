/*
 * life.h - how long blocks live, and who frees them
 *
 * Floor 4 (heap).  May use: base, sys, mem.  Used by: door.
 * Contexts: inside malloc, in signal handlers, in a child just forked.
 *
 * To write down when each block was born would cost as much again as to count
 * it.  So some are watched: the first sixteen of a site in each thread, and of
 * the rest one in 256, chosen by a mix of their number and their address, so
 * that no period of the program's can hide from it.  A block that is watched
 * has a record of an odd kind (heap/ledger.h), which leads here when it is
 * freed; another costs a comparison.
 */
#ifndef HEAP_LIFE_H
#define HEAP_LIFE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "mem/segment.h"

#define LIFE_FIRST 16
#define LIFE_EVERY 256

/* In a record: it is watched, and stands for itself.  No rate has this. */
#define LIFE_RATE UINT32_C(256)

/* Does a block of this rate stand for others (heap/sample.h)? */
static inline bool
life_is_drawn(uint32_t rate)
{
	return rate != 0 && rate != LIFE_RATE;
}

/* Is the @number-th block of a site in a thread to be watched? */
static HOT bool
life_is_due(uint64_t number, const void *block)
{
	uint32_t mix = (uint32_t)(number ^ (uintptr_t)block >> 4) *
	    UINT32_C(0x9e3779b9);

	return UNLIKELY(number < LIFE_FIRST ||
	    mix < UINT32_MAX / LIFE_EVERY);
}

/* Watch it, if there is room. */
bool life_begin(const void *block, uint32_t site, uint64_t number,
    size_t usable);

/* In a child: its blocks are another's, and nothing is watched yet. */
void life_reset(void);

/*
 * It ends: freed by the call that returns to @pc, 0: not known.  @node: gives
 * the number of that call alone; asked once a block.
 */
void life_end(const void *block, uint64_t pc, uint32_t (*node)(uint64_t pc));

#endif
