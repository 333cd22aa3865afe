/*
 * control.h - a segment, from inside its process or beside it
 *
 * Floor 7 (control).  May use: base, model, sys.  Used by: all of control, the
 * library on its slow path, the tools beside a program.
 * Contexts: inside malloc, but for control_open(); nothing here waits.
 *
 * What may be done to a process is the same wherever it is done from: it is
 * done to the segment.  Only how room in a table is backed differs.
 */
#ifndef CONTROL_CONTROL_H
#define CONTROL_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/room.h"
#include "base/segment.h"

struct seen;

/*
 * Growth of less is too little to matter: bytes a second, and which share an
 * epoch of what is held; that which it is not is 0.
 */
struct control_least {
	double per_second, share;
};

struct control {
	struct segment *segment; /* mapped shared */
	uint64_t bytes;          /* of the mapping */
	int pid;                 /* as we know the process; 0: it is ours */
	int fd;                  /* of the file, beside; -1 */
	struct seen *seen;       /* control/seen.h; or NULL */
	struct control_least least; /* as somebody has set it, or zero */
	/* Make rows [from, rows) safe to store into.  0, or -ENOSPC. */
	int (*back)(struct control *c, enum segment_table_id table,
	    uint64_t from, uint64_t rows);
};

/*
 * Open the segment @path of the living process @pid.  0, or a negative errno
 * value: -EINVAL: it is none, not of this version, or not complete.
 */
int control_open(struct control *c, const char *path, int pid);
void control_close(struct control *c);

/* `10`, MiB an hour, or `10%`, of what is held an epoch.  0, or -EINVAL. */
int control_parse_least(const char *value, struct control_least *least);

static inline void *
control_rows(const struct control *c, enum segment_table_id table)
{
	return (char *)c->segment + c->segment->table[table].offset;
}

/* How many rows may be read. */
static inline uint64_t
control_count(const struct control *c, enum segment_table_id table)
{
	const struct segment_table *t = &c->segment->table[table];
	uint64_t used = atomic_load_explicit(&t->used, memory_order_acquire);

	return used < t->capacity ? used : t->capacity;
}

/*
 * What the program is told of its budget; NULL: it has never asked, or the
 * row is not complete.
 */
const struct tide_room *control_room(const struct control *c);

/* The next row of a table; its number, or -ENOSPC. */
int64_t control_take(struct control *c, enum segment_table_id table);

/* Rows up to @rows are there, zero if they are new.  0, or -ENOSPC. */
int control_reach(struct control *c, enum segment_table_id table,
    uint64_t rows);

/* Is it known of all blocks what was asked for?  From the start, or not. */
static inline bool
control_knows_requested(const struct segment *s)
{
	return s->config.stacks == STACKS_ALL && s->watch.switches == 0;
}

/* "none", "sampled", "all", by enum segment_stacks; a NULL behind them. */
extern const char *const control_stacks_words[];

/* One of these, or "unknown". */
const char *control_stacks(uint32_t stacks);

/* A sentence's part: why a scan has no result, by enum scan_why. */
const char *control_scan_why(uint32_t why);

/* What the process has counted, summed over its threads. */
struct control_sums {
	uint64_t allocated, freed;     /* bytes, usable */
	uint64_t allocations, frees;   /* blocks */
	uint64_t temporary;
	uint64_t live_bytes, live_blocks;
	uint64_t peak_bytes;           /* as published */
};

void control_sum(const struct control *c, struct control_sums *sums);

/* A part of what a site holds: one thread's, or what is estimated. */
struct control_part {
	int64_t bytes, blocks; /* of one thread alone they may be negative */
	uint64_t allocations, allocated; /* blocks, bytes, since the start */
};

/* Call @each for every part of every site below @sites. */
void control_each_part(const struct control *c, uint64_t sites,
    void (*each)(void *context, uint32_t site, const struct control_part *p),
    void *context);

/*
 * Have the threads look at what is wanted of them at their next allocation or
 * free.  One that is just counting down may miss it, and looks in its own time:
 * within 64 KiB, or 1 MiB where every block has a record.
 */
void control_nudge(struct control *c);

#endif
