/*
 * test-run-failed.c - which items failed and were not done since, through
 * crashes, new starts, ends and batches at the same time
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "in-memory.h"
#include "plan/journal.h"
#include "plan/run-failed.h"

static char directory[64], path[128];
static struct journal j;
static uint8_t buffer[JOURNAL_BUFFER] __attribute__((aligned(8)));
static uint64_t last_mark;

static int
begin(void **state)
{
	struct journal_begin b = { .id = "one", .total = 100 };

	(void)state;
	assert_non_null(in_memory(directory, sizeof(directory), "failed"));
	snprintf(path, sizeof(path), "%s/one%s", directory, JOURNAL_SUFFIX);
	j.fd = -1;
	j.sync = JOURNAL_SYNC_NONE;
	last_mark = 0;
	return journal_create(&j, path, &b);
}

static int
finish(void **state)
{
	(void)state;
	journal_close(&j);
	unlink(path);
	return rmdir(directory);
}

static void
fails(uint64_t first, uint64_t count, int reason)
{
	struct journal_fail f = { .first = first, .count = count,
		.reason = reason };

	assert_int_equal(journal_put(&j, JOURNAL_FAIL, &f, sizeof(f), NULL,
	    0), 0);
}

static void
leave_out(uint64_t first, uint64_t count)
{
	struct journal_fail f = { .first = first, .count = count,
		.reason = 2 };

	assert_int_equal(journal_put(&j, JOURNAL_QUAR, &f, sizeof(f), NULL,
	    0), 0);
}

static void
batch(uint64_t first, uint64_t count, uint64_t begun)
{
	struct journal_batch b = { .first = first, .count = count,
		.begun = begun };

	assert_int_equal(journal_put(&j, JOURNAL_BATCH, &b, sizeof(b), NULL,
	    0), 0);
}

static void
mark(uint64_t cursor)
{
	struct journal_mark m = { .cursor = cursor };

	assert_int_equal(journal_mark(&j, JOURNAL_MARK, &m, sizeof(m), NULL,
	    0), 0);
	last_mark = j.number;
}

static void
go_on(uint64_t from, uint64_t cursor, bool redo)
{
	struct journal_switch s = { .from = from, .cursor = cursor,
		.redo = redo };

	assert_int_equal(journal_mark(&j, JOURNAL_SWITCH, &s, sizeof(s), NULL,
	    0), 0);
}

static void
end(int ok, int redo)
{
	struct journal_end e = { .ok = ok, .redo = redo };

	assert_int_equal(journal_mark(&j, JOURNAL_END, &e, sizeof(e), NULL,
	    0), 0);
}

/* `3 7-9 | 20` : failed | left out; @redo: to be done again. */
static void
expect(const char *text, bool redo)
{
	struct run_failed f = { .from = 0 };
	char found[256] = "";
	size_t n = 0;

	assert_int_equal(journal_compact(&j, true), 0);
	assert_int_equal(run_failed_read(j.fd, buffer, &f), 0);
	if (redo)
		assert_int_equal(run_failed_to_redo(&f), 0);
	for (int set = 0; set < 2; set++) {
		const struct spans *s = set ? &f.quarantined : &f.failed;

		n += (size_t)snprintf(found + n, sizeof(found) - n, "%s",
		    set && s->count > 0 ? "|" : "");
		for (size_t i = 0; i < s->count; i++)
			n += (size_t)snprintf(found + n, sizeof(found) - n,
			    s->at[i].end - s->at[i].first == 1 ? " %llu" :
			    " %llu-%llu", (unsigned long long)s->at[i].first,
			    (unsigned long long)s->at[i].end - 1);
	}
	assert_string_equal(found, text);
	run_failed_close(&f);
}

static void
a_batch_mends_what_failed_before_it_and_not_in_it(void **state)
{
	uint64_t begun = j.number;

	(void)state;
	fails(3, 1, 2);
	fails(7, 2, 2);
	batch(0, 10, begun);
	expect(" 3 7-8", false);
	/* Another one has half of it. */
	begun = j.number;
	batch(3, 5, begun);
	expect(" 8", false);
	fails(8, 1, 0);
	expect("", false);
}

static void
of_two_at_a_time_neither_mends_the_other(void **state)
{
	uint64_t begun = j.number;

	(void)state;
	fails(3, 1, 2);      /* in the first */
	batch(10, 10, begun); /* the second ends */
	fails(5, 1, 2);
	batch(0, 10, begun);
	expect(" 3 5", false);
}

