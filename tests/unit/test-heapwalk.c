#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "watch/glibc.h"
#include "watch/heapwalk.h"
#include "watch/trace.h"

/*
 * A heap made by hand, as glibc would lay it out: chunks one behind the other.
 */
#define HEAP_BYTES (1 << 20)
#define KEY        UINT64_C(0x1234567890abcdef)

static struct {
	uint64_t word[HEAP_BYTES / 8] __attribute__((aligned(4096)));
	uint64_t at;     /* of the next chunk, in bytes */
	bool free;       /* the last one is free */
	struct glibc_arena arena;
	struct workroom room;
	struct heap heap;
	struct trace trace;
} made;

static uint64_t
address(uint64_t at)
{
	return (uintptr_t)made.word + at;
}

/* The next chunk, of @usable bytes (8 more than a multiple of 16): its block. */
static uint64_t *
chunk(size_t usable, bool in_use)
{
	uint64_t bytes = usable + 8;
	uint64_t *c = &made.word[made.at / 8];

	c[1] = bytes | (made.free ? 0 : CHUNK_PREVIOUS_USED);
	made.at += bytes;
	if (!in_use)
		made.word[made.at / 8] = bytes;
	made.free = !in_use;
	return c + 2;
}

static void
end_heap(void)
{
	made.word[made.at / 8 + 1] = (HEAP_BYTES - made.at) |
	    (made.free ? 0 : CHUNK_PREVIOUS_USED);
	made.arena.top = address(made.at);
}

static int
begin(void **state)
{
	(void)state;
	memset(&made, 0, sizeof(made));
	if (workroom_open(&made.room, GIB) < 0)
		return -1;
	return heap_open(&made.heap, &made.room, KEY);
}

static void
walk(void)
{
	const uint64_t arena = (uintptr_t)&made.arena;

	assert_int_equal(heap_add(&made.heap, address(0), address(0),
	    address(HEAP_BYTES), 0), 0);
	assert_int_equal(heap_walk(&made.heap, &arena, 1), 0);
}

static bool
is_live(const void *block)
{
	uint32_t i = heap_find(&made.heap, (uintptr_t)block);

	return i != HEAP_NONE &&
	    heap_start(made.heap.entry[i]) == (uintptr_t)block &&
	    heap_label(made.heap.entry[i]) != HEAP_DEAD;
}

static uint32_t
label(const void *block)
{
	return heap_label(made.heap.entry[heap_find(&made.heap,
	    (uintptr_t)block)]);
}

/* --- the heap ------------------------------------------------------------- */

static void
every_byte_of_a_block_finds_it(void **state)
{
	uint64_t *block[1000];
	size_t usable, i, k;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(block); i++)
		block[i] = chunk(24 + i % 40 * 16, true);
	end_heap();
	walk();
	for (i = 0; i < ARRAY_LENGTH(block); i++) {
		usable = heap_usable((uintptr_t)block[i]);
		assert_int_equal(usable, 24 + i % 40 * 16);
		assert_true(is_live(block[i]));
		for (k = 0; k < usable; k += 7)
			assert_int_equal(heap_find(&made.heap,
			    (uintptr_t)block[i] + k), heap_find(&made.heap,
			    (uintptr_t)block[i]));
	}
	assert_int_equal(made.heap.unknown_bytes, 0);
	/* With what is in front of the first, and what is behind the last. */
	assert_int_equal(heap_find(&made.heap, address(0)), HEAP_NONE);
	assert_int_equal(heap_find(&made.heap, address(0) - 1), HEAP_NONE);
	assert_int_equal(heap_find(&made.heap, address(HEAP_BYTES)),
	    HEAP_NONE);
	assert_false(is_live((void *)(made.arena.top + 16)));
}

