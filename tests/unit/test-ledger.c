#include "own-segment.h"

#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/base.h"
#include "heap/ledger.h"
#include "heap/life.h"
#include "heap/sample.h"
#include "heap/tally.h"
#include "mem/arena.h"

/* As who allocates does it: shortly, and else at length. */
static int
put(const void *block, size_t usable, const struct record *record,
    struct record *old)
{
	return ledger_put(block, usable, record) ? 0 :
	    ledger_put_long(block, usable, record, old);
}

static int
take(const void *block, size_t usable, struct record *record)
{
	return ledger_take(block, usable, record) ? 0 : -ENOENT;
}

static const struct record some = { .site = 7, .slack = 3, .generation = 9 };

static void
a_record_comes_back_once(void **state)
{
	struct record got, old;
	void *block = (void *)0x7000001230;

	(void)state;
	assert_int_equal(take(block, 40, &got), -ENOENT);
	assert_int_equal(put(block, 40, &some, &old), 0);
	assert_int_equal(take(block, 40, &got), 0);
	assert_int_equal(got.site, 7);
	assert_int_equal(got.slack, 3);
	assert_int_equal(got.generation, 9);
	assert_int_equal(take(block, 40, &got), -ENOENT);
}

static void
a_second_record_at_an_address_gives_the_first(void **state)
{
	struct record old = { 0 };
	struct record got;
	const struct record second = { .site = 8 };
	void *block = (void *)0x7000004560;

	(void)state;
	assert_int_equal(put(block, 64, &some, &old), 0);
	assert_int_equal(put(block, 64, &second, &old), -EEXIST);
	assert_int_equal(old.site, 7);
	assert_int_equal(take(block, 64, &got), 0);
	assert_int_equal(got.site, 8);
}

static void
the_largest_values_fit_and_larger_ones_are_refused(void **state)
{
	struct record most = { SEGMENT_SITES - 1, LEDGER_SLACK - 1,
	    GENERATIONS - 1, SAMPLE_RATES - 1 };
	struct record got, old;
	void *block = (void *)0x7000007890;

	(void)state;
	assert_int_equal(put(block, 1 << 30, &most, &old), 0);
	assert_int_equal(take(block, 1 << 30, &got), 0);
	assert_memory_equal(&got, &most, sizeof(got));
	most.slack++;
	assert_int_equal(put(block, 1 << 30, &most, &old), -ERANGE);
	assert_int_equal(put((void *)(UINT64_C(1) << 56), 16, &some,
	    &old), -ERANGE);
}

/* Each pair of site and slack comes back, whichever way it was packed. */
static void
a_record_is_what_was_put_in(void **state)
{
	static const uint32_t slacks[] = { 0, 1, 29, 30, 31, 32, 63, 4095,
		1 << 20, LEDGER_SLACK - 1 };
	static const uint32_t sites[] = { 1, 2, 1000, SEGMENT_SITES - 2,
		SEGMENT_SITES - 1 };
	struct record got, old;
	size_t i, k;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(sites); i++)
		for (k = 0; k < 2 * ARRAY_LENGTH(slacks); k++) {
			const struct record r = { sites[i], slacks[k % 10],
				(uint32_t)(k * 13 % GENERATIONS),
				k % 3 == 0 ? (uint32_t)k : 0 };
			void *block = (void *)(0x7100000000 + i * 65536 +
			    k * 64);

			assert_int_equal(put(block, 64, &r, &old), 0);
			assert_int_equal(take(block, 64, &got), 0);
			assert_memory_equal(&got, &r, sizeof(r));
		}
}

