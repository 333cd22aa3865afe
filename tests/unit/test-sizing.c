#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/base.h"
#include "model/numbers.h"
#include "model/sizing.h"

#define BUDGET (1000 * MIB)
#define BASE   (100 * MIB)

/* Large; one test at a time. */
static struct sizing s;
static struct sizing_plan plan;

static struct sizing_room
room_of(uint64_t used)
{
	return (struct sizing_room){ .budget = BUDGET, .used = used,
		.remaining = UINT64_MAX, .grow_allowed = true };
}

static uint32_t
next(void)
{
	struct sizing_room room = room_of(BASE);

	sizing_plan(&s, &room, &plan);
	return plan.n;
}

static void
learn(uint32_t n, uint64_t growth)
{
	struct sizing_batch b = { .n = n, .growth = growth, .budget = BUDGET,
		.used = BASE };

	sizing_learn(&s, &b);
}

static void
fail_at(uint32_t n, uint64_t growth)
{
	struct sizing_batch b = { .n = n, .growth = growth, .budget = BUDGET,
		.used = BASE, .failed = true };

	sizing_learn(&s, &b);
}

/* So many batches of a work that takes fixed + each n^power MiB; the most that
 * was taken, in MiB. */
static double
work_through(uint32_t batches, double fixed, double each, double power)
{
	double most = 0, mib;
	uint32_t n;

	while (batches-- > 0) {
		n = next();
		mib = fixed + each * numbers_pow(n, power);
		most = mib > most ? mib : most;
		learn(n, (uint64_t)(mib * MIB));
	}
	return most;
}

/* --- by sizes alone ------------------------------------------------------- */

static void
a_zeroed_one_has_all_defaults_and_begins_with_one_item(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	assert_int_equal(next(), 1);
	assert_int_equal(plan.bound, SIZING_BY_INITIAL);
	assert_int_equal(plan.predicted, 0);
	assert_int_equal(plan.line, BUDGET * 9 / 10);
	assert_true(sizeof(s) <= 24 * KIB);
}

static void
no_batch_is_more_than_twice_the_largest(void **state)
{
	uint32_t largest = 1, n, i;

	(void)state;
	sizing_open(&s, NULL);
	for (i = 0; i < 20; i++) {
		n = next();
		assert_true(n <= 2 * largest);
		largest = n > largest ? n : largest;
		learn(n, n * 512);
	}
	assert_int_equal(largest, 1 << 19);
	assert_int_equal(plan.bound, SIZING_BY_GROWTH);
}

static void
what_is_learned_fills_the_target_and_not_the_budget(void **state)
{
	static const struct {
		double fixed, each, power;
	} works[] = {
		{ 20, 2, 1 },     { 0, 2, 1 },
		{ 10, 0.02, 2 },  { 10, 20, 0.7 },
		{ 10, 0.001, 3 }, { 300, 0.5, 1 },
		{ 5, 0.3, 1.4 },
	};
	double most;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(works); i++) {
		sizing_open(&s, NULL);
		most = work_through(150, works[i].fixed, works[i].each,
		    works[i].power);
		/* Of the 800 that are its share. */
		assert_true(most >= 700 && most <= 800);
		/* What is predicted is no less than what comes. */
		assert_true((double)sizing_predict(&s, next()) / MIB >=
		    works[i].fixed + works[i].each *
		    numbers_pow(plan.n, works[i].power));
	}
}

static void
what_is_more_than_all_before_is_believed_at_once(void **state)
{
	uint32_t before, i;

	(void)state;
	sizing_open(&s, NULL);
	work_through(100, 20, 2, 1);
	before = next();
	/* It takes 1.12 times as much from now on: no overrun yet. */
	learn(before, (uint64_t)(1.12 * (20 + 2 * before) * MIB));
	assert_true(next() <= before * 0.92);
	for (i = 0; i < 20; i++)
		learn(next(), (uint64_t)(1.12 * (20 + 2 * plan.n) * MIB));
	assert_true(1.12 * (20 + 2 * next()) < 800);
}

