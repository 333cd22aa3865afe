#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/base.h"
#include "simulate.h"

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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    nothing_is_killed_where_it_can_be_cut_or_weighed),
		cmocka_unit_test(
		    it_is_as_fast_as_the_best_size_that_is_not_killed),
		cmocka_unit_test(a_run_is_the_same_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
