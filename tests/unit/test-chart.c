#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "top/chart.h"

#define S NS_PER_S

static struct point
point_at(uint64_t second, int64_t bytes)
{
	return (struct point){ .at_ns = second * S, .live_bytes = bytes };
}

static void
a_time_without_points_is_as_the_one_before(void **state)
{
	const struct point points[] = {
		point_at(12, 100), point_at(13, 40), point_at(18, 70),
	};
	const struct point *const list[] = {
		&points[0], &points[1], &points[2],
	};
	static const uint64_t expected[] = {
		CHART_UNKNOWN, 100, 40, 40, 70,
	};
	struct chart c = { .from_ns = 10 * S, .to_ns = 20 * S, .columns = 5 };

	(void)state;
	chart_fill(&c, list, 3, 70);
	for (size_t i = 0; i < ARRAY_LENGTH(expected); i++)
		assert_true(c.value[i] == expected[i]);
	assert_int_equal(c.most, 100);
}

static void
a_column_has_the_highest_of_its_time_and_the_last_has_now(void **state)
{
	const struct point points[] = {
		point_at(1, 10), point_at(11, 90), point_at(12, 20),
		point_at(25, -5),
	};
	const struct point *const list[] = {
		&points[0], &points[1], &points[2], &points[3],
	};
	struct chart c = { .from_ns = 10 * S, .to_ns = 30 * S, .columns = 4 };

	(void)state;
	chart_fill(&c, list, 4, 7);
	assert_int_equal(c.value[0], 90);
	assert_int_equal(c.value[1], 20);
	assert_int_equal(c.value[2], 20);
	assert_int_equal(c.value[3], 7);
}

static void
no_points_and_no_room_are_no_trouble(void **state)
{
	struct chart c = { .from_ns = 5, .to_ns = 5, .columns = 1 };

	(void)state;
	chart_fill(&c, NULL, 0, 0);
	assert_string_equal(chart_cell(&c, 0, 0, 1, true), " ");
	assert_int_equal(chart_column(&c, 5), 0);
	c.columns = 0;
	chart_fill(&c, NULL, 0, 3);
	assert_int_equal(chart_column(&c, 5), -1);
}

static void
a_moment_has_its_column(void **state)
{
	const struct chart c = {
		.from_ns = 100, .to_ns = 200, .columns = 10,
	};
	static const struct {
		uint64_t at;
		int column;
	} cases[] = {
		{ 99, -1 }, { 100, 0 }, { 109, 0 }, { 110, 1 }, { 199, 9 },
		{ 200, 9 }, { 201, -1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		assert_int_equal(chart_column(&c, cases[i].at),
		    cases[i].column);
}

static void
a_cell_is_full_below_and_empty_above(void **state)
{
	static const uint64_t values[] = { 0, 1, 500, 1000 };
	static const struct {
		const char *low, *high;         /* of two rows */
		const char *ascii_low, *ascii_high;
	} expected[] = {
		{ " ", " ", " ", " " },
		{ "\u2581", " ", ".", " " },
		{ "\u2588", " ", "#", " " },
		{ "\u2588", "\u2588", "#", "#" },
	};
	struct chart c = { .columns = 4, .most = 1000 };

	(void)state;
	memcpy(c.value, values, sizeof(values));
	for (unsigned i = 0; i < 4; i++) {
		assert_string_equal(chart_cell(&c, i, 0, 2, true),
		    expected[i].low);
		assert_string_equal(chart_cell(&c, i, 1, 2, true),
		    expected[i].high);
		assert_string_equal(chart_cell(&c, i, 0, 2, false),
		    expected[i].ascii_low);
		assert_string_equal(chart_cell(&c, i, 1, 2, false),
		    expected[i].ascii_high);
	}
}

static void
a_bar_is_filled_by_its_share_and_holds_its_room(void **state)
{
	static const struct {
		unsigned room;
		uint64_t part, whole;
		const char *bar;
	} cases[] = {
		{ 4, 0, 10, "...." }, { 4, 1, 1000, "#..." },
		{ 4, 5, 10, "##.." }, { 4, 20, 10, "####" },
		{ 4, 1, 0, "#..." }, { 0, 1, 2, "" },
	};
	char bar[CHART_BAR_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		assert_string_equal(chart_bar(bar, cases[i].room,
		    cases[i].part, cases[i].whole, false), cases[i].bar);
	chart_bar(bar, UINT32_MAX, 1, 1, true);
	assert_true(strlen(bar) < sizeof(bar));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_time_without_points_is_as_the_one_before),
		cmocka_unit_test(
		    a_column_has_the_highest_of_its_time_and_the_last_has_now),
		cmocka_unit_test(no_points_and_no_room_are_no_trouble),
		cmocka_unit_test(a_moment_has_its_column),
		cmocka_unit_test(a_cell_is_full_below_and_empty_above),
		cmocka_unit_test(
		    a_bar_is_filled_by_its_share_and_holds_its_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
