#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "stack/memo.h"

static struct memo *memo;
static _Alignas(64) char room[MEMO_LARGE];

static int
set_up(void **state)
{
	(void)state;
	memset(room, 0, sizeof(room));
	memo = memo_open(room, sizeof(room));
	return 0;
}

static int
set_up_small(void **state)
{
	(void)state;
	memset(room, 0, sizeof(room));
	memo = memo_open(room, MEMO_SMALL);
	return 0;
}

/*
 * A stack, made by hand.  It lies where it always does: which entries share a
 * slot depends on that, and how often is what some tests are about.
 */
static uint64_t *const words = (uint64_t *)0x123456789000;
#define STACK_BYTES ((size_t)2 << 20)

static int
make_words(void **state)
{
	(void)state;
	return mmap(words, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE |
	    MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == words ? 0 : -1;
}

static struct arch_frame
frame(uint64_t pc, uint64_t fp)
{
	return (struct arch_frame){ .pc = pc, .sp = (uintptr_t)words,
		.fp = fp };
}

static uint32_t
find(struct arch_frame from, uint32_t generation)
{
	const struct memo_entry *e = memo_find(memo, &from, generation);

	return e != NULL ? e->node : 0;
}

/* A walk from @from that read @count words, each @step behind the last. */
static void
put_apart(struct arch_frame from, size_t count, size_t step, uint32_t flags,
    uint32_t node)
{
	const struct memo_result result = { .generation = 1, .node = node,
		.site = node, .frames = (uint32_t)count + 1 };
	uint64_t noted[MEMO_TRACE];
	struct memo_trace trace;
	uint64_t place;
	size_t i;

	memo_begin(&trace, &from, noted);
	for (i = 0; i < count; i++)
		memo_note(&trace, (uintptr_t)&words[i * step],
		    words[i * step], MEMO_RETURN);
	trace.whole = true;
	trace.flags |= flags;
	place = memo_lay(memo, &from, &trace, &result);
	if (place != 0)
		memo_put(memo, place);
}

static void
put(struct arch_frame from, size_t count, uint32_t flags, uint32_t node)
{
	put_apart(from, count, 1, flags, node);
}

static void
an_empty_memo_finds_nothing(void **state)
{
	(void)state;
	assert_int_equal(find(frame(0x1000, 0), 1), 0);
	assert_null(memo_kin(memo, &(struct arch_frame){ .pc = 5 }, 1));
}

static void
what_was_put_in_is_found_and_nothing_else(void **state)
{
	(void)state;
	put(frame(0x1000, 7), 5, 0, 42);
	assert_int_equal(find(frame(0x1000, 7), 1), 42);
	assert_int_equal(find(frame(0x1000, 8), 1), 42); /* fp: not used */
	assert_int_equal(find(frame(0x1001, 7), 1), 0);
	assert_int_equal(find(frame(0x1000, 7), 2), 0); /* generation */
}

static void
each_word_that_was_read_counts_and_no_other(void **state)
{
	(void)state;
	put(frame(0x1000, 0), 5, 0, 42);
	for (size_t i = 0; i < 5; i++) {
		words[i]++;
		assert_int_equal(find(frame(0x1000, 0), 1), 0);
		words[i]--;
		words[i] |= UINT64_C(1) << 63;
		assert_int_equal(find(frame(0x1000, 0), 1), 0);
		words[i] &= ~(UINT64_C(1) << 63);
	}
	words[5]++;
	assert_int_equal(find(frame(0x1000, 0), 1), 42);
}

/* Even numbers and odd ones; near, and where a place has more than 16 bits. */
static void
it_counts_however_many_and_however_far_apart(void **state)
{
	static const size_t steps[] = { 1, 100, 10000 };
	uint64_t pc = 0x1000;
	size_t s, count, i;

	(void)state;
	for (s = 0; s < 3; s++) {
		for (count = 0; count <= 12; count++, pc++) {
			put_apart(frame(pc, 0), count, steps[s], 0, 42);
			assert_int_equal(find(frame(pc, 0), 1), 42);
			for (i = 0; i < count; i++) {
				words[i * steps[s]] ^= 1;
				assert_int_equal(find(frame(pc, 0), 1), 0);
				words[i * steps[s]] ^= 1;
			}
			assert_int_equal(find(frame(pc, 0), 1), 42);
		}
	}
}

static void
a_frame_pointer_that_was_used_counts(void **state)
{
	(void)state;
	put(frame(0x1000, 7), 1, MEMO_USES_FP, 42);
	assert_int_equal(find(frame(0x1000, 7), 1), 42);
	assert_int_equal(find(frame(0x1000, 8), 1), 0);
}

static void
what_takes_more_to_know_is_not_found_and_is_kin(void **state)
{
	static const uint32_t flags[] = { MEMO_HAS_FAR, MEMO_NO_RULE };
	struct arch_frame from = frame(0x1000, 0);
	const struct memo_entry *e;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		put(from, 5, flags[i], 42);
		assert_int_equal(find(from, 1), 0);
		e = memo_kin(memo, &from, 1);
		assert_non_null(e);
		assert_int_equal(e->node, 42);
	}
}

