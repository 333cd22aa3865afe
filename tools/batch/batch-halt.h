/*
 * batch-halt.h - when a batch is given up, in GNU parallel's words
 *
 * Beside the house (tools/batch).  May use: base.  Used by: batch-*.c,
 * batch.h.
 *
 *	never             all jobs are done, whatever becomes of them
 *	soon,fail=1       no job is started after one has failed
 *	now,fail=30%      what runs is ended as well, once so many of all failed
 *	soon,success=1    once one did not fail; now,done=3: whichever they did
 *	0 1 2 -1 -2 30%   never; soon,fail=1; now,fail=1; soon,success=1;
 *	                  now,success=1; soon,fail=30%
 */
#ifndef BATCH_BATCH_HALT_H
#define BATCH_BATCH_HALT_H

#include <stdbool.h>
#include <stdint.h>

enum halt_when { HALT_NEVER, HALT_SOON, HALT_NOW };
enum halt_what { HALT_FAIL, HALT_SUCCESS, HALT_DONE };

struct halt {
	enum halt_when when;
	enum halt_what what;
	bool percent;
	uint32_t limit; /* jobs, or percent of all */
};

/* Part of a format. */
#define HALT_ACCEPTED "never, or soon or now with ,fail=N, ,success=N or " \
	",done=N, where N may be a share such as 30%%"

/* 0 or -EINVAL. */
int halt_parse(const char *text, struct halt *halt);

struct halt_counts {
	uint64_t done, failed; /* jobs; those that failed are among the done */
	uint64_t whole;        /* jobs in all; 0: not known */
};

/* Is it time?  A share of all is judged once three have failed, at least. */
bool halt_is_due(const struct halt *halt, const struct halt_counts *counts);

/*
 * The exit status of a batch: jobs that failed, 101 for more than a hundred.
 * Where a share of failures ends it, the share that failed.
 * @halted: it was given up, and the last job that counted for that has ended
 * with @last.
 */
int halt_status(const struct halt *halt, const struct halt_counts *counts,
    bool halted, int last);

#endif
