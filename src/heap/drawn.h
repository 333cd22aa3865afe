/*
 * drawn.h - what is known of blocks that were drawn, by their address
 *
 * Floor 4 (heap).  May use: base, mem.  Used by: ledger.
 * Contexts: inside malloc, in signal handlers, in a child just forked (which
 * inherits it, by copy).
 *
 * Blocks that are drawn are few, and over time they lie anywhere.  A place
 * for each that could be, as the ledger has it, is then touched here and there
 * until all of it is, hours later: half of the heap at worst, for a handful of
 * records.  So these stand in a table of hashes, whose size follows from how
 * many there are at one time, not from how many there have been.
 *
 * Buckets are of two cache lines.  Where one is full, that of the next table
 * is asked, which is four times as large and made when first needed; behind
 * the last it is the ledger's turn.  Nothing is ever moved.
 *
 *  D1  As L1 and L2 of ledger.h: an address has one owner at a time, who puts
 *      its record and takes it out.  Others only pass by it, in search of
 *      theirs.
 *  D2  Who is interrupted while it puts one may leave a slot behind that nobody
 *      has, if it never comes back.
 */
#ifndef HEAP_DRAWN_H
#define HEAP_DRAWN_H

#include <stdbool.h>
#include <stdint.h>

struct record;

/* Can it be put here at all? */
bool drawn_holds(const void *block, const struct record *record);

/* Of a block that has none here.  False: there is no room for it. */
bool drawn_put(const void *block, const struct record *record);

/* Take it out; look at it.  False: there is none. */
bool drawn_take(const void *block, struct record *record);
bool drawn_look(const void *block, struct record *record);

/* Give all records another generation. */
void drawn_set_generations(uint32_t generation);

#endif
