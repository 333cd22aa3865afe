/*
 * advice-process.c - when something is said of the whole process, and its
 * numbers
 */
#include "model/advising.h"

/* --- the budget -------------------------------------------------------- */

#define BUDGET_LEAST (8 * MIB) /* of the peak: less is not worth a word */
#define ENOUGH 0.95 /* of the throughput */

/*
 * The least items in a batch with which the operation is 0.95 as fast: where
 * larger ones are not faster it is the knee; else, as the rate rises at most in
 * proportion to n (T = t0 + t1 n), it is 0.95 of what there were.
 */
static double
enough_items(const struct tide_op_stats *op)
{
	double n = (double)op->n_most;

	if (op->knee != 0 && (double)op->knee < n &&
	    advising_knee_is_fast(op))
		return (double)op->knee;
	return advising_whole(ENOUGH * n + 0.999);
}

/*
 * What a batch has to be allowed for: what it takes, and the margin by which
 * the sizing law stays away from it, as it did with the last one.
 */
static double
allowance(const struct tide_op_stats *op, double n)
{
	double last = advice_batch(op, (double)op->n_last);
	double margin = advising_ratio((double)op->predicted_last, last);

	return advice_batch(op, n) * numbers_within(margin, 1.02, 2);
}

/*
 * R-BUDGET: the budget that leaves room, up to its target, for what is there
 * between batches and for batches of so many items; of a program without
 * operations, for its peak.  Given where a tenth and more of the budget would
 * be saved, and where there is none.
 */
static void
judge_budget(struct advising *a)
{
	const struct advice_facts *f = a->facts;
	double enough = 0, n = 0;
	struct advice *v;
	size_t i;
	int op = -1;

	/* Of one that had too little it is not known how much is enough. */
	for (i = 0; i < a->count; i++)
		if (a->list[i].id == ADVICE_HIGH)
			return;
	if (f->used_peak < BUDGET_LEAST)
		return;
	for (i = 0; i < f->ops; i++) {
		const struct tide_op_stats *o = &f->op[i];
		double items, needs;

		if (!advice_is_used(o) || o->batches < ADVISING_BATCHES)
			continue;
		items = enough_items(o);
		needs = advising_baseline(f, o) + allowance(o, items);
		if (op < 0 || needs > enough) {
			enough = needs;
			n = items;
			op = (int)i;
		}
	}
	/* What the peak was outside of batches is not known. */
	if (op < 0)
		enough = (double)f->used_peak;
	enough = enough / advising_target(f);
	if (advising_budgeted(f) && enough > 0.9 * (double)f->budget)
		return;
	v = advising_add(a, ADVICE_BUDGET, ADVICE_FINE, op);
	v->number[0] = enough;
	v->number[1] = advising_budgeted(f) ? (double)f->budget : 0;
	v->number[2] = (double)f->used_peak;
	v->number[3] = op < 0 ? 0 : (double)f->op[op].n_most;
	v->number[4] = n;
}

/* --- of the process ------------------------------------------------------- */

#define UTIL_SHARE  0.10 /* of the time */
#define UTIL_TARGET 0.75 /* of the budget, for batches to fill */
#define UTIL_WANTED 0.80 /* of the budget */

/* R-UTIL: for more than a tenth of the time above 80 % of the budget. */
static void
judge_use(struct advising *a)
{
	const struct advice_facts *f = a->facts;
	struct advice *v;

	if (!advising_budgeted(f) || f->high_share <= UTIL_SHARE)
		return;
	v = advising_add(a, ADVICE_UTIL, ADVICE_WARN, -1);
	v->number[0] = f->high_share;
	v->number[1] = (double)f->used_peak;
	v->number[2] = (double)f->budget;
	v->number[3] = (double)f->used_peak / UTIL_WANTED;
	v->number[4] = advising_target(f) > UTIL_TARGET ? UTIL_TARGET :
	    advising_target(f) - 0.05;
}

#define HIGH_SHARE 0.05 /* of the time critical, to be told of */

/*
 * R-HIGH: allocations were refused, memory was exhausted, a batch was given up
 * for it, or it was critical for a twentieth of the time.  States are raised by
 * what others do as well (model/states.h): that counts if much was used at all.
 */
