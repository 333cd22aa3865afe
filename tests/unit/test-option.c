/*
 * test-option.c - options of a command: what is read, and what is refused how
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "base/base.h"
#include "say/option.h"

struct options {
	bool quiet;
	bool json;
	const char *output;
	struct option_list items;
	int stacks;
	uint64_t top;
	uint64_t sample;
	uint64_t share;
	struct option_amount budget;
	uint64_t timeout, epoch;
};

static const char *const stacks[] = { "none", "sampled", "all", NULL };

#define AT(member) .at = offsetof(struct options, member)

static const struct option_row rows[] = {
	{ .name = "quiet", .letter = 'q', .kind = OPTION_FLAG, AT(quiet) },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG, AT(json) },
	{ .name = "output", .letter = 'o', .kind = OPTION_TEXT,
	  .word = "FILE", AT(output) },
	{ .name = "item", .kind = OPTION_LIST, AT(items) },
	{ .name = "stacks", .kind = OPTION_CHOICE, .choices = stacks,
	  AT(stacks) },
	{ .name = "top", .letter = 'n', .kind = OPTION_COUNT, .least = 1,
	  .most = 100, AT(top) },
	{ .name = "sample", .kind = OPTION_BYTES, .least = 1024,
	  .most = 1048576, AT(sample) },
	{ .name = "share", .kind = OPTION_SHARE, AT(share) },
	{ .name = "budget", .kind = OPTION_AMOUNT, AT(budget) },
	{ .name = "timeout", .kind = OPTION_DURATION, AT(timeout) },
	{ .name = "epoch", .kind = OPTION_DURATION, AT(epoch),
	  .least = 10 * NS_PER_MS, .most = 3600 * NS_PER_S },
	{ .name = NULL }
};

#define WORDS_MOST 12

/* Parse a line of words with blanks between. */
static int
parse(const char *line, bool operands_end, struct options *o, char *operands,
    char why[OPTION_WHY_ROOM])
{
	static char copy[512]; /* the options point into it */
	char *argv[WORDS_MOST] = { NULL };
	int argc = 0, first = 0, r;

	strcpy(copy, line);
	for (char *word = strtok(copy, " "); word != NULL;
	    word = strtok(NULL, " "))
		argv[argc++] = word;
	memset(o, 0, sizeof(*o));
	why[0] = '\0';
	operands[0] = '\0';
	r = option_parse(rows, o, argc, argv, operands_end, &first, why);
	if (r != 0)
		return r;
	for (int i = first; i < argc; i++) {
		strcat(operands, argv[i]);
		strcat(operands, i + 1 < argc ? " " : "");
	}
	return 0;
}

static void
each_kind_of_value_reaches_its_member(void **state)
{
	struct options o;
	char operands[512], why[OPTION_WHY_ROOM];

	(void)state;
	assert_int_equal(parse("run --top 7 --sample=4K --share 12.5% "
	    "--timeout 2m --stacks all", false, &o, operands, why), 0);
	assert_int_equal(o.top, 7);
	assert_int_equal(o.sample, 4096);
	assert_int_equal(o.share, 125000);
	assert_int_equal(o.timeout, 120 * NS_PER_S);
	assert_int_equal(o.stacks, 2);
	assert_false(o.quiet);

	assert_int_equal(parse("run -q --budget 60%", false, &o, operands,
	    why), 0);
	assert_true(o.quiet);
	assert_true(o.budget.given && o.budget.is_share);
	assert_int_equal(o.budget.value, 600000);

	assert_int_equal(parse("run --budget 1.5G", false, &o, operands, why),
	    0);
	assert_true(o.budget.given && !o.budget.is_share);
	assert_int_equal(o.budget.value, 3 * GIB / 2);

	assert_int_equal(parse("run --item a --item b", false, &o, operands,
	    why), 0);
	assert_int_equal(o.items.count, 2);
	assert_string_equal(o.items.value[1], "b");
}

static void
the_words_of_a_line_are_told_apart(void **state)
{
	static const struct {
		const char *line;
		bool operands_end;
		bool quiet, json;
		uint64_t top;
		const char *operands;
	} cases[] = {
		{ "run", false, false, false, 0, "" },
		{ "run a b", false, false, false, 0, "a b" },
		{ "run a -q b", false, true, false, 0, "a b" },
		{ "run a -q b", true, false, false, 0, "a -q b" },
		{ "run -q a --json", true, true, false, 0, "a --json" },
		{ "run -qj", false, true, true, 0, "" },
		{ "run -qjn5 a", false, true, true, 5, "a" },
		{ "run -n 5 a", false, false, false, 5, "a" },
		{ "run a b -n 5 c --json", false, false, true, 5, "a b c" },
		{ "run a -- -q b", false, false, false, 0, "a -q b" },
		{ "run -q -- -q", true, true, false, 0, "-q" },
		{ "run -- prog -- x", true, false, false, 0, "prog -- x" },
		{ "run - -q", false, true, false, 0, "-" },
		{ "run --top=3 --top 4", false, false, false, 4, "" },
	};
	struct options o;
	char operands[512], why[OPTION_WHY_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_int_equal(parse(cases[i].line, cases[i].operands_end,
		    &o, operands, why), 0);
		assert_int_equal(o.quiet, cases[i].quiet);
		assert_int_equal(o.json, cases[i].json);
		assert_int_equal(o.top, cases[i].top);
		assert_string_equal(operands, cases[i].operands);
	}
}

