/*
 * site.h - the figures of each call path that allocates
 *
 * Floor 4 (heap).  May use: base, sys, mem.  Used by: stack (which makes
 * sites), door.
 * Contexts: inside malloc, in signal handlers, in a child just forked.
 *
 * A site does not know what a stack is: it has the number of a leaf.  While
 * the process has a single thread its counters are added to without a lock
 * prefix; libc says when that ends, before a second thread can exist.
 */
#ifndef HEAP_SITE_H
#define HEAP_SITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sites that have no stack; made with the segment, in this order from 1. */
enum site_known {
	SITE_NONE,
	SITE_NO_STACK, /* allocated while heaptide was busy in that thread */
	SITE_FULL      /* a table was full */
};

/* Make the known sites, in a segment that has none.  0, or -ENOSPC. */
int site_create_known(void);

/*
 * The site of leaf @node, made when it is first asked for with @flags (enum
 * site_flags); SITE_FULL, counted as lost, if there is no room.
 */
uint32_t site_of(uint32_t node, uint32_t flags);

/*
 * Count an allocation or a free of this site.  @height is the live bytes of
 * the process after an allocation, for the figures at the peak.
 */
void site_alloc(uint32_t site, size_t usable, size_t requested,
    int64_t height);
void site_free(uint32_t site, size_t usable, size_t requested,
    bool temporary);

/* The same for address space, which has no part in the heap's peak. */
void site_map(uint32_t site, uint64_t bytes);
void site_unmap(uint32_t site, uint64_t bytes, bool whole);

#endif
