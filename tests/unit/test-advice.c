#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "model/advice.h"

static struct advice list[ADVICE_MOST];
static size_t count;

/*
 * A run of 1000 s under a budget of 1 GiB, of which 300 MiB were used, 245 MiB
 * on average: 100 batches of 50 items of 1 MiB, 10 s each.
 */
static struct tide_op_stats
an_op(void)
{
	struct tide_op_stats op = {
		.name = "load",
		.unit = "page",
		.batches = 100,
		.items = 5000,
		.n_last = 50, .n_least = 20, .n_most = 50,
		.growth_last = 50 * MIB,
		.growth_most = 50 * MIB,
		.growth_sum = 5000 * MIB,
		.growth_squares = 100 * (50 * KIB) * (50 * KIB),
		.predicted_last = 60 * MIB,
		.time_ns = 1000 * NS_PER_S,
		.started_ns = NS_PER_S,
		.ended_ns = 1001 * NS_PER_S,
		.one = 2 * MIB,
		.per_item = (double)MIB,
		.power = 1,
		.bound = TIDE_BOUND_MEMORY,
		.active_most = 1,
		.checkpoints = 20,
	};

	return op;
}

static struct advice_facts
a_run(const struct tide_op_stats *op)
{
	struct advice_facts f = {
		.seconds = 1000,
		.budget = GIB,
		.used = 250 * MIB,
		.used_mean = 245 * MIB,
		.used_peak = 300 * MIB,
		.heap_live = 200 * MIB,
		.heap_resident = 220 * MIB,
		.allocator = ALLOCATOR_GLIBC,
		.threads_most = 1,
		.threads_came = 1,
		.stacks_known = true,
		.op = op,
		.ops = 1,
	};

	return f;
}

static const struct advice *
find(enum advice_id id)
{
	for (size_t i = 0; i < count; i++)
		if (list[i].id == id)
			return &list[i];
	return NULL;
}

static const struct advice *
advise(const struct advice_facts *f, enum advice_id id)
{
	count = advice_give(f, list, ADVICE_MOST);
	return find(id);
}

static void
near(double found, double expected)
{
	assert_true(fabs(found - expected) <= 1e-6 * fabs(expected));
}

static const struct advice *
of_op(struct tide_op_stats *op, enum advice_id id)
{
	struct advice_facts f = a_run(op);

	return advise(&f, id);
}

static void
a_run_that_is_well_hears_so_and_how_little_were_enough(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *ok = advise(&f, ADVICE_OK);

	(void)state;
	assert_non_null(ok);
	near(ok->number[0], (double)(245 * MIB));
	for (size_t i = 0; i < count; i++)
		assert_true(list[i].id == ADVICE_OK ||
		    list[i].id == ADVICE_BUDGET);
	assert_int_equal(count, 2);
}

static void
who_came_near_the_budget_is_not_well(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);

	(void)state;
	f.used_peak = 820 * MIB;
	assert_null(advise(&f, ADVICE_OK));
	f.used_peak = 818 * MIB; /* 0.799 */
	assert_non_null(advise(&f, ADVICE_OK));
	f.budget = TIDE_NONE;
	f.used_peak = 820 * MIB;
	assert_non_null(advise(&f, ADVICE_OK));
}

static void
a_tenth_of_the_time_above_eighty_percent_is_told(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *v;

	(void)state;
	f.high_share = 0.1;
	assert_null(advise(&f, ADVICE_UTIL));
	f.high_share = ADVICE_UNKNOWN;
	assert_null(advise(&f, ADVICE_UTIL));
	f.high_share = 0.34;
	f.used_peak = 900 * MIB;
	v = advise(&f, ADVICE_UTIL);
	assert_non_null(v);
	near(v->number[3], (double)(1125 * MIB));
	near(v->number[4], 0.75);
	f.target_mille = 600;
	near(advise(&f, ADVICE_UTIL)->number[4], 0.55);
	assert_null(find(ADVICE_OK));
}

static void
batches_that_are_cut_get_a_maximum(void **state)
{
	struct tide_op_stats op = an_op();
	const struct advice *v;

	(void)state;
	op.cuts = 5;
	assert_null(of_op(&op, ADVICE_BATCH));
	op.cuts = 6;
	v = of_op(&op, ADVICE_BATCH);
	assert_non_null(v);
	near(v->number[4], 40);
	op.cuts = 0;
	op.changes = 26;
	assert_null(of_op(&op, ADVICE_BATCH)); /* in search of the knee */
	op.overruns = 2;
	assert_non_null(of_op(&op, ADVICE_BATCH));
	op.weights = 5000;
	assert_null(of_op(&op, ADVICE_BATCH));
	op.weights = 0;
	op.batches = 7;
	op.cuts = 7;
	assert_null(of_op(&op, ADVICE_BATCH));
}