static void
near_the_limit_nothing_is_forgotten(void **state)
{
	uint32_t i;

	(void)state;
	sizing_open(&s, NULL);
	work_through(100, 20, 2, 1);
	learn(200, 790 * MIB);
	/* 300 batches that are harmless again. */
	for (i = 0; i < 300; i++)
		learn(200, 420 * MIB);
	assert_true(next() <= 200);
	assert_int_equal(plan.bound, SIZING_BY_NEAR);
}

static void
after_an_overrun_there_is_less_and_it_comes_back_slowly(void **state)
{
	uint32_t before, i;

	(void)state;
	sizing_open(&s, NULL);
	work_through(100, 20, 2, 1);
	before = next();
	learn(before, 870 * MIB);
	assert_true(next() <= before * 7 / 10);
	for (i = 0; i < 5; i++)
		learn(next(), 400 * MIB);
	assert_true(next() < before * 9 / 10);
}

static void
what_failed_is_tried_again_with_a_quarter_down_to_one(void **state)
{
	(void)state;
	sizing_open(&s, NULL);
	work_through(100, 20, 2, 1);
	fail_at(256, 899 * MIB);
	assert_true(next() <= 64);
	fail_at(next(), 899 * MIB);
	assert_true(next() <= 16);
	fail_at(next(), 899 * MIB);
	fail_at(next(), 899 * MIB);
	fail_at(next(), 899 * MIB);
	fail_at(next(), 899 * MIB);
	assert_int_equal(next(), 1);
	/* One success, and what is known rules again. */
	learn(1, 4 * MIB);
	next();
	assert_int_not_equal(plan.bound, SIZING_BY_FALLBACK);
}

static void
a_prediction_never_falls_with_more_items(void **state)
{
	uint64_t last = 0;
	uint32_t n;

	(void)state;
	sizing_open(&s, NULL);
	assert_int_equal(sizing_predict(&s, 10), 0);
	work_through(30, 20, 2, 1.2);
	for (n = 1; n < 1000; n++) {
		assert_true(sizing_predict(&s, n) >= last);
		last = sizing_predict(&s, n);
	}
}

/* --- other bounds --------------------------------------------------------- */

static void
each_bound_is_kept_and_named(void **state)
{
	const struct sizing_conf conf = { .min = 3, .max = 50 };
	struct sizing_room room = room_of(BASE);

	(void)state;
	sizing_open(&s, &conf);
	assert_int_equal(next(), 3);
	work_through(20, 1, 1, 1);
	assert_int_equal(next(), 50);
	assert_int_equal(plan.bound, SIZING_BY_MAX);

	room.knee = 40;
	sizing_plan(&s, &room, &plan);
	assert_int_equal(plan.n, 40);
	assert_int_equal(plan.bound, SIZING_BY_KNEE);

	room.remaining = 7;
	sizing_plan(&s, &room, &plan);
	assert_int_equal(plan.n, 7);
	assert_int_equal(plan.bound, SIZING_BY_REMAINING);

	room.remaining = 0;
	sizing_plan(&s, &room, &plan);
	assert_int_equal(plan.n, 0);

	room.remaining = 1000;
	room.probe = true;
	sizing_plan(&s, &room, &plan);
	assert_int_equal(plan.n, 3);
	assert_int_equal(plan.bound, SIZING_BY_STATE);

	room.probe = false;
	learn(20, 21 * MIB);
	room.grow_allowed = false;
	sizing_plan(&s, &room, &plan);
	assert_int_equal(plan.n, 20);
	assert_int_equal(plan.bound, SIZING_BY_STATE);

	/* No room at all: whether to begin is for the states to say. */
	room.used = BUDGET;
	sizing_plan(&s, &room, &plan);
	assert_int_equal(plan.n, 3);
	assert_int_equal(plan.bound, SIZING_BY_MIN);
}

