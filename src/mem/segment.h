/*
 * segment.h - this process' profile, from the side that stores into it
 *
 * Floor 3 (mem).  May use: base, sys.  Used by: heap, stack, door.  The layout
 * is base/segment.h; there is one segment a process, and it never moves.
 *
 * Contexts: segment_take() and segment_text() anywhere: no malloc, no lock, no
 * waiting.  segment_create() and segment_leave() in one thread, while no other
 * uses the segment: at boot, and in a child just forked.
 *
 * Room is backed before it is handed out, in steps that grow with the table,
 * so that a full disk is an answer here and never a SIGBUS at a store.
 */
#ifndef MEM_SEGMENT_H
#define MEM_SEGMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"

/*
 * Create the file @path, map it and complete its head and tables; identity and
 * config stay zero for the caller to fill, and then segment_publish().  A file
 * of that name is the image this process ran before an exec: it is kept under
 * the name `<path without .tide>.<n>.tide`, and @exec_count becomes n.
 *
 * Return: 0, or a negative errno value: -ENOSPC, -EFBIG (RLIMIT_FSIZE), ...
 */
int segment_create(const char *path, uint32_t *exec_count);

/* From here on readers may believe it. */
void segment_publish(void);

/*
 * In a child: forget the segment, which is the parent's; its file is not
 * touched.  Of its header segment_nearest() gives account until the child has
 * a segment of its own.
 */
void segment_leave(void);

/* Remove a segment that cannot be used after all, and its file. */
void segment_discard(void);

/* The segment, or NULL while there is none.  For segment_mine() alone. */
extern struct segment *segment_map INSIDE;

static inline struct segment *
segment_mine(void)
{
	return segment_map;
}

/*
 * The same; or, while there is none, the header alone of the segment of the
 * ancestor that had one; or NULL.
 */
struct segment *segment_nearest(void);

/*
 * False: our file is not to be found where it was made.  So neither is the
 * directory, for a program that is executed from here: in a sandbox, after
 * chroot().
 */
bool segment_is_in_reach(void);

/*
 * Our address space is limited to @space bytes from now on: what of the tables
 * was never used is given back as far as there is more than our share, and they
 * are full earlier.  What is mapped there next is the program's.  It may wait,
 * a tenth of a second at most, for threads that are backing a table.
 */
void segment_narrow(uint64_t space);

/* Where the segment lies: in one piece, or where each table is. */
#define SEGMENT_OWN_SPANS (TABLE_ROOM + 1)
size_t segment_spans(struct segment_span spans[SEGMENT_OWN_SPANS]);

/* Row 0 of a table. */
static inline void *
segment_rows(enum segment_table_id table)
{
	return (char *)segment_map + segment_map->table[table].offset;
}

/* How many rows a table may have; they become fewer by segment_narrow(). */
static inline uint64_t
segment_capacity(enum segment_table_id table)
{
	return __atomic_load_n(&segment_map->table[table].capacity,
	    __ATOMIC_RELAXED);
}

/*
 * Take @n rows in one piece, zeroed.  The index of the first, or -ENOSPC: the
 * table or the disk is full; the caller counts what it loses.
 */
int64_t segment_take(enum segment_table_id table, uint64_t n);

/*
 * Back the first @rows rows of a table that its user fills by itself.  0, or
 * -ENOSPC.
 */
int segment_room(enum segment_table_id table, uint64_t rows);

/* The same, and they count as taken, from 0 on. */
int segment_reach(enum segment_table_id table, uint64_t rows);

/*
 * Back room in every table for some time to come, as long as there is any:
 * from now on nothing may grow.  No loss if there is not.
 */
void segment_reserve(void);

/* Store a text; { 0, 0 } and a count under lost.text if there is no room. */
struct segment_text segment_text(const char *s, size_t bytes);

#endif
