/*
 * underway.h - which batches are under way, and whose they are
 *
 * Floor (plan).  May use: base, model, sys, plan.h, member.h, op-state.h.  Used
 * by: batch.
 * Contexts: with plan_lock() held, all of it; never inside malloc.
 *
 * A batch whose end never comes - its thread has ended, or a jump went past it
 * - must not be waited for, nor threads that wait for each other.
 */
#ifndef PLAN_UNDERWAY_H
#define PLAN_UNDERWAY_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/op-state.h"

/*
 * The calling thread has begun the batch @b, the number @begun.  @member: who
 * holds its lease, or -1.  False: there is no place; then nothing is known of
 * it, and it is waited for.
 */
bool underway_put(const tide_op *op, const tide_batch *b, uint32_t begun,
    uint64_t reserved, int member);

/* It has ended.  False: it has no place. */
bool underway_take(uint32_t begun);

/* One batch less, of the operation of this number; of what is counted. */
void underway_count_off(uint32_t op, uint64_t reserved);

/* What was at @b, as another is begun there: given up without a word. */
void underway_forget_at(const tide_batch *b);

/* Those of threads that have ended.  A system call for each. */
void underway_forget_dead(void);

/* The thread waits to begin another, or no longer does. */
void underway_set_waits(int32_t tid, bool waits);

/* Is one under way of this thread, with a lease? */
bool underway_holds_lease(int32_t tid);

/*
 * Is there a batch that may come to its end while this thread waits: one that
 * is another's, who does not wait as well?  @op: of this one; NULL: of any.
 */
bool underway_will_end(const tide_op *op);

#endif
