#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "base/base.h"
#include "mem/arena.h"

static bool
is_zero(const char *p, size_t n)
{
	return n == 0 || (p[0] == 0 && memcmp(p, p + 1, n - 1) == 0);
}

static void
pieces_are_zeroed_aligned_and_apart(void **state)
{
	static const size_t sizes[] = { 1, 63, 64, 65, 4000, 70000, 300000 };
	char *before = NULL;
	size_t i;
	int round;

	(void)state;
	for (round = 0; round < 20; round++) {
		for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
			char *p = arena_take(sizes[i]);

			assert_non_null(p);
			assert_int_equal((uintptr_t)p % 64, 0);
			assert_true(is_zero(p, sizes[i]));
			assert_ptr_not_equal(p, before);
			memset(p, 0xa5, sizes[i]);
			before = p;
		}
	}
}

static void
every_piece_lies_in_a_span(void **state)
{
	struct segment_span spans[SEGMENT_SPANS];
	size_t sizes[] = { 100, 1 * MIB, 8 * MIB };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(sizes); i++) {
		uintptr_t p = (uintptr_t)arena_take(sizes[i]);
		size_t n = arena_spans(spans);
		bool found = false;

		while (n-- > 0)
			found |= p >= spans[n].start &&
			    p + sizes[i] <= spans[n].end;
		assert_true(found);
	}
}

static void
a_new_range_changes_the_version(void **state)
{
	uint32_t version = arena_version();

	(void)state;
	assert_non_null(arena_take(ARENA_LARGE));
	assert_int_not_equal(arena_version(), version);
}

static void
a_cleared_piece_is_zero_and_its_neighbours_are_not(void **state)
{
	char *p = arena_take(3 * ARENA_LARGE);
	size_t n = ARENA_LARGE;

	(void)state;
	memset(p, 1, 3 * n);
	arena_clear(p + n + 10, n);
	assert_true(is_zero(p + n + 10, n));
	assert_int_equal(p[n + 9], 1);
	assert_int_equal(p[2 * n + 10], 1);
}

enum { TAKERS = 4, PIECES = 20000 };

/* Every piece is filled with the taker's mark, and must keep it. */
static void *
take_and_mark(void *context)
{
	static const size_t sizes[] = { 64, 100, 1000, 5000 };
	static char *piece[TAKERS][PIECES];
	size_t me = (uintptr_t)context;
	uintptr_t wrong = 0;
	size_t i, n;

	for (i = 0; i < PIECES; i++) {
		n = sizes[i % ARRAY_LENGTH(sizes)];
		piece[me][i] = arena_take(n);
		wrong += !is_zero(piece[me][i], n);
		memset(piece[me][i], (int)me + 1, n);
	}
	for (i = 0; i < PIECES; i++) {
		n = sizes[i % ARRAY_LENGTH(sizes)];
		wrong += piece[me][i][0] != (char)(me + 1) ||
		    memcmp(piece[me][i], piece[me][i] + 1, n - 1) != 0;
	}
	return (void *)wrong;
}

static void
threads_are_given_pieces_apart(void **state)
{
	pthread_t thread[TAKERS];
	uintptr_t i;
	void *wrong;

	(void)state;
	for (i = 0; i < TAKERS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
		    take_and_mark, (void *)i), 0);
	for (i = 0; i < TAKERS; i++) {
		pthread_join(thread[i], &wrong);
		assert_null(wrong);
	}
}

static void
a_piece_that_is_filled_is_there_and_zero(void **state)
{
	unsigned char there[MIB / 4096];
	char *p = arena_take(MIB);
	size_t i;

	(void)state;
	assert_int_equal((uintptr_t)p % 4096, 0);
	assert_int_equal(mincore(p, MIB, there), 0);
	for (i = 0; i < ARRAY_LENGTH(there); i++)
		assert_int_equal(there[i] & 1, 0);
	if (!arena_fill(p, MIB))
		skip(); /* the kernel cannot, or room is limited */
	assert_int_equal(mincore(p, MIB, there), 0);
	for (i = 0; i < ARRAY_LENGTH(there); i++)
		assert_int_equal(there[i] & 1, 1);
	assert_true(is_zero(p, MIB));
	assert_false(arena_fill(p + 1, 4096)); /* no page is in it whole */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_zeroed_aligned_and_apart),
		cmocka_unit_test(every_piece_lies_in_a_span),
		cmocka_unit_test(a_new_range_changes_the_version),
		cmocka_unit_test(
		    a_cleared_piece_is_zero_and_its_neighbours_are_not),
		cmocka_unit_test(a_piece_that_is_filled_is_there_and_zero),
		cmocka_unit_test(threads_are_given_pieces_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
