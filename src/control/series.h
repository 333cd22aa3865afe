/*
 * series.h - how a process stood, second by second and minute by minute
 *
 * Floor 7 (control).  May use: base, model, sys, control.  Used by: the library
 * on its slow path, `heaptide run` beside it, answers to requests.
 * Contexts: inside malloc, in signal handlers: no lock, no waiting.
 *
 * Nobody has a clock that ticks: who comes by first in a second notes it.  A
 * second that has no point is one in which the heap was left alone.
 */
#ifndef CONTROL_SERIES_H
#define CONTROL_SERIES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "control/control.h"
#include "model/trend.h"

/* Has a second begun that has no point yet?  One load. */
static inline bool
series_is_due(const struct segment *s, uint64_t now_ns)
{
	return above_u64(now_ns, s->identity.clock_ns) / NS_PER_S >
	    atomic_load_explicit(&s->watch.second, memory_order_relaxed);
}

/*
 * Note how the process stands, unless this second has its point already.  What
 * is resident is noted if somebody has looked (control/census.h) lately.
 */
void series_note(struct control *c, uint64_t now_ns);

/* Put a look that was just taken to the point of its second. */
void series_fill(struct control *c, uint64_t now_ns);

/*
 * How fast live bytes grow, by the points of the last @span_ns and as it stands
 * at @now_ns.  False: there are too few.
 */
bool series_growth(const struct control *c, uint64_t now_ns, uint64_t span_ns,
    struct trend_line *line);

#endif
