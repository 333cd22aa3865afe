#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/base.h"
#include "web/web-parse.h"

static const struct option_list nobody = { .count = 0 };

static bool
may(const char *host, const char *at, const struct option_list *names)
{
	struct web_host h;

	assert_true(web_parse_host(at, &h));
	return web_may_ask(host, &h, names);
}

static void
a_host_is_a_name_or_an_address_and_perhaps_a_port(void **state)
{
	static const struct {
		const char *text, *name;
		bool is_address, is_loopback, has_port;
		uint16_t port;
	} good[] = {
		{ "localhost", "localhost", false, true, false, 0 },
		{ "LocalHost.:80", "localhost", false, true, true, 80 },
		{ "127.0.0.1:9464", "127.0.0.1", true, true, true, 9464 },
		{ "127.200.1.2", "127.200.1.2", true, true, false, 0 },
		{ "10.0.0.1:0", "10.0.0.1", true, false, true, 0 },
		{ "[::1]:65535", "::1", true, true, true, 65535 },
		{ "[::ffff:127.0.0.1]", "::ffff:127.0.0.1", true, true, false,
		  0 },
		{ "[2001:DB8::1]", "2001:db8::1", true, false, false, 0 },
		{ "a-b.example_c.org", "a-b.example_c.org", false, false,
		  false, 0 },
	};
	static const char *const bad[] = {
		"", ":", ":80", ".", "[", "[]", "[::1", "[::1]x", "[::1]:",
		"::1", "a:b", "a:", "a:65536", "a:-1", "a:+1", "a: 1", "a b",
		"a/b", "user@localhost", "localhost:80:80", "[127.0.0.1]",
		"[localhost]", "a\n", "\x80", "127.0.0.1#",
	};
	struct web_host h;

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(good); i++) {
		if (!web_parse_host(good[i].text, &h))
			fail_msg("'%s' is refused", good[i].text);
		assert_string_equal(h.name, good[i].name);
		assert_int_equal(h.is_address, good[i].is_address);
		assert_int_equal(h.is_loopback, good[i].is_loopback);
		assert_int_equal(h.has_port, good[i].has_port);
		assert_int_equal(h.port, good[i].port);
	}
	for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
		if (web_parse_host(bad[i], &h))
			fail_msg("'%s' is taken for '%s'", bad[i], h.name);
}

static void
a_name_that_is_too_long_is_none(void **state)
{
	char name[300];
	struct web_host h;

	(void)state;
	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	assert_true(web_parse_host(name, &h));
	memset(name, 'a', sizeof(name));
	name[256] = '\0';
	assert_false(web_parse_host(name, &h));
}

static void
where_to_listen_may_be_a_port_alone(void **state)
{
	struct web_host h = { .name = "127.0.0.1", .port = 9464 };

	(void)state;
	assert_true(web_parse_listen("80", &h));
	assert_string_equal(h.name, "127.0.0.1");
	assert_int_equal(h.port, 80);
	assert_true(web_parse_listen(":0", &h));
	assert_int_equal(h.port, 0);
	assert_true(web_parse_listen("[::]:81", &h));
	assert_string_equal(h.name, "::");
	assert_int_equal(h.port, 81);
	assert_false(web_parse_listen("nowhere:", &h));
	assert_int_equal(h.port, 81);
	assert_string_equal(h.name, "::");
	assert_false(web_parse_listen("", &h));
}

static void
a_name_of_somebody_elses_may_not_ask(void **state)
{
	static const struct option_list box = {
		.count = 1, .value = { "Box.example" },
	};

	(void)state;
	assert_true(may("127.0.0.1:9464", "127.0.0.1", &nobody));
	assert_true(may("localhost:1", "127.0.0.1", &nobody));
	assert_true(may("[::1]:9464", "127.0.0.1", &nobody));
	assert_false(may("evil.example", "127.0.0.1", &nobody));
	assert_false(may("localhost.evil.example", "127.0.0.1", &nobody));
	assert_false(may("127.0.0.1.evil.example", "127.0.0.1", &nobody));
	assert_false(may("10.0.0.1", "127.0.0.1", &nobody));
	assert_false(may("", "127.0.0.1", &nobody));
	assert_true(may("box.EXAMPLE:80", "127.0.0.1", &box));
	assert_false(may("box.example.evil", "127.0.0.1", &box));
	/* Beyond loopback an address cannot be rebound, a name can. */
	assert_true(may("10.0.0.1", "0.0.0.0", &nobody));
	assert_false(may("evil.example", "0.0.0.0", &nobody));
}