static void
words_far_and_near_up_and_down_are_told_again(void **state)
{
	static const int64_t steps[] = { 1, -1, 100, 16383, 16384, -16383,
		-16384, 20000, -20000, INT64_C(1) << 40, -(INT64_C(1) << 40),
		7 };
	uint64_t noted[64];
	struct memo_trace trace = { .word = noted, .whole = true };
	uint64_t place[12];
	uint64_t at = UINT64_C(1) << 45;
	size_t met = 0;

	(void)state;
	trace.place = at;
	for (size_t i = 0; i < 12; i++) {
		place[i] = i == 0 ? at : place[i - 1];
		place[i] += (uint64_t)steps[i] * 8;
		memo_note(&trace, place[i], MEMO_VALUE - i, (enum memo_kind)
		    (i % 4));
	}
	assert_true(trace.whole);
	for (uint32_t i = 0; i < trace.count; i++) {
		at = memo_place(at, noted[i]);
		if (memo_is_far(noted[i]))
			continue;
		assert_int_equal(at, place[met]);
		assert_int_equal(noted[i] & MEMO_VALUE, MEMO_VALUE - met);
		assert_int_equal(memo_kind(noted[i]), met % 4);
		met++;
	}
	assert_int_equal(met, 12);
	assert_int_equal(trace.flags, MEMO_HAS_FAR);
}

static void
what_cannot_be_noted_is_not_whole(void **state)
{
	uint64_t noted[MEMO_TRACE];
	struct memo_trace trace = { .word = noted, .whole = true };

	(void)state;
	memo_note(&trace, 8, MEMO_VALUE + 1, MEMO_RETURN);
	assert_false(trace.whole);
	trace.whole = true;
	for (int i = 0; i < MEMO_TRACE + 10; i++)
		memo_note(&trace, 8, 1, MEMO_RETURN);
	assert_false(trace.whole);
	assert_in_range(trace.count, MEMO_TRACE - 2, MEMO_TRACE);
}

static void
a_walk_that_is_not_whole_is_not_kept(void **state)
{
	const struct memo_result result = { .generation = 1, .node = 42 };
	struct arch_frame from = frame(0x1000, 0);
	uint64_t noted[MEMO_TRACE];
	struct memo_trace trace;

	(void)state;
	memo_begin(&trace, &from, noted);
	trace.whole = false;
	assert_int_equal(memo_lay(memo, &from, &trace, &result), 0);
	trace.whole = true;
	assert_int_not_equal(memo_lay(memo, &from, &trace, &result), 0);
	assert_int_equal(find(from, 1), 0); /* until it is put */
}

static void
those_that_begin_alike_are_all_kept(void **state)
{
	struct arch_frame from = frame(0x1000, 0);

	(void)state;
	for (words[2] = 1; words[2] <= 20; words[2]++)
		put(from, 5, 0, 40 + (uint32_t)words[2]);
	for (words[2] = 1; words[2] <= 20; words[2]++)
		assert_int_equal(find(from, 1), 40 + words[2]);
	words[2] = 21;
	assert_int_equal(find(from, 1), 0);
}

/* Through other places: now and then one of them has to lead. */
static void
those_of_another_shape_are_found_in_the_end(void **state)
{
	struct arch_frame from = frame(0x1000, 0);
	uint32_t found = 0;

	(void)state;
	put(from, 5, 0, 42);
	for (int i = 0; i < 100; i++) {
		words[3]++; /* which the second kind does not read */
		if (find(from, 1) == 43)
			found++;
		else
			put(from, 3, 0, 43);
	}
	assert_in_range(found, 80, 99);
}

