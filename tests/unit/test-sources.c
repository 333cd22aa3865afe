#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "model/sources.h"

#define NONE   SOURCE_NONE
#define LIMIT(kind, bytes, used) { kind, { 0, 0 }, bytes, used, 0 }
#define WISH(form, value) { SOURCE_SET, { form, value }, 0, NONE, 0 }

/* Judge and compare all verdicts with letters: R rules, - no limit, n not
 * lower, s superseded, o overruled, w warns. */
static int
judge(struct source *s, size_t count, bool force, const char *verdicts,
    struct sources_answer *answer)
{
	static const char letters[] = "-Rnsow";
	size_t i;
	int r = sources_judge(s, count, force, answer);

	assert_int_equal(strlen(verdicts), count);
	for (i = 0; i < count; i++)
		if (letters[s[i].verdict] != verdicts[i])
			fail_msg("source %zu: %c instead of %c", i,
			    letters[s[i].verdict], verdicts[i]);
	return r;
}

#define JUDGE(s, force, verdicts, answer) \
	judge(s, ARRAY_LENGTH(s), force, verdicts, answer)

static void
the_least_limit_rules(void **state)
{
	struct source s[] = {
		LIMIT(SOURCE_CGROUP, 6 * GIB, GIB),
		LIMIT(SOURCE_CGROUP, 4 * GIB, 2 * GIB),
		LIMIT(SOURCE_CGROUP, NONE, 2 * GIB),
		LIMIT(SOURCE_LIMIT, 5 * GIB, GIB),
		LIMIT(SOURCE_HOST, 8 * GIB, GIB),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(s, false, "nR-nn", &a), 0);
	assert_int_equal(a.budget, 4 * GIB);
	assert_int_equal(a.available, 2 * GIB);
	assert_int_equal(a.rules, 1);
	assert_int_equal(a.tightest, 1);
	assert_int_equal(a.slow_from, NONE);
	assert_false(a.soft);
}

static void
of_equal_limits_the_nearest_rules(void **state)
{
	struct source s[] = {
		LIMIT(SOURCE_CGROUP, GIB, 0),
		LIMIT(SOURCE_CGROUP, GIB, 0),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(s, false, "Rn", &a), 0);
}

static void
the_host_alone_is_a_soft_budget(void **state)
{
	struct source s[] = {
		LIMIT(SOURCE_CGROUP, NONE, NONE),
		LIMIT(SOURCE_HOST, 8 * GIB, GIB),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(s, false, "-R", &a), 0);
	assert_int_equal(a.budget, 8 * GIB);
	assert_true(a.soft);
}

static void
without_any_limit_there_is_no_budget(void **state)
{
	struct source s[] = {
		LIMIT(SOURCE_CGROUP, NONE, GIB),
		LIMIT(SOURCE_LIMIT, NONE, GIB),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(s, false, "--", &a), 0);
	assert_int_equal(a.budget, NONE);
	assert_int_equal(a.available, NONE);
	assert_int_equal(a.rules, 2);
	assert_int_equal(a.tightest, 2);
	assert_int_equal(sources_judge(NULL, 0, false, &a), 0);
	assert_int_equal(a.budget, NONE);
}

static void
a_high_mark_warns_and_never_rules(void **state)
{
	struct source s[] = {
		LIMIT(SOURCE_CGROUP, 4 * GIB, GIB),
		LIMIT(SOURCE_HIGH, 2 * GIB, GIB),
		LIMIT(SOURCE_HIGH, GIB, GIB),
		LIMIT(SOURCE_HIGH, NONE, GIB),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(s, false, "Rww-", &a), 0);
	assert_int_equal(a.slow_from, GIB);
	assert_int_equal(a.available, 3 * GIB);
}

static void
a_wish_lowers_the_budget_and_does_not_raise_it(void **state)
{
	struct source low[] = {
		WISH(FORM_BYTES, GIB), LIMIT(SOURCE_CGROUP, 4 * GIB, GIB),
	};
	struct source high[] = {
		WISH(FORM_BYTES, 5 * GIB), LIMIT(SOURCE_CGROUP, 4 * GIB, GIB),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(low, false, "Rn", &a), 0);
	assert_int_equal(a.budget, GIB);
	assert_int_equal(JUDGE(high, false, "nR", &a), 0);
	assert_int_equal(a.budget, 4 * GIB);
	assert_int_equal(high[0].bytes, 5 * GIB);
}

static void
by_force_a_wish_raises_the_budget(void **state)
{
	struct source s[] = {
		WISH(FORM_BYTES, 5 * GIB),
		LIMIT(SOURCE_CGROUP, 4 * GIB, 4 * GIB),
		LIMIT(SOURCE_HOST, 6 * GIB, 3 * GIB),
	};
	struct sources_answer a;

	(void)state;
	s[0].used = GIB;
	assert_int_equal(JUDGE(s, true, "Ron", &a), 0);
	assert_int_equal(a.budget, 5 * GIB);
	/* What is overruled has no say in what is left either. */
	assert_int_equal(a.available, 3 * GIB);
	assert_int_equal(a.tightest, 2);
}

static void
the_nearest_wish_counts_even_if_a_farther_one_is_lower(void **state)
{
	struct source s[] = {
		WISH(FORM_BYTES, 2 * GIB), WISH(FORM_BYTES, GIB),
		LIMIT(SOURCE_CGROUP, 4 * GIB, GIB),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(s, false, "Rsn", &a), 0);
	assert_int_equal(a.budget, 2 * GIB);
	assert_int_equal(s[1].bytes, GIB);
}

