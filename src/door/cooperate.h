/*
 * cooperate.h - a program that asks how much room is left (heaptide.h)
 *
 * Floor 8 (door).  May use: all floors.  Used by: record, boot, interpose, api.
 * Contexts: the inline ones inside malloc; the others where the program calls
 * tide_*().
 *
 * A program that never asks pays for one load on the slow path.  From the first
 * question on the room (base/room.h) is kept up by threads that publish.
 */
#ifndef DOOR_COOPERATE_H
#define DOOR_COOPERATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "heap/tally.h"
#include "plan/client.h"
#include "plan/plan.h"

/* Has the program asked, in this very process? */
extern _Atomic bool cooperate_is_on INSIDE;

/* Others that publish meanwhile have us look again, but not for ever. */
#define NOTES_MOST 8

/* A thread has published, at @now_ns. */
static inline void
cooperate_note(uint64_t now_ns)
{
	int64_t bytes;
	int tries;

	if (LIKELY(!atomic_load_explicit(&cooperate_is_on,
	    memory_order_relaxed)))
		return;
	/* Who was put aside between the load and the store would leave what
	 * was true then: so look again. */
	for (tries = 0; tries < NOTES_MOST; tries++) {
		bytes = atomic_load(&segment_mine()->live.bytes);
		(void)plan_note(bytes > 0 ? (uint64_t)bytes : 0, now_ns);
		if (bytes == atomic_load(&segment_mine()->live.bytes))
			break;
	}
}

/* How far a thread may move before it publishes, bytes. */
static inline int64_t
cooperate_drift(void)
{
	return LIKELY(!atomic_load_explicit(&cooperate_is_on,
	    memory_order_relaxed)) ? TALLY_DRIFT_BYTES :
	    min_i64((int64_t)plan_quantum(), TALLY_DRIFT_BYTES);
}

/* The allocator has refused a block: NULL. */
void *cooperate_refused(void);

/* A child, just forked: the room is its parent's no more. */
void cooperate_in_child(void);

/*
 * What the program is given (plan/client.h); NULL: nothing is counted here, so
 * it has to look by itself.
 */
EXPORT const struct tide_runtime *heaptide_runtime(void);

#endif
