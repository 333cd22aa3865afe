/*
 * cleanup.h - who gives memory up when there is little, and what it brought
 *
 * Floor (plan).  May use: base, model, sys, plan.h.  Used by: plan, door, and
 * heaptide.h, of which it is a part.
 * Contexts: at safe points only, never inside malloc or a signal handler.
 *
 * In the order of their class, then of what they brought a millisecond, then
 * of their priority; one at a time, until there is enough.
 */
#ifndef PLAN_CLEANUP_H
#define PLAN_CLEANUP_H

#include <stdint.h>

#include "plan/client.h"

#define CLEANUPS_MOST 64

/*
 * An id from 1; -EINVAL: @fn is NULL, or a value out of range; -ENOSPC: there
 * are CLEANUPS_MOST.
 */
int cleanup_add(tide_clean_fn fn, void *ctx, int cls, int prio,
    unsigned flags, const char *name);

/*
 * 0, or -ENOENT.  May be called inside the callback itself; else it has
 * returned, or will not be called any more, when this returns.
 */
int cleanup_drop(int id);

/*
 * Call those that may be called here, up to the class that @level and @flags
 * (TIDE_EMERGENCY ...) allow, until @want bytes are free (0: all of them);
 * then have the allocator give back, if it pays.
 *
 * Return: 0, -EBUSY: another thread is at it, or the caller is inside of one.
 */
int cleanup_run(int level, unsigned flags, uint64_t want,
    tide_reclaim_result *out);

/* A batch has ended: what the last cleanups cost in faults since. */
void cleanup_bill(void);

/* A child that was forked: callbacks stay, who was at it does not. */
void cleanup_in_child(void);

#endif
