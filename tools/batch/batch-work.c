/*
 * batch-work.c - how a batch goes, written into its journal now and then: for
 * `heaptide report RUN` and `heaptide recommend RUN`, whoever goes on with it
 */
#include <string.h>

#include "base/base.h"
#include "batch/batch.h"
#include "sys/sys.h"

#define TELL_NS (10 * NS_PER_S)

void
batch_work_add(struct batch *b, const struct journal_batch *batch)
{
	struct tide_op_stats *op = &b->op;
	uint64_t n = batch->count, kib = batch->peak / KIB;

	op->changes += op->batches > 0 && (n * 4 > op->n_last * 5 ||
	    n * 5 < op->n_last * 4);
	op->batches++;
	op->items += n;
	op->items_failed += batch->failed;
	op->n_last = n;
	op->n_least = op->n_least == 0 ? n : min_u64(op->n_least, n);
	op->n_most = max_u64(op->n_most, n);
	op->growth_last = batch->peak;
	op->growth_most = max_u64(op->growth_most, batch->peak);
	op->growth_sum += batch->peak;
	op->growth_squares += kib * kib;
	op->item_most = max_u64(op->item_most, n == 1 ? batch->peak : 0);
	op->time_ns += batch->time_ns;
	op->active_most = (uint32_t)max_u64(op->active_most, b->running + 1);
}

/* What is fitted is so only where jobs have as many items as the law likes. */
static void
describe(struct batch *b)
{
	struct tide_op_stats *op = &b->op;
	struct knee_report knee = { .n = 0 };

	memcpy(op->name, "batch", sizeof("batch"));
	strncpy(op->unit, b->unit, sizeof(op->unit) - 1);
	op->total = b->total == UINT64_MAX ? 0 : b->total;
	op->done = b->cursor;
	op->wait_ns = b->figures.wait_ns;
	op->delay_ns = b->figures.delay_ns;
	op->delay_freed = b->figures.delay_freed;
	op->checkpoints = b->figures.marks;
	op->policy = b->fixed != 0 ? SIZING_FIXED : SIZING_LEARN;
	op->bound = b->fixed != 0 ? TIDE_BOUND_FIXED : TIDE_BOUND_MEMORY;
	if (b->fixed != 0)
		return;
	knee_read(&b->knee, &knee);
	op->knee = knee.settled ? knee.n : 0;
	op->knee_rate = knee.ns > 0 ? 1e9 / knee.ns : 0;
	op->most_rate = knee.largest_ns > 0 ? 1e9 / knee.largest_ns : 0;
}

void
batch_work_sum(const struct batch *b, struct journal_totals *t)
{
	const struct batch_figures *f = &b->figures;
	const struct tide_op_stats *op = &b->op;

	*t = (struct journal_totals){
		.batches = op->batches, .items = op->items,
		.items_failed = f->items_failed, .growth = op->growth_sum,
		.time_ns = op->time_ns, .delay_ns = f->delay_ns,
		.delay_freed = f->delay_freed, .wait_ns = f->wait_ns,
		.waits = f->waits, .checkpoints = f->marks,
		.watched_ns = f->used_ns, .high_ns = f->high_ns,
		.tries = f->tries, .retried = f->retried, .oom = f->oom,
		.no_memory = f->no_memory, .preempted = f->preempted,
		.suspended = f->suspended, .split = f->split,
		.poison = f->poison, .late = f->late, .skipped = f->skipped,
		.busy_us = f->busy_us, .wasted_us = f->wasted_us,
	};
}

/* What those before us did is a part of it. */
static void
add_before(struct journal_work *w, const struct journal_work *before)
{
	const uint64_t *from = (const uint64_t *)(const void *)&before->total;
	uint64_t *to = (uint64_t *)(void *)&w->total;

	for (size_t i = 0; i < sizeof(w->total) / sizeof(*to); i++)
		to[i] += from[i];
	w->used_area += before->used_area;
	w->growth_most = max_u64(w->growth_most, before->growth_most);
	w->used_most = max_u64(w->used_most, before->used_most);
}

void
batch_work_tell(struct batch *b, bool now)
{
	struct journal_work w = {
		.used_area = b->figures.used_area * (double)NS_PER_S,
		.growth_most = b->op.growth_most,
		.used_most = b->figures.peak_used,
		.used = b->used,
		.budget = batch_room_budget(b) != 0 ? batch_room_budget(b) :
		    TIDE_NONE,
		.leased = b->named,
	};

	if (b->journal == NULL || (!now && sys_clock() - b->told_ns < TELL_NS))
		return;
	b->told_ns = sys_clock();
	describe(b);
	batch_work_sum(b, &w.total);
	add_before(&w, &b->before);
	if (b->op.batches > 0)
		(void)journal_put(b->journal, JOURNAL_OP, &b->op,
		    sizeof(b->op), NULL, 0);
	(void)journal_put(b->journal, JOURNAL_WORK, &w, sizeof(w), NULL, 0);
}
