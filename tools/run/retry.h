/*
 * retry.h - whether a program is started again, when, and with what
 *
 * Beside the house (tools/run).  May use: base, outcome.  Used by: run.h.
 * No clock, no I/O: what is to be known is given, chance
 * included.
 *
 *  R1  Nothing that was done or was meant to end is started again; an error
 *	only if that is wanted.
 *  R2  Who ended to be recycled is started at once, and it is not counted; but
 *	if the run then does not get on three times in a row, it is stuck.
 *  R3  Failures for want of memory and others are counted apart, and both from
 *	zero once the cursor of the run has gone on.
 *  R4  Each waits longer: from @delay to @factor times what the last waited,
 *	by chance, so that many that fell together do not rise together.
 *  R5  A batch that was lost is tried again in smaller ones, of @fallback
 *	items, then of one, up to where it ended.  So the item is found that
 *	will not be done.
 *  R6  It is left out once it was alone in three lost batches, or once tries
 *	are used up; that is progress.  If then it comes again, the program
 *	cannot leave it out, and it is at an end.
 */
#ifndef RUN_RETRY_H
#define RUN_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "run/outcome.h"

#define RETRY_ALONE 3 /* R6 */
#define RETRY_IDLE  3 /* R2 */

struct retry_policy {
	uint64_t most;       /* tries more; 0: none at all */
	uint64_t delay_ns, cap_ns;
	double factor;
	bool spread;         /* by chance */
	bool errors;         /* others than for want of memory as well */
	uint32_t fallback;   /* items */
};

/* An attempt that is over. */
struct retry_event {
	enum outcome outcome;
	bool has_cursor;     /* it is in a run, which is at */
	uint64_t cursor;
	bool in_batch;       /* one was under way, of items */
	uint64_t first, n;   /* [first, first + n) */
	uint64_t lived_ns;
	double chance;       /* 0 to 1 */
};

enum retry_why {
	RETRY_AGAIN,
	RETRY_OVER,          /* R1: there is nothing to be tried again */
	RETRY_USED_UP,       /* R3 */
	RETRY_STUCK,         /* R2 */
	RETRY_NO_WAY_ROUND   /* R6 */
};

struct retry_verdict {
	enum retry_why why;
	uint64_t delay_ns;
	uint32_t n;          /* items of a batch at most; 0: as ever */
	uint64_t end;        /* of those that begin before this item */
	bool leave_out;      /* item @item, from now on */
	uint64_t item;
};

/* Zeroed is "no attempt yet". */
struct retry {
	uint64_t cursor;
	uint64_t memory, errors;  /* failures since it went on */
	uint64_t idle, quick;     /* recycled without getting on; at once */
	uint64_t last_ns;         /* that was waited; 0: not since then */
	uint32_t n;               /* as in the last verdict */
	uint64_t end;
	uint64_t alone, alone_at; /* lost batches of this one item */
	bool has_left_out;
	uint64_t left_out;        /* the last that was */
};

void retry_next(struct retry *r, const struct retry_policy *policy,
    const struct retry_event *event, struct retry_verdict *verdict);

#endif
