/*
 * cleanup.h - who gives memory up when there is little, and what it brought
 *
 * Floor (plan).  May use: base, model, sys, plan.h.  Used by: plan, door, and
 * heaptide.h, of which it is a part.
 * Contexts: at safe points only, never inside malloc or a signal handler.
 * errno is left alone.
 *
 * In the order of their class, then of what they brought a millisecond, then
 * of their priority, the greater first; one at a time, until there is enough.
 * One that was not called yet comes before those of its class that were.
 *
 *  C1  A callback is called by the thread that registered it and by no other,
 *	but for TIDE_ANY_THREAD; with no lock held, and never inside another.
 *  C2  A callback may do anything: allocate, register, drop itself or others,
 *	end its thread, throw, jump out.  Who was at it is then known by thread
 *	and run, and the next who comes goes on in its place: at once if it is
 *	the same thread and has left the frame in which it was, or if that
 *	thread has ended; else CLEANUP_PATIENCE_NS after the callback was
 *	called.
 *  C3  One that brings less than a hundredth of what is wanted (or, where all
 *	is wanted, less than a page) is left out of the next run, then of the
 *	next two, four ... 64, until it brings more.
 *	That is not for who forces it (TIDE_FORCE_RECLAIM, TIDE_EMERGENCY).
 *
 * How often it may run, and for how much of the time, is for who calls:
 * states_may_reclaim() in model/states.h.
 */
#ifndef PLAN_CLEANUP_H
#define PLAN_CLEANUP_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/client.h"

#define CLEANUPS_MOST 64

#define CLEANUP_PATIENCE_NS UINT64_C(10000000000)

/*
 * An id from 1; -EINVAL: @fn is NULL, or @cls or @flags are out of range;
 * -ENOSPC: there are CLEANUPS_MOST, of threads that have not ended.  The same
 * function may be there several times.  @name may be NULL; what is kept of it
 * is 47 bytes.
 */
int cleanup_add(tide_clean_fn fn, void *ctx, int cls, int prio,
    unsigned flags, const char *name);

/*
 * 0; -ENOENT: there is none of this @id (any more); -EBUSY: another thread has
 * been inside of it for a second now.
 *
 * May be called inside the callback itself; else it has returned when this
 * returns with 0.  In any case it will not be called again.
 */
int cleanup_drop(int id);

/*
 * Call those that may be called here until @want bytes are free (0: all of
 * them); then have the allocator give back, if it pays.
 *
 *	TIDE_OK         none
 *	TIDE_WARNING    TIDE_CLEAN_COMPACT
 *	TIDE_CRITICAL   and TIDE_CLEAN_BENIGN, TIDE_CLEAN_IDLE
 *	TIDE_EXHAUSTED  and TIDE_CLEAN_DESTRUCTIVE
 *
 * TIDE_EMERGENCY is as TIDE_EXHAUSTED whatever @level is; where it is forced at
 * TIDE_OK that is as at TIDE_CRITICAL.
 *
 * It pays if it is forced; or if what is resident and not live is more than a
 * tenth of the budget, and as much is used as at TIDE_WARNING.  Where that
 * brings nothing, or the next batch takes it all back, it is left out as in C3.
 *
 * @out may be NULL; it is zero unless 0 is returned.  What is freed is what the
 * calling thread holds less; if that is nothing, what the process does; where
 * the heap is not counted, what the callbacks say.
 *
 * @out->state is as before, until somebody looks again.
 *
 * Return: 0; -EBUSY: another thread is at it, or the caller is inside of one;
 * -EINVAL: @level or @flags are out of range.
 */
int cleanup_run(int level, unsigned flags, uint64_t want,
    tide_reclaim_result *out);

/*
 * Is it for this thread to clean up at @level?  It has something to call, or no
 * thread has.
 */
bool cleanup_is_ours(int level);

/*
 * Does somebody outside want one (room->cleanups_wanted) that this thread has
 * something to do for?  If so, and it is at a safe point, it calls
 * cleanup_wish(): its callbacks are called, forced, at the level that is wanted,
 * or at TIDE_CRITICAL where the state is below.  What that brought is in the
 * room.  It is done (room->cleanups_done) when all threads with callbacks have
 * come by.  Two loads where nothing is wanted.
 */
bool cleanup_is_wanted(void);
void cleanup_wish(void);

/*
 * A batch has ended: what the last cleanups cost in faults since, by what a
 * fault takes on this machine.  No more of them than pages were given back.
 */
void cleanup_bill(void);

/*
 * A child that was forked: callbacks stay, but for those of the threads that it
 * has not; who was at it does not.
 */
void cleanup_in_child(void);

#endif
