/*
 * What a cleanup calls, in which order, what it counts, and what it says.
 */
#include "played-process.h"

/* --- who is called -------------------------------------------------------- */

static void
classes_come_in_their_order(void **state)
{
	struct thing d = { .letter = 'd' }, a = { .letter = 'a' };
	struct thing c = { .letter = 'c' }, b = { .letter = 'b' };

	(void)state;
	put(&d, TIDE_CLEAN_DESTRUCTIVE, 9, 0);
	put(&b, TIDE_CLEAN_BENIGN, 0, 0);
	put(&c, TIDE_CLEAN_IDLE, 5, 0);
	put(&a, TIDE_CLEAN_COMPACT, -5, 0);
	assert_string_equal(run_at(TIDE_EXHAUSTED, TIDE_FORCE_RECLAIM, 0),
	    "abcd");
	assert_int_equal(a.level, TIDE_EXHAUSTED);
	assert_true(a.want == TIDE_NONE);
}

static void
a_level_calls_its_classes_only(void **state)
{
	struct thing t[4] = { { .letter = '0' }, { .letter = '1' },
		{ .letter = '2' }, { .letter = '3' } };

	(void)state;
	for (int i = 0; i < 4; i++)
		put(&t[i], i, 0, 0);
	assert_string_equal(run_at(TIDE_OK, 0, 0), "");
	assert_string_equal(run_at(TIDE_WARNING, TIDE_FORCE_RECLAIM, 0), "0");
	assert_int_equal(t[0].level, TIDE_WARNING);
	assert_string_equal(run_at(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0),
	    "012");
	assert_string_equal(run_at(TIDE_OK, TIDE_FORCE_RECLAIM, 0), "012");
	assert_int_equal(t[2].level, TIDE_CRITICAL);
	assert_string_equal(run_at(TIDE_EXHAUSTED, TIDE_FORCE_RECLAIM, 0),
	    "0123");
	assert_string_equal(run_at(TIDE_OK, TIDE_EMERGENCY, 0), "0123");
	assert_int_equal(t[3].level, TIDE_EXHAUSTED);
	assert_string_equal(run_at(TIDE_EXHAUSTED, TIDE_NO_CALLBACKS, 0), "");
}

static void
the_greater_priority_comes_first_until_something_is_learned(void **state)
{
	/* So far apart that it matters not how long each takes. */
	struct thing a = { .letter = 'a', .brings = 64 * KIB };
	struct thing b = { .letter = 'b', .brings = GIB * GIB / 16 };
	struct thing c = { .letter = 'c', .brings = 64 * GIB };
	struct thing n = { .letter = 'n', .brings = MIB };

	(void)state;
	played.live = GIB * GIB;
	put(&a, TIDE_CLEAN_BENIGN, 7, 0);
	put(&b, TIDE_CLEAN_BENIGN, 0, 0);
	put(&c, TIDE_CLEAN_BENIGN, 1, 0);
	assert_string_equal(run_at(TIDE_CRITICAL, 0, 0), "acb");
	/* Of the same class, who brings most a millisecond. */
	assert_string_equal(run_at(TIDE_CRITICAL, 0, 0), "bca");
	put(&n, TIDE_CLEAN_BENIGN, -9, 0);
	assert_string_equal(run_at(TIDE_CRITICAL, 0, 0), "nbca");
}

static void
it_ends_when_there_is_enough(void **state)
{
	struct thing a = { .letter = 'a', .brings = 3 * MIB };
	struct thing b = { .letter = 'b', .returns = 3 * MIB };
	struct thing c = { .letter = 'c', .brings = 3 * MIB };
	tide_reclaim_result r;

	(void)state;
	put(&a, TIDE_CLEAN_COMPACT, 3, 0);
	put(&b, TIDE_CLEAN_COMPACT, 2, 0);
	put(&c, TIDE_CLEAN_COMPACT, 1, 0);
	played.room.state = TIDE_CRITICAL;
	errno = EXDEV;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 5 * MIB, &r), 0);
	assert_int_equal(errno, EXDEV);
	assert_int_equal(a.calls, 1);
	assert_true(a.want == 5 * MIB);
	/* What goes back to the system at once counts as well. */
	assert_int_equal(b.calls, 1);
	assert_true(b.want == 2 * MIB);
	assert_int_equal(c.calls, 0);
	assert_true(r.freed == 3 * MIB);
	assert_true(r.returned == 3 * MIB);
	assert_true(r.blocks == 3 * MIB / 100);
	assert_int_equal(r.callbacks, 2);
	assert_int_equal(r.state, TIDE_CRITICAL);
	assert_true(r.time_ns > 0);
	assert_true(played.room.cleanups == 1);
	assert_true(played.room.cleanup_bytes == 3 * MIB);
	assert_true(played.room.cleanup_returned == 3 * MIB);
	assert_true(played.room.cleanup_ns == r.time_ns);
}

