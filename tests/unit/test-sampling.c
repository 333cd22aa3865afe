#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "model/sampling.h"

/* @found is @right but for @parts of a million million. */
static void
assert_near(double found, double right, double parts)
{
	if (fabs(found - right) > fabs(right) * parts / 1e12)
		fail_msg("%.17g is not %.17g", found, right);
}

static void
chances_are_those_of_the_law(void **state)
{
	static const uint64_t means[] = { 1, 2, 16, 1000, 524288, 1ULL << 40 };
	size_t i;
	uint64_t s;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(means); i++)
		for (s = 1; s < 2 * means[i]; s = s * 5 / 3 + 1)
			assert_near(sampling_chance(s, means[i]),
			    s >= means[i] ? 1 : -expm1(-(double)s /
			    (double)means[i]), 0.01);
	assert_true(sampling_chance(0, 524288) == 0);
}

static void
a_large_block_stands_for_itself(void **state)
{
	struct sampling_weight w = sampling_weigh(524288, 524288);

	(void)state;
	assert_true(w.blocks == 1);
	assert_true(w.bytes == 524288);
	assert_true(w.variance == 0);
}

static void
a_drawn_block_stands_for_others(void **state)
{
	double p = -expm1(-100.0 / 1000);
	struct sampling_weight w = sampling_weigh(100, 1000);

	(void)state;
	assert_near(w.blocks, 1 / p, 0.1);
	assert_near(w.bytes, 100 / p, 0.1);
	assert_near(w.variance, 1e4 * (1 - p) / (p * p), 0.1);
	/* No bytes, no mark: it is there if it was recorded all the same. */
	w = sampling_weigh(0, 1000);
	assert_true(w.blocks == 1 && w.bytes == 0 && w.variance == 0);
}

static void
distances_are_exponential(void **state)
{
	static const double quantiles[] = { 0.01, 0.1, 0.5, 0.9, 0.99, 0.9999 };
	size_t i;

	(void)state;
	/* By the inverse of the distribution: u is how many are further. */
	for (i = 0; i < ARRAY_LENGTH(quantiles); i++) {
		double u = 1 - quantiles[i];
		uint64_t d = sampling_distance(1ULL << 40,
		    (uint64_t)ldexp(u, 53) << 11);

		assert_near((double)d, -log(u) * 0x1p40, 100);
	}
	assert_int_equal(sampling_distance(1000, UINT64_MAX), 1);
	/* The furthest there is: 53 bits all zeros. */
	assert_in_range(sampling_distance(1000, 0), 36736, 36738);
}

static void
their_mean_is_the_one_asked_for(void **state)
{
	double sum = 0, squares = 0, mean;
	const int n = 1000000;
	uint64_t random = 1;

	(void)state;
	for (int i = 0; i < n; i++) {
		double d = (double)sampling_distance(4096,
		    mix_u64(random += 0x9e3779b97f4a7c15));

		sum += d;
		squares += d * d;
	}
	mean = sum / n;
	/* 1/2 for what is rounded up; four standard errors. */
	assert_true(fabs(mean - 4096.5) < 4 * 4096 / sqrt(n));
	assert_true(fabs(sqrt(squares / n - mean * mean) / 4096 - 1) < 0.01);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chances_are_those_of_the_law),
		cmocka_unit_test(a_large_block_stands_for_itself),
		cmocka_unit_test(a_drawn_block_stands_for_others),
		cmocka_unit_test(distances_are_exponential),
		cmocka_unit_test(their_mean_is_the_one_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
