/*
 * test-retry.c - when a program is started again, and with what
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/base.h"
#include "run/retry.h"

#define S NS_PER_S

static const struct retry_policy plain = {
	.most = 3, .delay_ns = 5 * S, .cap_ns = 300 * S, .factor = 2,
	.fallback = 2,
};

/* One attempt more; what follows is in @v. */
static enum retry_why
ended(struct retry *r, const struct retry_policy *p, enum outcome outcome,
    struct retry_verdict *v)
{
	const struct retry_event e = { .outcome = outcome };

	retry_next(r, p, &e, v);
	return v->why;
}

/* The same in a run, with a batch under way. */
static enum retry_why
lost(struct retry *r, const struct retry_policy *p, uint64_t cursor,
    uint64_t first, uint64_t n, struct retry_verdict *v)
{
	const struct retry_event e = {
		.outcome = OUTCOME_OOM, .has_cursor = true, .cursor = cursor,
		.in_batch = true, .first = first, .n = n,
	};

	retry_next(r, p, &e, v);
	return v->why;
}

static void
what_is_done_or_wanted_is_over(void **state)
{
	struct retry_policy none = plain, errors = plain;
	struct retry_verdict v;
	struct retry r;

	(void)state;
	memset(&r, 0, sizeof(r));
	none.most = 0;
	errors.errors = true;
	assert_int_equal(ended(&r, &plain, OUTCOME_DONE, &v), RETRY_OVER);
	assert_int_equal(ended(&r, &plain, OUTCOME_STOPPED, &v), RETRY_OVER);
	assert_int_equal(ended(&r, &plain, OUTCOME_TIMEOUT, &v), RETRY_OVER);
	assert_int_equal(ended(&r, &plain, OUTCOME_ERROR, &v), RETRY_OVER);
	assert_int_equal(ended(&r, &errors, OUTCOME_ERROR, &v), RETRY_AGAIN);
	assert_int_equal(ended(&r, &errors, OUTCOME_STOPPED, &v), RETRY_OVER);
	assert_int_equal(ended(&r, &none, OUTCOME_OOM, &v), RETRY_OVER);
	assert_int_equal(ended(&r, &none, OUTCOME_RECYCLE, &v), RETRY_OVER);
}

static void
each_wait_is_twice_as_long_up_to_the_cap(void **state)
{
	struct retry_policy p = plain;
	struct retry_verdict v;
	struct retry r;
	uint64_t s = 5;

	(void)state;
	memset(&r, 0, sizeof(r));
	p.most = 100;
	for (int i = 0; i < 20; i++, s = min_u64(2 * s, 300)) {
		assert_int_equal(ended(&r, &p, OUTCOME_OOM, &v), RETRY_AGAIN);
		assert_true(v.delay_ns == s * S);
	}
}

static void
chance_spreads_them_between_the_least_and_twice_the_last(void **state)
{
	struct retry_policy p = plain;
	struct retry_verdict v;
	struct retry_event e = { .outcome = OUTCOME_OOM };
	struct retry r;

	(void)state;
	memset(&r, 0, sizeof(r));
	p.most = 100;
	p.spread = true;
	e.chance = 0;
	retry_next(&r, &p, &e, &v);
	assert_true(v.delay_ns == 5 * S);
	e.chance = 1;
	retry_next(&r, &p, &e, &v);
	assert_true(v.delay_ns == 10 * S);
	e.chance = 0.5;
	retry_next(&r, &p, &e, &v);
	assert_true(v.delay_ns == 12500 * (S / 1000)); /* 5 to 20 */
	e.chance = 0;
	retry_next(&r, &p, &e, &v);
	assert_true(v.delay_ns == 5 * S);
	for (int i = 0; i < 20; i++) {
		e.chance = 1;
		retry_next(&r, &p, &e, &v);
		assert_true(v.delay_ns <= 300 * S);
	}
}

