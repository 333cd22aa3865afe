#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "model/spread.h"

static struct spread s;

static int
begin(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	return 0;
}

static void
of_nothing_there_is_nothing(void **state)
{
	(void)state;
	assert_int_equal(spread_below(&s, 500), 0);
	assert_int_equal(spread_below(&s, 1000), 0);
}

static void
of_one_value_every_part_is_that_value(void **state)
{
	(void)state;
	spread_add(&s, 819600);
	assert_int_equal(spread_below(&s, 1), 819600);
	assert_int_equal(spread_below(&s, 500), 819600);
	assert_int_equal(spread_below(&s, 1000), 819600);
}

static void
small_values_are_exact(void **state)
{
	uint64_t i;

	(void)state;
	for (i = 1; i <= 20; i++)
		spread_add(&s, i);
	assert_int_equal(spread_below(&s, 500), 10);
	assert_int_equal(spread_below(&s, 950), 19);
	assert_int_equal(spread_below(&s, 951), 20);
}

/* Against values that were sorted: 1000 of them, from 1 KiB to 1 GiB. */
static void
large_values_are_right_to_a_thirty_second(void **state)
{
	static const uint32_t parts[] = { 10, 500, 900, 950, 990, 1000 };
	static uint64_t value[1000];
	double v = 1024;
	size_t i;

	(void)state;
	for (i = 0; i < 1000; i++, v *= 1.0139)
		value[i] = (uint64_t)v;
	/* In another order. */
	for (i = 0; i < 1000; i++)
		spread_add(&s, value[i * 7 % 1000]);
	for (i = 0; i < ARRAY_LENGTH(parts); i++) {
		uint64_t right = value[parts[i] - 1];
		uint64_t found = spread_below(&s, parts[i]);

		assert_in_range(found, right - right / 32, right + right / 32);
	}
}

static void
the_largest_values_there_are_have_a_place(void **state)
{
	(void)state;
	spread_add(&s, UINT64_MAX);
	spread_add(&s, UINT64_MAX - 1);
	spread_add(&s, 0);
	assert_int_equal(spread_below(&s, 100), 0);
	assert_true(spread_below(&s, 1000) > UINT64_MAX / 32 * 31);
	assert_int_equal(s.most, UINT64_MAX);
}

static void
a_bin_that_is_full_leaves_the_parts_as_they_were(void **state)
{
	(void)state;
	s.bin[5] = UINT32_MAX;
	s.bin[7] = UINT32_MAX - 1;
	s.count = (uint64_t)UINT32_MAX * 2 - 1;
	s.most = 7;
	spread_add(&s, 5);
	assert_int_equal(spread_below(&s, 500), 5);
	assert_int_equal(spread_below(&s, 600), 7);
	assert_true(s.count < UINT64_C(0x100000002));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(of_nothing_there_is_nothing, begin),
		cmocka_unit_test_setup(of_one_value_every_part_is_that_value,
		    begin),
		cmocka_unit_test_setup(small_values_are_exact, begin),
		cmocka_unit_test_setup(
		    large_values_are_right_to_a_thirty_second, begin),
		cmocka_unit_test_setup(
		    the_largest_values_there_are_have_a_place, begin),
		cmocka_unit_test_setup(
		    a_bin_that_is_full_leaves_the_parts_as_they_were, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
