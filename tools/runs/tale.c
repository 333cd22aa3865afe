/*
 * tale.c - what the batches in the file of a run come to, learned from again
 */
#include "runs/tale.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "model/knee.h"
#include "model/sizing.h"
#include "model/spread.h"
#include "say/need.h"

#define HIGH 0.8 /* of the budget: from there on it counts as high */

/* What is learned of one operation. */
struct learned {
	struct sizing sizing;
	struct knee knee;
	struct spread growth;
};

struct reading {
	struct tale *tale;
	struct learned *learned; /* by row */
	uint64_t begin_ns;       /* since 1970 */
};

/* The row of @name; -1: there is no more room. */
static int
row_of(struct reading *reading, const char *name)
{
	struct tale *t = reading->tale;
	size_t i = 0;

	while (i < t->ops && strncmp(t->op[i].name, name,
	    TIDE_NAME_ROOM - 1) != 0)
		i++;
	if (i == TIDE_OPS)
		return -1;
	if (i == t->ops) {
		snprintf(t->op[i].name, sizeof(t->op[i].name), "%.*s",
		    TIDE_NAME_ROOM - 1, name);
		knee_open(&reading->learned[i].knee);
		t->ops++;
	}
	return (int)i;
}

static void
learn(struct learned *l, const struct journal_batch *b)
{
	const struct sizing_batch s = {
		.n = (uint32_t)min_u64(b->count, UINT32_MAX),
		.cut = b->cut != 0,
		.failed = b->failed != 0,
		.growth = b->peak,
		.retained = b->retained,
		.time_ns = b->time_ns,
		.budget = b->budget,
		.used = b->used,
	};

	sizing_learn(&l->sizing, &s);
	spread_add(&l->growth, b->peak);
	if (!s.failed && !s.cut && s.n > 0)
		knee_learn(&l->knee, s.n, s.time_ns, false);
}

static uint64_t
square(uint64_t bytes)
{
	uint64_t kib = min_u64(bytes / KIB, UINT32_MAX);

	return kib * kib;
}

/* As of the operation of a program: note() in plan/batch-close.c. */
static void
count(struct tide_op_stats *op, const struct journal_batch *b)
{
	uint64_t last = op->n_last;

	op->changes += last != 0 && (b->count * 4 > last * 5 ||
	    b->count * 5 < last * 4);
	op->batches++;
	op->items += b->count;
	op->done += b->count;
	op->cuts += b->cut != 0;
	op->aborts += b->failed != 0;
	op->overruns += b->predicted != 0 && b->peak > b->predicted;
	op->n_last = b->count;
	op->n_least = op->n_least == 0 ? b->count :
	    min_u64(op->n_least, b->count);
	op->n_most = max_u64(op->n_most, b->count);
	op->growth_last = b->peak;
	op->growth_most = max_u64(op->growth_most, b->peak);
	op->growth_sum += b->peak;
	op->growth_squares += square(b->peak);
	op->predicted_last = b->predicted;
	op->retained_last = (int64_t)min_u64(b->retained, INT64_MAX);
	op->retained_sum += b->retained;
	op->time_ns += b->time_ns;
	if (b->count == 1)
		op->item_most = max_u64(op->item_most, b->peak);
}

/* What is used is what there was, and half of what it took on the way. */
static void
count_room(struct tale *t, const struct journal_batch *b)
{
	double ns = (double)b->time_ns;
	double peak = (double)b->used + (double)b->peak;

	if (t->count == t->room) {
		t->room = t->room * 2 + 256;
		t->peak = need(realloc(t->peak, t->room * sizeof(*t->peak)));
	}
	t->peak[t->count++] = b->peak;
	t->budget = b->budget != 0 ? b->budget : t->budget;
	t->used_last = b->used;
	t->used_peak = max_u64(t->used_peak, min_u64(b->used, INT64_MAX) +
	    min_u64(b->peak, INT64_MAX));
	t->used_area += (peak - (double)b->peak / 2) * ns;
	t->time_ns += b->time_ns;
	if (b->budget != 0 && b->budget != TIDE_NONE &&
	    peak > HIGH * (double)b->budget)
		t->high_ns += b->time_ns;
	if (b->state >= TIDE_OK && b->state <= TIDE_EXHAUSTED)
		t->state_ns[b->state] += b->time_ns;
}

