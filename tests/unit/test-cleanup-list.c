/*
 * What callbacks, threads and children may do to the list that they are on.
 */
#include "played-process.h"

#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

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

/* --- threads -------------------------------------------------------------- */

struct other {
	struct thing *thing;
	unsigned flags;
	int result;
};

static void *
put_and_run(void *arg)
{
	struct other *o = arg;

	(void)put(o->thing, 0, 0, o->flags);
	o->result = cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, NULL);
	return NULL;
}

static void
a_callback_is_called_by_its_own_thread_only(void **state)
{
	struct thing mine = { .letter = 'm' }, its = { .letter = 'i' };
	struct thing anyones = { .letter = 'a' };
	struct other o = { &its, 0, -1 };
	pthread_t thread;

	(void)state;
	put(&mine, 0, 0, 0);
	put(&anyones, 0, 0, TIDE_ANY_THREAD);
	assert_int_equal(pthread_create(&thread, NULL, put_and_run, &o), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(o.result, 0);
	assert_int_equal(mine.calls, 0);
	assert_int_equal(its.calls, 1);
	assert_int_equal(anyones.calls, 1);
	/* Its thread has ended. */
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0,
	    NULL), 0);
	assert_int_equal(mine.calls, 1);
	assert_int_equal(its.calls, 1);
	assert_int_equal(anyones.calls, 2);
	assert_int_equal(cleanup_drop(its.id), 0);
}

static void *
put_alone(void *arg)
{
	struct other *o = arg;

	(void)put(o->thing, 0, 0, o->flags);
	return NULL;
}

static void
what_threads_leave_behind_makes_room_for_others(void **state)
{
	struct thing its = { 0 }, mine = { 0 };
	struct other o = { &its, 0, -1 };
	pthread_t thread;
	int id, i;

	(void)state;
	for (i = 0; i < 3 * CLEANUPS_MOST; i++) {
		/* One in three may be called by whoever is there. */
		o.flags = i % 3 == 0 && i < CLEANUPS_MOST ?
		    TIDE_ANY_THREAD : 0;
		assert_int_equal(pthread_create(&thread, NULL, put_alone, &o),
		    0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		/* The kernel may take a moment after the join. */
		usleep(1000);
	}
	id = put(&mine, 0, 0, 0);
	assert_int_equal(cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0,
	    NULL), 0);
	assert_int_equal(mine.calls, 1);
	assert_int_equal(its.calls, (CLEANUPS_MOST + 2) / 3);
	assert_int_equal(cleanup_drop(id), 0);
}

static struct {
	uint32_t inside, may_leave;
} gate;

static void
wait_for(const uint32_t *word)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == 0)
		usleep(1000);
}

static uint64_t
stays_inside(void *ctx, int level, uint64_t want)
{
	__atomic_store_n(&gate.inside, 1, __ATOMIC_RELEASE);
	wait_for(&gate.may_leave);
	return work(ctx, level, want);
}

static void *
stay_inside(void *arg)
{
	struct other *o = arg;

	o->thing->id = cleanup_add(stays_inside, o->thing, 0, 0, 0, "stays");
	o->result = cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, NULL);
	return NULL;
}

static void *
let_out(void *arg)
{
	(void)arg;
	usleep(50000);
	__atomic_store_n(&gate.may_leave, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void
who_drops_waits_until_another_is_out_of_it(void **state)
{
	struct thing t = { 0 };
	struct other o = { &t, 0, -1 };
	pthread_t inside, letter;

	(void)state;
	memset(&gate, 0, sizeof(gate));
	assert_int_equal(pthread_create(&inside, NULL, stay_inside, &o), 0);
	wait_for(&gate.inside);
	/* One at a time. */
	assert_int_equal(cleanup_run(TIDE_CRITICAL, 0, 0, NULL), -EBUSY);
	assert_int_equal(pthread_create(&letter, NULL, let_out, NULL), 0);
	assert_int_equal(cleanup_drop(t.id), 0);
	assert_int_equal(t.calls, 1);
	assert_int_equal(pthread_join(inside, NULL), 0);
	assert_int_equal(pthread_join(letter, NULL), 0);
	assert_int_equal(o.result, 0);
	assert_int_equal(cleanup_drop(t.id), -ENOENT);
}

/* As where it waits for a lock that the dropper holds. */
static void
who_drops_does_not_wait_for_ever(void **state)
{
	struct thing t = { 0 };
	struct other o = { &t, 0, -1 };
	int id[CLEANUPS_MOST];
	pthread_t inside;

	(void)state;
	memset(&gate, 0, sizeof(gate));
	assert_int_equal(pthread_create(&inside, NULL, stay_inside, &o), 0);
	wait_for(&gate.inside);
	assert_int_equal(cleanup_drop(t.id), -EBUSY);
	assert_int_equal(cleanup_drop(t.id), -ENOENT);
	__atomic_store_n(&gate.may_leave, 1, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(inside, NULL), 0);
	/* It was called to its end, and has gone then. */
	assert_int_equal(t.calls, 1);
	for (int i = 0; i < CLEANUPS_MOST; i++) {
		id[i] = cleanup_add(work, &t, 0, 0, 0, NULL);
		assert_true(id[i] > 0);
	}
	for (int i = 0; i < CLEANUPS_MOST; i++)
		assert_int_equal(cleanup_drop(id[i]), 0);
}

static uint64_t
ends_its_thread(void *ctx, int level, uint64_t want)
{
	(void)work(ctx, level, want);
	pthread_exit(NULL);
}

static void *
end_inside(void *arg)
{
	struct other *o = arg;

	o->thing->id = cleanup_add(ends_its_thread, o->thing, 0, 0, 0, NULL);
	(void)cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, NULL);
	return NULL;
}

static void
a_thread_that_ended_inside_of_one_holds_up_nobody(void **state)
{
	struct thing t = { 0 }, mine = { 0 };
	struct other o = { &t, 0, -1 };
	pthread_t thread;

	(void)state;
	put(&mine, 0, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, end_inside, &o), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(t.calls, 1);
	/* The kernel may take a moment after the join. */
	for (int i = 0; i < 1000 && cleanup_run(TIDE_CRITICAL, 0, 0, NULL) ==
	    -EBUSY; i++)
		usleep(1000);
	assert_int_equal(mine.calls, 1);
	assert_int_equal(cleanup_drop(t.id), 0);
}

static uint32_t inside_now, met;

static uint64_t
counts(void *ctx, int level, uint64_t want)
{
	(void)level;
	(void)want;
	if (__atomic_fetch_add(&inside_now, 1, __ATOMIC_RELAXED) != 0)
		__atomic_store_n(&met, 1, __ATOMIC_RELAXED);
	__atomic_fetch_add((uint64_t *)ctx, 1, __ATOMIC_RELAXED);
	__atomic_fetch_sub(&inside_now, 1, __ATOMIC_RELAXED);
	return 0;
}

static void *
come_and_go(void *arg)
{
	(void)arg;
	for (int i = 0; i < 2000; i++) {
		uint64_t mine = 0;
		int id = cleanup_add(counts, &mine, i & 3, i, i & 1, NULL);
		int r;

		assert_true(id > 0);
		r = cleanup_run(TIDE_EXHAUSTED, TIDE_EMERGENCY |
		    TIDE_NO_PURGE, 0, NULL);
		assert_true(r == 0 || r == -EBUSY);
		assert_int_equal(cleanup_drop(id), 0);
		/* From now on it is not called: its stack is another's. */
		mine = 1000000;
	}
	return NULL;
}

static void
threads_come_and_go(void **state)
{
	pthread_t thread[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, come_and_go,
		    NULL), 0);
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_join(thread[i], NULL), 0);
	assert_int_equal(met, 0);
	/* Nobody was taken for one who did not return. */
	assert_int_equal(gone_on_without, 0);
}

