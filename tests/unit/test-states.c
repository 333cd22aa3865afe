#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/base.h"
#include "model/states.h"

static struct states s;
static struct states_look look;
static struct states_answer answer;

static void
begin(void)
{
	states_open(&s, NULL);
	look = (struct states_look){ .now_ns = 5 * NS_PER_S, .budget = 1000 };
}

/* @ms later, @used of 1000. */
static int
after(uint64_t ms, uint64_t used)
{
	look.now_ns += ms * NS_PER_MS;
	look.used = used;
	return states_step(&s, &look);
}

static int
ask(uint64_t one, uint64_t baseline, uint64_t start, bool checkpoint)
{
	const struct states_wish wish = { .one = one, .baseline = baseline,
		.start = start, .checkpoint = checkpoint };

	states_ask(&s, &wish, &answer);
	return answer.verdict;
}

/* --- states --------------------------------------------------------------- */

static void
each_state_begins_where_the_table_says(void **state)
{
	static const struct {
		uint64_t used;
		int state;
	} cases[] = {
		{ 0, STATES_OK }, { 749, STATES_OK }, { 750, STATES_WARNING },
		{ 879, STATES_WARNING }, { 880, STATES_CRITICAL },
		{ 959, STATES_CRITICAL }, { 960, STATES_EXHAUSTED },
		{ 5000, STATES_EXHAUSTED },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(cases); i++) {
		begin();
		assert_int_equal(after(0, cases[i].used), cases[i].state);
		assert_int_equal(states_cuts(&s),
		    cases[i].state >= STATES_CRITICAL);
	}
}

static void
it_falls_a_step_at_a_time_and_each_after_its_dwell(void **state)
{
	(void)state;
	begin();
	assert_int_equal(after(0, 970), STATES_EXHAUSTED);
	/* Between leaving and entering it stays for ever. */
	assert_int_equal(after(100000, 855), STATES_EXHAUSTED);
	assert_int_equal(after(10, 500), STATES_EXHAUSTED);
	assert_int_equal(after(990, 500), STATES_EXHAUSTED);
	assert_int_equal(after(10, 500), STATES_CRITICAL);
	assert_int_equal(after(999, 500), STATES_CRITICAL);
	assert_int_equal(after(1, 500), STATES_WARNING);
	assert_int_equal(after(1000, 500), STATES_OK);
}

static void
a_dwell_that_is_broken_begins_again(void **state)
{
	(void)state;
	begin();
	after(0, 760);
	assert_int_equal(after(10, 690), STATES_WARNING);
	assert_int_equal(after(900, 710), STATES_WARNING);
	assert_int_equal(after(10, 690), STATES_WARNING);
	assert_int_equal(after(900, 690), STATES_WARNING);
	assert_int_equal(after(100, 690), STATES_OK);
}

static void
about_a_threshold_it_does_not_flicker(void **state)
{
	uint32_t i;

	(void)state;
	begin();
	for (i = 0; i < 1000; i++)
		after(100, i % 2 == 0 ? 760 : 720);
	assert_int_equal(s.rises, 1);
}

static void
what_will_be_used_up_in_half_a_second_is_one_worse(void **state)
{
	(void)state;
	begin();
	look.rate = 399;
	assert_int_equal(after(0, 800), STATES_WARNING);
	assert_false(s.predicted);
	look.rate = 401;
	assert_int_equal(after(1, 800), STATES_CRITICAL);
	assert_true(s.predicted);
	begin();
	look.rate = 1e9;
	assert_int_equal(after(0, 10), STATES_WARNING);
}

static void
others_may_raise_it(void **state)
{
	(void)state;
	begin();
	look.some = 0.09;
	assert_int_equal(after(0, 100), STATES_OK);
	look.some = 0.10;
	assert_int_equal(after(10, 100), STATES_WARNING);
	look.full = 0.05;
	assert_int_equal(after(10, 100), STATES_CRITICAL);

	begin();
	look.limit_events = 7; /* of before we came */
	look.failed = 3;
	assert_int_equal(after(0, 100), STATES_OK);
	look.limit_events = 8;
	assert_int_equal(after(10, 100), STATES_CRITICAL);
	look.failed = 4;
	assert_int_equal(after(10, 100), STATES_EXHAUSTED);
	/* It holds for its dwell, and then falls as others do. */
	assert_int_equal(after(999, 100), STATES_EXHAUSTED);
	assert_int_equal(after(1, 100), STATES_EXHAUSTED);
	assert_int_equal(after(1000, 100), STATES_CRITICAL);

	begin();
	look.lease_overrun = true;
	assert_int_equal(after(0, 100), STATES_EXHAUSTED);
}

