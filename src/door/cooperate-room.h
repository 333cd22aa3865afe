/*
 * cooperate-room.h - the room of a program that asks how much is left
 *
 * Floor 8 (door), below boot.  May use: base, sys, mem, heap, plan.
 * Contexts: inside malloc, in a child just forked.
 *
 * A program that never asks pays for one load on the slow path.  From the first
 * question on the room (base/room.h) is kept up by threads that publish.
 */
#ifndef DOOR_COOPERATE_ROOM_H
#define DOOR_COOPERATE_ROOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/room.h"
#include "heap/tally.h"
#include "plan/plan.h"

/*
 * Its address is known to the program, and stays good for ever: a part of the
 * segment and our own data at once, where the same pages are mapped twice.
 */
#define COOPERATE_PAGE  4096
#define COOPERATE_BYTES ((sizeof(struct tide_room) + COOPERATE_PAGE - 1) / \
	COOPERATE_PAGE * COOPERATE_PAGE)

struct cooperate_room {
	union {
		struct tide_room room;
		char bytes[COOPERATE_BYTES];
	} page;
	_Atomic uint64_t refused;
} __attribute__((aligned(COOPERATE_PAGE)));

extern struct cooperate_room cooperate_room INSIDE;

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

#endif