static void
larger_batches_than_the_knee_are_told_what_they_cost(void **state)
{
	struct tide_op_stats op = an_op();
	const struct advice *v;

	(void)state;
	op.knee = 48;
	op.n_most = 400;
	op.growth_most = 480 * MIB;
	op.knee_rate = 3900;
	op.most_rate = 1000;
	v = of_op(&op, ADVICE_KNEE);
	assert_non_null(v);
	near(v->number[0], 48);
	near(v->number[1], (double)(48 * MIB));
	near(v->number[3], (double)(480 * MIB));
	near(v->number[4], 3.9);
	op.n_most = 70; /* not half as many again */
	assert_null(of_op(&op, ADVICE_KNEE));
	op.n_most = 400;
	op.most_rate = 4500;
	assert_null(of_op(&op, ADVICE_KNEE));
}

static void
larger_batches_are_advised_where_they_pay_and_fit(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f;
	const struct advice *v;

	(void)state;
	op.bound = TIDE_BOUND_MAX;
	op.knee = 50;
	op.knee_rate = 5;
	op.most_rate = 5;
	v = of_op(&op, ADVICE_SLOW);
	assert_non_null(v);
	near(v->number[0], 1);
	/* 250 MiB are there already: 0.9 GiB less that, less a quarter. */
	near(v->number[2], 400);
	assert_int_equal(v->severity, ADVICE_HINT);
	op.bound = TIDE_BOUND_MEMORY;
	assert_null(of_op(&op, ADVICE_SLOW));
	op.bound = TIDE_BOUND_MAX;
	f = a_run(&op);
	f.used_peak = 600 * MIB; /* memory is not free */
	assert_null(advise(&f, ADVICE_SLOW));
	op.knee = 0; /* nothing is known of how fast */
	assert_null(of_op(&op, ADVICE_SLOW));
}

static void
where_larger_batches_do_not_pay_that_is_said(void **state)
{
	struct tide_op_stats op = an_op();
	const struct advice *v;

	(void)state;
	op.bound = TIDE_BOUND_KNEE;
	op.knee = 12;
	op.knee_rate = 8;
	op.most_rate = 5;
	v = of_op(&op, ADVICE_SLOW);
	assert_non_null(v);
	near(v->number[0], 0);
	near(v->number[2], 12);
	assert_int_equal(v->severity, ADVICE_FINE);
}

static void
a_heavy_tail_asks_for_weights(void **state)
{
	struct tide_op_stats op = an_op();
	const struct advice *v;

	(void)state;
	op.growth_squares = 100 * (52 * KIB) * (52 * KIB); /* 14 MiB around */
	op.one = 19 * MIB;
	assert_null(of_op(&op, ADVICE_TAIL));
	op.item_most = 25 * MIB;
	v = of_op(&op, ADVICE_TAIL);
	assert_non_null(v);
	near(v->number[2], 25);
	assert_int_equal(v->severity, ADVICE_HINT);
	op.fixed = 6 * MIB; /* of the first item, as it seems */
	assert_null(of_op(&op, ADVICE_TAIL));
	op.per_item = 0; /* the line is flat: all that they take is "fixed" */
	assert_non_null(of_op(&op, ADVICE_TAIL));
	op.fixed = 0;
	op.growth_squares = 100 * (50 * KIB) * (50 * KIB);
	assert_null(of_op(&op, ADVICE_TAIL)); /* batches are all alike */
	op.growth_squares = 100 * (52 * KIB) * (52 * KIB);
	op.overruns = 1;
	assert_int_equal(of_op(&op, ADVICE_TAIL)->severity, ADVICE_WARN);
	op.weights = 5000;
	assert_null(of_op(&op, ADVICE_TAIL));
}

static void
doubling_a_square_is_four_times_as_much(void **state)
{
	struct tide_op_stats op = an_op();
	const struct advice *v;

	(void)state;
	op.growth_most = 2500000;
	op.power = 1.2;
	op.per_item = 22000;
	assert_null(of_op(&op, ADVICE_SUPER));
	op.power = 2;
	op.per_item = 1000;
	v = of_op(&op, ADVICE_SUPER);
	assert_non_null(v);
	near(v->number[2], 2500e3);
	near(v->number[3], 625e3);
	near(v->number[4], 4);
	near(v->number[5], 25);
	/* The largest batch took a third of what that law says: chance. */
	op.growth_most = 800000;
	assert_null(of_op(&op, ADVICE_SUPER));
}

