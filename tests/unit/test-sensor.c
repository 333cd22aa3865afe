#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/base.h"
#include "model/sensor.h"

static struct sensor s;

static void
sample(uint64_t used, uint64_t live, uint64_t now_ns)
{
	const struct sensor_look look = { .used = used * MIB,
		.live = live * MIB, .now_ns = now_ns };

	sensor_sample(&s, &look);
}

static void
before_any_look_what_is_live_is_used(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	assert_int_equal(sensor_used(&s, 5 * MIB), 5 * MIB);
	assert_true(sensor_is_due(&s, 0));
	assert_int_equal(sensor_period(&s, 0), NS_PER_S);
}

static void
between_looks_it_goes_with_what_is_live(void **state)
{
	(void)state;
	sensor_open(&s, 1000 * MIB);
	sample(110, 100, NS_PER_S); /* 10 that are no heap */
	assert_int_equal(sensor_used(&s, 100 * MIB), 110 * MIB);
	assert_int_equal(sensor_used(&s, 130 * MIB), 140 * MIB);
	/* What is freed is not returned. */
	assert_int_equal(sensor_used(&s, 50 * MIB), 110 * MIB);
	sample(110, 50, 2 * NS_PER_S);
	assert_int_equal(sensor_used(&s, 50 * MIB), 110 * MIB);
}

static void
what_the_allocator_kept_is_used_first(void **state)
{
	(void)state;
	sensor_open(&s, 1000 * MIB);
	sample(10, 0, NS_PER_S);
	sample(210, 200, 2 * NS_PER_S); /* a live byte costs one */
	sample(210, 50, 3 * NS_PER_S);
	assert_int_equal(s.reusable0, 150 * MIB);
	assert_int_equal(sensor_used(&s, 190 * MIB), 210 * MIB);
	assert_int_equal(sensor_used(&s, 230 * MIB), 240 * MIB);
	/* Near the limit it may be in pieces, and nothing fits. */
	sensor_budget(&s, 250 * MIB);
	assert_int_equal(sensor_used(&s, 90 * MIB), 210 * MIB);
	assert_int_equal(sensor_used(&s, 220 * MIB), 380 * MIB);
}

static void
what_a_live_byte_costs_is_learned_at_the_peak(void **state)
{
	(void)state;
	sensor_open(&s, 0);
	sample(10, 0, NS_PER_S);
	sample(10 + 125, 100, 2 * NS_PER_S);
	assert_true(s.omega > 1.249 && s.omega < 1.251);
	/* Below the peak the rest is kept, not cost. */
	sample(10 + 125, 20, 3 * NS_PER_S);
	assert_true(s.omega < 1.251);
	assert_int_equal(s.reusable0, 100 * MIB);
}

static void
a_batch_begins_from_what_is_not_held_free(void **state)
{
	(void)state;
	memset(&s, 0, sizeof(s));
	assert_int_equal(sensor_held(&s, 5 * MIB), 5 * MIB);
	sensor_open(&s, 1000 * MIB);
	sample(10, 0, NS_PER_S);
	sample(210, 200, 2 * NS_PER_S);
	assert_int_equal(sensor_held(&s, 200 * MIB), 210 * MIB);
	/* Freed, but still there. */
	assert_int_equal(sensor_held(&s, 50 * MIB), 60 * MIB);
	sample(210, 50, 3 * NS_PER_S);
	assert_int_equal(sensor_held(&s, 50 * MIB), 60 * MIB);
	assert_int_equal(sensor_held(&s, 150 * MIB), 160 * MIB);
	assert_int_equal(sensor_held(&s, 250 * MIB), 260 * MIB);
	/* And returned. */
	sample(60, 50, 4 * NS_PER_S);
	assert_int_equal(sensor_held(&s, 50 * MIB), 60 * MIB);
}

