#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "model/growth.h"
#include "model/stats.h"
#include "model/verdict.h"

static const struct verdict_options plain = { .warmup = SIZE_MAX };

/* A series by hand: what is live; what each interval made that still lives. */
struct series {
	const char *name;
	enum verdict_kind kind;
	size_t since;
	size_t count;
	double live[20];
	double survived[20];
};

static struct verdict_point points[VERDICT_POINTS + 8];

static void
clear(size_t count)
{
	memset(points, 0, sizeof(points));
	for (size_t i = 0; i < count; i++) {
		points[i].epoch = (double)i;
		points[i].at = 60 * (double)i;
	}
}

static void
draw(const struct series *s, bool births)
{
	clear(s->count);
	for (size_t i = 0; i < s->count; i++) {
		points[i].live = s->live[i];
		points[i].survived = births ? s->survived[i] : 0;
	}
}

/* @bytes in each epoch from @since on, on a ground of @ground. */
static void
draw_leak(size_t count, size_t since, double bytes, double ground)
{
	clear(count);
	for (size_t i = 0; i < count; i++) {
		points[i].survived = i == 0 ? ground : i > since ? bytes : 0;
		points[i].live = points[i].survived +
		    (i > 0 ? points[i - 1].live : 0);
	}
}

static struct verdict
judge(size_t count)
{
	struct verdict v;

	verdict_of(points, count, &plain, &v);
	return v;
}

static bool
is_near(double a, double b)
{
	return fabs(a - b) <= 1e-9 * fabs(b);
}

/* --- what it says --------------------------------------------------------- */

static const struct series series[] = {
	{ "16 B an epoch", VERDICT_GROWING, 0, 12,
		{ 16, 32, 48, 64, 80, 96, 112, 128, 144, 160, 176, 192 },
		{ 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16 } },
	{ "a leak under a load that comes and goes", VERDICT_GROWING, 0, 20,
		{ 19, 14, 27, 22, 35, 40, 31, 48, 44, 52, 61, 53, 66, 72, 71,
			80, 88, 85, 97, 100 },
		{ 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5,
			5 } },
	{ "a leak from the middle on", VERDICT_GROWING, 8, 18,
		{ 7, 7, 7, 7, 7, 7, 7, 7, 7, 9, 11, 13, 15, 17, 19, 21, 23,
			25 },
		{ 7, 0, 0, 0, 0, 0, 0, 0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2 } },
	{ "a leak after the caches are full", VERDICT_GROWING, 4, 18,
		{ 50, 100, 150, 200, 205, 210, 215, 220, 225, 230, 235, 240,
			245, 250, 255, 260, 265, 270 },
		{ 50, 50, 50, 50, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5 } },
	{ "a leak after a long warm-up", VERDICT_GROWING, 10, 20,
		{ 50, 100, 150, 200, 250, 300, 350, 400, 450, 460, 470, 480,
			490, 500, 510, 520, 530, 540, 550, 560 },
		{ 50, 50, 50, 50, 50, 50, 50, 50, 50, 10, 10, 10, 10, 10, 10,
			10, 10, 10, 10, 10 } },
	{ "a cache, and what trickles into it", VERDICT_SATURATED, 7, 20,
		{ 99, 199, 299, 399, 499, 599, 699, 799, 800, 801, 802, 803,
			804, 805, 806, 807, 808, 809, 810, 811 },
		{ 99, 100, 100, 100, 100, 100, 100, 100, 1, 1, 1, 1, 1, 1, 1,
			1, 1, 1, 1, 1 } },
	{ "a cache, full a moment ago", VERDICT_SATURATED, 14, 18,
		{ 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 130, 140,
			150, 150, 150, 150 },
		{ 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10, 10,
			0, 0, 0 } },
	{ "constant", VERDICT_STABLE, 0, 12,
		{ 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9, 9 }, { 9 } },
	{ "a load without order", VERDICT_STABLE, 0, 12,
		{ 3, 9, 1, 7, 2, 8, 4, 6, 5, 3, 9, 1 },
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 } },
	{ "it falls", VERDICT_STABLE, 0, 12,
		{ 120, 110, 100, 90, 80, 70, 60, 50, 40, 30, 20, 10 },
		{ 10 } },
	{ "a step", VERDICT_STEP, 7, 14,
		{ 5, 5, 5, 5, 5, 5, 5, 90, 90, 90, 90, 90, 90, 90 },
		{ 5, 0, 0, 0, 0, 0, 0, 85, 0, 0, 0, 0, 0, 0 } },
	{ "a step under noise", VERDICT_STEP, 7, 14,
		{ 5, 8, 6, 5, 7, 9, 6, 91, 94, 90, 92, 93, 90, 95 },
		{ 5, 0, 0, 0, 0, 0, 0, 85, 0, 0, 0, 0, 0, 5 } },
	{ "a cache, filled by half", VERDICT_SATURATED, 8, 18,
		{ 10, 20, 30, 40, 50, 60, 70, 80, 90, 90, 90, 90, 90, 90, 90,
			90, 90, 90 },
		{ 10, 10, 10, 10, 10, 10, 10, 10, 10, 0, 0, 0, 0, 0, 0, 0, 0,
			0 } },
	{ "a cache that throws the oldest out", VERDICT_SATURATED, 8, 18,
		{ 10, 20, 30, 40, 50, 60, 70, 80, 90, 90, 90, 90, 90, 90, 90,
			90, 90, 90 },
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 10, 10, 10, 10, 10, 10, 10, 10,
			10 } },
	{ "it comes nearer and nearer to a ceiling", VERDICT_SATURATED, 5, 16,
		{ 512, 768, 896, 960, 992, 1008, 1016, 1020, 1022, 1023, 1023,
			1023, 1024, 1024, 1024, 1024 },
		{ 512, 256, 128, 64, 32, 16, 8, 4, 2, 1, 0, 0, 1, 0, 0, 0 } },
	{ "grown, then freed", VERDICT_STABLE, 0, 16,
		{ 10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 5, 5, 5, 5, 5, 5 },
		{ 5 } },
	{ "three points", VERDICT_UNKNOWN, 0, 3, { 1, 2, 3 }, { 1, 1, 1 } },
	{ "four that rise", VERDICT_UNKNOWN, 0, 4, { 1, 2, 3, 4 },
		{ 1, 1, 1, 1 } },
};