static void
tries_are_used_up(void **state)
{
	struct retry_verdict v;
	struct retry r;

	(void)state;
	memset(&r, 0, sizeof(r));
	for (int i = 0; i < 3; i++)
		assert_int_equal(ended(&r, &plain, OUTCOME_OOM, &v),
		    RETRY_AGAIN);
	assert_int_equal(ended(&r, &plain, OUTCOME_OOM, &v), RETRY_USED_UP);
}

static void
errors_and_memory_are_counted_apart(void **state)
{
	struct retry_policy p = plain;
	struct retry_verdict v;
	struct retry r;

	(void)state;
	memset(&r, 0, sizeof(r));
	p.errors = true;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ended(&r, &p, OUTCOME_OOM, &v), RETRY_AGAIN);
		assert_int_equal(ended(&r, &p, OUTCOME_ERROR, &v),
		    RETRY_AGAIN);
	}
	assert_int_equal(ended(&r, &p, OUTCOME_ERROR, &v), RETRY_USED_UP);
}

static void
a_cursor_that_goes_on_gives_all_tries_back(void **state)
{
	struct retry_verdict v;
	struct retry r;
	uint64_t cursor;

	(void)state;
	memset(&r, 0, sizeof(r));
	for (cursor = 0; cursor < 1000; cursor += 10) {
		assert_int_equal(lost(&r, &plain, cursor, cursor, 10, &v),
		    RETRY_AGAIN);
		assert_true(v.delay_ns == 5 * S);
	}
	cursor -= 10;
	assert_int_equal(lost(&r, &plain, cursor, cursor, 10, &v),
	    RETRY_AGAIN);
	assert_true(v.delay_ns == 10 * S);
}

static void
to_be_recycled_costs_nothing(void **state)
{
	struct retry_verdict v;
	struct retry_event e = { .outcome = OUTCOME_RECYCLE,
		.has_cursor = true, .lived_ns = 60 * S };
	struct retry r;

	(void)state;
	memset(&r, 0, sizeof(r));
	for (e.cursor = 1; e.cursor < 1000; e.cursor++) {
		retry_next(&r, &plain, &e, &v);
		assert_int_equal(v.why, RETRY_AGAIN);
		assert_true(v.delay_ns == 0);
	}
	e.cursor--;
	retry_next(&r, &plain, &e, &v);
	assert_int_equal(v.why, RETRY_AGAIN);
	retry_next(&r, &plain, &e, &v);
	assert_int_equal(v.why, RETRY_AGAIN);
	retry_next(&r, &plain, &e, &v);
	assert_int_equal(v.why, RETRY_STUCK);
}

static void
who_ends_at_once_for_ever_is_slowed_down(void **state)
{
	struct retry_verdict v;
	struct retry r;

	(void)state;
	memset(&r, 0, sizeof(r));
	for (int i = 0; i < 100; i++) {
		assert_int_equal(ended(&r, &plain, OUTCOME_RECYCLE, &v),
		    RETRY_AGAIN);
		assert_true(v.delay_ns == 0);
	}
	assert_int_equal(ended(&r, &plain, OUTCOME_RECYCLE, &v), RETRY_AGAIN);
	assert_true(v.delay_ns == S);
}