static void
what_is_free_at_the_line_is_grown_into(void **state)
{
	const uint64_t line = 900 * MIB, last = 935 * MIB;

	(void)state;
	sensor_open(&s, 1000 * MIB);
	sample(10, 0, NS_PER_S);
	/* 800 live cost 880: so much a live byte costs. */
	sample(890, 800, 2 * NS_PER_S);
	assert_int_equal(sensor_may_grow(&s, 800 * MIB, line, last, 0),
	    SENSOR_GROW);
	assert_int_equal(sensor_may_grow(&s, 811 * MIB, line, last, 0),
	    SENSOR_STOP);
	/* All was freed and nothing given back; so it stays. */
	sample(910, 10, 3 * NS_PER_S);
	assert_true(sensor_used(&s, 10 * MIB) > line);
	assert_int_equal(sensor_may_grow(&s, 10 * MIB, line, last,
	    910 * MIB), SENSOR_GROW);
	assert_int_equal(sensor_may_grow(&s, 11 * MIB, line, last,
	    910 * MIB), SENSOR_GROW);
	/* Had that not fitted into what was free, where would it be? */
	assert_int_equal(sensor_may_grow(&s, 100 * MIB, line, last,
	    910 * MIB), SENSOR_LOOK);
	sample(910, 100, 4 * NS_PER_S);
	assert_int_equal(sensor_may_grow(&s, 100 * MIB, line, last,
	    910 * MIB), SENSOR_GROW);
	/* It did not: up to the last, and no farther. */
	sample(934, 110, 5 * NS_PER_S);
	assert_int_equal(sensor_may_grow(&s, 110 * MIB, line, last,
	    910 * MIB), SENSOR_GROW);
	sample(940, 120, 6 * NS_PER_S);
	assert_int_equal(sensor_may_grow(&s, 120 * MIB, line, last,
	    910 * MIB), SENSOR_STOP);
	/* Who found it so may fill what is free, if no more comes. */
	assert_int_equal(sensor_may_grow(&s, 120 * MIB, line, last,
	    940 * MIB), SENSOR_GROW);
	sample(951, 130, 7 * NS_PER_S);
	assert_int_equal(sensor_may_grow(&s, 130 * MIB, line, last,
	    951 * MIB), SENSOR_STOP);
	/* What is held is at the line, however much is resident. */
	sample(910, 819, 8 * NS_PER_S);
	assert_int_equal(sensor_may_grow(&s, 819 * MIB, line, last,
	    910 * MIB), SENSOR_STOP);
}

static void
the_nearer_the_limit_the_sooner_it_looks(void **state)
{
	(void)state;
	sensor_open(&s, 1000 * MIB);
	sample(100, 90, NS_PER_S);
	sample(200, 190, 2 * NS_PER_S);
	assert_true(s.rate > 99 * MIB && s.rate < 101 * MIB);
	assert_int_equal(sensor_period(&s, 190 * MIB), NS_PER_S);
	/* 60 MiB are left: 0.6 s. */
	assert_in_range(sensor_period(&s, 930 * MIB), 199 * NS_PER_MS,
	    201 * NS_PER_MS);
	assert_int_equal(sensor_period(&s, 2000 * MIB), 5 * NS_PER_MS);
	/* It grows no more: that is forgotten, but not at once. */
	sample(200, 190, 3 * NS_PER_S);
	assert_true(s.rate > 74 * MIB && s.rate < 76 * MIB);
}

static void
the_error_is_a_sixteenth_of_what_is_left(void **state)
{
	uint64_t live, left;
	uint32_t threads;

	(void)state;
	sensor_open(&s, 1000 * MIB);
	sample(100, 100, NS_PER_S);
	for (threads = 1; threads <= 1024; threads *= 4)
		for (live = 100; live < 1000; live += 7) {
			left = 1000 * MIB - sensor_used(&s, live * MIB);
			if (left / 16 / threads < 4 * KIB)
				continue;
			assert_true(threads * sensor_quantum(&s, live * MIB,
			    threads) <= left / 16);
			assert_true(sensor_error(&s, live * MIB, threads,
			    NS_PER_S) <= left / 16);
		}
	assert_int_equal(sensor_quantum(&s, 100 * MIB, 1), MIB);
	assert_int_equal(sensor_quantum(&s, 999 * MIB, 1000), 4 * KIB);
	assert_int_equal(sensor_quantum(&s, 5000 * MIB, 0), 4 * KIB);
}