static void
judge_high(struct advising *a)
{
	const struct advice_facts *f = a->facts;
	const struct tide_op_stats *largest = NULL;
	double critical = 0, exhausted = 0;
	uint64_t aborts = 0;
	struct advice *v;
	int op = -1;
	size_t i;

	for (i = 0; i < f->ops; i++) {
		if (!advice_is_used(&f->op[i]))
			continue;
		aborts += f->op[i].aborts_memory;
		if (largest == NULL || f->op[i].growth_most >
		    largest->growth_most) {
			largest = &f->op[i];
			op = (int)i;
		}
	}
	if (f->state_share[0] >= 0 && advising_share(f,
	    (double)f->used_peak) >= UTIL_WANTED) {
		critical = f->state_share[TIDE_CRITICAL];
		exhausted = f->state_share[TIDE_EXHAUSTED];
	}
	if (f->failed == 0 && aborts == 0 && exhausted <= 0 &&
	    critical < HIGH_SHARE)
		return;
	v = advising_add(a, ADVICE_HIGH, f->failed != 0 || exhausted > 0 ?
	    ADVICE_URGENT : ADVICE_WARN, op);
	v->number[0] = critical + exhausted;
	v->number[1] = (double)f->used_peak;
	v->number[2] = advising_budgeted(f) ? (double)f->budget : 0;
	v->number[3] = largest != NULL ? (double)largest->n_most : 0;
	v->number[4] = (double)f->failed;
	v->number[5] = largest != NULL ? largest->active_most : 0;
}

/*
 * R-LEAK: a site grows beyond chance (control/judge.h has the law).  Urgent if
 * at this rate the budget is met within an hour.
 */
static void
judge_leaks(struct advising *a)
{
	const struct advice_facts *f = a->facts;
	double left = 0;
	struct advice *v;

	if (f->leak.site == 0)
		return;
	if (advising_budgeted(f) && !f->ended && f->growth_per_second > 0)
		left = advising_sane((double)above_u64(f->budget, f->used) /
		    f->growth_per_second);
	v = advising_add(a, ADVICE_LEAK, left > 0 && left < 3600 ?
	    ADVICE_URGENT : ADVICE_WARN, -1);
	v->site = f->leak.site;
	v->number[0] = (double)f->growing;
	v->number[1] = (double)f->leak.live;
	v->number[2] = f->leak.per_epoch;
	v->number[3] = f->leak.per_second * 3600;
	v->number[4] = f->leak.p;
	v->number[5] = left;
}

#define CACHE_SHARE 0.10 /* of the budget, or the peak, to be told of */
#define CACHE_LEAST ((double)MIB)

/*
 * R-CACHE: a site has grown, is full now, and holds a tenth of the budget or of
 * the peak.  @wanted: half of it.
 */
static void
judge_caches(struct advising *a)
{
	const struct advice_facts *f = a->facts;
	double live = (double)f->cache.live;
	struct advice *v;

	if (f->cache.site == 0 || live < CACHE_LEAST || live < CACHE_SHARE *
	    (double)min_u64(f->budget, f->used_peak))
		return;
	v = advising_add(a, ADVICE_CACHE, ADVICE_HINT, -1);
	v->site = f->cache.site;
	v->number[0] = live;
	v->number[1] = advising_ratio(live, advising_all(f));
	v->number[2] = live / 2;
	v->number[3] = (double)f->saturated;
}

#define RETAIN_RATIO 1.5 /* measured: 1.01 to 1.13 as a rule */
/* Less than a tenth of a small budget is for the next batch (C.7). */
#define RETAIN_LEAST ((double)(8 * MIB))
#define RETAIN_MUCH  ((double)(64 * MIB))
#define RETAIN_SHARE 0.10
#define ARENA_THREADS 4  /* from so many on it is arenas, not holes */
#define SHORT_THREADS 4  /* came, for each that was there at one time */

/*
 * R-RETAIN: the heap takes half as much again as what is live in it; R-ALLOC:
 * so it does in mimalloc where threads come and go, 14 times the live bytes
 * once measured with version 2.0.9, as what a thread leaves is not taken
 * up.
 */
