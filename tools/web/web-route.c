#include "web/web-route.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/base.h"
#include "base/text.h"
#include "control/request.h"
#include "say/print.h"
#include "web/web-table.h"

#define EVENTS_LEAST_NS (100 * NS_PER_MS)
#define EVENTS_MOST_NS  NS_PER_HOUR

#define EVENTS_LEAST_NS (100 * NS_PER_MS)
#define EVENTS_MOST_NS  NS_PER_HOUR

/* --- refusing ------------------------------------------------------------- */

static unsigned refuse(struct web_task *t, unsigned status, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

static unsigned
refuse(struct web_task *t, unsigned status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(t->why, sizeof(t->why), format, args);
	va_end(args);
	print_clean(t->why);
	return status;
}

static void
allow(struct web_task *t, unsigned methods)
{
	static const struct {
		unsigned method;
		const char *name;
	} names[] = {
		{ WEB_GET, "GET, " }, { WEB_HEAD, "HEAD, " },
		{ WEB_POST, "POST, " },
	};
	struct text text;

	text_open(&text, t->allow, sizeof(t->allow));
	for (size_t i = 0; i < ARRAY_LENGTH(names); i++)
		if (methods & names[i].method)
			text_put(&text, names[i].name);
	text_put(&text, "OPTIONS");
}

/* --- the path ------------------------------------------------------------- */

/* Does it lead there?  @rest: what is behind the name; NULL: nothing. */
static bool
leads_to(const struct web_route_row *route, const char *path, const char **rest)
{
	size_t length = strlen(route->name);

	if (*path != '/' || strncmp(path + 1, route->name, length) != 0)
		return false;
	path += 1 + length;
	*rest = *path == '/' && length > 0 ? path + 1 : NULL;
	return *path == '\0' || (*rest != NULL && route->subject != OF_NOBODY);
}

/* A subject as a word of its own: no part of a path, and no option. */
static bool
is_word(const char *text)
{
	return *text != '\0' && strpbrk(text, "/\n\r\t ") == NULL &&
	    strlen(text) < 256;
}

static unsigned
take_pid(struct web_task *t, const char *text)
{
	uint64_t pid;

	if (text_parse_u64(text, INT_MAX, &pid) < 0 || pid == 0)
		return refuse(t, 400, "'%.64s' is no process; a pid is "
		    "accepted", text);
	t->pid = (int)pid;
	return 0;
}

static const struct web_route_row *
find_route(const struct web_request *r, struct web_task *t,
    const char **subject)
{
	const struct web_route_row *found = NULL;
	unsigned methods = 0;

	for (size_t i = 0; i < web_route_count; i++) {
		const char *rest;

		if (!leads_to(&web_routes[i], r->path, &rest))
			continue;
		/* `checkpoints/clean` is also a run's name. */
		methods |= web_routes[i].methods;
		if ((web_routes[i].methods & r->method) != 0 && found == NULL) {
			found = &web_routes[i];
			*subject = rest;
		}
	}
	if (methods != 0)
		allow(t, methods);
	return found;
}

/* --- parameters ----------------------------------------------------------- */

struct given {
	const struct web_request *request;
	json_t *body; /* an object; NULL: there is none */
	const char *plain; /* the body itself, in one line; NULL: none */
	char number[32];   /* the last that was a number */
};

static const char *
in_query(const struct web_request *r, const char *name)
{
	for (size_t i = 0; i < r->queries; i++)
		if (strcmp(r->query[i].name, name) == 0)
			return r->query[i].value;
	return NULL;
}

/* NULL: it is not given; "": given as what cannot be a value. */
static const char *
find_given(struct given *g, const struct web_route_row *route, size_t i)
{
	const char *name = route->parameter[i].name;
	const json_t *member = json_object_get(g->body, name);

	if (json_is_integer(member)) {
		snprintf(g->number, sizeof(g->number), "%" JSON_INTEGER_FORMAT,
		    json_integer_value(member));
		return g->number;
	}
	if (json_is_string(member))
		return json_string_value(member);
	if (member != NULL)
		return json_is_null(member) ? NULL : "";
	if (i == 0 && g->plain != NULL)
		return g->plain;
	return in_query(g->request, name);
}

static bool
is_known(const struct web_route_row *route, const char *name)
{
	for (size_t i = 0; i < WEB_PARAMETERS; i++)
		if (route->parameter[i].name != NULL &&
		    strcmp(route->parameter[i].name, name) == 0)
			return true;
	return strcmp(name, "pid") == 0 && (route->subject == OF_PROCESS ||
	    route->subject == OF_ANY_PROCESS);
}

static unsigned
check_names(const struct given *g, const struct web_route_row *route,
    struct web_task *t)
{
	const char *name;
	json_t *value;

	for (size_t i = 0; i < g->request->queries; i++)
		if (!is_known(route, g->request->query[i].name))
			return refuse(t, 400, "'/%s' has no parameter "
			    "'%.64s'; '/help' lists what there is",
			    route->name, g->request->query[i].name);
	json_object_foreach(g->body, name, value)
		if (!is_known(route, name))
			return refuse(t, 400, "'/%s' has no parameter "
			    "'%.64s'; '/help' lists what there is",
			    route->name, name);
	return 0;
}

static bool
is_choice(const char *words, const char *value)
{
	const char *at = words;
	size_t length = strlen(value);

	if (length == 0 || strchr(value, ' ') != NULL)
		return false;
	while ((at = strchr(at, ' ')) != NULL) {
		at++;
		if (strncmp(at, value, length) == 0 &&
		    (at[length] == ' ' || at[length] == '\0'))
			return true;
	}
	return false;
}

static unsigned
check_value(const struct web_parameter *p, const char *value,
    struct web_task *t)
{
	uint64_t n;

	if (strpbrk(value, "\n\r") != NULL)
		return refuse(t, 400, "%s is of one line", p->name);
	if (p->kind == GIVEN_COUNT && (text_parse_u64(value, 100000, &n) < 0 ||
	    n == 0))
		return refuse(t, 400, "%s '%.64s' is not accepted; a number "
		    "from 1 on is", p->name, value);
	if (p->kind == GIVEN_CHOICE && !is_choice(p->words, value))
		return refuse(t, 400, "%s '%.64s' is not accepted; one of%s "
		    "is", p->name, value, p->words);
	if (p->kind == GIVEN_DURATION && text_parse_duration(value, &n) < 0)
		return refuse(t, 400, "%s '%.64s' is not accepted; 500ms, 5s, "
		    "1m or 24h is", p->name, value);
	if (*value == '\0')
		return refuse(t, 400, "%s is empty; a text or a number is "
		    "accepted", p->name);
	return 0;
}

/* --- what is to be done --------------------------------------------------- */

/* A word of the command, copied; false: they are too long. */
static bool
add_word(struct web_task *t, const char *word)
{
	size_t bytes = strlen(word) + 1;

	if (t->argc + 1 >= WEB_ARGV_ROOM || bytes > sizeof(t->text) - t->used)
		return false;
	memcpy(t->text + t->used, word, bytes);
	t->argv[t->argc++] = t->text + t->used;
	t->argv[t->argc] = NULL;
	t->used += bytes;
	return true;
}

static bool
asks_to_watch(const char *line)
{
	line += strspn(line, " \t");
	return strncasecmp(line, "watch", 5) == 0 &&
	    (line[5] == '\0' || line[5] == ' ' || line[5] == '\t');
}

/* All of a request is one line, the last word of `heaptide ctl PID`. */
static unsigned
build_request(const struct web_route_row *route, struct given *g,
    struct web_task *t)
{
	char line[REQUEST_LINE_MOST + 1], pid[16];
	struct text text;

	text_open(&text, line, sizeof(line));
	text_put(&text, route->words[0] != NULL ? route->words[0] : "");
	for (size_t i = 0; i < WEB_PARAMETERS &&
	    route->parameter[i].name != NULL; i++) {
		const struct web_parameter *p = &route->parameter[i];
		const char *value = find_given(g, route, i);
		unsigned status = value != NULL ? check_value(p, value, t) :
		    !p->due ? 0 : refuse(t, 400, "%s is missing: in the "
		    "query, as a member of a JSON body, or as the body",
		    p->name);

		if (status != 0)
			return status;
		if (value == NULL)
			continue;
		text_put(&text, text.used > 0 ? " " : "");
		text_put(&text, p->before != NULL ? p->before : "");
		text_put(&text, p->before != NULL ? " " : "");
		text_put(&text, value);
	}
	if (text.cut)
		return refuse(t, 413, "a request is one line of at most %d "
		    "bytes", REQUEST_LINE_MOST);
	if (asks_to_watch(line))
		return refuse(t, 400, "'watch' is for the socket; "
		    "'/events/%d' is it here", t->pid);
	snprintf(pid, sizeof(pid), "%d", t->pid);
	return add_word(t, "ctl") && add_word(t, pid) && add_word(t, line) ?
	    0 : refuse(t, 413, "the request is too long");
}

static unsigned
build_command(const struct web_route_row *route, const char *subject,
    struct given *g, struct web_task *t)
{
	bool fits = true;
	char pid[16];

	snprintf(pid, sizeof(pid), "%d", t->pid);
	if (t->pid != 0)
		subject = pid;
	for (size_t i = 0; route->words[i] != NULL; i++)
		if (route->subject == OF_ANY_RUN && subject == NULL &&
		    strcmp(route->words[i], "show") == 0)
			fits = fits && add_word(t, "list");
		else if (strcmp(route->words[i], "@") != 0)
			fits = fits && add_word(t, route->words[i]);
		else if (subject != NULL)
			fits = fits && add_word(t, subject);
	for (size_t i = 0; i < WEB_PARAMETERS &&
	    route->parameter[i].name != NULL; i++) {
		const char *value = find_given(g, route, i);
		unsigned status;

		if (value == NULL)
			continue;
		status = check_value(&route->parameter[i], value, t);
		if (status != 0)
			return status;
		fits = fits && add_word(t, route->parameter[i].before) &&
		    add_word(t, value);
	}
	return fits ? 0 : refuse(t, 413, "the request is too long");
}

static unsigned
take_interval(struct given *g, const struct web_route_row *route,
    struct web_task *t)
{
	const char *value = find_given(g, route, 0);
	unsigned status;

	if (value == NULL)
		return 0;
	status = check_value(&route->parameter[0], value, t);
	if (status != 0)
		return status;
	(void)text_parse_duration(value, &t->interval_ns);
	if (t->interval_ns >= EVENTS_LEAST_NS &&
	    t->interval_ns <= EVENTS_MOST_NS)
		return 0;
	return refuse(t, 400, "interval '%.64s' is not accepted; 100ms to 1h "
	    "is", value);
}

static unsigned
build(const struct web_route_row *route, const char *subject, struct given *g,
    struct web_task *t)
{
	unsigned status = check_names(g, route, t);

	if (status != 0)
		return status;
	switch (route->what) {
	case WEB_REQUEST:
		return build_request(route, g, t);
	case WEB_COMMAND:
		return build_command(route, subject, g, t);
	case WEB_EVENTS:
		return take_interval(g, route, t);
	case WEB_PAGE:
		t->token = in_query(g->request, "token");
		return 0;
	default:
		return 0;
	}
}

/* --- the body ------------------------------------------------------------- */

/* Room for a line, its end, and to see that there was more. */
#define PLAIN_ROOM (REQUEST_LINE_MOST + 4)

static unsigned
read_plain(struct given *g, char line[PLAIN_ROOM], struct web_task *t)
{
	size_t bytes = g->request->body_bytes;

	if (memchr(g->request->body, '\0', bytes) != NULL)
		return refuse(t, 400, "the body is no line of text");
	while (bytes > 0 && (g->request->body[bytes - 1] == '\n' ||
	    g->request->body[bytes - 1] == '\r'))
		bytes--;
	if (bytes >= PLAIN_ROOM)
		return refuse(t, 413, "a request is one line of at most %d "
		    "bytes", REQUEST_LINE_MOST);
	memcpy(line, g->request->body, bytes);
	line[bytes] = '\0';
	g->plain = line;
	return 0;
}

static unsigned
read_json(struct given *g, struct web_task *t)
{
	json_error_t error;

	g->body = json_loadb(g->request->body, g->request->body_bytes,
	    JSON_REJECT_DUPLICATES, &error);
	if (g->body == NULL)
		return refuse(t, 400, "the body is no JSON: %s", error.text);
	if (!json_is_object(g->body))
		return refuse(t, 400, "the body is no JSON object");
	return 0;
}

/* --- all of it ------------------------------------------------------------ */

static unsigned
take_subject(const struct web_request *r, const struct web_route_row *route,
    const char *subject, struct web_task *t)
{
	bool of_process = route->subject == OF_PROCESS ||
	    route->subject == OF_ANY_PROCESS;

	if (subject == NULL && of_process)
		subject = in_query(r, "pid");
	if (subject == NULL)
		return route->subject == OF_PROCESS ||
		    route->subject == OF_RUN ? refuse(t, 400,
		    "'/%s' is asked as: /%s%s", route->name, route->name,
		    web_subject_word(route->subject)) : 0;
	if (of_process)
		return take_pid(t, subject);
	return is_word(subject) ? 0 :
	    refuse(t, 400, "'%.64s' is no run", subject);
}

unsigned
web_route(const struct web_request *r, struct web_task *t)
{
	struct given g = { .request = r };
	char line[PLAIN_ROOM];
	const char *subject = NULL;
	const struct web_route_row *route;
	unsigned status = 0;

	memset(t, 0, offsetof(struct web_task, text));
	t->used = 0;
	t->allow[0] = t->why[0] = '\0';
	route = find_route(r, t, &subject);
	if (t->allow[0] == '\0')
		return refuse(t, 404, "there is no '%.64s'; '/help' lists "
		    "what there is", r->path);
	t->what = WEB_ALLOW;
	if (r->method == WEB_OPTIONS)
		return 0;
	if (route == NULL)
		return refuse(t, 405, "this is not accepted for '%.64s'; %s "
		    "is", r->path, t->allow);
	t->what = route->what;
	status = take_subject(r, route, subject, t);
	if (status == 0 && r->method == WEB_POST && r->body_bytes > 0)
		status = r->is_json ? read_json(&g, t) :
		    read_plain(&g, line, t);
	if (status == 0)
		status = build(route, subject, &g, t);
	json_decref(g.body);
	return status;
}