static void
who_brings_little_is_left_out_twice_as_often(void **state)
{
	struct thing a = { .letter = 'a', .brings = 1 };
	struct thing b = { .letter = 'b', .brings = MIB };
	char found[40] = "";

	(void)state;
	put(&a, TIDE_CLEAN_COMPACT, 1, 0);
	put(&b, TIDE_CLEAN_BENIGN, 0, 0);
	played.live = 1000 * MIB;
	/* Skips 1, 2, 4 and 8 runs. */
	for (int i = 0; i < 20; i++)
		strcat(found, strchr(run_at(TIDE_CRITICAL, 0, 40 * MIB), 'a')
		    != NULL ? "a" : "-");
	assert_string_equal(found, "a-a--a----a--------a");
	assert_int_equal(b.calls, 20);
	/* It is no excuse where all must go. */
	assert_string_equal(run_at(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, MIB),
	    "ab");
	/* And forgotten once it brings more. */
	a.brings = MIB;
	assert_string_equal(run_at(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, MIB),
	    "a");
	assert_string_equal(run_at(TIDE_CRITICAL, 0, MIB), "a");
}

static void
it_rests_for_64_runs_at_most(void **state)
{
	struct thing a = { .letter = 'a' };
	int last = 0, longest = 0;

	(void)state;
	put(&a, TIDE_CLEAN_COMPACT, 1, 0);
	for (int i = 0; i < 1000; i++) {
		int before = a.calls;

		(void)run_at(TIDE_CRITICAL, 0, 40 * MIB);
		if (a.calls == before)
			continue;
		longest = i - last > longest ? i - last : longest;
		last = i;
	}
	assert_int_equal(longest, 65);
}

/* --- figures -------------------------------------------------------------- */

static void
others_do_not_spoil_what_a_callback_brought(void **state)
{
	struct thing a = { .brings = 2 * MIB };
	tide_reclaim_result r;

	(void)state;
	put(&a, TIDE_CLEAN_COMPACT, 0, 0);
	/* As if another thread had taken twice as much meanwhile. */
	a.returns = 0;
	played.live += 4 * MIB;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, &r), 0);
	assert_true(r.freed == 2 * MIB);
}

/* One who has it done by another thread. */
static uint64_t
has_it_done(void *ctx, int level, uint64_t want)
{
	(void)ctx;
	(void)level;
	(void)want;
	played.live -= MIB;
	return 0;
}

static void
what_is_freed_elsewhere_is_seen_in_the_process(void **state)
{
	tide_reclaim_result r;

	(void)state;
	assert_true(cleanup_add(has_it_done, NULL, 0, 0, 0, NULL) > 0);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, &r), 0);
	assert_true(r.freed == MIB);
}

static void
where_nothing_is_counted_callbacks_are_believed(void **state)
{
	struct thing a = { .letter = 'a', .says = MIB };
	struct thing b = { .letter = 'b', .says = TIDE_NONE };
	tide_reclaim_result r;

	(void)state;
	played.counted = false;
	put(&a, TIDE_CLEAN_COMPACT, 2, 0);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, MIB, &r), 0);
	assert_true(r.freed == MIB);
	assert_true(r.blocks == 0);
	/* But not that it freed more than there is. */
	put(&b, TIDE_CLEAN_COMPACT, 1, 0);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, &r), 0);
	assert_true(r.freed == 56 * MIB);
	/* Nor is there anything to see: it still runs. */
	played.seen = false;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, MIB,
	    &r), 0);
	assert_int_equal(r.callbacks, 1);
}