static void
series_by_hand_are_told(void **state)
{
	struct verdict v;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(series); i++)
		for (int births = 0; births <= 1; births++) {
			draw(&series[i], births);
			v = judge(series[i].count);
			if (v.kind != series[i].kind)
				print_error("%s, births %d: %s since %zu, "
				    "p %g\n", series[i].name, births,
				    verdict_name(v.kind), v.since, v.p);
			assert_int_equal(v.kind, series[i].kind);
			/* Without births the load over a leak blurs it. */
			if (v.kind >= VERDICT_SATURATED)
				assert_in_range(v.since, series[i].since,
				    series[i].since + !births);
			assert_int_equal(v.points, series[i].count);
		}
}

static void
sixteen_bytes_in_twenty_epochs_are_beyond_doubt(void **state)
{
	struct verdict v;

	(void)state;
	draw_leak(20, 0, 16, 4096);
	v = judge(20);
	assert_int_equal(v.kind, VERDICT_GROWING);
	assert_true(v.p < 1e-18); /* 1 / 20! */
	assert_true(is_near(v.per_epoch, 16) && is_near(v.low, 16) &&
	    is_near(v.high, 16) && is_near(v.per_second, 16 / 60.0));
	assert_true(is_near(v.rose, 19 * 16));
	assert_int_equal(v.since, 0);
}

/* The same live bytes; only the births tell a leak from what is replaced. */
static void
births_tell_what_stays_from_what_is_replaced(void **state)
{
	static const double live[] = { 90, 20, 30, 25, 38, 41, 37, 50, 55, 48,
		62, 66, 60, 71, 78, 80 };
	struct verdict v;
	size_t i;

	(void)state;
	for (i = 0; i < 16; i++) {
		points[i] = (struct verdict_point){ .epoch = (double)i,
			.at = (double)i, .live = live[i], .survived = 5 };
	}
	assert_int_equal(judge(16).kind, VERDICT_GROWING);
	for (i = 0; i < 16; i++)
		points[i].survived = i < 14 ? 0 : 40;
	v = judge(16);
	assert_true(v.p < 0.01);
	assert_int_equal(v.kind, VERDICT_STABLE);
}