static void
judge_allocator(struct advising *a)
{
	const struct advice_facts *f = a->facts;
	double live = (double)f->heap_live, all = (double)f->heap_resident;
	bool comes_and_goes = f->allocator == ALLOCATOR_MIMALLOC &&
	    f->threads_came >= SHORT_THREADS *
	    max_u64(f->threads_most, 1);
	double least = advising_budgeted(f) ? numbers_within(RETAIN_SHARE *
	    (double)f->budget, RETAIN_LEAST, RETAIN_MUCH) : RETAIN_LEAST;
	struct advice *v;

	if (all < RETAIN_RATIO * live || all - live < least)
		return;
	v = advising_add(a, comes_and_goes ? ADVICE_ALLOC : ADVICE_RETAIN,
	    ADVICE_WARN, -1);
	v->number[0] = live;
	v->number[1] = all;
	v->number[2] = advising_ratio(all, live > 1 ? live : 1);
	v->number[3] = f->threads_most;
	v->number[4] = comes_and_goes ? (double)f->threads_came :
	    f->allocator == ALLOCATOR_GLIBC &&
	    f->threads_most >= ARENA_THREADS ? 2 : 0;
}

#define CLEAN_BYTES   ((double)GIB)
#define CLEAN_SECONDS (7.0 * 24 * 3600)

/* R-CLEAN: checkpoints take a gigabyte, or the oldest is a week old. */
static void
judge_kept(struct advising *a)
{
	const struct advice_facts *f = a->facts;
	struct advice *v;

	if (f->kept_bytes == 0 || ((double)f->kept_bytes < CLEAN_BYTES &&
	    f->kept_seconds < CLEAN_SECONDS))
		return;
	v = advising_add(a, ADVICE_CLEAN, ADVICE_HINT, -1);
	v->number[0] = (double)f->kept_bytes;
	v->number[1] = f->kept_seconds;
}

#define SWAP_SHARE 0.01 /* of the budget */
#define SWAP_LEAST ((double)(16 * MIB))

/* R-SWAP: a hundredth of the budget, or 16 MiB, was swapped out. */
static void
judge_swap(struct advising *a)
{
	const struct advice_facts *f = a->facts;
	double swapped = (double)f->swapped;
	struct advice *v;

	if (swapped == 0 || (swapped < SWAP_LEAST &&
	    advising_share(f, swapped) < SWAP_SHARE))
		return;
	v = advising_add(a, ADVICE_SWAP, ADVICE_WARN, -1);
	v->number[0] = swapped;
	v->number[1] = advising_budgeted(f) ? (double)f->budget : 0;
	v->number[2] = advising_sane((double)min_u64(f->budget, f->used_peak) -
	    swapped);
}

/*
 * R-LIMIT: the only limit is what the machine has left, though the process is
 * in a control group, which was made to have one.
 */
static void
judge_limit(struct advising *a)
{
	const struct advice_facts *f = a->facts;
	struct advice *v;

	if (!f->from_host || !f->in_group || !advising_budgeted(f))
		return;
	v = advising_add(a, ADVICE_LIMIT, ADVICE_HINT, -1);
	v->number[0] = (double)f->budget;
	v->number[1] = (double)f->used_peak;
	v->number[2] = (double)f->used_peak / UTIL_WANTED;
}

/* R-OK: nothing that is a warning, and the peak is below 80 % of the budget. */
static void
judge_well(struct advising *a)
{
	const struct advice_facts *f = a->facts;
	struct advice *v;
	size_t i;

	for (i = 0; i < a->count; i++)
		if (a->list[i].severity >= ADVICE_WARN)
			return;
	if (f->used_peak == 0 || advising_share(f, (double)f->used_peak) >=
	    UTIL_WANTED)
		return;
	v = advising_add(a, ADVICE_OK, ADVICE_FINE, -1);
	v->number[0] = (double)f->used_mean;
	v->number[1] = (double)f->used_peak;
	v->number[2] = advising_budgeted(f) ? (double)f->budget : 0;
}

/* --- all of it ------------------------------------------------------------ */

void
advising_process(struct advising *a)
{
	judge_high(a);
	judge_leaks(a);
	judge_use(a);
	judge_allocator(a);
	judge_swap(a);
	judge_limit(a);
	judge_caches(a);
	judge_kept(a);
	judge_budget(a);
	judge_well(a);
}
