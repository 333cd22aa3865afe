/*
 * run-failed.h - which items of a run failed and were not done since, and which
 * are left out
 *
 * Floor (plan).  May use: base, sys, journal.h, spans.h.  Used by: run-look.c,
 * run-state.h, tools, and heaptide.h, of which it is a part.
 * Contexts: as journal.h; no state of its own.
 *
 * A FAIL record puts its items in, and a BATCH that was begun after it and has
 * them, or a FAIL with the reason 0, takes them out.  What a process did behind
 * the mark that the next one went on from counts for nothing: that one does it
 * anew.
 */
#ifndef PLAN_RUN_FAILED_H
#define PLAN_RUN_FAILED_H

#include <stdint.h>

#include "plan/journal.h"
#include "plan/spans.h"

struct run_failed {
	struct spans failed;      /* stamp: number of the record */
	struct spans quarantined; /* the same */
	uint64_t from;            /* what an ordinary resume does is from here
	                           * on; TIDE_NONE: nothing, it is over */
};

/*
 * Of the file @fd; @out is zero before.  0, or a negative errno value, and then
 * there is nothing in @out.
 */
int run_failed_read(int fd, uint8_t *buffer, struct run_failed *out);

/*
 * Leave what is to be done again beside an ordinary resume: of a run that is not
 * over, items before its last checkpoint; none that is left out.
 */
int run_failed_to_redo(struct run_failed *f);

void run_failed_close(struct run_failed *f);

#endif