static void
what_is_free_is_no_block(void **state)
{
	uint64_t *used, *in_bin, *cached, *fast, *next, *last;

	(void)state;
	used = chunk(40, true);
	in_bin = chunk(200, false);
	cached = chunk(56, true);
	cached[1] = KEY;
	fast = chunk(24, true);
	next = chunk(24, true);
	last = chunk(40, true);
	end_heap();
	/* A list of two, as an arena keeps it. */
	made.arena.fast[0] = (uintptr_t)fast - 16;
	fast[0] = (uintptr_t)fast >> 12 ^ ((uintptr_t)next - 16);
	next[0] = (uintptr_t)next >> 12;
	walk();
	assert_true(is_live(used));
	assert_true(is_live(last));
	assert_false(is_live(in_bin));
	assert_false(is_live(cached));
	assert_false(is_live(fast));
	assert_false(is_live(next));
}

/* What another's sbrk() has left in between is no block, but is named. */
static void
a_chain_that_breaks_is_taken_up_again(void **state)
{
	uint64_t *before, *after[100];
	size_t i;

	(void)state;
	before = chunk(40, true);
	/* Two fences, and something else. */
	made.word[made.at / 8 + 1] = 16 | CHUNK_PREVIOUS_USED;
	made.word[made.at / 8 + 3] = 16 | CHUNK_PREVIOUS_USED;
	for (i = 4; i < 600; i++)
		made.word[made.at / 8 + i] = 0xfeedfacefeedfaceu + i;
	made.at += 600 * 8;
	for (i = 0; i < ARRAY_LENGTH(after); i++)
		after[i] = chunk(24 + i % 7 * 16, true);
	end_heap();
	walk();
	assert_true(is_live(before));
	for (i = 0; i < ARRAY_LENGTH(after); i++)
		assert_true(is_live(after[i]));
	assert_int_equal(made.heap.unknowns, 1);
	assert_int_equal(made.heap.unknown_bytes, 600 * 8);
}

/* Another thread was just cutting a block off the top. */
static void
a_torn_end_is_no_end(void **state)
{
	uint64_t *block = chunk(40, true);

	(void)state;
	made.arena.top = 0;
	walk();
	assert_true(is_live(block));
	assert_int_equal(made.heap.unknown_bytes, HEAP_BYTES - 48);
}

static void
a_heap_of_anything_is_survived(void **state)
{
	unsigned random = 7;
	size_t i, round;

	(void)state;
	for (round = 0; round < 20; round++) {
		begin(state);
		for (i = 0; i < ARRAY_LENGTH(made.word); i++) {
			random = random * 1664525 + 1013904223;
			made.word[i] = random >> 28 < 6 ? (random >> 8) %
			    8192 : random;
		}
		walk();
		for (i = 0; i < made.heap.blocks; i++) {
			uint64_t start = heap_start(made.heap.entry[i]);

			assert_in_range(start, address(16),
			    address(HEAP_BYTES));
			assert_int_equal(heap_find(&made.heap, start), i);
		}
	}
}

/* --- who holds whom ------------------------------------------------------- */

static uint64_t roots[4];

static void
follow(bool starts)
{
	assert_int_equal(trace_open(&made.trace, &made.heap, &made.room), 0);
	made.trace.starts = starts;
	trace_range(&made.trace, 1, (uintptr_t)&roots[0],
	    (uintptr_t)&roots[2], true);
	trace_range(&made.trace, 2, (uintptr_t)&roots[2],
	    (uintptr_t)&roots[3], true);
	trace_range(&made.trace, 3, (uintptr_t)&roots[3],
	    (uintptr_t)&roots[4], false);
	assert_true(trace_follow(&made.trace));
	assert_true(trace_indirect(&made.trace));
}

