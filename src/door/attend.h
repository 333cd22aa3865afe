/*
 * attend.h - what is due now and then, and what is asked from outside
 *
 * Floor 8 (door), above dial.  May use: all floors.  Used by: record, keeper.
 * Contexts: inside malloc, on the slow path.  errno is left as it was by who
 * calls.
 */
#ifndef DOOR_ATTEND_H
#define DOOR_ATTEND_H

#include <stdbool.h>
#include <stdint.h>

#include "control/control.h"
#include "control/series.h"
#include "door/survey.h"
#include "heap/generation.h"
#include "mem/segment.h"
#include "sys/arch.h"

/* Is there anything?  A few loads. */
static inline bool
attend_is_due(uint64_t now_ns)
{
	const struct segment *s = segment_mine();
	uint32_t wanted = atomic_load_explicit(&s->config.stacks_wanted,
	    memory_order_relaxed);

	return series_is_due(s, now_ns) || generation_is_due(s) ||
	    now_ns >= atomic_load_explicit(&s->watch.next_mark_ns,
	    memory_order_relaxed) ||
	    (wanted != 0 && wanted - 1 != atomic_load_explicit(
	    &s->config.stacks, memory_order_relaxed)) ||
	    survey_is_due(s) ||
	    atomic_load_explicit(&s->watch.trims_wanted,
	    memory_order_relaxed) != atomic_load_explicit(
	    &s->watch.trims_done, memory_order_relaxed);
}

/*
 * See to it.  @caller: of the allocation function, or NULL where that is not at
 * hand.
 */
void attend(uint64_t now_ns, const struct arch_frame *caller);

/* The same in a thread of ours, which holds no lock of the allocator's. */
void attend_beside(struct control *c, uint64_t now_ns);

#endif
