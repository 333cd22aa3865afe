/*
 * work.h - how the work of a program went, all of its operations together
 *
 * Beside the house (tools/ops).  May use: base, model, ops, reader, print,
 * json.  Used by: summary.c, report, account.
 */
#ifndef OPS_WORK_H
#define OPS_WORK_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "profile/reader.h"
#include "say/print.h"

/* Bytes; seconds; shares of 1.  As tide_run_report() has it. */
struct work {
	unsigned ops;             /* that have done anything */
	uint64_t batches, items, items_failed, cuts, aborts, overruns;
	uint64_t budget;          /* TIDE_NONE: there is none */
	uint64_t used_mean, used_peak;
	double utilization, peak_utilization;
	double batch_mean, bytes_per_item;
	uint64_t batch_p50, batch_p95, batch_p99, batch_most;
	double seconds;           /* in batches */
	double delay_seconds, wait_seconds;
	uint64_t delay_freed;
	uint64_t cleanups, cleanup_freed, cleanup_returned;
	double cleanup_seconds, refault_seconds;
	uint64_t retries;
	uint64_t checkpoints, checkpoint_bytes;
	double checkpoint_seconds;
	double overhead;          /* of @seconds */
	uint64_t trend_points;    /* 0: there is none */
	double trend, trend_low, trend_high; /* bytes a batch */
};

/* A part of the whole; what is damaged has none. */
double work_part(double part, double whole);

/* False: it has no operations that did anything. */
bool work_of(const struct profile *profile, struct work *work);

/* Lines, each behind a word in @column columns; an object. */
void work_print_of(const struct print *out, const struct work *work,
    unsigned column);
json_t *work_json_of(const struct work *work);

/* The same of a profile; of no work nothing. */
void work_print(const struct print *out, const struct profile *profile,
    unsigned column);

/* An object; null: there was none. */
json_t *work_json(const struct profile *profile);

#endif
