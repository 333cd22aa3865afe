/*
 * decision.h - why a batch is as large as it is, for who reads the log
 *
 * Floor (plan).  May use: base, model, op-state.h, plan.h.  Used by: batch, and
 * heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), without plan_lock().
 *
 * With log.debug, where logs go; else nothing is told.
 */
#ifndef PLAN_DECISION_H
#define PLAN_DECISION_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/op-state.h"

/* @b has begun, and may take @predicted bytes; 0: nobody knows. */
void decision_begin(const tide_op *op, const tide_batch *b,
    uint64_t predicted);

/* It is over. */
void decision_end(const tide_op *op, const struct sizing_batch *s);

/*
 * Have delays brought nothing, so that there should be no more?  That is told
 * once, in any case.  Never of who asked for them always.
 */
bool decision_vain(tide_op *op, uint64_t budget);

#endif
