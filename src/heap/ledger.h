/*
 * ledger.h - what is known of each live block, by its address
 *
 * Floor 4 (heap).  May use: base, sys, mem.  Used by: watch, door.
 * Contexts: inside malloc, in signal handlers, in a child just forked (which
 * inherits it, by copy).
 *
 * Two blocks of at least g bytes cannot start within the same g bytes.  So a
 * table with one entry for every g bytes of address space, for the largest g
 * of 8, 32, 128, 512 ... that a block's usable size reaches, has a place for
 * each block and for no other: no hash, no probing, no collision, no lock, and
 * no locked instruction, since an address has one owner at a time.  (With every
 * power of two there would be less of a table for blocks that are all alike,
 * but more tables, and lines and pages of them, for those that are not.)
 *
 * Address space is cut into regions of 4 MiB, and a region has such a table
 * for each g.  They are mapped when first met, and touched where blocks are:
 * small blocks cost an entry of 4 bytes for each 32 bytes of heap, a large one
 * some entries.
 *
 * An entry is 24 bits for the site and the slack, and 8 for the generation.
 * With glibc the slack of nearly all blocks is below 31: then site and slack
 * stand in the 24 bits as they are.  Others, and those that were drawn, have
 * the number there of an odd kind, which is kept beside.  What is left of an
 * entry when its record was taken out tells whose block was freed there last,
 * for who frees it once more (ledger_last()).
 *
 * Blocks that were drawn, and stand for others, are few and lie anywhere: those
 * are in a table of their own (drawn.h), as far as that has room.
 *
 *  L1  ledger_take() after ledger_put() of a block, in any thread that learnt
 *      of the block from the one that put it, gives that record.
 *  L2  A record goes before its block is given back, so an address that is
 *      given out anew is free here too.
 */
#ifndef HEAP_LEDGER_H
#define HEAP_LEDGER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"
#include "heap/drawn.h"

/* What is known of a block; packed into an entry. */
struct record {
	uint32_t site;  /* 1 to SEGMENT_SITES - 1 */
	uint32_t slack; /* usable bytes less those asked for */
	uint32_t generation; /* that it was made in, 8 bits */
	uint32_t rate;  /* 0: it stands for itself; else see heap/sample.h */
};

#define LEDGER_SLACK  (UINT32_C(1) << 28)

/*
 * Write a block down.  False: it did not simply find its place; then it is to
 * be done by ledger_put_long().
 */
static inline bool ledger_put(const void *block, size_t usable,
    const struct record *record);

/* The same of one with a rate of 0. */
static inline bool ledger_put_plain(const void *block, size_t usable,
    const struct record *record);

/*
 * The same, slowly.  0; -ENOMEM: there is no room; -EEXIST: there was a record
 * (a free was missed), it is in @old and has been replaced; -ERANGE: the
 * address or the record is out of range.
 */
int ledger_put_long(const void *block, size_t usable,
    const struct record *record, struct record *old);

/* Take a block's record out.  False: there is none. */
static inline bool ledger_take(const void *block, size_t usable,
    struct record *record);

/*
 * The same of one that is of no odd kind; false: it is, or there is none, so it
 * is to be done by ledger_take().
 */
static inline bool ledger_take_plain(const void *block, size_t usable,
    struct record *record);

/*
 * The record of a block, which stays.  False: there is none.
 */
bool ledger_look(const void *block, size_t usable, struct record *record);

/*
 * What was there before the block was freed, as far as that is kept: its
 * generation, and the low LEDGER_LAST_BITS of its site; slack and rate are 0.
 * False: nothing is known to have been.
 */
#define LEDGER_LAST_BITS 15
bool ledger_last(const void *block, size_t usable, struct record *record);

/*
 * From now on every block has a record, or only some.  Where all have, tables
 * of a heap that has become large are made whole, with all of their pages.
 */
void ledger_expect_all(bool all);

/* Give all records of all blocks another generation. */
void ledger_set_generations(uint32_t generation);

/* --- how ------------------------------------------------------------------ */

/*
 * 47 bits of address are what user space has on x86-64 and aarch64 unless a
 * program asks for more; a block above is answered with -ERANGE and counted.
 */
#define LEDGER_ADDRESS_BITS 47
#define LEDGER_REGION_BITS  22 /* 4 MiB */
#define LEDGER_MIDDLE_BITS  13
#define LEDGER_TOP_BITS     (LEDGER_ADDRESS_BITS - LEDGER_REGION_BITS - \
	LEDGER_MIDDLE_BITS)

/* Blocks may start 8 bytes apart only where they are smaller than 16. */
#define LEDGER_LEAST_BITS   3
#define LEDGER_LEVELS       (LEDGER_REGION_BITS + 1)

#define LEDGER_AGE_BITS     8
#define LEDGER_SLACK_BITS   5
#define LEDGER_ODD_SLACK    ((UINT32_C(1) << LEDGER_SLACK_BITS) - 1)
/* An entry below this is free; what stands there is of the last that was. */
#define LEDGER_LIVE         (UINT32_C(1) << (LEDGER_LAST_BITS + \
	LEDGER_SLACK_BITS + LEDGER_AGE_BITS))
/* Numbers of odd kinds begin behind those of site and slack. */
#define LEDGER_ODD_FIRST    ((LEDGER_LIVE >> LEDGER_AGE_BITS) + \
	(SEGMENT_SITES << LEDGER_SLACK_BITS))

/* The tables of a region, each made when a block of its level is first met. */
struct ledger_region {
	_Atomic uint32_t *_Atomic level[LEDGER_LEVELS];
};

