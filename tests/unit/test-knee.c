#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/base.h"
#include "model/knee.h"
#include "model/numbers.h"

static struct knee knee;
static uint64_t random_now;

/* Even in -1 to 1. */
static double
noise(void)
{
	random_now += UINT64_C(0x9e3779b97f4a7c15);
	return (double)(mix_u64(random_now) >> 11) / 4503599627370496.0 - 1;
}

/* ns that an item takes in a batch of n. */
static double
valley(double n, double call_us, double bottom, double steep)
{
	double over = numbers_log(n / bottom);

	return 1e3 * (20 + call_us / n +
	    (over > 0 ? steep * over * over : 0));
}

struct work {
	const char *name;
	double call_us, bottom, steep; /* of valley() */
	double noise;
	uint32_t most;                 /* that memory allows */
};

/* Work through @items; the time all that took, in ns. */
static double
work_through(const struct work *w, uint64_t items, uint32_t *batches)
{
	double time = 0, ns;
	uint32_t n;

	*batches = 0;
	while (items > 0) {
		n = knee_cap(&knee);
		if (n > w->most)
			n = w->most;
		if (n > items)
			n = (uint32_t)items;
		ns = n * valley(n, w->call_us, w->bottom, w->steep) *
		    (1 + w->noise * noise());
		time += ns;
		knee_learn(&knee, n, (uint64_t)ns, n == w->most);
		items -= n;
		++*batches;
	}
	return time;
}

static double
best_time(const struct work *w, uint64_t items)
{
	double best = 1e300, ns;
	uint32_t n;

	for (n = 1; n <= w->most; n++) {
		ns = valley(n, w->call_us, w->bottom, w->steep);
		best = ns < best ? ns : best;
	}
	return best * (double)items;
}

static const struct work works[] = {
	{ "a valley", 320, 32, 20, 0.02, 4096 },
	{ "a valley, with noise", 320, 32, 20, 0.15, 4096 },
	{ "a narrow one", 320, 16, 200, 0.05, 4096 },
	{ "small batches", 20, 2, 10, 0.05, 4096 },
	{ "the larger the better", 2000, 1e9, 0, 0.05, 1000 },
	{ "memory is the bound", 2000, 1e9, 0, 0.05, 37 },
	{ "all the same", 0, 1e9, 0, 0.05, 4096 },
};

static void
it_is_as_fast_as_the_best_size_soon(void **state)
{
	double time;
	uint32_t batches;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(works); i++) {
		random_now = i;
		knee_open(&knee);
		time = work_through(&works[i], 20000, &batches);
		if (best_time(&works[i], 20000) < 0.85 * time)
			fail_msg("%s: %.2f of the best", works[i].name,
			    best_time(&works[i], 20000) / time);
	}
}

static void
in_the_long_run_it_is_nearly_that(void **state)
{
	double time;
	uint32_t batches;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(works); i++) {
		random_now = i;
		knee_open(&knee);
		(void)work_through(&works[i], 20000, &batches);
		time = work_through(&works[i], 200000, &batches);
		if (best_time(&works[i], 200000) < 0.93 * time)
			fail_msg("%s: %.2f of the best", works[i].name,
			    best_time(&works[i], 200000) / time);
	}
}

static void
of_sizes_as_fast_the_smallest_is_used(void **state)
{
	struct knee_report report;
	uint32_t batches;

	(void)state;
	random_now = 7;
	knee_open(&knee);
	knee_read(&knee, &report);
	assert_int_equal(report.n, 0);
	(void)work_through(&works[6], 20000, &batches);
	knee_read(&knee, &report);
	assert_true(report.settled);
	assert_in_range(report.n, 1, 16);
}

static void
it_tells_what_larger_ones_would_cost(void **state)
{
	struct knee_report report;
	uint32_t batches;

	(void)state;
	random_now = 3;
	knee_open(&knee);
	(void)work_through(&works[0], 20000, &batches);
	knee_read(&knee, &report);
	assert_true(report.settled);
	assert_in_range(report.n, 16, 64);
	assert_true(report.largest > report.n);
	assert_true(report.largest_ns > report.ns * 1.10);
}

static void
a_work_that_changes_is_followed(void **state)
{
	const struct work before = { "", 320, 32, 20, 0.02, 4096 };
	const struct work after = { "", 20, 2, 10, 0.02, 4096 };
	const struct work larger = { "", 5000, 512, 20, 0.02, 4096 };
	struct knee_report report;
	uint32_t batches;

	(void)state;
	random_now = 1;
	knee_open(&knee);
	(void)work_through(&before, 40000, &batches);
	(void)work_through(&after, 40000, &batches);
	knee_read(&knee, &report);
	assert_in_range(report.n, 1, 6);
	(void)work_through(&larger, 400000, &batches);
	knee_read(&knee, &report);
	assert_in_range(report.n, 192, 1024);
}

static void
memory_bounds_it_and_gives_room_again(void **state)
{
	struct work w = { "", 2000, 1e9, 0, 0.01, 20 };
	struct knee_report report;
	uint32_t batches;

	(void)state;
	random_now = 1;
	knee_open(&knee);
	(void)work_through(&w, 20000, &batches);
	knee_read(&knee, &report);
	assert_in_range(report.n, 12, 20);
	w.most = 4096;
	(void)work_through(&w, 2000000, &batches);
	knee_read(&knee, &report);
	assert_true(report.n > 64);
}

