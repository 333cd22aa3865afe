/*
 * heapwalk.h - which blocks a heap of glibc's has, and who owns an address
 *
 * Floor 6 (watch).  May use: base, sys, workroom.  Used by: trace, scan.
 * Contexts: in the child that scans, and in tests: the heap must not change
 * while it is walked.
 *
 * glibc's heaps tell all by themselves: chunks lie one behind the other, each
 * with its size in front, from the first one of a heap to the last (malloc.c,
 * "Chunks of memory"; glibc 2.26 to 2.41 differ in nothing that is used here).
 * So every block is known exactly, whether or not it has a record of ours.
 * What looks in use and is free lies in a thread's cache, told by the key that
 * glibc writes into it (2.29 and later), or in an arena's list of small chunks.
 *
 * A heap may be caught in the middle of a change, or hold pieces of another's
 * sbrk().  Where the chain breaks, it is taken up again where a chain can be
 * followed; what lies in between is unknown and named, so that who looks for
 * pointers can read it all the same.
 *
 *  H1  No two blocks overlap, and each has an index below @blocks.
 *  H2  heap_find() of any address within a block gives its index.
 */
#ifndef WATCH_HEAPWALK_H
#define WATCH_HEAPWALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "watch/workroom.h"

#define HEAP_NONE UINT32_MAX

/*
 * What is known of a block, in one word: where it starts, in units of 16 bytes
 * (43 bits), a bit that its user may set, and a label (20 bits).
 */
#define HEAP_LABEL_BITS 20
#define HEAP_LABEL_MASK ((UINT64_C(1) << HEAP_LABEL_BITS) - 1)
#define HEAP_FLAG       (UINT64_C(1) << HEAP_LABEL_BITS)
#define HEAP_START_BIT  (HEAP_LABEL_BITS + 1)

/* The label of what is no block in use: free chunks, gaps. */
#define HEAP_DEAD       ((uint32_t)HEAP_LABEL_MASK)

/* A block may start at each of 64 places in 1 KiB. */
#define HEAP_GROUP_BITS 10
struct heap_group {
	uint64_t starts; /* a bit a place */
	uint32_t before; /* blocks that start in front of this group */
	uint32_t unused;
};

/* A range of heap; or a block mapped by itself, which has no groups. */
struct heap_extent {
	uint64_t head;   /* of all that is the allocator's */
	uint64_t start;  /* of the first chunk; of the block itself */
	uint64_t end;
	uint64_t origin; /* of the first group */
	struct heap_group *group;
	uint32_t first;  /* index of its first block */
	uint32_t arena;  /* which one's it is, 0 the main one */
};

struct heap_range {
	uint64_t start, end;
};

/* Address space between two ends, in cells of equal size. */
struct heap_area {
	uint64_t start, bytes;
	unsigned shift;
	uint32_t *cell; /* the first extent that reaches into it, 1 added */
};

#define HEAP_AREAS 2

struct heap {
	struct workroom *room;
	struct heap_extent *extent; /* sorted once it is walked */
	size_t extents, extents_most;
	struct heap_area area[HEAP_AREAS];
	uint64_t *entry;            /* by index */
	uint32_t blocks;
	struct heap_range *unknown; /* inside of extents */
	size_t unknowns, unknowns_most;
	uint64_t unknown_bytes;
	uint64_t bytes;             /* of all extents */
	uint64_t key;               /* of cached chunks; 0: none are */
	const uint64_t *arena;      /* addresses of glibc's arenas */
	size_t arenas;
};

/* 0, or -ENOMEM. */
int heap_open(struct heap *h, struct workroom *room, uint64_t key);

/*
 * Add a range of chunks, that of arena number @arena, of which the first is at
 * @start; or a block that is mapped by itself.  What is of the allocator's in
 * front of it begins at @head.  0, or -ENOMEM.
 */
int heap_add(struct heap *h, uint64_t head, uint64_t start, uint64_t end,
    uint32_t arena);
int heap_add_mapped(struct heap *h, uint64_t head, uint64_t block,
    uint64_t end);

/*
 * Walk what was added.  @arena: the addresses of glibc's arenas by number, to
 * know their lists and where their tops are.  0, or -ENOMEM; -EOVERFLOW: there
 * are more than 2^32 blocks.
 */
int heap_walk(struct heap *h, const uint64_t *arena, size_t arenas);

static HOT uint64_t
heap_start(uint64_t entry)
{
	return entry >> HEAP_START_BIT << 4;
}

static HOT uint32_t
heap_label(uint64_t entry)
{
	return (uint32_t)(entry & HEAP_LABEL_MASK);
}

/* The usable bytes of the block that starts at @start, by its head. */
static HOT uint64_t
heap_usable(uint64_t start)
{
	uint64_t head = ((const uint64_t *)start)[-1];

	return (head & ~UINT64_C(7)) - (head & 2 ? 16 : 8);
}

/* Is it worth to look any further?  Two compares. */
static HOT const struct heap_area *
heap_area_of(const struct heap *h, uint64_t address)
{
	if (address - h->area[0].start < h->area[0].bytes)
		return &h->area[0];
	if (address - h->area[1].start < h->area[1].bytes)
		return &h->area[1];
	return NULL;
}

static HOT const struct heap_extent *
heap_extent_of(const struct heap *h, const struct heap_area *a,
    uint64_t address)
{
	uint32_t i = a->cell[(address - a->start) >> a->shift];

	if (i == 0)
		return NULL;
	for (i--; i < h->extents && h->extent[i].start <= address; i++)
		if (address < h->extent[i].end)
			return &h->extent[i];
	return NULL;
}

static HOT struct heap_group *
heap_group_of(const struct heap_extent *e, uint64_t address)
{
	return &e->group[(address - e->origin) >> HEAP_GROUP_BITS];
}

/* Without the instruction, which not every CPU of x86-64 has. */
static HOT uint32_t
heap_ones(uint64_t x)
{
	x -= x >> 1 & UINT64_C(0x5555555555555555);
	x = (x & UINT64_C(0x3333333333333333)) +
	    (x >> 2 & UINT64_C(0x3333333333333333));
	x = (x + (x >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
	return (uint32_t)(x * UINT64_C(0x0101010101010101) >> 56);
}

/* The block that holds @address, which lies in @e; or HEAP_NONE. */
static HOT uint32_t
heap_find_in(const struct heap_extent *e, uint64_t address)
{
	const struct heap_group *g;
	uint64_t place;
	uint32_t n;

	if (e->group == NULL)
		return e->first;
	g = heap_group_of(e, address);
	place = (address - e->origin) >> 4 & 63;
	n = g->before + heap_ones(g->starts & (UINT64_MAX >> (63 - place)));
	return n == e->first ? HEAP_NONE : n - 1;
}

static HOT uint32_t
heap_find(const struct heap *h, uint64_t address)
{
	const struct heap_area *a = heap_area_of(h, address);
	const struct heap_extent *e = a != NULL ?
	    heap_extent_of(h, a, address) : NULL;

	return e != NULL ? heap_find_in(e, address) : HEAP_NONE;
}

#endif
