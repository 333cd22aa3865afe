#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "base/base.h"
#include "model/numbers.h"

static bool
is_near(double a, double b, double relative)
{
	return fabs(a - b) <= relative * fabs(b);
}

static void
logarithms_are_those_of_libm(void **state)
{
	double x;

	(void)state;
	for (x = 5e-324; x < 1e308; x *= 1.0173 + (x < 1e-320))
		assert_true(is_near(numbers_log(x), log(x), 1e-14));
	assert_true(numbers_log(1) <= 0 && numbers_log(1) >= 0);
	/* Near 1, where the answer is small. */
	for (x = 0.9; x < 1.1; x += 0.00013)
		assert_true(is_near(numbers_log(x), log(x), 1e-14));
}

static void
exponentials_are_those_of_libm(void **state)
{
	double x;

	(void)state;
	for (x = -707.9; x < 709; x += 0.0737)
		assert_true(is_near(numbers_exp(x), exp(x), 1e-14));
	assert_true(is_near(numbers_exp(0), 1, 0));
}

static void
powers_and_roots_are_those_of_libm(void **state)
{
	static const double power[] = {
		-3, -1.0 / 3, 0, 0.4, 0.6, 1, 1.4, 2, 2.5, 3
	};
	double x, found;
	size_t i;

	(void)state;
	for (x = 1e-6; x < 1e7; x *= 1.091)
		for (i = 0; i < ARRAY_LENGTH(power); i++) {
			found = pow(x, power[i]);
			assert_true(is_near(numbers_pow(x, power[i]), found,
			    found > 1e-20 && found < 1e20 ? 1e-14 : 2e-13));
		}
	for (x = 1e-300; x < 1e300; x *= 1.37)
		assert_true(is_near(numbers_root(x), sqrt(x), 1e-15));
}

static void
what_mathematics_leaves_open_has_an_answer(void **state)
{
	const double none = nan("");

	(void)state;
	assert_true(numbers_log(0) <= -1e300);
	assert_true(numbers_log(-1) <= -1e300);
	assert_true(numbers_log(none) <= -1e300);
	assert_true(numbers_log(HUGE_VAL) < 710);
	assert_true(numbers_exp(none) <= 0);
	assert_true(numbers_exp(-1e9) <= 0 && numbers_exp(-1e9) >= 0);
	assert_true(numbers_exp(1e9) <= 1e308);
	assert_true(numbers_pow(0, 0) <= 0 && numbers_pow(-2, 2) <= 0);
	assert_true(numbers_root(-1) <= 0 && numbers_root(none) <= 0);
	assert_true(numbers_within(none, 1, 2) <= 1);
}

static void
whole_numbers_are_not_above_what_is_allowed(void **state)
{
	(void)state;
	assert_int_equal(numbers_whole(2.9, 10), 2);
	assert_int_equal(numbers_whole(-1, 10), 0);
	assert_int_equal(numbers_whole(nan(""), 10), 0);
	assert_int_equal(numbers_whole(1e30, 10), 10);
	assert_int_equal(numbers_whole(1e30, UINT64_MAX), UINT64_MAX);
	assert_int_equal(whole_u64(2.9), 2);
	assert_int_equal(whole_u64(-1e30), 0);
	assert_int_equal(whole_u64(nan("")), 0);
	assert_int_equal(whole_u64(INFINITY), UINT64_MAX);
	assert_int_equal(whole_u64(18446744073709549568.0),
	    UINT64_C(18446744073709549568));
	assert_int_equal(whole_u64(18446744073709551616.0), UINT64_MAX);
	assert_int_equal(numbers_whole(18446744073709551615.0, UINT64_MAX),
	    UINT64_MAX);
	assert_int_equal(numbers_log2(0), 0);
	assert_int_equal(numbers_log2(1), 0);
	assert_int_equal(numbers_log2(1023), 9);
	assert_int_equal(numbers_log2(1024), 10);
	assert_int_equal(numbers_log2(UINT64_MAX), 63);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logarithms_are_those_of_libm),
		cmocka_unit_test(exponentials_are_those_of_libm),
		cmocka_unit_test(powers_and_roots_are_those_of_libm),
		cmocka_unit_test(what_mathematics_leaves_open_has_an_answer),
		cmocka_unit_test(whole_numbers_are_not_above_what_is_allowed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