static void
it_is_told_in_the_words_that_people_look_for(void **state)
{
	struct thing a = { .brings = 10 * MIB };

	(void)state;
	put(&a, TIDE_CLEAN_COMPACT, 0, 0);
	played.resident = GIB;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, MIB, NULL), 0);
	assert_int_equal(played.lines, 2);
	assert_string_equal(played.said[0], "Forcing memory cleanup...");
	assert_string_equal(played.said[1],
	    "Cleanup: 104857 objects freed (10.0 MB), now 1.00GB");
	/* A warning's are not forced; and of nothing there is nothing to say. */
	assert_int_equal(cleanup_run(TIDE_WARNING, 0, MIB, NULL), 0);
	assert_int_equal(played.lines, 3);
	a.brings = 0;
	assert_int_equal(cleanup_run(TIDE_WARNING, 0, MIB, NULL), 0);
	(void)cleanup_drop(a.id);
	assert_int_equal(cleanup_run(TIDE_EXHAUSTED, TIDE_NO_PURGE, MIB, NULL),
	    0);
	assert_int_equal(played.lines, 3);
}

/* --- for who is outside --------------------------------------------------- */

static void
what_is_wanted_from_outside_is_done_once(void **state)
{
	struct tide_room *room = &played.room;
	struct thing t[4] = { { .letter = '0', .brings = MIB },
		{ .letter = '1' }, { .letter = '2' }, { .letter = '3' } };

	(void)state;
	for (int i = 0; i < 4; i++)
		put(&t[i], i, 0, 0);
	ordered = 0;
	assert_false(cleanup_is_wanted());
	cleanup_wish();
	assert_int_equal(ordered, 0);
	/* Two that want it are one; all is forced. */
	room->cleanups_wanted = 2;
	room->cleanup_level = TIDE_WARNING;
	assert_true(cleanup_is_wanted());
	cleanup_wish();
	assert_string_equal(order, "0");
	assert_false(cleanup_is_wanted());
	assert_int_equal(room->cleanups_done, 2);
	assert_int_equal(room->cleanup_level, 0);
	assert_int_equal(room->wish_callbacks, 1);
	assert_true(room->wish_freed == MIB);
	assert_true(room->wish_blocks == MIB / 100);
	assert_true(room->wish_ns > 0);
	cleanup_wish();
	assert_string_equal(order, "0");

	/* Without a level it is as the state is, but at least critical. */
	ordered = 0;
	room->cleanups_wanted = 3;
	cleanup_wish();
	assert_string_equal(order, "012");
	ordered = 0;
	room->state = TIDE_EXHAUSTED;
	room->cleanups_wanted = 4;
	cleanup_wish();
	assert_string_equal(order, "0123");
	/* The operator's word is what counts, whatever it is. */
	ordered = 0;
	room->cleanup_level = 77;
	room->cleanups_wanted = 5;
	cleanup_wish();
	assert_string_equal(order, "0123");
	assert_int_equal(room->cleanups_done, 5);
}

static uint64_t
comes_by(void *ctx, int level, uint64_t want)
{
	cleanup_wish();
	assert_true(cleanup_is_wanted());
	return work(ctx, level, want);
}

static void
a_callback_that_comes_by_leaves_the_wish_to_who_is_at_it(void **state)
{
	struct thing a = { .brings = MIB };

	(void)state;
	assert_true(cleanup_add(comes_by, &a, 0, 0, 0, NULL) > 0);
	played.room.cleanups_wanted = 1;
	played.room.cleanup_level = TIDE_CRITICAL;
	cleanup_wish();
	assert_int_equal(a.calls, 1);
	assert_int_equal(played.room.cleanups_done, 1);
	assert_true(played.room.wish_freed == MIB);
}

/* --- the allocator -------------------------------------------------------- */

static void
the_allocator_gives_back_only_where_it_pays(void **state)
{
	tide_reclaim_result r;

	(void)state;
	/* 5 MiB of 100 are retained; little, however much is used. */
	played.room.used = 90 * MIB;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), 0);
	assert_int_equal(played.purges, 0);
	/* 25 MiB are, but there is room. */
	played.live = 30 * MIB;
	played.room.used = 60 * MIB;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), 0);
	assert_int_equal(played.purges, 0);
	played.room.used = 80 * MIB;
	played.by_purge = 20 * MIB;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_NO_PURGE, 0, NULL),
	    0);
	assert_int_equal(played.purges, 0);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, &r), 0);
	assert_int_equal(played.purges, 1);
	assert_true(r.returned == 20 * MIB);
	assert_true(r.freed == 0);
	/* Or where it is forced. */
	played.room.used = 0;
	played.by_purge = 0;
	assert_int_equal(cleanup_run(TIDE_OK, TIDE_FORCE_RECLAIM, 0, NULL), 0);
	assert_int_equal(played.purges, 2);
	played.room.budget = TIDE_NONE;
	played.resident = 500 * MIB;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), 0);
	assert_int_equal(played.purges, 2);
}