/* --- children ------------------------------------------------------------- */

static int
status_of(pid_t pid)
{
	int status;

	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static uint64_t
forks(void *ctx, int level, uint64_t want)
{
	struct thing *t = ctx;
	pid_t pid = fork();

	if (pid == 0)
		cleanup_in_child();
	else
		t->level = status_of(pid);
	t->calls++;
	(void)level;
	(void)want;
	return pid == 0;
}

static void
a_child_goes_on_with_what_its_thread_registered(void **state)
{
	struct thing mine = { 0 }, its = { 0 };
	struct other o = { &its, 0, -1 };
	pthread_t thread;
	pid_t pid;

	(void)state;
	put(&mine, 0, 0, 0);
	assert_int_equal(pthread_create(&thread, NULL, put_and_run, &o), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	pid = fork();
	if (pid == 0) {
		cleanup_in_child();
		_exit(cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, NULL)
		    == 0 && mine.calls == 1 && its.calls == 1 &&
		    cleanup_drop(its.id) == 0 && cleanup_drop(mine.id) == 0 ?
		    7 : 8);
	}
	assert_int_equal(status_of(pid), 7);
	assert_int_equal(mine.calls, 0);
	assert_int_equal(cleanup_drop(its.id), 0);
}

static void
a_child_that_was_forked_inside_of_one_is_not_in_it(void **state)
{
	struct thing t = { 0 };
	pid_t self = getpid();
	int r;

	(void)state;
	assert_true(cleanup_add(forks, &t, 0, 0, 0, NULL) > 0);
	r = cleanup_run(TIDE_CRITICAL, 0, 0, NULL);
	if (getpid() != self)
		_exit(r == 0 && cleanup_run(TIDE_CRITICAL, TIDE_NO_CALLBACKS,
		    0, NULL) == 0 ? 7 : 8);
	assert_int_equal(r, 0);
	assert_int_equal(t.level, 7);
	assert_int_equal(t.calls, 1);
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
		    where_the_kernel_may_not_be_asked_it_works_as_well,
		    begin),
		cmocka_unit_test_setup(
		    one_that_jumps_out_leaves_the_others_usable, begin),
		cmocka_unit_test_setup(it_is_noticed_from_further_down_as_well,
		    begin),
		cmocka_unit_test_setup(
		    one_whose_place_was_taken_ends_without_harm, begin),
		cmocka_unit_test_setup(
		    a_callback_is_called_by_its_own_thread_only, begin),
		cmocka_unit_test_setup(
		    what_threads_leave_behind_makes_room_for_others, begin),
		cmocka_unit_test_setup(
		    who_drops_waits_until_another_is_out_of_it, begin),
		cmocka_unit_test_setup(who_drops_does_not_wait_for_ever, begin),
		cmocka_unit_test_setup(
		    a_thread_that_ended_inside_of_one_holds_up_nobody, begin),
		cmocka_unit_test_setup(threads_come_and_go, begin),
		cmocka_unit_test_setup(
		    a_child_goes_on_with_what_its_thread_registered, begin),
		cmocka_unit_test_setup(
		    a_child_that_was_forked_inside_of_one_is_not_in_it, begin),
		cmocka_unit_test_setup(there_is_room_for_64, begin),
		cmocka_unit_test_setup(wrong_arguments_are_refused, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
