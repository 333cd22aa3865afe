/*
 * answer.h - the answers behind the table of requests
 *
 * Floor 7 (control).  May use: base, model, sys, control.  Used by: request.c.
 * Contexts: as request.h.
 *
 * Each writes the members of an object that is open; one that refuses calls
 * request_refuse(), which begins anew.
 */
#ifndef CONTROL_ANSWER_H
#define CONTROL_ANSWER_H

#include "base/text.h"
#include "control/control.h"
#include "control/request.h"

typedef void answer_function(struct control *c, const struct request *r,
    struct text *t);

/* answer-state.c: what is */
answer_function answer_version, answer_status, answer_memory, answer_metrics;
answer_function answer_series, answer_watch;

/* answer-sites.c: where from, and since when */
answer_function answer_sites, answer_marks;

/* answer-act.c: what shall be */
answer_function answer_mark, answer_stacks, answer_sample, answer_budget;
answer_function answer_trim;

/* A whole number of the request's, up to @most; or @otherwise if it has no
 * such word.  False: refused. */
bool answer_count(const struct request *r, size_t word, uint64_t most,
    uint64_t otherwise, struct text *t, uint64_t *n);

#endif
