/*
 * A heap of blocks that are made and freed at random, while marks are set; each
 * knows itself when it was made, and what a reader finds is to be the same.
 */
#include "own-segment.h"

#include <pthread.h>
#include <string.h>

#include "base/base.h"
#include "control/ages.h"
#include "control/mark.h"
#include "door/inside.h"
#include "heap/generation.h"
#include "some.h"

enum { SITES = 8, BLOCKS = 3000, THREADS = 3 };

struct block {
	uint32_t site;
	uint32_t generation; /* as its record would say */
	uint32_t column;     /* as we know ourselves */
	size_t bytes;        /* 0: it is free */
};

static struct control control;
static uint32_t sites[SITES];

static int
begin(void **state)
{
	int i;

	if (own_segment_setup(state) < 0)
		return -1;
	control = inside();
	for (i = 0; i < SITES; i++)
		sites[i] = site_of((uint32_t)segment_take(TABLE_NODES, 1), 0);
	return 0;
}

/* --- as door/record.c does it --------------------------------------------- */

static void
make(struct counts *counts, struct block *b, uint32_t site, size_t bytes)
{
	uint64_t stamp = stamp_now();
	struct count *c = counts != NULL ? counts_of(counts, site, stamp) :
	    NULL;

	*b = (struct block){ .site = site, .bytes = bytes,
	    .generation = stamp_generation(stamp),
	    .column = control.segment->watch.trend_used };
	if (c != NULL)
		count_alloc(c, bytes, 0);
	else
		site_shared_alloc(site, b->generation, bytes, 0);
}

static void
give_back(struct counts *counts, struct block *b)
{
	uint64_t stamp = stamp_now();
	struct count *c = counts != NULL ? counts_of(counts, b->site, stamp) :
	    NULL;

	if (c != NULL) {
		count_free(c, b->bytes, 0, false);
		if (b->generation != stamp_generation(stamp))
			generation_free(c, b->site, b->generation, b->bytes);
	} else {
		site_shared_free(b->site, b->generation, b->bytes, 0, false);
	}
	b->bytes = 0;
}

/* --- and what must come of it --------------------------------------------- */

static void
set_mark(struct block *blocks, size_t count)
{
	uint32_t used = control.segment->watch.trend_used;
	size_t i;

	assert_true(mark_set(&control, MARK_BATCH, "b", 1) >= 0);
	if (generation_is_due(control.segment))
		generation_follow();
	if (control.segment->watch.trend_used >= used)
		return;
	/* Every other mark is gone; what is between two others is together. */
	for (i = 0; i < count; i++)
		blocks[i].column = (blocks[i].column + 1) / 2;
}

static void
assert_ages(const struct block *blocks, size_t count)
{
	static int64_t expected[SITES][TREND_COLUMNS];
	static struct age_columns ages[100];
	size_t i, k;

	memset(expected, 0, sizeof(expected));
	memset(ages, 0, sizeof(ages));
	for (i = 0; i < count; i++)
		if (blocks[i].bytes != 0)
			expected[blocks[i].site - sites[0]][blocks[i].column] +=
			    (int64_t)blocks[i].bytes;
	ages_sum(&control, ages, 100);
	for (i = 0; i < SITES; i++)
		for (k = 0; k < TREND_COLUMNS; k++)
			assert_true(ages[sites[i]].live_bytes[k] ==
			    expected[i][k]);
}

/* Three threads in one: which of them frees is chance. */
static void
what_is_live_is_known_by_its_age(void **state)
{
	static struct block blocks[BLOCKS];
	struct counts counts[THREADS];
	int step, i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		counts_open(&counts[i], tally_claim());
	for (step = 0; step < 200000; step++) {
		struct block *b = &blocks[some(BLOCKS)];
		uint32_t who = some(THREADS + 1);
		struct counts *c = who < THREADS ? &counts[who] : NULL;

		if (b->bytes != 0)
			give_back(c, b);
		else
			make(c, b, sites[some(SITES)], 16 + some(100));
		if (step % 1000 == 0)
			set_mark(blocks, BLOCKS);
		if (step % 4999 == 0)
			assert_ages(blocks, BLOCKS);
	}
	assert_true(control.segment->watch.trend_stride > 4);
	assert_ages(blocks, BLOCKS);
	/* However often they were thinned out, a site has a row a group. */
	assert_true(control_count(&control, TABLE_AGES) <=
	    1 + SITES * AGES_GROUPS);
}

