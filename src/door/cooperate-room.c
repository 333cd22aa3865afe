/*
 * cooperate-room.c - the room, and what becomes of it inside malloc and in
 * children
 */
#include "door/cooperate-room.h"

#include <sys/mman.h>

#include "mem/segment.h"
#include "plan/psi.h"
#include "sys/sys.h"

_Atomic bool cooperate_is_on;

struct cooperate_room cooperate_room;

COLD void *
cooperate_refused(void)
{
	struct segment *s = segment_mine();

	atomic_fetch_add(&cooperate_room.refused, 1);
	if (s != NULL && atomic_load(&s->watch.refused) != UINT32_MAX)
		atomic_fetch_add(&s->watch.refused, 1);
	if (atomic_load(&cooperate_is_on))
		plan_refused();
	return NULL;
}

/*
 * What it is depends on a segment of its own, which there is at its first
 * allocation.  Until it asks, its questions have no answer at hand.
 */
void
cooperate_in_child(void)
{
	struct tide_room *room = &cooperate_room.page.room;

	if (!atomic_load(&cooperate_is_on))
		return;
	atomic_store(&cooperate_is_on, false);
	psi_in_child();
	(void)sys_mmap(&cooperate_room.page, COOPERATE_BYTES, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	room->gate = TIDE_NONE;
	room->budget = room->live = TIDE_NONE;
	room->refresh_ns = 1;
}