static void
a_relative_wish_is_of_what_would_rule_without_it(void **state)
{
	struct source share[] = {
		WISH(FORM_SHARE, 600000), WISH(FORM_BYTES, MIB),
		LIMIT(SOURCE_CGROUP, 1000, NONE), LIMIT(SOURCE_HOST, 2000, 0),
	};
	struct source less[] = {
		WISH(FORM_LESS, 256 * MIB), LIMIT(SOURCE_HOST, GIB, 0),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(share, false, "Rsnn", &a), 0);
	assert_int_equal(a.budget, 600);
	assert_false(a.soft);
	assert_int_equal(JUDGE(less, false, "Rn", &a), 0);
	assert_int_equal(a.budget, 768 * MIB);
	assert_true(a.soft); /* it moves with the host */
}

static void
a_share_of_the_largest_number_does_not_overflow(void **state)
{
	struct source s[] = {
		WISH(FORM_SHARE, 1000000),
		LIMIT(SOURCE_CGROUP, UINT64_MAX - 1, 0),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(s, false, "Rn", &a), 0);
	assert_int_equal(a.budget, UINT64_MAX - 1);
}

static void
a_wish_that_cannot_be_computed_is_passed_over_and_told(void **state)
{
	struct source of_nothing[] = {
		WISH(FORM_SHARE, 600000), LIMIT(SOURCE_CGROUP, NONE, 0),
	};
	struct source too_much[] = {
		WISH(FORM_LESS, 2 * GIB), WISH(FORM_BYTES, 100),
		LIMIT(SOURCE_CGROUP, GIB, 0),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(of_nothing, false, "--", &a), -ENODATA);
	assert_int_equal(a.budget, NONE);
	assert_int_equal(JUDGE(too_much, false, "-Rn", &a), -ERANGE);
	assert_int_equal(a.budget, 100);
}

static void
what_is_left_is_the_least_room_in_any_measure(void **state)
{
	struct source s[] = {
		LIMIT(SOURCE_CGROUP, 2 * GIB, GIB),
		LIMIT(SOURCE_LIMIT, 4 * GIB, 4 * GIB - 1000), /* addresses */
		LIMIT(SOURCE_LIMIT, 5 * GIB, NONE),
	};
	struct sources_answer a;

	(void)state;
	assert_int_equal(JUDGE(s, false, "Rnn", &a), 0);
	assert_int_equal(a.available, 1000);
	assert_int_equal(a.tightest, 1);
	s[0].used = 3 * GIB; /* beyond the limit there is nothing left */
	assert_int_equal(JUDGE(s, false, "Rnn", &a), 0);
	assert_int_equal(a.available, 0);
}

static void
wishes_are_read_in_three_forms(void **state)
{
	static const struct {
		const char *text;
		int result;
		struct source_wish wish;
	} table[] = {
		{ "512M", 0, { FORM_BYTES, 512 * MIB } },
		{ "60%", 0, { FORM_SHARE, 600000 } },
		{ "max-256M", 0, { FORM_LESS, 256 * MIB } },
		{ "max-0", 0, { FORM_LESS, 0 } },
		{ "max", -EINVAL, { 0 } },
		{ "max-", -EINVAL, { 0 } },
		{ "max-10%", -EINVAL, { 0 } },
		{ "MAX-1M", -EINVAL, { 0 } },
		{ "120%", -ERANGE, { 0 } },
		{ "16E", -ERANGE, { 0 } },
		{ "", -EINVAL, { 0 } },
	};
	struct source_wish w;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(table); i++) {
		w = (struct source_wish){ FORM_LESS, 42 };
		if (source_parse(table[i].text, &w) != table[i].result)
			fail_msg("'%s'", table[i].text);
		if (table[i].result < 0)
			assert_int_equal(w.value, 42);
		else if (w.form != table[i].wish.form ||
		    w.value != table[i].wish.value)
			fail_msg("'%s'", table[i].text);
	}
}

static void
the_host_keeps_a_reserve(void **state)
{
	(void)state;
	/* 5 % of a large machine, 256 MiB of a small one, never below zero */
	assert_int_equal(source_of_host(100 * GIB, 50 * GIB, GIB), 46 * GIB);
	assert_int_equal(source_of_host(GIB, 512 * MIB, 0), 256 * MIB);
	assert_int_equal(source_of_host(GIB, 100 * MIB, MIB), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_least_limit_rules),
		cmocka_unit_test(of_equal_limits_the_nearest_rules),
		cmocka_unit_test(the_host_alone_is_a_soft_budget),
		cmocka_unit_test(without_any_limit_there_is_no_budget),
		cmocka_unit_test(a_high_mark_warns_and_never_rules),
		cmocka_unit_test(
		    a_wish_lowers_the_budget_and_does_not_raise_it),
		cmocka_unit_test(by_force_a_wish_raises_the_budget),
		cmocka_unit_test(
		    the_nearest_wish_counts_even_if_a_farther_one_is_lower),
		cmocka_unit_test(
		    a_relative_wish_is_of_what_would_rule_without_it),
		cmocka_unit_test(
		    a_share_of_the_largest_number_does_not_overflow),
		cmocka_unit_test(
		    a_wish_that_cannot_be_computed_is_passed_over_and_told),
		cmocka_unit_test(
		    what_is_left_is_the_least_room_in_any_measure),
		cmocka_unit_test(wishes_are_read_in_three_forms),
		cmocka_unit_test(the_host_keeps_a_reserve),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