static void
a_fixed_cost_of_half_asks_for_larger_batches(void **state)
{
	struct tide_op_stats op = an_op();
	const struct advice *v;

	(void)state;
	op.fixed = 24 * MIB;
	op.per_item = (double)MIB / 2;
	assert_null(of_op(&op, ADVICE_FIXED));
	op.fixed = 25 * MIB;
	v = of_op(&op, ADVICE_FIXED);
	assert_non_null(v);
	near(v->number[1], 0.5);
	near(v->number[3], 100);
	near(v->number[4], (double)(75 * MIB));
}

static void
a_fixed_cost_is_not_spread_beyond_the_budget(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *v;

	(void)state;
	op.fixed = 25 * MIB;
	op.per_item = (double)MIB / 2;
	f.budget = 380 * MIB; /* 342 less 250 that are there: 92 */
	v = advise(&f, ADVICE_FIXED);
	assert_non_null(v);
	near(v->number[3], 50);
}

static void
delays_that_bought_nothing_are_named(void **state)
{
	struct tide_op_stats op = an_op();
	const struct advice *v;

	(void)state;
	op.delay_ns = 12 * NS_PER_S;
	v = of_op(&op, ADVICE_DELAY);
	assert_non_null(v);
	near(v->number[0], 12);
	op.delay_freed = 11 * MIB; /* 1 % of the budget is 10.2 */
	assert_null(of_op(&op, ADVICE_DELAY));
	op.delay_freed = 0;
	op.delay_ns = 9 * NS_PER_S;
	assert_null(of_op(&op, ADVICE_DELAY));
}

static void
ten_minutes_without_a_checkpoint_are_long(void **state)
{
	struct tide_op_stats op = an_op();
	const struct advice *v;

	(void)state;
	op.checkpoints = 0;
	v = of_op(&op, ADVICE_CKPT);
	assert_non_null(v);
	near(v->number[2], 5);
	near(v->number[3], 50);
	op.ended_ns = 600 * NS_PER_S;
	assert_null(of_op(&op, ADVICE_CKPT));
}

static void
checkpoints_that_pile_up_are_to_be_cleaned(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);

	(void)state;
	f.kept_bytes = GIB - 1;
	f.kept_seconds = 6 * 86400;
	assert_null(advise(&f, ADVICE_CLEAN));
	f.kept_bytes = GIB;
	assert_non_null(advise(&f, ADVICE_CLEAN));
	f.kept_bytes = 1;
	f.kept_seconds = 8 * 86400;
	assert_non_null(advise(&f, ADVICE_CLEAN));
	f.kept_bytes = 0;
	assert_null(advise(&f, ADVICE_CLEAN));
}

static void
waiting_for_a_tenth_of_the_time_asks_for_fewer_at_once(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *v;

	(void)state;
	op.active_most = 8;
	op.wait_ns = 100 * NS_PER_S;
	assert_null(of_op(&op, ADVICE_CONC));
	op.wait_ns = 1000 * NS_PER_S;
	v = of_op(&op, ADVICE_CONC);
	assert_non_null(v);
	near(v->number[0], 0.5);
	near(v->number[3], 4);
	op.active_most = 1;
	assert_null(of_op(&op, ADVICE_CONC)); /* it waits for nobody */
	f.leased = true;
	near(advise(&f, ADVICE_CONC)->number[3], 1);
}

static void
the_smallest_budget_holds_the_batches_and_what_is_beside(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *v = advise(&f, ADVICE_BUDGET);

	(void)state;
	/* 250 beside, and 48 items with the margin of 60 to 50, in 90 %. */
	assert_non_null(v);
	assert_int_equal(v->op, 0);
	near(v->number[4], 48);
	near(v->number[0], (250 + 48 * 1.2) / 0.9 * (double)MIB);
	f.critical_mille = 880; /* they would be cut there */
	near(advise(&f, ADVICE_BUDGET)->number[0], (250 + 48 * 1.2) /
	    (0.88 * 0.97) * (double)MIB);
	f.critical_mille = 0;
	op.knee = 20;
	op.knee_rate = op.most_rate = 5;
	v = advise(&f, ADVICE_BUDGET);
	near(v->number[4], 20);
	near(v->number[0], (250 + 20 * 1.2) / 0.9 * (double)MIB);
}