/* What is held grows, as a load may; but what is old of it is less and less. */
static void
what_decays_is_no_leak(void **state)
{
	static const double survived[][16] = {
		{ 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 4, 8, 14, 20, 22 },
		/* Slowly: in the later half alone it is even enough. */
		{ 1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6, 7, 9, 11, 13 },
		{ 41, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2 },
	};
	double left;
	size_t i, k;

	(void)state;
	for (k = 0; k < ARRAY_LENGTH(survived); k++) {
		clear(16);
		left = 0;
		for (i = 0; i < 16; i++) {
			left += survived[k][i];
			points[i].survived = survived[k][i];
			points[i].live = 41 + 2 * (double)i;
		}
		points[3].live -= 3; /* it does not only rise */
		assert_true(left >= 71 && left <= 71);
		assert_true(judge(16).p < 1e-6);
		assert_int_equal(judge(16).kind, k == 2 ? VERDICT_GROWING :
		    VERDICT_STABLE);
	}
}

/* Of what stays for a while, less is new in each point than it seems. */
static void
slow_waves_make_it_less_sure(void **state)
{
	static const double wave[] = { 9, 4, 4, 4, 4, 0, 0, 0, 4, 4, 4, 0, 0, 0,
		0 };
	struct verdict_point quick[15];
	struct stats_kendall k;
	struct growth g;
	double live[15];

	(void)state;
	clear(15);
	for (size_t i = 0; i < 15; i++)
		live[i] = points[i].live = wave[i] + (double)i;
	growth_read(points, 15, &plain, &g);
	assert_true(growth_inflation(&g) > 2);
	stats_kendall(live, 15, &k);
	assert_true(judge(15).p > 3 * k.p);

	/*
	 * By hand, without the first two and the last: r is 20/48, and 3/4 when
	 * put right for twelve of them.
	 */
	for (size_t i = 0; i < 15; i++)
		points[i].live = wave[i];
	growth_read(points, 15, &plain, &g);
	assert_true(fabs(growth_inflation(&g) - 5.421381537616252) < 1e-12);

	/* The same bytes in another order: up and down. */
	memcpy(quick, points, sizeof(quick));
	for (size_t i = 0; i < 14; i++)
		quick[i].live = i % 2 == 0 ? 4 : 0;
	growth_read(quick, 15, &plain, &g);
	assert_true(growth_inflation(&g) <= 1);
}

/* Epochs are further apart, so the chance of a record in one is greater. */
static void
records_are_counted_by_epochs_not_by_points(void **state)
{
	static const double epochs[] = { 0, 1, 3, 7, 15, 31 };
	struct growth g;

	(void)state;
	clear(6);
	for (size_t i = 0; i < 6; i++) {
		points[i].epoch = epochs[i];
		points[i].live = (double)i;
	}
	growth_read(points, 6, &plain, &g);
	/* Each time as many as ever were before: a half, five times. */
	assert_true(is_near(growth_chance(&g, 0), 1.0 / 32));
	assert_true(is_near(growth_balance(&g, g.kept, 0, 4), 2 / 3.0 * 1 / 4 *
	    3 / 2));
}

/* A spike of the start is not what the growth has to exceed. */
static void
the_start_is_forgiven(void **state)
{
	(void)state;
	draw_leak(20, 8, 5, 20);
	points[0].live = 900;
	points[1].live = 500;
	assert_int_equal(judge(20).kind, VERDICT_GROWING);
	assert_int_equal(judge(20).since, 8);
}

/* Two groups, a bit apart: squares of 20 for a step, 33 for a slope. */
static void
a_step_must_be_much_better_than_a_slope(void **state)
{
	static const double live[] = { 1, 4, 2, 5, 12, 15, 13, 16 };
	struct growth g;
	size_t at;

	(void)state;
	clear(8);
	for (size_t i = 0; i < 8; i++)
		points[i].live = live[i];
	growth_read(points, 8, &plain, &g);
	assert_false(growth_is_step(&g, &at));
	assert_int_equal(at, 4);
	for (size_t i = 4; i < 8; i++)
		points[i].live += 100;
	growth_read(points, 8, &plain, &g);
	assert_true(growth_is_step(&g, &at));
	assert_int_equal(at, 4);
}

