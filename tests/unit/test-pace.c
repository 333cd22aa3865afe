/*
 * test-pace.c - what others take of a CPU is known, and what one waits for is not
 * mistaken for it
 */
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "plan/pace.h"
#include "sys/sys.h"

static const struct pace unmet;

static void
skip_if_it_is_not_told(void)
{
	struct pace now;

	pace_read(&unmet, &now);
	if (now.tid == 0) {
		print_message("without schedstat in /proc\n");
		skip();
	}
}

/* One that wants the same CPU as we. */
static pid_t
start_rival(void)
{
	const int cpu = sched_getcpu();
	cpu_set_t one;
	pid_t pid;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (volatile int i = 0;; i++)
		;
}

static void
what_a_rival_takes_is_told_and_is_no_more_than_went_by(void **state)
{
	struct pace first, now;
	uint64_t began, waited;
	pid_t rival;

	(void)state;
	skip_if_it_is_not_told();
	rival = start_rival();
	began = sys_clock();
	pace_read(&unmet, &first);
	now = first;
	alarm(120); /* it is hung, and not slow */
	while ((waited = pace_waited(&first, &now)) < NS_PER_MS)
		pace_read(&now, &now);
	alarm(0);
	assert_true(waited <= sys_clock() - began);
	assert_true(now.switches != first.switches);
	kill(rival, SIGKILL);
	assert_int_equal(waitpid(rival, NULL, 0), rival);
}

static void
sleep_is_not_taken_for_it(void **state)
{
	const struct timespec nap = { .tv_nsec = 20 * NS_PER_MS };
	struct pace first, now;
	uint64_t began;

	(void)state;
	skip_if_it_is_not_told();
	pace_read(&unmet, &first);
	began = sys_clock();
	nanosleep(&nap, NULL);
	pace_read(&first, &now);
	assert_true(sys_clock() - began - pace_waited(&first, &now) >=
	    20 * NS_PER_MS);
}

static void
who_was_not_switched_is_where_it_was(void **state)
{
	struct pace known, now;

	(void)state;
	skip_if_it_is_not_told();
	do {
		pace_read(&unmet, &known);
		known.waited_ns = 42; /* the kernel would not say so */
		pace_read(&known, &now);
	} while (now.switches != known.switches);
	assert_int_equal(now.waited_ns, 42);
	assert_int_equal(now.tid, sys_tid());
}

static void
two_threads_or_none_have_nothing_between_them(void **state)
{
	struct pace a = { .waited_ns = 5, .tid = 1 };
	struct pace b = { .waited_ns = 9, .tid = 1 };

	(void)state;
	assert_int_equal(pace_waited(&a, &b), 4);
	assert_int_equal(pace_waited(&b, &a), 0);
	b.tid = 2;
	assert_int_equal(pace_waited(&a, &b), 0);
	assert_int_equal(pace_waited(&unmet, &a), 0);
	assert_int_equal(pace_waited(&a, &unmet), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_a_rival_takes_is_told_and_is_no_more_than_went_by),
		cmocka_unit_test(sleep_is_not_taken_for_it),
		cmocka_unit_test(who_was_not_switched_is_where_it_was),
		cmocka_unit_test(two_threads_or_none_have_nothing_between_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
