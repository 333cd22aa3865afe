#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "base/text.h"

/* Reading: a text, the result, and what was read. */
struct reading {
	const char *text;
	int result;
	uint64_t value;
};

#define UNTOUCHED UINT64_C(0xdeadbeef)

static void
check_readings(int (*parse)(const char *s, uint64_t *value),
    const struct reading *table, size_t count)
{
	const struct reading *row;
	uint64_t value;

	for (row = table; row < table + count; row++) {
		value = UNTOUCHED;
		if (parse(row->text, &value) != row->result ||
		    value != (row->result == 0 ? row->value : UNTOUCHED))
			fail_msg("'%s': value %ju", row->text,
			    (uintmax_t)value);
	}
}

#define CHECK_READINGS(parse, table) \
	check_readings(parse, table, ARRAY_LENGTH(table))

static void
sizes_are_read_exactly(void **state)
{
	static const struct reading table[] = {
		{ "0", 0, 0 },
		{ "512", 0, 512 },
		{ "512B", 0, 512 },
		{ "007", 0, 7 },
		{ "64K", 0, 65536 },
		{ "64k", 0, 65536 },
		{ "64KiB", 0, 65536 },
		{ "64kb", 0, 65536 },
		{ "64Ki", 0, 65536 },
		{ "512M", 0, 512 * MIB },
		{ "1.5G", 0, 1610612736 },
		{ "1.50GB", 0, 1610612736 },
		{ "0.1K", 0, 102 }, /* 102.4 */
		{ "0.0009K", 0, 0 },
		{ "1.3G", 0, 1395864371 }, /* 1395864371.2 */
		{ "2T", 0, 2048 * GIB },
		{ "1P", 0, GIB * MIB },
		{ "15E", 0, 15 * GIB * GIB },
		{ "15.999999999999999999E", 0, UINT64_MAX - 1 },
		{ "18446744073709551615", 0, UINT64_MAX },
		{ "15.9999999999999999999E", 0, UINT64_MAX },
		{ "0.333333333333333333333333333333333E", 0,
		    384307168202282325 },
	};

	(void)state;
	CHECK_READINGS(text_parse_bytes, table);
}

static void
a_size_that_is_refused_leaves_the_answer_alone(void **state)
{
	static const struct reading table[] = {
		{ "", -EINVAL, 0 },
		{ " 1", -EINVAL, 0 },
		{ "1 GB", -EINVAL, 0 },
		{ "1G ", -EINVAL, 0 },
		{ "+1", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "G", -EINVAL, 0 },
		{ ".5G", -EINVAL, 0 },
		{ "1.G", -EINVAL, 0 },
		{ "1.5", -EINVAL, 0 },
		{ "1.5B", -EINVAL, 0 },
		{ "1,5G", -EINVAL, 0 },
		{ "1.5.5G", -EINVAL, 0 },
		{ "1e3", -EINVAL, 0 }, /* an exabyte, and a 3 behind it */
		{ "0x10", -EINVAL, 0 },
		{ "1GG", -EINVAL, 0 },
		{ "1iB", -EINVAL, 0 },
		{ "1KiBs", -EINVAL, 0 },
		{ "60%", -EINVAL, 0 },
		{ "16E", -ERANGE, 0 },
		{ "18446744073709551616", -ERANGE, 0 },
		{ "18014398509481984K", -ERANGE, 0 },
	};

	(void)state;
	CHECK_READINGS(text_parse_bytes, table);
}

static void
shares_are_read_in_millionths(void **state)
{
	static const struct reading table[] = {
		{ "0%", 0, 0 },
		{ "60%", 0, 600000 },
		{ "7.5%", 0, 75000 },
		{ "33.3333%", 0, 333333 },
		{ "33.33339%", 0, 333333 },
		{ "100%", 0, 1000000 },
		{ "101%", -ERANGE, 0 },
		{ "100.0001%", -ERANGE, 0 },
		{ "99999999999999999999%", -ERANGE, 0 },
		{ "60", -EINVAL, 0 },
		{ "%", -EINVAL, 0 },
		{ "60%%", -EINVAL, 0 },
		{ "-1%", -EINVAL, 0 },
	};

	(void)state;
	CHECK_READINGS(text_parse_share, table);
}

static void
durations_need_a_unit(void **state)
{
	static const struct reading table[] = {
		{ "500ms", 0, 500 * NS_PER_MS },
		{ "5s", 0, 5 * NS_PER_S },
		{ "1.5s", 0, 1500 * NS_PER_MS },
		{ "2m", 0, 120 * NS_PER_S },
		{ "2min", 0, 120 * NS_PER_S },
		{ "1h", 0, 3600 * NS_PER_S },
		{ "24h", 0, 86400 * NS_PER_S },
		{ "1d", 0, 86400 * NS_PER_S },
		{ "3us", 0, 3000 },
		{ "0s", 0, 0 },
		{ "0", -EINVAL, 0 },
		{ "5", -EINVAL, 0 },
		{ "5S", -EINVAL, 0 },
		{ "5 s", -EINVAL, 0 },
		{ "s", -EINVAL, 0 },
		{ "1h30m", -EINVAL, 0 },
		{ "999999d", -ERANGE, 0 },
	};

	(void)state;
	CHECK_READINGS(text_parse_duration, table);
}

