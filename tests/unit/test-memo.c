#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stack/memo.h"
#include "stack/unwind.h"

#define ROOM 256

static struct memo memo;
static struct stack known;

static int
set_up(void **state)
{
	(void)state;
	memset(&memo, 0, sizeof(memo));
	memo_clear(&memo);
	unwind_set_top(&known, (uintptr_t)__builtin_frame_address(0) + 4096,
	    UNWIND_STACK_MOST);
	return 0;
}

/* --- made by hand --------------------------------------------------------- */

static uint64_t words[64];

static struct arch_frame
frame(uint64_t pc, uint64_t fp)
{
	return (struct arch_frame){ .pc = pc, .sp = (uintptr_t)words,
		.fp = fp };
}

static uint32_t
find(struct arch_frame from, uint32_t generation)
{
	return memo_find(&memo, &from, (uintptr_t)words + sizeof(words),
	    generation);
}

/* A walk from @from that read the first @count words. */
static void
put(struct arch_frame from, size_t count, bool uses_fp, uint32_t node)
{
	struct memo_trace trace = { .whole = true, .uses_fp = uses_fp };
	size_t i;

	memo_begin(&memo, &trace);
	for (i = 0; i < count; i++)
		trace.word[trace.count++] = (struct memo_word){ 8 * i,
			words[i] };
	memo_put(&memo, &from, &trace, 1, node);
}

static void
an_empty_memo_finds_nothing(void **state)
{
	(void)state;
	assert_int_equal(find(frame(0x1000, 0), 1), 0);
}

static void
what_was_put_in_is_found_and_nothing_else(void **state)
{
	(void)state;
	put(frame(0x1000, 7), 5, false, 42);
	assert_int_equal(find(frame(0x1000, 7), 1), 42);
	assert_int_equal(find(frame(0x1000, 8), 1), 42); /* fp: not used */
	assert_int_equal(find(frame(0x1001, 7), 1), 0);
	assert_int_equal(find(frame(0x1000, 7), 2), 0); /* generation */
}

static void
each_word_that_was_read_counts_and_no_other(void **state)
{
	(void)state;
	put(frame(0x1000, 0), 5, false, 42);
	for (size_t i = 0; i < 5; i++) {
		words[i]++;
		assert_int_equal(find(frame(0x1000, 0), 1), 0);
		words[i]--;
	}
	words[5]++;
	assert_int_equal(find(frame(0x1000, 0), 1), 42);
}

static void
a_frame_pointer_that_was_used_counts(void **state)
{
	(void)state;
	put(frame(0x1000, 7), 1, true, 42);
	assert_int_equal(find(frame(0x1000, 7), 1), 42);
	assert_int_equal(find(frame(0x1000, 8), 1), 0);
}

static void
nothing_is_read_beyond_the_top(void **state)
{
	struct arch_frame from = frame(0x1000, 0);

	(void)state;
	put(from, 5, false, 42);
	assert_int_equal(memo_find(&memo, &from, from.sp + 32, 1), 0);
	assert_int_equal(memo_find(&memo, &from, from.sp + 40, 1), 42);
}

static void
a_walk_that_is_not_whole_is_not_kept(void **state)
{
	struct memo_trace trace = { .whole = false };
	struct arch_frame from = frame(0x1000, 0);

	(void)state;
	memo_begin(&memo, &trace);
	memo_put(&memo, &from, &trace, 1, 42);
	assert_int_equal(find(from, 1), 0);
}

static void
after_clearing_nothing_is_found(void **state)
{
	(void)state;
	put(frame(0x1000, 0), 5, false, 42);
	memo_clear(&memo);
	assert_int_equal(find(frame(0x1000, 0), 1), 0);
	put(frame(0x1000, 0), 5, false, 43);
	assert_int_equal(find(frame(0x1000, 0), 1), 43);
}

/* However often it is gone round, what is found is what was put in last. */
static void
the_ring_may_be_gone_round(void **state)
{
	static uint32_t last[300];
	uint32_t random = 1;
	size_t hits = 0;

	(void)state;
	for (uint32_t i = 1; i < 100000; i++) {
		uint32_t pc = (random = random * 1664525 + 1013904223) >> 8;
		uint32_t found;

		pc %= 300;
		found = find(frame(0x1000 + pc, 0), 1);
		assert_true(found == 0 || found == last[pc]);
		hits += found != 0;
		put(frame(0x1000 + pc, 0), i % 60, false, i);
		last[pc] = i;
		assert_int_equal(find(frame(0x1000 + pc, 0), 1), i);
	}
	assert_true(hits > 1000);
}

/* --- real walks ----------------------------------------------------------- */

static struct {
	uint64_t pcs[ROOM];
	size_t depth;
	struct memo_trace trace;
	uint32_t found;
	uint64_t clobber;
} seen;

static __attribute__((noinline)) void
capture(uint32_t node)
{
	struct arch_frame from = arch_frame_of(ARCH_CALLER());
	int cut;

	seen.found = memo_find(&memo, &from, known.top, 1);
	memo_begin(&memo, &seen.trace);
	seen.depth = unwind_stack(&from, &known, seen.pcs, ROOM, &cut,
	    &seen.trace);
	memo_put(&memo, &from, &seen.trace, 1, node);
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void
deep(int levels, uint32_t node)
{
	if (levels == 0)
		capture(node);
	else
		deep(levels - 1, node);
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void
one_way(uint32_t node)
{
	deep(10, node);
	__asm__ volatile("" ::: "memory");
}

static __attribute__((noinline)) void
another_way(uint32_t node)
{
	deep(10, node);
	__asm__ volatile("" ::: "memory");
}

static void
the_same_path_is_found_again(void **state)
{
	(void)state;
	for (uint32_t i = 1; i < 4; i++) {
		one_way(i);
		assert_true(seen.trace.whole);
		assert_int_equal(seen.found, i - 1);
	}
}

/* The same function at the same place on the stack, called by two. */
static void
two_paths_that_differ_far_out_are_two(void **state)
{
	void (*const ways[])(uint32_t) = { one_way, another_way };

	(void)state;
	for (uint32_t i = 0; i < 10; i++) {
		void (*volatile way)(uint32_t) = ways[i % 2];

		way(100 + i % 2);
		assert_true(seen.found == 0 || seen.found == 100 + i % 2);
	}
}

static void
each_return_address_is_among_what_was_read(void **state)
{
	(void)state;
	one_way(1);
	for (size_t i = 1; i < seen.depth; i++) {
		bool noted = false;

		for (size_t k = 0; k < seen.trace.count; k++)
			noted |= seen.trace.word[k].value == seen.pcs[i];
		assert_true(noted);
	}
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
		cmocka_unit_test_setup(a_frame_pointer_that_was_used_counts,
		    set_up),
		cmocka_unit_test_setup(nothing_is_read_beyond_the_top, set_up),
		cmocka_unit_test_setup(a_walk_that_is_not_whole_is_not_kept,
		    set_up),
		cmocka_unit_test_setup(after_clearing_nothing_is_found,
		    set_up),
		cmocka_unit_test_setup(the_ring_may_be_gone_round, set_up),
		cmocka_unit_test_setup(the_same_path_is_found_again, set_up),
		cmocka_unit_test_setup(two_paths_that_differ_far_out_are_two,
		    set_up),
		cmocka_unit_test_setup(
		    each_return_address_is_among_what_was_read, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
