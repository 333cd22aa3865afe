/*
 * What callbacks may do to the list that they are on.
 */
#include "played-process.h"

#include <ucontext.h>

/* --- what callbacks do ---------------------------------------------------- */

static int nested_run, nested_drop;

static uint64_t
calls_again(void *ctx, int level, uint64_t want)
{
	struct thing *t = ctx;

	nested_run = cleanup_run(level, TIDE_FORCE_RECLAIM, want, NULL);
	nested_drop = cleanup_drop(t->id);
	return work(ctx, level, want);
}

static void
a_callback_that_cleans_up_is_told_so_and_may_drop_itself(void **state)
{
	struct thing a = { .brings = 1 }, b = { .brings = 1 };

	(void)state;
	a.id = cleanup_add(calls_again, &a, 0, 5, 0, "again");
	put(&b, 0, 0, 0);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), 0);
	assert_int_equal(nested_run, -EBUSY);
	assert_int_equal(nested_drop, 0);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	assert_int_equal(cleanup_drop(a.id), -ENOENT);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0,
	    NULL), 0);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 2);
}

static uint64_t
puts_another(void *ctx, int level, uint64_t want)
{
	struct thing *t = ctx;

	(void)cleanup_drop(t->id);
	t->id = cleanup_add(puts_another, t, 0, 0, 0, NULL);
	return work(ctx, level, want);
}

static void
one_that_puts_itself_back_is_called_once_a_run(void **state)
{
	struct thing a = { .brings = 1 };

	(void)state;
	a.id = cleanup_add(puts_another, &a, 0, 0, 0, NULL);
	for (int i = 1; i <= 3; i++) {
		assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), 0);
		assert_int_equal(a.calls, i);
	}
	assert_int_equal(cleanup_drop(a.id), 0);
}

static struct thing *victim;

static uint64_t
drops_another(void *ctx, int level, uint64_t want)
{
	(void)cleanup_drop(victim->id);
	return work(ctx, level, want);
}

static void
one_that_was_dropped_by_another_is_not_called(void **state)
{
	struct thing a = { .brings = 1 }, b = { .brings = 1 };

	(void)state;
	victim = &b;
	a.id = cleanup_add(drops_another, &a, 0, 5, 0, NULL);
	put(&b, 0, 0, 0);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), 0);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 0);
}

/* A program that has forbidden itself system calls. */
static void
where_the_kernel_may_not_be_asked_it_works_as_well(void **state)
{
	struct thing a = { .brings = 1 }, b = { .brings = 1 };

	(void)state;
	a.id = cleanup_add(calls_again, &a, 0, 5, 0, "again");
	sys_confine();
	put(&b, 0, 0, 0);
	nested_run = 1;
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), 0);
	sys_release();
	assert_int_equal(nested_run, -EBUSY);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0,
	    NULL), 0);
	assert_int_equal(b.calls, 2);
}

static jmp_buf out;

static uint64_t
jumps_out(void *ctx, int level, uint64_t want)
{
	(void)work(ctx, level, want);
	longjmp(out, 1);
}

static void
one_that_jumps_out_leaves_the_others_usable(void **state)
{
	static struct thing a, b, c;

	(void)state;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	memset(&c, 0, sizeof(c));
	b.brings = c.brings = 1;
	a.id = cleanup_add(jumps_out, &a, 0, 5, 0, "jumper");
	put(&b, 0, 0, 0);
	if (setjmp(out) == 0)
		(void)cleanup_run(TIDE_CRITICAL, 0, 0, NULL);
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 0);
	played.lines = 0;
	/* It is left out now, so that the others have their turn. */
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), 0);
	assert_string_equal(played.said[0], "Cleanup 'jumper' did not return; "
	    "going on without it");
	assert_int_equal(a.calls, 1);
	assert_int_equal(b.calls, 1);
	/* And may be dropped, and another be put there. */
	assert_int_equal(cleanup_drop(a.id), 0);
	put(&c, 0, 0, 0);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0,
	    NULL), 0);
	assert_int_equal(c.calls, 1);
}

/* Deeper than where the callback was, with other things in that place. */
static int __attribute__((noinline))
run_deeper(int depth)
{
	volatile char room[512];
	int r;

	memset((char *)(uintptr_t)room, depth, sizeof(room));
	r = depth > 0 ? run_deeper(depth - 1) :
	    cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, NULL);
	return r + (room[7] != depth);
}

static void
it_is_noticed_from_further_down_as_well(void **state)
{
	static struct thing a, b;

	(void)state;
	memset(&a, 0, sizeof(a));
	memset(&b, 0, sizeof(b));
	a.id = cleanup_add(jumps_out, &a, 0, 5, 0, NULL);
	put(&b, 0, 9, 0);
	if (setjmp(out) == 0)
		(void)cleanup_run(TIDE_CRITICAL, 0, 0, NULL);
	assert_int_equal(cleanup_drop(a.id), 0);
	assert_int_equal(run_deeper(30), 0);
	assert_int_equal(b.calls, 2);
}

static ucontext_t here, there;

static uint64_t
goes_elsewhere(void *ctx, int level, uint64_t want)
{
	(void)swapcontext(&there, &here);
	return work(ctx, level, want);
}

