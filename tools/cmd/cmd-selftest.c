/*
 * cmd-selftest.c - `heaptide selftest`: does heaptide work here?
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cmd/commands.h"
#include "plan/message.h"
#include "say/option.h"
#include "say/print.h"
#include "selftest/selftest.h"
#include "symbols/json.h"
#include "sys/sys.h"

struct selftest_options {
	bool json, tap;
};

static const struct option_row selftest_rows[] = {
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct selftest_options, json),
	  .help = "print JSON" },
	{ .name = "tap", .kind = OPTION_FLAG,
	  .at = offsetof(struct selftest_options, tap),
	  .help = "print lines of the Test Anything Protocol" },
	{ .name = NULL }
};

struct outcome {
	bool passed;
	uint64_t ns;
	char why[SELFTEST_WHY_ROOM];
};

struct outcomes {
	struct outcome test[SELFTEST_CASES];
	int passed;
	uint64_t ns;
	uint64_t used_mean; /* bytes; 0: not known */
};

static void
run_all(struct outcomes *o, bool tap)
{
	struct selftest t;
	bool open = selftest_open(&t);
	uint64_t start_ns = sys_clock();

	for (int i = 0; i < SELFTEST_CASES; i++) {
		struct outcome *one = &o->test[i];
		uint64_t since = sys_clock();

		if (open)
			t.why[0] = '\0';
		one->passed = open && !selftest_interrupted() &&
		    selftest_cases[i].run(&t);
		one->ns = sys_clock() - since;
		snprintf(one->why, sizeof(one->why), "%s",
		    one->passed ? "" : t.why);
		one->why[strcspn(one->why, "\n")] = '\0';
		o->passed += one->passed;
		if (!tap)
			continue;
		printf("%sok %d - %s\n", one->passed ? "" : "not ", i + 1,
		    selftest_cases[i].name);
		if (!one->passed)
			printf("# %s\n", print_clean(one->why));
		(void)fflush(stdout);
	}
	o->ns = sys_clock() - start_ns;
	if (t.used_count != 0)
		o->used_mean = whole_u64(t.used_sum / t.used_count);
	selftest_close(&t);
}

/* --- the report ----------------------------------------------------------- */

static void
print_summary(const struct print *out, const struct outcomes *o)
{
	print_line(out, PRINT_STRONG, "MEMORY-OPTIMIZED BATCH PROCESSING TEST "
	    "REPORT");
	print_line(out, PRINT_PLAIN, "%s", "=============================="
	    "==============================");
	print_line(out, PRINT_PLAIN, "%s", "");
	print_line(out, PRINT_PLAIN, "SUMMARY:");
	print_line(out, PRINT_PLAIN, "   Total Tests: %d", SELFTEST_CASES);
	print_line(out, PRINT_PLAIN, "   Passed: %d", o->passed);
	print_line(out, PRINT_PLAIN, "   Failed: %d",
	    SELFTEST_CASES - o->passed);
	print_line(out, PRINT_PLAIN, "   Success Rate: %d%%",
	    o->passed * 100 / SELFTEST_CASES);
	print_line(out, PRINT_PLAIN, "   Total Duration: %llums",
	    (unsigned long long)(o->ns / NS_PER_MS));
	print_line(out, PRINT_PLAIN, "%s", "");
}

static void
print_tests(const struct print *out, const struct outcomes *o)
{
	print_line(out, PRINT_PLAIN, "TESTS:");
	for (int i = 0; i < SELFTEST_CASES; i++) {
		const struct outcome *one = &o->test[i];

		print_line(out, one->passed ? PRINT_PLAIN : PRINT_BAD,
		    "   %s: %s (%llums)%s%s", selftest_cases[i].name,
		    one->passed ? "passed" : "FAILED",
		    (unsigned long long)(one->ns / NS_PER_MS),
		    one->passed ? "" : ": ", one->why);
	}
	print_line(out, PRINT_PLAIN, "%s", "");
}