/*
 * What a thread has counted before it heard of the new generation, and what one
 * frees that is itself of an older one: nothing of it is lost, whoever comes
 * first.
 */
static void
a_count_that_was_left_behind_is_read_all_the_same(void **state)
{
	struct block blocks[4] = { 0 };
	struct counts early, late;

	(void)state;
	counts_open(&early, tally_claim());
	counts_open(&late, tally_claim());
	set_mark(blocks, 4);
	make(&early, &blocks[0], sites[0], 1000);
	set_mark(blocks, 4);
	set_mark(blocks, 4);
	make(&late, &blocks[1], sites[0], 20);
	assert_ages(blocks, 4);
	give_back(&late, &blocks[0]); /* early's count has not moved */
	assert_ages(blocks, 4);
	make(&early, &blocks[2], sites[0], 3);
	assert_ages(blocks, 4);
}

/* What most sites do: nothing that is noted, nothing that takes a row. */
static void
a_site_has_a_row_when_something_outlives_its_generation(void **state)
{
	struct block blocks[3] = { 0 };
	struct counts counts;

	(void)state;
	counts_open(&counts, tally_claim());
	make(&counts, &blocks[0], sites[0], 100); /* of the first */
	set_mark(blocks, 3);
	make(&counts, &blocks[1], sites[1], 10);
	give_back(&counts, &blocks[1]);
	give_back(&counts, &blocks[0]);
	make(&counts, &blocks[1], sites[1], 10);
	set_mark(blocks, 3);
	assert_int_equal(control_count(&control, TABLE_AGES), 1);
	make(&counts, &blocks[2], sites[1], 5);
	assert_ages(blocks, 3);
	assert_int_equal(control_count(&control, TABLE_AGES), 2);
}

static struct block *of_thread[THREADS];

static void *
work(void *context)
{
	uintptr_t me = (uintptr_t)context;
	struct block *blocks = of_thread[me];
	unsigned random = (unsigned)me;
	struct counts counts;
	int step;

	counts_open(&counts, tally_claim());
	for (step = 0; step < 300000; step++) {
		struct block *b;

		random = random * 1664525 + 1013904223;
		b = &blocks[(random >> 8) % BLOCKS];
		if (b->bytes != 0)
			give_back(&counts, b);
		else
			make(&counts, b, sites[random >> 12 & 7], 64);
	}
	for (step = 0; step < BLOCKS; step++)
		if (blocks[step].bytes != 0)
			give_back(&counts, &blocks[step]);
	return NULL;
}

/*
 * Marks are set while they work.  When all is freed, nothing is left at any
 * age, but for what fell between two columns while they were thinned out: a
 * block a thread each time, on one side and on the other.
 */
static void
threads_leave_nothing_behind(void **state)
{
	static struct age_columns ages[100];
	pthread_t thread[THREADS];
	uint64_t amiss = 0;
	int i, k;

	(void)state;
	for (i = 0; i < THREADS; i++) {
		of_thread[i] = calloc(BLOCKS, sizeof(struct block));
		assert_int_equal(pthread_create(&thread[i], NULL, work,
		    (void *)(uintptr_t)i), 0);
	}
	for (i = 0; i < 200; i++) {
		set_mark(NULL, 0);
		usleep(500);
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		free(of_thread[i]);
	}
	memset(ages, 0, sizeof(ages));
	ages_sum(&control, ages, 100);
	for (i = 0; i < SITES; i++) {
		int64_t all = 0;

		for (k = 0; k < TREND_COLUMNS; k++) {
			int64_t bytes = ages[sites[i]].live_bytes[k];

			all += bytes;
			amiss += (uint64_t)(bytes < 0 ? -bytes : bytes);
		}
		assert_true(all == 0);
	}
	/* Four times at most were they thinned out. */
	assert_in_range(amiss, 0, 4 * THREADS * 2 * 64);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, begin, own_segment_teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_is_live_is_known_by_its_age),
		TEST(a_count_that_was_left_behind_is_read_all_the_same),
		TEST(a_site_has_a_row_when_something_outlives_its_generation),
		TEST(threads_leave_nothing_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
