/*
 * run-work.c - how the work of a run goes, written down: `heaptide report RUN`
 *
 * What is in the file are sums over all processes of the run: what those before
 * this one came to was read when it began, and what this one did before then is
 * of no run, or of another.  A process that is killed takes with it what it did
 * since the last record; its batches and checkpoints have records of their own.
 */
#include "plan/run-state.h"

#include <string.h>

#include "plan/op-state.h"
#include "plan/plan.h"
#include "sys/sys.h"

static void
add_row(struct journal_work *w, const struct tide_op_stats *row)
{
	struct journal_totals *t = &w->total;

	t->batches += row->batches;
	t->items += row->items;
	t->items_failed += row->items_failed;
	t->cuts += row->cuts;
	t->aborts += row->aborts;
	t->overruns += row->overruns;
	t->growth += row->growth_sum;
	t->time_ns += row->time_ns;
	t->delay_ns += row->delay_ns;
	t->delay_freed += row->delay_freed;
	t->wait_ns += row->wait_ns;
	t->checkpoints += row->checkpoints;
	t->checkpoint_bytes += row->checkpoint_bytes;
	t->checkpoint_ns += row->checkpoint_ns;
	w->growth_most = max_u64(w->growth_most, row->growth_most);
}

static void
add_room(struct journal_work *w, const struct tide_room *room)
{
	struct journal_totals *t = &w->total;
	int i;

	t->cleanups = room->cleanups;
	t->cleanup_freed = room->cleanup_bytes;
	t->cleanup_returned = room->cleanup_returned;
	t->cleanup_ns = room->cleanup_ns;
	t->refault_ns = room->refault_ns;
	t->refused = room->failed;
	t->checkpoints_failed = room->checkpoints_failed;
	t->watched_ns = room->watched_ns;
	t->high_ns = room->high_ns;
	w->used_area = room->used_mean * (double)room->watched_ns;
	for (i = 0; i < 4; i++)
		t->state_ns[i] = room->at_state_ns[i];
	if (room->state >= 0 && room->state < 4 && room->state_ns != 0)
		t->state_ns[room->state] += above_u64(sys_clock(),
		    room->state_ns);
}

/* What is as it stands, and no sum. */
static void
note_now(struct journal_work *w, const struct tide_room *room)
{
	w->used = room->used;
	w->used_most = max_u64(room->peak_used, room->used);
	w->budget = room->budget;
	w->trend_points = room->trend_points;
	w->trend_rate = room->trend_rate;
	w->trend_low = room->trend_low;
	w->trend_high = room->trend_high;
	w->target_mille = room->target_mille;
	w->critical_mille = room->critical_mille;
	w->leased = room->lease != 0 || room->leases != 0;
	memcpy(w->source, room->source, sizeof(w->source));
}

/* Of this process, since it is one. */
static void
add_up(struct journal_work *w)
{
	int i;

	memset(w, 0, sizeof(*w));
	plan_lock();
	for (i = 0; i < TIDE_OPS; i++)
		if (op_state()->op[i].taken)
			add_row(w, op_row(&op_state()->op[i]));
	add_room(w, plan_room());
	note_now(w, plan_room());
	plan_unlock();
}

void
run_begin_work(void)
{
	add_up(&run_state()->work);
}

/* What others did is a part of it, or (@less) what was before is none. */
static void
add_other(struct journal_work *w, const struct journal_work *other, bool less)
{
	const uint64_t *from = (const uint64_t *)&other->total;
	uint64_t *to = (uint64_t *)&w->total;
	size_t i;

	for (i = 0; i < sizeof(w->total) / sizeof(*to); i++)
		to[i] = less ? above_u64(to[i], from[i]) : to[i] + from[i];
	w->used_area += less ? -other->used_area : other->used_area;
}

static void
put_ops(void)
{
	struct tide_op_stats row;
	int i;

	for (i = 0; i < TIDE_OPS; i++) {
		plan_lock();
		row = *op_row(&op_state()->op[i]);
		if (!op_state()->op[i].taken)
			row.batches = 0;
		plan_unlock();
		if (row.batches > 0)
			(void)journal_put(&run_state()->journal, JOURNAL_OP,
			    &row, sizeof(row), NULL, 0);
	}
}

void
run_put_work(void)
{
	struct run_state *run = run_state();
	const struct journal_work *before = &run->look.work;
	struct journal_work w;

	put_ops();
	add_up(&w);
	add_other(&w, &run->work, true);
	add_other(&w, before, false);
	w.growth_most = max_u64(w.growth_most, before->growth_most);
	w.used_most = max_u64(w.used_most, before->used_most);
	(void)journal_put(&run->journal, JOURNAL_WORK, &w, sizeof(w), NULL, 0);
}
