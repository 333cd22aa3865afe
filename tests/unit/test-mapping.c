#include "own-segment.h"

#include <pthread.h>
#include <string.h>

#include "base/base.h"
#include "heap/mapping.h"

#define PAGE UINT64_C(4096)

static const struct mapping *
rows(uint64_t *count)
{
	*count = segment_mine()->table[TABLE_MAPPINGS].used;
	return segment_rows(TABLE_MAPPINGS);
}

/* Ranges as text, in pages: `0-4 8-12`. */
static void
expect(const char *ranges)
{
	char text[1024] = "";
	uint64_t count, i;
	const struct mapping *m = rows(&count);

	for (i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s%d-%d", i > 0 ? " " : "", (int)(m[i].start / PAGE),
		    (int)(m[i].end / PAGE));
	assert_string_equal(text, ranges);
}

static void
add(uint64_t page, uint64_t pages)
{
	mapping_add(page * PAGE, pages * PAGE, MAPPING_ANONYMOUS, 0);
}

static void
cut(uint64_t page, uint64_t pages)
{
	mapping_remove(page * PAGE, pages * PAGE);
}

static void
ranges_are_kept_in_order_and_cut_where_they_are_unmapped(void **state)
{
	(void)state;
	add(100, 10);
	add(20, 10);
	add(50, 10);
	expect("20-30 50-60 100-110");
	cut(52, 2); /* a hole */
	expect("20-30 50-52 54-60 100-110");
	cut(25, 30); /* a tail, one whole, a head */
	expect("20-25 55-60 100-110");
	add(57, 45); /* MAP_FIXED over what is there */
	expect("20-25 55-57 57-102 102-110");
	cut(0, 1); /* nothing is there */
	cut(0, 1000);
	expect("");
}

static void
a_length_is_rounded_up_to_pages(void **state)
{
	(void)state;
	mapping_add(8 * PAGE, 1, MAPPING_FILE, 0);
	expect("8-9");
	mapping_remove(8 * PAGE, 10);
	expect("");
}

static void
a_site_is_charged_for_what_is_still_mapped(void **state)
{
	const struct site *sites = segment_rows(TABLE_SITES);
	const struct count *counts = segment_rows(TABLE_COUNTS);
	uint32_t site = site_of((uint32_t)segment_take(TABLE_NODES, 1),
	    SITE_MAPPING);
	const struct count *s;

	(void)state;
	mapping_add(0, 10 * PAGE, MAPPING_ANONYMOUS, site);
	s = &counts[sites[site].shared];
	assert_int_equal(s->allocated_bytes, 10 * PAGE);
	cut(2, 3);
	assert_int_equal(s->freed_bytes, 3 * PAGE);
	assert_int_equal(s->frees, 0);
	cut(0, 10);
	assert_int_equal(s->freed_bytes, 10 * PAGE);
	assert_int_equal(s->frees, 2); /* both of the halves went */
}

static enum mapping_kind
kind_at(uint64_t page)
{
	uint64_t count, i;
	const struct mapping *m = rows(&count);

	for (i = 0; i < count; i++)
		if (m[i].start <= page * PAGE && m[i].end > page * PAGE)
			return m[i].kind;
	return MAPPING_NONE;
}

static void
what_is_moved_or_copied_keeps_what_it_was(void **state)
{
	int hand;

	(void)state;
	mapping_add(40 * PAGE, 4 * PAGE, MAPPING_SHARED, 0);
	hand = mapping_lift(40 * PAGE, 2 * PAGE, false);
	expect("42-44");
	mapping_lay(hand, 50 * PAGE, 3 * PAGE); /* moved, and grown */
	expect("42-44 50-53");
	assert_int_equal(kind_at(52), MAPPING_SHARED);
	hand = mapping_lift(43 * PAGE, 0, true);
	mapping_lay(hand, 60 * PAGE, 1 * PAGE); /* copied */
	expect("42-44 50-53 60-61");
	assert_int_equal(kind_at(60), MAPPING_SHARED);
	mapping_lay_back(mapping_lift(42 * PAGE, 0, true));
	mapping_lay_back(mapping_lift(42 * PAGE, 50 * PAGE, false));
	mapping_lay_back(mapping_lift(51 * PAGE, 1 * PAGE, false));
	mapping_lay_back(mapping_lift(45 * PAGE, 10 * PAGE, false));
	expect("42-44 50-51 51-52 52-53 60-61"); /* refused */
	assert_int_equal(kind_at(51), MAPPING_SHARED);
	assert_int_equal(segment_mine()->lost.mappings, 0);
	mapping_lay_back(mapping_lift(51 * PAGE, 2 * PAGE, false));
	expect("42-44 50-51 51-52 60-61");
	assert_int_equal(segment_mine()->lost.mappings, 1);
	segment_mine()->lost.mappings = 0;
	cut(0, 100);
}

