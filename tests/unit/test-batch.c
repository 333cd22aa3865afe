/*
 * test-batch.c - heaptide batch: the places for items, the grammar of --halt,
 * items, the joblog
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <errno.h>

#include "base/base.h"
#include "batch/batch-halt.h"
#include "batch/batch-items.h"
#include "batch/batch-joblog.h"
#include "batch/batch-template.h"

/* --- the template --------------------------------------------------------- */

/* What one job looks like, typed; to be freed. */
static char *
expand(const char *const *word, size_t count, bool shell,
    const char *const *item, size_t items)
{
	const struct template_job job = { (char *const *)item, items, 7, 2 };
	struct template t;
	char **argv, *text;

	template_open(&t, (char *const *)word, count, shell);
	argv = template_expand(&t, &job);
	text = template_text(&t, argv);
	free(argv);
	template_close(&t);
	return text;
}

static void
assert_expands(const char *word, const char *item, const char *expected)
{
	const char *words[] = { word }, *items[] = { item };
	char *text = expand(words, 1, false, items, 1);

	assert_string_equal(text, expected);
	free(text);
}

/* As GNU parallel 20221122 has them. */
static void
a_place_has_the_part_of_the_item_that_it_names(void **state)
{
	static const struct {
		const char *item, *stem, *name, *directory, *name_stem;
	} cases[] = {
		{ "a", "a", "a", ".", "a" },
		{ "a.", "a", "a.", ".", "a" },
		{ ".b", "''", ".b", ".", "''" },
		{ "/x/y.tar.gz", "/x/y.tar", "y.tar.gz", "/x", "y.tar" },
		{ "a/b.c/d", "a/b.c/d", "d", "a/b.c", "d" },
		{ "/", "/", "''", "/", "''" },
		{ "a/", "a/", "''", ".", "''" },
		{ "/a", "/a", "a", "/", "a" },
		{ "a//b", "a//b", "b", "a", "b" },
		{ "", "''", "''", ".", "''" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_expands("{.}", cases[i].item, cases[i].stem);
		assert_expands("{/}", cases[i].item, cases[i].name);
		assert_expands("{//}", cases[i].item, cases[i].directory);
		assert_expands("{/.}", cases[i].item, cases[i].name_stem);
	}
}

static void
a_word_with_a_place_comes_once_for_each_item(void **state)
{
	const char *words[] = { "cp", "-{#}", "in/{}.c", "{%}", "out" };
	const char *items[] = { "a", "b b", "it's" };
	char *text = expand(words, 5, false, items, 3);

	(void)state;
	assert_string_equal(text, "cp -7 in/a.c 'in/b b.c' 'in/it'\\''s.c' "
	    "2 out");
	free(text);
}

static void
without_a_place_items_stand_behind_the_command(void **state)
{
	const char *words[] = { "echo", "{x}" }, *items[] = { "a", "b" };
	char *text = expand(words, 2, false, items, 2);

	(void)state;
	assert_string_equal(text, "echo '{x}' a b");
	free(text);
}

/* As parallel: `echo {#}` has no item. */
static void
a_place_for_a_number_is_one_as_well(void **state)
{
	const char *words[] = { "echo", "{#}" }, *items[] = { "a" };
	char *text = expand(words, 2, false, items, 1);

	(void)state;
	assert_string_equal(text, "echo 7");
	free(text);
}

static void
an_item_is_never_text_for_a_shell(void **state)
{
	const char *words[] = { "wc -l < {} | tr a b" };
	const char *items[] = { "$(touch x); 'y'" };
	char *text = expand(words, 1, true, items, 1);

	(void)state;
	assert_string_equal(text,
	    "wc -l < '$(touch x); '\\''y'\\''' | tr a b");
	free(text);
}

static void
without_a_command_items_are_commands(void **state)
{
	const char *items[] = { "exit 3" };
	char *text = expand(NULL, 0, false, items, 1);

	(void)state;
	assert_string_equal(text, "exit 3");
	free(text);
}

/* --- --halt --------------------------------------------------------------- */

static void
the_grammar_of_halt_is_parallels(void **state)
{
	static const struct {
		const char *text;
		struct halt halt;
	} cases[] = {
		{ "never", { HALT_NEVER, HALT_FAIL, false, 0 } },
		{ "soon,fail=1", { HALT_SOON, HALT_FAIL, false, 1 } },
		{ "now,fail=30%", { HALT_NOW, HALT_FAIL, true, 30 } },
		{ "soon,success=1", { HALT_SOON, HALT_SUCCESS, false, 1 } },
		{ "now,done=3", { HALT_NOW, HALT_DONE, false, 3 } },
		{ "2", { HALT_NOW, HALT_FAIL, false, 1 } },
		{ "-1", { HALT_SOON, HALT_SUCCESS, false, 1 } },
		{ "10%", { HALT_SOON, HALT_FAIL, true, 10 } },
	};
	struct halt halt;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_int_equal(halt_parse(cases[i].text, &halt), 0);
		assert_int_equal(halt.when, cases[i].halt.when);
		assert_int_equal(halt.what, cases[i].halt.what);
		assert_int_equal(halt.percent, cases[i].halt.percent);
		assert_int_equal(halt.limit, cases[i].halt.limit);
	}
}

