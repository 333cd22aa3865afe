/*
 * arena.h - private memory of our own: it only grows and never moves
 *
 * Floor 3 (mem).  May use: base, sys.  Used by: heap, stack, door.
 * Contexts: anywhere: no malloc, no lock, no waiting; safe in a signal
 * handler and in a child just forked (which inherits all of it, by copy).
 *
 * What is taken is zeroed and stays until the process ends.  It is address
 * space until touched, kept out of huge pages (they would make sparse tables
 * dense) and out of core files.
 */
#ifndef MEM_ARENA_H
#define MEM_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"

/*
 * @bytes of zeroed memory at a multiple of 64, or NULL: the system has none.
 * Small pieces share a chunk; from ARENA_LARGE on it is a mapping by itself.
 */
#define ARENA_LARGE (UINT64_C(256) << 10)
void *arena_take(size_t bytes);

/*
 * All of a piece will be used, and soon: have its pages made at one go, which
 * costs a quarter of a fault for each.  False: where room is short or locked,
 * or the kernel is older than 5.14, it stays as it is.
 */
bool arena_fill(void *piece, size_t bytes);

/*
 * Under a limit of address space or of data (RLIMIT_AS, RLIMIT_DATA) all that
 * is ever taken stays below this share of it: the rest is the program's.
 */
#define ARENA_SHARE 8

/* What may still be taken by that; UINT64_MAX: there is no limit. */
uint64_t arena_room(void);

/*
 * Set address space aside for the time when the kernel may not be asked any
 * more (sys_confine()), or maps nothing: about @bytes, less if so much is not
 * to be had.  ARENA_RESERVE: some of it goes to each region of heap that is met,
 * so it does for about as much heap, in blocks of all sizes.
 */
#define ARENA_RESERVE GIB
void arena_reserve(size_t bytes);

/*
 * From now on the kernel locks and fills whatever is mapped (MCL_FUTURE): keep
 * what we map out of it, or sparse tables would become dense.
 */
void arena_keep_sparse(void);

/*
 * Give back a piece of ARENA_LARGE or more that nobody else has seen yet: for
 * who lost the race to put it somewhere.
 */
void arena_return(void *piece, size_t bytes);

/* Make a piece zero again, without touching what is zero already. */
void arena_clear(void *piece, size_t bytes);

/*
 * Our address ranges, for the report's own line.  Writes at most
 * SEGMENT_SPANS of them and returns how many; ranges that touch are one, and
 * what does not fit is lumped into the last.
 */
size_t arena_spans(struct segment_span spans[SEGMENT_SPANS]);

/* Goes up whenever arena_spans() would say something new. */
uint32_t arena_version(void);

#endif