/* Batches of what the knee allows, and of @room at most. */
static void
work_in(uint32_t room, double item_ns, uint32_t batches)
{
	uint32_t n, cap;

	while (batches-- > 0) {
		cap = knee_cap(&knee);
		n = cap < room ? cap : room;
		knee_learn(&knee, n, (uint64_t)(3e6 + item_ns * n), room < cap);
	}
}

static void
after_a_burst_it_goes_on_as_before(void **state)
{
	uint32_t before;

	(void)state;
	knee_open(&knee);
	work_in(100000, 1000, 400);
	before = knee_cap(&knee);
	assert_true(before > 1024);
	work_in(140, 6000, 4); /* large items: few fit */
	assert_int_equal(knee_cap(&knee), before);
	work_in(100000, 1000, 1);
	assert_true(knee_cap(&knee) >= before);
}

static void
where_memory_ended_the_ramp_it_goes_on_with_more(void **state)
{
	(void)state;
	knee_open(&knee);
	work_in(100, 1000, 100);
	assert_in_range(knee_cap(&knee), 64, 127);
	work_in(100000, 1000, 40);
	assert_true(knee_cap(&knee) > 1024);
}

static void
memory_that_stays_short_is_a_change(void **state)
{
	struct knee_report report;

	(void)state;
	knee_open(&knee);
	work_in(100000, 1000, 400);
	work_in(140, 6000, 60);
	assert_in_range(knee_cap(&knee), 16, 191);
	knee_read(&knee, &report);
	assert_in_range(report.n, 16, 191);
}

/* While nothing is known of what is usual. */
static uint64_t
pays(void)
{
	return knee_bytes(&knee, knee_cap(&knee), 0);
}

static void
the_ramp_ends_where_a_call_is_paid_for(void **state)
{
	uint32_t n, most = 0;
	int i;

	(void)state;
	/* 340 us a call, 20 an item: beyond 256 less than 3 % is to be saved,
	 * beyond 512 less than 1.6. */
	knee_open(&knee);
	for (i = 0; i < 400; i++) {
		n = knee_cap(&knee);
		if (n > most)
			most = n;
		knee_learn(&knee, n, 340000 + n * UINT64_C(20000), false);
	}
	assert_in_range(knee_cap(&knee), 96, 384);
	assert_true(most <= 512);
}

static void
while_sizes_are_tried_a_burst_is_closed(void **state)
{
	int i;

	(void)state;
	knee_open(&knee);
	assert_int_equal(knee_bytes(&knee, 4, 1000), 0);
	assert_int_equal(knee_bytes(&knee, 100, 0), 0);
	assert_int_equal(knee_bytes(&knee, 100, 1000), 2000);
	/* If it lasts it is none. */
	for (i = 0; i < 13; i++) {
		assert_int_equal(knee_bytes(&knee, 100, 1000), 2000);
		knee_grew(&knee, 20, 2000, true);
	}
	assert_int_equal(knee_bytes(&knee, 100, 1000), 0);
	knee_grew(&knee, 100, 1000, false);
	assert_int_equal(knee_bytes(&knee, 100, 1000), 2000);
}

static void
a_batch_of_few_large_items_is_large_enough(void **state)
{
	uint32_t i;

	(void)state;
	knee_open(&knee);
	for (i = 0; i < 300; i++) {
		assert_true(pays() == 0 || i > 5);
		knee_grew(&knee, knee_cap(&knee), knee_cap(&knee) * 1000,
		    false);
		knee_learn(&knee, knee_cap(&knee),
		    320000 + knee_cap(&knee) * (20000 + (knee_cap(&knee) >
		    32 ? 1000 * knee_cap(&knee) : 0)), false);
	}
	assert_in_range(knee_cap(&knee), 16, 64);
	assert_in_range(pays(), knee_cap(&knee) * 1900,
	    knee_cap(&knee) * 2100);
	/* What is no slower for it is let go, in the end. */
	i = knee_cap(&knee);
	while (pays() < UINT64_C(100000000)) {
		knee_grew(&knee, i / 4, pays(), true);
		assert_true(pays() > 0);
	}
}

static void
odd_numbers_change_nothing(void **state)
{
	const struct knee zero = { .now = 0 };

	(void)state;
	knee_open(&knee);
	knee_learn(&knee, 0, 5, false);
	knee_learn(&knee, 5, 0, false);
	assert_memory_equal(&knee, &zero, sizeof(knee));
	assert_int_equal(knee_cap(&knee), 1);
	knee_learn(&knee, UINT32_MAX, UINT64_MAX, false);
	assert_int_equal(knee_cap(&knee), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_as_fast_as_the_best_size_soon),
		cmocka_unit_test(in_the_long_run_it_is_nearly_that),
		cmocka_unit_test(of_sizes_as_fast_the_smallest_is_used),
		cmocka_unit_test(it_tells_what_larger_ones_would_cost),
		cmocka_unit_test(a_work_that_changes_is_followed),
		cmocka_unit_test(memory_bounds_it_and_gives_room_again),
		cmocka_unit_test(after_a_burst_it_goes_on_as_before),
		cmocka_unit_test(
		    where_memory_ended_the_ramp_it_goes_on_with_more),
		cmocka_unit_test(memory_that_stays_short_is_a_change),
		cmocka_unit_test(the_ramp_ends_where_a_call_is_paid_for),
		cmocka_unit_test(while_sizes_are_tried_a_burst_is_closed),
		cmocka_unit_test(a_batch_of_few_large_items_is_large_enough),
		cmocka_unit_test(odd_numbers_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
