/*
 * test-nested.c - the table of a pool's blocks, by an account of our own
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "heap/nested.h"
#include "some.h"

static void
a_record_comes_back_once_as_it_was_put_in(void **state)
{
	static const struct nested_record rows[] = {
		{ 0, 1, 0 }, { NESTED_MOST, SEGMENT_SITES - 1, 255 },
		{ 48, 70000, 3 },
	};
	struct nested n;
	struct nested_record got, old;
	size_t i;

	(void)state;
	memset(&n, 0, sizeof(n));
	assert_false(nested_take(&n, 16, &got));
	for (i = 0; i < ARRAY_LENGTH(rows); i++) {
		assert_int_equal(nested_put(&n, 16 + i, &rows[i], &old), 0);
		assert_true(nested_take(&n, 16 + i, &got));
		assert_memory_equal(&got, &rows[i], sizeof(got));
		assert_false(nested_take(&n, 16 + i, &got));
	}
}

static void
what_is_there_already_is_given_out_and_replaced(void **state)
{
	struct nested_record a = { 1, 2, 3 }, b = { 4, 5, 6 }, got, old;
	struct nested n;

	(void)state;
	memset(&n, 0, sizeof(n));
	assert_int_equal(nested_put(&n, 99, &a, &old), 0);
	assert_int_equal(nested_put(&n, 99, &b, &old), -EEXIST);
	assert_memory_equal(&old, &a, sizeof(old));
	assert_true(nested_take(&n, 99, &got));
	assert_memory_equal(&got, &b, sizeof(got));
	assert_false(nested_take(&n, 99, &got));
}

/* Many come and go, at addresses as close as can be; none is lost. */
static void
as_many_as_there_are_find_a_place(void **state)
{
	enum { ADDRESSES = 300000 };
	uint64_t *held = calloc(ADDRESSES, sizeof(*held));
	struct nested_record r = { 0, 9, 1 }, got, old;
	struct nested n;
	uint32_t i;

	(void)state;
	memset(&n, 0, sizeof(n));
	for (i = 0; i < 2000000; i++) {
		uint32_t at = some(ADDRESSES);

		if (held[at] == 0) {
			r.bytes = held[at] = i + 1;
			assert_int_equal(nested_put(&n, 0x7f0000001 + at, &r,
			    &old), 0);
			continue;
		}
		assert_true(nested_take(&n, 0x7f0000001 + at, &got));
		assert_int_equal(got.bytes, held[at]);
		held[at] = 0;
	}
	assert_in_range(n.parts, 5, NESTED_PARTS - 1);
	free(held);
}

static void
add_bytes(void *sum, const struct nested_record *record)
{
	*(uint64_t *)sum += record->bytes;
}

static void
all_that_is_left_is_handed_out_and_the_next_begins_anew(void **state)
{
	struct nested_record r = { 3, 9, 1 }, got, old;
	uint64_t sum = 0;
	struct nested n;
	uint64_t i;

	(void)state;
	memset(&n, 0, sizeof(n));
	for (i = 1; i <= 10000; i++)
		assert_int_equal(nested_put(&n, i, &r, &old), 0);
	assert_true(nested_take(&n, 77, &got));
	nested_empty(&n, add_bytes, &sum);
	assert_int_equal(sum, 3 * 9999);
	assert_false(nested_take(&n, 5, &got));
	assert_int_equal(nested_put(&n, 5, &r, &old), 0);
	assert_int_equal(n.parts, 1);
	sum = 0;
	nested_empty(&n, add_bytes, &sum);
	assert_int_equal(sum, 3);
}

/* --- threads -------------------------------------------------------------- */

enum { THREADS = 4, EACH = 20000 };
static struct nested common;
static char wrong[] = "not what was put";

static void *
put_and_take(void *number)
{
	uint64_t first = 1 + (uint64_t)(uintptr_t)number * EACH;
	struct nested_record r = { 0, 9, 1 }, got, old;
	uint64_t i;
	int round;

	for (round = 0; round < 5; round++) {
		for (i = first; i < first + EACH; i++) {
			r.bytes = i;
			if (nested_put(&common, i, &r, &old) != 0)
				return wrong;
		}
		for (i = first; i < first + EACH; i++)
			if (!nested_take(&common, i, &got) || got.bytes != i)
				return wrong;
	}
	return NULL;
}

static void
threads_find_their_own(void **state)
{
	pthread_t thread[THREADS];
	uint64_t sum = 0;
	uintptr_t i;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&thread[i], NULL,
		    put_and_take, (void *)i), 0);
	for (i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(thread[i], &result);
		assert_null(result);
	}
	nested_empty(&common, add_bytes, &sum);
	assert_int_equal(sum, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_comes_back_once_as_it_was_put_in),
		cmocka_unit_test(
		    what_is_there_already_is_given_out_and_replaced),
		cmocka_unit_test(as_many_as_there_are_find_a_place),
		cmocka_unit_test(
		    all_that_is_left_is_handed_out_and_the_next_begins_anew),
		cmocka_unit_test(threads_find_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