static void
a_budget_that_is_small_already_is_left_alone(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);

	(void)state;
	f.budget = 370 * MIB;
	assert_null(advise(&f, ADVICE_BUDGET));
	f.budget = 390 * MIB;
	assert_non_null(advise(&f, ADVICE_BUDGET));
	f.failed = 1; /* it was too small */
	assert_null(advise(&f, ADVICE_BUDGET));
}

static void
a_program_without_operations_gets_its_peak_as_a_budget(void **state)
{
	struct advice_facts f = a_run(NULL);
	const struct advice *v;

	(void)state;
	f.ops = 0;
	f.budget = TIDE_NONE;
	v = advise(&f, ADVICE_BUDGET);
	assert_non_null(v);
	assert_int_equal(v->op, -1);
	near(v->number[0], 300 / 0.9 * (double)MIB);
	assert_int_equal(v->severity, ADVICE_FINE);
}

static void
a_baseline_that_fills_the_budget_asks_for_a_new_start(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *v;

	(void)state;
	f.used_peak = 780 * MIB; /* 730 without a batch */
	op.retained_sum = 260 * MIB;
	v = advise(&f, ADVICE_RECYCLE);
	assert_non_null(v);
	assert_int_equal(v->severity, ADVICE_URGENT);
	near(v->number[3], 50);
	op.retained_sum = 250 * MIB;
	assert_null(advise(&f, ADVICE_RECYCLE));
	op.retained_sum = 260 * MIB;
	f.used_peak = 760 * MIB;
	assert_null(advise(&f, ADVICE_RECYCLE));
}

static void
critical_times_are_told_with_the_largest_operation(void **state)
{
	struct tide_op_stats op[2] = { an_op(), an_op() };
	struct advice_facts f = a_run(op);
	const struct advice *v;

	(void)state;
	f.ops = 2;
	f.used_peak = 900 * MIB;
	op[1].growth_most = 200 * MIB;
	op[1].active_most = 3;
	f.state_share[0] = 0.96;
	f.state_share[TIDE_CRITICAL] = 0.04;
	assert_null(advise(&f, ADVICE_HIGH));
	f.state_share[TIDE_CRITICAL] = 0.05;
	f.used_peak = 800 * MIB; /* others raised it */
	assert_null(advise(&f, ADVICE_HIGH));
	f.used_peak = 900 * MIB;
	v = advise(&f, ADVICE_HIGH);
	assert_non_null(v);
	assert_int_equal(v->op, 1);
	assert_int_equal(v->severity, ADVICE_WARN);
	near(v->number[5], 3);
	f.state_share[TIDE_CRITICAL] = 0;
	f.failed = 3;
	v = advise(&f, ADVICE_HIGH);
	assert_int_equal(v->severity, ADVICE_URGENT);
	near(v->number[4], 3);
	/* Of states nothing is known. */
	f.failed = 0;
	f.state_share[0] = ADVICE_UNKNOWN;
	f.state_share[TIDE_EXHAUSTED] = 1;
	assert_null(advise(&f, ADVICE_HIGH));
	op[0].aborts = op[0].aborts_memory = 1;
	assert_non_null(advise(&f, ADVICE_HIGH));
}

static void
a_leak_is_urgent_if_the_budget_is_met_within_the_hour(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *v;

	(void)state;
	assert_null(advise(&f, ADVICE_LEAK));
	f.leak = (struct advice_site){ 7, 20 * MIB, 1200, 1000, 0.0001 };
	f.growing = 2;
	f.growth_per_second = 2000;
	v = advise(&f, ADVICE_LEAK);
	assert_non_null(v);
	assert_int_equal(v->site, 7);
	assert_int_equal(v->severity, ADVICE_WARN);
	near(v->number[3], 3600e3);
	near(v->number[5], 774.0 * (double)MIB / 2000);
	f.growth_per_second = 1e6;
	assert_int_equal(advise(&f, ADVICE_LEAK)->severity, ADVICE_URGENT);
	f.ended = true;
	assert_int_equal(advise(&f, ADVICE_LEAK)->severity, ADVICE_WARN);
}

