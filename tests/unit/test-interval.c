/*
 * test-interval.c - how long from one checkpoint to the next
 */
#include <math.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/base.h"
#include "model/interval.h"

static void
what_is_not_known_has_no_answer(void **state)
{
	(void)state;
	assert_int_equal(interval_best(0, NS_PER_S), 0);
	assert_int_equal(interval_best(NS_PER_S, 0), 0);
	assert_int_equal(interval_between(NS_PER_S, 0), 0);
	assert_int_equal(interval_between(9 * NS_PER_S, 3), 3 * NS_PER_S);
}

static void
it_is_youngs_where_a_checkpoint_is_cheap(void **state)
{
	static const struct {
		uint64_t cost_ms, between_s;
	} rows[] = {
		{ 1, 60 }, { 1, 3600 }, { 20, 3600 }, { 100, 86400 },
		{ 5000, 86400 }, { 60000, 7 * 86400 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		uint64_t c = rows[i].cost_ms * NS_PER_MS;
		uint64_t m = rows[i].between_s * NS_PER_S;
		double young = sqrt(2.0 * (double)c * (double)m);

		assert_true(fabs((double)interval_best(c, m) - young) <
		    0.02 * young);
	}
}

/* Of all that might be chosen none loses noticeably less. */
static void
none_is_better(void **state)
{
	(void)state;
	for (uint64_t m = 10; m <= 1000000; m *= 10) {
		const uint64_t c = NS_PER_S, between = m * NS_PER_S;
		uint64_t best = interval_best(c, between);
		double loss = interval_loss(best, c, between);

		for (double t = 0.01; t < 100; t *= 1.1) {
			double other = interval_loss((uint64_t)((double)best *
			    t), c, between);

			assert_true(loss <= other * 1.06);
		}
	}
}

static void
it_rises_with_both_and_stays_within_its_bounds(void **state)
{
	uint64_t before;

	(void)state;
	before = 0;
	for (uint64_t m = 1; m < UINT64_C(1) << 62; m *= 2) {
		uint64_t t = interval_best(1000, m);

		assert_true(t >= before && t >= 1000);
		assert_true(t <= m || t == 1000);
		before = t;
	}
	for (uint64_t c = 1; c < UINT64_C(1) << 62; c *= 2) {
		uint64_t t = interval_best(c, 3600 * NS_PER_S);

		assert_true(t >= c || t == 3600 * NS_PER_S);
	}
	/* No number of this size is too large. */
	assert_true(interval_best(UINT64_MAX, UINT64_MAX) > 0);
	assert_true(interval_best(1, UINT64_MAX) > 0);
	assert_true(interval_loss(UINT64_MAX, UINT64_MAX, 1) > 1);
	assert_true(interval_loss(0, 1, 1) >= 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_known_has_no_answer),
		cmocka_unit_test(it_is_youngs_where_a_checkpoint_is_cheap),
		cmocka_unit_test(none_is_better),
		cmocka_unit_test(
		    it_rises_with_both_and_stays_within_its_bounds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