static void
what_is_given_up_counts_for_nothing(void **state)
{
	uint64_t mended;

	(void)state;
	fails(3, 1, 2);
	batch(0, 10, 1);
	mark(10);
	/* All of this is done again: it was behind the last mark. */
	mended = j.number;
	fails(12, 1, 2);
	batch(3, 1, mended);
	batch(10, 10, mended);
	expect(" 12", false);
	go_on(last_mark, 10, false);
	expect(" 3", false);
	expect(" 3", true);
}

static void
who_goes_back_to_an_earlier_mark_is_as_it_was_there(void **state)
{
	uint64_t earlier, begun;

	(void)state;
	fails(3, 1, 2);
	batch(0, 10, 1);
	mark(10);
	earlier = last_mark;
	begun = j.number;
	batch(3, 1, begun);
	fails(15, 1, 2);
	batch(10, 10, begun);
	mark(20);
	expect(" 15", false);
	go_on(earlier, 10, false);
	expect(" 3", false);
}

static void
where_a_mark_is_not_there_the_start_rules(void **state)
{
	(void)state;
	fails(3, 1, 2);
	mark(10);
	go_on(last_mark + 100, 10, false);
	expect("", false);
	fails(4, 1, 2);
	go_on(UINT64_MAX, 10, false);
	expect("", false);
}

static void
only_what_no_resume_would_do_is_to_be_done_again(void **state)
{
	(void)state;
	fails(3, 1, 2);
	fails(25, 1, 2);     /* by another thread, ahead of the mark */
	batch(0, 10, 1);
	mark(10);
	expect(" 3 25", false);
	expect(" 3", true);
	leave_out(3, 1);
	expect(" 25| 3", false);
	expect("| 3", true);
}

static void
of_a_run_that_is_over_all_of_it_is(void **state)
{
	uint64_t begun;

	(void)state;
	fails(3, 1, 2);
	fails(95, 1, 2);
	batch(90, 10, 1);
	mark(90);
	fails(97, 1, 2);     /* behind the last mark, and it came to its end */
	batch(90, 10, j.number - 1);
	end(1, 0);
	expect(" 3 97", true);
	go_on(last_mark, 90, true);
	begun = j.number;
	batch(3, 1, begun);
	mark(90);
	batch(97, 1, begun);
	expect("", true);
	/* It was killed: what was behind its mark is done anew. */
	go_on(last_mark, 90, true);
	expect(" 97", true);
	batch(97, 1, j.number);
	end(1, 1);
	expect("", true);
}

static void
an_end_that_is_none_is_none(void **state)
{
	(void)state;
	mark(10);
	fails(12, 1, 2);
	batch(10, 10, last_mark);
	end(0, 0);
	expect(" 12", false);
	expect("", true);
	go_on(last_mark, 10, false);
	expect("", false);
}

static void
what_is_left_out_stays_so_until_it_is_done(void **state)
{
	(void)state;
	leave_out(17, 3);
	go_on(0, 0, false);
	expect("| 17-19", false);
	go_on(0, 0, false);
	expect("| 17-19", false);
	batch(17, 3, j.number);
	expect("", false);
}

static void
nonsense_is_no_trouble(void **state)
{
	(void)state;
	fails(UINT64_MAX - 1, 10, 2);
	fails(0, 0, 2);
	fails(5, UINT64_MAX, 2);
	batch(UINT64_MAX, UINT64_MAX, UINT64_MAX);
	go_on(UINT64_MAX, UINT64_MAX, false);
	go_on(UINT64_MAX - 1, 0, true);
	expect("", true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, finish)
		TEST(a_batch_mends_what_failed_before_it_and_not_in_it),
		TEST(of_two_at_a_time_neither_mends_the_other),
		TEST(what_is_given_up_counts_for_nothing),
		TEST(who_goes_back_to_an_earlier_mark_is_as_it_was_there),
		TEST(where_a_mark_is_not_there_the_start_rules),
		TEST(only_what_no_resume_would_do_is_to_be_done_again),
		TEST(of_a_run_that_is_over_all_of_it_is),
		TEST(an_end_that_is_none_is_none),
		TEST(what_is_left_out_stays_so_until_it_is_done),
		TEST(nonsense_is_no_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
