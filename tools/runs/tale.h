/*
 * tale.h - what the batches in the file of a run come to, learned from again
 *
 * Beside the house (tools/runs).  May use: base, model, plan, runs, need.
 * Used by: account.c.
 *
 * Each batch of a run has a record, so what it did can be told though its
 * process was killed before it wrote down how it went.  The rows are what a
 * program that asks for its budget would have after these batches, by the same
 * laws.  Of a long run the oldest records are gone (journal_compact()).
 */
#ifndef RUNS_TALE_H
#define RUNS_TALE_H

#include <stddef.h>
#include <stdint.h>

#include "base/room.h"
#include "runs/runs.h"

struct tale {
	struct tide_op_stats op[TIDE_OPS]; /* by their first batches */
	size_t ops;
	uint64_t *peak;        /* of each batch, bytes; the least first */
	size_t count, room;
	uint64_t used_peak, used_last, budget;
	double used_area;      /* bytes x ns */
	uint64_t time_ns;      /* of all batches, and of it: */
	uint64_t high_ns;      /* above 80 % of the budget */
	uint64_t state_ns[4];
};

/* 0, or a negative errno value; then there is nothing to close. */
int tale_open(const struct run_file *file, struct tale *tale);
void tale_close(struct tale *tale);

/* The least that @percent of the batches did not exceed; 0: there are none. */
uint64_t tale_quantile(const struct tale *tale, unsigned percent);

#endif
