/*
 * plan-clean.c - cleanups that nobody asked for: when, and how much is wanted
 */
#include "plan/plan-state.h"

#include <string.h>

#include "base/base.h"
#include "plan/cleanup.h"
#include "plan/plan.h"
#include "sys/sys.h"

/* At a warning, cheap cleanups are asked for so often (C.3). */
#define CLEAN_NS (2 * NS_PER_S)

int
plan_clean_state(int state)
{
	struct plan_state *plan = plan_state();
	uint64_t budget = plan->limit.budget;

	if (plan->clean_late && state < TIDE_CRITICAL)
		return TIDE_OK;
	if (plan->clean_from <= 0 || budget == TIDE_NONE ||
	    state >= TIDE_EXHAUSTED)
		return state;
	if ((double)plan_load(&plan->room->used) >=
	    plan->clean_from * (double)budget)
		return state < TIDE_CRITICAL ? TIDE_CRITICAL : state;
	return state < TIDE_WARNING ? state : TIDE_WARNING;
}

static double
clean_line(void)
{
	struct plan_state *plan = plan_state();

	return plan->clean_from > 0 ? plan->clean_from :
	    plan->states.conf.critical;
}

/*
 * Has it come to a new state, or back above the line of this one?  A state
 * lasts for a while after there is room again; that is no reason by itself.
 */
static bool
is_pressed(int state, uint64_t used, uint64_t budget)
{
	struct plan_state *plan = plan_state();

	return plan->settled < state || (state >= TIDE_CRITICAL &&
	    budget != TIDE_NONE && (double)used >=
	    clean_line() * (double)budget);
}

void
plan_clean(int state, uint64_t now_ns)
{
	struct plan_state *plan = plan_state();
	struct tide_reclaim_result result;
	double line = state < TIDE_CRITICAL ? 0.70 : plan->clean_from > 0 ?
	    0.9 * plan->clean_from : 0.80;
	uint64_t used = plan_load(&plan->room->used);
	uint64_t budget = plan->limit.budget, want;
	bool may;

	/* Whose callbacks are to be called comes by, and finds it still due. */
	if (state < TIDE_CRITICAL && !cleanup_is_ours(state))
		return;
	plan_lock();
	may = now_ns - plan->cleaned_ns >= CLEAN_NS ||
	    is_pressed(state, used, budget);
	may = may && states_may_reclaim(&plan->states, now_ns);
	if (may)
		plan->cleaned_ns = now_ns;
	plan_unlock();
	if (!may)
		return;
	want = budget == TIDE_NONE ? 0 :
	    above_u64(used, whole_u64(line * (double)budget));
	memset(&result, 0, sizeof(result));
	if (cleanup_run(state, 0, want, &result) != 0)
		return;
	plan_lock();
	states_reclaimed(&plan->states, result.time_ns, now_ns);
	plan_look(sys_clock(), true);
	plan_unlock();
}
