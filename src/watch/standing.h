/*
 * standing.h - where a thread stands, and how often it ran, as the kernel tells
 *
 * Floor 6 (watch).  May use: base, sys.  Used by: hold.
 * Contexts: anywhere, one thread at a time; the stack may be a small one.
 */
#ifndef WATCH_STANDING_H
#define WATCH_STANDING_H

#include <stdbool.h>
#include <stdint.h>

/* `NUMBER ARG0 ... ARG5 SP PC`, `-1 SP PC`, or `running`. */
struct standing {
	bool runs;
	int64_t call;
	uint64_t argument[6];
	uint64_t sp, pc;
};

/* False: the kernel does not tell, or the thread has ended. */
bool standing_read(int tid, struct standing *s);

/* How often it was given a CPU; 0: that is not told. */
uint64_t standing_slices(int tid);

/* How often it went to sleep; UINT64_MAX: that is not told. */
uint64_t standing_sleeps(int tid);

/* The number behind a word of a thread's status; false: it is not there. */
bool standing_status(int tid, const char *word, unsigned base, uint64_t *n);

#endif