static void
odd_pairs_are_many_and_then_too_many(void **state)
{
	struct record r = { .site = 5, .slack = 100 };
	struct record got, old;
	void *block = (void *)0x7200000000;
	int r_put = 0;
	uint32_t n;

	(void)state;
	for (n = 0; r_put == 0 && n < 2000000; n++, r.slack++) {
		r_put = put(block, 64, &r, &old);
		if (r_put == 0 && n % 1000 == 0) {
			assert_int_equal(take(block, 64, &got), 0);
			assert_memory_equal(&got, &r, sizeof(r));
			r_put = put(block, 64, &r, &old);
		}
		if (r_put == 0)
			assert_int_equal(take(block, 64, &got), 0);
	}
	assert_int_equal(r_put, -ENOMEM);
	assert_in_range(n, 500000, 1 << 20);
	/* Those that are known stay known. */
	r.slack = 100;
	assert_int_equal(put(block, 64, &r, &old), 0);
	assert_int_equal(take(block, 64, &got), 0);
	assert_int_equal(got.slack, 100);
}

static void
all_records_can_be_given_another_generation(void **state)
{
	const size_t usable[] = { 8, 24, 100, 5000, 300000, 1 << 24 };
	struct record got, old;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(usable); i++)
		assert_int_equal(put((void *)(0x7300000000 + i *
		    (UINT64_C(1) << 26)), usable[i], &some, &old), 0);
	ledger_set_generations(77);
	for (i = 0; i < ARRAY_LENGTH(usable); i++) {
		assert_int_equal(take((void *)(0x7300000000 + i *
		    (UINT64_C(1) << 26)), usable[i], &got), 0);
		assert_int_equal(got.site, some.site);
		assert_int_equal(got.slack, some.slack);
		assert_int_equal(got.generation, 77);
	}
}

/*
 * The claim of the file's head, on the densest heap there can be: blocks of
 * all sizes side by side, none of which may meet another's place.
 */
static void
no_two_blocks_of_a_heap_share_a_place(void **state)
{
	enum { BLOCKS = 200000 };
	static uint64_t at[BLOCKS];
	static size_t usable[BLOCKS];
	uint64_t address = 0x600000000000;
	unsigned random = 42;
	struct record old, got;
	int i;

	(void)state;
	for (i = 0; i < BLOCKS; i++) {
		struct record r = { .site = (uint32_t)i + 1 };
		unsigned bits;

		random = random * 1664525 + 1013904223;
		bits = random >> 28;
		usable[i] = 1 + (random >> 4) % (16U << bits);
		at[i] = address;
		/* Starts at multiples of 8 below 16 bytes, else of 16. */
		if (usable[i] >= 16)
			at[i] = round_up(address, 16);
		address = round_up(at[i] + usable[i], 8);
		assert_int_equal(put((void *)at[i], usable[i], &r,
		    &old), 0);
	}
	for (i = 0; i < BLOCKS; i++) {
		assert_int_equal(take((void *)at[i], usable[i], &got),
		    0);
		assert_int_equal(got.site, i + 1);
	}
}

/* Threads pass real blocks to each other through malloc and free. */
static void *
allocate_and_free(void *context)
{
	unsigned random = (unsigned)(uintptr_t)context;
	uintptr_t wrong = 0;
	int i;

	for (i = 0; i < 300000; i++) {
		struct record mine = { .slack = (uint32_t)i % 300,
			.rate = i % 3 == 0 ? 1 : 0 };
		struct record got, old;
		size_t usable;
		void *p;

		random = random * 1664525 + 1013904223;
		mine.site = (random & 1023) + 1;
		p = malloc((random >> 10) % 2000);
		usable = malloc_usable_size(p);
		wrong += put(p, usable, &mine, &old) != 0;
		wrong += take(p, usable, &got) != 0;
		wrong += got.site != mine.site || got.slack != mine.slack ||
		    got.rate != mine.rate;
		free(p);
	}
	return (void *)wrong;
}

static void
threads_that_share_a_heap_find_their_own_records(void **state)
{
	pthread_t thread[4];
	uintptr_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
		    allocate_and_free, (void *)(i + 1)), 0);
	for (i = 0; i < 4; i++) {
		void *wrong;

		pthread_join(thread[i], &wrong);
		assert_null(wrong);
	}
}

/* --- blocks that were drawn ----------------------------------------------- */

