/*
 * What sites held at moments, beside a table that has all of it: figures at
 * random, columns thinned out, and what a damaged profile may say.
 */
#include "own-segment.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "control/history.h"
#include "door/inside.h"
#include "some.h"

enum { SITES = 200 };

static struct control control;
static uint32_t first_site;

/* As it should be; [0] is the site first_site. */
static struct held expected[SITES][TREND_COLUMNS];
static uint32_t columns;

static int
begin(void **state)
{
	int i;

	if (own_segment_setup(state) < 0)
		return -1;
	control = inside();
	seed = 1;
	columns = 0;
	memset(expected, 0, sizeof(expected));
	for (i = 0; i < SITES; i++) {
		uint32_t site = site_of((uint32_t)segment_take(TABLE_NODES, 1),
		    0);

		if (i == 0)
			first_site = site;
	}
	return 0;
}

static struct count *
counts(void)
{
	return (struct count *)control_rows(&control, TABLE_FIRST) + first_site;
}

static struct trend *
trends(void)
{
	return (struct trend *)control_rows(&control, TABLE_TRENDS) +
	    first_site;
}

static void
assert_as_expected(void)
{
	struct held held[TREND_COLUMNS];
	uint32_t i, k;

	for (i = 0; i < SITES; i++) {
		history_of(&control, first_site + i, held);
		for (k = 0; k < columns; k++) {
			assert_true(held[k].live_bytes ==
			    expected[i][k].live_bytes);
			assert_true(held[k].allocated_bytes ==
			    expected[i][k].allocated_bytes);
			assert_true(history_at(&control, first_site + i, k) ==
			    expected[i][k].live_bytes);
		}
	}
}

/* Each row of pasts is one site's, or free. */
static void
assert_no_row_is_lost(void)
{
	const struct segment_watch *w = &control.segment->watch;
	const struct past *p = control_rows(&control, TABLE_PASTS);
	uint64_t rows = control_count(&control, TABLE_PASTS);
	uint64_t n = 1; /* row 0 is nobody's */
	uint32_t i, row;

	for (i = 0; i < SITES; i++)
		for (row = trends()[i].past; row != 0; row = p[row].before)
			n++;
	for (i = 0, row = w->past_free; row != 0; row = p[row].before)
		i++;
	assert_int_equal(i, w->past_frees);
	assert_true(n + i == rows);
}

static void
note(void)
{
	uint32_t i;

	assert_int_equal(history_note(&control, columns), 0);
	for (i = 0; i < SITES; i++)
		expected[i][columns] = (struct held){
			(int64_t)(counts()[i].allocated_bytes -
			counts()[i].freed_bytes), counts()[i].allocated_bytes };
	columns++;
}

static void
thin_out(void)
{
	uint32_t keep[TREND_COLUMNS];
	uint32_t i, k, n = 0;

	for (i = 0; i < TREND_COLUMNS; i += 2)
		keep[n++] = i + some(2);
	history_thin_out(&control, keep, n);
	for (i = 0; i < SITES; i++)
		for (k = 0; k < n; k++)
			expected[i][k] = expected[i][keep[k]];
	columns = n;
}

/* Some change at each moment, some seldom, some once. */
static void
change(uint32_t moment)
{
	uint32_t i;

	for (i = 0; i < SITES; i++) {
		if (some(SITES) < i && moment != i)
			continue;
		counts()[i].allocated_bytes += some(1000);
		if (some(3) == 0)
			counts()[i].freed_bytes = counts()[i].allocated_bytes;
	}
}

static void
all_that_sites_held_is_kept(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < 1000; i++) {
		change(i);
		note();
		if (columns == TREND_COLUMNS)
			thin_out();
		assert_as_expected();
		assert_no_row_is_lost();
	}
}

