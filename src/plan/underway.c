#include "plan/underway.h"

#include <errno.h>

#include "base/base.h"
#include "plan/member.h"
#include "plan/plan.h"
#include "sys/sys.h"

/* --- what a dead process is found in -------------------------------------- */

static void
show(const struct op_open *o)
{
	struct tide_room *room = plan_room();

	__atomic_store_n(&room->open_ns, 0, __ATOMIC_RELEASE);
	if (o == NULL)
		return;
	room->open_first = o->first;
	room->open_n = o->n;
	room->open_used = o->used;
	room->open_most_ns = op_state()->op[o->op].conf.timeout_ns;
	room->open_op = o->op;
	__atomic_store_n(&room->open_ns, o->since_ns, __ATOMIC_RELEASE);
}

/* Numbers rise, and begin again some day. */
static bool
is_older(const struct op_open *one, const struct op_open *other)
{
	return (int32_t)(one->begun - other->begun) < 0;
}

static void
show_oldest(void)
{
	struct op_open *oldest = NULL, *o = op_state()->open;

	for (; o < op_state()->open + OPS_OPEN; o++)
		if (o->batch != NULL && (oldest == NULL ||
		    is_older(o, oldest)))
			oldest = o;
	show(oldest);
}

/* Only if it was the one that is shown, there is another to be shown. */
static void
hide(const struct op_open *o)
{
	const struct tide_room *room = plan_room();

	if (room->open_ns != o->since_ns || room->open_first != o->first)
		return;
	if (op_state()->active <= 1)
		show(NULL);
	else
		show_oldest();
}

/* --- the table ------------------------------------------------------------ */

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
		o->n = b->n;
		o->first = b->first;
		o->since_ns = sys_clock();
		o->used = plan_room()->used;
		o->waits = false;
		if (plan_room()->open_ns == 0)
			show(o);
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
			hide(o);
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
	hide(o);
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
underway_holds_lease(int32_t tid)
{
	const struct op_open *o = op_state()->open;
	const struct op_open *end = o + OPS_OPEN;

	while (o < end && (o->batch == NULL || o->tid != tid || o->member < 0))
		o++;
	return o < end;
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