static void
all_that_are_drawn_are_found_however_many(void **state)
{
	enum { DRAWN = 300000 };
	const uint64_t start = 0x510000000000;
	struct record r = { .rate = 3 }, got, old;
	uint64_t i;

	(void)state;
	for (i = 0; i < DRAWN; i++) {
		r.site = (uint32_t)i + 1;
		r.slack = (uint32_t)i;
		r.generation = i % GENERATIONS;
		assert_int_equal(put((void *)(start + i * 48), 40, &r, &old),
		    0);
	}
	assert_false(ledger_look((void *)(start + 8), 40, &got));
	for (i = 0; i < DRAWN; i++) {
		void *block = (void *)(start + (i * 7919 % DRAWN) * 48);

		assert_true(ledger_look(block, 40, &got));
		assert_int_equal(got.site, i * 7919 % DRAWN + 1);
		assert_int_equal(take(block, 40, &got), 0);
		assert_int_equal(got.slack, i * 7919 % DRAWN);
		assert_int_equal(got.generation, i * 7919 % DRAWN %
		    GENERATIONS);
		assert_int_equal(got.rate, 3);
		assert_int_equal(take(block, 40, &got), -ENOENT);
	}
}

/* One whose free was missed gives the first, whichever way each is kept. */
static void
a_drawn_block_takes_the_place_of_one_that_was_not(void **state)
{
	const struct record drawn = { .site = 9, .rate = 2 };
	struct record got, old = { 0 };
	void *block = (void *)0x7500000040;

	(void)state;
	assert_int_equal(put(block, 64, &some, &old), 0);
	assert_int_equal(put(block, 64, &drawn, &old), -EEXIST);
	assert_memory_equal(&old, &some, sizeof(old));
	assert_int_equal(put(block, 64, &drawn, &old), -EEXIST);
	assert_memory_equal(&old, &drawn, sizeof(old));
	assert_int_equal(take(block, 64, &got), 0);
	assert_int_equal(got.site, 9);
	assert_int_equal(take(block, 64, &got), -ENOENT);
}

/* Pages of this process that are there. */
static uint64_t
resident(void)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%*u %lu", &pages), 1);
	fclose(f);
	return pages * 4096;
}

/*
 * A hundred at one time, each somewhere else than all before: a place for each
 * that could be would come to 40 MiB here.
 */
static void
what_was_drawn_takes_room_by_how_many_there_are_not_by_where(void **state)
{
	enum { LIVE = 100, DRAWS = 1000000 };
	const uint64_t start = 0x530000000000;
	struct record r = { .site = 5, .rate = 1 }, got, old;
	static void *live[LIVE];
	uint64_t random = 1, before = 0;
	unsigned i;

	(void)state;
	for (i = 0; i < DRAWS; i++) {
		void **at = &live[i % LIVE];

		if (i == DRAWS / 100)
			before = resident();
		if (*at != NULL)
			assert_int_equal(take(*at, 24, &got), 0);
		do {
			random = mix_u64(random + i);
			*at = (void *)(start + random % (160 * MIB) / 32 * 32);
		} while (ledger_look(*at, 24, &got));
		assert_int_equal(put(*at, 24, &r, &old), 0);
	}
	assert_in_range(resident(), 0, before + 256 * KIB);
	for (i = 0; i < LIVE; i++)
		assert_int_equal(take(live[i], 24, &got), 0);
}

