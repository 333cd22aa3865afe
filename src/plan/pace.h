/*
 * pace.h - how long a thread stood aside because others had its CPU
 *
 * What a batch costs goes by the clock, as it may wait for a disk or for other
 * threads.  But that others want the same CPU says nothing of its size, and
 * long batches meet it more often: where the machine is full, small sizes would
 * look fast.  The kernel knows how long each thread could run and did not.
 *
 * Floor (plan).  May use: base, sys.  Used by: op-state.h, and heaptide.h, of
 * which it is a part.
 * Contexts: the thread's own, at a batch's begin and end; not a signal handler.
 */
#ifndef PLAN_PACE_H
#define PLAN_PACE_H

#include <stdint.h>

/* Where a thread stands.  Zeroed is "not met yet". */
struct pace {
	uint64_t waited_ns; /* it could run and did not, in all */
	uint32_t switches;  /* it has made way so often */
	int32_t tid;        /* 0: the kernel does not tell */
};

/*
 * Now, of the calling thread.  @known: of any time before, of any thread: if it
 * was not switched since, that is it; 0.2 us, else 2.
 */
void pace_read(const struct pace *known, struct pace *now);

/* ns between two of one thread; 0 if they are not, or it is not known. */
uint64_t pace_waited(const struct pace *from, const struct pace *to);

#endif