static void
a_buffer_made_anew_grows_though_nothing_of_it_is_old(void **state)
{
	(void)state;
	draw_leak(20, 0, 100, 5000);
	for (size_t i = 0; i < 20; i++)
		points[i].survived = i == 19 ? points[i].live : 0;
	assert_int_equal(judge(20).kind, VERDICT_GROWING);
	/* It must not ever have fallen, then. */
	points[10].live -= 150;
	assert_int_not_equal(judge(20).kind, VERDICT_GROWING);
}

static void
a_pool_that_breaks_its_record_now_and_then_does_not_grow(void **state)
{
	static const double live[] = { 50, 50, 60, 60, 60, 75, 75, 75, 75, 75,
		80, 80, 80, 80, 80, 80, 80, 80, 91, 91 };

	(void)state;
	clear(20);
	for (size_t i = 0; i < 20; i++) {
		points[i].live = live[i];
		points[i].survived = live[i] - (i > 0 ? live[i - 1] : 0);
	}
	/* Kendall alone would be sure. */
	assert_true(judge(20).p < 1e-6);
	assert_int_not_equal(judge(20).kind, VERDICT_GROWING);
}

static void
every_start_is_found(void **state)
{
	struct verdict v;

	(void)state;
	for (size_t count = 14; count <= VERDICT_POINTS; count++)
		for (size_t since = 0; since + 8 < count; since++) {
			draw_leak(count, since, 48, 1e6);
			v = judge(count);
			assert_int_equal(v.kind, VERDICT_GROWING);
			assert_int_equal(v.since, since);
			assert_true(is_near(v.per_epoch, 48));
		}
}

/* --- what must not matter ------------------------------------------------- */

static void
neither_unit_nor_ground_nor_clock_matters(void **state)
{
	static const double scales[] = { 1, 1024, 1.0 / 64, 1e12 };
	struct verdict v, w;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(series); i++) {
		draw(&series[i], true);
		v = judge(series[i].count);
		for (size_t k = 0; k < ARRAY_LENGTH(scales); k++) {
			double scale = scales[k];

			draw(&series[i], true);
			for (size_t j = 0; j < series[i].count; j++) {
				points[j].live = scale *
				    (points[j].live + 4096);
				points[j].survived *= scale;
				points[j].at = 1e9 + 7 * points[j].at;
				points[j].epoch += 1000;
			}
			points[0].survived += scale * 4096;
			w = judge(series[i].count);
			assert_int_equal(w.kind, v.kind);
			assert_int_equal(w.since, v.since);
			assert_true(is_near(w.p, v.p));
			assert_true(fabs(w.per_epoch - scale * v.per_epoch) <=
			    1e-6 * scale);
		}
	}
}

static void
what_grows_does_not_grow_backwards(void **state)
{
	struct verdict v, w;
	size_t i, n;

	(void)state;
	for (size_t k = 0; k < ARRAY_LENGTH(series); k++) {
		draw(&series[k], false);
		n = series[k].count;
		v = judge(n);
		for (i = 0; i < n; i++)
			points[i].live = series[k].live[n - 1 - i];
		w = judge(n);
		assert_true(v.p + w.p >= 1 - 1e-9);
		assert_true(is_near(w.per_epoch + 1, 1 - v.per_epoch) ||
		    v.kind == VERDICT_GROWING);
		if (v.kind == VERDICT_GROWING)
			assert_int_equal(w.kind, VERDICT_STABLE);
	}
}