static void
after_clearing_nothing_is_found(void **state)
{
	(void)state;
	put(frame(0x1000, 0), 5, 0, 42);
	memo_clear(memo);
	assert_int_equal(find(frame(0x1000, 0), 1), 0);
	assert_null(memo_kin(memo, &(struct arch_frame){ .pc = 5 }, 1));
	put(frame(0x1000, 0), 5, 0, 43);
	assert_int_equal(find(frame(0x1000, 0), 1), 43);
}

/*
 * However often the ring is gone round, what is found is what was put in last,
 * or one of the two that were.  Returns how often something was.
 */
static size_t
go_round(uint32_t pcs, uint32_t times)
{
	static uint32_t last[2][4096];
	uint32_t random = 1;
	size_t hits = 0;
	size_t before;

	memset(last, 0, sizeof(last));
	for (uint32_t i = 1; i < times; i++) {
		uint32_t pc = (random = random * 1664525 + 1013904223) >> 8;
		uint32_t found;

		pc %= pcs;
		/* The last word tells the two from each other. */
		words[60] = random >> 30 & 1;
		found = find(frame(0x1000 + pc * 5, 0), 1);
		assert_true(found == 0 || found == last[words[60]][pc]);
		hits += found != 0;
		if (found != 0)
			continue;
		before = memo->ring_words;
		put(frame(0x1000 + pc * 5, 0), 61, 0, i);
		last[words[60]][pc] = i;
		/* What grows forgets all. */
		assert_int_equal(find(frame(0x1000 + pc * 5, 0), 1),
		    memo->ring_words == before ? i : 0);
	}
	return hits;
}

static void
the_ring_may_be_gone_round(void **state)
{
	(void)state;
	assert_in_range(go_round(1000, 200000), 1000, 100000);
	assert_int_equal(memo->ring_words, memo->ring_most);
}

/* More is asked for than it holds, and it would find nearly nothing. */
static void
a_memo_grows_where_that_helps(void **state)
{
	size_t before;

	(void)state;
	before = memo->ring_words;
	assert_true(go_round(100, 200000) > 190000);
	assert_true(memo->ring_words > before);
	assert_true(memo->ring_words <= memo->ring_most);
}

static void
who_finds_what_he_asks_for_has_no_need_to_grow(void **state)
{
	size_t before = memo->ring_words;

	(void)state;
	assert_true(go_round(10, 200000) > 199000);
	assert_int_equal(memo->ring_words, before);
}

static void
paths_of_another_generation_are_forgotten(void **state)
{
	(void)state;
	*memo_path(memo, 0x1234, 1) = 77;
	assert_int_equal(*memo_path(memo, 0x1234, 1), 77);
	assert_int_equal(*memo_path(memo, 0x1234, 2), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(an_empty_memo_finds_nothing, set_up),
		cmocka_unit_test_setup(
		    what_was_put_in_is_found_and_nothing_else, set_up),
		cmocka_unit_test_setup(
		    each_word_that_was_read_counts_and_no_other, set_up),
		cmocka_unit_test_setup(
		    it_counts_however_many_and_however_far_apart, set_up),
		cmocka_unit_test_setup(a_frame_pointer_that_was_used_counts,
		    set_up),
		cmocka_unit_test_setup(
		    what_takes_more_to_know_is_not_found_and_is_kin, set_up),
		cmocka_unit_test(words_far_and_near_up_and_down_are_told_again),
		cmocka_unit_test(what_cannot_be_noted_is_not_whole),
		cmocka_unit_test_setup(a_walk_that_is_not_whole_is_not_kept,
		    set_up),
		cmocka_unit_test_setup(those_that_begin_alike_are_all_kept,
		    set_up),
		cmocka_unit_test_setup(
		    those_of_another_shape_are_found_in_the_end, set_up),
		cmocka_unit_test_setup(after_clearing_nothing_is_found,
		    set_up),
		cmocka_unit_test_setup(the_ring_may_be_gone_round,
		    set_up_small),
		cmocka_unit_test_setup(a_memo_grows_where_that_helps, set_up),
		cmocka_unit_test_setup(
		    who_finds_what_he_asks_for_has_no_need_to_grow, set_up),
		cmocka_unit_test_setup(
		    paths_of_another_generation_are_forgotten, set_up),
	};

	return cmocka_run_group_tests(tests, make_words, NULL);
}
