/*
 * test-spans.c - a set of items as ranges, beside one of bits
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/room.h"
#include "plan/spans.h"

#define ITEMS 200

/* The same, one by one: stamp + 1, or 0. */
static uint64_t plain[ITEMS];
static struct spans spans;

static void
compare(void)
{
	uint64_t n = 0, end = 0;

	for (size_t i = 0; i < spans.count; i++) {
		const struct span *s = &spans.at[i];

		assert_true(s->first < s->end && s->first >= end);
		end = s->end;
		for (uint64_t k = s->first; k < s->end; k++, n++)
			assert_int_equal(plain[k], s->stamp + 1);
	}
	for (size_t k = 0; k < ITEMS; k++)
		n -= plain[k] != 0;
	assert_int_equal(n, 0);
}

static void
it_is_what_a_set_of_bits_would_be(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		uint64_t a, b, stamp;

		seed = seed * 1664525 + 1013904223;
		a = (seed >> 8) % ITEMS;
		b = min_u64(a + (seed >> 20) % 17, ITEMS);
		stamp = seed >> 28;
		if (seed & 128) {
			assert_int_equal(spans_put(&spans, a, b, stamp), 0);
			for (uint64_t k = a; k < b; k++)
				plain[k] = stamp + 1;
		} else {
			assert_int_equal(spans_drop(&spans, a, b, stamp), 0);
			for (uint64_t k = a; k < b; k++)
				if (plain[k] <= stamp + 1)
					plain[k] = 0;
		}
		compare();
		if (a < b) {
			uint64_t n = 0;

			for (uint64_t k = a; k < b; k++)
				n += plain[k] != 0;
			assert_int_equal(spans_count(&spans, a, b), n);
			assert_int_equal(spans_meet(&spans, a, b), n > 0);
		}
	}
	spans_close(&spans);
	assert_int_equal(spans.count, 0);
}

static void
there_may_be_any_number_of_ranges(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 50000; i++)
		assert_int_equal(spans_put(&spans, i * 3, i * 3 + 1, i), 0);
	assert_int_equal(spans.count, 50000);
	assert_int_equal(spans_items(&spans), 50000);
	assert_int_equal(spans_from(&spans, 3 * 49998 + 1)->first, 3 * 49999);
	assert_null(spans_from(&spans, 3 * 49999 + 1));
	assert_int_equal(spans_drop(&spans, 1, 3 * 49999, UINT64_MAX), 0);
	assert_int_equal(spans.count, 2);
	spans_close(&spans);
}

static void
texts_are_read_whole_or_refused(void **state)
{
	static const struct {
		const char *text;
		int answer;
		uint64_t items;
	} rows[] = {
		{ "", 0, 0 },
		{ "7", 0, 1 },
		{ "3-7", 0, 5 },
		{ "3-7,5-9,20", 0, 8 },
		{ "0-18446744073709551613", 0, UINT64_MAX - 1 },
		{ "18446744073709551615", -EINVAL, 0 },
		{ "99999999999999999999", -EINVAL, 0 },
		{ "7-3", -EINVAL, 0 },
		{ "-3", -EINVAL, 0 },
		{ "3-", -EINVAL, 0 },
		{ "3,", -EINVAL, 0 },
		{ ",3", -EINVAL, 0 },
		{ "3 4", -EINVAL, 0 },
		{ "0x3", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		assert_int_equal(spans_parse(&spans, rows[i].text),
		    rows[i].answer);
		if (rows[i].answer == 0)
			assert_int_equal(spans_items(&spans), rows[i].items);
		spans_close(&spans);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_what_a_set_of_bits_would_be),
		cmocka_unit_test(there_may_be_any_number_of_ranges),
		cmocka_unit_test(texts_are_read_whole_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