static void
a_page_is_ours_if_it_came_from_where_it_asks(void **state)
{
	(void)state;
	assert_true(web_is_same_origin("http://localhost:1", "localhost:1"));
	assert_true(web_is_same_origin("https://Box", "box"));
	assert_false(web_is_same_origin("http://localhost:2", "localhost:1"));
	assert_false(web_is_same_origin("http://localhost", "localhost:1"));
	assert_false(web_is_same_origin("null", "localhost:1"));
	assert_false(web_is_same_origin("", ""));
	assert_false(web_is_same_origin("ftp://localhost", "localhost"));
	assert_false(web_is_same_origin("http://evil/localhost", "localhost"));
}

static void
a_secret_is_all_of_it(void **state)
{
	(void)state;
	assert_true(web_is_secret("abcdefgh", "abcdefgh"));
	assert_false(web_is_secret("abcdefgh", "abcdefg"));
	assert_false(web_is_secret("abcdefgh", "abcdefghi"));
	assert_false(web_is_secret("abcdefgh", "abcdefghabcdefgh"));
	assert_false(web_is_secret("abab", "ab"));
	assert_false(web_is_secret("abcdefgh", ""));
	assert_false(web_is_secret("", ""));
}

static void
a_token_comes_as_bearer_or_in_a_cookie(void **state)
{
	(void)state;
	assert_string_equal(web_bearer("Bearer xyz"), "xyz");
	assert_string_equal(web_bearer("bearer  xyz"), "xyz");
	assert_null(web_bearer("Basic xyz"));
	assert_null(web_bearer("Bearer"));
	assert_true(web_has_cookie("a=b; tide=xyz; c=d", "tide", "xyz"));
	assert_true(web_has_cookie("tide=wrong; tide=xyz", "tide", "xyz"));
	assert_false(web_has_cookie("xtide=xyz", "tide", "xyz"));
	assert_false(web_has_cookie("tide=xyzz", "tide", "xyz"));
	assert_false(web_has_cookie("tide; tide=", "tide", "xyz"));
	assert_false(web_has_cookie(";;;", "tide", "xyz"));
	assert_false(web_has_cookie("", "tide", "xyz"));
}

static void
the_format_is_that_which_is_liked_most(void **state)
{
	static const struct {
		const char *accept;
		enum metrics_format format;
	} table[] = {
		{ NULL, METRICS_PROMETHEUS },
		{ "", METRICS_PROMETHEUS },
		{ "*/*", METRICS_PROMETHEUS },
		{ "text/plain", METRICS_PROMETHEUS },
		{ "application/openmetrics-text", METRICS_OPENMETRICS },
		/* Prometheus 2.42 */
		{ "application/openmetrics-text;version=1.0.0,application/"
		  "openmetrics-text;version=0.0.1;q=0.75,text/plain;"
		  "version=0.0.4;q=0.5,*/*;q=0.1", METRICS_OPENMETRICS },
		{ "application/openmetrics-text;q=0.2,text/plain;q=0.5",
		  METRICS_PROMETHEUS },
		{ "application/openmetrics-text;q=0", METRICS_PROMETHEUS },
		{ "application/openmetrics-textile", METRICS_PROMETHEUS },
		{ ",,;;q=,q", METRICS_PROMETHEUS },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LENGTH(table); i++)
		if (web_metrics_format(table[i].accept) != table[i].format)
			fail_msg("'%s'", table[i].accept);
}

static void
a_type_is_known_without_its_parameters(void **state)
{
	(void)state;
	assert_true(web_is_type("application/json", "application/json"));
	assert_true(web_is_type("Application/JSON; charset=utf-8",
	    "application/json"));
	assert_false(web_is_type("application/jsonp", "application/json"));
	assert_false(web_is_type("text/plain; application/json",
	    "application/json"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_host_is_a_name_or_an_address_and_perhaps_a_port),
		cmocka_unit_test(a_name_that_is_too_long_is_none),
		cmocka_unit_test(where_to_listen_may_be_a_port_alone),
		cmocka_unit_test(a_name_of_somebody_elses_may_not_ask),
		cmocka_unit_test(
		    a_page_is_ours_if_it_came_from_where_it_asks),
		cmocka_unit_test(a_secret_is_all_of_it),
		cmocka_unit_test(a_token_comes_as_bearer_or_in_a_cookie),
		cmocka_unit_test(the_format_is_that_which_is_liked_most),
		cmocka_unit_test(a_type_is_known_without_its_parameters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
