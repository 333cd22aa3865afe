/*
 * What reply.c writes is read back by jansson, which knows nothing of us.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/base.h"
#include "control/reply.h"

static char room[8192];
static struct text t;

static void
begin(void)
{
	text_open(&t, room, sizeof(room));
	reply_open(&t, NULL);
}

static json_t *
read_back(void)
{
	json_error_t error;
	json_t *all;

	reply_close(&t);
	assert_false(t.cut);
	assert_null(strchr(room, '\n'));
	all = json_loadb(room, t.used, 0, &error);
	if (all == NULL)
		fail_msg("%s: %s", error.text, room);
	return all;
}

/* @bytes come back as @expected. */
static void
assert_text(const char *bytes, size_t n, const char *expected)
{
	json_t *all, *value;

	begin();
	reply_text_bytes(&t, "text", bytes, n);
	reply_bool(&t, "after", true);
	all = read_back();
	value = json_object_get(all, "text");
	assert_true(json_is_string(value));
	assert_string_equal(json_string_value(value), expected);
	assert_true(json_is_true(json_object_get(all, "after")));
	json_decref(all);
}

static void
what_is_text_comes_back(void **state)
{
	static const char *const texts[] = {
		"", "plain", "\"", "\\", "\\\"\\", "a/b", "\b\f\n\r\t", "\x01",
		"\x1f", "\x7f", "{}[],:", "null", "\xc3\xa9", "\xe2\x82\xac",
		"\xf0\x9f\x8c\x8a", "\xf4\x8f\xbf\xbf", "\xc2\x80", "\xdf\xbf",
		"\xe0\xa0\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80",
		"\xed\x9f\xbf", "\xee\x80\x80", "%s%n", "\\u0041",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		assert_text(texts[i], strlen(texts[i]), texts[i]);
}

/* Every byte that cannot be the start of a character is one U+FFFD. */
static void
what_is_no_text_is_replaced(void **state)
{
#define BAD "\xef\xbf\xbd"
	static const struct {
		const char *bytes, *expected;
	} rows[] = {
		{ "\x80", BAD }, { "\xbf", BAD }, { "\xff", BAD },
		{ "\xfe" "a", BAD "a" }, { "a\xc3", "a" BAD },
		{ "\xc3(", BAD "(" }, { "\xe2\x82", BAD BAD },
		{ "\xe2\x82\"", BAD BAD "\"" }, { "\xf0\x9f\x8c", BAD BAD BAD },
		/* written too long */
		{ "\xc0\x80", BAD BAD }, { "\xc1\xbf", BAD BAD },
		{ "\xe0\x80\x80", BAD BAD BAD }, { "\xe0\x9f\xbf", BAD BAD BAD },
		{ "\xf0\x8f\xbf\xbf", BAD BAD BAD BAD },
		/* surrogates, and beyond the last */
		{ "\xed\xa0\x80", BAD BAD BAD }, { "\xed\xbf\xbf", BAD BAD BAD },
		{ "\xf4\x90\x80\x80", BAD BAD BAD BAD },
		{ "\xf5\x80\x80\x80", BAD BAD BAD BAD },
		{ "\xf8\x88\x80\x80\x80", BAD BAD BAD BAD BAD },
		{ "\xc3\xc3\xa9", BAD "\xc3\xa9" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		assert_text(rows[i].bytes, strlen(rows[i].bytes),
		    rows[i].expected);
	/* No byte behind the end is looked at. */
	assert_text("\xc3\xa9", 1, BAD);
	assert_text("ab", 0, "");
}

static void
any_two_bytes_make_a_string(void **state)
{
	char bytes[2];
	json_t *all;

	(void)state;
	for (unsigned int i = 1; i < 65536; i++) {
		bytes[0] = (char)(i >> 8);
		bytes[1] = (char)i;
		if (bytes[0] == '\0' || bytes[1] == '\0')
			continue;
		begin();
		reply_text_bytes(&t, "text", bytes, sizeof(bytes));
		all = read_back();
		assert_true(json_is_string(json_object_get(all, "text")));
		json_decref(all);
	}
}

static void
whole_numbers_come_back(void **state)
{
	static const int64_t numbers[] = {
		0, 1, -1, 9, 10, 1234567890123, INT64_MAX, INT64_MIN,
		INT64_MIN + 1,
	};
	json_t *all;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(numbers); i++) {
		begin();
		reply_i64(&t, "signed", numbers[i]);
		reply_u64(&t, "unsigned", (uint64_t)numbers[i] >> 1);
		all = read_back();
		assert_true(json_integer_value(json_object_get(all,
		    "signed")) == numbers[i]);
		assert_true(json_integer_value(json_object_get(all,
		    "unsigned")) == (int64_t)((uint64_t)numbers[i] >> 1));
		json_decref(all);
	}
	begin();
	reply_u64(&t, "most", UINT64_MAX);
	assert_string_equal(room, "{\"most\":18446744073709551615");
}

static void
numbers_have_three_decimals(void **state)
{
	static const struct {
		double value;
		const char *text;
	} rows[] = {
		{ 0, "0.000" }, { -0.0, "0.000" }, { 1, "1.000" },
		{ 0.5, "0.500" }, { -0.5, "-0.500" }, { 0.0004, "0.000" },
		{ -0.0004, "0.000" }, { 0.0005, "0.001" }, { 0.999, "0.999" },
		{ 0.9996, "1.000" }, { 1.05, "1.050" }, { 12.007, "12.007" },
		{ -1234.5678, "-1234.568" }, { 8e15, "8000000000000000.000" },
	};
	static const double none[] = { 9e15, -9e15, 1e300, -1e300 };
	double zero = 0;
	json_t *all, *value;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++) {
		text_open(&t, room, sizeof(room));
		reply_number(&t, NULL, rows[i].value);
		assert_string_equal(room, rows[i].text);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(none) + 3; i++) {
		begin();
		reply_number(&t, "number", i < ARRAY_LENGTH(none) ? none[i] :
		    ((double)i - ARRAY_LENGTH(none) - 1) / zero);
		all = read_back();
		value = json_object_get(all, "number");
		assert_true(json_is_null(value));
		json_decref(all);
	}
}

static void
what_is_in_what_comes_back(void **state)
{
	json_t *all, *expected;

	(void)state;
	begin();
	reply_open(&t, "empty");
	reply_close(&t);
	reply_open_list(&t, "none");
	reply_close_list(&t);
	reply_open_list(&t, "list");
	reply_u64(&t, NULL, 1);
	reply_text(&t, NULL, "{");
	reply_open(&t, NULL);
	reply_text(&t, "a", "[");
	reply_null(&t, "b");
	reply_close(&t);
	reply_open_list(&t, NULL);
	reply_bool(&t, NULL, false);
	reply_text(&t, NULL, "");
	reply_close_list(&t);
	reply_i64(&t, NULL, -1);
	reply_close_list(&t);
	reply_text(&t, "last", "x");
	all = read_back();
	expected = json_pack("{s:{}, s:[], s:[i,s,{s:s,s:n},[b,s],i], s:s}",
	    "empty", "none", "list", 1, "{", "a", "[", "b", 0, "", -1,
	    "last", "x");
	assert_non_null(expected);
	assert_true(json_equal(all, expected));
	json_decref(all);
	json_decref(expected);
}

/* Whatever the room, nothing is written behind it, and a cut is told. */
static void
a_cut_is_told(void **state)
{
	char small[64];
	size_t bytes;

	(void)state;
	for (bytes = 1; bytes < sizeof(small); bytes++) {
		memset(small, '#', sizeof(small));
		text_open(&t, small, bytes);
		reply_open(&t, NULL);
		reply_text(&t, "a", "\xff\"\x01");
		reply_number(&t, "b", 12.5);
		reply_close(&t);
		assert_int_equal(strlen(small), t.used);
		assert_true(t.used < bytes);
		for (size_t i = bytes; i < sizeof(small); i++)
			assert_int_equal(small[i], '#');
		assert_int_equal(t.cut, bytes <
		    sizeof("{\"a\":\"\\ufffd\\\"\\u0001\",\"b\":12.500}"));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_text_comes_back),
		cmocka_unit_test(what_is_no_text_is_replaced),
		cmocka_unit_test(any_two_bytes_make_a_string),
		cmocka_unit_test(whole_numbers_come_back),
		cmocka_unit_test(numbers_have_three_decimals),
		cmocka_unit_test(what_is_in_what_comes_back),
		cmocka_unit_test(a_cut_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
