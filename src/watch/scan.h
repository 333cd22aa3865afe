/*
 * scan.h - which blocks nobody can reach, found beside the running program
 *
 * Floor 6 (watch).  May use: base, model, sys, mem, heap, and all of watch.
 * Used by: door.
 * Contexts: scan_begin() wherever malloc may be called, one thread at a time;
 * no lock is taken.  It takes as long as a fork does.
 *
 * A child gets a copy of the memory, and everything else happens there: it
 * closes its descriptors, steps back behind all others, marks from the roots
 * (roots.h) through the heap (heapwalk.h, trace.h), and stores what it found
 * into the segment.  The program is not told of it: no signal when it ends, no
 * wait() that sees it.  Whatever goes wrong in there is the end of the child
 * and of nothing else.
 */
#ifndef WATCH_SCAN_H
#define WATCH_SCAN_H

#include <stdbool.h>
#include <stdint.h>

struct scan_setup {
	uint32_t number;          /* of watch.scans_wanted */
	bool starts;              /* only pointers to starts of blocks count */
	bool chunks;              /* the allocator is glibc's */
	uint64_t allocator_start; /* its module */
	uint64_t allocator_end;
	uint64_t key;             /* of cached chunks */
};

/* Before scan_begin().  How long before it is to be, at least, in ns. */
uint64_t scan_prepare(void);

/*
 * Begin.  0, or a negative errno value: then the segment has said why, and
 * nothing is to be waited for.
 */
int scan_begin(const struct scan_setup *setup);

/* In a child of the program's own, just forked. */
void scan_in_child(void);

/*
 * Has the child come to its end?  True: there is none any more; if it ended
 * without a word, the segment says so.
 */
bool scan_has_ended(void);

#endif
