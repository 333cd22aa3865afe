#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "model/stats.h"

static bool
is_near(double a, double b, double relative)
{
	return fabs(a - b) <= relative * fabs(b);
}

/* --- mathematics ---------------------------------------------------------- */

static void
roots_and_powers_are_those_of_libm(void **state)
{
	double x;

	(void)state;
	for (x = 1e-12; x < 1e300; x *= 1.37)
		assert_true(is_near(stats_root(x), sqrt(x), 1e-15));
	assert_true(stats_root(0) < 1e-150);
	for (x = 0; x < 690; x += 0.173)
		assert_true(is_near(stats_exp_minus(x), exp(-x), 1e-12));
	assert_true(stats_exp_minus(0) >= 1 && stats_exp_minus(0) <= 1);
	assert_true(stats_exp_minus(1e9) <= 0);
}

static void
the_normal_tail_is_that_of_libm(void **state)
{
	double z;

	(void)state;
	for (z = -8; z < 36; z += 0.01)
		assert_true(is_near(stats_normal_above(z),
		    erfc(z / sqrt(2)) / 2, 1e-12));
	/* Any table's. */
	assert_true(is_near(stats_normal_above(1.959964), 0.025, 1e-6));
	assert_true(is_near(stats_normal_above(3), 0.001349898, 1e-6));
}

static void
what_is_sorted_rises_and_is_the_same(void **state)
{
	double value[100];
	uint32_t random = 1;
	size_t count, i;
	double sum, sorted;

	(void)state;
	for (count = 0; count <= ARRAY_LENGTH(value); count++) {
		sum = sorted = 0;
		for (i = 0; i < count; i++) {
			random = random * 1103515245 + 12345;
			sum += value[i] = random >> 20 & 63;
		}
		stats_sort(value, count);
		for (i = 0; i < count; i++) {
			sorted += value[i];
			assert_true(i == 0 || value[i - 1] <= value[i]);
		}
		assert_true(sum >= sorted && sum <= sorted);
	}
}

/* --- Kendall -------------------------------------------------------------- */

static double
p_of(const double *value, size_t count)
{
	struct stats_kendall k;

	stats_kendall(value, count, &k);
	return k.p;
}

/* From Kendall's own table (Rank correlation methods, appendix table 1). */
static void
chances_are_those_of_the_table(void **state)
{
	static const struct {
		double value[10];
		size_t count;
		double s, p;
	} row[] = {
		{ { 1, 2, 3, 4 }, 4, 6, 0.042 },
		{ { 1, 2, 4, 3 }, 4, 4, 0.167 },
		{ { 1, 2, 3, 4, 5 }, 5, 10, 0.0083 },
		{ { 2, 1, 3, 4, 5 }, 5, 8, 0.042 },
		{ { 2, 1, 4, 3, 5 }, 5, 6, 0.117 },
		{ { 4, 1, 2, 3, 5, 6, 8, 7 }, 8, 20, 0.0071 },
		{ { 3, 2, 1, 6, 5, 4, 7, 8, 9, 10 }, 10, 33, 0.0011 },
	};
	struct stats_kendall k;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(row); i++) {
		stats_kendall(row[i].value, row[i].count, &k);
		assert_int_equal(k.s, row[i].s);
		assert_true(fabs(k.p - row[i].p) < 0.0006);
	}
}

/* All orders of @value from @at on: how many, and how many have such an s. */
static void
enumerate(double *value, size_t count, size_t at, double s, double *all,
    double *such)
{
	struct stats_kendall k;
	double v;

	if (at == count) {
		stats_kendall(value, count, &k);
		(*all)++;
		*such += k.s >= s;
		return;
	}
	for (size_t i = at; i < count; i++) {
		v = value[at];
		value[at] = value[i];
		value[i] = v;
		enumerate(value, count, at + 1, s, all, such);
		v = value[at];
		value[at] = value[i];
		value[i] = v;
	}
}