static void
add_batch(void *context, const struct journal_record *record)
{
	struct reading *reading = context;
	uint64_t at_ns = above_u64(record->time_ns, reading->begin_ns);
	struct tide_op_stats *op;
	struct journal_batch b;
	int i;

	journal_take(record, &b, sizeof(b));
	b.op[sizeof(b.op) - 1] = '\0';
	count_room(reading->tale, &b);
	i = row_of(reading, b.op[0] != '\0' ? b.op : "run");
	if (i < 0)
		return;
	op = &reading->tale->op[i];
	if (op->batches == 0)
		op->started_ns = NS_PER_S + above_u64(at_ns, b.time_ns);
	op->ended_ns = NS_PER_S + at_ns;
	count(op, &b);
	learn(&reading->learned[i], &b);
}

/* As the operation of a program tells it: see plan/batch-close.c. */
static void
describe(struct tide_op_stats *op, const struct learned *l)
{
	const struct sizing_curve curve = sizing_curve(&l->sizing);
	struct knee_report knee = { 0 };

	op->power = curve.power;
	op->per_item = curve.each;
	op->fixed = whole_u64(curve.fixed);
	op->one = whole_u64(l->sizing.one);
	knee_read(&l->knee, &knee);
	op->knee = knee.settled ? knee.n : 0;
	op->knee_rate = knee.ns > 0 ? 1e9 / knee.ns : 0;
	op->most_rate = knee.largest_ns > 0 ? 1e9 / knee.largest_ns : 0;
	op->growth_p50 = spread_below(&l->growth, 500);
	op->growth_p95 = spread_below(&l->growth, 950);
	op->growth_p99 = spread_below(&l->growth, 990);
}

static void
finish(struct tale *t, const struct learned *learned,
    const struct run_look *look)
{
	for (size_t i = 0; i < t->ops; i++) {
		snprintf(t->op[i].unit, sizeof(t->op[i].unit), "%.*s",
		    (int)sizeof(t->op[i].unit) - 1, look->begin.unit);
		describe(&t->op[i], &learned[i]);
	}
	/* Which operation it was of, the file tells of none of these. */
	if (t->ops != 1)
		return;
	t->op[0].items_failed = look->failed;
	t->op[0].total = look->total == TIDE_NONE ? 0 : look->total;
	t->op[0].checkpoints = look->marks;
	t->op[0].checkpoint_bytes = look->mark_bytes;
}

static int
by_bytes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

uint64_t
tale_quantile(const struct tale *tale, unsigned percent)
{
	size_t rank = (tale->count * percent + 99) / 100;

	return tale->count == 0 ? 0 : tale->peak[rank > 0 ? rank - 1 : 0];
}

int
tale_open(const struct run_file *file, struct tale *tale)
{
	struct reading reading = {
		.tale = tale, .begin_ns = file->look.begin_ns,
		.learned = need(calloc(TIDE_OPS, sizeof(struct learned))),
	};
	int r;

	*tale = (struct tale){ .ops = 0 };
	r = runs_each(file, JOURNAL_BATCH, add_batch, &reading);
	if (r == 0)
		finish(tale, reading.learned, &file->look);
	if (tale->count > 0)
		qsort(tale->peak, tale->count, sizeof(*tale->peak), by_bytes);
	free(reading.learned);
	if (r < 0)
		tale_close(tale);
	return r;
}

void
tale_close(struct tale *tale)
{
	free(tale->peak);
	tale->peak = NULL;
}