static void
without_a_budget_all_is_well(void **state)
{
	(void)state;
	begin();
	after(0, 990);
	look.budget = 0;
	assert_int_equal(after(1, 990), STATES_OK);
	assert_int_equal(ask(0, 990, 0, false), STATES_GO);
}

static void
thresholds_that_do_not_rise_are_the_defaults(void **state)
{
	const struct states_conf bad = { .warn = 0.9, .critical = 0.5 };
	const struct states_conf seed = { .warn = 0.50, .critical = 0.75 };

	(void)state;
	begin();
	states_open(&s, &bad);
	assert_int_equal(after(0, 880), STATES_CRITICAL);
	begin();
	states_open(&s, &seed);
	assert_int_equal(after(0, 500), STATES_WARNING);
	assert_int_equal(after(0, 750), STATES_CRITICAL);
	assert_string_equal(states_name(s.state), "critical");
	assert_string_equal(states_name(99), "unknown");
	assert_string_equal(states_breaker_name(s.breaker), "open");
}

/* --- the breaker ---------------------------------------------------------- */

static void
after_critical_one_batch_is_a_probe(void **state)
{
	(void)state;
	begin();
	after(0, 500);
	assert_int_equal(ask(10, 500, 400, false), STATES_GO);
	after(0, 900);
	assert_int_equal(ask(10, 900, 400, false), STATES_WAIT);
	assert_true(answer.until_ns > look.now_ns);
	after(0, 500);
	after(1000, 500);
	assert_int_equal(s.breaker, STATES_HALF_OPEN);
	assert_int_equal(ask(10, 500, 400, false), STATES_PROBE);
	states_begun(&s);
	/* Another has to wait for what comes of it. */
	assert_int_equal(ask(10, 500, 400, false), STATES_WAIT);
	states_ended(&s, false);
	assert_int_equal(s.breaker, STATES_OPEN);
	after(10, 500);
	assert_int_equal(ask(10, 500, 400, false), STATES_PROBE);
	states_begun(&s);
	states_ended(&s, true);
	assert_int_equal(s.breaker, STATES_CLOSED);
	assert_int_equal(ask(10, 500, 400, false), STATES_GO);
}

static void
every_wait_has_an_end_and_a_next_step(void **state)
{
	(void)state;
	begin();
	after(0, 900);
	assert_int_equal(ask(50, 900, 400, true), STATES_WAIT);
	assert_int_equal(answer.until_ns, look.now_ns + 10 * NS_PER_S);
	after(9999, 900);
	assert_int_equal(ask(50, 900, 400, true), STATES_WAIT);
	after(1, 900);
	/* 1: reclaim all there is. */
	assert_int_equal(ask(50, 900, 400, true), STATES_RECLAIM);
	/* 2: one item, if it fits into 0.98. */
	assert_int_equal(ask(80, 900, 400, true), STATES_ONE_ITEM);
	/* 3: anew, as memory has grown. */
	assert_int_equal(ask(81, 900, 400, true), STATES_RECYCLE);
	assert_true(answer.grew);
	/* But not if there was no room at the start (a loop without end), */
	assert_int_equal(ask(700, 900, 400, true), STATES_NO_MEMORY);
	/* nor if nothing grew, nor without a checkpoint. */
	assert_int_equal(ask(81, 900, 900, true), STATES_NO_MEMORY);
	assert_false(answer.grew);
	assert_int_equal(ask(81, 900, 400, false), STATES_NO_MEMORY);
	/* 4: with what the sentence needs. */
	assert_int_equal(answer.baseline, 900);
	assert_int_equal(answer.one, 81);
	assert_int_equal(answer.budget, 1000);
	assert_in_range(answer.raise_to, 1002, 1100);
}