static void
what_is_contrary_is_put_right(void **state)
{
	const struct sizing_conf conf = { .target = 7, .initial = 100,
		.min = 10, .max = 5 };

	(void)state;
	sizing_open(&s, &conf);
	assert_int_equal(next(), 10);
	assert_true(plan.line <= BUDGET * 98 / 100);
}

static void
the_seed_table_stops_above_three_quarters(void **state)
{
	const struct sizing_conf conf = { .policy = SIZING_SEED };
	static const struct {
		uint64_t percent;
		uint32_t n;
	} cases[] = {
		{ 0, 5 }, { 49, 5 }, { 50, 1 }, { 74, 1 }, { 75, 0 },
		{ 100, 0 },
	};
	struct sizing_room room;
	size_t i;

	(void)state;
	sizing_open(&s, &conf);
	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		room = room_of(BUDGET / 100 * cases[i].percent);
		sizing_plan(&s, &room, &plan);
		assert_int_equal(plan.n, cases[i].n);
	}
}

static void
a_mean_and_a_fixed_size_do_as_they_say(void **state)
{
	struct sizing_conf conf = { .policy = SIZING_MEAN };

	(void)state;
	sizing_open(&s, &conf);
	assert_int_equal(next(), 1);
	learn(1, 2 * MIB);
	assert_int_equal(next(), 250); /* of 600 less 100 MiB */

	conf = (struct sizing_conf){ .fixed = 32 };
	sizing_open(&s, &conf);
	learn(32, 800 * MIB);
	assert_int_equal(next(), 32);
	fail_at(32, 800 * MIB);
	assert_int_equal(next(), 8);
}

static void
the_line_leaves_room_for_the_largest_item(void **state)
{
	struct sizing_batch b = { .n = 10, .growth = 300 * MIB,
		.item_max = 200 * MIB, .budget = BUDGET, .used = BASE };
	struct sizing_conf conf = { .model = SIZING_VECTOR };
	struct sizing_room room = room_of(BASE);

	(void)state;
	sizing_open(&s, NULL);
	sizing_learn(&s, &b);
	next();
	assert_int_equal(plan.one, 200 * MIB);
	assert_int_equal(plan.line, 780 * MIB);
	/* But some of the room is always used. */
	b.item_max = 900 * MIB;
	sizing_learn(&s, &b);
	next();
	assert_int_equal(plan.line, (100 + 220) * MIB);

	room.budget = 0;
	sizing_plan(&s, &room, &plan);
	assert_true(plan.line == UINT64_MAX);
	sizing_open(&s, &conf);
	next();
	assert_true(plan.line == UINT64_MAX);
}

static void
what_the_allocator_cannot_use_bounds_it_too(void **state)
{
	struct sizing_open_batch open;
	struct sizing_room room = room_of(BASE);
	struct sizing_batch b = { .n = 10, .growth = 20 * MIB,
		.weight_sum = 20 * MIB, .weight_max = 2 * MIB,
		.budget = BUDGET, .used = BASE };
	uint32_t before, weighed;
	int i;

	(void)state;
	sizing_open(&s, NULL);
	work_through(100, 20, 2, 1);
	before = next();
	room.fits = 200 * MIB;
	sizing_plan(&s, &room, &plan);
	assert_in_range(plan.n, 60, 100);
	assert_true(plan.n < before / 3);
	for (i = 0; i < 6; i++) {
		sizing_learn(&s, &b);
		b.n *= 2;
		b.growth *= 2;
		b.weight_sum *= 2;
	}
	sizing_begin(&s, &room, &plan, &open);
	for (weighed = 0; sizing_item(&s, &open, 2 * MIB) != 0; weighed++)
		;
	assert_in_range(weighed, 60, 100);
}