static void
print_recommendations(const struct print *out, const struct outcomes *o)
{
	char line[MESSAGE_ROOM];

	print_line(out, PRINT_PLAIN, "MEMORY OPTIMIZATION RECOMMENDATIONS:");
	if (o->passed == SELFTEST_CASES)
		print_line(out, PRINT_GOOD, "   %s", message_fine(line,
		    sizeof(line), o->used_mean));
	else
		print_line(out, PRINT_WARN, "   Do not rely on heaptide here "
		    "before what failed is understood: 'heaptide budget' "
		    "shows the limits, HEAPTIDE_DIR and HEAPTIDE_STATE say "
		    "where files go");
	print_line(out, PRINT_PLAIN, "%s", "");
}

static void
print_closing(const struct print *out, const struct outcomes *o)
{
	if (o->passed == SELFTEST_CASES)
		print_line(out, PRINT_GOOD, "All tests passed! "
		    "Memory-optimized batch processing is working "
		    "correctly.");
	else
		print_line(out, PRINT_BAD, "%d of %d tests failed.",
		    SELFTEST_CASES - o->passed, SELFTEST_CASES);
	for (int i = 0; i < SELFTEST_CASES; i++)
		if (selftest_cases[i].part != NULL)
			print_line(out, PRINT_PLAIN, "   - %s: %s",
			    selftest_cases[i].part, o->test[i].passed ? "ok" :
			    "FAILED");
}

static int
print_report(const struct outcomes *o)
{
	struct print out = print_open(stdout);

	print_summary(&out, o);
	print_tests(&out, o);
	print_recommendations(&out, o);
	print_closing(&out, o);
	return 0;
}

static int
print_object(const struct outcomes *o)
{
	json_t *tests = json_array();

	for (int i = 0; i < SELFTEST_CASES; i++)
		json_array_append_new(tests, json_pack("{s:s, s:b, s:f, s:o}",
		    "name", selftest_cases[i].name, "passed",
		    o->test[i].passed, "seconds", (double)o->test[i].ns / 1e9,
		    "why", o->test[i].passed ? json_null() :
		    json_text(o->test[i].why)));
	const struct json_member members[] = {
		{ "total", json_integer(SELFTEST_CASES) },
		{ "passed", json_integer(o->passed) },
		{ "failed", json_integer(SELFTEST_CASES - o->passed) },
		{ "success_rate", json_real(o->passed * 100.0 /
		    SELFTEST_CASES) },
		{ "seconds", json_real((double)o->ns / 1e9) },
		{ "memory_average", json_number(o->used_mean) },
		{ "tests", tests },
	};

	return json_print(json_fill(json_head(), members,
	    ARRAY_LENGTH(members)));
}

/* --- the command ---------------------------------------------------------- */

static int
selftest_run(const void *options, int operands, char **operand)
{
	const struct selftest_options *o = options;
	struct outcomes outcomes = { .passed = 0 };
	int r = COMMAND_DONE;

	/* Not for people: a program that a test has started. */
	if (operands == 1 && operand[0][0] == '@')
		return selftest_work(operand[0] + 1);
	if (operands == 1 || (o->json && o->tap)) {
		if (operands == 1)
			print_error("selftest: '%s' is one operand too many; "
			    "none is accepted", operand[0]);
		else
			print_error("selftest: --json and --tap exclude each "
			    "other; one of them is accepted");
		return COMMAND_USAGE;
	}
	if (o->tap)
		printf("TAP version 13\n1..%d\n", SELFTEST_CASES);
	(void)fflush(stdout);
	run_all(&outcomes, o->tap);
	if (selftest_interrupted() != 0)
		return 128 + selftest_interrupted();
	if (o->json)
		r = print_object(&outcomes);
	else if (!o->tap)
		r = print_report(&outcomes);
	return r != COMMAND_DONE ? r : outcomes.passed == SELFTEST_CASES ?
	    COMMAND_DONE : COMMAND_GATE;
}

const struct command command_selftest = {
	.name = "selftest",
	.help = "does heaptide work here? seven tests with real programs",
	.rows = selftest_rows,
	.options_bytes = sizeof(struct selftest_options),
	.operands_most = 1,
	.run = selftest_run,
};
