#include "plan/figures.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/boundary.h"
#include "plan/message.h"
#include "plan/op-state.h"
#include "plan/plan.h"
#include "sys/sys.h"

static double
part_of(double part, double whole)
{
	return whole > 0 ? part / whole : 0;
}

/* --- how far -------------------------------------------------------------- */

/* Where the work began until now, or until its last batch ended. */
static uint64_t
elapsed(const struct tide_op_stats *row)
{
	uint64_t until = row->active > 0 || (row->total > row->done) ?
	    sys_clock() : row->ended_ns;

	return row->started_ns == 0 ? 0 : above_u64(until, row->started_ns);
}

static void
add_progress(struct tide_progress *p, const tide_op *op)
{
	const struct tide_op_stats *row = op_row(op);

	p->active += row->active;
	p->done += row->done;
	p->failed += row->items_failed;
	p->batches += row->batches;
	p->elapsed_ns = max_u64(p->elapsed_ns, elapsed(row));
	if (row->total != 0)
		p->total = p->total == TIDE_NONE ? TIDE_NONE :
		    p->total + row->total;
	else if (row->batches > 0 || row->active > 0)
		p->total = TIDE_NONE;
	if (op->conf.fixed != 0 && row->total != 0)
		p->batches_total += (row->total + op->conf.fixed - 1) /
		    op->conf.fixed;
	if (p->unit[0] == '\0')
		memcpy(p->unit, row->unit, sizeof(p->unit));
}

static void
work_out(struct tide_progress *p)
{
	if (p->total == 0)
		p->total = TIDE_NONE;
	if (p->batches_total == 0)
		p->batches_total = TIDE_NONE;
	p->rate = part_of((double)p->done * 1e9, (double)p->elapsed_ns);
	p->share = p->total == TIDE_NONE ? -1 :
	    part_of((double)p->done, (double)p->total);
	p->left_ns = TIDE_NONE;
	if (p->total != TIDE_NONE && p->rate > 0)
		p->left_ns = whole_u64((double)above_u64(p->total, p->done) *
		    1e9 / p->rate);
}

int
figures_progress(tide_op *op, struct tide_progress *out)
{
	struct ops *ops = op_state();
	int i;

	if (out == NULL || (op != NULL && !op_is(op)))
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	(void)plan_visit();
	plan_lock();
	for (i = 0; i < TIDE_OPS; i++)
		if (ops->op[i].taken && (op == NULL || op == &ops->op[i]))
			add_progress(out, &ops->op[i]);
	plan_unlock();
	work_out(out);
	return 0;
}

/* --- how it went ---------------------------------------------------------- */

int
figures_trend(struct tide_trend *out)
{
	if (out == NULL)
		return -EINVAL;
	(void)plan_visit();
	plan_lock();
	boundary_trend(out);
	plan_unlock();
	return out->points != 0 ? 0 : -ENODATA;
}

static void
add_row(struct tide_run_report *r, const struct tide_op_stats *row)
{
	r->ops++;
	r->batches += row->batches;
	r->items += row->items;
	r->items_failed += row->items_failed;
	r->cuts += row->cuts;
	r->aborts += row->aborts;
	r->overruns += row->overruns;
	r->batch_mean += row->growth_sum; /* a sum as yet */
	r->batch_most = max_u64(r->batch_most, row->growth_most);
	r->time_ns += row->time_ns;
	r->delay_ns += row->delay_ns;
	r->delay_freed += row->delay_freed;
	r->wait_ns += row->wait_ns;
	r->checkpoints += row->checkpoints;
	r->checkpoint_bytes += row->checkpoint_bytes;
	r->checkpoint_ns += row->checkpoint_ns;
}

static void
add_room(struct tide_run_report *r, const struct tide_room *room)
{
	r->budget = room->budget;
	r->peak_used = room->peak_used;
	r->used_mean = room->used_mean > 0 ? whole_u64(room->used_mean) :
	    room->used;
	if (room->budget != TIDE_NONE) {
		r->utilization = part_of((double)r->used_mean,
		    (double)room->budget);
		r->peak_utilization = part_of((double)r->peak_used,
		    (double)room->budget);
	}
	r->batch_p50 = room->growth_p50;
	r->batch_p95 = room->growth_p95;
	r->batch_p99 = room->growth_p99;
	r->cleanups = room->cleanups;
	r->cleanup_freed = room->cleanup_bytes;
	r->cleanup_returned = room->cleanup_returned;
	r->cleanup_ns = room->cleanup_ns;
	r->refault_ns = room->refault_ns;
	r->retries = room->attempts > 0 ? room->attempts - 1 : 0;
}

int
figures_run_report(struct tide_run_report *out)
{
	struct ops *ops = op_state();
	int i;

	if (out == NULL)
		return -EINVAL;
	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	(void)plan_visit();
	plan_lock();
	for (i = 0; i < TIDE_OPS; i++)
		if (ops->op[i].taken)
			add_row(out, op_row(&ops->op[i]));
	add_room(out, plan_room());
	out->bytes_per_item = part_of((double)out->batch_mean,
	    (double)out->items);
	out->batch_mean = whole_u64(part_of((double)out->batch_mean,
	    (double)out->batches));
	out->overhead = part_of((double)(out->delay_ns + out->cleanup_ns +
	    out->checkpoint_ns), (double)out->time_ns);
	boundary_trend(&out->trend);
	plan_unlock();
	return 0;
}

/* --- the log -------------------------------------------------------------- */

void
figures_log(int level, const char *line)
{
	static const char *const words[3] = { "ERROR ", "WARNING ", "" };
	char tagged[512];
	struct text t;

	if (line == NULL || (level >= TIDE_LOG_DEBUG && !plan_debugs()))
		return;
	(void)plan_visit();
	text_open(&t, tagged, sizeof(tagged));
	text_put(&t, level >= TIDE_LOG_DEBUG ? "DEBUG " : words[level < 0 ? 0 :
	    level]);
	text_put(&t, line);
	plan_say(tagged);
}