static void
what_is_usual_is_not_what_was_far_out(void **state)
{
	uint64_t usual;
	uint32_t n;
	int i;

	(void)state;
	sizing_open(&s, NULL);
	assert_int_equal(sizing_expect(&s, 10), 0);
	work_through(100, 20, 2, 1);
	assert_in_range(sizing_expect(&s, 100) / MIB, 210, 230);
	assert_in_range(sizing_expect(&s, 200) / MIB, 410, 430);
	/* Some that took six times as much do not make it so. */
	n = next();
	usual = sizing_expect(&s, n);
	for (i = 0; i < 5; i++)
		learn(60, 60 * 12 * MIB);
	assert_in_range(sizing_expect(&s, n), usual / 10 * 9, usual / 10 * 11);
}

/* The most that may be while nothing may grow. */
static uint32_t
still(void)
{
	struct sizing_room room = room_of(BASE);

	room.grow_allowed = false;
	sizing_plan(&s, &room, &plan);
	return plan.n;
}

static void
what_the_knee_tries_is_no_size_to_stay_at(void **state)
{
	struct sizing_batch b = { .n = 10, .held = true, .growth = 20 * MIB,
		.budget = BUDGET, .used = BASE };

	(void)state;
	sizing_open(&s, NULL);
	work_through(100, 20, 2, 1);
	learn(200, 420 * MIB);
	assert_int_equal(still(), 200);
	sizing_learn(&s, &b);
	assert_int_equal(still(), 200);
	/* It was closed as items were large, not as there was no room. */
	b.cut = true;
	sizing_learn(&s, &b);
	assert_int_equal(still(), 200);
	b.held = false;
	sizing_learn(&s, &b);
	assert_int_equal(still(), 100);
}

static void
a_batch_that_was_cut_does_not_bound_others(void **state)
{
	struct sizing_batch b = { .n = 10, .cut = true, .growth = 790 * MIB,
		.budget = BUDGET, .used = BASE };
	uint32_t before;

	(void)state;
	sizing_open(&s, NULL);
	work_through(100, 20, 2, 1);
	before = next();
	sizing_learn(&s, &b);
	/* By the envelope it would be 10. */
	assert_true(next() > before / 4);
}

/* --- what a kill costs ---------------------------------------------------- */

#define BATCH_MS 1000 /* of each batch, beside a ms an item */

/*
 * Batches of about 2 MiB an item, one in 16 a third above; how many would have
 * been killed.  As a batch costs much by itself, larger ones are faster.
 */
static uint32_t
work_at_price(uint64_t kill_cost_ns, uint32_t batches, double *rate)
{
	const struct sizing_conf conf = { .kill_cost_ns = kill_cost_ns };
	double items = 0, ms = 0, growth;
	struct sizing_batch b;
	uint32_t kills = 0, i;

	sizing_open(&s, &conf);
	for (i = 0; i < batches; i++) {
		memset(&b, 0, sizeof(b));
		b.n = next();
		growth = (i % 16 == 7 ? 2.7 : 2.0) * b.n * MIB;
		b.failed = growth > (double)(BUDGET - BASE);
		b.growth = (uint64_t)(b.failed ? (double)(BUDGET - BASE) :
		    growth);
		b.time_ns = (uint64_t)(BATCH_MS + b.n) * 1000000;
		b.budget = BUDGET;
		b.used = BASE;
		sizing_learn(&s, &b);
		ms += BATCH_MS + b.n + (b.failed ? (double)kill_cost_ns / 1e6 :
		    0);
		items += b.failed ? 0 : b.n;
		kills += b.failed;
	}
	*rate = items / ms;
	return kills;
}

static void
without_a_price_no_batch_is_worth_a_kill(void **state)
{
	double rate, dear;

	(void)state;
	assert_int_equal(work_at_price(0, 598, &rate), 0);
	/* Nor with one that is large beside a batch; nothing else is different
	 * then. */
	assert_int_equal(work_at_price(UINT64_C(3000000000000), 598, &dear), 0);
	assert_true(dear == rate);
}

