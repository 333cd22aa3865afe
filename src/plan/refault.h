/*
 * refault.h - what it cost to give memory back, once it was needed again
 *
 * Floor (plan).  May use: base, sys, plan.h.  Used by: cleanup, and heaptide.h,
 * of which it is a part: C99 and C++.
 * Contexts: at safe points only; errno is left alone.
 *
 * A page that was given back and is touched again is a minor fault.  What one
 * takes is measured here, at the first bill: from 100 ns to some us.
 */
#ifndef PLAN_REFAULT_H
#define PLAN_REFAULT_H

#include <stdbool.h>
#include <stdint.h>

/* Cleanups since the last bill, in sums.  Bytes. */
struct refault {
	uint64_t freed, returned;
	uint64_t purged;  /* of @returned, by the allocator's purge */
	uint64_t time_ns;
	uint64_t pages;   /* of a bill: that were needed again, at most as many
	                   * as were given back */
	uint64_t cost_ns; /* of a bill: what these took */
};

/* A cleanup is over; @faults: minor ones of the process so far. */
void refault_note(const struct refault *r, uint64_t faults);

/* False: there was none since the last bill. */
bool refault_is_due(void);

/* The bill, @faults later; what is noted from now on is for the next. */
void refault_take(struct refault *bill, uint64_t faults);

/* A child that was forked: its parent pays. */
void refault_in_child(void);

#endif