static int
parse_mebibytes(const char *s, uint64_t *value)
{
	return text_parse_times(s, MIB, value);
}

static void
a_number_is_taken_so_many_times(void **state)
{
	static const struct reading table[] = {
		{ "0", 0, 0 },
		{ "10", 0, 10 * MIB },
		{ "0.5", 0, MIB / 2 },
		{ "0.0000001", 0, 0 },
		{ "17592186044415", 0, 17592186044415 * MIB },
		{ "17592186044416", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "10M", -EINVAL, 0 },
		{ "10%", -EINVAL, 0 },
		{ ".5", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
	};

	(void)state;
	CHECK_READINGS(parse_mebibytes, table);
}

static void
a_number_above_the_most_is_refused(void **state)
{
	uint64_t n = UNTOUCHED;

	(void)state;
	assert_int_equal(text_parse_u64("100", 99, &n), -ERANGE);
	assert_int_equal(text_parse_u64("18446744073709551616", UINT64_MAX,
	    &n), -ERANGE);
	assert_int_equal(text_parse_u64("1.0", 99, &n), -EINVAL);
	assert_int_equal(text_parse_u64("12x", 99, &n), -EINVAL);
	assert_int_equal(text_parse_u64("", 99, &n), -EINVAL);
	assert_int_equal(n, UNTOUCHED);
	assert_int_equal(text_parse_u64("99", 99, &n), 0);
	assert_int_equal(n, 99);
}

/* Writing: a number, and how people read it. */
struct writing {
	uint64_t value;
	const char *text;
};

static void
sizes_are_written_in_four_digits(void **state)
{
	static const struct writing table[] = {
		{ 0, "0 B" },
		{ 812, "812 B" },
		{ 1023, "1023 B" },
		{ 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },
		{ 1024 * 999 + 1023, "1000 KiB" },
		{ 1024 * 1023, "1023 KiB" },
		{ MIB - 1, "1.0 MiB" },
		{ 43200000, "41.2 MiB" },
		{ 1023 * MIB, "1023 MiB" },
		{ GIB - 1, "1.00 GiB" },
		{ 2 * GIB, "2.00 GiB" },
		{ 1610612736, "1.50 GiB" },
		{ 100 * GIB, "100.0 GiB" },
		{ 1000 * GIB, "1000 GiB" },
		{ 1024 * GIB, "1.00 TiB" },
		{ UINT64_MAX, "16.00 EiB" },
	};
	char buffer[TEXT_BYTES_ROOM];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(table); i++)
		assert_string_equal(text_format_bytes(buffer,
		    table[i].value), table[i].text);
}

static void
durations_are_written_in_two_units_at_most(void **state)
{
	static const struct writing table[] = {
		{ 0, "0 s" },
		{ 999, "999 ns" },
		{ 1000, "1 us" },
		{ 850 * NS_PER_MS, "850 ms" },
		{ NS_PER_S - 1, "999 ms" },
		{ 12345 * NS_PER_MS, "12.3 s" },
		{ 60 * NS_PER_S - 1, "59.9 s" },
		{ 60 * NS_PER_S, "1 min 0 s" },
		{ 250 * NS_PER_S, "4 min 10 s" },
		{ 7800 * NS_PER_S, "2 h 10 min" },
		{ 3600 * 50 * NS_PER_S, "2 d 2 h" },
		{ UINT64_MAX, "213503 d 23 h" },
	};
	char buffer[TEXT_DURATION_ROOM];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(table); i++)
		assert_string_equal(text_format_duration(buffer,
		    table[i].value), table[i].text);
}

static void
counts_are_written_in_groups_of_three(void **state)
{
	static const struct writing table[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1 000" },
		{ 1234567, "1 234 567" },
		{ UINT64_MAX, "18 446 744 073 709 551 615" },
	};
	char buffer[TEXT_COUNT_ROOM];
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_LENGTH(table); i++)
		assert_string_equal(text_format_count(buffer,
		    table[i].value), table[i].text);
}

static void
a_line_is_put_together_of_words_and_numbers(void **state)
{
	char buffer[128];
	struct text t;

	(void)state;
	text_open(&t, buffer, sizeof(buffer));
	assert_string_equal(buffer, "");
	text_put(&t, "pid ");
	text_put_u64(&t, 0);
	text_put(&t, " ");
	text_put_i64(&t, INT64_MIN);
	text_put_bytes(&t, " abc", 2);
	assert_string_equal(buffer, "pid 0 -9223372036854775808 a");
	assert_int_equal(t.used, strlen(buffer));
	assert_int_equal(t.cut, 0);
}

