/*
 * seen.h - what was found out about a process a moment ago
 *
 * Floor 7 (control).  May use: base, model, sys, plan, control.  Used by:
 * answers to requests; who serves has one for each process.
 * Contexts: as limit.h.
 *
 * Who asks thousands of times a second would have us read some ten files and
 * judge all sites each time.  What that says is as good for a little while: 20
 * ms, or, where it took longer to find out, as long as makes a tenth of the
 * time of it.  What the program counts is never taken from here, and neither is
 * what depends on words that have changed since: a budget, a mark.
 *
 * With no place to keep it, `control.seen` NULL, all is found out anew.
 */
#ifndef CONTROL_SEEN_H
#define CONTROL_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "control/control.h"
#include "control/judge.h"
#include "control/limit.h"
#include "model/trend.h"
#include "sys/proc.h"

/* When, and until when it is good; zeroed: never. */
struct seen_time {
	uint64_t at_ns, until_ns;
};

enum seen_span { SEEN_MINUTE, SEEN_HOUR, SEEN_MARK, SEEN_SPANS };

/* All zero: nothing has been seen. */
struct seen {
	struct seen_time stat_time, status_time, limit_time, brief_time;
	struct proc_stat stat;
	struct proc_status status;
	struct limit limit;
	uint64_t budget_bytes; /* that @limit was found with */
	struct judge_brief brief;
	uint64_t moments;      /* that @brief was found with */
	struct seen_growth {
		struct seen_time time;
		uint64_t mark_ns; /* that it was asked for */
		bool known;
		struct trend_line line;
	} growth[SEEN_SPANS];
};

/* As the functions they are named after. */
int seen_stat(const struct control *c, struct proc_stat *stat);
int seen_status(const struct control *c, struct proc_status *status);
int seen_limit(const struct control *c, struct limit *limit);
int seen_brief(const struct control *c, struct judge_brief *brief);

/* @mark_ns: when the mark was set, for SEEN_MARK; else 0. */
bool seen_growth(const struct control *c, enum seen_span span,
    uint64_t mark_ns, struct trend_line *line);

#endif
