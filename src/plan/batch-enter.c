/*
 * batch-enter.c - may a batch begin: what it waits for, and for how long
 */
#include "plan/batch-state.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "model/states.h"
#include "plan/cleanup.h"
#include "plan/member.h"
#include "plan/message.h"
#include "plan/plan.h"
#include "plan/run.h"
#include "plan/tell.h"
#include "plan/underway.h"
#include "sys/sys.h"

/*
 * One look at the door: the verdict, and until when to wait; or -EDEADLK: it
 * would wait for itself.
 */
static int
ask(tide_op *op, struct states_answer *answer)
{
	struct tide_room *room = plan_room();
	struct states_wish wish;

	memset(&wish, 0, sizeof(wish));
	wish.one = op_row(op)->one;
	wish.baseline = room->used;
	wish.start = plan_start_used();
	wish.checkpoint = run_has_mark();
	wish.in_flight = underway_will_end(NULL);
	/* A probe that nobody can wait for tells nothing any more. */
	if (plan_states()->probing && !wish.in_flight)
		states_ended(plan_states(), false);
	if (op->conf.max_concurrent != 0 &&
	    op_row(op)->active >= op->conf.max_concurrent) {
		memset(answer, 0, sizeof(*answer));
		return underway_will_end(op) ? STATES_WAIT : -EDEADLK;
	}
	states_ask(plan_states(), &wish, answer);
	return answer->verdict;
}

/* All that can be had, whatever it costs. */
static void
reclaim_all(void)
{
	tide_reclaim_result result;
	uint64_t now_ns = sys_clock();

	memset(&result, 0, sizeof(result));
	(void)cleanup_run(TIDE_EXHAUSTED, TIDE_EMERGENCY |
	    TIDE_FORCE_RECLAIM, 0, &result);
	plan_lock();
	states_reclaimed(plan_states(), sys_clock() - now_ns, sys_clock());
	plan_unlock();
}

/*
 * Where waiting threads hold what each other wait for, one of them is told;
 * they may have begun to wait only now, so not before so long.
 */
#define EMBRACE_NS NS_PER_S

enum { ENTER, STAY_OUT, ASK_AGAIN, WAIT };

/* Once; the lock is held if it may ENTER, or is to WAIT. */
static int
try_to_enter(struct batch_entrance *e)
{
	struct states_answer answer;
	char line[MESSAGE_ROOM];
	struct tide_room *room;
	int verdict;

	(void)plan_settle(e->now_ns, e->waits || op_row(e->op)->batches %
	    e->op->poll_every == 0);
	room = plan_room();
	e->answer = 0;
	if (room->stop != 0)
		return STAY_OUT;
	plan_lock();
	memset(&answer, 0, sizeof(answer));
	verdict = ask(e->op, &answer);
	if (verdict != -EDEADLK) {
		e->embrace_ns = e->now_ns;
	} else if (e->now_ns - e->embrace_ns >= EMBRACE_NS) {
		plan_unlock();
		e->answer = -EDEADLK;
		return STAY_OUT;
	}
	switch (verdict) {
	case STATES_GO:
	case STATES_PROBE:
	case STATES_ONE_ITEM:
		e->verdict = verdict;
		return ENTER;
	case STATES_RECYCLE:
		(void)__atomic_fetch_or(&room->stop, TIDE_STOP_RECYCLE,
		    __ATOMIC_RELAXED);
		plan_unlock();
		return STAY_OUT;
	case STATES_NO_MEMORY:
		(void)__atomic_fetch_or(&room->stop, TIDE_STOP_EXHAUSTED,
		    __ATOMIC_RELAXED);
		plan_unlock();
		plan_say(message_no_room(line, sizeof(line), answer.baseline,
		    answer.one, answer.budget, answer.raise_to));
		e->answer = -ENOMEM;
		return STAY_OUT;
	case STATES_RECLAIM:
		plan_unlock();
		reclaim_all();
		return ASK_AGAIN;
	default:
		return WAIT;
	}
}