static void
where_a_kill_is_cheap_batches_are_bolder_and_all_is_faster(void **state)
{
	double safe, cheap;
	uint32_t kills;

	(void)state;
	(void)work_at_price(0, 598, &safe);
	kills = work_at_price(1000000, 598, &cheap);
	assert_in_range(kills, 1, 60);
	assert_true(cheap > safe);
}

static void
the_line_is_raised_as_far_as_the_batch(void **state)
{
	uint64_t line;
	uint32_t i;
	double rate;

	(void)state;
	(void)work_at_price(0, 598, &rate);
	(void)next();
	line = plan.line;
	/* After a while without a kill, which has a bound of its own. */
	(void)work_at_price(1000000, 583, &rate);
	for (i = 0; i < 30; i++)
		learn(next(), (uint64_t)plan.n * 2 * MIB);
	(void)next();
	assert_int_equal(plan.bound, SIZING_BY_COST);
	assert_true(plan.line > line);
	assert_true(plan.line <= BUDGET / 100 * 98);
}

static void
a_price_changes_nothing_where_larger_is_no_faster(void **state)
{
	const struct sizing_conf conf = { .kill_cost_ns = 1000 };
	struct sizing_batch b;
	uint32_t n = 0, i;

	(void)state;
	sizing_open(&s, &conf);
	for (i = 0; i < 300; i++) {
		memset(&b, 0, sizeof(b));
		n = b.n = next();
		b.growth = 2 * n * MIB;
		b.time_ns = 1000000 * (uint64_t)n;
		b.budget = BUDGET;
		b.used = BASE;
		sizing_learn(&s, &b);
	}
	assert_int_not_equal(plan.bound, SIZING_BY_COST);
	assert_true(2 * n * MIB + BASE <= BUDGET / 100 * 91);
}

/* --- weights -------------------------------------------------------------- */

/* Fill a batch with items of @weight, and take what they take. */
static uint32_t
weigh(uint64_t weight, double each, double fixed, bool padded)
{
	const struct sizing_room room = room_of(BASE);
	struct sizing_batch b = { .budget = BUDGET, .used = BASE };
	struct sizing_open_batch open;

	sizing_plan(&s, &room, &plan);
	sizing_begin(&s, &room, &plan, &open);
	while (sizing_item(&s, &open, weight) != 0)
		;
	b.n = open.n;
	b.weight_sum = open.sum;
	b.weight_max = open.max;
	b.growth = (uint64_t)((fixed + each * (double)(padded ?
	    open.n * open.max : open.sum)) * MIB);
	assert_true(b.growth < BUDGET - BASE);
	sizing_learn(&s, &b);
	return open.n;
}

static void
weights_of_any_unit_are_learned_and_fill_the_budget(void **state)
{
	uint32_t n = 0, i;

	(void)state;
	sizing_open(&s, NULL);
	for (i = 0; i < 40; i++) /* a line of text: 3 MiB a thousand */
		n = weigh(1000, 0.003, 20, false);
	assert_in_range(n, 230, 283);
}

static void
the_batch_is_closed_before_the_item_that_would_not_fit(void **state)
{
	const struct sizing_room room = room_of(BASE);
	struct sizing_open_batch open;
	uint32_t i;

	(void)state;
	sizing_open(&s, NULL);
	for (i = 0; i < 40; i++)
		weigh(2, 1, 20, false);
	sizing_plan(&s, &room, &plan);
	sizing_begin(&s, &room, &plan, &open);
	for (i = 0; i < 200; i++)
		assert_int_equal(sizing_item(&s, &open, 2), 1);
	assert_int_equal(sizing_item(&s, &open, 600), 0);
	assert_int_equal(open.n, 200);
	assert_int_equal(open.sum, 400);
	/* A small one still may. */
	assert_int_equal(sizing_item(&s, &open, 2), 1);

	/* The first may, whatever it is, or there would be no end. */
	sizing_begin(&s, &room, &plan, &open);
	assert_int_equal(sizing_item(&s, &open, UINT64_MAX), 1);
	assert_int_equal(sizing_item(&s, &open, UINT64_MAX), 0);
}

