/*
 * test-gate.c - the expressions of `heaptide check`
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "check/gate.h"

/* An expression, and what it means. */
struct reading {
	const char *text;
	struct gate gate;
};

static bool
is_near(double a, double b)
{
	double off = a > b ? a - b : b - a;

	return off <= (b < 0 ? -b : b) * 1e-12;
}

static void
expressions_are_read(void **state)
{
	static const struct reading table[] = {
		{ "growth>0/batch", { .figure = GATE_GROWTH,
		    .operator = GATE_ABOVE, .unit = GATE_BATCH } },
		{ "growth>0/epoch", { .figure = GATE_GROWTH,
		    .operator = GATE_ABOVE, .unit = GATE_BATCH } },
		{ "growth>4K/hour", { .figure = GATE_GROWTH,
		    .operator = GATE_ABOVE, .value = 4096,
		    .unit = GATE_HOUR } },
		{ "growth>=1.5K/s", { .figure = GATE_GROWTH,
		    .operator = GATE_AT_LEAST, .value = 1536,
		    .unit = GATE_SECOND } },
		/* As it is wished for, and as other places have it. */
		{ "slope(site)>0 B/batch", { .figure = GATE_GROWTH,
		    .operator = GATE_ABOVE, .unit = GATE_BATCH } },
		{ "survivors(batch,3)>64K", { .figure = GATE_SURVIVORS,
		    .age = 3, .operator = GATE_ABOVE, .value = 65536 } },
		{ "survivors(epoch, 3) > 64 KiB", { .figure = GATE_SURVIVORS,
		    .age = 3, .operator = GATE_ABOVE, .value = 65536 } },
		{ "growth>1M/h", { .figure = GATE_GROWTH,
		    .operator = GATE_ABOVE, .value = MIB,
		    .unit = GATE_HOUR } },
		{ "growth>1M/min", { .figure = GATE_GROWTH,
		    .operator = GATE_ABOVE, .value = 60.0 * MIB,
		    .unit = GATE_HOUR } },
		{ "growth>24M/day", { .figure = GATE_GROWTH,
		    .operator = GATE_ABOVE, .value = MIB,
		    .unit = GATE_HOUR } },
		{ "live_bytes>1.5 GB", { .figure = GATE_LIVE,
		    .operator = GATE_ABOVE, .value = 1536.0 * MIB } },
		{ "peak_bytes>1", { .figure = GATE_PEAK,
		    .operator = GATE_ABOVE, .value = 1 } },
		{ "allocated_bytes>1", { .figure = GATE_ALLOCATED,
		    .operator = GATE_ABOVE, .value = 1 } },
		{ "live_blocks>20k", { .figure = GATE_BLOCKS,
		    .operator = GATE_ABOVE, .value = 20000 } },
		{ "blocks>2", { .figure = GATE_BLOCKS,
		    .operator = GATE_ABOVE, .value = 2 } },
		{ "leaks>0", { .figure = GATE_LEAKS,
		    .operator = GATE_ABOVE } },
		{ "growth > 0", { .figure = GATE_GROWTH,
		    .operator = GATE_ABOVE } },
		{ " leaked == 0 ", { .figure = GATE_LEAKED,
		    .operator = GATE_EQUAL } },
		{ "leaked!=0", { .figure = GATE_LEAKED,
		    .operator = GATE_UNEQUAL } },
		{ "unreachable>0", { .figure = GATE_UNREACHABLE,
		    .operator = GATE_ABOVE } },
		{ "peak>512M", { .figure = GATE_PEAK,
		    .operator = GATE_ABOVE, .value = 512.0 * MIB } },
		{ "peak>+10%", { .figure = GATE_PEAK, .relative = true,
		    .operator = GATE_ABOVE, .value = 0.1 } },
		{ "peak<-2.5%", { .figure = GATE_PEAK, .relative = true,
		    .operator = GATE_BELOW, .value = -0.025 } },
		{ "peak>+150%", { .figure = GATE_PEAK, .relative = true,
		    .operator = GATE_ABOVE, .value = 1.5 } },
		{ "rss<=1G", { .figure = GATE_RESIDENT,
		    .operator = GATE_AT_MOST, .value = 1024.0 * MIB } },
		{ "resident<1G", { .figure = GATE_RESIDENT,
		    .operator = GATE_BELOW, .value = 1024.0 * MIB } },
		{ "allocations>1M", { .figure = GATE_ALLOCATIONS,
		    .operator = GATE_ABOVE, .value = 1e6 } },
		{ "allocations>1.5k/batch", { .figure = GATE_ALLOCATIONS,
		    .operator = GATE_ABOVE, .value = 1500,
		    .unit = GATE_BATCH } },
		{ "allocations>+10%/batch", { .figure = GATE_ALLOCATIONS,
		    .operator = GATE_ABOVE, .relative = true, .value = 0.1,
		    .unit = GATE_BATCH } },
		{ "allocated>1G/hour", { .figure = GATE_ALLOCATED,
		    .operator = GATE_ABOVE, .value = 1024.0 * MIB,
		    .unit = GATE_HOUR } },
		{ "temporary>7", { .figure = GATE_TEMPORARY,
		    .operator = GATE_ABOVE, .value = 7 } },
		{ "survivors(3)>64K", { .figure = GATE_SURVIVORS, .age = 3,
		    .operator = GATE_ABOVE, .value = 65536 } },
		{ "survivors (12) @ a b > 1", { .figure = GATE_SURVIVORS,
		    .age = 12, .pattern = "a b", .operator = GATE_ABOVE,
		    .value = 1 } },
		{ "steps>0", { .figure = GATE_STEPS,
		    .operator = GATE_ABOVE } },
		{ "lost>0", { .figure = GATE_LOST, .operator = GATE_ABOVE } },
		{ "live@^main$<4", { .figure = GATE_LIVE, .pattern = "^main$",
		    .operator = GATE_BELOW, .value = 4 } },
		{ "growth@parse.c>0/batch", { .figure = GATE_GROWTH,
		    .pattern = "parse.c", .operator = GATE_ABOVE,
		    .unit = GATE_BATCH } },
		{ "growth@a@b/c>0", { .figure = GATE_GROWTH,
		    .pattern = "a@b/c", .operator = GATE_ABOVE } },
		/* The last operator is meant. */
		{ "growth@vector<int>>0", { .figure = GATE_GROWTH,
		    .pattern = "vector<int>", .operator = GATE_ABOVE } },
		{ "growth@operator<>=1", { .figure = GATE_GROWTH,
		    .pattern = "operator<", .operator = GATE_AT_LEAST,
		    .value = 1 } },
	};
	char why[GATE_WHY_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		const struct gate *want = &table[i].gate;
		struct gate g;

		if (!gate_parse(table[i].text, &g, why))
			fail_msg("'%s': %s", table[i].text, why);
		if (g.figure != want->figure || g.age != want->age ||
		    strcmp(g.pattern, want->pattern) != 0 ||
		    g.operator != want->operator ||
		    g.relative != want->relative || g.unit != want->unit ||
		    !is_near(g.value, want->value) ||
		    g.text != table[i].text)
			fail_msg("'%s': figure %d(%ju) @'%s' operator %d "
			    "%g relative %d unit %d", table[i].text,
			    (int)g.figure, (uintmax_t)g.age, g.pattern,
			    (int)g.operator, g.value, g.relative,
			    (int)g.unit);
	}
}

