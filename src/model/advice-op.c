/*
 * advice-op.c - when something is said of an operation, and its numbers
 */
#include "base/base.h"
#include "model/advising.h"

/* --- of an operation: the size of its batches ----------------------------- */

#define CUTS_SHARE    0.05 /* of the batches; doc/recommend.md has why */
#define CHANGES_SHARE 0.25
#define SWING_SHARE   0.02 /* that were cut, or grew beyond */

/*
 * R-BATCH: more than 5 % of the batches were cut; or more than every fourth
 * was a quarter larger or smaller than the one before, and memory had a part
 * in it: it is no search for the knee, and no matter of weights.  Of cut
 * batches the mean is what fits, and half of them would have taken more: four
 * fifths of it.
 */
static bool
swings(const struct tide_op_stats *op)
{
	double batches = (double)op->batches;

	return op->batches >= 4 * ADVISING_BATCHES && op->weights == 0 &&
	    (double)op->changes > CHANGES_SHARE * batches &&
	    (double)op->cuts + (double)op->overruns >= SWING_SHARE * batches;
}

static void
judge_batch(struct advising *a, const struct tide_op_stats *op, int i)
{
	double batches = (double)op->batches;
	double cuts = (double)op->cuts, changes = (double)op->changes;
	struct advice *v;

	if (op->batches < ADVISING_BATCHES || (cuts <= CUTS_SHARE * batches &&
	    !swings(op)))
		return;
	v = advising_add(a, ADVICE_BATCH, ADVICE_WARN, i);
	v->number[0] = batches;
	v->number[1] = cuts;
	v->number[2] = changes;
	v->number[3] = advice_items(op);
	v->number[4] = advising_whole(0.8 * advice_items(op));
}

#define KNEE_BELOW 2 /* times as many items as needed, to be told of */

/*
 * R-KNEE: batches were made that are twice as large as the size from which on
 * larger ones are not faster.
 */
static void
judge_knee(struct advising *a, const struct tide_op_stats *op, int i)
{
	double knee = (double)op->knee, most = (double)op->n_most;
	struct advice *v;

	if (op->knee == 0 || most < KNEE_BELOW * knee ||
	    !advising_knee_is_fast(op))
		return;
	v = advising_add(a, ADVICE_KNEE, ADVICE_HINT, i);
	v->number[0] = knee;
	v->number[1] = advice_batch(op, knee);
	v->number[2] = most;
	v->number[3] = max_u64(whole_u64(advice_batch(op, most)),
	    op->growth_most) == op->growth_most ? (double)op->growth_most :
	    advice_batch(op, most);
	v->number[4] = advising_ratio(op->knee_rate, op->most_rate);
}

#define SLOW_KNEE 1.5  /* the knee is this near to the largest batch */
#define SLOW_FREE 0.50 /* less is used of the budget: memory is free */

/*
 * R-SLOW: at least half of the budget was never used, and what bounds a batch
 * is its configuration, not memory.  It pays if the largest batches were the
 * fastest ones; if smaller ones were as fast, it is said that it would not.
 */
static void
judge_slow(struct advising *a, const struct tide_op_stats *op, int i)
{
	const struct advice_facts *f = a->facts;
	/* The last one has what remained; one that may grow has tried to. */
	bool bound = op->bound == TIDE_BOUND_MAX ||
	    op->bound == TIDE_BOUND_FIXED || op->bound == TIDE_BOUND_REMAINING;
	double n = (double)op->n_most, more, left;
	struct advice *v;
	bool pays;

	if (!advising_budgeted(f) || op->batches < ADVISING_BATCHES ||
	    op->knee == 0 || advising_sane(op->knee_rate) == 0 ||
	    advising_share(f, (double)f->used_peak) >= SLOW_FREE)
		return;
	/* The knee is the largest there was: it may lie further up. */
	pays = bound && (double)op->knee >= n / SLOW_KNEE;
	if (!pays && op->bound != TIDE_BOUND_KNEE && !bound)
		return;
	if (!pays && n < KNEE_BELOW * (double)op->knee)
		return;
	left = advising_left(f, op);
	for (more = 2 * n; more < 64 * n &&
	    1.25 * advice_batch(op, 2 * more) <= left; more *= 2)
		;
	if (pays && 1.25 * advice_batch(op, more) > left)
		return;
	v = advising_add(a, ADVICE_SLOW, pays ? ADVICE_HINT : ADVICE_FINE, i);
	v->number[0] = pays;
	v->number[1] = n;
	v->number[2] = advising_whole(pays ? more : (double)op->knee);
	v->number[3] = advice_batch(op, v->number[2]);
	v->number[4] = advising_sane(op->knee_rate);
	v->number[5] = advising_ratio(op->knee_rate, op->most_rate);
}