static void
what_does_not_fit_is_cut_and_nothing_follows_it(void **state)
{
	char buffer[8] = "xxxxxxx";
	struct text t;

	(void)state;
	text_open(&t, buffer, 6);
	text_put(&t, "abc");
	assert_int_equal(t.cut, 0);
	text_put(&t, "defg");
	text_put(&t, "h");
	assert_string_equal(buffer, "abcde");
	assert_int_equal(buffer[6], 'x');
	assert_int_equal(t.used, 5);
	assert_int_equal(t.cut, 1);
}

static void
a_text_that_fits_to_the_byte_is_not_cut(void **state)
{
	char buffer[4];
	struct text t;

	(void)state;
	text_open(&t, buffer, sizeof(buffer));
	text_put(&t, "abc");
	text_put(&t, "");
	assert_string_equal(buffer, "abc");
	assert_int_equal(t.cut, 0);
}

static void
a_buffer_without_room_is_not_written(void **state)
{
	char buffer[1] = { 'x' };
	struct text t;

	(void)state;
	text_open(&t, buffer, 0);
	text_put(&t, "abc");
	assert_int_equal(buffer[0], 'x');
	assert_int_equal(t.cut, 1);
}

static void
a_value_is_that_of_the_whole_name(void **state)
{
	char longer[] = "NAMED=z", bare[] = "NAME", x[] = "NAME=x";
	char y[] = "NAME=y", nothing[] = "NAME=";
	char *const environment[] = { longer, bare, x, y, NULL };
	char *const empty[] = { nothing, NULL };

	(void)state;
	assert_string_equal(text_variable(environment, "NAME"), "x");
	assert_string_equal(text_variable(empty, "NAME"), "");
	assert_null(text_variable(environment, "AME"));
	assert_null(text_variable(environment, "NAM"));
	assert_null(text_variable(NULL, "NAME"));
	assert_string_equal(text_value("NAME=a=b", "NAME"), "a=b");
}

/* The word `debug`, which is no file, and what others call it. */
static void
a_log_is_a_file_or_a_word(void **state)
{
	char a_file[] = "HEAPTIDE_LOG=log", a_word[] = "HEAPTIDE_LOG=debug";
	char traced[] = "HEAPTIDE_TRACE=1", trace_on[] = "HEAPTIDE_TRACE=on";
	char trace_off[] = "HEAPTIDE_TRACE=0";
	char *const none[] = { NULL };
	char *const file[] = { a_file, NULL };
	char *const word[] = { a_word, NULL };
	char *const both[] = { a_file, traced, NULL };
	char *const on[] = { trace_on, NULL };
	char *const off[] = { trace_off, NULL };

	(void)state;
	assert_null(text_log(none));
	assert_false(text_log_debugs(none));
	assert_string_equal(text_log(file), "log");
	assert_false(text_log_debugs(file));
	assert_null(text_log(word));
	assert_true(text_log_debugs(word));
	assert_string_equal(text_log(both), "log");
	assert_true(text_log_debugs(both));
	assert_true(text_log_debugs(on));
	assert_false(text_log_debugs(off));
}

static void
rows_up_to_a_key_are_counted(void **state)
{
	static const struct {
		uint32_t name;
		uint64_t key;
	} rows[] = { { 1, 10 }, { 2, 20 }, { 3, 20 }, { 4, UINT64_MAX } };
	static const struct {
		uint64_t key;
		size_t count;
	} cases[] = {
		{ 0, 0 }, { 9, 0 }, { 10, 1 }, { 19, 1 }, { 20, 3 },
		{ 21, 3 }, { UINT64_MAX - 1, 3 }, { UINT64_MAX, 4 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		assert_int_equal(rows_upto(rows, sizeof(rows[0]),
		    offsetof(__typeof__(rows[0]), key), ARRAY_LENGTH(rows),
		    cases[i].key), cases[i].count);
	assert_int_equal(rows_upto(NULL, 8, 0, 0, 1), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_read_exactly),
		cmocka_unit_test(
		    a_size_that_is_refused_leaves_the_answer_alone),
		cmocka_unit_test(shares_are_read_in_millionths),
		cmocka_unit_test(durations_need_a_unit),
		cmocka_unit_test(a_number_is_taken_so_many_times),
		cmocka_unit_test(a_number_above_the_most_is_refused),
		cmocka_unit_test(sizes_are_written_in_four_digits),
		cmocka_unit_test(durations_are_written_in_two_units_at_most),
		cmocka_unit_test(counts_are_written_in_groups_of_three),
		cmocka_unit_test(a_line_is_put_together_of_words_and_numbers),
		cmocka_unit_test(
		    what_does_not_fit_is_cut_and_nothing_follows_it),
		cmocka_unit_test(a_text_that_fits_to_the_byte_is_not_cut),
		cmocka_unit_test(a_buffer_without_room_is_not_written),
		cmocka_unit_test(a_value_is_that_of_the_whole_name),
		cmocka_unit_test(a_log_is_a_file_or_a_word),
		cmocka_unit_test(rows_up_to_a_key_are_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
