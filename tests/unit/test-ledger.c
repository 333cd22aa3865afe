#include <errno.h>
#include <malloc.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "heap/ledger.h"
#include "heap/sample.h"

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
		struct record mine = { .slack = (uint32_t)i % 300 };
		struct record got, old;
		size_t usable;
		void *p;

		random = random * 1664525 + 1013904223;
		mine.site = (random & 1023) + 1;
		p = malloc((random >> 10) % 2000);
		usable = malloc_usable_size(p);
		wrong += put(p, usable, &mine, &old) != 0;
		wrong += take(p, usable, &got) != 0;
		wrong += got.site != mine.site || got.slack != mine.slack;
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

/* Large numbers come back by their low bits, odd kinds by their site. */
static void
who_was_there_last_is_known_until_another_comes(void **state)
{
	static const struct record rows[] = {
		{ .site = 7, .slack = 3, .generation = 2 },
		{ .site = 7, .slack = 300, .generation = 2 },
		{ .site = 5, .slack = 40, .generation = 1, .rate = 9 },
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
		cmocka_unit_test(odd_pairs_are_many_and_then_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