static void
what_is_no_halt_is_refused(void **state)
{
	static const char *const bad[] = { "", "soon", "now,", "fail=1",
		"soon,fail", "soon,fail=", "soon,fail=0", "soon,fail=-1",
		"soon,fail=101%", "soon,fail=1%%", "later,fail=1", "3",
		"soon,fail=1,done=2", "now,success=x" };
	struct halt halt = { .limit = 42 };

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		assert_int_equal(halt_parse(bad[i], &halt), -EINVAL);
		assert_int_equal(halt.limit, 42);
	}
}

static bool
is_due(const char *text, uint64_t done, uint64_t failed, uint64_t whole)
{
	const struct halt_counts counts = { done, failed, whole };
	struct halt halt;

	assert_int_equal(halt_parse(text, &halt), 0);
	return halt_is_due(&halt, &counts);
}

static void
it_is_due_when_so_many_have_ended_so(void **state)
{
	(void)state;
	assert_false(is_due("never", 9, 9, 9));
	assert_false(is_due("soon,fail=2", 5, 1, 9));
	assert_true(is_due("soon,fail=2", 5, 2, 9));
	assert_false(is_due("now,success=2", 5, 4, 9));
	assert_true(is_due("now,success=2", 5, 3, 9));
	assert_true(is_due("now,done=5", 5, 3, 9));
	assert_false(is_due("soon,fail=30%", 2, 2, 10));
	assert_true(is_due("soon,fail=30%", 3, 3, 10));
	assert_false(is_due("soon,fail=30%", 3, 3, 0));
}

/* Each as GNU parallel 20221122 ends. */
static void
the_status_is_how_many_failed(void **state)
{
	const struct halt_counts two = { 3, 2, 10 }, many = { 300, 200, 300 };
	struct halt halt = { .when = HALT_NEVER };

	(void)state;
	assert_int_equal(halt_status(&halt, &two, false, 0), 2);
	assert_int_equal(halt_status(&halt, &many, false, 0), 101);
	assert_int_equal(halt_parse("now,fail=1", &halt), 0);
	assert_int_equal(halt_status(&halt, &two, true, 7), 7);
	assert_int_equal(halt_parse("soon,fail=2", &halt), 0);
	assert_int_equal(halt_status(&halt, &two, true, 7), 2);
	assert_int_equal(halt_parse("now,success=1", &halt), 0);
	assert_int_equal(halt_status(&halt, &two, true, 0), 0);
	assert_int_equal(halt_status(&halt, &two, false, 0), 2);
	assert_int_equal(halt_parse("soon,fail=30%", &halt), 0);
	assert_int_equal(halt_status(&halt, &two, false, 0), 20);
}

/* --- items ---------------------------------------------------------------- */

static int
file_of(const char *text, size_t bytes)
{
	FILE *file = tmpfile();
	int fd;

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, bytes, file), bytes);
	rewind(file);
	fd = dup(fileno(file));
	fclose(file);
	return fd;
}

static void
assert_items(const char *text, size_t bytes, char delimiter,
    const char *const *expected)
{
	struct items items;
	size_t n = 0;
	char *item;

	while (expected[n] != NULL)
		n++;
	items_of_file(&items, file_of(text, bytes), delimiter);
	assert_int_equal(items_count(&items), n);
	for (; *expected != NULL; expected++) {
		assert_int_equal(items_take(&items, &item), 1);
		assert_string_equal(item, *expected);
		free(item);
	}
	assert_int_equal(items_take(&items, &item), -1);
	assert_int_equal(items.error, 0);
	items_close(&items);
}

static void
items_are_what_stands_between_delimiters(void **state)
{
	(void)state;
	assert_items("", 0, '\n', (const char *const[]){ NULL });
	assert_items("a\nb", 3, '\n', (const char *const[]){ "a", "b", NULL });
	assert_items("a\n\n b \n", 7, '\n', (const char *const[]){ "a", "",
	    " b ", NULL });
	assert_items("a\nb\0c\0", 6, '\0', (const char *const[]){ "a\nb", "c",
	    NULL });
	assert_items("a,b\n", 4, ',', (const char *const[]){ "a", "b\n",
	    NULL });
}

static void
an_item_with_a_zero_byte_is_an_error_and_not_cut(void **state)
{
	struct items items;
	char *item;

	(void)state;
	items_of_file(&items, file_of("a\nb\0c\nd\n", 8), '\n');
	assert_int_equal(items_take(&items, &item), 1);
	free(item);
	assert_int_equal(items_take(&items, &item), -1);
	assert_int_equal(items.error, -EILSEQ);
	items_close(&items);
}