static void
a_lost_batch_is_halved_down_to_one_item_which_is_left_out(void **state)
{
	struct retry_verdict v;
	struct retry r;

	(void)state;
	memset(&r, 0, sizeof(r));
	assert_int_equal(lost(&r, &plain, 100, 164, 64, &v), RETRY_AGAIN);
	assert_int_equal(v.n, 2);
	assert_int_equal(v.end, 228);
	assert_int_equal(lost(&r, &plain, 100, 170, 2, &v), RETRY_AGAIN);
	assert_int_equal(v.n, 1);
	assert_int_equal(v.end, 228);
	assert_int_equal(lost(&r, &plain, 100, 171, 1, &v), RETRY_AGAIN);
	assert_false(v.leave_out);
	assert_int_equal(lost(&r, &plain, 100, 171, 1, &v), RETRY_AGAIN);
	assert_true(v.leave_out);
	assert_int_equal(v.item, 171);
	/* There may be another; all tries are there again. */
	assert_int_equal(lost(&r, &plain, 100, 200, 1, &v), RETRY_AGAIN);
	assert_int_equal(v.n, 1);
	assert_false(v.leave_out);
	assert_int_equal(lost(&r, &plain, 100, 200, 1, &v), RETRY_AGAIN);
	assert_int_equal(lost(&r, &plain, 100, 200, 1, &v), RETRY_AGAIN);
	assert_true(v.leave_out);
	assert_int_equal(v.item, 200);
	/* It comes to the end of that batch: sizes are as ever. */
	assert_int_equal(lost(&r, &plain, 228, 300, 64, &v), RETRY_AGAIN);
	assert_int_equal(v.n, 2);
	assert_int_equal(v.end, 364);
}

static void
an_item_that_cannot_be_left_out_is_the_end(void **state)
{
	struct retry_verdict v;
	struct retry r;

	(void)state;
	memset(&r, 0, sizeof(r));
	assert_int_equal(lost(&r, &plain, 5, 7, 1, &v), RETRY_AGAIN);
	assert_int_equal(lost(&r, &plain, 5, 7, 1, &v), RETRY_AGAIN);
	assert_int_equal(lost(&r, &plain, 5, 7, 1, &v), RETRY_AGAIN);
	assert_true(v.leave_out);
	assert_int_equal(lost(&r, &plain, 5, 7, 1, &v), RETRY_AGAIN);
	assert_int_equal(lost(&r, &plain, 5, 7, 1, &v), RETRY_AGAIN);
	assert_int_equal(lost(&r, &plain, 5, 7, 1, &v), RETRY_NO_WAY_ROUND);
}

static void
without_a_run_nothing_is_left_out(void **state)
{
	const struct retry_event e = { .outcome = OUTCOME_OOM,
		.in_batch = true, .first = 7, .n = 1 };
	struct retry_verdict v;
	struct retry r;

	(void)state;
	memset(&r, 0, sizeof(r));
	for (int i = 0; i < 3; i++) {
		retry_next(&r, &plain, &e, &v);
		assert_int_equal(v.why, RETRY_AGAIN);
		assert_false(v.leave_out);
	}
	retry_next(&r, &plain, &e, &v);
	assert_int_equal(v.why, RETRY_USED_UP);
}

static void
the_last_items_there_can_be_are_no_trouble(void **state)
{
	struct retry_verdict v;
	struct retry r;

	(void)state;
	memset(&r, 0, sizeof(r));
	assert_int_equal(lost(&r, &plain, 0, UINT64_MAX - 1, 64, &v),
	    RETRY_AGAIN);
	assert_true(v.end == UINT64_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_done_or_wanted_is_over),
		cmocka_unit_test(each_wait_is_twice_as_long_up_to_the_cap),
		cmocka_unit_test(
		    chance_spreads_them_between_the_least_and_twice_the_last),
		cmocka_unit_test(tries_are_used_up),
		cmocka_unit_test(errors_and_memory_are_counted_apart),
		cmocka_unit_test(a_cursor_that_goes_on_gives_all_tries_back),
		cmocka_unit_test(to_be_recycled_costs_nothing),
		cmocka_unit_test(who_ends_at_once_for_ever_is_slowed_down),
		cmocka_unit_test(
		    a_lost_batch_is_halved_down_to_one_item_which_is_left_out),
		cmocka_unit_test(an_item_that_cannot_be_left_out_is_the_end),
		cmocka_unit_test(without_a_run_nothing_is_left_out),
		cmocka_unit_test(the_last_items_there_can_be_are_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