#define TAIL_RATIO 20   /* the largest item to the mean */

#define TAIL_SPREAD 0.2 /* deviation of what a batch takes, of the mean */

/*
 * R-TAIL: one item takes 20 times what they take on average, beside what is
 * there whatever the size, and batches differ accordingly; and nobody says so
 * before it is loaded.
 */
static void
judge_tail(struct advising *a, const struct tide_op_stats *op, int i)
{
	double mean = advice_bytes_an_item(op);
	/*
	 * Where it fits a steep curve, what is fixed is a part of that; where it
	 * fits a flat one, all of what batches take is.
	 */
	uint64_t fixed = op->power <= 1.4 && op->per_item > 0 ? op->fixed : 0;
	double one = (double)above_u64(max_u64(op->item_most, op->one),
	    fixed);
	struct advice *v;

	if (op->weights != 0 || op->batches < 2 * ADVISING_BATCHES ||
	    mean < 1 || one < TAIL_RATIO * mean || advice_deviation(op) <
	    TAIL_SPREAD * advice_growth(op))
		return;
	v = advising_add(a, ADVICE_TAIL, op->overruns != 0 ? ADVICE_WARN :
	    ADVICE_HINT, i);
	v->number[0] = mean;
	v->number[1] = one;
	v->number[2] = one / mean;
	v->number[3] = (double)op->overruns;
}

#define SUPER_POWER 1.3 /* doubling takes 2.5 times as much */

/* R-SUPER: bytes grow as a power of 1.3 and more of the items. */
static void
judge_super(struct advising *a, const struct tide_op_stats *op, int i)
{
	double n = advice_items(op);
	struct advice *v;

	if (op->batches < ADVISING_BATCHES || !advice_law_holds(op) ||
	    op->power < SUPER_POWER || n < 2)
		return;
	v = advising_add(a, ADVICE_SUPER, ADVICE_HINT, i);
	v->number[0] = op->power;
	v->number[1] = n;
	v->number[2] = advice_batch(op, n);
	v->number[3] = advice_batch(op, n / 2);
	v->number[4] = advising_ratio(advice_batch(op, 2 * n), v->number[2]);
	v->number[5] = advising_whole(n / 2);
}

#define FIXED_SHARE 0.50 /* of what a batch takes */

/*
 * R-FIXED: half or more of what a batch takes is there before its first item.
 * @min: so many items that it is a third, as far as memory allows.
 */
static void
judge_fixed(struct advising *a, const struct tide_op_stats *op, int i)
{
	const struct advice_facts *f = a->facts;
	double mean = advice_growth(op), n = advice_items(op), wanted, left;
	struct advice *v;

	if (op->batches < ADVISING_BATCHES || !advice_law_holds(op) ||
	    mean < 1 || n < 2 || (double)op->fixed < FIXED_SHARE * mean)
		return;
	wanted = advising_sane(numbers_pow(advising_ratio(2 *
	    (double)op->fixed, op->per_item), 1 / numbers_within(op->power,
	    0.1, 8)));
	left = advising_left(f, op);
	while (wanted > 1 && 1.25 * advice_batch(op, wanted) > left)
		wanted /= 2;
	v = advising_add(a, ADVICE_FIXED, ADVICE_HINT, i);
	v->number[0] = (double)op->fixed;
	v->number[1] = advising_ratio((double)op->fixed, mean);
	v->number[2] = n;
	v->number[3] = advising_whole(wanted > n ? wanted : n);
	v->number[4] = advice_batch(op, v->number[3]);
}

/* --- of an operation: time and what it leaves behind ---------------------- */

#define DELAY_LEAST_S 10   /* model/delay.h */
#define DELAY_FREED   0.01 /* of the budget; the same */

/* R-DELAY: ten seconds and more were waited, and hardly anything was freed. */
static void
judge_delay(struct advising *a, const struct tide_op_stats *op, int i)
{
	double waited = (double)op->delay_ns / (double)NS_PER_S;
	double enough = advising_budgeted(a->facts) ? DELAY_FREED *
	    (double)a->facts->budget : (double)MIB;
	struct advice *v;

	if (waited < DELAY_LEAST_S || (double)op->delay_freed >= enough)
		return;
	v = advising_add(a, ADVICE_DELAY, ADVICE_WARN, i);
	v->number[0] = waited;
	v->number[1] = (double)op->delay_freed;
}

