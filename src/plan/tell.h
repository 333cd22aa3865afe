/*
 * tell.h - how far the work is, line by line, for who asked to be told
 *
 * Floor (plan).  May use: base, message.h, settings.h, plan.h.  Used by: batch*.c,
 * and heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), without plan_lock().
 *
 * With HEAPTIDE_PROGRESS=lines, bar or json, or tide_op_conf.monitor (lines), on
 * standard error; else nothing is told.
 */
#ifndef PLAN_TELL_H
#define PLAN_TELL_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/client.h"

enum tell_mode { TELL_OFF, TELL_LINES, TELL_BAR, TELL_JSON };

/* What @conf, or else what is set for the process, asks for. */
enum tell_mode tell_mode(const struct tide_op_conf *conf);

/* Is every single item told? */
bool tell_items(const struct tide_op_conf *conf);

/* A batch of @n items, the next of @row, from item @first on. */
void tell_begin(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t first, uint64_t n);

/* Item @index is about to be dealt with; if tell_items(). */
void tell_item(const struct tide_op_stats *row, uint64_t index);

/* It is over; @used: bytes now, @initial: before the first batch. */
void tell_end(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t time_ns, uint64_t used,
    uint64_t initial);

/* A cleanup between two batches has freed so much. */
void tell_cleaned(const struct tide_op_conf *conf,
    const tide_reclaim_result *result, uint64_t used);

/* --- for tell.c (tell-forms.c) -------------------------------------------- */

/* How many there will be, if all are of one size; 0: nobody knows. */
uint64_t tell_chunks(const struct tide_op_conf *conf,
    const struct tide_op_stats *row);

/* Until all is done, by how long it took so far; TIDE_NONE: nobody knows. */
uint64_t tell_time_left(const struct tide_op_stats *row);

/* The same two as a bar, and as a line of JSON. */
void tell_bar(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t used);
void tell_json_begin(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t first, uint64_t n,
    uint64_t used);
void tell_json_end(const struct tide_op_conf *conf,
    const struct tide_op_stats *row, uint64_t time_ns, uint64_t used,
    uint64_t initial);
void tell_json_cleaned(const tide_reclaim_result *result, uint64_t used);

#endif
