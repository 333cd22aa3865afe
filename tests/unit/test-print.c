/*
 * test-print.c - what a person or a program reads
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <stdlib.h>
#include <unistd.h>

#include "base/base.h"
#include "say/print.h"

/* A print that writes into memory. */
struct capture {
	struct print print;
	char *text;
	size_t bytes;
};

static void
capture_open(struct capture *c, unsigned width, bool colour)
{
	*c = (struct capture){ .print = { .width = width,
	    .colour = colour } };
	c->print.to = open_memstream(&c->text, &c->bytes);
	assert_non_null(c->print.to);
}

static void
capture_expect(struct capture *c, const char *text)
{
	fclose(c->print.to);
	assert_string_equal(c->text, text);
	free(c->text);
}

static void
control_characters_do_not_reach_the_terminal(void **state)
{
	static const struct {
		const char *text, *clean;
	} cases[] = {
		{ "plain", "plain" },
		{ "a\033[31mb", "a?[31mb" },
		{ "line\nfeed\ttab", "line?feed?tab" },
		{ "\x7f", "?" },
		{ "\xc2\x9b" "5m", "??5m" }, /* CSI in one character */
		{ "\xc3\xa9", "\xc3\xa9" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		strcpy(text, cases[i].text);
		assert_string_equal(print_clean(text), cases[i].clean);
	}
}

static void
a_line_is_cut_to_the_terminal_and_only_there(void **state)
{
	struct capture c;

	(void)state;
	capture_open(&c, 10, false);
	print_line(&c.print, PRINT_STRONG, "%s", "0123456789");
	print_line(&c.print, PRINT_STRONG, "%s", "0123456789a");
	/* ten characters of two bytes each fit as well */
	print_line(&c.print, PRINT_PLAIN, "%s",
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9");
	capture_expect(&c, "0123456789\n0123456...\n"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"
	    "\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\n");

	capture_open(&c, 0, false);
	print_line(&c.print, PRINT_BAD, "%s", "0123456789a");
	capture_expect(&c, "0123456789a\n");
}

static void
a_sentence_goes_on_in_the_next_line(void **state)
{
	static const struct {
		unsigned width;
		const char *text, *lines;
	} cases[] = {
		{ 0, "R-A    set this and that", "R-A    set this and that\n" },
		{ 16, "R-A    set this and that",
		  "R-A    set this\n       and that\n" },
		{ 24, "R-A    set this and that", "R-A    set this and that\n" },
		{ 12, "       --an-option-that-is-long x",
		  "       --an-option-that-is-long\n       x\n" },
		{ 12, "", "\n" },
		{ 12, "a\033b", "a?b\n" },
	};
	struct capture c;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		capture_open(&c, cases[i].width, false);
		print_sentence(&c.print, PRINT_WARN, 7, "%s", cases[i].text);
		capture_expect(&c, cases[i].lines);
	}
}

static void
colour_ends_with_the_line(void **state)
{
	struct capture c;

	(void)state;
	capture_open(&c, 20, true);
	print_line(&c.print, PRINT_BAD, "bad");
	print_line(&c.print, PRINT_PLAIN, "plain");
	capture_expect(&c, "\033[31mbad\033[0m\nplain\n");
}

static void
what_is_no_terminal_gets_neither_width_nor_colour(void **state)
{
	FILE *file = tmpfile();
	struct print p;

	(void)state;
	setenv("COLUMNS", "100", 1);
	p = print_open(file);
	assert_int_equal(p.width, 0);
	assert_false(p.colour);
	unsetenv("COLUMNS");
	fclose(file);
}

static void
columns_are_as_wide_as_their_widest_cell(void **state)
{
	static const struct print_column columns[] = {
		{ "pid", true }, { "name", false }, { "state", false },
	};
	struct print_table *t;
	struct capture c;

	(void)state;
	capture_open(&c, 0, false);
	t = print_table_open(columns, 3);
	print_cell(t, "%d", 12345);
	print_cell(t, "a");
	print_cell(t, "runs");
	print_cell(t, "%d", 7);
	print_cell(t, "longer");
	print_cell(t, "%s", "sl\neeps");
	print_table_close(t, &c.print, 1);
	capture_expect(&c,
	    "   pid  name    state\n"
	    " 12345  a       runs\n"
	    "     7  longer  sl?eeps\n");
}

static void
the_last_column_is_cut_at_the_width(void **state)
{
	static const struct print_column columns[] = {
		{ NULL, false }, { NULL, false },
	};
	struct print_table *t;
	struct capture c;

	(void)state;
	capture_open(&c, 12, false);
	t = print_table_open(columns, 2);
	print_cell(t, "ab");
	print_cell(t, "0123456789");
	print_table_close(t, &c.print, 0);
	capture_expect(&c, "ab  01234...\n");
}

static void
a_bar_is_filled_by_its_share(void **state)
{
	static const struct {
		uint64_t part, whole;
		const char *bar;
	} cases[] = {
		{ 0, 10, ".........." },
		{ 5, 10, "#####....." },
		{ 10, 10, "##########" },
		{ 20, 10, "##########" },
		{ 3, 0, ".........." },
		{ UINT64_MAX, UINT64_MAX, "##########" },
	};
	char bar[PRINT_BAR_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++)
		assert_string_equal(print_bar(bar, 10, cases[i].part,
		    cases[i].whole), cases[i].bar);
}

static void
bytes_that_are_no_utf8_become_json_all_the_same(void **state)
{
	static const struct {
		const char *text, *json;
	} cases[] = {
		{ "plain", "plain" },
		{ "\xc3\xa9", "\xc3\xa9" },
		{ "\xf0\x9f\x8c\x8a", "\xf0\x9f\x8c\x8a" },
		{ "a\xff" "b", "a\xef\xbf\xbd" "b" },
		{ "\xc3", "\xef\xbf\xbd" },
		{ "\xc0\x80", "\xef\xbf\xbd\xef\xbf\xbd" }, /* overlong */
		{ "\xed\xa0\x80",
		  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd" }, /* surrogate */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		json_t *json = json_text(cases[i].text);

		assert_string_equal(json_string_value(json), cases[i].json);
		json_decref(json);
	}
}

static void
every_json_object_says_who_made_it(void **state)
{
	json_t *head = json_head();

	(void)state;
	assert_string_equal(json_string_value(json_object_get(head,
	    "heaptide")), PACKAGE_VERSION);
	assert_int_equal(json_integer_value(json_object_get(head, "schema")),
	    1);
	json_decref(head);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(control_characters_do_not_reach_the_terminal),
		cmocka_unit_test(a_line_is_cut_to_the_terminal_and_only_there),
		cmocka_unit_test(a_sentence_goes_on_in_the_next_line),
		cmocka_unit_test(colour_ends_with_the_line),
		cmocka_unit_test(
		    what_is_no_terminal_gets_neither_width_nor_colour),
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
		cmocka_unit_test(the_last_column_is_cut_at_the_width),
		cmocka_unit_test(a_bar_is_filled_by_its_share),
		cmocka_unit_test(
		    bytes_that_are_no_utf8_become_json_all_the_same),
		cmocka_unit_test(every_json_object_says_who_made_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
