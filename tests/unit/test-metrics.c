#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "control/metrics.h"

static char room[64 * 1024];
static struct text text;

static void
put(void *context, const char *bytes, size_t n)
{
	text_put_bytes(context, bytes, n);
}

static const char *
write_of(const struct metrics_facts *facts, enum metrics_format format)
{
	const struct metrics_out out = { put, &text };
	const struct metrics_facts *all[] = { facts, facts };

	text_open(&text, room, sizeof(room));
	metrics_write(&out, format, all, facts != NULL ? 1 : 0);
	metrics_write_end(&out, format);
	assert_false(text.cut);
	return room;
}

static struct metrics_facts
facts_of(const char *command)
{
	struct metrics_facts f;

	memset(&f, 0xff, sizeof(f));
	f.pid = 7;
	snprintf(f.command, sizeof(f.command), "%s", command);
	f.source[0] = '\0';
	f.stacks = "all";
	f.grows = false;
	f.ops = 0;
	return f;
}

static void
assert_has(const char *line)
{
	if (strstr(room, line) == NULL)
		fail_msg("there is no '%s'", line);
}

static void
assert_has_not(const char *line)
{
	if (strstr(room, line) != NULL)
		fail_msg("there is '%s'", line);
}

static void
a_counter_is_named_as_each_format_wants_it(void **state)
{
	struct metrics_facts f = facts_of("a");

	(void)state;
	f.allocated = 5;
	write_of(&f, METRICS_OPENMETRICS);
	assert_has("# TYPE heaptide_allocated_bytes counter\n");
	assert_has("# UNIT heaptide_allocated_bytes bytes\n");
	assert_has("\nheaptide_allocated_bytes_total{pid=\"7\","
	    "command=\"a\"} 5\n");
	assert_has("\n# TYPE heaptide_memory_state stateset\n");
	assert_string_equal(room + text.used - 6, "# EOF\n");
	write_of(&f, METRICS_PROMETHEUS);
	assert_has("# TYPE heaptide_allocated_bytes_total counter\n");
	assert_has("# TYPE heaptide_process_info gauge\n");
	assert_has("\n# TYPE heaptide_memory_state gauge\n");
	assert_has_not("# UNIT");
	assert_has_not("# EOF");
}

static void
what_is_not_known_is_left_out(void **state)
{
	struct metrics_facts f = facts_of("a");

	(void)state;
	write_of(&f, METRICS_OPENMETRICS);
	assert_has_not("heaptide_live_bytes{");
	assert_has_not("heaptide_growth_bytes_per_second{");
	assert_has_not("18446744073709551615");
	f.grows = true;
	f.growth = -3;
	f.live_bytes = 0;
	write_of(&f, METRICS_OPENMETRICS);
	assert_has("heaptide_live_bytes{pid=\"7\",command=\"a\"} 0\n");
	assert_has("heaptide_growth_bytes_per_second{pid=\"7\","
	    "command=\"a\"} -3\n");
}

static void
times_are_told_to_the_nanosecond(void **state)
{
	struct metrics_facts f = facts_of("a");

	(void)state;
	f.cpu = UINT64_C(12000000034);
	f.started = UINT64_C(1795690000000000000);
	write_of(&f, METRICS_OPENMETRICS);
	assert_has("heaptide_cpu_seconds_total{pid=\"7\",command=\"a\"} "
	    "12.000000034\n");
	assert_has("} 1795690000.000000000\n");
}

static void
labels_are_escaped_and_always_utf8(void **state)
{
	struct metrics_facts f = facts_of("a\"b\\c\nd\xff\xc3\xa4");

	(void)state;
	f.threads = 1;
	f.ops = 1;
	memset(&f.op[0], 0, sizeof(f.op[0]));
	snprintf(f.op[0].name, sizeof(f.op[0].name), "x\"y");
	f.op[0].batches = 9;
	write_of(&f, METRICS_OPENMETRICS);
	assert_has("heaptide_threads{pid=\"7\",command=\"a\\\"b\\\\c\\nd"
	    "\xef\xbf\xbd\xc3\xa4\"} 1\n");
	assert_has("heaptide_op_batches_total{pid=\"7\",command=\"a\\\"b\\\\c"
	    "\\nd\xef\xbf\xbd\xc3\xa4\",op=\"x\\\"y\"} 9\n");
}

/* 63 bytes, each of them three when replaced, and the same again. */
static void
the_longest_labels_fit_a_line(void **state)
{
	char name[64];
	struct metrics_facts f;

	(void)state;
	memset(name, 0xfe, sizeof(name) - 1);
	name[63] = '\0';
	f = facts_of(name);
	f.ops = 1;
	memset(&f.op[0], 0, sizeof(f.op[0]));
	memset(f.op[0].name, 0xfe, sizeof(f.op[0].name));
	f.op[0].checkpoint_bytes = UINT64_MAX;
	write_of(&f, METRICS_OPENMETRICS);
	assert_has("\"} 18446744073709551615\n");
}

static void
of_nobody_there_are_heads_alone(void **state)
{
	(void)state;
	write_of(NULL, METRICS_OPENMETRICS);
	assert_has("# TYPE heaptide_live_bytes gauge\n");
	assert_has_not("{");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counter_is_named_as_each_format_wants_it),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(times_are_told_to_the_nanosecond),
		cmocka_unit_test(labels_are_escaped_and_always_utf8),
		cmocka_unit_test(the_longest_labels_fit_a_line),
		cmocka_unit_test(of_nobody_there_are_heads_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