static void
odd_series_do_no_harm(void **state)
{
	static const double values[] = { 0, 1, 1e18, 1e300, -5, 1e-300 };
	uint32_t random = 3;
	struct verdict v;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t count = (size_t)round % (VERDICT_POINTS + 8);

		clear(VERDICT_POINTS + 8);
		for (size_t i = 0; i < count; i++) {
			random = random * 1103515245 + 12345;
			points[i].live = round % 3 == 0 ? random >> 8 :
			    values[(random >> 16) % ARRAY_LENGTH(values)];
			points[i].survived = round % 2 == 0 ? 0 :
			    values[(random >> 20) % 3];
			/* All at one time, or all in one epoch. */
			if (round % 5 == 0)
				points[i].at = 5;
			if (round % 7 == 0)
				points[i].epoch = 5;
		}
		v = judge(count);
		assert_true(v.p >= 0 && v.p <= 1 + 1e-9);
		assert_true(v.points <= VERDICT_POINTS);
		assert_true(v.since < VERDICT_POINTS);
		assert_false(isnan(v.per_epoch) || isnan(v.rose));
		assert_true(count >= 4 || v.kind == VERDICT_UNKNOWN);
	}
}

/* --- options -------------------------------------------------------------- */

static void
what_is_called_warm_up_is_left_out(void **state)
{
	struct verdict_options options = { .warmup = 10 };
	struct verdict v;

	(void)state;
	/* All it ever gained was in the first ten epochs. */
	draw_leak(20, 0, 16, 100);
	for (size_t i = 10; i < 20; i++) {
		points[i].live = points[9].live;
		points[i].survived = 0;
	}
	verdict_of(points, 20, &options, &v);
	assert_int_equal(v.kind, VERDICT_STABLE);
	assert_int_equal(v.points, 10);

	/* What lives of it is counted at the first point that is left. */
	draw_leak(24, 0, 16, 100);
	verdict_of(points, 24, &options, &v);
	assert_int_equal(v.kind, VERDICT_GROWING);
	assert_int_equal(v.since, 10);
	assert_true(is_near(v.rose, 13 * 16));

	options.warmup = 1000;
	verdict_of(points, 24, &options, &v);
	assert_int_equal(v.kind, VERDICT_UNKNOWN);
	assert_int_equal(v.points, 0);
}

static void
what_is_estimated_must_grow_by_more_than_the_error(void **state)
{
	struct verdict_options options = { .warmup = SIZE_MAX, .error = 100 };
	struct verdict v;

	(void)state;
	draw_leak(20, 0, 16, 0); /* 304 in all */
	verdict_of(points, 20, &options, &v);
	assert_int_equal(v.kind, VERDICT_GROWING);
	assert_true(is_near(v.high - 16, 200.0 / 19));
	assert_true(is_near(16 - v.low, 200.0 / 19));
	options.error = 160;
	verdict_of(points, 20, &options, &v);
	assert_int_equal(v.kind, VERDICT_UNKNOWN);
}

static void
growth_too_slow_for_the_budget_is_minor_and_is_told(void **state)
{
	/* 16 bytes a minute: 960 an hour; 2 % of the budget are 1000. */
	struct verdict_options options = { .warmup = SIZE_MAX,
		.budget = 50000, .remaining = 3600 };
	struct verdict v;

	(void)state;
	draw_leak(20, 0, 16, 0);
	verdict_of(points, 20, &options, &v);
	assert_int_equal(v.kind, VERDICT_GROWING);
	assert_true(v.minor);
	options.remaining = 3800;
	verdict_of(points, 20, &options, &v);
	assert_false(v.minor);
	options.effect = 0.05;
	verdict_of(points, 20, &options, &v);
	assert_true(v.minor);
	options.budget = 0;
	verdict_of(points, 20, &options, &v);
	assert_false(v.minor);
}

/* A leak under a load that comes and goes, another each time; no births. */
static void
draw_under_load(unsigned seed, double allocated)
{
	clear(20);
	for (size_t i = 0; i < 20; i++) {
		seed = seed * 1664525 + 1013904223;
		points[i].live = 10 * (double)i + (double)(seed >> 8) /
		    (double)(UINT32_MAX >> 8) * 80;
		points[i].allocated = allocated * points[i].live;
	}
}

