#include "plan/reserve.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/base.h"
#include "plan/member.h"
#include "plan/op-state.h"
#include "plan/plan.h"
#include "sys/sys.h"

/* --- within the process --------------------------------------------------- */

/* Who waits without an end of its own does so while anything comes free. */
#define HOPE_NS (10 * NS_PER_S)

/* What may be reserved now; TIDE_NONE: there is no limit.  With the lock. */
static uint64_t
free_to_reserve(uint64_t *line)
{
	const struct tide_room *r = plan_room();
	uint64_t reserved = op_state()->reserved;

	*line = plan_line(r->budget, 0);
	if (*line == TIDE_NONE)
		return TIDE_NONE - reserved;
	return above_u64(above_u64(*line, r->used), reserved);
}

static int
take_of_own(uint64_t least, uint64_t most, int64_t wait_ns, uint64_t *got)
{
	uint64_t start_ns = sys_clock(), now_ns = start_ns, hope_ns = start_ns;
	uint64_t line, room, before = 0;

	for (;;) {
		(void)plan_settle(now_ns, true);
		plan_lock();
		room = free_to_reserve(&line);
		if (room >= least && room > 0) {
			*got = min_u64(room, most);
			op_state()->reserved += *got;
			plan_unlock();
			return 0;
		}
		plan_unlock();
		now_ns = sys_clock();
		if (room > before)
			hope_ns = now_ns;
		before = room;
		if (plan_room()->stop != 0)
			return -ECANCELED;
		if (least > line)
			return -ENOMEM; /* not even if all else went */
		if (wait_ns >= 0 ? now_ns - start_ns >= (uint64_t)wait_ns :
		    now_ns - hope_ns >= HOPE_NS)
			return -ETIMEDOUT;
		sys_sleep(OP_NAP_NS);
	}
}

static void
give_of_own(uint64_t bytes)
{
	struct ops *ops = op_state();

	plan_lock();
	ops->reserved -= min_u64(bytes, ops->reserved);
	plan_unlock();
}

/* --- of a common budget --------------------------------------------------- */

static void
keep(uint64_t bytes, uint32_t member)
{
	size_t i;

	member_keep(member);
	plan_lock();
	/* Each lease is of another member, so there is a place. */
	for (i = 0; i < MEMBERS && op_state()->lease[i].bytes != 0; i++)
		;
	op_state()->lease[i].bytes = bytes;
	op_state()->lease[i].member = member;
	plan_room()->lease = member_lease();
	plan_unlock();
}

/*
 * The lease that @bytes are given back of: one of just so many, or else the
 * largest, of which they are a part; what is left of it.  False: none is held.
 */
static bool
pick(uint64_t bytes, uint32_t *member, uint64_t *left)
{
	size_t i, best = MEMBERS;

	for (i = 0; i < MEMBERS; i++) {
		if (op_state()->lease[i].bytes == 0)
			continue;
		if (best == MEMBERS ||
		    op_state()->lease[i].bytes == bytes ||
		    (op_state()->lease[best].bytes != bytes &&
		    op_state()->lease[i].bytes > op_state()->lease[best].bytes))
			best = i;
	}
	if (best == MEMBERS)
		return false;
	*member = op_state()->lease[best].member;
	*left = above_u64(op_state()->lease[best].bytes, bytes);
	op_state()->lease[best].bytes = *left;
	return true;
}

static void
give_of_pool(uint64_t bytes)
{
	uint32_t member;
	uint64_t left;
	bool held;

	plan_lock();
	held = pick(bytes, &member, &left);
	plan_unlock();
	if (!held)
		return;
	if (left == 0)
		member_release(member, UINT64_MAX);
	else
		member_shrink(member, left);
	plan_room()->lease = member_lease();
}

/* --- both ----------------------------------------------------------------- */

int
reserve_take(uint64_t least, uint64_t most, int64_t wait_ns, uint64_t *got)
{
	uint64_t start_ns = sys_clock(), own, spent, leased;
	uint32_t member;
	int r;

	if (got == NULL || least > most || most == 0)
		return -EINVAL;
	r = take_of_own(least, most, wait_ns, &own);
	if (r == 0 && member_is_in()) {
		spent = sys_clock() - start_ns;
		r = member_acquire(least, own, wait_ns < 0 ?
		    (int64_t)HOPE_NS : (int64_t)above_u64((uint64_t)wait_ns,
		    spent), &leased, &member);
		if (r < 0) {
			give_of_own(own);
			return r == -ESHUTDOWN ? -ECANCELED : r;
		}
		give_of_own(above_u64(own, leased));
		own = min_u64(own, leased);
		keep(own, member);
	}
	if (r == 0)
		*got = own;
	return r;
}

void
reserve_give(uint64_t bytes)
{
	(void)plan_visit();
	give_of_own(bytes);
	if (member_is_in() && bytes != 0)
		give_of_pool(bytes);
}
