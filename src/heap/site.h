/*
 * site.h - the figures of each call path that allocates
 *
 * Floor 4 (heap).  May use: base, model, sys, mem.  Used by: mapping, door,
 * which makes sites.
 * Contexts: inside malloc, in signal handlers, in a child just forked.
 *
 * A site does not know what a stack is: it has the number of a leaf.  What
 * comes of it each thread counts by itself (struct count in base/segment.h),
 * the first thread in a row for every site, the others in as many rows as they
 * need, up to a bound; beyond it in the one that a site has for all.
 */
#ifndef HEAP_SITE_H
#define HEAP_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"
#include "heap/peak.h"
#include "mem/segment.h"
#include "model/sampling.h"
#include "sys/arch.h"

/* Sites that have no stack; made with the segment, in this order from 1. */
enum site_known {
	SITE_NONE,
	SITE_NO_STACK, /* allocated while heaptide was busy in that thread */
	SITE_FULL      /* a table was full */
};

/* Make the known sites, in a segment that has none.  0, or -ENOSPC. */
int site_create_known(void);

/*
 * How a block was made, and how it is given back: by malloc() and its family,
 * or by which of C++'s operators.  SITE_* of the flags over SITE_NEW.
 */
enum kind {
	KIND_NEW = 1,     /* new and delete; without: malloc() and free() */
	KIND_ARRAY = 2,   /* new[] and delete[] */
	KIND_ALIGNED = 4,
	KIND_ANY = 8,     /* this cannot be told */
	KIND_SIZED = 16   /* of who gives back: he says how large it is */
};

#define KIND_MADE (KIND_NEW | KIND_ARRAY | KIND_ALIGNED | KIND_ANY)

/* Of each site, which a free asks for: beside the figures, and in few lines. */
extern uint8_t site_kind[SEGMENT_SITES] INSIDE;

/* For site_of() alone: make the site of leaf @node. */
uint32_t site_make(uint32_t node, uint32_t flags);

/*
 * The site of leaf @node, made when it is first asked for with @flags (enum
 * site_flags); SITE_FULL, counted as lost, if there is no room.
 */
static inline uint32_t
site_of(uint32_t node, uint32_t flags)
{
	const struct node *n = (struct node *)segment_rows(TABLE_NODES) + node;
	uint32_t site = atomic_load_explicit(&n->site, memory_order_acquire);

	return LIKELY(site != 0) ? site : site_make(node, flags);
}

/* --- counting ------------------------------------------------------------- */

/*
 * Where a thread counts: a table of its own, by the hash of a site's number,
 * which for the first thread is the number itself.
 */
struct counts {
	struct count *row; /* row[0] to row[2^bits - 1] */
	uint64_t factor;
	uint32_t shift;
	struct tally *tally;
};

/* Where the owner of @t counts, to go on where the last one ended. */
void counts_open(struct counts *counts, struct tally *t);

/* For counts_of() alone: a site that is elsewhere, or of another stamp. */
struct count *counts_find(struct counts *counts, uint32_t site,
    uint64_t stamp);

/*
 * The calling thread's count of @site, which is about to change at @stamp: what
 * it held at the peak is kept, and it is in that generation.  NULL: there is
 * none like that; site_shared_alloc() and site_shared_free() count.
 */
static HOT struct count *
counts_of(struct counts *counts, uint32_t site, uint64_t stamp)
{
	struct count *c = &counts->row[site * counts->factor >> counts->shift];

	if (LIKELY(atomic_load_explicit(&c->stamp, memory_order_relaxed) ==
	    stamp_of(site, stamp)))
		return c;
	return counts_find(counts, site, stamp);
}

/* Count an allocation or a free in a row of the calling thread's. */
static HOT void
count_alloc(struct count *c, size_t usable, size_t slack)
{
	arch_add_u64(&c->allocations, 1);
	arch_add_u64(&c->allocated_bytes, usable);
	arch_add_u64(&c->slack_bytes, slack);
}

static HOT void
count_free(struct count *c, size_t usable, size_t slack, bool temporary)
{
	arch_add_u64(&c->frees, 1);
	arch_add_u64(&c->freed_bytes, usable);
	arch_add_u64(&c->slack_bytes, -(uint64_t)slack);
	if (UNLIKELY(temporary))
		arch_add_u64(&c->temporary, 1);
}

/*
 * What is put down to a site of a block that was drawn, and taken off again;
 * @generation: that of the block.
 */
void site_draw(uint32_t site, uint32_t generation,
    const struct sampling_weight *weight);
void site_draw_free(uint32_t site, uint32_t generation,
    const struct sampling_weight *weight, bool temporary);

/* As count_alloc() and count_free(), where all threads count.  Locked adds. */
void site_shared_alloc(uint32_t site, uint32_t generation, size_t usable,
    size_t slack);
void site_shared_free(uint32_t site, uint32_t generation, size_t usable,
    size_t slack, bool temporary);

/* The same for address space, which has no part in the heap's peak. */
void site_map(uint32_t site, uint32_t generation, uint64_t bytes);
void site_unmap(uint32_t site, uint32_t generation, uint64_t bytes,
    bool whole);

#endif
