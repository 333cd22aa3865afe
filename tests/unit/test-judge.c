/*
 * Who is judged by what: a process that made and freed as told, one mark an
 * epoch.
 */
#include "own-segment.h"

#include <string.h>

#include "base/base.h"
#include "control/judge.h"
#include "control/mark.h"
#include "door/inside.h"
#include "heap/generation.h"

enum { EPOCHS = 25, BYTES = 100 };

struct block {
	uint32_t generation;
	uint64_t bytes;
};

static struct control control;
static struct counts counts;
static uint32_t site;
static uint64_t now_ns;

static int
begin(void **state)
{
	if (own_segment_setup(state) < 0)
		return -1;
	control = inside();
	control.segment->config.stacks = STACKS_ALL;
	now_ns = NS_PER_S;
	counts_open(&counts, tally_claim());
	site = site_of((uint32_t)segment_take(TABLE_NODES, 1), 0);
	return 0;
}

/* As door/record.c does it. */
static struct block
make(uint64_t bytes)
{
	struct tally *t = counts.tally;
	uint64_t stamp = stamp_now();

	count_alloc(counts_of(&counts, site, stamp), bytes, 0);
	t->allocated += bytes;
	t->allocations++;
	return (struct block){ stamp_generation(stamp), bytes };
}

static void
give_back(const struct block *b)
{
	struct tally *t = counts.tally;
	struct count *c = counts_of(&counts, site, stamp_now());

	count_free(c, b->bytes, 0, false);
	generation_put(c, site, b->generation, -(int64_t)b->bytes);
	t->freed += b->bytes;
	t->frees++;
}

static void
end_epoch(void)
{
	now_ns += NS_PER_S;
	assert_true(mark_set(&control, MARK_BATCH, "b", now_ns) >= 0);
	generation_follow();
}

static void
open_judge(struct judge *j, bool ended)
{
	const struct judge_options options = { .now_ns = now_ns,
		.warmup = SIZE_MAX, .ended = ended };

	assert_int_equal(judge_open(j, &control, &options), 0);
}

/*
 * A queue that gets longer, and is emptied from its old end: all that it holds
 * is young.  It rises in five epochs of six.
 */
static void
lengthen(uint32_t flags)
{
	static struct block queue[10000];
	size_t first = 0, end = 0, want, i, k;

	((struct site *)segment_rows(TABLE_SITES))[site].flags |= flags;
	for (i = 0; i < EPOCHS; i++) {
		want = 100 + 4 * i - (i % 6 == 5 ? 9 : 0);
		for (k = 0; k < want / 2; k++)
			queue[end++] = make(BYTES);
		while (end - first > want)
			give_back(&queue[first++]);
		while (end - first < want)
			queue[end++] = make(BYTES);
		end_epoch();
	}
}

static void
a_heap_whose_blocks_are_replaced_does_not_grow(void **state)
{
	struct judge j;

	(void)state;
	lengthen(0);
	open_judge(&j, false);
	assert_int_not_equal(j.verdict[site].kind, VERDICT_GROWING);
	assert_int_not_equal(j.heap.kind, VERDICT_GROWING);
	judge_close(&j);
}

/* The same, where sites do not tell of what the heap has. */
static void
where_sites_have_not_all_of_it_ages_are_not_known(void **state)
{
	struct judge j;

	(void)state;
	lengthen(SITE_POOL);
	open_judge(&j, false);
	assert_int_equal(j.heap.kind, VERDICT_GROWING);
	judge_close(&j);
}

static void
a_heap_that_leaks_grows(void **state)
{
	struct judge j;
	size_t i;

	(void)state;
	for (i = 0; i < EPOCHS; i++) {
		(void)make(BYTES);
		end_epoch();
	}
	for (i = 0; i < 2; i++) {
		open_judge(&j, i == 1);
		assert_int_equal(j.heap.kind, VERDICT_GROWING);
		assert_int_equal(j.verdict[site].kind, VERDICT_GROWING);
		judge_close(&j);
	}
}

/* A load of 100 and of 300 blocks by turns; at the end there are @left. */
static bool
is_given_back(size_t left)
{
	static struct block blocks[300];
	struct judge j;
	size_t i, k, held;
	bool is;

	memset(blocks, 0, sizeof(blocks));
	for (i = 0; i <= EPOCHS; i++) {
		held = i == EPOCHS ? left : i % 2 == 0 ? 300 : 100;
		for (k = 0; k < ARRAY_LENGTH(blocks); k++) {
			if (blocks[k].bytes != 0 && k >= held) {
				give_back(&blocks[k]);
				blocks[k].bytes = 0;
			} else if (blocks[k].bytes == 0 && k < held) {
				blocks[k] = make(BYTES);
			}
		}
		if (i < EPOCHS)
			end_epoch();
	}
	open_judge(&j, true);
	is = j.site[site].given_back;
	judge_close(&j);
	return is;
}

static void
who_ends_as_low_as_it_often_was_has_given_nothing_back(void **state)
{
	(void)state;
	assert_false(is_given_back(100));
}

static void
who_ends_lower_than_it_was_for_long_has_given_back(void **state)
{
	(void)state;
	assert_true(is_given_back(10));
}

int
main(void)
{
#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, begin, own_segment_teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_heap_whose_blocks_are_replaced_does_not_grow),
		TEST(where_sites_have_not_all_of_it_ages_are_not_known),
		TEST(a_heap_that_leaks_grows),
		TEST(who_ends_as_low_as_it_often_was_has_given_nothing_back),
		TEST(who_ends_lower_than_it_was_for_long_has_given_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