struct ledger_middle {
	struct ledger_region *_Atomic region[1 << LEDGER_MIDDLE_BITS];
};

extern struct ledger_middle *_Atomic ledger_top[1 << LEDGER_TOP_BITS] INSIDE;

/* The record of an odd kind, which is being taken out of @entry. */
void ledger_unpack_odd(uint32_t packed, struct record *record);
void ledger_forget_odd(_Atomic uint32_t *entry, const struct record *record);

/* The level of a block: log2 of the distance its table is drawn at. */
static HOT unsigned
ledger_level(size_t usable)
{
	/* One comparison for both: less than 16, or as large as a region. */
	if (UNLIKELY(usable - 16 >= (UINT64_C(1) << LEDGER_REGION_BITS) - 31))
		return usable < 16 ? LEDGER_LEAST_BITS : LEDGER_REGION_BITS;
	/* From 16 bytes on, blocks start at multiples of 16.  Odd: see above. */
	return (62 - (unsigned)__builtin_clzll(usable + 15)) | 1;
}

/* A block's place, or NULL: none of its level was met in its region. */
static HOT _Atomic uint32_t *
ledger_entry(const void *block, size_t usable)
{
	const uint64_t address = (uintptr_t)block;
	const uint64_t number = address >> LEDGER_REGION_BITS;
	const unsigned level = ledger_level(usable);
	const struct ledger_middle *m;
	const struct ledger_region *r;
	_Atomic uint32_t *table;

	if (UNLIKELY(address >> LEDGER_ADDRESS_BITS != 0))
		return NULL;
	m = atomic_load_explicit(&ledger_top[number >> LEDGER_MIDDLE_BITS],
	    memory_order_acquire);
	if (UNLIKELY(m == NULL))
		return NULL;
	r = atomic_load_explicit(
	    &m->region[number & ((1 << LEDGER_MIDDLE_BITS) - 1)],
	    memory_order_acquire);
	if (UNLIKELY(r == NULL))
		return NULL;
	table = atomic_load_explicit(&r->level[level], memory_order_acquire);
	if (UNLIKELY(table == NULL))
		return NULL;
	return &table[(address & ((1 << LEDGER_REGION_BITS) - 1)) >> level];
}

/* Of one that is of no odd kind. */
static HOT uint32_t
ledger_pack(const struct record *record)
{
	return (record->site << LEDGER_SLACK_BITS | record->slack) <<
	    LEDGER_AGE_BITS | record->generation;
}

static HOT void
ledger_unpack(uint32_t packed, struct record *record)
{
	record->generation = packed & (GENERATIONS - 1);
	record->site = (packed - LEDGER_LIVE) >>
	    (LEDGER_SLACK_BITS + LEDGER_AGE_BITS);
	record->slack = packed >> LEDGER_AGE_BITS & LEDGER_ODD_SLACK;
	record->rate = 0;
}

static HOT bool
ledger_is_odd(uint32_t packed)
{
	return UNLIKELY(packed >= LEDGER_ODD_FIRST << LEDGER_AGE_BITS);
}

static HOT bool
ledger_put_plain(const void *block, size_t usable,
    const struct record *record)
{
	_Atomic uint32_t *entry = ledger_entry(block, usable);

	if (UNLIKELY(entry == NULL || record->slack >= LEDGER_ODD_SLACK) ||
	    UNLIKELY(atomic_load_explicit(entry, memory_order_relaxed) >=
	    LEDGER_LIVE))
		return false;
	atomic_store_explicit(entry, LEDGER_LIVE + ledger_pack(record),
	    memory_order_relaxed);
	return true;
}

static HOT bool
ledger_put(const void *block, size_t usable, const struct record *record)
{
	return LIKELY(record->rate == 0) &&
	    ledger_put_plain(block, usable, record);
}

/*
 * What is freed long after it was made has its entry in no cache.  Mostly it is
 * not alone: what was made with it, and lies behind it, goes with it.
 */
static HOT void
ledger_ahead(const _Atomic uint32_t *entry)
{
	__builtin_prefetch((const char *)(uintptr_t)entry + 64, 1);
	__builtin_prefetch((const char *)(uintptr_t)entry + 128, 1);
}

static HOT bool
ledger_take_plain(const void *block, size_t usable, struct record *record)
{
	_Atomic uint32_t *entry = ledger_entry(block, usable);
	uint32_t packed;

	if (UNLIKELY(entry == NULL))
		return false;
	ledger_ahead(entry);
	packed = atomic_load_explicit(entry, memory_order_relaxed);
	if (UNLIKELY(packed < LEDGER_LIVE) || ledger_is_odd(packed))
		return false;
	atomic_store_explicit(entry, packed & (LEDGER_LIVE - 1),
	    memory_order_relaxed);
	ledger_unpack(packed, record);
	return true;
}

static HOT bool
ledger_take(const void *block, size_t usable, struct record *record)
{
	_Atomic uint32_t *entry = ledger_entry(block, usable);
	uint32_t packed;

	if (UNLIKELY(entry == NULL))
		return drawn_take(block, record);
	packed = atomic_load_explicit(entry, memory_order_relaxed);
	if (UNLIKELY(packed < LEDGER_LIVE))
		return drawn_take(block, record);
	atomic_store_explicit(entry, packed & (LEDGER_LIVE - 1),
	    memory_order_relaxed);
	ledger_unpack(packed, record);
	if (ledger_is_odd(packed)) {
		ledger_unpack_odd(packed, record);
		ledger_forget_odd(entry, record);
	}
	return true;
}

#endif
