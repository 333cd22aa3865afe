#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "model/reconcile.h"

struct row {
	const char *what;
	uint64_t allocator, unknown; /* resident */
	struct reconcile_counts counts;
	uint64_t live, slack, retained, unattributed;
};

static const struct row rows[] = {
	{ "nothing at all", 0, 0, { 0 }, 0, 0, 0, 0 },
	{ "all live, usable sizes only", 1000, 0,
	    { 1000, 0, 10, false, 0 }, 1000, 0, 0, 0 },
	{ "a word a block is slack", 1080, 0,
	    { 1000, 0, 10, false, 8 }, 1000, 80, 0, 0 },
	{ "asked for, rounded up, freed", 2000, 0,
	    { 1000, 900, 10, true, 8 }, 900, 180, 920, 0 },
	{ "asked-for sizes are not meant unless known", 1000, 0,
	    { 1000, 900, 10, false, 0 }, 1000, 0, 0, 0 },
	{ "everything freed", 5000, 0, { 0, 0, 0, true, 8 }, 0, 0, 5000, 0 },
	{ "large blocks live in unknown memory", 1000, 9000,
	    { 6000, 0, 1, false, 0 }, 6000, 0, 0, 4000 },
	{ "unknown memory that nobody needs", 7000, 9000,
	    { 6000, 0, 1, false, 0 }, 6000, 0, 1000, 9000 },
	{ "unknown memory only", 0, 512, { 0, 0, 0, true, 8 }, 0, 0, 0, 512 },
	{ "half of the blocks never touched", 500, 0,
	    { 1000, 800, 1, true, 0 }, 400, 100, 0, 0 },
	{ "untouched, and all unknown memory is taken", 100, 100,
	    { 1000, 1000, 1, true, 0 }, 200, 0, 0, 0 },
	{ "nothing resident of much that is live", 0, 0,
	    { GIB, GIB, 1, true, 8 }, 0, 0, 0, 0 },
	{ "counts torn: more asked for than usable", 1000, 0,
	    { 500, 900, 1, true, 0 }, 500, 0, 500, 0 },
	{ "counts beyond all measure", 1000, 1000,
	    { UINT64_MAX, UINT64_MAX, UINT64_MAX, true, 8 },
	    2000, 0, 0, 0 },
};

static void
the_heap_is_split_by_the_counts(void **state)
{
	uint64_t resident[RANGE_CLASSES], terms[RSS_TERMS];
	const struct row *r;

	(void)state;
	for (r = rows; r < rows + ARRAY_LENGTH(rows); r++) {
		memset(resident, 0, sizeof(resident));
		resident[RANGE_ALLOCATOR] = r->allocator;
		resident[RANGE_UNKNOWN] = r->unknown;
		reconcile(resident, &r->counts, terms);
		if (terms[RSS_LIVE] != r->live ||
		    terms[RSS_SLACK] != r->slack ||
		    terms[RSS_RETAINED] != r->retained ||
		    terms[RSS_UNATTRIBUTED] != r->unattributed)
			fail_msg("%s: live %ju slack %ju retained %ju "
			    "unattributed %ju", r->what,
			    (uintmax_t)terms[RSS_LIVE],
			    (uintmax_t)terms[RSS_SLACK],
			    (uintmax_t)terms[RSS_RETAINED],
			    (uintmax_t)terms[RSS_UNATTRIBUTED]);
	}
}

static void
what_is_no_heap_is_a_term_as_it_stands(void **state)
{
	const uint64_t resident[RANGE_CLASSES] = {
		[RANGE_FILE] = 1, [RANGE_SHARED] = 2, [RANGE_STACK] = 3,
		[RANGE_HEAPTIDE] = 4, [RANGE_MAPPED] = 5,
	};
	const struct reconcile_counts counts = { .live_bytes = GIB };
	uint64_t terms[RSS_TERMS];

	(void)state;
	reconcile(resident, &counts, terms);
	assert_int_equal(terms[RSS_FILES], 1);
	assert_int_equal(terms[RSS_SHARED], 2);
	assert_int_equal(terms[RSS_STACKS], 3);
	assert_int_equal(terms[RSS_HEAPTIDE], 4);
	assert_int_equal(terms[RSS_MAPPED], 5);
	assert_int_equal(terms[RSS_LIVE], 0);
	assert_int_equal(terms[RSS_UNATTRIBUTED], 0);
}

static uint64_t
sum_of(const uint64_t *numbers, size_t count)
{
	uint64_t sum = 0;

	while (count-- > 0)
		sum += numbers[count];
	return sum;
}

/* The same numbers at every run; of all magnitudes, zero among them. */
static uint64_t
any(uint64_t *seed)
{
	uint64_t n = mix_u64(++*seed);

	return (n >> 8) >> (n & 63);
}

static void
the_terms_sum_to_what_is_resident_whatever_the_counts(void **state)
{
	uint64_t resident[RANGE_CLASSES], terms[RSS_TERMS], seed = 0;
	struct reconcile_counts counts;
	int round, i;

	(void)state;
	for (round = 0; round < 100000; round++) {
		for (i = 0; i < RANGE_CLASSES; i++)
			resident[i] = any(&seed) >> 4;
		counts.live_bytes = any(&seed) << (round & 8);
		counts.live_requested = any(&seed);
		counts.live_blocks = any(&seed);
		counts.requested_known = round & 1;
		counts.block_overhead = round & 2 ? 8 : 0;
		reconcile(resident, &counts, terms);
		if (sum_of(terms, RSS_TERMS) !=
		    sum_of(resident, RANGE_CLASSES))
			fail_msg("round %d", round);
		/* A term below zero would be larger than the sum. */
		for (i = 0; i < RSS_TERMS; i++)
			if (terms[i] > sum_of(resident, RANGE_CLASSES))
				fail_msg("round %d, term %d", round, i);
		if (terms[RSS_LIVE] > counts.live_bytes)
			fail_msg("round %d: more live than counted", round);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_heap_is_split_by_the_counts),
		cmocka_unit_test(what_is_no_heap_is_a_term_as_it_stands),
		cmocka_unit_test(
		    the_terms_sum_to_what_is_resident_whatever_the_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
