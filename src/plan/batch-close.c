/*
 * batch-close.c - a batch ends: what it took, and who learns from it
 *
 * What a batch took is the highest point of the heap above where it began: of
 * the process, as long as no other batch is under way, or else of its thread.
 * Where the heap is not counted, of the resident memory.  What the allocator
 * holds free is what a batch takes first: that it was used already does not
 * make it an overrun, and that it still is does not make it the batch's.
 */
#include "plan/batch-state.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "model/states.h"
#include "plan/boundary.h"
#include "plan/cleanup.h"
#include "plan/decision.h"
#include "plan/learned.h"
#include "plan/member.h"
#include "plan/plan.h"
#include "plan/run.h"
#include "plan/tell.h"
#include "plan/underway.h"
#include "sys/sys.h"

/* What it took at its highest, and what it has left behind. */
static void
measure(tide_batch *b, struct sizing_batch *s, bool alone)
{
	struct batch *p = batch_inside(b);
	uint64_t seen = above_u64(plan_high(), p->used);
	int64_t high;

	memset(s, 0, sizeof(*s));
	if (plan_host()->window_close != NULL) {
		plan_host()->window_close(&p->window);
		high = alone ? p->window.high : p->window.thread_high;
		s->growth = high > 0 ? (uint64_t)high : 0;
	}
	if (alone) {
		if (p->live != TIDE_NONE)
			plan_reused(p->used, p->held, s->growth);
		s->growth = max_u64(s->growth, max_u64(seen,
		    above_u64(plan_high_held(), p->held)));
		/* Nobody may have looked when it stood there. */
		plan_saw(p->held + s->growth);
	} else if (s->growth == 0) {
		s->growth = seen / op_state()->active;
	}
	s->retained = above_u64(plan_room()->live != TIDE_NONE ?
	    plan_room()->live : plan_room()->used,
	    p->live != TIDE_NONE ? p->live : p->used);
	s->time_ns = sys_clock() - p->begin_ns;
	s->item_max = p->item_most;
	s->budget = p->budget;
	s->used = p->held;
	if (p->flags & BATCH_WEIGHTED) {
		s->weight_sum = p->open.sum;
		s->weight_max = p->open.max;
	}
}

static void
describe(const tide_op *op, struct tide_op_stats *row)
{
	const struct sizing_curve curve = sizing_curve(&op->sizing);
	struct knee_report knee;

	row->power = curve.power;
	row->per_item = curve.each;
	row->fixed = whole_u64(curve.fixed);
	memset(&knee, 0, sizeof(knee));
	knee_read(&op->knee, &knee);
	row->knee = knee.settled ? knee.n : 0;
	row->knee_rate = knee.ns > 0 ? 1e9 / knee.ns : 0;
	row->most_rate = knee.largest_ns > 0 ? 1e9 / knee.largest_ns : 0;
}

/* How what batches take is spread, of this operation and of all. */
static void
note_spread(tide_op *op, struct tide_op_stats *row, uint64_t growth)
{
	struct tide_room *room = plan_room();

	spread_add(&op->growth, growth);
	spread_add(&op_state()->growth, growth);
	row->growth_p50 = spread_below(&op->growth, 500);
	row->growth_p95 = spread_below(&op->growth, 950);
	row->growth_p99 = spread_below(&op->growth, 990);
	room->growth_p50 = spread_below(&op_state()->growth, 500);
	room->growth_p95 = spread_below(&op_state()->growth, 950);
	room->growth_p99 = spread_below(&op_state()->growth, 990);
}

static void
note(tide_op *op, struct tide_op_stats *row, const struct batch *p,
    const struct sizing_batch *s)
{
	uint64_t kib = s->growth / KIB;
	uint64_t last = row->n_last;

	row->batches++;
	row->items += s->n;
	row->items_failed += p->failed;
	row->done += s->n;
	row->cuts += s->cut;
	row->overruns += p->predicted != 0 && s->growth > p->predicted;
	if (last != 0 && (s->n * 4 > last * 5 || s->n * 5 < last * 4))
		row->changes++;
	row->n_last = s->n;
	row->n_least = row->n_least == 0 ? s->n : min_u64(row->n_least, s->n);
	row->n_most = max_u64(row->n_most, s->n);
	row->growth_last = s->growth;
	row->growth_most = max_u64(row->growth_most, s->growth);
	row->growth_sum += s->growth;
	row->growth_squares += kib * kib;
	row->item_most = max_u64(row->item_most, s->item_max);
	row->predicted_last = p->predicted;
	row->retained_last = (int64_t)s->retained;
	row->retained_sum += s->retained;
	row->time_ns += s->time_ns;
	row->ended_ns = p->begin_ns + s->time_ns;
	if (p->flags & BATCH_WEIGHTED) {
		row->weight_most = max_u64(row->weight_most, p->open.max);
		row->weight_sum += p->open.sum;
		row->weights += p->open.n;
	}
	note_spread(op, row, s->growth);
	describe(op, row);
}

