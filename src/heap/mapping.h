/*
 * mapping.h - the address ranges a program maps by itself
 *
 * Floor 4 (heap).  May use: base, sys, mem.  Used by: door.
 * Contexts: anywhere, signal handlers included: no lock.  Who meets a queue
 * that is full waits for room, at most a second (mapping.c).
 *
 * Changes go through a bounded queue.  Whoever finds nobody at work applies
 * what is queued, in order, to the sorted table in the segment; whoever finds
 * somebody leaves at once, and the other does it.  A range is taken out before
 * the kernel gets it back and put in after it was given, so the order of the
 * queue is an order in which the kernel could have done it all.
 */
#ifndef HEAP_MAPPING_H
#define HEAP_MAPPING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/segment.h"

/* A range was mapped, over whatever was there. */
void mapping_add(uint64_t start, uint64_t bytes, enum mapping_kind kind,
    uint32_t site);

/* A range is about to be unmapped; parts of others are cut off. */
void mapping_remove(uint64_t start, uint64_t bytes);

/*
 * A range is about to be moved, or copied (@leave: it stays where it is).
 * What it is goes to a hand, whose number is returned, and from there to where
 * it comes to lie.  Below 0: no hand was free, which has been counted; the
 * others take that, too.
 */
int mapping_lift(uint64_t start, uint64_t bytes, bool leave);
void mapping_lay(int hand, uint64_t start, uint64_t bytes);

/*
 * The kernel has refused: it lies where it was.  If it was several ranges, one
 * at the other, the first is put back; that the others are not is counted.
 */
void mapping_lay_back(int hand);

/* Forget what was queued: a child, just forked, with a table of its own. */
void mapping_reset(void);

#endif
