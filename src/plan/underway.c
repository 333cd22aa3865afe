#include "plan/underway.h"

#include <errno.h>

#include "base/base.h"
#include "plan/member.h"
#include "plan/plan.h"
#include "sys/sys.h"

bool
underway_put(const tide_op *op, const tide_batch *b, uint32_t begun,
    uint64_t reserved, int member)
{
	struct ops *ops = op_state();
	struct op_open *o;

	for (o = ops->open; o < ops->open + OPS_OPEN; o++) {
		if (o->batch != NULL)
			continue;
		o->batch = b;
		o->reserved = reserved;
		o->member = member;
		o->tid = sys_tid();
		o->begun = begun;
		o->op = (uint32_t)(op - ops->op);
		o->waits = false;
		return true;
	}
	return false;
}

bool
underway_take(uint32_t begun)
{
	struct op_open *o = op_state()->open;

	for (; o < op_state()->open + OPS_OPEN; o++)
		if (o->batch != NULL && o->begun == begun) {
			o->batch = NULL;
			return true;
		}
	return false;
}

void
underway_count_off(uint32_t op, uint64_t reserved)
{
	struct ops *ops = op_state();
	struct tide_op_stats *row = op_row(&ops->op[op]);

	ops->active -= ops->active > 0;
	ops->reserved -= min_u64(reserved, ops->reserved);
	row->active -= row->active > 0;
}

static void
forget(struct op_open *o)
{
	o->batch = NULL;
	if (o->member >= 0)
		member_release((uint32_t)o->member, UINT64_MAX);
	underway_count_off(o->op, o->reserved);
	if (op_state()->active == 0)
		states_ended(plan_states(), false);
}

void
underway_forget_at(const tide_batch *b)
{
	struct op_open *o = op_state()->open;

	for (; o < op_state()->open + OPS_OPEN; o++)
		if (o->batch == b)
			forget(o);
}

void
underway_forget_dead(void)
{
	struct op_open *o = op_state()->open;

	for (; o < op_state()->open + OPS_OPEN; o++)
		if (o->batch != NULL && sys_thread_exists(o->tid) == -ESRCH)
			forget(o);
}

void
underway_set_waits(int32_t tid, bool waits)
{
	struct op_open *o = op_state()->open;

	for (; o < op_state()->open + OPS_OPEN; o++)
		if (o->batch != NULL && o->tid == tid)
			o->waits = waits;
}

bool
underway_will_end(const tide_op *op)
{
	struct ops *ops = op_state();
	struct op_open *o;
	int32_t tid = sys_tid();
	uint32_t known = 0, active;

	for (o = ops->open; o < ops->open + OPS_OPEN; o++) {
		if (o->batch == NULL || (op != NULL && &ops->op[o->op] != op))
			continue;
		known++;
		if (o->tid != tid && !o->waits)
			return true;
	}
	active = op != NULL ? op_row(op)->active : ops->active;
	return active > known;
}