static void
a_cache_is_told_if_it_is_large(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *v;

	(void)state;
	f.cache = (struct advice_site){ .site = 5, .live = 29 * MIB };
	f.saturated = 1;
	assert_null(advise(&f, ADVICE_CACHE));
	f.cache.live = 64 * MIB;
	v = advise(&f, ADVICE_CACHE);
	assert_non_null(v);
	near(v->number[1], 1 / 16.0);
	near(v->number[2], (double)(32 * MIB));
}

static void
what_the_allocator_keeps_is_told_by_allocator(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *v;

	(void)state;
	f.heap_live = 20 * MIB;
	f.heap_resident = 484 * MIB;
	v = advise(&f, ADVICE_RETAIN);
	assert_non_null(v);
	near(v->number[2], 24.2);
	near(v->number[4] + 1, 1); /* one thread: no arenas */
	f.threads_most = 8;
	near(advise(&f, ADVICE_RETAIN)->number[4], 2);
	f.allocator = ALLOCATOR_MIMALLOC;
	f.threads_came = 8;
	assert_non_null(advise(&f, ADVICE_RETAIN));
	f.threads_came = 32;
	assert_null(advise(&f, ADVICE_RETAIN));
	assert_non_null(find(ADVICE_ALLOC));
	/* Twice as much of little is little. */
	f.heap_live = 4 * MIB;
	f.heap_resident = 8 * MIB;
	advise(&f, ADVICE_ALLOC);
	assert_null(find(ADVICE_ALLOC));
}

static void
what_batches_leave_behind_counts_if_the_heap_grows(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *v;

	(void)state;
	op.retained_sum = 100 * MIB;
	assert_null(advise(&f, ADVICE_GROW)); /* up and down */
	f.heap = VERDICT_GROWING;
	v = advise(&f, ADVICE_GROW);
	assert_non_null(v);
	near(v->number[0], (double)MIB);
	assert_int_equal(v->site, 0);
	f.heap = VERDICT_UNKNOWN;
	f.leak.site = 9;
	assert_int_equal(advise(&f, ADVICE_GROW)->site, 9);
	op.retained_sum = 20 * MIB; /* less than 2 % */
	assert_null(advise(&f, ADVICE_GROW));
}

static void
swap_and_a_group_without_a_limit_are_told(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	const struct advice *v;

	(void)state;
	f.swapped = 16 * MIB - 1;
	assert_non_null(advise(&f, ADVICE_SWAP)); /* 1.6 % of the budget */
	f.budget = 16 * GIB;
	assert_null(advise(&f, ADVICE_SWAP));
	f.swapped = 100 * MIB;
	near(advise(&f, ADVICE_SWAP)->number[2], (double)(200 * MIB));
	f.from_host = true;
	assert_null(advise(&f, ADVICE_LIMIT));
	f.in_group = true;
	v = advise(&f, ADVICE_LIMIT);
	assert_non_null(v);
	near(v->number[2], (double)(375 * MIB));
}

static void
the_worst_comes_first(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);

	(void)state;
	op.checkpoints = 0;
	op.cuts = 50;
	f.failed = 1;
	f.leak.site = 3;
	count = advice_give(&f, list, ADVICE_MOST);
	assert_true(count >= 4);
	assert_int_equal(list[0].id, ADVICE_HIGH);
	for (size_t i = 1; i < count; i++)
		assert_true(list[i - 1].severity > list[i].severity ||
		    (list[i - 1].severity == list[i].severity &&
		    list[i - 1].id <= list[i].id));
	assert_null(find(ADVICE_OK));
}

static void
rows_that_are_free_or_did_nothing_say_nothing(void **state)
{
	struct tide_op_stats op = an_op();

	(void)state;
	op.cuts = 50;
	op.items = 0;
	assert_null(of_op(&op, ADVICE_BATCH));
	op.items = 5000;
	op.name[0] = '\0';
	assert_null(of_op(&op, ADVICE_BATCH));
}

static void
damaged_counters_make_numbers_that_are_numbers(void **state)
{
	static const double odd[] = { NAN, INFINITY, -INFINITY, -1, 1e308 };
	struct tide_op_stats op;
	struct advice_facts f = a_run(&op);

	(void)state;
	f.leak.site = f.cache.site = 1;
	f.failed = f.kept_bytes = f.swapped = UINT64_MAX;
	f.cache.live = f.heap_resident = UINT64_MAX;
	f.heap = VERDICT_GROWING;
	for (size_t i = 0; i < ARRAY_LENGTH(odd); i++) {
		memset(&op, 0xff, sizeof(op));
		op.per_item = op.power = op.knee_rate = op.most_rate = odd[i];
		f.failed = i % 2;
		count = advice_give(&f, list, ADVICE_MOST);
		assert_true(count > 0);
		for (size_t n = 0; n < count * ADVICE_NUMBERS; n++)
			assert_true(isfinite(list[n / ADVICE_NUMBERS].number[
			    n % ADVICE_NUMBERS]));
	}
}

