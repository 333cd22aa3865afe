#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "web/web-route.h"

static struct web_task task;

static unsigned
ask(enum web_method method, const char *path, const char *name,
    const char *value)
{
	struct web_request r = {
		.method = method, .path = path, .body = "",
		.query = { { name, value } }, .queries = name != NULL,
	};

	return web_route(&r, &task);
}

static unsigned
get(const char *path)
{
	return ask(WEB_GET, path, NULL, NULL);
}

static unsigned
post(const char *path, bool is_json, const char *body)
{
	struct web_request r = {
		.method = WEB_POST, .path = path, .is_json = is_json,
		.body = body, .body_bytes = strlen(body),
	};

	return web_route(&r, &task);
}

/* All words, in brackets. */
static const char *
words(void)
{
	static char text[WEB_TEXT_ROOM];
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < task.argc; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used,
		    "[%s]", task.argv[i]);
	assert_null(task.argv[task.argc]);
	return text;
}

static void
what_is_asked_for_is_in_the_path(void **state)
{
	static const struct {
		const char *path;
		enum web_do what;
		int pid;
		const char *words;
	} table[] = {
		{ "/", WEB_PAGE, 0, "" },
		{ "/status", WEB_STATUS, 0, "" },
		{ "/status/7", WEB_STATUS, 7, "" },
		{ "/events/2147483647", WEB_EVENTS, 2147483647, "" },
		{ "/memory-status", WEB_MEMORY, 0, "" },
		{ "/metrics", WEB_METRICS, 0, "" },
		{ "/report/7", WEB_COMMAND, 7, "[report][--json][7]" },
		{ "/sites/7", WEB_REQUEST, 7, "[ctl][7][sites]" },
		{ "/scan/7", WEB_REQUEST, 7, "[ctl][7][scan last]" },
		{ "/checkpoints", WEB_COMMAND, 0,
		  "[checkpoints][--json][--][list]" },
		{ "/checkpoints/r-1", WEB_COMMAND, 0,
		  "[checkpoints][--json][--][show][r-1]" },
		{ "/budget", WEB_COMMAND, 0, "[budget][--json]" },
		{ "/budget/7", WEB_COMMAND, 7, "[budget][--json][7]" },
		/* No option of the command's. */
		{ "/resume/--help", WEB_COMMAND, 0,
		  "[resume][--show][--json][--][--help]" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		if (get(table[i].path) != 0)
			fail_msg("%s: %s", table[i].path, task.why);
		assert_int_equal(task.what, table[i].what);
		assert_int_equal(task.pid, table[i].pid);
		assert_string_equal(words(), table[i].words);
	}
}

static void
what_is_wrong_is_refused_with_a_sentence(void **state)
{
	static const struct {
		enum web_method method;
		const char *path;
		unsigned status;
	} table[] = {
		{ WEB_GET, "", 404 },
		{ WEB_GET, "//", 404 },
		{ WEB_GET, "/nothing", 404 },
		{ WEB_GET, "/statuses", 404 },
		{ WEB_GET, "/metrics/7", 404 },
		{ WEB_GET, "/../status", 404 },
		{ WEB_GET, "/status/", 400 },
		{ WEB_GET, "/status/0", 400 },
		{ WEB_GET, "/status/-1", 400 },
		{ WEB_GET, "/status/2147483648", 400 },
		{ WEB_GET, "/status/7/8", 400 },
		{ WEB_GET, "/report", 400 },
		{ WEB_GET, "/resume/a b", 400 },
		{ WEB_GET, "/resume/../x", 400 },
		{ WEB_GET, "/drain/7", 405 },
		{ WEB_POST, "/status", 405 },
		{ WEB_OTHER, "/status", 405 },
		{ WEB_OTHER, "/nothing", 404 },
		{ WEB_OPTIONS, "/nothing", 404 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++) {
		unsigned status = ask(table[i].method, table[i].path, NULL,
		    NULL);

		if (status != table[i].status || task.why[0] == '\0')
			fail_msg("%s: %u, %s", table[i].path, status,
			    task.why);
	}
}

static void
the_methods_of_a_path_are_told(void **state)
{
	(void)state;
	assert_int_equal(ask(WEB_OPTIONS, "/budget/7", NULL, NULL), 0);
	assert_int_equal(task.what, WEB_ALLOW);
	assert_string_equal(task.allow, "GET, HEAD, POST, OPTIONS");
	assert_int_equal(ask(WEB_GET, "/drain/7", NULL, NULL), 405);
	assert_string_equal(task.allow, "POST, OPTIONS");
	assert_int_equal(ask(WEB_POST, "/metrics", NULL, NULL), 405);
	assert_string_equal(task.allow, "GET, HEAD, OPTIONS");
}

static void
parameters_are_checked_by_their_names_and_values(void **state)
{
	(void)state;
	assert_int_equal(ask(WEB_GET, "/sites/7", "n", "12"), 0);
	assert_string_equal(words(), "[ctl][7][sites 12]");
	assert_int_equal(ask(WEB_GET, "/sites/7", "by", "growth"), 0);
	assert_string_equal(words(), "[ctl][7][sites by growth]");
	assert_int_equal(ask(WEB_GET, "/sites", "pid", "7"), 0);
	assert_int_equal(task.pid, 7);
	assert_int_equal(ask(WEB_GET, "/sites/7", "n", "0"), 400);
	assert_int_equal(ask(WEB_GET, "/sites/7", "n", ""), 400);
	assert_int_equal(ask(WEB_GET, "/sites/7", "n", "1 by live"), 400);
	assert_int_equal(ask(WEB_GET, "/sites/7", "by", "liv"), 400);
	assert_int_equal(ask(WEB_GET, "/sites/7", "by", "live growth"), 400);
	assert_int_equal(ask(WEB_GET, "/sites/7", "by", ""), 400);
	assert_int_equal(ask(WEB_GET, "/sites/7", "x", "1"), 400);
	assert_int_equal(ask(WEB_GET, "/processes", "pid", "1"), 400);
	assert_int_equal(ask(WEB_GET, "/events", "interval", "250ms"), 0);
	assert_int_equal(task.interval_ns, 250 * NS_PER_MS);
	assert_int_equal(ask(WEB_GET, "/events", "interval", "1ms"), 400);
	assert_int_equal(ask(WEB_GET, "/events", "interval", "1"), 400);
}

static void
a_request_is_posted_as_json_or_as_its_line(void **state)
{
	(void)state;
	assert_int_equal(post("/ctl/7", false, "mark night 1\r\n"), 0);
	assert_string_equal(words(), "[ctl][7][mark night 1]");
	assert_int_equal(post("/ctl/7", true, "{\"request\":\"trim\"}"), 0);
	assert_string_equal(words(), "[ctl][7][trim]");
	assert_int_equal(post("/mark/7", true, "{\"name\":\"--x\"}"), 0);
	assert_string_equal(words(), "[ctl][7][mark --x]");
	assert_int_equal(post("/mark/7", false, "a"), 0);
	assert_string_equal(words(), "[ctl][7][mark a]");
	assert_int_equal(post("/budget/7", true, "{\"size\":1048576}"), 0);
	assert_string_equal(words(), "[ctl][7][budget 1048576]");
	assert_int_equal(post("/drain/7", true, "{}"), 0);
	assert_string_equal(words(), "[ctl][7][drain]");
	assert_int_equal(post("/cleanup/7", true, "{\"level\":2}"), 0);
	assert_string_equal(words(), "[ctl][7][cleanup 2]");
	assert_int_equal(post("/cleanup/7", true, "{\"level\":null}"), 0);
	assert_string_equal(words(), "[ctl][7][cleanup]");
	assert_int_equal(post("/checkpoints/clean", true,
	    "{\"max_age\":\"24h\"}"), 0);
	assert_string_equal(words(),
	    "[checkpoints][--json][clean][--max-age][24h]");
}

static void
a_body_that_is_no_request_is_refused(void **state)
{
	static const struct {
		const char *path;
		bool is_json;
		const char *body;
	} table[] = {
		{ "/ctl/7", true, "" },
		{ "/ctl/7", false, "" },
		{ "/ctl/7", false, "\n" },
		{ "/ctl/7", false, "mark a\nmark b" },
		{ "/ctl/7", false, "watch 1s" },
		{ "/ctl/7", false, " WATCH\t1s" },
		{ "/ctl/7", true, "{" },
		{ "/ctl/7", true, "[]" },
		{ "/ctl/7", true, "{\"request\":[]}" },
		{ "/ctl/7", true, "{\"request\":\"a\\nb\"}" },
		{ "/ctl/7", true, "{\"request\":\"a\\u0000b\"}" },
		{ "/ctl/7", true, "{\"request\":\"trim\",\"more\":1}" },
		{ "/ctl/7", true, "{\"request\":\"a\",\"request\":\"b\"}" },
		{ "/mark/7", true, "{\"name\":\"\"}" },
		{ "/stacks/7", true, "{\"stacks\":\"most\"}" },
		{ "/drain/7", true, "{\"now\":true}" },
		{ "/checkpoints/clean", true, "{\"max_age\":\"--json\"}" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
		if (post(table[i].path, table[i].is_json,
		    table[i].body) != 400)
			fail_msg("%s: %s", table[i].path, table[i].body);
}

static void
a_line_that_is_too_long_is_refused(void **state)
{
	static char line[5000];

	(void)state;
	memset(line, 'a', sizeof(line) - 1);
	assert_int_equal(post("/ctl/7", false, line), 413);
	line[4096] = '\0';
	assert_int_equal(post("/ctl/7", false, line), 0);
	assert_int_equal(post("/mark/7", false, line), 413);
}

static void
every_row_is_listed(void **state)
{
	json_t *help = web_route_help();
	json_t *rows = json_object_get(help, "requests"), *row;
	size_t i;

	(void)state;
	assert_true(json_array_size(rows) > 20);
	json_array_foreach(rows, i, row) {
		assert_true(json_string_length(json_object_get(row,
		    "help")) > 0);
		assert_true(json_is_array(json_object_get(row,
		    "parameters")));
	}
	json_decref(help);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_asked_for_is_in_the_path),
		cmocka_unit_test(what_is_wrong_is_refused_with_a_sentence),
		cmocka_unit_test(the_methods_of_a_path_are_told),
		cmocka_unit_test(
		    parameters_are_checked_by_their_names_and_values),
		cmocka_unit_test(a_request_is_posted_as_json_or_as_its_line),
		cmocka_unit_test(a_body_that_is_no_request_is_refused),
		cmocka_unit_test(a_line_that_is_too_long_is_refused),
		cmocka_unit_test(every_row_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
