/*
 * nested.h - what is known of each block of a program's own pool
 *
 * Floor 4 (heap).  May use: base, sys, mem.  Used by: door.
 * Contexts: inside malloc, in signal handlers, in a child just forked (which
 * inherits it, by copy).
 *
 * A pool cuts its blocks out of memory that the program has anyway, as it
 * likes: a byte apart, or where another pool's block is.  So there is a table
 * a pool, by a hash of the address.  It is as large as was needed so far: a row
 * of parts, each four times the one before, that never move.  A block is looked
 * for in each, from the largest on, in NESTED_WINDOW places, a line of cache;
 * where all of these are taken, in all parts, there is one part more.  That
 * comes to 30 to 150 bytes a block.
 *
 *  N1  nested_take() after nested_put() of an address, in any thread that
 *      learnt of the block from the one that put it, gives that record.
 *  N2  As with a block of malloc()'s, an address has one owner at a time: of
 *      two who put or take the same one at once nothing is promised, but that
 *      no other address is harmed.
 *
 * Progress: lock-free; there is neither a lock nor waiting.
 */
#ifndef HEAP_NESTED_H
#define HEAP_NESTED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"

#define NESTED_WINDOW     4
#define NESTED_FIRST_BITS 6  /* 64 places, 1 KiB */
#define NESTED_STEP_BITS  2
#define NESTED_PARTS      10 /* the last has 16 Mi places */

/* So large may a block be said to be: 128 GiB less one. */
#define NESTED_MOST ((UINT64_C(1) << 37) - 1)

struct nested_record {
	uint64_t bytes;
	uint32_t site;
	uint32_t generation;
};

struct nested_place {
	_Atomic uint64_t address; /* 0: it is free */
	_Atomic uint64_t packed;  /* 0: it is being taken */
};

/* All zero: empty. */
struct nested {
	struct nested_place *_Atomic part[NESTED_PARTS];
	_Atomic uint32_t parts; /* in use; others may be there from before */
};

/*
 * 0; -ENOMEM: there is no room; -EEXIST: there was a record (a free was
 * missed), it is in @old and has been replaced.
 */
int nested_put(struct nested *n, uint64_t address,
    const struct nested_record *record, struct nested_record *old);

/* Take a record out.  False: there is none. */
bool nested_take(struct nested *n, uint64_t address,
    struct nested_record *record);

/*
 * Take all out, and hand each to @each.  Nobody else may use it meanwhile.  The
 * memory stays, for who uses @n next.
 */
void nested_empty(struct nested *n, void (*each)(void *context,
    const struct nested_record *record), void *context);

#endif
