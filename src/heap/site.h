/*
 * site.h - the figures of each call path that allocates
 *
 * Floor 4 (heap).  May use: base, model, sys, mem.  Used by: stack (which makes
 * sites), door.
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

/* A site that is not in its place, or not yet: its row, or NULL. */
struct count *counts_find(struct counts *counts, uint32_t site);

/*
 * The calling thread's count of @site; NULL: it has none, and counts by
 * site_shared_alloc() and site_shared_free().
 */
static HOT struct count *
counts_of(struct counts *counts, uint32_t site)
{
	struct count *c = &counts->row[site * counts->factor >> counts->shift];

	if (LIKELY(atomic_load_explicit(&c->site, memory_order_relaxed) ==
	    site))
		return c;
	return counts_find(counts, site);
}

/* About to change: keep what it held when the heap last stood at its peak. */
static HOT void
count_keep(struct count *c)
{
	uint32_t epoch = peak_epoch();

	if (LIKELY(atomic_load_explicit(&c->epoch, memory_order_relaxed) ==
	    epoch))
		return;
	atomic_store_explicit(&c->at_peak_bytes,
	    (int64_t)(c->allocated_bytes - c->freed_bytes),
	    memory_order_relaxed);
	atomic_store_explicit(&c->epoch, epoch, memory_order_relaxed);
}

/* Count an allocation or a free in a row of the calling thread's. */
static HOT void
count_alloc(struct count *c, size_t usable, size_t slack)
{
	count_keep(c);
	arch_add_u64(&c->allocations, 1);
	arch_add_u64(&c->allocated_bytes, usable);
	arch_add_u64(&c->slack_bytes, slack);
}

static HOT void
count_free(struct count *c, size_t usable, size_t slack, bool temporary)
{
	count_keep(c);
	arch_add_u64(&c->frees, 1);
	arch_add_u64(&c->freed_bytes, usable);
	arch_add_u64(&c->slack_bytes, -(uint64_t)slack);
	if (UNLIKELY(temporary))
		arch_add_u64(&c->temporary, 1);
}

/* What is put down to a site of a block that was drawn, and taken off again. */
void site_draw(uint32_t site, const struct sampling_weight *weight);
void site_draw_free(uint32_t site, const struct sampling_weight *weight,
    bool temporary);

/* The same in the site's row for all.  Locked adds. */
void site_shared_alloc(uint32_t site, size_t usable, size_t slack);
void site_shared_free(uint32_t site, size_t usable, size_t slack,
    bool temporary);

/* The same for address space, which has no part in the heap's peak. */
void site_map(uint32_t site, uint64_t bytes);
void site_unmap(uint32_t site, uint64_t bytes, bool whole);

#endif