/* Large numbers come back by their low bits, odd kinds by their site. */
static void
who_was_there_last_is_known_until_another_comes(void **state)
{
	static const struct record rows[] = {
		{ .site = 7, .slack = 3, .generation = 2 },
		{ .site = 7, .slack = 300, .generation = 2 },
		{ .site = 5, .slack = 40, .generation = 1,
		  .rate = LIFE_RATE },
		{ .site = SEGMENT_SITES - 1, .slack = 1, .generation = 200 },
	};
	void *block = (void *)0x7400000040;
	struct record got, old;
	size_t i;

	(void)state;
	assert_false(ledger_last(block, 64, &got));
	for (i = 0; i < ARRAY_LENGTH(rows); i++) {
		assert_int_equal(put(block, 64, &rows[i], &old), 0);
		assert_false(ledger_last(block, 64, &got));
		assert_true(ledger_look(block, 64, &got));
		assert_memory_equal(&got, &rows[i], sizeof(got));
		assert_int_equal(take(block, 64, &got), 0);
		assert_memory_equal(&got, &rows[i], sizeof(got));
		assert_int_equal(take(block, 64, &got), -ENOENT);
		assert_false(ledger_look(block, 64, &got));
		assert_true(ledger_last(block, 64, &got));
		assert_int_equal(got.site, rows[i].site &
		    ((1 << LEDGER_LAST_BITS) - 1));
		assert_int_equal(got.generation, rows[i].generation);
	}
	/* Of another size there was none at this address. */
	assert_false(ledger_last(block, 5000, &got));
}
/* Pages of a region's table for blocks of 48 bytes that are there. */
static size_t
pages_of(uint64_t region)
{
	const size_t bytes = (UINT64_C(1) << (LEDGER_REGION_BITS - 5)) * 4;
	unsigned char there[4 * MIB / 32 * 4 / 4096];
	uintptr_t table = (uintptr_t)ledger_entry((void *)region, 48);
	uintptr_t first = round_up(table, 4096);
	size_t n = (round_down(table + bytes, 4096) - first) / 4096;
	size_t i, pages = 0;

	assert_int_equal(mincore((void *)first, n * 4096, there), 0);
	for (i = 0; i < n; i++)
		pages += there[i] & 1;
	return pages;
}

static size_t
pages_after_one(uint64_t region)
{
	struct record old;

	assert_int_equal(put((void *)region, 48, &some, &old), 0);
	return pages_of(region);
}

/* A table whole is 128 pages: worth so many blocks of FILL_BYTES, 20. */
#define WORTH (512 * KIB / 20)

static void
a_table_is_made_whole_where_every_one_of_many_blocks_has_a_record(void **state)
{
	char *probe = arena_take(ARENA_LARGE);
	struct tally *t = tally_claim();

	(void)state;
	if (!arena_fill(probe, ARENA_LARGE))
		skip(); /* the kernel cannot, or room is limited */
	atomic_store(&t->allocations, WORTH - 1);
	ledger_expect_all(true);
	assert_in_range(pages_after_one(0x7300000000), 1, 2);
	atomic_store(&t->allocations, 2 * WORTH + 100);
	assert_in_range(pages_after_one(0x7300400000), 127, 128);
	assert_in_range(pages_after_one(0x7300800000), 127, 128);
	assert_in_range(pages_after_one(0x7300c00000), 1, 2);
	ledger_expect_all(false);
	atomic_store(&t->allocations, 100 * WORTH);
	assert_in_range(pages_after_one(0x7301000000), 1, 2);
	atomic_store(&t->allocations, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    who_was_there_last_is_known_until_another_comes),
		cmocka_unit_test(a_record_comes_back_once),
		cmocka_unit_test(a_second_record_at_an_address_gives_the_first),
		cmocka_unit_test(
		    the_largest_values_fit_and_larger_ones_are_refused),
		cmocka_unit_test(a_record_is_what_was_put_in),
		cmocka_unit_test(no_two_blocks_of_a_heap_share_a_place),
#ifndef __SANITIZE_THREAD__
		/* It has one thread, and reads all of the tables: their shadow
		 * would take the memory of the whole machine. */
		cmocka_unit_test(all_records_can_be_given_another_generation),
#endif
		cmocka_unit_test(
		    threads_that_share_a_heap_find_their_own_records),
		cmocka_unit_test(all_that_are_drawn_are_found_however_many),
		cmocka_unit_test(
		    a_drawn_block_takes_the_place_of_one_that_was_not),
		cmocka_unit_test(
		    what_was_drawn_takes_room_by_how_many_there_are_not_by_where),
		cmocka_unit_test(odd_pairs_are_many_and_then_too_many),
		cmocka_unit_test_setup_teardown(
		    a_table_is_made_whole_where_every_one_of_many_blocks_has_a_record,
		    own_segment_setup, own_segment_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