static void
a_batch_that_runs_is_waited_for(void **state)
{
	const struct states_wish wish = { .one = 500, .baseline = 900,
		.in_flight = true };

	(void)state;
	begin();
	after(0, 900);
	states_begun(&s);
	after(60000, 900);
	states_ask(&s, &wish, &answer);
	assert_int_equal(answer.verdict, STATES_WAIT);
	assert_true(answer.until_ns > look.now_ns);
	/* The time begins when it is over. */
	states_ended(&s, false);
	after(9000, 900);
	assert_int_equal(ask(500, 900, 0, false), STATES_WAIT);
	after(1000, 900);
	assert_int_equal(ask(500, 900, 0, false), STATES_RECLAIM);
	assert_int_equal(ask(500, 900, 0, false), STATES_NO_MEMORY);
}

static void
whoever_asks_for_ever_is_never_told_to_wait_for_ever(void **state)
{
	static const uint64_t used[] = { 0, 700, 760, 890, 950, 970, 1200 };
	uint32_t random = 1, waits, i;
	int verdict;

	(void)state;
	for (i = 0; i < 2000; i++) {
		begin();
		for (waits = 0; waits < 5; waits++) {
			random = random * 1664525 + 1013904223;
			after(random >> 20, used[(random >> 8) % 7]);
		}
		/* From now on nothing changes. */
		for (waits = 0;; waits++) {
			verdict = ask(random % 300, look.used,
			    random % 1000, (random & 1) != 0);
			if (verdict == STATES_RECLAIM) {
				states_reclaimed(&s, 1, look.now_ns);
				continue;
			}
			if (verdict != STATES_WAIT)
				break;
			assert_true(answer.until_ns > look.now_ns);
			assert_true(answer.until_ns <= look.now_ns +
			    10 * NS_PER_S);
			after((answer.until_ns - look.now_ns) / NS_PER_MS + 1,
			    look.used);
			assert_true(waits < 10);
		}
	}
}

/* --- cleanups ------------------------------------------------------------- */

static void
cleanups_take_no_more_than_a_twentieth_of_the_time(void **state)
{
	const uint64_t step = 20 * NS_PER_MS;
	uint64_t now = 10 * NS_PER_S, from = now, spent = 0;

	(void)state;
	begin();
	while (now < from + 100 * NS_PER_S) {
		if (states_may_reclaim(&s, now)) {
			states_reclaimed(&s, step, now);
			spent += step;
		}
		now += step;
	}
	/* What it begins with, and 5 % of 100 s. */
	assert_in_range(spent / NS_PER_MS, 5000, 5600);
	/* A single long one is paid for later. */
	states_reclaimed(&s, 2 * NS_PER_S, now);
	assert_false(states_may_reclaim(&s, now + 29 * NS_PER_S));
	assert_true(states_may_reclaim(&s, now + 41 * NS_PER_S));
}

static void
starting_anew_pays_if_much_of_what_stays_came_later(void **state)
{
	(void)state;
	assert_true(states_recycle_pays(1000, 700, 450));
	assert_false(states_recycle_pays(1000, 699, 100));
	assert_false(states_recycle_pays(1000, 800, 600));
	assert_false(states_recycle_pays(1000, 800, 900));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_begins_where_the_table_says),
		cmocka_unit_test(
		    it_falls_a_step_at_a_time_and_each_after_its_dwell),
		cmocka_unit_test(a_dwell_that_is_broken_begins_again),
		cmocka_unit_test(about_a_threshold_it_does_not_flicker),
		cmocka_unit_test(
		    what_will_be_used_up_in_half_a_second_is_one_worse),
		cmocka_unit_test(others_may_raise_it),
		cmocka_unit_test(without_a_budget_all_is_well),
		cmocka_unit_test(thresholds_that_do_not_rise_are_the_defaults),
		cmocka_unit_test(after_critical_one_batch_is_a_probe),
		cmocka_unit_test(every_wait_has_an_end_and_a_next_step),
		cmocka_unit_test(a_batch_that_runs_is_waited_for),
		cmocka_unit_test(
		    whoever_asks_for_ever_is_never_told_to_wait_for_ever),
		cmocka_unit_test(
		    cleanups_take_no_more_than_a_twentieth_of_the_time),
		cmocka_unit_test(
		    starting_anew_pays_if_much_of_what_stays_came_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
