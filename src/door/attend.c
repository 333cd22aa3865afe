#include "door/attend.h"

#include "control/mark.h"
#include "door/boot.h"
#include "door/dial.h"
#include "door/inside.h"
#include "door/purge.h"

/* --- giving memory back --------------------------------------------------- */

/* So often it is tried where no walk comes to the root; then it is given up. */
#define TRIES_MOST 100

/* @safe: it may be done here and now. */
static void
trim(struct control *c, uint64_t now_ns, bool safe)
{
	static _Atomic uint32_t tries;
	struct segment_watch *w = &c->segment->watch;
	uint32_t wanted = atomic_load(&w->trims_wanted);
	uint32_t done = atomic_load(&w->trims_done);
	bool can = safe && purge_can();

	if (wanted == done || (!can && purge_can() &&
	    atomic_fetch_add(&tries, 1) < TRIES_MOST))
		return;
	atomic_store(&tries, 0);
	if (!atomic_compare_exchange_strong(&w->trims_done, &done, wanted) ||
	    !can)
		return;
	real.trim(TIDE_NONE);
	(void)mark_set(c, MARK_TRIM, "trim", now_ns);
}

/* --- now and then --------------------------------------------------------- */

static bool
wants_trim(void)
{
	const struct segment_watch *w = &segment_mine()->watch;

	return atomic_load(&w->trims_wanted) != atomic_load(&w->trims_done);
}

void
attend(uint64_t now_ns, const struct arch_frame *caller)
{
	struct control c = inside();

	series_note(&c, now_ns);
	mark_by_time(&c, now_ns);
	if (generation_is_due(c.segment))
		generation_follow();
	dial_follow(now_ns);
	survey_attend();
	if (wants_trim() && caller != NULL)
		trim(&c, now_ns, purge_is_safe(caller));
}

void
attend_beside(struct control *c, uint64_t now_ns)
{
	series_note(c, now_ns);
	mark_by_time(c, now_ns);
	dial_follow(now_ns);
	survey_attend();
	trim(c, now_ns, true);
}
