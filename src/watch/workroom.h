/*
 * workroom.h - memory for the time of one scan
 *
 * Floor 6 (watch), below heapwalk.  May use: base, sys.  Used by: watch.
 * Contexts: the child that scans; nothing here is safe against other threads,
 * as it has none.
 *
 * One range of address space, so that it can be told from what is scanned; it
 * becomes memory where it is touched, and ends with the child.  What is taken
 * is counted, so that a scan can say what it cost, and end before it costs too
 * much.
 */
#ifndef WATCH_WORKROOM_H
#define WATCH_WORKROOM_H

#include <stddef.h>
#include <stdint.h>

struct workroom {
	uint64_t start, end, at;
	uint64_t most;  /* bytes that may be taken */
	uint64_t taken; /* bytes that will be touched, as far as one knows */
};

/* As much address space as there is, up to a bound.  0, or -ENOMEM. */
int workroom_open(struct workroom *w, uint64_t most);

/* @bytes of zeroed memory at a multiple of 64, or NULL: there is no more. */
void *workroom_take(struct workroom *w, size_t bytes);

/*
 * The same for what is touched only as far as it is used; the user counts that
 * by workroom_used() in the end.
 */
void *workroom_take_sparse(struct workroom *w, size_t bytes);

static inline void
workroom_used(struct workroom *w, uint64_t bytes)
{
	w->taken += bytes;
}

#endif