/* Where no other batch is under way. */
static void
note_boundary(void)
{
	const struct tide_room *room = plan_room();

	if (op_state()->active == 0)
		boundary_note(plan_live() != TIDE_NONE ? plan_live() :
		    room->used, sys_clock());
}

/*
 * It is over, however; with the lock held.  False: it had been forgotten, and
 * was counted no more, nor does it hold anything.
 */
static bool
leave(tide_op *op, tide_batch *b)
{
	struct batch *p = batch_inside(b);
	/* Those that found no place are counted all the same. */
	bool counted = underway_take(p->begun) ||
	    (p->flags & BATCH_KNOWN) == 0;

	if (counted)
		underway_count_off((uint32_t)(op - op_state()->op),
		    p->predicted);
	p->open_mark = 0;
	b->op_ = 0;
	b->line_ = 0;
	return counted;
}

/*
 * Who else can free memory (C.6): other members of the pool, an allocator by
 * itself, the kernel.  Some waiting there is on any machine; it counts from
 * where it makes a state.
 */
static void
look_for_help(struct delay_look *look, bool pressed)
{
	const struct plan_host *host = plan_host();
	double stalled = plan_stalled();

	look->others = member_others();
	look->purge = pressed && host->purges != NULL && host->purges();
	look->stalled = stalled >= STATES_SOME ? stalled : 0;
}

/*
 * Where it pays, by model/delay.h; that the state gets better, and signals, may
 * end it early, the former not before what is set as the least.
 */
static void
delay(tide_op *op)
{
	struct tide_room *room = plan_room();
	bool pressed = room->state != TIDE_OK;
	uint64_t used = room->used, start_ns = sys_clock(), ns;
	struct delay_look look;

	memset(&look, 0, sizeof(look));
	look.budget = room->budget == TIDE_NONE ? 0 : room->budget;
	look.used = used;
	look.critical = room->state >= TIDE_CRITICAL;
	look_for_help(&look, pressed);
	plan_lock();
	ns = delay_next(&op->delay, &look);
	plan_unlock();
	if (ns == 0 || decision_vain(op, look.budget))
		return;
	while (sys_clock() - start_ns < ns && room->stop == 0) {
		sys_sleep(min_u64(ns, 20 * NS_PER_MS));
		if (plan_settle(sys_clock(), true) == TIDE_OK && pressed &&
		    sys_clock() - start_ns >= op->delay.conf.min_ns)
			break;
	}
	ns = sys_clock() - start_ns;
	plan_lock();
	delay_done(&op->delay, ns, above_u64(used, room->used));
	op_row(op)->delay_ns += ns;
	op_row(op)->delay_freed += above_u64(used, room->used);
	plan_unlock();
}

/*
 * What a batch costs in all: since the one before ended, with what it takes to
 * end and to begin one, and what the program does in between; but if that is
 * more than the batch itself and a little, it was not for the batch.
 */
#define BETWEEN_NS (1 * NS_PER_MS)

static uint64_t
cost_of(const struct batch *p, const struct sizing_batch *s,
    const struct pace *now)
{
	uint64_t ns = above_u64(s->time_ns, pace_waited(&p->pace, now));

	return ns + min_u64(p->before_ns, ns + BETWEEN_NS);
}

/* In the file of the run, if there is one. */
static void
write_down(const tide_op *op, const tide_batch *b, uint64_t predicted,
    uint64_t begun, const struct sizing_batch *s)
{
	struct journal_batch record;

	memset(&record, 0, sizeof(record));
	memcpy(record.op, op_row(op)->name, sizeof(record.op));
	record.first = b->first;
	record.count = s->n;
	record.n = b->n;
	record.peak = s->growth;
	record.predicted = predicted;
	record.retained = s->retained;
	record.used = s->used;
	record.budget = s->budget;
	record.time_ns = s->time_ns;
	record.state = plan_room()->state;
	record.cut = s->cut;
	record.failed = s->failed;
	record.begun = begun;
	run_note_batch(&record, op, op->conf.checkpoint_every);
}

/* As configured: after each, after the last, or as the program has it. */
static bool
is_to_be_cleaned(const tide_op *op)
{
	const struct tide_op_stats *row = op_row(op);
	bool last = row->total != 0 && row->done >= row->total;

	return op->conf.reclaim_after > 0 || (op->clean_last && last) ||
	    (op->clean_each && !last);
}