static void
an_estimate_that_was_wrong_is_trusted_less(void **state)
{
	(void)state;
	sensor_open(&s, 1000 * MIB);
	sample(100, 100, NS_PER_S);
	sample(100, 100, 2 * NS_PER_S);
	assert_int_equal(sensor_error(&s, 100 * MIB, 0, 3 * NS_PER_S), 0);
	/* 100 MiB came past the allocator. */
	sample(200, 100, 3 * NS_PER_S);
	assert_true(sensor_error(&s, 100 * MIB, 0, 3 * NS_PER_S) >= 99 * MIB);
}

static void
a_look_is_due_when_much_has_moved(void **state)
{
	(void)state;
	sensor_open(&s, 1000 * MIB);
	sample(110, 100, NS_PER_S);
	assert_false(sensor_is_due(&s, 104 * MIB));
	assert_true(sensor_is_due(&s, 105 * MIB));
	assert_true(sensor_is_due(&s, 95 * MIB));
	sample(10, 0, 2 * NS_PER_S);
	assert_false(sensor_is_due(&s, 100 * KIB));
	assert_true(sensor_is_due(&s, 256 * KIB));
}

static void
reuse(uint64_t stood, uint64_t held, uint64_t live, uint64_t risen)
{
	const struct sensor_batch b = { .stood = stood * MIB,
		.held = held * MIB, .live = live * MIB, .risen = risen * MIB };

	sensor_reused(&s, &b);
}

static uint64_t
fits(uint64_t stood, uint64_t held)
{
	return sensor_fits(&s, stood * MIB, held * MIB) / MIB;
}

static void
what_was_not_found_in_what_is_free_bounds_the_next(void **state)
{
	int i;

	(void)state;
	sensor_open(&s, 1000 * MIB);
	/* All is below 970, free or not; a quarter is expected to be missed. */
	assert_int_equal(fits(100, 100), 870);
	assert_int_equal(fits(500, 100), 870 - 100);
	assert_int_equal(fits(900, 100), 280);
	assert_int_equal(sensor_fits(&s, 980 * MIB, 0), 1);
	/* Where nothing much was free, nothing is learned. */
	reuse(110, 100, 700, 690);
	assert_int_equal(fits(900, 100), 280);
	/* All that was free was taken, and what was fresh is no miss. */
	for (i = 0; i < 500; i++)
		reuse(500, 100, 700, 300);
	assert_in_range(fits(900, 100), 850, 870);
	/* A tenth of it was in pieces: at once, and for long. */
	reuse(500, 100, 400, 40);
	assert_int_equal(fits(900, 100), 700);
	assert_int_equal(fits(950, 100), 200);
	for (i = 0; i < 20; i++)
		reuse(500, 100, 400, 0);
	assert_in_range(fits(950, 100), 230, 300);
	/* Without a budget there is nothing to stay below. */
	sensor_budget(&s, 0);
	assert_true(sensor_fits(&s, 950 * MIB, 0) == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(before_any_look_what_is_live_is_used),
		cmocka_unit_test(between_looks_it_goes_with_what_is_live),
		cmocka_unit_test(what_the_allocator_kept_is_used_first),
		cmocka_unit_test(what_a_live_byte_costs_is_learned_at_the_peak),
		cmocka_unit_test(a_batch_begins_from_what_is_not_held_free),
		cmocka_unit_test(what_is_free_at_the_line_is_grown_into),
		cmocka_unit_test(
		    what_was_not_found_in_what_is_free_bounds_the_next),
		cmocka_unit_test(the_nearer_the_limit_the_sooner_it_looks),
		cmocka_unit_test(the_error_is_a_sixteenth_of_what_is_left),
		cmocka_unit_test(an_estimate_that_was_wrong_is_trusted_less),
		cmocka_unit_test(a_look_is_due_when_much_has_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
