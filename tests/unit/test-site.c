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

/* --- what a reader would see ----------------------------------------------- */

static int64_t
count_at_peak(const struct count *c)
{
	if (!segment_mine()->live.rising &&
	    stamp_peak(c->stamp) == stamp_peak(stamp_now()))
		return c->at_peak_bytes;
	return (int64_t)(c->allocated_bytes - c->freed_bytes);
}

static void
add(struct count *sum, const struct count *c)
{
	sum->allocations += c->allocations;
	sum->frees += c->frees;
	sum->allocated_bytes += c->allocated_bytes;
	sum->freed_bytes += c->freed_bytes;
	sum->slack_bytes += c->slack_bytes;
	sum->temporary += c->temporary;
	sum->at_peak_bytes += count_at_peak(c);
}

/* The sum of all that was counted of a site. */
static struct count
sum_of(uint32_t site)
{
	const struct count *first = segment_rows(TABLE_FIRST);
	const struct count *counts = segment_rows(TABLE_COUNTS);
	uint64_t used = segment_mine()->table[TABLE_COUNTS].used;
	struct count sum = { 0 };
	uint64_t i;

	assert_int_equal(stamp_site(first[site].stamp), site);
	add(&sum, &first[site]);
	for (i = 1; i < used; i++)
		if (stamp_site(counts[i].stamp) == site)
			add(&sum, &counts[i]);
	return sum;
}

static int64_t
at_peak(uint32_t site)
{
	struct count sum = sum_of(site);

	return sum.at_peak_bytes;
}

/* --- one thread ------------------------------------------------------------ */

static struct counts mine;

static void
alloc(uint32_t site, size_t usable, size_t slack, int64_t height)
{
	count_alloc(counts_of(&mine, site, stamp_now()), usable, slack);
	peak_climb(height);
}

static void
give_back(uint32_t site, size_t usable, size_t slack, bool temporary)
{
	(void)peak_leave(stamp_now());
	count_free(counts_of(&mine, site, stamp_now()), usable, slack, temporary);
}

static int
set_up(void **state)
{
	if (own_segment_setup(state) != 0)
		return -1;
	counts_open(&mine, tally_claim());
	return segment_mine()->live.several;
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
	struct count sum;

	(void)state;
	alloc(site, 24, 4, 24);
	alloc(site, 40, 7, 64);
	give_back(site, 24, 4, true);
	sum = sum_of(site);
	assert_int_equal(sum.allocations, 2);
	assert_int_equal(sum.frees, 1);
	assert_int_equal(sum.allocated_bytes, 64);
	assert_int_equal(sum.freed_bytes, 24);
	assert_int_equal(sum.slack_bytes, 7);
	assert_int_equal(sum.temporary, 1);
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
			alloc(site[i], 16, 0, total);
			if (total > peak) {
				int j;

				peak = total;
				for (j = 0; j < SITES; j++)
					then[j] = live[j];
			}
		} else if (live[i] > 0) {
			live[i] -= 16;
			total -= 16;
			give_back(site[i], 16, 0, false);
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
	alloc(early, 100, 0, live->peak_bytes + 100);
	give_back(early, 100, 0, false);
	late = new_site(0);
	alloc(late, 50, 0, live->peak_bytes - 50);
	assert_int_equal(at_peak(late), 0);
	assert_int_equal(at_peak(early), 100);
}

static void
address_space_has_no_part_in_the_peak(void **state)
{
	int64_t peak = segment_mine()->live.peak_bytes;
	uint32_t site = new_site(SITE_MAPPING);
	struct count sum;

	(void)state;
	site_map(site, 0, 1 << 20);
	site_unmap(site, 0, 4096, false);
	sum = sum_of(site);
	assert_int_equal(sum.frees, 0);
	site_unmap(site, 0, (1 << 20) - 4096, true);
	sum = sum_of(site);
	assert_int_equal(sum.frees, 1);
	assert_int_equal(sum.allocated_bytes, sum.freed_bytes);
	assert_int_equal(segment_mine()->live.peak_bytes, peak);
	assert_int_equal(row(site)->flags, SITE_MAPPING);
}

/* --- several threads -------------------------------------------------------- */

enum { THREADS = 4, LEAVES = 8000, ROUNDS = 20 };

static uint32_t first_leaf;
static uint32_t found[THREADS][LEAVES];

static void
count_pair(struct counts *counts, uint32_t site, bool freed)
{
	struct count *c = counts_of(counts, site, stamp_now());

	if (c == NULL) {
		site_shared_alloc(site, 0, 48, 8);
		if (freed)
			site_shared_free(site, 0, 48, 8, true);
	} else {
		count_alloc(c, 48, 8);
		if (freed)
			count_free(c, 48, 8, true);
	}
}

/* More sites than a thread may have rows for: some are counted for all. */
static void *
count_at_all_leaves(void *context)
{
	size_t me = (uintptr_t)context;
	struct counts counts;

	counts_open(&counts, tally_claim());
	for (int round = 0; round < ROUNDS; round++)
		for (uint32_t i = 0; i < LEAVES; i++) {
			uint32_t site = site_of(first_leaf + i, 0);

			found[me][i] = site;
			count_pair(&counts, site, i % 2 == 0);
		}
	return NULL;
}

static void
threads_agree_on_sites_and_lose_no_figure(void **state)
{
	pthread_t thread[THREADS];
	size_t shared = 0;

	(void)state;
	first_leaf = (uint32_t)segment_take(TABLE_NODES, LEAVES);
	for (uintptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
		    count_at_all_leaves, (void *)i), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(segment_mine()->live.several, 1);
	for (uint32_t i = 0; i < LEAVES; i++) {
		struct count sum = sum_of(found[0][i]);
		uint64_t n = THREADS * ROUNDS;
		uint64_t frees = i % 2 == 0 ? n : 0;

		for (int k = 1; k < THREADS; k++)
			assert_int_equal(found[k][i], found[0][i]);
		assert_int_equal(row(found[0][i])->leaf, first_leaf + i);
		shared += row(found[0][i])->shared != 0;
		assert_int_equal(sum.allocations, n);
		assert_int_equal(sum.allocated_bytes, 48 * n);
		assert_int_equal(sum.slack_bytes, 8 * (n - frees));
		assert_int_equal(sum.frees, frees);
		assert_int_equal(sum.freed_bytes, 48 * frees);
		assert_int_equal(sum.temporary, frees);
	}
	assert_in_range(shared, LEAVES / 4, LEAVES);
}

static void
who_takes_over_a_tally_goes_on_with_its_counts(void **state)
{
	struct tally *t = tally_claim();
	uint64_t used;
	struct counts counts;
	uint32_t site = new_site(0);
	struct count sum;

	(void)state;
	counts_open(&counts, t);
	count_pair(&counts, site, false);
	used = segment_mine()->table[TABLE_COUNTS].used;
	counts_open(&counts, t);
	count_pair(&counts, site, false);
	assert_int_equal(segment_mine()->table[TABLE_COUNTS].used, used);
	sum = sum_of(site);
	assert_int_equal(sum.allocations, 2);
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
		cmocka_unit_test(
		    who_takes_over_a_tally_goes_on_with_its_counts),
	};

	return cmocka_run_group_tests(tests, set_up, own_segment_teardown);
}