static void
what_is_not_understood_is_refused_with_what_is(void **state)
{
	static const struct { const char *text, *word; } table[] = {
		{ "", "growth>0/batch or" },
		{ "growth", ">=, <, <=, ==, !=" },
		{ "growth=0", ">=, <, <=, ==, !=" },
		{ "growth!0", ">=, <, <=, ==, !=" },
		{ "growht>0", "growth, leaked" },
		{ ">0", "'' is no figure" },
		{ "@main>0", "'' is no figure" },
		{ "peak>>5", "'peak>' is no figure" },
		{ "Peak>5", "'Peak' is no figure" },
		{ "peak>", "no value behind >" },
		{ "peak>x", "512K, 64M or 1.5G" },
		{ "peak>1 2", "512K, 64M or 1.5G" },
		{ "peak>10%", "with its sign" },
		{ "peak>+10", "with its sign" },
		{ "peak>-%", "with its sign" },
		{ "peak > -2.5 %", "with its sign" },
		{ "peak>+10%%", "with its sign" },
		{ "peak>1/batch", "no rate" },
		{ "peak>1/", "'/' is no unit" },
		{ "growth>1/week", "/day, /hour, /min or /s" },
		{ "growth>1/batch/batch", "/day, /hour, /min or /s" },
		{ "lost(site)>0", "not told by site" },
		{ "survivors(hour,3)>1", "'hour,3' is no age" },
		{ "survivors(batch,)>1", "'batch,' is no age" },
		{ "allocations>1KiB", "500, 20K or 1.5M" },
		{ "allocations>1e6", "500, 20K or 1.5M" },
		{ "allocations>.", "500, 20K or 1.5M" },
		{ "allocations>1234567890123456789", "500, 20K or 1.5M" },
		{ "survivors>1", "needs an age" },
		{ "survivors()>1", "'' is no age" },
		{ "survivors(-1)>1", "'-1' is no age" },
		{ "survivors( 1)>1", "' 1' is no age" },
		{ "survivors(1>1", "no )" },
		{ "survivors(1)x>1", "no )" },
		{ "peak(3)>1", "peak has no age" },
		{ "lost@main>0", "not told by site" },
		{ "rss@main>0", "resident is not told by site" },
		{ "lost>+10%", "cannot be compared" },
		{ "steps>+10%", "cannot be compared" },
		{ "growth@>0", "no pattern" },
		{ "growth@ >0", "no pattern" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		struct gate g = { .age = 42 };
		char why[GATE_WHY_ROOM] = "";

		if (gate_parse(table[i].text, &g, why))
			fail_msg("'%s' is accepted", table[i].text);
		if (strstr(why, table[i].word) == NULL ||
		    strstr(why, table[i].text) == NULL)
			fail_msg("'%s': %s", table[i].text, why);
		assert_int_equal(g.age, 42);
	}
}

static void
what_is_too_long_is_refused(void **state)
{
	char text[600], why[GATE_WHY_ROOM];
	struct gate g;

	(void)state;
	memset(text, 'a', sizeof(text));
	memcpy(text, "peak@", 5);
	strcpy(text + 5 + GATE_PATTERN_ROOM - 1, ">0");
	assert_true(gate_parse(text, &g, why));
	assert_int_equal(strlen(g.pattern), GATE_PATTERN_ROOM - 1);
	memset(text + 5, 'a', GATE_PATTERN_ROOM + 10);
	strcpy(text + 5 + GATE_PATTERN_ROOM, ">0");
	assert_false(gate_parse(text, &g, why));
	assert_non_null(strstr(why, "longer than"));
	memset(text, 'a', 100);
	strcpy(text + 100, ">0");
	assert_false(gate_parse(text, &g, why));
}

static void
each_operator_holds_where_it_says(void **state)
{
	/* Of a value below, at and above the threshold. */
	static const struct { const char *text; bool holds[3]; } table[] = {
		{ "steps>5", { false, false, true } },
		{ "steps>=5", { false, true, true } },
		{ "steps<5", { true, false, false } },
		{ "steps<=5", { true, true, false } },
		{ "steps==5", { false, true, false } },
		{ "steps!=5", { true, false, true } },
	};
	char why[GATE_WHY_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		struct gate g;

		assert_true(gate_parse(table[i].text, &g, why));
		for (int k = 0; k < 3; k++)
			if (gate_holds(&g, 4 + k, 0) != table[i].holds[k])
				fail_msg("%s of %d", table[i].text, 4 + k);
	}
}

static void
a_share_is_of_the_baseline(void **state)
{
	char why[GATE_WHY_ROOM];
	struct gate g;

	(void)state;
	assert_true(gate_parse("peak>+10%", &g, why));
	assert_false(gate_holds(&g, 1099, 1000));
	assert_true(gate_holds(&g, 1101, 1000));
	/* Where there was nothing, anything is more. */
	assert_false(gate_holds(&g, 0, 0));
	assert_true(gate_holds(&g, 1, 0));
	assert_true(gate_parse("peak<-50%", &g, why));
	assert_false(gate_holds(&g, 501, 1000));
	assert_true(gate_holds(&g, 499, 1000));
}

static void
of_two_values_the_one_nearer_to_holding_is_worse(void **state)
{
	char why[GATE_WHY_ROOM];
	struct gate g;

	(void)state;
	assert_true(gate_parse("peak>5", &g, why));
	assert_true(gate_is_worse(&g, 2, 1));
	assert_false(gate_is_worse(&g, 1, 1));
	assert_true(gate_parse("peak<5", &g, why));
	assert_true(gate_is_worse(&g, 1, 2));
	assert_true(gate_parse("peak==5", &g, why));
	assert_true(gate_is_worse(&g, 6, 3));
	assert_true(gate_parse("peak!=5", &g, why));
	assert_true(gate_is_worse(&g, 3, 6));
}

static void
values_are_told_with_their_units(void **state)
{
	static const struct {
		enum gate_figure figure;
		double value;
		enum gate_unit unit;
		const char *words;
	} table[] = {
		{ GATE_PEAK, 1536, GATE_WHOLE, "1.5 KiB" },
		{ GATE_GROWTH, 64, GATE_BATCH, "64 B a batch" },
		{ GATE_GROWTH, 0.25, GATE_BATCH, "0.25 B a batch" },
		{ GATE_GROWTH, 0, GATE_HOUR, "0 B an hour" },
		{ GATE_ALLOCATIONS, 1234567, GATE_WHOLE, "1 234 567" },
		{ GATE_ALLOCATIONS, 2.5, GATE_SECOND, "2.50 a second" },
		{ GATE_LOST, -3, GATE_WHOLE, "0" },
		{ GATE_LOST, 1e300, GATE_WHOLE,
		    "9 000 000 000 000 000 000" },
	};
	char words[GATE_VALUE_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
		assert_string_equal(gate_format(table[i].figure,
		    table[i].value, table[i].unit, words), table[i].words);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(expressions_are_read),
		cmocka_unit_test(
		    what_is_not_understood_is_refused_with_what_is),
		cmocka_unit_test(what_is_too_long_is_refused),
		cmocka_unit_test(each_operator_holds_where_it_says),
		cmocka_unit_test(a_share_is_of_the_baseline),
		cmocka_unit_test(
		    of_two_values_the_one_nearer_to_holding_is_worse),
		cmocka_unit_test(values_are_told_with_their_units),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
