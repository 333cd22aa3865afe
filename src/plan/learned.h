/*
 * learned.h - what was learned of an operation, kept for the next start
 *
 * Floor (plan).  May use: base, model, sys, plan.h, op-state.h, run-who.h.
 * Used by: op.c, batch-close.c, and heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), never inside malloc or a handler.
 *
 * With HEAPTIDE_BATCH_WARM=on, for each operation of a program a file beside
 * those of runs, models/NAME-SUM.json: what its batches took (sizing_save()).
 * It is replaced as a whole, so who is killed leaves the one before; it is of
 * one build of the program, and of no other.  A run that goes on knows more, and
 * goes before it (run_warm()).
 */
#ifndef PLAN_LEARNED_H
#define PLAN_LEARNED_H

#include "plan/client.h"

/* An operation is new: begin with what is kept of it, if nothing else is known.
 * What is no such file is told, and as if it were not there. */
void learned_take(tide_op *op);

/* A batch of it is over: keep what is known, if that is worth it by now.  No
 * lock is held. */
void learned_keep(tide_op *op);

#endif