static void
who_never_changes_takes_no_row_of_the_past(void **state)
{
	uint32_t i;

	(void)state;
	for (i = 0; i < SITES; i++)
		counts()[i].allocated_bytes = i;
	for (i = 0; i < 100; i++) {
		note();
		if (columns == TREND_COLUMNS)
			thin_out();
	}
	assert_as_expected();
	assert_true(control_count(&control, TABLE_PASTS) == 1);
	/* What is held at all moments but the first is in the first row. */
	counts()[SITES - 1].allocated_bytes++;
	note();
	assert_as_expected();
	assert_true(control_count(&control, TABLE_PASTS) == 2);
}

/* As long as there are columns: however long it goes on. */
static void
the_past_of_those_that_always_change_is_bounded(void **state)
{
	uint32_t i, k;

	(void)state;
	for (i = 0; i < 2000; i++) {
		for (k = 0; k < SITES; k++)
			counts()[k].allocated_bytes++;
		note();
		if (columns == TREND_COLUMNS)
			thin_out();
	}
	assert_as_expected();
	assert_true(control_count(&control, TABLE_PASTS) <=
	    1 + SITES * ((TREND_COLUMNS - 1 + PAST_ROOM - 1) / PAST_ROOM));
}

/* Noted, but never told that it was: the next one notes it again. */
static void
who_was_killed_while_noting_is_followed_by_another(void **state)
{
	(void)state;
	change(0);
	note();
	change(1);
	note();
	change(2);
	assert_int_equal(history_note(&control, columns), 0);
	assert_as_expected();
	change(3);
	note();
	assert_as_expected();
	change(4);
	note();
	assert_as_expected();
}

static void
without_room_nothing_changes(void **state)
{
	struct segment_table *pasts =
	    &control.segment->table[TABLE_PASTS];
	uint64_t capacity = pasts->capacity;
	uint32_t i;

	(void)state;
	for (i = 0; i < SITES; i++)
		counts()[i].allocated_bytes = 1;
	note();
	pasts->capacity = 10;
	for (i = 0; i < SITES; i++)
		counts()[i].allocated_bytes = 2;
	assert_int_equal(history_note(&control, columns), -ENOSPC);
	assert_as_expected();
	assert_no_row_is_lost();
	pasts->capacity = capacity;
	note();
	assert_as_expected();
}

/* None of it may be read or written beyond; what comes of it is anything. */
static void
what_a_damaged_profile_says_is_not_followed_anywhere(void **state)
{
	struct past *p = control_rows(&control, TABLE_PASTS);
	struct held held[TREND_COLUMNS];
	uint32_t keep[] = { 0, 2, 3, 31 };
	uint32_t i, k;

	(void)state;
	for (i = 0; i < 12; i++) {
		for (k = 0; k < SITES; k++)
			counts()[k].allocated_bytes++;
		note();
	}
	p[1].before = 1; /* a circle */
	p[2].before = UINT32_MAX;
	p[3].used = 255;
	for (i = 0; i < PAST_ROOM; i++)
		p[4].column[i] = 255;
	trends()[5].column = UINT32_MAX;
	trends()[6].past = UINT32_MAX;
	for (k = 0; k < 3; k++) {
		for (i = 0; i < SITES; i++)
			history_of(&control, first_site + i, held);
		for (i = 0; i < SITES; i++)
			(void)history_at(&control, first_site + i, 0);
		history_thin_out(&control, keep, ARRAY_LENGTH(keep));
		change(k);
		(void)history_note(&control, 4);
		control.segment->watch.past_free = k == 0 ? 7 : UINT32_MAX;
	}
	history_of(&control, UINT64_MAX, held);
	assert_true(held[0].live_bytes == 0 && held[31].live_bytes == 0);
	assert_true(history_at(&control, UINT64_MAX, 31) == 0);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, begin, own_segment_teardown)
	const struct CMUnitTest tests[] = {
		TEST(all_that_sites_held_is_kept),
		TEST(who_never_changes_takes_no_row_of_the_past),
		TEST(the_past_of_those_that_always_change_is_bounded),
		TEST(who_was_killed_while_noting_is_followed_by_another),
		TEST(without_room_nothing_changes),
		TEST(what_a_damaged_profile_says_is_not_followed_anywhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