/* Longer than any buffer, a hundred thousand of them, and counted before. */
static void
items_of_any_number_and_length_are_read(void **state)
{
	struct items items;
	uint64_t n = 0;
	char *item, *text = malloc(2000000);

	(void)state;
	assert_non_null(text);
	memset(text, 'x', 2000000);
	for (size_t i = 1000000; i < 2000000; i += 10)
		text[i] = '\n';
	items_of_file(&items, file_of(text, 2000000), '\n');
	assert_int_equal(items_count(&items), 100001);
	while (items_take(&items, &item) > 0) {
		assert_int_equal(strlen(item), n == 0 ? 1000000 : 9);
		free(item);
		n++;
	}
	assert_int_equal(n, 100001);
	items_close(&items);
	free(text);
}

/* --- the joblog ----------------------------------------------------------- */

static void
write_file(const char *path, const char *text, size_t bytes)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, bytes, file), bytes);
	fclose(file);
}

static void
what_is_noted_is_read_again(void **state)
{
	const char *path = "test-batch.joblog";
	struct joblog_row row = { .number = 2, .started = 1.5, .seconds = 0.25,
		.bytes = 9, .status = 3, .command = (char *)"echo 'a\nb'" };
	struct joblog log;
	size_t line;
	int fd;

	(void)state;
	fd = joblog_open(path, true);
	assert_true(fd >= 0);
	assert_int_equal(joblog_add(fd, &row), 0);
	row.number = 1;
	assert_int_equal(joblog_add(fd, &row), 0);
	row.status = 0;
	row.started = 2;
	assert_int_equal(joblog_add(fd, &row), 0);
	close(fd);
	assert_int_equal(joblog_read(&log, path, &line), 0);
	assert_int_equal(log.count, 2);
	assert_int_equal(joblog_find(&log, 1)->status, 0);
	assert_int_equal(joblog_find(&log, 2)->status, 3);
	assert_string_equal(joblog_find(&log, 2)->command, "echo 'a\nb'");
	assert_null(joblog_find(&log, 3));
	joblog_free(&log);
	unlink(path);
}

#define HEAD "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval" \
	"\tSignal\tCommand\n"

static void
a_line_that_is_torn_counts_for_nothing_and_goes(void **state)
{
	static const char text[] = HEAD "1\t:\t1.000\t     0.001\t0\t0\t0\t0\t"
	    "true\n2\t:\t1.000\t     0.0";
	const struct joblog_row row = { .number = 2, .command = (char *)"true" };
	const char *path = "test-batch.joblog";
	struct joblog log;
	size_t line;
	int fd;

	(void)state;
	write_file(path, text, sizeof(text) - 1);
	assert_int_equal(joblog_read(&log, path, &line), 0);
	assert_int_equal(log.count, 1);
	joblog_free(&log);
	fd = joblog_open(path, false);
	assert_int_equal(joblog_add(fd, &row), 0);
	close(fd);
	assert_int_equal(joblog_read(&log, path, &line), 0);
	assert_int_equal(log.count, 2);
	joblog_free(&log);
	unlink(path);
}

static void
what_is_no_joblog_is_refused_with_its_line(void **state)
{
	static const char *const bad[] = { "hello\n", HEAD "1\t:\t1\n",
		HEAD "0\t:\t1\t1\t0\t0\t0\t0\ttrue\n",
		HEAD "1\t:\t1\t1\t0\t0\t256\t0\ttrue\n",
		HEAD "x\t:\t1\t1\t0\t0\t0\t0\ttrue\n" };
	const char *path = "test-batch.joblog";
	struct joblog log;
	size_t line = 0;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++) {
		write_file(path, bad[i], strlen(bad[i]));
		assert_int_equal(joblog_read(&log, path, &line), -EBADMSG);
		assert_int_equal(line, i == 0 ? 1 : 2);
	}
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_place_has_the_part_of_the_item_that_it_names),
		cmocka_unit_test(
		    a_word_with_a_place_comes_once_for_each_item),
		cmocka_unit_test(
		    without_a_place_items_stand_behind_the_command),
		cmocka_unit_test(a_place_for_a_number_is_one_as_well),
		cmocka_unit_test(an_item_is_never_text_for_a_shell),
		cmocka_unit_test(without_a_command_items_are_commands),
		cmocka_unit_test(the_grammar_of_halt_is_parallels),
		cmocka_unit_test(what_is_no_halt_is_refused),
		cmocka_unit_test(it_is_due_when_so_many_have_ended_so),
		cmocka_unit_test(the_status_is_how_many_failed),
		cmocka_unit_test(items_are_what_stands_between_delimiters),
		cmocka_unit_test(
		    an_item_with_a_zero_byte_is_an_error_and_not_cut),
		cmocka_unit_test(items_of_any_number_and_length_are_read),
		cmocka_unit_test(what_is_noted_is_read_again),
		cmocka_unit_test(
		    a_line_that_is_torn_counts_for_nothing_and_goes),
		cmocka_unit_test(what_is_no_joblog_is_refused_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
