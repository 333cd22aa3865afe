#include "own-segment.h"

#include <pthread.h>

#include "base/base.h"

static const struct site *
row(uint32_t site)
{
	return (const struct site *)segment_rows(TABLE_SITES) + site;
}

static uint32_t
new_site(uint32_t flags)
{
	return site_of((uint32_t)segment_take(TABLE_NODES, 1), flags);
}

/* What a site held at the peak, by the rule in base/segment.h. */
static int64_t
at_peak(uint32_t site)
{
	const struct site *s = row(site);

	if (!segment_mine()->live.rising &&
	    s->epoch == segment_mine()->live.peak_epoch)
		return s->at_peak_bytes;
	return (int64_t)(s->allocated_bytes - s->freed_bytes);
}

static void
the_known_sites_are_where_they_are_said_to_be(void **state)
{
	const struct node *nodes = segment_rows(TABLE_NODES);

	(void)state;
	assert_int_equal(nodes[row(SITE_NO_STACK)->leaf].pc, NODE_NO_STACK);
	assert_int_equal(nodes[row(SITE_FULL)->leaf].pc, NODE_FULL);
}

static void
a_leaf_has_one_site(void **state)
{
	uint32_t leaf = (uint32_t)segment_take(TABLE_NODES, 1);
	uint32_t site = site_of(leaf, 0);

	(void)state;
	assert_true(site > SITE_FULL);
	assert_int_equal(site_of(leaf, 0), site);
	assert_int_equal(row(site)->leaf, leaf);
	assert_int_not_equal(new_site(0), site);
}

static void
figures_add_up(void **state)
{
	uint32_t site = new_site(0);
	const struct site *s = row(site);

	(void)state;
	site_alloc(site, 24, 20, 24);
	site_alloc(site, 40, 33, 64);
	site_free(site, 24, 20, true);
	assert_int_equal(s->allocations, 2);
	assert_int_equal(s->frees, 1);
	assert_int_equal(s->allocated_bytes, 64);
	assert_int_equal(s->freed_bytes, 24);
	assert_int_equal(s->requested_bytes, 53);
	assert_int_equal(s->requested_freed_bytes, 20);
	assert_int_equal(s->temporary, 1);
}

/*
 * A heap of twenty sites that goes up and down at random; beside it an oracle
 * that copies everything at each new peak.
 */
static void
every_site_knows_what_it_held_at_the_peak(void **state)
{
	enum { SITES = 20, STEPS = 20000 };
	uint32_t site[SITES];
	int64_t live[SITES] = { 0 };
	int64_t then[SITES] = { 0 };
	int64_t total = segment_mine()->live.peak_bytes;
	int64_t peak = total;
	unsigned random = 7;
	int i, step;

	(void)state;
	for (i = 0; i < SITES; i++)
		site[i] = new_site(0);
	for (step = 0; step < STEPS; step++) {
		random = random * 1664525 + 1013904223;
		i = (int)(random >> 8) % SITES;
		if (random >> 20 & 1) {
			live[i] += 16;
			total += 16;
			site_alloc(site[i], 16, 16, total);
			if (total > peak) {
				int j;

				peak = total;
				for (j = 0; j < SITES; j++)
					then[j] = live[j];
			}
		} else if (live[i] > 0) {
			live[i] -= 16;
			total -= 16;
			site_free(site[i], 16, 16, false);
		}
		if (step % 100 == 0)
			assert_int_equal(at_peak(site[i]), then[i]);
	}
	for (i = 0; i < SITES; i++)
		assert_int_equal(at_peak(site[i]), then[i]);
	assert_int_equal(segment_mine()->live.peak_bytes, peak);
}

static void
a_site_made_below_the_peak_held_nothing_at_it(void **state)
{
	struct segment_live *live = &segment_mine()->live;
	uint32_t early = new_site(0);
	uint32_t late;

	(void)state;
	site_alloc(early, 100, 100, live->peak_bytes + 100);
	site_free(early, 100, 100, false);
	late = new_site(0);
	site_alloc(late, 50, 50, live->peak_bytes - 50);
	assert_int_equal(at_peak(late), 0);
	assert_int_equal(at_peak(early), 100);
}

static void
address_space_has_no_part_in_the_peak(void **state)
{
	int64_t peak = segment_mine()->live.peak_bytes;
	uint32_t site = new_site(SITE_MAPPING);

	(void)state;
	site_map(site, 1 << 20);
	site_unmap(site, 4096, false);
	assert_int_equal(row(site)->frees, 0);
	site_unmap(site, (1 << 20) - 4096, true);
	assert_int_equal(row(site)->frees, 1);
	assert_int_equal(row(site)->allocated_bytes, row(site)->freed_bytes);
	assert_int_equal(segment_mine()->live.peak_bytes, peak);
	assert_int_equal(row(site)->flags, SITE_MAPPING);
}

enum { THREADS = 4, LEAVES = 2000, ROUNDS = 20 };

static uint32_t first_leaf;
static uint32_t found[THREADS][LEAVES];
static int64_t tallest;

/* Heights rise in each thread, so the tallest is known in the end. */
static void *
count_at_all_leaves(void *context)
{
	size_t me = (uintptr_t)context;
	int64_t height = (int64_t)me;

	for (int round = 0; round < ROUNDS; round++)
		for (uint32_t i = 0; i < LEAVES; i++) {
			uint32_t site = site_of(first_leaf + i, 0);

			found[me][i] = site;
			height += THREADS;
			site_alloc(site, 48, 40, height);
			if (i % 2 == 0)
				site_free(site, 48, 40, true);
		}
	return NULL;
}

static void
threads_agree_on_sites_and_lose_no_figure(void **state)
{
	struct segment_live *live = &segment_mine()->live;
	pthread_t thread[THREADS];

	(void)state;
	first_leaf = (uint32_t)segment_take(TABLE_NODES, LEAVES);
	atomic_store(&live->peak_bytes, 0);
	tallest = THREADS - 1 + (int64_t)THREADS * LEAVES * ROUNDS;
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
		    count_at_all_leaves, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(live->peak_bytes, tallest);
	for (uint32_t i = 0; i < LEAVES; i++) {
		const struct site *s = row(found[0][i]);
		uint64_t n = THREADS * ROUNDS;
		uint64_t frees = i % 2 == 0 ? n : 0;

		for (int k = 1; k < THREADS; k++)
			assert_int_equal(found[k][i], found[0][i]);
		assert_int_equal(s->leaf, first_leaf + i);
		assert_int_equal(s->allocations, n);
		assert_int_equal(s->allocated_bytes, 48 * n);
		assert_int_equal(s->requested_bytes, 40 * n);
		assert_int_equal(s->frees, frees);
		assert_int_equal(s->freed_bytes, 48 * frees);
		assert_int_equal(s->temporary, frees);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_known_sites_are_where_they_are_said_to_be),
		cmocka_unit_test(a_leaf_has_one_site),
		cmocka_unit_test(figures_add_up),
		cmocka_unit_test(every_site_knows_what_it_held_at_the_peak),
		cmocka_unit_test(a_site_made_below_the_peak_held_nothing_at_it),
		cmocka_unit_test(address_space_has_no_part_in_the_peak),
		cmocka_unit_test(threads_agree_on_sites_and_lose_no_figure),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
