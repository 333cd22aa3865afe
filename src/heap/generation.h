/*
 * generation.h - how old what a site holds is
 *
 * Floor 4 (heap).  May use: base, sys, mem.  Used by: site, door.
 * Contexts: inside malloc, in signal handlers, in a child just forked.
 *
 * A block's record has the number of its generation, and a count the one that
 * its thread counts in (base/segment.h).  What is freed young costs nothing:
 * it has come and gone within its own count.  When a count is first used in a
 * new generation, what it has left of the one before is added to the site's
 * ages; from then on who frees of it takes it off there.  So no sum is ever
 * taken while threads go on, and none of it is an estimate.
 *
 *  G1  For each site and generation, what the ages have of it, and the counts
 *      that stand in it hold, is what was allocated of it and not freed.
 */
#ifndef HEAP_GENERATION_H
#define HEAP_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"
#include "mem/segment.h"

/* Was it allocated by this process, and not by one it was forked from? */
static inline bool
generation_is_own(uint32_t generation)
{
	return generation >= segment_mine()->generations.first;
}

/*
 * The change by @bytes that was just made to @c, a count of @site, is not of
 * the generation that @c stands in but of @generation.
 */
void generation_put(struct count *c, uint32_t site, uint32_t generation,
    int64_t bytes);

/*
 * The same of a block of @bytes that the owner of @c has freed, in a later
 * generation than it was made in: what every free of what lives long does.
 */
void generation_free(struct count *c, uint32_t site, uint32_t generation,
    uint64_t bytes);

/* The same of what no count has: of blocks that were drawn. */
void generation_add(uint32_t site, uint32_t generation, int64_t bytes);

/* @c, of @site, enters that of @stamp, unless it is in it or beyond. */
void generation_enter(struct count *c, uint32_t site, uint64_t stamp);

/* Is there a column of struct trend more than when the last one began? */
static inline bool
generation_is_due(const struct segment *s)
{
	return atomic_load_explicit(&s->generations.opened,
	    memory_order_relaxed) != atomic_load_explicit(
	    &s->watch.trend_opened, memory_order_relaxed);
}

/* A new one begins, if it is due. */
void generation_follow(void);

/*
 * Of a segment that was just made: its first.  @first: what was inherited has
 * lower numbers.
 */
void generation_begin(uint32_t first);

#endif