static void
hands_are_given_back_and_the_lack_of_one_is_counted(void **state)
{
	enum { MANY = 20000 };
	static int hand[MANY];
	uint64_t lost = segment_mine()->lost.mappings;
	uint64_t n = 0;
	int i;

	(void)state;
	for (i = 0; i < MANY; i++)
		mapping_lay(mapping_lift(0, 0, true), 0, 0);
	assert_int_equal(segment_mine()->lost.mappings, lost);
	for (i = 0; i < MANY; i++) {
		hand[i] = mapping_lift(0, 0, true);
		n += hand[i] < 0;
	}
	assert_int_equal(segment_mine()->lost.mappings, lost + n);
	assert_in_range(n, 1, MANY - 1);
	for (i = 0; i < MANY; i++)
		mapping_lay(hand[i], 80 * PAGE, i == MANY - 1 ? PAGE : 0);
	expect("80-81"); /* no hand: it is there all the same */
	assert_int_equal(kind_at(80), MAPPING_ANONYMOUS);
	cut(0, 100);
	segment_mine()->lost.mappings = lost;
}

/* An oracle with a bit a page, and changes at random. */
static void
random_changes_agree_with_a_page_table(void **state)
{
	enum { PAGES = 512, STEPS = 20000 };
	static bool mapped[PAGES];
	unsigned random = 99;
	int step;

	(void)state;
	for (step = 0; step < STEPS; step++) {
		unsigned page, length;
		uint64_t count, i, p;
		const struct mapping *m;
		bool seen[PAGES] = { false };

		random = random * 1664525 + 1013904223;
		page = (random >> 8) % PAGES;
		length = (random >> 20) % 40 + 1;
		if (page + length > PAGES)
			length = PAGES - page;
		if (random & 128)
			add(page, length);
		else
			cut(page, length);
		memset(mapped + page, (random & 128) != 0, length);
		if (step % 50 != 0)
			continue;
		m = rows(&count);
		for (i = 0; i < count; i++) {
			assert_true(m[i].start < m[i].end);
			assert_true(i == 0 || m[i - 1].end <= m[i].start);
			for (p = m[i].start; p < m[i].end; p += PAGE)
				seen[p / PAGE] = true;
		}
		assert_memory_equal(seen, mapped, sizeof(mapped));
	}
	cut(0, PAGES);
}

/* Each thread has a region of its own and leaves one range behind. */
static void *
map_and_unmap(void *context)
{
	uint64_t base = (uint64_t)(uintptr_t)context * 10000;
	int i;

	for (i = 0; i < 20000; i++) {
		add(base, 64);
		cut(base + 16, 16);
		cut(base, 64);
	}
	add(base, 8);
	return NULL;
}

static void
threads_do_not_lose_each_others_changes(void **state)
{
	pthread_t thread[4];
	uintptr_t i;

	(void)state;
	for (i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
		    map_and_unmap, (void *)i), 0);
	for (i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(segment_mine()->lost.mappings, 0);
	expect("0-8 10000-10008 20000-20008 30000-30008");
	assert_int_equal(segment_mine()->live.mappings_version % 2, 0);
	cut(0, 40000);
}

/*
 * Of two ranges of its own, a shared one and a file, each thread moves now one
 * and now the other: what it moves is known although others are at work.
 */
static void *
move_about(void *context)
{
	uint64_t base = (uint64_t)(uintptr_t)context * 10000;
	int i, hand;

	for (i = 0; i < 20000; i++) {
		mapping_add((base + 16) * PAGE, 4 * PAGE, MAPPING_SHARED, 0);
		mapping_add((base + 20) * PAGE, 4 * PAGE, MAPPING_FILE, 0);
		hand = mapping_lift((base + 16) * PAGE, 4 * PAGE, false);
		mapping_lay(hand, base * PAGE, 4 * PAGE);
		hand = mapping_lift((base + 20) * PAGE, 0, true);
		mapping_lay(hand, (base + 8) * PAGE, 4 * PAGE);
	}
	return NULL;
}

static void
what_is_moved_beside_other_threads_keeps_what_it_was(void **state)
{
	pthread_t thread[4];
	uint64_t base;

	(void)state;
	for (uintptr_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, move_about,
		    (void *)i), 0);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	assert_int_equal(segment_mine()->lost.mappings, 0);
	for (base = 0; base < 40000; base += 10000) {
		assert_int_equal(kind_at(base), MAPPING_SHARED);
		assert_int_equal(kind_at(base + 8), MAPPING_FILE);
		assert_int_equal(kind_at(base + 16), MAPPING_NONE);
		assert_int_equal(kind_at(base + 20), MAPPING_FILE);
	}
	cut(0, 80000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    ranges_are_kept_in_order_and_cut_where_they_are_unmapped),
		cmocka_unit_test(a_length_is_rounded_up_to_pages),
		cmocka_unit_test(a_site_is_charged_for_what_is_still_mapped),
		cmocka_unit_test(what_is_moved_or_copied_keeps_what_it_was),
		cmocka_unit_test(
		    hands_are_given_back_and_the_lack_of_one_is_counted),
		cmocka_unit_test(random_changes_agree_with_a_page_table),
		cmocka_unit_test(threads_do_not_lose_each_others_changes),
		cmocka_unit_test(
		    what_is_moved_beside_other_threads_keeps_what_it_was),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