static void
run_there(void)
{
	nested_run = cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, NULL);
}

/* A coroutine below us looks as one who jumped away; and then it comes back. */
static void
one_whose_place_was_taken_ends_without_harm(void **state)
{
	static char stack[256 * 1024];
	struct thing a = { .letter = 'a' }, b = { .letter = 'b' };

	(void)state;
	ordered = 0;
	nested_run = 1;
	a.id = cleanup_add(goes_elsewhere, &a, 0, 5, 0, NULL);
	put(&b, 0, 0, 0);
	assert_int_equal(getcontext(&there), 0);
	there.uc_stack.ss_sp = stack;
	there.uc_stack.ss_size = sizeof(stack);
	there.uc_link = &here;
	makecontext(&there, run_there, 0);
	assert_int_equal(swapcontext(&here, &there), 0);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), 0);
	assert_string_equal(order, "b");
	assert_int_equal(swapcontext(&here, &there), 0);
	/* What it was at is done, and it has gone no further. */
	assert_string_equal(order, "ba");
	assert_int_equal(nested_run, 0);
	assert_int_equal(cleanup_drop(a.id), 0);
	assert_string_equal(run_at(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0),
	    "b");
}

/* --- limits and wrong arguments ------------------------------------------- */

static void
there_is_room_for_64(void **state)
{
	static struct thing t[CLEANUPS_MOST];

	(void)state;
	for (int i = 0; i < CLEANUPS_MOST; i++) {
		t[i] = (struct thing){ .letter = (char)(i + 32) };
		put(&t[i], 0, -i, 0);
	}
	assert_int_equal(cleanup_add(work, NULL, 0, 0, 0, NULL), -ENOSPC);
	assert_int_equal(strlen(run_at(TIDE_CRITICAL, 0, 0)), CLEANUPS_MOST);
	assert_int_equal(order[0], 32);
	assert_int_equal(order[CLEANUPS_MOST - 1], CLEANUPS_MOST + 31);
	assert_int_equal(cleanup_drop(t[5].id), 0);
	put(&t[5], 0, 0, 0);
	/* No number is given twice. */
	assert_true(t[5].id > t[CLEANUPS_MOST - 1].id);
	assert_int_equal(cleanup_add(work, NULL, 0, 0, 0, NULL), -ENOSPC);
}

static uint64_t
does_nothing(void *ctx, int level, uint64_t want)
{
	(void)ctx;
	(void)level;
	(void)want;
	return 0;
}

static void
wrong_arguments_are_refused(void **state)
{
	tide_reclaim_result r;
	char name[300];

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(cleanup_add(NULL, NULL, 0, 0, 0, "x"), -EINVAL);
	assert_int_equal(cleanup_add(work, NULL, -1, 0, 0, "x"), -EINVAL);
	assert_int_equal(cleanup_add(work, NULL, 4, 0, 0, "x"), -EINVAL);
	assert_int_equal(cleanup_add(work, NULL, 0, 0, TIDE_NO_PURGE, "x"),
	    -EINVAL);
	assert_int_equal(cleanup_add(work, NULL, 0, 0, 1u << 31, "x"),
	    -EINVAL);
	assert_int_equal(cleanup_drop(0), -ENOENT);
	assert_int_equal(cleanup_drop(-1), -ENOENT);
	assert_int_equal(cleanup_drop(INT32_MAX), -ENOENT);
	assert_true(cleanup_add(does_nothing, NULL, 3, INT32_MIN, 1, name) > 0);
	assert_true(cleanup_add(does_nothing, NULL, 3, INT32_MAX, 0, "") > 0);
	memset(&r, 0x55, sizeof(r));
	assert_int_equal(cleanup_run(-1, 0, 0, &r), -EINVAL);
	assert_true(r.freed == 0 && r.callbacks == 0);
	assert_int_equal(cleanup_run(4, 0, 0, &r), -EINVAL);
	assert_int_equal(cleanup_run(0, TIDE_ANY_THREAD, 0, &r), -EINVAL);
	assert_int_equal(cleanup_run(0, 1u << 31, 0, NULL), -EINVAL);
	assert_int_equal(cleanup_run(3, 0, UINT64_MAX, &r), 0);
	assert_int_equal(r.callbacks, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    a_callback_that_cleans_up_is_told_so_and_may_drop_itself,
		    begin),
		cmocka_unit_test_setup(
		    one_that_puts_itself_back_is_called_once_a_run, begin),
		cmocka_unit_test_setup(
		    one_that_was_dropped_by_another_is_not_called, begin),
		cmocka_unit_test_setup(
		    where_the_kernel_may_not_be_asked_it_works_as_well, begin),
		cmocka_unit_test_setup(
		    one_that_jumps_out_leaves_the_others_usable, begin),
		cmocka_unit_test_setup(it_is_noticed_from_further_down_as_well,
		    begin),
		cmocka_unit_test_setup(
		    one_whose_place_was_taken_ends_without_harm, begin),
		cmocka_unit_test_setup(there_is_room_for_64, begin),
		cmocka_unit_test_setup(wrong_arguments_are_refused, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
