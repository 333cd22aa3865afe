/*
 * ledger.h - what is known of each live block, by its address
 *
 * Floor 4 (heap).  May use: base, sys, mem.  Used by: door.
 * Contexts: inside malloc, in signal handlers, in a child just forked (which
 * inherits it, by copy).
 *
 * Two blocks of at least g bytes cannot start within the same g bytes.  So a
 * table with one entry for every g bytes of address space, for the largest
 * power of two g that a block's usable size reaches, has a place for each
 * block and for no other: no hash, no probing, no collision, no lock, and no
 * locked instruction, since an address has one owner at a time.
 *
 * Address space is cut into regions of 4 MiB, and a region has such a table
 * for each g.  They are mapped when first met, and touched where blocks are:
 * small blocks cost an entry for each 16 or 32 bytes of heap, a large one a
 * single entry.
 *
 *  L1  ledger_take() after ledger_put() of a block, in any thread that learnt
 *      of the block from the one that put it, gives that record.
 *  L2  A record goes before its block is given back, so an address that is
 *      given out anew is free here too.
 */
#ifndef HEAP_LEDGER_H
#define HEAP_LEDGER_H

#include <stddef.h>
#include <stdint.h>

struct record {
	uint32_t site;  /* 1 to LEDGER_SITES - 1 */
	uint32_t slack; /* usable bytes less those asked for */
	uint32_t epoch; /* of the heap when the block was made, 16 bits */
};

#define LEDGER_SITES (UINT32_C(1) << 22)
#define LEDGER_SLACK (UINT32_C(1) << 26)

/*
 * Write a block down.  0; -ENOMEM: there is no room; -EEXIST: there was a
 * record (a free was missed), it is in @old and has been replaced; -ERANGE:
 * the address or the record is out of range.
 */
int ledger_put(const void *block, size_t usable, const struct record *record,
    struct record *old);

/* Take a block's record out.  0, or -ENOENT: there is none. */
int ledger_take(const void *block, size_t usable, struct record *record);

#endif