bool
batch_enter(struct batch_entrance *e, int64_t wait_ns)
{
	const int32_t tid = sys_tid();
	int r;

	e->start_ns = e->embrace_ns = e->now_ns = sys_clock();
	while ((r = try_to_enter(e)) >= ASK_AGAIN) {
		if (r == WAIT) {
			underway_forget_dead();
			underway_set_waits(tid, true);
			e->waits = true;
			plan_unlock();
			if (wait_ns >= 0 && e->now_ns - e->start_ns >=
			    (uint64_t)wait_ns) {
				e->answer = -ETIMEDOUT;
				break;
			}
			sys_sleep(OP_NAP_NS);
		}
		e->now_ns = sys_clock();
	}
	if (e->waits && r != ENTER)
		plan_lock();
	if (e->waits)
		underway_set_waits(tid, false);
	if (e->waits && r != ENTER)
		plan_unlock();
	return r == ENTER;
}

/* What is wanted where nothing is known yet. */
#define LEASE_FIRST (16 * MIB)

/*
 * Before it waits for others: what is free in the allocator is theirs (C.7).  Of
 * several that wait none could give it back any more, and each would wait for
 * what another holds.
 */
static void
give_back(uint64_t want)
{
	(void)plan_settle(sys_clock(), true);
	if (plan_room()->retained < want / 10)
		return;
	(void)cleanup_run(TIDE_WARNING, TIDE_FORCE_RECLAIM |
	    TIDE_NO_CALLBACKS, 0, NULL);
	(void)plan_settle(sys_clock(), true);
}

/*
 * Who holds a lease and waits for another may be waited for by whom it waits
 * for.  So it waits for as long as an embrace is let be, and then has one item
 * beside what it holds: that is what is left free beyond the line for.
 */
static int
acquire_within(uint64_t least, uint64_t want, int64_t wait_ns,
    struct batch_lease *lease)
{
	bool longer = wait_ns < 0 || wait_ns > (int64_t)EMBRACE_NS;
	int r = member_acquire(least, want, longer ? (int64_t)EMBRACE_NS :
	    wait_ns, &lease->bytes, &lease->member);

	if (r != -ETIMEDOUT || !longer)
		return r;
	lease->bytes = TIDE_NONE;
	lease->one = true;
	return 0;
}

int
batch_lease(tide_op *op, uint64_t remaining, int verdict, int64_t wait_ns,
    struct batch_lease *lease, uint64_t *waited_ns)
{
	uint64_t start_ns, want, least = op_row(op)->one;
	struct sizing_room room;
	struct sizing_plan plan;
	bool holds;
	int r;

	lease->bytes = TIDE_NONE;
	lease->one = false;
	if (!member_is_in())
		return 0;
	(void)batch_plan(op, remaining, verdict, TIDE_NONE, &room, &plan);
	want = plan.predicted != 0 ? plan.predicted : LEASE_FIRST;
	holds = underway_holds_lease(sys_tid());
	plan_unlock();
	start_ns = sys_clock();
	want = max_u64(want, least);
	r = member_acquire(least, want, 0, &lease->bytes, &lease->member);
	if (r == -ETIMEDOUT && wait_ns != 0) {
		give_back(want);
		r = holds ? acquire_within(least, want, wait_ns, lease) :
		    member_acquire(least, want, wait_ns, &lease->bytes,
		    &lease->member);
	}
	*waited_ns += sys_clock() - start_ns;
	plan_lock();
	plan_room()->lease = member_lease();
	return r;
}

void
batch_clean_between(tide_op *op)
{
	tide_reclaim_result result;

	memset(&result, 0, sizeof(result));
	if (cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, &result) != 0)
		return;
	op_row(op)->reclaim_ns += result.time_ns;
	(void)plan_settle(sys_clock(), true);
	tell_cleaned(&op->conf, &result, plan_room()->used);
}
