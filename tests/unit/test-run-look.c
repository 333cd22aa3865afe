/*
 * test-run-look.c - what the records of a run come to as a whole
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "base/base.h"
#include "plan/run-look.h"

static double
percent(uint64_t cursor, uint64_t total)
{
	struct run_look look;

	memset(&look, 0, sizeof(look));
	look.mark.cursor = cursor;
	look.total = total;
	return run_look_percent(&look);
}

static void
a_percentage_is_of_what_is_known(void **state)
{
	(void)state;
	assert_true(percent(3, 0) < 0);
	assert_true(percent(3, TIDE_NONE) < 0);
	assert_float_equal(percent(0, 10), 0, 0);
	assert_float_equal(percent(7, 100), 7, 0);
	assert_float_equal(percent(100, 100), 100, 0);
}

static void
no_percentage_is_above_a_hundred(void **state)
{
	(void)state;
	assert_true(percent(101, 100) <= 100);
	assert_true(percent(UINT64_MAX, 1) <= 100);
	/* 100 * x / x, rounded twice, is 100 and a last digit. */
	assert_true(percent(UINT64_C(6078832729528464400),
	    UINT64_C(6078832729528464400)) <= 100);
}

static void
what_is_over_is_done_whatever_its_marks_say(void **state)
{
	struct run_look look;

	(void)state;
	memset(&look, 0, sizeof(look));
	look.total = 10;
	look.mark.cursor = 4;
	look.ended = true;
	assert_float_equal(run_look_percent(&look), 40, 0);
	look.ok = true;
	assert_float_equal(run_look_percent(&look), 100, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_percentage_is_of_what_is_known),
		cmocka_unit_test(no_percentage_is_above_a_hundred),
		cmocka_unit_test(what_is_over_is_done_whatever_its_marks_say),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
