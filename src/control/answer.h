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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "control/control.h"
#include "control/request.h"

/* answer-parts.c: what several have */

/* A whole number of the request's, up to @most; or @otherwise if it has no
 * such word.  False: refused. */
bool answer_count(const struct request *r, size_t word, uint64_t most,
    uint64_t otherwise, struct text *t, uint64_t *n);

/*
 * Of the sites from 1 to @sites the @n that come first, in order; returns how
 * many.  @is_before: that @a is told before @b; of one that is not told at all
 * @is_told says no.
 */
struct answer_order {
	bool (*is_told)(const void *context, uint32_t site);
	bool (*is_before)(const void *context, uint32_t a, uint32_t b);
	const void *context;
};

size_t answer_choose(const struct answer_order *order, uint64_t sites,
    size_t n, uint32_t *best);

/* The list "stack" of a site: modules and offsets, leaf first. */
void answer_stack(const struct control *c, uint32_t site, struct text *t);

/* answer-state.c: what is */
void answer_version(struct control *c, const struct request *r,
    struct text *t);
void answer_status(struct control *c, const struct request *r, struct text *t);
void answer_memory(struct control *c, const struct request *r, struct text *t);
void answer_series(struct control *c, const struct request *r, struct text *t);
void answer_watch(struct control *c, const struct request *r, struct text *t);

/* answer-metrics.c: what monitoring systems are told */
void answer_metrics(struct control *c, const struct request *r,
    struct text *t);

/* answer-sites.c: where from, and since when */
void answer_sites(struct control *c, const struct request *r, struct text *t);
void answer_marks(struct control *c, const struct request *r, struct text *t);

/* answer-leaks.c: what keeps growing */
void answer_leaks(struct control *c, const struct request *r, struct text *t);

/* answer-ops.c: what its operations did, and what should be changed */
void answer_ops(struct control *c, const struct request *r, struct text *t);
void answer_analyze(struct control *c, const struct request *r,
    struct text *t);

/* What a program with operations is at; members of an object. */
void answer_progress(struct control *c, struct text *t);

/* answer-act.c: what shall be */
void answer_mark(struct control *c, const struct request *r, struct text *t);
void answer_stacks(struct control *c, const struct request *r, struct text *t);
void answer_sample(struct control *c, const struct request *r, struct text *t);
void answer_budget(struct control *c, const struct request *r, struct text *t);
void answer_trim(struct control *c, const struct request *r, struct text *t);
/* Whatever was asked: a trim is wanted, and how that stands is told. */
void answer_trim_now(struct control *c, struct text *t);

/* answer-room.c: what a program that asks for its budget shall do */
void answer_cleanup(struct control *c, const struct request *r,
    struct text *t);
/* Asks for it, the first time; has it been done, or waited for long enough? */
bool answer_cleanup_is_done(struct control *c, struct request *r);
/* Of any program: a cleanup, or else a trim.  Waits as a cleanup does. */
void answer_reclaim(struct control *c, const struct request *r,
    struct text *t);
void answer_pressure(struct control *c, const struct request *r,
    struct text *t);
void answer_drain(struct control *c, const struct request *r, struct text *t);

/* answer-scan.c: who holds it */
void answer_scan(struct control *c, const struct request *r, struct text *t);

/* answer-runs.c: what can be gone on with */
void answer_checkpoints(struct control *c, const struct request *r,
    struct text *t);
void answer_resume(struct control *c, const struct request *r,
    struct text *t);

/* `cleanup max_age=24h` is of the files of runs, and not of the program. */
bool answer_is_max_age(const struct request *r);
void answer_clean_runs(const struct request *r, struct text *t);

#endif
