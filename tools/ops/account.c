/*
 * account.c - how a run went: what its file says is added up
 */
#include "ops/account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "model/numbers.h"
#include "runs/tale.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"

#define MOST 1e18 /* what is more, or no number, is damaged */

static double
seconds_of(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* --- operations ----------------------------------------------------------- */

/* The row of @name; a free one for a new name; NULL: there are too many. */
static struct tide_op_stats *
row_of(struct tide_op_stats op[TIDE_OPS], const char name[TIDE_NAME_ROOM])
{
	for (size_t i = 0; i < TIDE_OPS; i++) {
		if (op[i].name[0] == '\0')
			memcpy(op[i].name, name, TIDE_NAME_ROOM - 1);
		if (strncmp(op[i].name, name, TIDE_NAME_ROOM - 1) == 0)
			return &op[i];
	}
	return NULL;
}

/* The newest of each name: of the last process that had it. */
static void
add_op(void *context, const struct journal_record *record)
{
	struct account *a = context;
	struct tide_op_stats op, *row;

	journal_take(record, &op, sizeof(op));
	op.name[sizeof(op.name) - 1] = '\0';
	op.unit[sizeof(op.unit) - 1] = '\0';
	row = op.name[0] != '\0' ? row_of(a->op, op.name) : NULL;
	if (row == NULL)
		return;
	op.active = 0;
	*row = op;
}

/*
 * What was written down is of one process, and some batches are behind it; of
 * the batches the oldest may be gone.  Whoever has more of them counts; what
 * batches do not tell is as it was written.
 */
static void
settle_op(struct tide_op_stats *row, const struct tide_op_stats *by)
{
	struct tide_op_stats told = *row;

	if (by->batches <= told.batches)
		return;
	*row = *by;
	if (told.batches == 0)
		return;
	memcpy(row->unit, told.unit, sizeof(row->unit));
	row->items_failed = max_u64(by->items_failed, told.items_failed);
	row->aborts_memory = told.aborts_memory;
	row->delay_ns = told.delay_ns;
	row->wait_ns = told.wait_ns;
	row->reclaim_ns = told.reclaim_ns;
	row->delay_freed = told.delay_freed;
	row->checkpoint_ns = told.checkpoint_ns;
	row->weight_most = told.weight_most;
	row->weight_sum = told.weight_sum;
	row->weights = told.weights;
	row->bound = told.bound;
	row->policy = told.policy;
	row->active_most = told.active_most;
	row->item_most = max_u64(by->item_most, told.item_most);
	row->one = told.one;
	row->fixed = told.fixed;
	row->per_item = told.per_item;
	row->power = told.power;
	row->knee = told.knee;
	row->knee_rate = told.knee_rate;
	row->most_rate = told.most_rate;
}

static void
settle_ops(struct account *a, const struct tale *t)
{
	struct tide_op_stats *row;

	for (size_t i = 0; i < t->ops; i++) {
		row = row_of(a->op, t->op[i].name);
		if (row != NULL)
			settle_op(row, &t->op[i]);
	}
	for (a->facts.ops = 0; a->facts.ops < TIDE_OPS &&
	    a->op[a->facts.ops].name[0] != '\0'; )
		a->facts.ops++;
	a->facts.op = a->op;
}

/* --- as a whole ----------------------------------------------------------- */

/* Sums that batches have as well are at least what their records come to. */
static void
add_batches(struct work *w, const struct run_look *look, const struct tale *t)
{
	double sum = 0;

	for (size_t i = 0; i < t->ops; i++) {
		sum += (double)t->op[i].growth_sum;
		w->ops += t->op[i].batches != 0;
		w->cuts = max_u64(w->cuts, t->op[i].cuts);
	}
	if (look->batches >= w->batches) {
		w->batch_mean = sum;
		w->seconds = seconds_of(t->time_ns);
		w->items = look->items;
	}
	w->batches = max_u64(w->batches, look->batches);
	w->batch_mean = work_part(w->batch_mean, (double)w->batches);
	w->bytes_per_item = work_part(w->batch_mean * (double)w->batches,
	    (double)w->items);
	w->batch_p50 = tale_quantile(t, 50);
	w->batch_p95 = tale_quantile(t, 95);
	w->batch_p99 = tale_quantile(t, 99);
	w->batch_most = max_u64(w->batch_most,
	    tale_quantile(t, 100));
}

static void
add_told(struct work *w, const struct journal_work *told)
{
	const struct journal_totals *t = &told->total;

	w->batches = t->batches;
	w->items = t->items;
	w->items_failed = t->items_failed;
	w->cuts = t->cuts;
	w->aborts = t->aborts;
	w->overruns = t->overruns;
	w->batch_mean = (double)t->growth; /* a sum as yet */
	w->batch_most = told->growth_most;
	w->seconds = seconds_of(t->time_ns);
	w->delay_seconds = seconds_of(t->delay_ns);
	w->delay_freed = t->delay_freed;
	w->wait_seconds = seconds_of(t->wait_ns);
	w->cleanups = t->cleanups;
	w->cleanup_freed = t->cleanup_freed;
	w->cleanup_returned = t->cleanup_returned;
	w->cleanup_seconds = seconds_of(t->cleanup_ns);
	w->refault_seconds = seconds_of(t->refault_ns);
	w->checkpoint_seconds = seconds_of(t->checkpoint_ns);
	w->trend_points = told->trend_points;
	w->trend = numbers_within(told->trend_rate, -MOST, MOST);
	w->trend_low = numbers_within(told->trend_low, -MOST, MOST);
	w->trend_high = numbers_within(told->trend_high, -MOST, MOST);
}

static void
add_used(struct account *a, const struct tale *t)
{
	const struct journal_work *told = a->told;
	struct work *w = &a->work;

	w->budget = a->file->look.work_at_ns != 0 ? told->budget : t->budget;
	if (w->budget == 0)
		w->budget = TIDE_NONE;
	/* What jobs use when one ends has that one in it still, or not. */
	w->used_peak = a->jobs && told->used_most != 0 ? told->used_most :
	    max_u64(told->used_most, t->used_peak);
	w->used_mean = numbers_whole(told->total.watched_ns != 0 ?
	    work_part(told->used_area, (double)told->total.watched_ns) :
	    work_part(t->used_area, (double)t->time_ns), INT64_MAX);
	if (w->budget != TIDE_NONE) {
		w->utilization = work_part((double)w->used_mean,
		    (double)w->budget);
		w->peak_utilization = work_part((double)w->used_peak,
		    (double)w->budget);
	}
}

/* Of records of checkpoints their bytes in the file; compaction leaves some. */
static void
add_up(struct account *a, const struct tale *t)
{
	const struct run_look *look = &a->file->look;
	struct work *w = &a->work;

	add_told(w, a->told);
	add_batches(w, look, t);
	add_used(a, t);
	w->items_failed = max_u64(w->items_failed, look->failed +
	    look->quarantined);
	w->checkpoints = max_u64(a->told->total.checkpoints, look->marks);
	w->checkpoint_bytes = max_u64(a->told->total.checkpoint_bytes,
	    look->mark_bytes);
	w->retries = look->attempts > 0 ? look->attempts - 1 : 0;
	w->overhead = work_part(w->delay_seconds + w->cleanup_seconds +
	    w->checkpoint_seconds, w->seconds);
	a->refused = a->told->total.refused;
	a->seconds = seconds_of(look->work_ns + above_u64(look->last_ns,
	    look->process_ns));
}

/* Of the time that is known of, how much was high; and in which state. */
static void
add_shares(struct advice_facts *f, uint64_t time_ns, uint64_t high_ns,
    const uint64_t state_ns[4])
{
	double all = 0;

	f->high_share = time_ns != 0 && f->budget != TIDE_NONE ?
	    numbers_within((double)high_ns / (double)time_ns, 0, 1) :
	    ADVICE_UNKNOWN;
	f->state_share[0] = ADVICE_UNKNOWN;
	for (int i = 0; i < 4; i++)
		all += (double)state_ns[i];
	for (int i = 0; i < 4 && all > 0; i++)
		f->state_share[i] = (double)state_ns[i] / all;
}

static void
find_facts(struct account *a, const struct tale *t)
{
	const struct journal_totals *total = &a->told->total;
	struct advice_facts *f = &a->facts;

	f->seconds = a->seconds;
	f->ended = !a->file->locked;
	f->budget = a->work.budget;
	f->used = a->told->used != 0 ? a->told->used : t->used_last;
	f->used_mean = a->work.used_mean;
	f->used_peak = a->work.used_peak;
	f->failed = total->refused;
	f->leased = a->told->leased != 0;
	f->target_mille = a->told->target_mille;
	f->critical_mille = a->told->critical_mille;
	f->by_batches = true;
	if (total->watched_ns != 0)
		add_shares(f, total->watched_ns, total->high_ns,
		    total->state_ns);
	else
		add_shares(f, t->time_ns, t->high_ns, t->state_ns);
	/* What stays from batch to batch is all that it knows of growth. */
	if (a->work.trend_points != 0)
		f->heap = a->work.trend_low > 0 ? VERDICT_GROWING :
		    VERDICT_STABLE;
}

int
account_open(const char *command, const struct run_file *file,
    struct account *a)
{
	struct tale *t = need(malloc(sizeof(*t)));
	int r;

	*a = (struct account){ .file = file, .told = &file->look.work,
		.jobs = strcmp(file->look.begin.name, "batch") == 0 };
	r = tale_open(file, t);
	if (r == 0) {
		r = runs_each(file, JOURNAL_OP, add_op, a);
		settle_ops(a, t);
		add_up(a, t);
		find_facts(a, t);
		memcpy(a->source, a->told->source, sizeof(a->source));
		tale_close(t);
	}
	free(t);
	if (r == 0)
		return COMMAND_DONE;
	print_error("%s: cannot read %s: %s", command, file->path,
	    strerror(-r));
	return COMMAND_FAILED;
}

void
account_advise(const struct account *a, struct advised *advised)
{
	advise_open_of(advised, &a->facts, a->source, a->file->id);
}
