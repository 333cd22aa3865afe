#include "own-segment.h"

#include <math.h>
#include <string.h>

#include "base/base.h"
#include "heap/sample.h"

static struct tally *t;
static struct sampler sampler;

static int
set_up(void **state)
{
	if (own_segment_setup(state) != 0)
		return -1;
	t = tally_claim();
	return 0;
}

static void
begin(uint64_t mean, uint64_t seed)
{
	segment_mine()->config.sample_bytes = mean;
	sample_begin(&sampler, t, seed);
	t->until_look = sample_distance(&sampler, t);
}

/* An allocation as malloc() does it: the sampler is asked when it is due. */
static enum sample
alloc(size_t usable)
{
	enum sample sample;

	if (!tally_alloc(t, t, usable))
		return SAMPLE_NOT;
	sample = sample_draw(&sampler, t, usable);
	t->until_look = sample_distance(&sampler, t);
	return sample;
}

/* Frees only make it ask sooner. */
static void
give_back(size_t usable)
{
	if (tally_free(t, NULL, usable))
		t->until_look = sample_distance(&sampler, t);
}

/* Of @n blocks of @usable bytes, between others: are as many drawn as should? */
static void
assert_drawn(uint64_t mean, size_t usable, int n)
{
	double p = sampling_chance(usable, mean);
	double most = 4 * sqrt(n * p * (1 - p)) + 1e-9;
	uint32_t random = 1;
	int drawn = 0;

	begin(mean, 42);
	for (int i = 0; i < n; i++) {
		enum sample sample = alloc(usable);

		assert_int_equal(sample == SAMPLE_WHOLE, usable >= mean);
		drawn += sample != SAMPLE_NOT;
		random = random * 1664525 + 1013904223;
		(void)alloc(random >> 18);
		give_back(random >> 18);
	}
	if (fabs(drawn - n * p) > most)
		fail_msg("%zu of %llu: %d drawn, not %.1f", usable,
		    (unsigned long long)mean, drawn, n * p);
}

static void
blocks_are_drawn_as_often_as_the_law_says(void **state)
{
	(void)state;
	assert_drawn(65536, 16, 2000000);
	assert_drawn(65536, 500, 500000);
	assert_drawn(65536, 30000, 100000);
	assert_drawn(65536, 65535, 100000);
	assert_drawn(524288, 100000, 100000);
	assert_drawn(100, 24, 200000);
}

static void
large_blocks_are_all_met(void **state)
{
	(void)state;
	assert_drawn(65536, 65536, 10000);
	assert_drawn(1000, 1000, 100000);
	assert_drawn(1000, 100000, 1000);
	assert_drawn(1, 1, 100000);
}

/*
 * In the middle the rate is another: each block is weighed by the one that it
 * was drawn at, and the sum is right all along.
 */
static void
a_rate_may_be_changed_at_any_time(void **state)
{
	const int seeds = 400, blocks = 20000;
	double sum = 0, squares = 0, truth = 0, mean, error;

	(void)state;
	for (int seed = 1; seed <= seeds; seed++) {
		double bytes = 0;

		begin(4096, (uint64_t)seed);
		truth = 0;
		for (int i = 0; i < blocks; i++) {
			size_t usable = 16 + (size_t)i * 13 % 600;
			enum sample sample;

			if (i == blocks / 3)
				segment_mine()->config.sample_bytes = 40000;
			if (i == blocks / 2)
				segment_mine()->config.sample_bytes = 300;
			sample = alloc(usable);
			truth += (double)usable;
			if (sample == SAMPLE_DRAWN)
				bytes += sample_weigh(sampler.rate,
				    usable).bytes;
			else if (sample == SAMPLE_WHOLE)
				bytes += (double)usable;
		}
		sum += bytes;
		squares += (bytes - truth) * (bytes - truth);
	}
	mean = sum / seeds;
	error = sqrt(squares / seeds / seeds);
	if (fabs(mean - truth) > 4 * error)
		fail_msg("%.0f, and not %.0f +- %.0f", mean, truth, error);
	assert_true(error > 0 && error < truth / 100);
}

/* The sampler's own rate is the next one's: what was drawn kept its number. */
static void
a_block_keeps_the_rate_that_it_was_drawn_at(void **state)
{
	uint32_t first;

	(void)state;
	begin(777, 1);
	first = sampler.rate;
	segment_mine()->config.sample_bytes = 778;
	(void)sample_distance(&sampler, t);
	assert_int_not_equal(sampler.rate, first);
	assert_true(sample_weigh(first, 100).bytes ==
	    sampling_weigh(100, 777).bytes);
	assert_true(sample_weigh(sampler.rate, 100).bytes ==
	    sampling_weigh(100, 778).bytes);
	begin(777, 2);
	assert_int_equal(sampler.rate, first);
}

static void
pages_with_records_are_known(void **state)
{
	char *block = (char *)0x7f0000123000;

	(void)state;
	assert_false(sample_may_have(block));
	sample_note(block + 64);
	sample_note(block + 4000);
	assert_true(sample_may_have(block + 1000));
	assert_false(sample_may_have(block + 4096));
	sample_forget(block + 64);
	assert_true(sample_may_have(block));
	sample_forget(block + 4000);
	assert_false(sample_may_have(block));
	sample_forget(block); /* one too many does no harm */
	assert_false(sample_may_have(block));
}

/* More than a byte can count: then it is asked about for ever. */
static void
a_page_full_of_records_is_not_forgotten(void **state)
{
	char *block = (char *)0x7f0000124000;

	(void)state;
	for (int i = 0; i < 300; i++)
		sample_note(block);
	for (int i = 0; i < 300; i++)
		sample_forget(block);
	assert_true(sample_may_have(block));
}

static double
variance_of(uint32_t site)
{
	const struct estimate *e = (struct estimate *)segment_rows(
	    TABLE_ESTIMATES) + site;
	uint64_t bits = e->variance;
	double variance;

	memcpy(&variance, &bits, sizeof(variance));
	return variance;
}

static void
what_was_drawn_and_freed_leaves_nothing(void **state)
{
	uint32_t site = site_of((uint32_t)segment_take(TABLE_NODES, 1), 0);
	const struct estimate *e = (struct estimate *)segment_rows(
	    TABLE_ESTIMATES) + site;
	struct sampling_weight w[50];
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		w[i] = sampling_weigh(16 + (uint64_t)i * 977, 524288);
		site_draw(site, 0, &w[i]);
	}
	assert_int_equal(e->drawn, 50);
	assert_true(variance_of(site) > 0);
	for (i = 0; i < 50; i++)
		site_draw_free(site, 0, &w[i], i % 5 == 0);
	assert_int_equal(e->allocated_bytes, e->freed_bytes);
	assert_int_equal(e->allocations, e->frees);
	assert_true(e->temporary > 0);
	/* But for what doubles lose of sums of 10^12. */
	assert_true(variance_of(site) < 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(blocks_are_drawn_as_often_as_the_law_says),
		cmocka_unit_test(large_blocks_are_all_met),
		cmocka_unit_test(a_rate_may_be_changed_at_any_time),
		cmocka_unit_test(a_block_keeps_the_rate_that_it_was_drawn_at),
		cmocka_unit_test(pages_with_records_are_known),
		cmocka_unit_test(a_page_full_of_records_is_not_forgotten),
		cmocka_unit_test(what_was_drawn_and_freed_leaves_nothing),
	};

	return cmocka_run_group_tests(tests, set_up, own_segment_teardown);
}
