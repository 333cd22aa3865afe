/*
 * plan-state.c - what all of plan asks of where the process stands, and the
 * lock that holds it
 */
#include "plan/plan-state.h"

#include "base/base.h"
#include "base/text.h"
#include "plan/plan.h"
#include "sys/sys.h"

static struct {
	struct plan_state state;
} planning;

struct plan_state *
plan_state(void)
{
	return &planning.state;
}

struct tide_room *
plan_room(void)
{
	struct plan_state *plan = plan_state();

	return plan->room;
}

const struct plan_host *
plan_host(void)
{
	struct plan_state *plan = plan_state();

	return plan->host;
}

bool
plan_has_begun(void)
{
	struct plan_state *plan = plan_state();

	return plan->room != NULL;
}

struct states *
plan_states(void)
{
	struct plan_state *plan = plan_state();

	return &plan->states;
}

bool
plan_debugs(void)
{
	struct plan_state *plan = plan_state();

	return plan->debug;
}

uint64_t
plan_live(void)
{
	struct plan_state *plan = plan_state();

	return plan->live;
}

uint64_t
plan_start_used(void)
{
	struct plan_state *plan = plan_state();

	return plan->start_used;
}

uint64_t
plan_line(uint64_t budget, double share)
{
	if (budget == TIDE_NONE)
		return TIDE_NONE;
	if (!(share > 0))
		share = plan_room()->target_mille / 1000.0;
	return whole_u64(share * (double)budget);
}

void
plan_lock(void)
{
	struct plan_state *plan = plan_state();
	uint64_t since = 0;

	while (__atomic_exchange_n(&plan->lock, 1, __ATOMIC_ACQUIRE) != 0)
		if (plan->pid != sys_pid() || !sys_give_way(&since))
			return; /* its holder is the parent's, or was stopped
				 * for good */
}

bool
plan_try_lock(void)
{
	struct plan_state *plan = plan_state();

	return __atomic_exchange_n(&plan->lock, 1, __ATOMIC_ACQUIRE) == 0;
}

void
plan_unlock(void)
{
	struct plan_state *plan = plan_state();

	__atomic_store_n(&plan->lock, 0, __ATOMIC_RELEASE);
}

void
plan_say(const char *line)
{
	struct plan_state *plan = plan_state();
	struct text t;

	if (plan->room == NULL)
		return;
	text_open(&t, plan->room->message, sizeof(plan->room->message));
	text_put(&t, line);
	if (plan->host->say != NULL)
		plan->host->say(line);
}

bool
plan_is_counted(void)
{
	struct plan_state *plan = plan_state();

	return plan->host->heap != NULL;
}
