/*
 * fuzz-web.c - what comes over HTTP: a method, a path, a query, headers, a body
 *
 * Each on a line of its own, the body behind them; what is done with it is done
 * without a network.  A task that comes of it is one that `heaptide` may be
 * called with: no word of a stranger's is in the place of an option.
 */
#include "fuzz.h"

#include "web/web-parse.h"
#include "web/web-route.h"

static const enum web_method methods[] = {
	WEB_GET, WEB_HEAD, WEB_POST, WEB_OPTIONS, WEB_OTHER,
};

static void
parse_headers(const char *host, const char *other)
{
	static const struct option_list names = { 1, { "box.example" } };
	struct web_host h = { .name = "127.0.0.1", .is_loopback = true };
	struct web_host at = h;

	if (web_parse_host(host, &h))
		MUST(strlen(h.name) > 0 && strlen(h.name) < WEB_NAME_ROOM);
	(void)web_parse_listen(host, &h);
	if (web_may_ask(host, &at, &names))
		MUST(web_parse_host(host, &h) && (h.is_loopback ||
		    strcmp(h.name, "box.example") == 0));
	if (web_is_same_origin(other, host))
		MUST(strlen(other) > strlen(host));
	if (web_is_secret(host, other))
		MUST(strcmp(host, other) == 0);
	if (web_has_cookie(other, "tide", host))
		MUST(strstr(other, host) != NULL);
	(void)web_metrics_format(other);
	(void)web_is_type(other, "application/json");
	(void)web_event_number(other);
	(void)web_bearer(other);
}

static void
look_at(const struct web_task *t)
{
	bool ended = false;

	if (t->what == WEB_REQUEST) {
		MUST(t->argc == 3 && strcmp(t->argv[0], "ctl") == 0);
		MUST(strpbrk(t->argv[2], "\n\r") == NULL);
	}
	MUST(t->argc < WEB_ARGV_ROOM && t->argv[t->argc] == NULL);
	for (size_t i = 0; i < t->argc; i++) {
		MUST(strchr(t->argv[i], '\n') == NULL);
		if (t->what == WEB_COMMAND && !ended &&
		    t->argv[i][0] == '-')
			MUST(strcmp(t->argv[i], "--") == 0 ||
			    strcmp(t->argv[i], "--json") == 0 ||
			    strcmp(t->argv[i], "--show") == 0 ||
			    strcmp(t->argv[i], "--max-age") == 0);
		ended |= strcmp(t->argv[i], "--") == 0;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct web_task task;
	struct web_request r = { .queries = 0 };
	char *text, *line[7];
	unsigned status;
	size_t lines;

	if (size < 1)
		return 0;
	text = fuzz_text(bytes + 1, size - 1);
	lines = fuzz_split(text, '\n', line, 7);
	for (size_t i = lines; i < 6; i++)
		line[i] = text + size - 1; /* empty */
	parse_headers(line[3], line[4]);
	r.method = methods[(bytes[0] & 7) % 5];
	r.is_json = bytes[0] & 8;
	r.path = line[0];
	r.queries = bytes[0] & 16 ? 1 : 0;
	r.query[0] = (struct web_pair){ line[1], line[2] };
	r.body = line[5];
	r.body_bytes = (size_t)(text + size - 1 - line[5]);
	status = web_route(&r, &task);
	MUST(status == 0 || (status >= 400 && status < 500 &&
	    task.why[0] != '\0'));
	if (status == 0)
		look_at(&task);
	free(text);
	return 0;
}
