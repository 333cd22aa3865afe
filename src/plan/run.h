/*
 * run.h - a run: what a program has done, so that it can go on from there
 *
 * Floor (plan).  May use: base, model, sys, plan.h, op.h.  Used by: plan, door,
 * and heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), never inside malloc or a handler.
 *
 * The functions are documented in heaptide.h: what is there named tide_x() is
 * run_x() here.  There is one run at a time in a process.
 */
#ifndef PLAN_RUN_H
#define PLAN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/client.h"
#include "plan/journal.h"

int run_begin(const char *name, uint64_t total, const char *unit, char *id);
int run_input(const char *path);
int run_resume(uint64_t *cursor, void *blob, size_t *len);
int run_checkpoint(uint64_t cursor, const void *blob, size_t len);
int run_on_checkpoint(tide_checkpoint_fn fn, void *context);
int run_finish(int ok);
void run_recycle(void);

/* Is there a checkpoint that a new start would go on from? */
bool run_has_mark(void);

/* Items that a batch may have: tide_batch_begin(). */
struct run_part {
	uint64_t first, count; /* count: up to one that it may not have */
	uint64_t left;         /* that are to be done in all; TIDE_NONE */
	uint64_t end;          /* of what was asked for */
	uint64_t number;       /* of the last record before it; 0: no run */
};

/*
 * The next of [first, first + remaining) that are to be done.  False: none is.
 */
bool run_part_find(uint64_t first, uint64_t remaining, struct run_part *part);

/*
 * A batch is over: it is written down, and if a checkpoint is due the program
 * is asked for it.  @every: batches, 0: as configured.  No lock is held.
 */
void run_note_batch(const struct journal_batch *batch, const tide_op *op,
    uint32_t every);

/* Items that failed; @why may be NULL. */
void run_note_fail(uint64_t first, uint64_t count, int reason,
    const char *why);

/* An operation is new: begin with what the run has learned of it before. */
void run_warm(tide_op *op);

/* Of a child: it has no run. */
void run_in_child(void);

#endif
