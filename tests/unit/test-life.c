#include "own-segment.h"

#include <string.h>
#include <time.h>

#include "base/base.h"
#include "heap/life.h"

static uint32_t asked;

static uint32_t
node_of(uint64_t pc)
{
	asked++;
	return (uint32_t)pc;
}

static const void *
block(uint64_t number)
{
	return (const void *)(uintptr_t)(0x10000 + 16 * number);
}

/* The row of a site and who freed, or NULL. */
static const struct life *
life_of(uint32_t site, uint32_t node)
{
	const struct life *rows = segment_rows(TABLE_LIVES);
	uint64_t used = segment_mine()->table[TABLE_LIVES].used, i;

	for (i = 0; i < used; i++)
		if (rows[i].key == ((uint64_t)site << 32 | node))
			return &rows[i];
	return NULL;
}

static size_t
watched_of(uint32_t site)
{
	const struct timed *t = segment_rows(TABLE_TIMED);
	size_t n = 0;
	int i;

	for (i = 0; i < SEGMENT_TIMED; i++)
		n += t[i].block != 0 && t[i].site == site;
	return n;
}

static int
begin(void **state)
{
	life_reset();
	asked = 0;
	return own_segment_setup(state);
}

static void
the_first_are_watched_and_then_one_in_so_many(void **state)
{
	uint64_t number, due = 0, n = 200 * LIFE_EVERY;

	(void)state;
	for (number = 0; number < LIFE_FIRST; number++)
		assert_true(life_is_due(number, block(number * 3)));
	/* With the addresses of a program that takes and frees in turn, too. */
	for (number = LIFE_FIRST; number < n; number++)
		due += life_is_due(number, block(number % 2));
	assert_in_range(due, 150, 250);
}

static void
a_life_goes_to_its_site_and_to_who_ended_it(void **state)
{
	const struct timespec pause = { 0, 3000000 };
	const struct life *l;
	uint64_t sum = 0;
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_true(life_begin(block((uint64_t)i), 7, (uint64_t)i,
		    100));
	assert_true(life_begin(block(10), 8, 500, 100));
	assert_int_equal(watched_of(7), 10);
	nanosleep(&pause, NULL);
	for (i = 0; i < 6; i++)
		life_end(block((uint64_t)i), 4000, node_of);
	for (; i < 9; i++)
		life_end(block((uint64_t)i), 5000, node_of);
	life_end(block(10), 0, node_of);
	assert_int_equal(asked, 9);
	assert_int_equal(watched_of(7), 1);
	assert_int_equal(watched_of(8), 0);
	l = life_of(7, 4000);
	assert_non_null(l);
	assert_int_equal(l->watched, 6);
	assert_int_equal(l->blocks, 6);
	assert_true(l->longest_ns >= 3000000);
	for (i = 0; i < LIFE_BUCKETS; i++)
		sum += l->bucket[i];
	assert_int_equal(sum, 6);
	/* 4^5 us is 1 ms. */
	for (i = 0; i < 5; i++)
		assert_int_equal(l->bucket[i], 0);
	assert_int_equal(life_of(7, 5000)->watched, 3);
	/* One of the later ones stands for many; who freed it is not known. */
	assert_int_equal(life_of(8, 0)->watched, 1);
	assert_int_equal(life_of(8, 0)->blocks, LIFE_EVERY);
}

static void
a_block_that_is_not_watched_has_no_end(void **state)
{
	(void)state;
	assert_true(life_begin(block(1), 7, 1, 100));
	life_end(block(2), 4000, node_of);
	assert_null(life_of(7, 4000));
	assert_int_equal(watched_of(7), 1);
	life_end(block(1), 4000, node_of);
	life_end(block(1), 4000, node_of);
	assert_int_equal(life_of(7, 4000)->watched, 1);
}

/* What lives for ever takes the room; what comes then is not watched. */
static void
there_is_room_for_so_many_and_no_more(void **state)
{
	uint64_t number, taken = 0;

	(void)state;
	for (number = 0; number < 4 * SEGMENT_TIMED; number++)
		taken += life_begin(block(number), 7, number, 100);
	assert_in_range(taken, SEGMENT_TIMED / 2, SEGMENT_TIMED);
	assert_int_equal(watched_of(7), taken);
	for (number = 0; number < 4 * SEGMENT_TIMED; number++)
		life_end(block(number), number % 5000 + 1, node_of);
	assert_int_equal(watched_of(7), 0);
	assert_true(segment_mine()->table[TABLE_LIVES].used <=
	    segment_mine()->table[TABLE_LIVES].capacity);
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, begin, own_segment_teardown)
	const struct CMUnitTest tests[] = {
		TEST(the_first_are_watched_and_then_one_in_so_many),
		TEST(a_life_goes_to_its_site_and_to_who_ended_it),
		TEST(a_block_that_is_not_watched_has_no_end),
		TEST(there_is_room_for_so_many_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
