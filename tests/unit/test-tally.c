#include "own-segment.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

#include "heap/tally.h"

static struct tally *
fresh(void)
{
	struct tally *t = tally_claim();

	assert_int_not_equal(t->state, TALLY_SHARED);
	return t;
}

static void
the_peak_of_one_thread_is_exact(void **state)
{
	struct segment_live *live = &segment_mine()->live;
	struct tally *t = fresh();
	int64_t before = live->bytes;
	unsigned random = 1;
	int64_t now = 0;
	int64_t peak = 0;
	int i;

	(void)state;
	for (i = 0; i < 100000; i++) {
		uint64_t n = (random = random * 1664525 + 1013904223) >> 20;

		if (now > (int64_t)n && (random >> 12 & 1)) {
			if (tally_free(t, t, n))
				tally_look(t);
			now -= (int64_t)n;
		} else {
			if (tally_alloc(t, NULL, n))
				tally_look(t);
			now += (int64_t)n;
		}
		peak = now > peak ? now : peak;
	}
	tally_look(t);
	assert_int_equal(tally_net(t), now);
	assert_int_equal(live->bytes, before + now);
	assert_int_equal(live->peak_bytes, before + peak);
	assert_int_equal(tally_process_bytes(t, tally_net(t)), before + now);
}

static void
a_free_of_the_last_block_is_temporary_and_of_another_is_not(void **state)
{
	struct tally *t = fresh();
	char a, b;

	(void)state;
	tally_alloc(t, &a, 16);
	tally_alloc(t, &b, 16);
	tally_free(t, &a, 16);
	assert_int_equal(t->temporary, 0);
	tally_free(t, &b, 16);
	assert_int_equal(t->temporary, 1);
	tally_free(t, &b, 16); /* only once */
	assert_int_equal(t->temporary, 1);
}

static void
requested_bytes_have_a_peak_of_their_own(void **state)
{
	struct segment_live *live = &segment_mine()->live;
	struct tally *t = fresh();
	int64_t before = live->requested_bytes;

	(void)state;
	tally_request(t, 1000);
	tally_request(t, 500);
	tally_unrequest(t, 1000);
	tally_request(t, 100);
	tally_look(t);
	assert_int_equal(live->requested_bytes - before, 600);
	assert_int_equal(live->peak_requested_bytes - before, 1500);
}

static struct tally *signalled;
static volatile sig_atomic_t signals;

static void
count_in_handler(int signal)
{
	(void)signal;
	tally_alloc(signalled, NULL, 3);
	signals++;
}

static void
a_signal_between_two_adds_loses_nothing(void **state)
{
	struct itimerval often = { { 0, 50 }, { 0, 50 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = count_in_handler };
	const long rounds = 20000000;
	long i;

	(void)state;
	signalled = fresh();
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	for (i = 0; i < rounds; i++)
		tally_alloc(signalled, NULL, 5);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_int_not_equal(signals, 0);
	assert_int_equal(signalled->allocations, rounds + signals);
	assert_int_equal(signalled->allocated, 5 * rounds + 3 * signals);
	tally_free(signalled, NULL, 5); /* it was as high as that until now */
	assert_int_equal(signalled->high, 5 * rounds + 3 * signals);
}

/* The program frees all the time while a handler allocates. */
static void
a_top_that_a_signal_makes_is_seen(void **state)
{
	struct itimerval often = { { 0, 50 }, { 0, 50 } };
	struct itimerval never = { { 0, 0 }, { 0, 0 } };
	struct sigaction action = { .sa_handler = count_in_handler };
	int too_low = 0, too_high = 0;

	(void)state;
	signalled = fresh();
	signals = 0;
	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	while (signals < 1000) {
		sig_atomic_t before = signals;
		int64_t held;

		signalled->high = 0;
		tally_alloc(signalled, NULL, 500);
		held = tally_net(signalled);
		tally_free(signalled, NULL, 500);
		too_low += signalled->high < held;
		too_high += signalled->high > held +
		    3 * (signals - before);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	assert_int_equal(too_low, 0);
	assert_int_equal(too_high, 0);
}

static void *
come_and_go(void *context)
{
	struct tally *t = tally_claim();

	(void)context;
	tally_alloc(t, NULL, 7);
	tally_leave(t);
	return NULL;
}

static void
rows_of_ended_threads_are_used_again_and_keep_their_counts(void **state)
{
	const struct segment_table *table =
	    &segment_mine()->table[TABLE_TALLIES];
	uint64_t used = table->used;
	uint64_t blocks, more;
	int64_t bytes, requested, bytes_then;
	pthread_t thread;
	int i;

	(void)state;
	tally_sum(&blocks, &bytes, &requested);
	for (i = 0; i < 1000; i++) {
		assert_int_equal(pthread_create(&thread, NULL, come_and_go,
		    NULL), 0);
		pthread_join(thread, NULL);
	}
	tally_sum(&more, &bytes_then, &requested);
	assert_int_equal(more - blocks, 1000);
	assert_int_equal(bytes_then - bytes, 7000);
	/* pthread_join() returns a little before the kernel lets go. */
	assert_true(table->used - used < 20);
}

static void
a_row_taken_over_tells_its_owners_apart(void **state)
{
	pthread_t thread;
	struct tally *t;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, come_and_go, NULL), 0);
	pthread_join(thread, NULL);
	usleep(10000);
	t = fresh();
	assert_int_equal(t->base_allocated, t->allocated);
	assert_int_equal(t->base_allocations, t->allocations);
	assert_int_equal(t->tid, gettid());
}

