/*
 * Whose callbacks are called by whom, of many threads and of children.
 */
#include "played-process.h"

#include <sys/wait.h>
#include <unistd.h>

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

/* A thread that registers, and does what it is told, a step at a time. */
struct stepper {
	struct thing *thing;
	uint32_t step, done;
	bool wanted;
};

static void *
step(void *arg)
{
	struct stepper *s = arg;

	(void)put(s->thing, TIDE_CLEAN_BENIGN, 0, 0);
	for (uint32_t n = 1; n <= 2; n++) {
		__atomic_store_n(&s->done, n, __ATOMIC_RELEASE);
		while (__atomic_load_n(&s->step, __ATOMIC_ACQUIRE) < n)
			usleep(1000);
		s->wanted = cleanup_is_wanted();
		cleanup_wish();
	}
	__atomic_store_n(&s->done, 3, __ATOMIC_RELEASE);
	while (__atomic_load_n(&s->step, __ATOMIC_ACQUIRE) < 3)
		usleep(1000);
	return NULL;
}

static void
let_step(struct stepper *s, uint32_t n)
{
	__atomic_store_n(&s->step, n, __ATOMIC_RELEASE);
	while (__atomic_load_n(&s->done, __ATOMIC_ACQUIRE) < n + 1)
		usleep(1000);
}

static void
what_is_wanted_is_done_when_all_have_come_by(void **state)
{
	struct tide_room *room = &played.room;
	struct thing mine = { .brings = 100 }, its = { .brings = 1000 };
	struct stepper s = { .thing = &its };
	pthread_t thread;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, step, &s), 0);
	let_step(&s, 0);
	put(&mine, TIDE_CLEAN_COMPACT, 0, 0);
	assert_true(cleanup_is_ours(TIDE_WARNING));
	room->cleanups_wanted = 1;
	assert_true(cleanup_is_wanted());
	cleanup_wish();
	/* This one has done what it can, and asks no more. */
	assert_false(cleanup_is_wanted());
	cleanup_wish();
	assert_int_equal(mine.calls, 1);
	assert_int_equal(its.calls, 0);
	assert_int_equal(room->cleanups_done, 0);
	assert_true(room->wish_freed == 100);
	let_step(&s, 1);
	assert_true(s.wanted);
	assert_int_equal(its.calls, 1);
	assert_int_equal(room->cleanups_done, 1);
	assert_int_equal(room->wish_callbacks, 2);
	assert_true(room->wish_freed == 1100);

	/* Nor is it for one that has nothing of the kind. */
	room->cleanups_wanted = 2;
	room->cleanup_level = TIDE_WARNING;
	cleanup_wish();
	assert_int_equal(room->cleanups_done, 2);
	let_step(&s, 2);
	assert_false(s.wanted);
	assert_int_equal(mine.calls, 2);
	assert_int_equal(its.calls, 1);

	/* Without a callback, it is for who has some, while it lives. */
	assert_int_equal(cleanup_drop(mine.id), 0);
	assert_false(cleanup_is_ours(TIDE_CRITICAL));
	assert_true(cleanup_is_ours(TIDE_WARNING));
	room->cleanups_wanted = 3;
	cleanup_wish();
	assert_int_equal(room->cleanups_done, 2);
	assert_false(cleanup_is_wanted());
	__atomic_store_n(&s.step, 3, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (int i = 0; i < 1000 && !cleanup_is_wanted(); i++)
		usleep(1000);
	cleanup_wish();
	assert_int_equal(room->cleanups_done, 3);
	assert_true(cleanup_is_ours(TIDE_CRITICAL));
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    a_callback_is_called_by_its_own_thread_only, begin),
		cmocka_unit_test_setup(
		    what_is_wanted_is_done_when_all_have_come_by, begin),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
