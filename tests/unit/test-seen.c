/*
 * What was found out a moment ago, of this process' own segment: what is still
 * good is told again, what is not is found out anew.  What is kept is made
 * something that no look would find.
 */
#include "own-segment.h"

#include <string.h>

#include "base/base.h"
#include "control/mark.h"
#include "control/seen.h"
#include "door/inside.h"
#include "sys/sys.h"

#define NEVER_RESIDENT 12345

static struct control control;
static struct seen seen;

static int
begin(void **state)
{
	if (own_segment_setup(state) < 0)
		return -1;
	control = inside();
	control.pid = getpid();
	memset(&seen, 0, sizeof(seen));
	control.seen = &seen;
	return 0;
}

static void
what_is_good_is_told_again(void **state)
{
	struct proc_status status;
	struct proc_stat stat;
	struct limit limit;

	(void)state;
	seen.status_time.until_ns = seen.stat_time.until_ns =
	    seen.limit_time.until_ns = UINT64_MAX;
	seen.status.resident = NEVER_RESIDENT;
	seen.stat.threads = NEVER_RESIDENT;
	seen.limit.bytes = NEVER_RESIDENT;
	assert_int_equal(seen_status(&control, &status), 0);
	assert_true(status.resident == NEVER_RESIDENT);
	assert_int_equal(seen_stat(&control, &stat), 0);
	assert_int_equal(stat.threads, NEVER_RESIDENT);
	assert_int_equal(seen_limit(&control, &limit), 0);
	assert_true(limit.bytes == NEVER_RESIDENT);
}

static void
what_is_old_is_found_out_anew(void **state)
{
	uint64_t now_ns = sys_clock();
	struct proc_status status;
	struct proc_stat stat;

	(void)state;
	seen.status_time.until_ns = seen.stat_time.until_ns = now_ns;
	seen.status.resident = NEVER_RESIDENT;
	seen.stat.threads = NEVER_RESIDENT;
	assert_int_equal(seen_status(&control, &status), 0);
	assert_true(status.resident != NEVER_RESIDENT);
	assert_true(seen.status.resident == status.resident);
	assert_int_equal(seen_stat(&control, &stat), 0);
	assert_int_equal(stat.threads, 1);
	/* For the next 20 ms at least. */
	assert_true(seen.status_time.at_ns >= now_ns);
	assert_true(seen.status_time.until_ns >= now_ns + 20 * NS_PER_MS);
}

/* As after a clock that was set back, or a segment of another boot. */
static void
what_is_of_the_future_is_not_believed(void **state)
{
	struct proc_status status;

	(void)state;
	seen.status_time = (struct seen_time){ UINT64_MAX - 1, UINT64_MAX };
	seen.status.resident = NEVER_RESIDENT;
	assert_int_equal(seen_status(&control, &status), 0);
	assert_true(status.resident != NEVER_RESIDENT);
}

static void
a_budget_that_is_set_rules_at_once(void **state)
{
	struct limit limit;

	(void)state;
	atomic_store(&control.segment->config.budget_bytes, 64 * KIB);
	assert_int_equal(seen_limit(&control, &limit), 0);
	assert_true(limit.bytes == 64 * KIB);
	seen.limit_time.until_ns = UINT64_MAX;
	atomic_store(&control.segment->config.budget_bytes, 32 * KIB);
	assert_int_equal(seen_limit(&control, &limit), 0);
	assert_true(limit.bytes == 32 * KIB);
	assert_string_equal(limit.source, "budget");
}

static void
growth_is_since_the_mark_that_is_asked_for(void **state)
{
	struct trend_line line;

	(void)state;
	seen.growth[SEEN_MARK] = (struct seen_growth){
		.time.until_ns = UINT64_MAX,
		.mark_ns = 7,
		.known = true,
		.line.rate = 42,
	};
	assert_true(seen_growth(&control, SEEN_MARK, 7, &line));
	assert_true(line.rate == 42);
	/* There is one point since, and that is too few. */
	assert_false(seen_growth(&control, SEEN_MARK, sys_clock(), &line));
	assert_false(seen.growth[SEEN_MARK].known);
}

static void
a_mark_has_all_sites_judged_anew(void **state)
{
	struct judge_brief brief;

	(void)state;
	assert_int_equal(seen_brief(&control, &brief), 0);
	seen.brief_time.until_ns = UINT64_MAX;
	seen.brief.growing = 77;
	assert_int_equal(seen_brief(&control, &brief), 0);
	assert_int_equal(brief.growing, 77);
	assert_true(mark_set(&control, MARK_NAMED, "here", sys_clock()) >= 0);
	assert_int_equal(seen_brief(&control, &brief), 0);
	assert_int_equal(brief.growing, 0);
}

/* Nothing of it is kept, and the next one asks again. */
static void
what_cannot_be_found_out_is_an_error_each_time(void **state)
{
	struct proc_status status;
	struct limit limit;
	struct proc_stat stat;
	int i;

	(void)state;
	control.pid = 1 << 30;
	for (i = 0; i < 2; i++) {
		assert_true(seen_status(&control, &status) < 0);
		assert_true(seen_stat(&control, &stat) < 0);
		assert_true(seen_limit(&control, &limit) < 0);
	}
}

static void
without_a_place_for_it_nothing_is_kept(void **state)
{
	struct proc_status status;
	struct trend_line line;
	struct judge_brief brief;
	struct limit limit;
	struct proc_stat stat;

	(void)state;
	control.seen = NULL;
	atomic_store(&control.segment->config.budget_bytes, 64 * KIB);
	assert_int_equal(seen_status(&control, &status), 0);
	assert_int_equal(seen_stat(&control, &stat), 0);
	assert_int_equal(seen_limit(&control, &limit), 0);
	assert_true(limit.bytes == 64 * KIB);
	assert_false(seen_growth(&control, SEEN_HOUR, 0, &line));
	assert_int_equal(seen_brief(&control, &brief), 0);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, begin, own_segment_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_good_is_told_again),
		TEST(what_is_old_is_found_out_anew),
		TEST(what_is_of_the_future_is_not_believed),
		TEST(a_budget_that_is_set_rules_at_once),
		TEST(growth_is_since_the_mark_that_is_asked_for),
		TEST(a_mark_has_all_sites_judged_anew),
		TEST(what_cannot_be_found_out_is_an_error_each_time),
		TEST(without_a_place_for_it_nothing_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