static void
chances_are_those_of_all_orders(void **state)
{
	static const double rows[][7] = {
		{ 1, 2, 3, 4, 5, 6, 7 },
		{ 3, 1, 2, 7, 4, 5, 6 },
		{ 7, 6, 5, 4, 3, 2, 1 },
		{ 1, 1, 2, 2, 3, 3, 3 }, /* ties of all kinds */
		{ 2, 1, 1, 2, 1, 2, 2 },
		{ 1, 1, 1, 1, 1, 1, 2 },
		{ 5, 5, 5, 1, 5, 5, 9 },
		{ 4, 4, 1, 1, 1, 4, 4 },
		{ 2, 1, 1, 1, 1, 1, 1 },
	};
	struct stats_kendall k;
	double value[7], all, such;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		for (size_t n = 2; n <= 7; n++) {
			stats_kendall(rows[i], n, &k);
			memcpy(value, rows[i], sizeof(value));
			all = such = 0;
			enumerate(value, n, 0, k.s, &all, &such);
			assert_true(is_near(k.p, such / all, 1e-12));
			all = such = 0;
			enumerate(value, n, 0, k.pairs, &all, &such);
			assert_true(k.pairs < 1 ||
			    is_near(k.least, such / all, 1e-12));
		}
}

static void
of_many_points_it_is_exact_too(void **state)
{
	double value[32], back[32];
	struct stats_kendall k, b;
	double orders = 1;
	uint32_t random = 7;
	size_t i;

	(void)state;
	for (i = 0; i < 32; i++) {
		value[i] = (double)i;
		orders *= (double)(i + 1);
	}
	assert_true(is_near(p_of(value, 32), 1 / orders, 1e-12));
	value[3] = 4; /* one tie halves the number of orders */
	assert_true(is_near(p_of(value, 32), 2 / orders, 1e-12));

	/* One above, at the end: in one place of 32. */
	for (i = 0; i < 31; i++)
		value[i] = 5;
	assert_true(is_near(p_of(value, 32), 1 / 32.0, 1e-12));

	/* Both sides together are 1, and what is between them. */
	for (int round = 0; round < 300; round++) {
		size_t n = 5 + (size_t)round % 28;

		for (i = 0; i < n; i++) {
			random = random * 1103515245 + 12345;
			value[i] = random >> 16 & (round % 2 ? 7 : 0x7fff);
			back[n - 1 - i] = value[i];
		}
		stats_kendall(value, n, &k);
		stats_kendall(back, n, &b);
		assert_true(b.s >= -k.s && b.s <= -k.s);
		assert_true(k.p + b.p >= 1 - 1e-12);
		assert_true(k.p >= k.least - 1e-12 && k.p <= 1 + 1e-12);
		/* Of 20 points and more the normal tail is near. */
		if (n >= 20 && k.s > 0 && k.p > 1e-3)
			assert_true(is_near(stats_normal_above((k.s - 1) /
			    sqrt(k.variance)), k.p, 0.1));
	}
}

static void
what_is_all_tied_says_nothing(void **state)
{
	double value[32] = { 0 };

	(void)state;
	for (size_t n = 0; n <= 32; n++)
		assert_true(p_of(value, n) >= 1);
}

/* --- others --------------------------------------------------------------- */

static void
how_many_of_ten_is_as_by_all_outcomes(void **state)
{
	double chance[10], sum[12] = { 0 }, p;
	unsigned set, i, seen;

	(void)state;
	for (i = 0; i < 10; i++)
		chance[i] = 1.0 / (i + 1.5);
	for (set = 0; set < 1024; set++) {
		p = 1;
		seen = 0;
		for (i = 0; i < 10; i++) {
			p *= set >> i & 1 ? chance[i] : 1 - chance[i];
			seen += set >> i & 1;
		}
		for (i = 0; i <= seen; i++)
			sum[i] += p;
	}
	for (i = 0; i <= 10; i++)
		assert_true(is_near(stats_at_least(chance, 10, i), sum[i],
		    1e-12));
	assert_true(stats_at_least(chance, 10, 11) <= 0);
	assert_true(is_near(stats_at_least(chance, 0, 0), 1, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roots_and_powers_are_those_of_libm),
		cmocka_unit_test(the_normal_tail_is_that_of_libm),
		cmocka_unit_test(what_is_sorted_rises_and_is_the_same),
		cmocka_unit_test(chances_are_those_of_the_table),
		cmocka_unit_test(chances_are_those_of_all_orders),
		cmocka_unit_test(of_many_points_it_is_exact_too),
		cmocka_unit_test(what_is_all_tied_says_nothing),
		cmocka_unit_test(how_many_of_ten_is_as_by_all_outcomes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