static void
padding_is_found_out_without_being_told(void **state)
{
	const struct sizing_room room = room_of(BASE);
	struct sizing_open_batch open;
	uint32_t i, n = 0;

	(void)state;
	sizing_open(&s, NULL);
	for (i = 0; i < 60; i++) {
		struct sizing_batch b = { .budget = BUDGET, .used = BASE };

		sizing_plan(&s, &room, &plan);
		sizing_begin(&s, &room, &plan, &open);
		/* One of five is five times as large. */
		for (n = 0; sizing_item(&s, &open, n % 5 == i % 5 ? 5 : 1) !=
		    0; n++)
			;
		b.n = open.n;
		b.weight_sum = open.sum;
		b.weight_max = open.max;
		b.growth = (20 + open.n * open.max) * MIB;
		assert_true(b.growth <= BUDGET - BASE);
		sizing_learn(&s, &b);
	}
	assert_in_range(n, 140, 176);
}

static void
weights_obey_the_other_bounds(void **state)
{
	const struct sizing_conf conf = { .max = 12 };
	struct sizing_room room = room_of(BASE);
	struct sizing_open_batch open;
	uint32_t n;

	(void)state;
	sizing_open(&s, &conf);
	for (n = 0; n < 20; n++)
		weigh(1, 1, 0, false);
	assert_int_equal(weigh(1, 1, 0, false), 12);
	room.remaining = 4;
	sizing_plan(&s, &room, &plan);
	sizing_begin(&s, &room, &plan, &open);
	for (n = 0; sizing_item(&s, &open, 1) != 0; n++)
		;
	assert_int_equal(n, 4);
}

/* --- from run to run ------------------------------------------------------ */

static void
what_was_saved_starts_warm_and_with_care(void **state)
{
	struct sizing_saved saved;
	uint32_t before, first;

	(void)state;
	sizing_open(&s, NULL);
	work_through(100, 20, 2, 1);
	before = next();
	sizing_save(&s, &saved);
	sizing_open(&s, NULL);
	assert_true(sizing_load(&s, &saved));
	first = next();
	assert_in_range(first, before / 2, before * 95 / 100);
	assert_true(work_through(80, 20, 2, 1) < 900);
	assert_true(next() >= before * 95 / 100);
}

static void
what_is_damaged_is_refused_and_changes_nothing(void **state)
{
	struct sizing_saved good, bad;

	(void)state;
	sizing_open(&s, NULL);
	work_through(30, 20, 2, 1);
	sizing_save(&s, &good);
	sizing_open(&s, NULL);

	bad = good;
	bad.version++;
	assert_false(sizing_load(&s, &bad));
	bad = good;
	bad.count = SIZING_SAVED + 1;
	assert_false(sizing_load(&s, &bad));
	bad = good;
	bad.heavy_count = UINT32_MAX;
	assert_false(sizing_load(&s, &bad));
	bad = good;
	memset(&bad.g[3], 0xff, sizeof(bad.g[3])); /* no number */
	assert_false(sizing_load(&s, &bad));
	bad = good;
	bad.n[0] = -1;
	assert_false(sizing_load(&s, &bad));
	bad = good;
	bad.one = -1;
	assert_false(sizing_load(&s, &bad));
	assert_int_equal(next(), 1);
	assert_int_equal(plan.bound, SIZING_BY_INITIAL);
}