static void
a_refusal_names_option_value_and_what_is_accepted(void **state)
{
	static const struct {
		const char *line;
		const char *why;
	} cases[] = {
		{ "run --top x", "--top 'x' is not accepted: give a whole "
		  "number from 1 to 100" },
		{ "run --top 0", "--top '0' is not accepted: give a whole "
		  "number from 1 to 100" },
		{ "run -n 101", "-n '101' is not accepted: give a whole "
		  "number from 1 to 100" },
		{ "run --top -1", "--top '-1' is not accepted: give a whole "
		  "number from 1 to 100" },
		{ "run --stacks some", "--stacks 'some' is not accepted: give "
		  "none, sampled or all" },
		{ "run --sample 1", "--sample '1' is not accepted: give a "
		  "size like 512K, 64M or 1.5G, at least 1.0 KiB, at most "
		  "1.0 MiB" },
		{ "run --share 101%", "--share '101%' is not accepted: give a "
		  "share from 0% to 100%" },
		{ "run --timeout 5", "--timeout '5' is not accepted: give a "
		  "duration like 500ms, 5s, 2m or 24h" },
		{ "run --epoch 5ms", "--epoch '5ms' is not accepted: give a "
		  "duration like 500ms, 5s, 2m or 24h, at least 10 ms, at "
		  "most 1 h 0 min" },
		{ "run --epoch 61m", "--epoch '61m' is not accepted: give a "
		  "duration like 500ms, 5s, 2m or 24h, at least 10 ms, at "
		  "most 1 h 0 min" },
		{ "run --budget much", "--budget 'much' is not accepted: give "
		  "a size like 512M or 1.5G, or a share like 60%" },
		{ "run --output", "--output needs a value: FILE" },
		{ "run -o", "-o needs a value: FILE" },
		{ "run --quiet=yes", "--quiet takes no value, but 'yes' was "
		  "given" },
		{ "run --quie", "there is no option '--quie'; --help lists "
		  "what is accepted" },
		{ "run --topp=3", "there is no option '--topp=3'; --help "
		  "lists what is accepted" },
		{ "run -qx", "there is no option '-qx'; --help lists what is "
		  "accepted" },
	};
	struct options o;
	char operands[512], why[OPTION_WHY_ROOM];

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(cases); i++) {
		assert_int_equal(parse(cases[i].line, false, &o, operands,
		    why), -EINVAL);
		assert_string_equal(why, cases[i].why);
	}
}

static void
a_value_that_is_refused_leaves_its_member_alone(void **state)
{
	char words[3][8] = { "run", "--top", "many" };
	char *argv[] = { words[0], words[1], words[2], NULL };
	struct options o = { .top = 42 };
	char why[OPTION_WHY_ROOM];
	int first = -1;

	(void)state;
	assert_int_equal(option_parse(rows, &o, 3, argv, false, &first, why),
	    -EINVAL);
	assert_int_equal(o.top, 42);
	assert_int_equal(first, -1);
}

static void
one_item_more_than_there_is_room_for_is_refused(void **state)
{
	char words[3][8] = { "run", "--item", "x" };
	char *argv[2 * (OPTION_LIST_ROOM + 1) + 2] = { words[0] };
	int argc = 1, first;
	struct options o = { 0 };
	char why[OPTION_WHY_ROOM];

	(void)state;
	for (int i = 0; i <= OPTION_LIST_ROOM; i++) {
		argv[argc++] = words[1];
		argv[argc++] = words[2];
	}
	assert_int_equal(option_parse(rows, &o, argc, argv, false, &first,
	    why), -EINVAL);
	assert_non_null(strstr(why, "one too many"));
}

static void
help_is_met_only_in_front_of_a_command_of_its_own(void **state)
{
	struct options o;
	char operands[512], why[OPTION_WHY_ROOM];

	(void)state;
	assert_int_equal(parse("run --help", true, &o, operands, why), 1);
	assert_int_equal(parse("run -qh", true, &o, operands, why), 1);
	assert_int_equal(parse("run a --help", false, &o, operands, why), 1);
	assert_int_equal(parse("run prog --help", true, &o, operands, why),
	    0);
	assert_string_equal(operands, "prog --help");
	assert_int_equal(parse("run --output --help", true, &o, operands,
	    why), 0);
	assert_string_equal(o.output, "--help");
}

static void
help_describes_a_row_in_a_line(void **state)
{
	static const struct option_row row = {
		.name = "output", .letter = 'o', .kind = OPTION_TEXT,
		.word = "FILE", .help = "write to FILE",
	};
	static const struct option_row choice = {
		.name = "stacks", .kind = OPTION_CHOICE, .choices = stacks,
		.help = "what to keep",
	};
	char line[256];

	(void)state;
	option_describe(&row, line, sizeof(line));
	assert_string_equal(line,
	    "  -o, --output FILE             write to FILE");
	option_describe(&choice, line, sizeof(line));
	assert_string_equal(line, "      --stacks none|sampled|all\n"
	    "                                  what to keep");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_value_reaches_its_member),
		cmocka_unit_test(the_words_of_a_line_are_told_apart),
		cmocka_unit_test(
		    a_refusal_names_option_value_and_what_is_accepted),
		cmocka_unit_test(
		    a_value_that_is_refused_leaves_its_member_alone),
		cmocka_unit_test(
		    one_item_more_than_there_is_room_for_is_refused),
		cmocka_unit_test(
		    help_is_met_only_in_front_of_a_command_of_its_own),
		cmocka_unit_test(help_describes_a_row_in_a_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
