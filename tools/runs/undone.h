/*
 * undone.h - in words, what of a batch's jobs had to be done again, or was not
 *
 * Beside the house (tools/runs).  May use: base, plan, print.  Used by:
 * batch-report.c, account-say.c.
 */
#ifndef RUNS_UNDONE_H
#define RUNS_UNDONE_H

#include "plan/journal.h"
#include "say/print.h"

/* Tries that came to nothing, and were followed by another. */
struct print_list undone_again(const struct journal_totals *t);

/* What nobody will try again. */
struct print_list undone_for_good(const struct journal_totals *t);

#endif
