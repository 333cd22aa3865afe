/*
 * tell.h - how far the work is, line by line, for who asked to be told
 *
 * Floor (plan).  May use: base, message.h, settings.h, plan.h.  Used by: batch,
 * guard, and heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), without plan_lock().
 *
 * With HEAPTIDE_PROGRESS=lines, or tide_op_conf.monitor, on standard error; else
 * nothing is told.
 */
#ifndef PLAN_TELL_H
#define PLAN_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/client.h"

/* Does @conf, or else what is set for the process, ask for it? */
bool tell_is_on(const struct tide_op_conf *conf);

/* A batch of @n items, the next of @row, from item @first on. */
void tell_begin(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t first, uint64_t n);

/* It is over; @used: bytes now, @initial: before the first batch. */
void tell_end(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t time_ns, uint64_t used,
    uint64_t initial);

/* A cleanup between two batches has freed so much. */
void tell_cleaned(const struct tide_op_conf *conf,
    const tide_reclaim_result *result, uint64_t used);

#endif
