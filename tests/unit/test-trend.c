#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "model/trend.h"

#define MANY 1000

static struct trend_point points[MANY];

/* A point a second on the line from @start, @rate a second. */
static void
draw(size_t count, double start, double rate)
{
	size_t i;

	for (i = 0; i < count; i++)
		points[i] = (struct trend_point){ (double)i,
			start + rate * (double)i };
}

static bool
is_near(double a, double b)
{
	double far = a > b ? a - b : b - a;

	return far <= 1e-6 * (b > 0 ? b : -b) + 1e-9;
}

static void
assert_in_order(const struct trend_line *line)
{
	assert_true(line->low <= line->rate);
	assert_true(line->rate <= line->high);
}

static void
an_exact_line_is_its_own_trend(void **state)
{
	static const double rates[] = { 1, 0.001, 1048576, -7.5, 1e12 };
	static const size_t counts[] = { 3, 4, 10, TREND_POINTS, 49, MANY };
	struct trend_line line;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rates); i++)
		for (size_t j = 0; j < ARRAY_LENGTH(counts); j++) {
			draw(counts[j], 4096, rates[i]);
			assert_true(trend_of(points, counts[j], &line));
			assert_true(is_near(line.rate, rates[i]));
			assert_true(is_near(line.low, rates[i]));
			assert_true(is_near(line.high, rates[i]));
			assert_true(trend_is_sure(&line));
			assert_int_equal(line.points,
			    min_u64(counts[j], TREND_POINTS));
		}
}

static void
times_need_not_be_even(void **state)
{
	static const double at[] = { 0, 0.5, 9, 10, 300, 301, 5000 };
	struct trend_line line;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(at); i++)
		points[i] = (struct trend_point){ at[i], 100 - 3 * at[i] };
	assert_true(trend_of(points, i, &line));
	assert_true(is_near(line.rate, -3));
}

static void
a_constant_does_not_grow(void **state)
{
	struct trend_line line;

	(void)state;
	draw(30, 123456789, 0);
	assert_true(trend_of(points, 30, &line));
	assert_true(line.rate == 0 && line.low == 0 && line.high == 0);
	assert_false(trend_is_sure(&line));
	assert_true(trend_time_left(&line, 1) == UINT64_MAX);
}

/* Sen's breakdown point is 29 %: a quarter of all points is nonsense here. */
static void
outliers_move_it_little(void **state)
{
	struct trend_line line;

	(void)state;
	for (int sign = -1; sign <= 1; sign += 2) {
		draw(40, 1000, 50);
		for (size_t i = 1; i < 40; i += 4)
			points[i].value += sign * 1e9;
		assert_true(trend_of(points, 40, &line));
		assert_in_order(&line);
		assert_true(line.rate > 45 && line.rate < 55);
	}
	/* At the ends, where a fit by squares would suffer most. */
	draw(40, 1000, 50);
	points[0].value = 1e9;
	points[39].value = 0;
	assert_true(trend_of(points, 40, &line));
	assert_true(line.rate > 48 && line.rate < 52);
}

static void
noise_without_a_trend_is_not_sure(void **state)
{
	static const double noise[] = { 3, 9, 1, 7, 2, 8, 4, 6, 5, 3, 9, 1, 7 };
	struct trend_line line;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(noise); i++)
		points[i] = (struct trend_point){ (double)i, noise[i] };
	assert_true(trend_of(points, i, &line));
	assert_in_order(&line);
	assert_true(line.low < 0 && line.high > 0);
	assert_false(trend_is_sure(&line));
}

/*
 * Four points have six slopes; by hand: 1 1 2 2 2.5 4, and the range that Sen
 * gives for so few is all of them.
 */