/* One that was let in to try: less than may be though none may grow. */
static bool
is_probe(const tide_op *op, const struct batch *p)
{
	return (p->flags & BATCH_HELD) != 0 && p->n < op->sizing.last;
}

/* Is it no larger for another reason than what it takes? */
static bool
is_held(const tide_op *op, const struct batch *p)
{
	if ((p->flags & BATCH_FAR) != 0 || is_probe(op, p))
		return true;
	return (p->flags & (BATCH_HELD | BATCH_KNEE)) != 0 &&
	    (p->flags & BATCH_CUT) == 0;
}

/*
 * Of those that were cut, only what they were cut for tells of their size; and
 * while sizes are tried, not even that.  One that is let in to try is small for a
 * moment, and says nothing against others; but as long as a state lasts in which
 * none may grow, the best of what there is room for is to be found all the same.
 */
static void
learn_speed(tide_op *op, const struct batch *p, const struct sizing_batch *s,
    const struct pace *now)
{
	bool far = (p->flags & BATCH_FAR) != 0;

	if (s->failed || s->cut || s->n == 0 || is_probe(op, p))
		return;
	if (!far || knee_is_settled(&op->knee))
		knee_learn(&op->knee, s->n, cost_of(p, s, now),
		    far || !(p->flags & BATCH_KNEE));
	knee_grew(&op->knee, s->n, s->growth, far);
}

/* @why: TIDE_NOMEM ... if it is given up; 0: it is not. */
static int
finish(tide_batch *b, uint64_t done, int why)
{
	tide_op *op = batch_op(b);
	struct batch *p = batch_inside(b);
	struct sizing_batch s;
	struct pace pace;
	uint64_t lease, predicted, begun;
	uint32_t member;
	bool alone, counted, failed = why == TIDE_NOMEM;
	int state;

	state = plan_settle(sys_clock(), (op_row(op)->batches + 1) %
	    op->poll_every == 0);
	batch_tell_if_stalled(b);
	pace_read(&p->pace, &pace);
	plan_lock();
	alone = op_state()->active == 1 && op_state()->begun == p->begun;
	measure(b, &s, alone);
	s.n = (uint32_t)min_u64(done, UINT32_MAX);
	s.cut = (p->flags & (BATCH_CUT | BATCH_FAR)) != 0;
	s.held = is_held(op, p);
	s.failed = failed;
	sizing_learn(&op->sizing, &s);
	s.cut = (p->flags & BATCH_CUT) != 0; /* for lack of room */
	learn_speed(op, p, &s, &pace);
	op->ended_ns = p->begin_ns + s.time_ns;
	op->ended = pace;
	note(op, op_row(op), p, &s);
	op_row(op)->aborts += why != 0;
	op_row(op)->aborts_memory += failed;
	states_ended(plan_states(), !failed && state < TIDE_CRITICAL);
	lease = p->lease;
	member = p->member;
	predicted = p->predicted;
	begun = p->number;
	counted = leave(op, b);
	plan_set_live_line(TIDE_NONE);
	note_boundary();
	plan_unlock();
	if (counted && lease != 0)
		member_release(member, plan_room()->used);
	plan_room()->lease = member_lease();
	tell_end(&op->conf, op_row(op), s.time_ns, plan_room()->used,
	    plan_start_used());
	decision_end(op, &s);
	write_down(op, b, predicted, begun, &s);
	learned_keep(op);
	cleanup_bill();
	if (plan_host()->epoch != NULL && op->conf.detect >= 0)
		plan_host()->epoch(op_row(op)->name);
	if (is_to_be_cleaned(op))
		batch_clean_between(op);
	delay(op);
	return plan_room()->state;
}

int
batch_end(tide_batch *b, uint64_t done)
{
	if (!batch_is_open(b)) {
		if (b != NULL && batch_inside(b)->open_mark == BATCH_OPEN)
			memset(b, 0, sizeof(*b)); /* the parent's */
		return plan_visit();
	}
	return finish(b, done, 0);
}

void
batch_abort(tide_batch *b, int why)
{
	if (!batch_is_open(b))
		return;
	if (why == TIDE_NOMEM)
		plan_refused();
	why = why != 0 ? why : TIDE_ERROR;
	run_note_fail(b->first, b->n, why, why == TIDE_NOMEM ? "no memory" :
	    "given up");
	(void)finish(b, batch_inside(b)->done > 0 ? batch_inside(b)->done :
	    batch_inside(b)->n, why);
}