static void
a_law_says_no_more_than_was_seen(void **state)
{
	struct tide_op_stats op = an_op();

	(void)state;
	near(advice_batch(&op, 25), (double)(25 * MIB));
	near(advice_batch(&op, 100), (double)(100 * MIB));
	op.power = 2;
	op.per_item = (double)MIB; /* 2500 MiB at 50, where 50 were taken */
	near(advice_batch(&op, 5), (double)(25 * MIB));
	near(advice_batch(&op, 25), (double)(50 * MIB));
	near(advice_batch(&op, 100), (double)(200 * MIB));
	op.growth_most = 0;
	near(advice_batch(&op, 5), (double)(25 * MIB));
	op.n_least = 26; /* all about alike: nothing is known of a power */
	near(advice_batch(&op, 25), (double)(25 * MIB));
}

static void
a_short_list_keeps_to_its_room(void **state)
{
	struct tide_op_stats op = an_op();
	struct advice_facts f = a_run(&op);
	struct advice two[3];

	(void)state;
	op.power = 2;
	op.cuts = 50;
	f.failed = 1;
	memset(two, 0x5a, sizeof(two));
	assert_int_equal(advice_give(&f, two, 2), 2);
	assert_int_equal(two[2].op, 0x5a5a5a5a);
	assert_int_equal(advice_give(&f, two, 0), 0);
}

static void
each_id_has_a_name_and_names_for_its_numbers(void **state)
{
	(void)state;
	for (int i = 0; i < ADVICE_IDS; i++) {
		assert_memory_equal(advice_name((enum advice_id)i), "R-", 2);
		assert_non_null(advice_number((enum advice_id)i, 0));
	}
	assert_string_equal(advice_name(ADVICE_IDS), "R-NONE");
	assert_null(advice_number(ADVICE_OK, ADVICE_NUMBERS));
	assert_null(advice_number(ADVICE_OK, 5));
	assert_string_equal(advice_severity_name(ADVICE_URGENT), "urgent");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test(name)
		TEST(a_run_that_is_well_hears_so_and_how_little_were_enough),
		TEST(who_came_near_the_budget_is_not_well),
		TEST(a_tenth_of_the_time_above_eighty_percent_is_told),
		TEST(batches_that_are_cut_get_a_maximum),
		TEST(larger_batches_than_the_knee_are_told_what_they_cost),
		TEST(larger_batches_are_advised_where_they_pay_and_fit),
		TEST(where_larger_batches_do_not_pay_that_is_said),
		TEST(a_heavy_tail_asks_for_weights),
		TEST(doubling_a_square_is_four_times_as_much),
		TEST(a_fixed_cost_of_half_asks_for_larger_batches),
		TEST(a_fixed_cost_is_not_spread_beyond_the_budget),
		TEST(delays_that_bought_nothing_are_named),
		TEST(ten_minutes_without_a_checkpoint_are_long),
		TEST(checkpoints_that_pile_up_are_to_be_cleaned),
		TEST(waiting_for_a_tenth_of_the_time_asks_for_fewer_at_once),
		TEST(the_smallest_budget_holds_the_batches_and_what_is_beside),
		TEST(a_budget_that_is_small_already_is_left_alone),
		TEST(a_program_without_operations_gets_its_peak_as_a_budget),
		TEST(a_baseline_that_fills_the_budget_asks_for_a_new_start),
		TEST(critical_times_are_told_with_the_largest_operation),
		TEST(a_leak_is_urgent_if_the_budget_is_met_within_the_hour),
		TEST(a_cache_is_told_if_it_is_large),
		TEST(what_the_allocator_keeps_is_told_by_allocator),
		TEST(what_batches_leave_behind_counts_if_the_heap_grows),
		TEST(swap_and_a_group_without_a_limit_are_told),
		TEST(the_worst_comes_first),
		TEST(rows_that_are_free_or_did_nothing_say_nothing),
		TEST(damaged_counters_make_numbers_that_are_numbers),
		TEST(a_law_says_no_more_than_was_seen),
		TEST(a_short_list_keeps_to_its_room),
		TEST(each_id_has_a_name_and_names_for_its_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