#define CKPT_SECONDS 600 /* what it would hurt to lose */
#define CKPT_EVERY   5   /* batches; the default of checkpoint.every */

/* R-CKPT: it worked for ten minutes, and all of it would be lost. */
static void
judge_checkpoints(struct advising *a, const struct tide_op_stats *op, int i)
{
	double seconds = (double)above_u64(op->ended_ns, op->started_ns) /
	    (double)NS_PER_S;
	struct advice *v;

	if (op->checkpoints != 0 || seconds < CKPT_SECONDS)
		return;
	v = advising_add(a, ADVICE_CKPT, ADVICE_WARN, i);
	v->number[0] = seconds;
	v->number[1] = (double)op->batches;
	v->number[2] = CKPT_EVERY;
	v->number[3] = CKPT_EVERY *
	    advising_ratio(seconds, (double)op->batches);
}

#define CONC_SHARE 0.10 /* of the time */

/*
 * R-CONC: of its time a tenth and more was spent waiting for memory that other
 * batches, or other processes of a pool, have.
 */
static void
judge_waits(struct advising *a, const struct tide_op_stats *op, int i)
{
	double waited = (double)op->wait_ns, most = op->active_most;
	double share = advising_ratio(waited, waited + (double)op->time_ns);
	struct advice *v;

	/* One that is alone waits for itself: R-HIGH tells of that. */
	if (op->batches < ADVISING_BATCHES || share < CONC_SHARE ||
	    (most <= 1 && !a->facts->leased))
		return;
	v = advising_add(a, ADVICE_CONC, ADVICE_WARN, i);
	v->number[0] = share;
	v->number[1] = waited / (double)NS_PER_S;
	v->number[2] = most;
	v->number[3] = advising_whole(most * (1 - share));
}

#define GROW_SHARE 0.02 /* of the budget, or of the peak: verdict.h */
#define GROW_LEAST ((double)MIB)

/*
 * R-GROW: the heap, or a site, grows beyond chance, and what batches have left
 * behind comes to 2 % of the budget.  That sum alone would not do: of a heap
 * that goes up and down from batch to batch it has the ups.
 */
static void
judge_growth(struct advising *a, const struct tide_op_stats *op, int i)
{
	const struct advice_facts *f = a->facts;
	double left = (double)op->retained_sum;
	struct advice *v;

	if (op->batches < ADVISING_BATCHES || (f->leak.site == 0 &&
	    f->heap != VERDICT_GROWING) || left < GROW_LEAST ||
	    left < GROW_SHARE * advising_all(f))
		return;
	v = advising_add(a, ADVICE_GROW, ADVICE_WARN, i);
	v->site = f->leak.site;
	v->number[0] = advising_ratio(left, (double)op->batches);
	v->number[1] = left;
	v->number[2] = (double)op->batches;
	v->number[3] = advising_whole(advice_items(op) / 2);
}

#define RECYCLE_USED 0.70 /* model/states.h, states_recycle_pays() */
#define RECYCLE_GREW 0.25

/*
 * R-RECYCLE: between batches more than 0.7 of the budget is used, and a quarter
 * of the budget of it is what batches have left behind.
 */
static void
judge_recycling(struct advising *a, const struct tide_op_stats *op, int i)
{
	const struct advice_facts *f = a->facts;
	double base = advising_baseline(f, op), left = (double)op->retained_sum;
	struct advice *v;

	if (advising_share(f, base) < RECYCLE_USED ||
	    advising_share(f, left) < RECYCLE_GREW)
		return;
	v = advising_add(a, ADVICE_RECYCLE, ADVICE_URGENT, i);
	v->number[0] = base;
	v->number[1] = (double)f->budget;
	v->number[2] = left;
	v->number[3] = advising_whole(advising_ratio((double)op->batches, 2));
}

/* --- all of it ------------------------------------------------------------ */

void
advising_op(struct advising *a, const struct tide_op_stats *op, int i)
{
	judge_batch(a, op, i);
	judge_knee(a, op, i);
	judge_slow(a, op, i);
	judge_tail(a, op, i);
	judge_super(a, op, i);
	judge_fixed(a, op, i);
	judge_delay(a, op, i);
	judge_checkpoints(a, op, i);
	judge_waits(a, op, i);
	judge_growth(a, op, i);
	judge_recycling(a, op, i);
}

