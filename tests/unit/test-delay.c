#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base.h"
#include "model/delay.h"

static struct delay d;

/* The longest of so many, and the shortest. */
static uint64_t
longest(const struct delay_look *look, uint32_t times, uint64_t *shortest)
{
	uint64_t most = 0, ns;

	*shortest = UINT64_MAX;
	while (times-- > 0) {
		ns = delay_next(&d, look);
		most = max_u64(most, ns);
		*shortest = min_u64(*shortest, ns);
	}
	return most;
}

static void
who_is_alone_does_not_wait(void **state)
{
	struct delay_look look = { .budget = 1000, .used = 990,
		.critical = true };
	const struct delay_conf off = { .mode = DELAY_OFF };
	const struct delay_conf always = { .mode = DELAY_ALWAYS };

	(void)state;
	delay_open(&d, NULL, 1);
	assert_int_equal(delay_next(&d, &look), 0);
	delay_open(&d, &always, 1);
	assert_true(delay_next(&d, &look) > 0);

	look.others = true;
	delay_open(&d, NULL, 1);
	assert_true(delay_next(&d, &look) > 0);
	delay_open(&d, &off, 1);
	assert_int_equal(delay_next(&d, &look), 0);

	look.others = false;
	look.purge = true;
	delay_open(&d, NULL, 1);
	assert_true(delay_next(&d, &look) > 0);
	look.purge = false;
	look.stalled = 0.01;
	delay_open(&d, NULL, 1);
	assert_true(delay_next(&d, &look) > 0);
}

static void
it_grows_with_the_square_of_how_far_between_it_is(void **state)
{
	struct delay_look look = { .budget = 1000, .others = true };
	const struct delay_conf conf = { .max_ns = 16 * NS_PER_S };
	uint64_t shortest;

	(void)state;
	delay_open(&d, &conf, 1);
	look.used = 750;
	assert_int_equal(longest(&look, 100, &shortest), 0);
	/* Half way: a quarter of the most. */
	look.used = 815;
	assert_in_range(longest(&look, 1000, &shortest), 3500 * NS_PER_MS,
	    4 * NS_PER_S);
	look.used = 900;
	assert_in_range(longest(&look, 1000, &shortest), 15 * NS_PER_S,
	    16 * NS_PER_S);
}

static void
none_is_more_than_three_times_the_last(void **state)
{
	const struct delay_look look = { .budget = 1000, .used = 950,
		.others = true };
	uint64_t last = NS_PER_MS, ns;
	uint32_t i;

	(void)state;
	delay_open(&d, NULL, 42);
	for (i = 0; i < 100; i++) {
		ns = delay_next(&d, &look);
		assert_true(ns > 0 && ns <= 3 * last);
		last = max_u64(ns, NS_PER_MS);
	}
	assert_true(last <= 30 * NS_PER_S);
}

static void
each_critical_in_a_row_doubles_it(void **state)
{
	struct delay_look look = { .budget = 1000, .used = 815,
		.others = true, .critical = true };
	const struct delay_conf conf = { .max_ns = 16 * NS_PER_S };
	uint64_t shortest;

	(void)state;
	delay_open(&d, &conf, 1);
	assert_in_range(longest(&look, 1000, &shortest), 15 * NS_PER_S,
	    16 * NS_PER_S);
	look.critical = false;
	delay_next(&d, &look);
	assert_in_range(longest(&look, 1000, &shortest), 3500 * NS_PER_MS,
	    4 * NS_PER_S);
}

static void
two_of_a_pool_do_not_wait_in_step(void **state)
{
	const struct delay_look look = { .budget = 1000, .used = 950,
		.others = true };
	struct delay other;
	uint32_t same = 0, i;

	(void)state;
	delay_open(&d, NULL, 1);
	delay_open(&other, NULL, 2);
	for (i = 0; i < 100; i++)
		same += delay_next(&d, &look) == delay_next(&other, &look);
	assert_int_equal(same, 0);
}

static void
the_least_is_kept_and_what_is_contrary_put_right(void **state)
{
	const struct delay_conf conf = { .mode = DELAY_ALWAYS,
		.min_ns = 2 * NS_PER_S, .max_ns = NS_PER_S,
		.warn = 0.9, .critical = 0.5 };
	const struct delay_look look = { .budget = 1000, .used = 10 };
	uint64_t shortest;

	(void)state;
	delay_open(&d, &conf, 1);
	assert_int_equal(longest(&look, 100, &shortest), 2 * NS_PER_S);
	assert_int_equal(shortest, 2 * NS_PER_S);
}

static void
what_was_waited_for_nothing_is_known(void **state)
{
	(void)state;
	delay_open(&d, NULL, 1);
	delay_done(&d, 9 * NS_PER_S, 0);
	assert_false(delay_is_vain(&d, 1000));
	delay_done(&d, 3 * NS_PER_S, 9);
	assert_true(delay_is_vain(&d, 1000));
	assert_int_equal(d.delays, 2);
	assert_int_equal(d.waited_ns, 12 * NS_PER_S);
	delay_done(&d, NS_PER_S, 1);
	assert_false(delay_is_vain(&d, 1000));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_is_alone_does_not_wait),
		cmocka_unit_test(
		    it_grows_with_the_square_of_how_far_between_it_is),
		cmocka_unit_test(none_is_more_than_three_times_the_last),
		cmocka_unit_test(each_critical_in_a_row_doubles_it),
		cmocka_unit_test(two_of_a_pool_do_not_wait_in_step),
		cmocka_unit_test(
		    the_least_is_kept_and_what_is_contrary_put_right),
		cmocka_unit_test(what_was_waited_for_nothing_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
