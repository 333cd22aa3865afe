/*
 * batch-size.c - how large a batch may be: the room there is for it
 */
#include "plan/batch-state.h"

#include <string.h>

#include "base/base.h"
#include "model/states.h"
#include "plan/plan-state.h"
#include "plan/plan.h"

/*
 * What counts as used for a batch that is to begin: what is, what others under
 * way may yet take, and what is to be left to those that come at the same time
 * (C.5: of N, each has half of its part for sure and all of it at most).
 */
static uint64_t
spoken_for(const tide_op *op, uint64_t used, uint64_t budget)
{
	const struct ops *ops = op_state();
	double n = ops->lately > ops->active + 1 ? ops->lately :
	    ops->active + 1;
	uint64_t line = plan_line(budget, op->sizing.conf.target);
	uint64_t base = ops->active > 0 ? min_u64(ops->base, used) : used;
	uint64_t all = above_u64(line, base);
	uint64_t taken = max_u64(used, base + ops->reserved);
	uint64_t part = (uint64_t)((double)all / n);

	if (ops->active == 0 && n < 1.5)
		return used;
	taken = max_u64(taken, above_u64(line, part));
	/* Half of the part, though others reserved it: they may not need it. */
	return max_u64(used, min_u64(taken, above_u64(line, part / 2)));
}

/*
 * Is it a warning only because the allocator keeps what other batches had?  If
 * it gives nothing back that lasts for ever, and what is once cut small would
 * stay so.
 */
static bool
is_only_kept(uint64_t held, uint64_t budget)
{
	const struct states *s = plan_states();
	const struct tide_room *r = plan_room();

	return plan_is_counted() && r->state == TIDE_WARNING &&
	    plan_load(&r->pressure) == 0 &&
	    (double)r->used >= s->conf.warn * (double)budget &&
	    (double)held < s->conf.warn * (double)budget;
}

bool
batch_plan(const tide_op *op, uint64_t remaining, int verdict, uint64_t lease,
    struct sizing_room *room, struct sizing_plan *plan)
{
	const struct tide_room *r = plan_room();
	uint64_t left;
	bool leased;

	memset(room, 0, sizeof(*room));
	/* Without any limit there is none to fill; sizes are by the knee. */
	room->budget = r->budget == TIDE_NONE ? UINT64_C(1) << 60 : r->budget;
	room->used = spoken_for(op, plan_held(), room->budget);
	room->fits = plan_fits();
	left = above_u64(plan_line(room->budget, op->sizing.conf.target),
	    room->used);
	leased = lease < left;
	if (leased)
		room->used += left - lease;
	room->remaining = remaining;
	/* Of a size that somebody has set there is nothing to find out. */
	room->knee = op->conf.fixed != 0 || op->conf.policy !=
	    TIDE_POLICY_LEARN ? 0 : (uint32_t)max_u64(knee_cap(&op->knee),
	    op->conf.initial);
	room->grow_allowed = r->state < TIDE_WARNING ||
	    is_only_kept(room->used, room->budget);
	room->probe = verdict == STATES_PROBE || verdict == STATES_ONE_ITEM;
	sizing_plan(&op->sizing, room, plan);
	if (verdict == STATES_ONE_ITEM && plan->n > 1)
		plan->n = 1;
	return leased;
}

uint32_t
batch_bound(const tide_op *op, int bound, bool leased)
{
	switch (bound) {
	case SIZING_BY_GROWTH:
	case SIZING_BY_INITIAL:
		return TIDE_BOUND_GROWTH;
	case SIZING_BY_OVERRUN:
	case SIZING_BY_FALLBACK:
		return TIDE_BOUND_OVERRUN;
	case SIZING_BY_KNEE:
		return TIDE_BOUND_KNEE;
	case SIZING_BY_MAX:
		return op->conf.fixed != 0 ? TIDE_BOUND_FIXED :
		    TIDE_BOUND_MAX;
	case SIZING_BY_REMAINING:
		return TIDE_BOUND_REMAINING;
	case SIZING_BY_STATE:
		return TIDE_BOUND_STATE;
	default:
		return leased ? TIDE_BOUND_LEASE : TIDE_BOUND_MEMORY;
	}
}

uint32_t
op_batch_size(tide_op *op, uint64_t remaining)
{
	struct sizing_room room;
	struct sizing_plan plan;

	if (!op_is(op) || remaining == 0)
		return 0;
	(void)plan_visit();
	plan_lock();
	(void)batch_plan(op, remaining, STATES_GO, TIDE_NONE, &room, &plan);
	plan_unlock();
	return plan.n;
}