static void
slopes_are_as_by_hand(void **state)
{
	static const struct trend_point four[] = {
		{ 0, 0 }, { 1, 1 }, { 2, 5 }, { 3, 6 },
	};
	struct trend_line line;

	(void)state;
	assert_true(trend_of(four, 4, &line));
	assert_true(is_near(line.rate, 2.25));
	assert_true(is_near(line.low, 1));
	assert_true(is_near(line.high, 4));
	assert_int_equal(line.points, 4);
}

static void
too_few_points_say_nothing(void **state)
{
	struct trend_line line = { .rate = 77, .points = 7 };

	(void)state;
	draw(3, 0, 1);
	for (size_t n = 0; n < 3; n++)
		assert_false(trend_of(points, n, &line));
	/* All at one time. */
	for (size_t i = 0; i < 20; i++)
		points[i].at = 5;
	assert_false(trend_of(points, 20, &line));
	assert_true(line.rate == 77 && line.points == 7);
	/* Two times are enough for three points. */
	points[19].at = 6;
	assert_true(trend_of(points, 20, &line));
}

/* Thinned out evenly, first and last kept: the bend in the middle is seen. */
static void
many_points_are_thinned_out(void **state)
{
	struct trend_line line;

	(void)state;
	draw(MANY, 0, 0);
	for (size_t i = 0; i < MANY; i++)
		points[i].value = i % 2 == 0 ? 0 : 1e6;
	points[MANY - 1].value = 0;
	assert_true(trend_of(points, MANY, &line));
	assert_int_equal(line.points, TREND_POINTS);
	assert_in_order(&line);

	/* First and last are among them: of all the rest nothing has moved. */
	draw(MANY, 500, 0);
	points[0].value = 0;
	points[MANY - 1].value = 1000;
	assert_true(trend_of(points, MANY, &line));
	assert_true(line.rate == 0);
	for (size_t i = 1; i < MANY - 1; i++)
		points[i] = points[0];
	assert_true(trend_of(points, MANY, &line));
	assert_true(is_near(line.rate, 1000.0 / (MANY - 1)));
}

static void
low_and_high_are_around_it(void **state)
{
	uint32_t random = 1;
	struct trend_line line;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		size_t count = 3 + (size_t)round % 100;

		for (size_t i = 0; i < count; i++) {
			random = random * 1103515245 + 12345;
			/* Now and then two at one time. */
			points[i] = (struct trend_point){
				(double)(i - i % (1 + (size_t)round % 3)),
				(double)(random >> 12) - 500000,
			};
		}
		if (!trend_of(points, count, &line))
			continue;
		assert_in_order(&line);
		assert_true(line.points <= TREND_POINTS);
	}
}

static void
time_left_is_room_by_rate(void **state)
{
	const struct trend_line rises = { .rate = 100, .low = 90, .high = 110 };
	const struct trend_line may = { .rate = 100, .low = -1, .high = 300 };
	const struct trend_line falls = { .rate = -5, .low = -6, .high = -4 };
	const struct trend_line creeps = { .rate = 1e-9, .low = 1e-10,
		.high = 1 };

	(void)state;
	assert_int_equal(trend_time_left(&rises, 1000), 10);
	assert_int_equal(trend_time_left(&rises, 99), 0);
	assert_int_equal(trend_time_left(&rises, 0), 0);
	assert_true(trend_time_left(&may, 1000) == UINT64_MAX);
	assert_true(trend_time_left(&falls, 1000) == UINT64_MAX);
	assert_true(trend_time_left(&creeps, UINT64_MAX) == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_exact_line_is_its_own_trend),
		cmocka_unit_test(times_need_not_be_even),
		cmocka_unit_test(a_constant_does_not_grow),
		cmocka_unit_test(outliers_move_it_little),
		cmocka_unit_test(noise_without_a_trend_is_not_sure),
		cmocka_unit_test(slopes_are_as_by_hand),
		cmocka_unit_test(too_few_points_say_nothing),
		cmocka_unit_test(many_points_are_thinned_out),
		cmocka_unit_test(low_and_high_are_around_it),
		cmocka_unit_test(time_left_is_room_by_rate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