static void
the_allocator_is_told_how_much_is_still_needed(void **state)
{
	struct thing a = { .letter = 'a', .returns = 4 * MIB };
	tide_reclaim_result r;

	(void)state;
	played.live = 30 * MIB;
	played.room.used = 90 * MIB;
	played.by_purge = 7 * MIB;
	/* All, where all is wanted. */
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), 0);
	assert_int_equal(played.purges, 1);
	assert_true(played.purge_want == TIDE_NONE);
	/* A callback has brought some of it; and a little more, so that used
	 * does not stay right at the line. */
	put(&a, TIDE_CLEAN_COMPACT, 0, 0);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_NO_CALLBACKS, 10 *
	    MIB, NULL), 0);
	assert_true(played.purge_want == 10 * MIB + played.room.budget / 50);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 10 *
	    MIB, &r), 0);
	assert_true(played.purge_want == 6 * MIB);
	assert_true(r.returned == 11 * MIB);
	/* Nothing, where it has brought it all. */
	a.returns = 12 * MIB;
	played.purges = 0;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 10 *
	    MIB, NULL), 0);
	assert_int_equal(played.purges, 0);
}

static void
a_purge_in_vain_is_left_out_as_well(void **state)
{
	(void)state;
	played.room.used = 80 * MIB;
	played.live = 10 * MIB;
	/* 1, then not; then not twice ... */
	for (int i = 0; i < 6; i++)
		(void)run_at(TIDE_CRITICAL, 0, MIB);
	assert_int_equal(played.purges, 3);
}

static void
what_is_needed_again_is_billed(void **state)
{
	struct thing a = { .brings = 18 * MIB, .returns = 12 * MIB };
	uint64_t page = sys_page_bytes();

	(void)state;
	put(&a, TIDE_CLEAN_COMPACT, 0, 0);
	played.faults = 1000;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_NO_PURGE, 0, NULL),
	    0);
	played.faults += 100;
	played.lines = 0;
	cleanup_bill();
	assert_int_equal(played.lines, 1);
	assert_true(strncmp(played.said[0], "Cleanup freed: 18.0 MB (12.0 MB "
	    "returned to the system, ", 56) == 0);
	/* A fault takes no less than 10 ns and no more than a millisecond. */
	assert_true(played.room.refault_ns >= 100 * 10);
	assert_true(played.room.refault_ns <= 100 * NS_PER_MS);
	/* Once. */
	cleanup_bill();
	assert_int_equal(played.lines, 1);

	/* Faults that were due in any case are not laid to its door. */
	played.resident = 55 * MIB;
	a.returns = page;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_NO_PURGE, 0, NULL),
	    0);
	played.faults += 1000000;
	played.room.refault_ns = 0;
	cleanup_bill();
	assert_true(played.room.refault_ns > 0);
	assert_true(played.room.refault_ns <= NS_PER_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(classes_come_in_their_order, begin),
		cmocka_unit_test_setup(a_level_calls_its_classes_only, begin),
		cmocka_unit_test_setup(
		    the_greater_priority_comes_first_until_something_is_learned,
		    begin),
		cmocka_unit_test_setup(it_ends_when_there_is_enough, begin),
		cmocka_unit_test_setup(
		    who_brings_little_is_left_out_twice_as_often, begin),
		cmocka_unit_test_setup(it_rests_for_64_runs_at_most, begin),
		cmocka_unit_test_setup(
		    others_do_not_spoil_what_a_callback_brought, begin),
		cmocka_unit_test_setup(
		    what_is_freed_elsewhere_is_seen_in_the_process, begin),
		cmocka_unit_test_setup(
		    where_nothing_is_counted_callbacks_are_believed, begin),
		cmocka_unit_test_setup(
		    it_is_told_in_the_words_that_people_look_for, begin),
		cmocka_unit_test_setup(
		    what_is_wanted_from_outside_is_done_once, begin),
		cmocka_unit_test_setup(
		    a_callback_that_comes_by_leaves_the_wish_to_who_is_at_it,
		    begin),
		cmocka_unit_test_setup(
		    the_allocator_gives_back_only_where_it_pays, begin),
		cmocka_unit_test_setup(
		    the_allocator_is_told_how_much_is_still_needed, begin),
		cmocka_unit_test_setup(a_purge_in_vain_is_left_out_as_well,
		    begin),
		cmocka_unit_test_setup(what_is_needed_again_is_billed, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