static void
where_blocks_come_and_go_growth_must_be_surer(void **state)
{
	size_t sure = 0, unsure = 0;

	(void)state;
	for (unsigned seed = 0; seed < 2000; seed++) {
		struct verdict stays, turns;

		draw_under_load(seed, 1);
		stays = judge(20);
		if (stays.kind != VERDICT_GROWING)
			continue;
		draw_under_load(seed, 50);
		turns = judge(20);
		assert_true(is_near(turns.p, stays.p));
		assert_false(stays.doubted);
		assert_int_equal(turns.kind, stays.p < 3e-5 ?
		    VERDICT_GROWING : VERDICT_UNKNOWN);
		assert_int_equal(turns.doubted, stays.p >= 3e-5);
		sure += stays.p < 3e-5;
		unsure += stays.p >= 3e-5;
	}
	assert_true(sure > 0 && unsure > 0);
}

/*
 * Of a heap some of what was made in each interval is always there, whatever
 * else is going on.  What it keeps rose in few of them.
 */
static void
a_sum_of_many_sites_must_rise_in_many_places(void **state)
{
	static const struct verdict_options sum = { .warmup = SIZE_MAX,
		.sum = true };
	struct verdict v;

	(void)state;
	draw_leak(20, 0, 10, 100);
	verdict_of(points, 20, &sum, &v);
	assert_int_equal(v.kind, VERDICT_GROWING);
	/* The same at its end, but for jumps of forty in every fourth. */
	for (size_t i = 0; i < 20; i++)
		points[i].live = 100 + 40 * (double)((i + 2) / 4);
	assert_int_equal(judge(20).kind, VERDICT_GROWING);
	verdict_of(points, 20, &sum, &v);
	assert_int_not_equal(v.kind, VERDICT_GROWING);
}

/* --- many sites ----------------------------------------------------------- */

/* The example of Benjamini and Hochberg (1995), section 3.2. */
static void
false_discoveries_are_controlled_as_by_their_authors(void **state)
{
	static const double p[] = { 0.6528, 0.0004, 0.0201, 0.0001, 0.0298,
		0.3240, 0.0019, 0.0344, 0.0095, 0.4262, 0.5719, 0.0459, 1.0000,
		0.7590, 0.0278 };
	struct verdict v[ARRAY_LENGTH(p) + 5];
	size_t i;

	(void)state;
	memset(v, 0, sizeof(v));
	for (i = 0; i < ARRAY_LENGTH(v); i++)
		v[i] = (struct verdict){ .kind = VERDICT_GROWING, .p = 1,
			.least = 1 };
	for (i = 0; i < ARRAY_LENGTH(p); i++) {
		v[i].p = p[i];
		v[i].least = 1e-6;
	}
	/* Five sites that never moved are no tests. */
	verdict_control(v, ARRAY_LENGTH(v), 0.05);
	for (i = 0; i < ARRAY_LENGTH(v); i++) {
		bool is = i == 1 || i == 3 || i == 6 || i == 8;

		assert_int_equal(v[i].kind, is ? VERDICT_GROWING :
		    VERDICT_UNKNOWN);
		assert_int_equal(v[i].doubted, !is);
		assert_true(v[i].q >= v[i].p * (1 - 1e-12));
	}
	assert_true(is_near(v[3].q, 15 * 0.0001));
	assert_true(is_near(v[1].q, 15 * 0.0004 / 2));
	assert_true(is_near(v[6].q, 15 * 0.0019 / 3));
	assert_true(is_near(v[8].q, 15 * 0.0095 / 4));
	/* The least of those that follow. */
	assert_true(is_near(v[14].q, 15 * 0.0298 / 7));
	assert_true(v[13].q <= 1 && v[ARRAY_LENGTH(p)].q >= 1);
	verdict_control(v, 0, 0.05);
}

static void
with_few_epochs_and_many_sites_it_is_doubted(void **state)
{
	struct verdict v[100];
	size_t i;

	(void)state;
	for (size_t epochs = 6; epochs < 12; epochs++) {
		draw_leak(epochs, 0, 16, 0);
		v[0] = judge(epochs);
		for (i = 1; i < 100; i++) {
			clear(epochs);
			for (size_t k = 0; k < epochs; k++)
				points[k].live = (double)((k * 7 + i) % 5);
			v[i] = judge(epochs);
		}
		verdict_control(v, 100, VERDICT_LEVEL);
		/* 1 / 8! is below a hundredth of a hundredth; 1 / 7! is not. */
		assert_int_equal(v[0].kind == VERDICT_GROWING, epochs >= 8);
		assert_int_equal(v[0].doubted, epochs == 7);
	}
}