static void
a_label_says_where_all_ways_begin(void **state)
{
	uint64_t *by_word, *by_root, *by_many, *by_none, *below, *plain;

	(void)state;
	by_word = chunk(40, true);
	by_root = chunk(40, true);
	by_many = chunk(40, true);
	by_none = chunk(40, true);
	below = chunk(40, true);
	plain = chunk(40, true);
	end_heap();
	roots[0] = (uintptr_t)by_word;
	roots[1] = (uintptr_t)by_root;
	roots[2] = (uintptr_t)by_many;
	roots[3] = (uintptr_t)plain + 8;
	by_word[0] = (uintptr_t)by_root;
	by_word[1] = (uintptr_t)by_many;
	by_word[2] = (uintptr_t)below;
	by_none[4] = (uintptr_t)below; /* that says nothing */
	walk();
	follow(false);
	assert_in_range(label(by_word), TRACE_LABEL_WORD,
	    TRACE_LABEL_INDIRECT - 1);
	assert_int_equal(label(below), label(by_word));
	assert_int_equal(label(by_root), TRACE_LABEL_ROOT + 1);
	assert_int_equal(label(by_many), TRACE_LABEL_MANY);
	assert_int_equal(label(by_none), TRACE_LABEL_NONE);
	assert_int_equal(label(plain), TRACE_LABEL_ROOT + 3);
}

/* All of a cycle is held by the rest of it; what has itself alone is not. */
static void
those_that_nobody_reaches_hold_each_other(void **state)
{
	uint64_t *first, *second, *held, *self, *free;

	(void)state;
	first = chunk(40, true);
	second = chunk(40, true);
	held = chunk(40, true);
	self = chunk(40, true);
	free = chunk(40, false);
	end_heap();
	memset(roots, 0, sizeof(roots));
	first[1] = (uintptr_t)second;
	second[2] = (uintptr_t)first + 3;
	second[3] = (uintptr_t)held;
	self[0] = (uintptr_t)self;
	/* Of what is free nothing counts, whoever points to it. */
	roots[0] = (uintptr_t)free;
	free[2] = (uintptr_t)self;
	walk();
	follow(false);
	assert_int_equal(label(first), TRACE_LABEL_INDIRECT);
	assert_int_equal(label(second), TRACE_LABEL_INDIRECT);
	assert_int_equal(label(held), TRACE_LABEL_INDIRECT);
	assert_int_equal(label(self), TRACE_LABEL_NONE);
	assert_int_equal(label(free), HEAP_DEAD);
}

static void
pointers_to_the_middle_count_or_do_not(void **state)
{
	uint64_t *block = chunk(104, true);

	(void)state;
	end_heap();
	memset(roots, 0, sizeof(roots));
	roots[3] = (uintptr_t)block + 50;
	walk();
	follow(true);
	assert_int_equal(label(block), TRACE_LABEL_NONE);
	follow(false);
	assert_int_equal(label(block), TRACE_LABEL_ROOT + 3);
}

/* A list is as deep as it is long, and takes no stack. */
static void
a_long_list_is_followed_to_its_end(void **state)
{
	uint64_t *block = NULL, *first = NULL, *last = NULL;
	size_t n;

	(void)state;
	for (n = 0; made.at + 64 < HEAP_BYTES - 64; n++) {
		block = chunk(24, true);
		if (last != NULL)
			last[0] = (uintptr_t)block;
		else
			first = block;
		last = block;
	}
	end_heap();
	memset(roots, 0, sizeof(roots));
	roots[2] = (uintptr_t)first;
	walk();
	follow(false);
	assert_in_range(n, 30000, 40000);
	assert_int_equal(label(last), label(first));
	assert_int_equal(made.trace.scanned, n * 24 + sizeof(roots));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_byte_of_a_block_finds_it, begin),
		cmocka_unit_test_setup(what_is_free_is_no_block, begin),
		cmocka_unit_test_setup(a_chain_that_breaks_is_taken_up_again,
		    begin),
		cmocka_unit_test_setup(a_torn_end_is_no_end, begin),
		cmocka_unit_test_setup(a_heap_of_anything_is_survived, begin),
		cmocka_unit_test_setup(a_label_says_where_all_ways_begin,
		    begin),
		cmocka_unit_test_setup(
		    those_that_nobody_reaches_hold_each_other, begin),
		cmocka_unit_test_setup(pointers_to_the_middle_count_or_do_not,
		    begin),
		cmocka_unit_test_setup(a_long_list_is_followed_to_its_end,
		    begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