static void
odd_numbers_have_an_answer(void **state)
{
	struct sizing_room room = { .budget = 0, .grow_allowed = true,
		.remaining = UINT64_MAX };
	const struct sizing_batch none = { .n = 0, .growth = 5 };
	uint32_t i;

	(void)state;
	sizing_open(&s, NULL);
	sizing_learn(&s, &none);
	assert_int_equal(s.batches, 0);
	/* No budget: only growth bounds. */
	learn(1, 0);
	sizing_plan(&s, &room, &plan);
	assert_int_equal(plan.n, 2);
	for (i = 0; i < 10; i++) {
		learn(UINT32_MAX, UINT64_MAX);
		learn(1, 0);
		assert_true(next() >= 1);
	}
	/* More used than there is. */
	room.budget = MIB;
	room.used = UINT64_MAX;
	sizing_plan(&s, &room, &plan);
	assert_int_equal(plan.n, 1);
}

/* Of two sizes any power is true; a hair's breadth is no evidence. */
static void
of_two_sizes_people_are_told_a_line(void **state)
{
	struct sizing_curve curve;
	uint32_t i;

	(void)state;
	sizing_open(&s, NULL);
	for (i = 0; i < 9; i++)
		learn(215, 30090240 + i % 3 * 40000);
	learn(65, 20260368);
	curve = sizing_curve(&s);
	assert_true(curve.power == 1);
	assert_in_range((int)curve.fixed, 15000000, 17000000);
	/* Of many, what they say. */
	sizing_open(&s, NULL);
	for (i = 1; i < 60; i++)
		learn(i, 1000000 + 5000 * (uint64_t)i * i);
	curve = sizing_curve(&s);
	assert_true(curve.power == 2);
	assert_in_range((int)curve.fixed, 990000, 1010000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_zeroed_one_has_all_defaults_and_begins_with_one_item),
		cmocka_unit_test(no_batch_is_more_than_twice_the_largest),
		cmocka_unit_test(of_two_sizes_people_are_told_a_line),
		cmocka_unit_test(
		    what_is_learned_fills_the_target_and_not_the_budget),
		cmocka_unit_test(
		    what_is_more_than_all_before_is_believed_at_once),
		cmocka_unit_test(near_the_limit_nothing_is_forgotten),
		cmocka_unit_test(
		    after_an_overrun_there_is_less_and_it_comes_back_slowly),
		cmocka_unit_test(
		    what_failed_is_tried_again_with_a_quarter_down_to_one),
		cmocka_unit_test(a_prediction_never_falls_with_more_items),
		cmocka_unit_test(each_bound_is_kept_and_named),
		cmocka_unit_test(what_is_contrary_is_put_right),
		cmocka_unit_test(the_seed_table_stops_above_three_quarters),
		cmocka_unit_test(a_mean_and_a_fixed_size_do_as_they_say),
		cmocka_unit_test(the_line_leaves_room_for_the_largest_item),
		cmocka_unit_test(what_the_allocator_cannot_use_bounds_it_too),
		cmocka_unit_test(what_is_usual_is_not_what_was_far_out),
		cmocka_unit_test(what_the_knee_tries_is_no_size_to_stay_at),
		cmocka_unit_test(a_batch_that_was_cut_does_not_bound_others),
		cmocka_unit_test(
		    weights_of_any_unit_are_learned_and_fill_the_budget),
		cmocka_unit_test(
		    the_batch_is_closed_before_the_item_that_would_not_fit),
		cmocka_unit_test(padding_is_found_out_without_being_told),
		cmocka_unit_test(weights_obey_the_other_bounds),
		cmocka_unit_test(what_was_saved_starts_warm_and_with_care),
		cmocka_unit_test(
		    what_is_damaged_is_refused_and_changes_nothing),
		cmocka_unit_test(without_a_price_no_batch_is_worth_a_kill),
		cmocka_unit_test(
		    where_a_kill_is_cheap_batches_are_bolder_and_all_is_faster),
		cmocka_unit_test(the_line_is_raised_as_far_as_the_batch),
		cmocka_unit_test(
		    a_price_changes_nothing_where_larger_is_no_faster),
		cmocka_unit_test(odd_numbers_have_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