static int
compare(const void *a, const void *b)
{
	return verdict_compare(*(struct verdict *const *)a,
	    *(struct verdict *const *)b);
}

static void
the_strongest_is_told_first(void **state)
{
	struct verdict v[] = {
		{ .kind = VERDICT_GROWING, .low = 900, .per_epoch = 1000 },
		/* Faster perhaps, but it is not so sure. */
		{ .kind = VERDICT_GROWING, .low = 300, .per_epoch = 1200 },
		{ .kind = VERDICT_GROWING, .low = 16, .p = 1e-9 },
		{ .kind = VERDICT_GROWING, .low = 16, .p = 1e-3 },
		{ .kind = VERDICT_STEP, .rose = 1e9 },
		{ .kind = VERDICT_STEP, .rose = 1e6 },
		{ .kind = VERDICT_GROWING, .low = 2000, .minor = true },
		{ .kind = VERDICT_SATURATED, .rose = 1e12 },
		{ .kind = VERDICT_UNKNOWN, .doubted = true },
		{ .kind = VERDICT_STABLE, .rose = 5 },
		{ .kind = VERDICT_UNKNOWN, .rose = 1e12 },
	};
	struct verdict *order[ARRAY_LENGTH(v)];
	size_t n = ARRAY_LENGTH(v);

	(void)state;
	for (size_t first = 0; first < n; first++) {
		for (size_t i = 0; i < n; i++)
			order[i] = &v[(first + i * 3) % n];
		qsort(order, n, sizeof(*order), compare);
		for (size_t i = 0; i < n; i++)
			assert_ptr_equal(order[i], &v[i]);
	}
}

static void
two_leaks_are_found_in_order(void **state)
{
	struct verdict v[2];

	(void)state;
	draw_leak(20, 0, 16, 1e6);
	v[0] = judge(20);
	draw_leak(20, 0, 4096, 0);
	v[1] = judge(20);
	verdict_control(v, 2, VERDICT_LEVEL);
	assert_int_equal(v[0].kind, VERDICT_GROWING);
	assert_int_equal(v[1].kind, VERDICT_GROWING);
	assert_true(verdict_compare(&v[1], &v[0]) < 0);
	assert_true(verdict_compare(&v[0], &v[1]) > 0);
	assert_true(verdict_compare(&v[0], &v[0]) == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(series_by_hand_are_told),
		cmocka_unit_test(
		    sixteen_bytes_in_twenty_epochs_are_beyond_doubt),
		cmocka_unit_test(births_tell_what_stays_from_what_is_replaced),
		cmocka_unit_test(what_decays_is_no_leak),
		cmocka_unit_test(slow_waves_make_it_less_sure),
		cmocka_unit_test(records_are_counted_by_epochs_not_by_points),
		cmocka_unit_test(the_start_is_forgiven),
		cmocka_unit_test(a_step_must_be_much_better_than_a_slope),
		cmocka_unit_test(
		    a_buffer_made_anew_grows_though_nothing_of_it_is_old),
		cmocka_unit_test(
		    a_pool_that_breaks_its_record_now_and_then_does_not_grow),
		cmocka_unit_test(every_start_is_found),
		cmocka_unit_test(neither_unit_nor_ground_nor_clock_matters),
		cmocka_unit_test(what_grows_does_not_grow_backwards),
		cmocka_unit_test(odd_series_do_no_harm),
		cmocka_unit_test(what_is_called_warm_up_is_left_out),
		cmocka_unit_test(
		    what_is_estimated_must_grow_by_more_than_the_error),
		cmocka_unit_test(
		    growth_too_slow_for_the_budget_is_minor_and_is_told),
		cmocka_unit_test(
		    false_discoveries_are_controlled_as_by_their_authors),
		cmocka_unit_test(where_blocks_come_and_go_growth_must_be_surer),
		cmocka_unit_test(a_sum_of_many_sites_must_rise_in_many_places),
		cmocka_unit_test(with_few_epochs_and_many_sites_it_is_doubted),
		cmocka_unit_test(the_strongest_is_told_first),
		cmocka_unit_test(two_leaks_are_found_in_order),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
