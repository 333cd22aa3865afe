/*
 * test-finding.c - the table of what a program does wrong
 */
#include "own-segment.h"

#include <string.h>

#include "base/base.h"
#include "heap/finding.h"

static const struct finding *
row(size_t i)
{
	return (struct finding *)segment_rows(TABLE_FINDINGS) + i;
}

static uint64_t
rows(void)
{
	return segment_mine()->table[TABLE_FINDINGS].used;
}

static struct finding
some(uint32_t site, uint32_t node)
{
	return (struct finding){
		.kind = FINDING_NEW_FREE,
		.allocated = site,
		.freed = node,
		.freed_pc = 0x1000 + node,
		.bytes = 24,
	};
}

static void
the_same_is_counted_and_another_has_a_row_of_its_own(void **state)
{
	struct finding f = some(3, 4);

	(void)state;
	finding_note(&f);
	finding_note(&f);
	assert_int_equal(rows(), 1);
	assert_int_equal(row(0)->kind, FINDING_NEW_FREE);
	assert_int_equal(row(0)->count, 2);
	assert_int_equal(row(0)->bytes, 48);
	assert_int_not_equal(row(0)->at_ns, 0);
	f.kind = FINDING_DOUBLE_FREE;
	finding_note(&f);
	f = some(5, 4);
	finding_note(&f);
	f = some(3, 9);
	finding_note(&f);
	assert_int_equal(rows(), 4);
	assert_int_equal(row(3)->freed, 9);
	assert_int_equal(row(3)->count, 1);
}

static void
what_goes_on_and_on_is_not_looked_at_for_ever(void **state)
{
	struct finding f = some(100, 101);
	int n = 0;

	(void)state;
	while (!finding_again(&f) && n < 100000) {
		finding_note(&f);
		n++;
	}
	assert_in_range(n, 2, 1000);
	f.freed_pc++; /* by another call */
	assert_false(finding_again(&f));
}

static void
what_finds_no_room_is_counted_in_the_last_row(void **state)
{
	struct finding f;
	uint32_t i;

	(void)state;
	for (i = 0; i < FINDINGS + 50; i++) {
		f = some(1000 + i, i);
		finding_note(&f);
	}
	assert_int_equal(row(FINDINGS - 1)->kind, FINDING_MORE);
	assert_in_range(row(FINDINGS - 1)->count, 51, FINDINGS);
	assert_int_equal(row(FINDINGS - 2)->kind, FINDING_NEW_FREE);
	assert_int_equal(rows(), FINDINGS);
	/* That is no loss of what is counted exactly. */
	assert_int_equal(segment_mine()->lost.space, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_same_is_counted_and_another_has_a_row_of_its_own),
		cmocka_unit_test(what_goes_on_and_on_is_not_looked_at_for_ever),
		cmocka_unit_test(what_finds_no_room_is_counted_in_the_last_row),
	};

	return cmocka_run_group_tests(tests, own_segment_setup,
	    own_segment_teardown);
}
