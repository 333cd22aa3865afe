#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <float.h>
#include <math.h>

#include "base/base.h"
#include "model/knob.h"

static void
it_is_the_best_where_nothing_presses(void **state)
{
	(void)state;
	assert_true(knob_value(10, 6, 0) == 10);
	assert_true(knob_value(10, 6, -1) == 10);
	assert_true(knob_value(10, 6, (double)NAN) == 10);
	assert_true(knob_value(10, 6, -(double)INFINITY) == 10);
}

static void
it_is_the_cheapest_where_it_is_critical(void **state)
{
	(void)state;
	assert_true(knob_value(10, 6, 1) == 6);
	assert_true(knob_value(10, 6, 7) == 6);
	assert_true(knob_value(10, 6, (double)INFINITY) == 6);
	assert_true(knob_value(0.1, 0.3, 1) == 0.3);
}

static void
it_lies_on_the_line_in_between(void **state)
{
	(void)state;
	assert_true(knob_value(10, 6, 0.5) == 8);
	assert_true(knob_value(10, 6, 0.25) == 9);
	assert_true(knob_value(6, 10, 0.25) == 7);
	assert_true(knob_value(5, 5, 0.7) == 5);
	assert_true(knob_value(-1, 1, 0.5) == 0);
}

static void
pressure_is_the_share_of_the_way_to_critical(void **state)
{
	static const struct {
		double used, warn, critical, pressure;
	} cases[] = {
		{ 0.5, 0.75, 0.88, 0 },
		{ 0.75, 0.75, 0.88, 0 },
		{ 0.88, 0.75, 0.88, 1 },
		{ 7, 0.75, 0.88, 1 },
		{ 0.625, 0.5, 0.75, 0.5 },
		/* There is no between. */
		{ 0.5, 0.5, 0.5, 0 },
		{ 0.6, 0.5, 0.5, 1 },
		{ 0.6, 0.5, 0.4, 1 },
		{ 0.45, 0.5, 0.4, 0 },
		{ (double)NAN, 0.5, 0.6, 0 },
		{ 0.55, (double)NAN, 0.6, 0 },
		{ 0.55, 0.5, (double)NAN, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		if (knob_pressure(cases[i].used, cases[i].warn,
		    cases[i].critical) != cases[i].pressure)
			fail_msg("case %zu: %g", i, knob_pressure(
			    cases[i].used, cases[i].warn, cases[i].critical));
}

static uint64_t seed = 7;

static uint64_t
next(void)
{
	return seed = mix_u64(seed + 0x9e3779b97f4a7c15u);
}

/* Of any size, the least and the largest among them. */
static double
any(void)
{
	static const double odd[] = { 0, 1, -1, DBL_MAX, -DBL_MAX, DBL_MIN,
		4.9e-324, 1e308, -1e308, 0.1, 1.0 / 3 };
	uint64_t n = next();

	if (n % 3 == 0)
		return odd[n / 3 % ARRAY_LENGTH(odd)];
	return ((double)(next() >> 11) / (double)(1 << 30) - 4e6) *
	    (n % 3 == 1 ? 1 : 1e-300);
}

static void
it_only_ever_moves_from_the_best_to_the_cheapest(void **state)
{
	(void)state;
	for (int i = 0; i < 2000; i++) {
		double best = any(), cheapest = any(), before = best, p = 0;

		for (int j = 0; j <= 200; j++) {
			double value = knob_value(best, cheapest, p);

			if (best < cheapest ?
			    !(value >= before && value <= cheapest) :
			    !(value <= before && value >= cheapest))
				fail_msg("%g to %g at %g: %g after %g", best,
				    cheapest, p, value, before);
			before = value;
			p = j == 199 ? 1 : p + (double)(next() % 1000) / 1e5;
		}
		assert_true(knob_value(best, cheapest, 1) == cheapest);
	}
}

static void
what_is_no_number_is_not_made_up(void **state)
{
	(void)state;
	assert_true(knob_value((double)INFINITY, 1, 0.5) ==
	    (double)INFINITY);
	assert_true(knob_value(1, (double)INFINITY, 0.5) == 1);
	assert_true(knob_value(1, (double)NAN, 0.5) == 1);
	assert_true(knob_value(1, (double)INFINITY, 1) == (double)INFINITY);
	assert_true(isnan(knob_value((double)NAN, 1, 0.5)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_best_where_nothing_presses),
		cmocka_unit_test(it_is_the_cheapest_where_it_is_critical),
		cmocka_unit_test(it_lies_on_the_line_in_between),
		cmocka_unit_test(pressure_is_the_share_of_the_way_to_critical),
		cmocka_unit_test(
		    it_only_ever_moves_from_the_best_to_the_cheapest),
		cmocka_unit_test(what_is_no_number_is_not_made_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
