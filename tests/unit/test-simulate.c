#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "simulate/simulate.h"

static const struct sim_options three = {
	.budget = SIM_BUDGET, .items = SIM_ITEMS, .seeds = 3,
};

/* An item that alone is more than what is left of the budget, and that nobody
 * has told of. */
static bool
has_giants(const struct sim_work *w)
{
	return strcmp(w->name, "pareto-1.5") == 0;
}

/* What comes is not like what was: sizes alone are killed, and lose by it. */
static bool
has_surprises(const struct sim_work *w)
{
	return has_giants(w) || strcmp(w->name, "bursts") == 0;
}

static void
nothing_is_killed_where_it_can_be_cut_or_weighed(void **state)
{
	const struct sim_work *w;
	struct sim_result r;

	(void)state;
	for (w = sim_works; w < sim_works + sim_works_count; w++) {
		assert_int_equal(sim_run(w, SIM_CUT, 0, &three, &r), 0);
		if (r.kills > 0 && !w->padded && !has_giants(w))
			fail_msg("%s: %.1f kills a run though it is cut",
			    w->name, r.kills);
		if (has_giants(w) && r.kills > 1)
			fail_msg("%s: %.1f kills a run", w->name, r.kills);
		assert_int_equal(sim_run(w, SIM_WEIGHTS, 0, &three, &r), 0);
		if (r.kills > 0)
			fail_msg("%s: %.1f kills a run though it is weighed",
			    w->name, r.kills);
		assert_true(r.most <= 1);
	}
}

static void
it_is_as_fast_as_the_best_size_that_is_not_killed(void **state)
{
	static const enum sim_law laws[] = { SIM_OURS, SIM_CUT, SIM_WEIGHTS };
	const struct sim_work *w;
	struct sim_result best, r;
	size_t n, i;

	(void)state;
	for (w = sim_works; w < sim_works + sim_works_count; w++) {
		assert_int_equal(sim_best_static(w, &three, &n, &best), 0);
		assert_true(n > 0);
		for (i = 0; i < ARRAY_LENGTH(laws); i++) {
			assert_int_equal(sim_run(w, laws[i], 0, &three, &r),
			    0);
			if (r.rate < (laws[i] == SIM_OURS && has_surprises(w) ?
			    0.90 : 0.95) * best.rate)
				fail_msg("%s, %s: %.0f %%", w->name,
				    sim_law_names[laws[i]],
				    100 * r.rate / best.rate);
		}
	}
}

static void
a_run_is_the_same_each_time(void **state)
{
	const struct sim_options one = { .budget = SIM_BUDGET, .items = 5000,
		.seeds = 2 };
	struct sim_result first, second;
	const struct sim_work *w = sim_work_find("bursts");
	enum sim_law law;

	(void)state;
	assert_non_null(w);
	assert_null(sim_work_find("burst"));
	for (law = SIM_OURS; law < SIM_LAWS; law++) {
		assert_int_equal(sim_run(w, law, 0, &one, &first), 0);
		assert_int_equal(sim_run(w, law, 0, &one, &second), 0);
		assert_memory_equal(&first, &second, sizeof(first));
		assert_true(first.rate > 0);
	}
}

/* --- recorded ones -------------------------------------------------------- */

#define RECORDED 40

/* @power and what is whole and each; sizes 1 to 40, or all of @size. */
static struct sim_record
recorded(struct sim_batch *batch, double whole, double each, double power,
    size_t size, double leak)
{
	struct sim_record record;
	uint64_t at = 0;
	size_t i, n;

	for (i = 0; i < RECORDED; i++) {
		n = size > 0 ? size : i + 1;
		batch[i] = (struct sim_batch){ .first = at, .count = n,
			.peak = whole + each * pow((double)n, power),
			.used = 1e6 + leak * (double)at,
			.seconds = 0.5 + 0.01 * (double)n };
		at += n;
	}
	assert_int_equal(sim_record_open(&record, batch, RECORDED), 0);
	assert_int_equal(record.items, at);
	return record;
}

static void
what_was_recorded_is_found_again(void **state)
{
	struct sim_batch batch[RECORDED];
	struct sim_record r = recorded(batch, 5e6, 1e6, 1, 0, 1000);
	struct sim_work work;

	(void)state;
	assert_true(fabs(r.power - 1) < 1e-9 && !r.one_size);
	assert_true(fabs(r.whole - 5e6) < 5e4 && fabs(r.each - 1e6) < 1e4);
	assert_true(fabs(r.time - 50) < 0.5);
	assert_true(fabs(r.leak - 1000) < 10 && fabs(r.base - 1e6) < 1);
	sim_record_work(&r, &work);
	assert_true(work.additive);
	assert_true(fabs(work.growth(&work, r.item + 7, 10, 1) - 15e6) < 2e5);
	sim_record_close(&r);

	r = recorded(batch, 2e6, 3e4, 2, 0, 0);
	assert_true(fabs(r.power - 2) < 0.05 && r.leak < 1e-6);
	sim_record_work(&r, &work);
	assert_false(work.additive);
	assert_true(fabs(work.growth(&work, r.item, 100, 1) - 302e6) < 1e7);
	sim_record_close(&r);
}

static void
of_one_size_nothing_is_whole(void **state)
{
	struct sim_batch batch[RECORDED];
	struct sim_record r = recorded(batch, 4e6, 1e6, 1, 8, 0);

	(void)state;
	assert_true(r.one_size);
	assert_true(fabs(r.whole + 8 * r.each - 12e6) < 1e4);
	sim_record_close(&r);
}

static void
what_is_no_run_is_refused(void **state)
{
	struct sim_batch none = { .first = 5 };
	struct sim_batch far = { .first = UINT64_MAX - 1, .count = 9 };
	struct sim_record r;

	(void)state;
	assert_int_equal(sim_record_open(&r, &none, 1), -ENODATA);
	assert_int_equal(sim_record_open(&r, NULL, 0), -ENODATA);
	assert_int_equal(sim_record_open(&r, &far, 1), -E2BIG);
}

/* What a law makes of it follows the budget, and what it can it cuts. */
static void
a_recorded_run_is_simulated(void **state)
{
	struct sim_batch batch[RECORDED];
	struct sim_record r = recorded(batch, 5e6, 1e6, 1, 0, 0);
	struct sim_options o = { .budget = 40000000, .items = r.items,
		.seeds = 1 };
	struct sim_result best, wide;
	struct sim_work work;
	size_t n, more;

	(void)state;
	sim_record_work(&r, &work);
	assert_int_equal(sim_best_static(&work, &o, &n, &best), 0);
	assert_in_range(n, 30, 34); /* 1 + 5 + n <= 40 */
	o.budget = 80000000;
	assert_int_equal(sim_best_static(&work, &o, &more, &wide), 0);
	assert_true(more > n && wide.rate > best.rate);
	assert_int_equal(sim_run(&work, SIM_CUT, 0, &o, &wide), 0);
	assert_true(!(wide.kills > 0) && wide.most <= 1);
	sim_record_close(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    nothing_is_killed_where_it_can_be_cut_or_weighed),
		cmocka_unit_test(
		    it_is_as_fast_as_the_best_size_that_is_not_killed),
		cmocka_unit_test(a_run_is_the_same_each_time),
		cmocka_unit_test(what_was_recorded_is_found_again),
		cmocka_unit_test(of_one_size_nothing_is_whole),
		cmocka_unit_test(what_is_no_run_is_refused),
		cmocka_unit_test(a_recorded_run_is_simulated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