/* Threads that come, count and go, all at once, and rows that change hands. */
#define BLOCKS 50

static void *
come_and_go_often(void *context)
{
	struct tally *t = tally_claim();

	(void)context;
	for (int i = 0; i < BLOCKS; i++) {
		tally_alloc(t, NULL, 24);
		tally_request(t, 20);
	}
	tally_leave(t);
	return NULL;
}

static _Atomic bool summing;

/* What was counted stays counted: no sum is below an earlier one. */
static void *
sum_all_the_time(void *context)
{
	uint64_t most = 0;
	uintptr_t wrong = 0;

	(void)context;
	while (summing) {
		uint64_t blocks;
		int64_t bytes, requested;

		tally_sum(&blocks, &bytes, &requested);
		wrong += blocks < most;
		most = blocks;
	}
	return (void *)wrong;
}

static void
a_sum_beside_threads_that_come_and_go_never_falls(void **state)
{
	uint64_t before, after;
	int64_t bytes, bytes_then, requested, requested_then;
	pthread_t thread[8], reader;
	void *wrong;

	(void)state;
	tally_sum(&before, &bytes, &requested);
	atomic_store(&summing, true);
	assert_int_equal(pthread_create(&reader, NULL, sum_all_the_time,
	    NULL), 0);
	for (int round = 0; round < 50; round++) {
		for (int i = 0; i < 8; i++)
			assert_int_equal(pthread_create(&thread[i], NULL,
			    come_and_go_often, NULL), 0);
		for (int i = 0; i < 8; i++)
			pthread_join(thread[i], NULL);
	}
	atomic_store(&summing, false);
	pthread_join(reader, &wrong);
	assert_null(wrong);
	tally_sum(&after, &bytes_then, &requested_then);
	assert_int_equal(after - before, 50 * 8 * BLOCKS);
	assert_int_equal(bytes_then - bytes, 50 * 8 * BLOCKS * 24);
	assert_int_equal(requested_then - requested, 50 * 8 * BLOCKS * 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_peak_of_one_thread_is_exact),
		cmocka_unit_test(
		    a_free_of_the_last_block_is_temporary_and_of_another_is_not),
		cmocka_unit_test(requested_bytes_have_a_peak_of_their_own),
		cmocka_unit_test(a_signal_between_two_adds_loses_nothing),
		cmocka_unit_test(a_top_that_a_signal_makes_is_seen),
		cmocka_unit_test(
		    rows_of_ended_threads_are_used_again_and_keep_their_counts),
		cmocka_unit_test(a_row_taken_over_tells_its_owners_apart),
		cmocka_unit_test(
		    a_sum_beside_threads_that_come_and_go_never_falls),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
