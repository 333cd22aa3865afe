/*
 * web-answer.c - from a task to its answer
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "say/need.h"
#include "say/print.h"
#include "web/web.h"

#define JSON "application/json"
#define METRICS_OPEN \
	"application/openmetrics-text; version=1.0.0; charset=utf-8"
#define METRICS_PLAIN "text/plain; version=0.0.4; charset=utf-8"

/* --- making one ----------------------------------------------------------- */

/* @text is taken over. */
static void
reply(struct web_exchange *e, unsigned status, const char *type,
    char *text, size_t bytes)
{
	e->response = mhd.create_response_from_buffer(bytes, text,
	    MHD_RESPMEM_MUST_FREE);
	web_add_headers(e->response, type);
	e->status = status;
	e->phase = WEB_ANSWERED;
}

static void
reply_object(struct web_exchange *e, unsigned status, json_t *object)
{
	char *text = need(json_dumps(object, JSON_COMPACT |
	    JSON_REAL_PRECISION(15)));

	json_decref(object);
	text = need(realloc(text, strlen(text) + 2));
	strcat(text, "\n");
	reply(e, status, JSON, text, strlen(text));
}

/* As the socket refuses, and what HTTP has beside. */
static const struct {
	unsigned status;
	const char *error;
} errors[] = {
	{ 400, "EINVAL" }, { 401, "EACCES" }, { 403, "EPERM" },
	{ 404, "ESRCH" }, { 405, "EOPNOTSUPP" }, { 409, "ENODEV" },
	{ 413, "E2BIG" }, { 415, "EINVAL" }, { 503, "EBUSY" },
	{ 504, "ETIMEDOUT" }, { 507, "ENOSPC" },
};

static const char *
error_of(unsigned status)
{
	for (size_t i = 0; i < ARRAY_LENGTH(errors); i++)
		if (errors[i].status == status)
			return errors[i].error;
	return "EIO";
}

void
web_refuse(struct web_exchange *e, unsigned status, const char *why)
{
	json_t *object = json_object();

	json_object_set_new(object, "ok", json_false());
	json_object_set_new(object, "heaptide", json_string(PACKAGE_VERSION));
	json_object_set_new(object, "schema", json_integer(1));
	json_object_set_new(object, "status",
	    json_integer((json_int_t)status));
	json_object_set_new(object, "error", json_string(error_of(status)));
	json_object_set_new(object, "message", json_text(why));
	reply_object(e, status, object);
	if (status == 401)
		web_add_header(e->response, "WWW-Authenticate",
		    "Bearer realm=\"heaptide\"");
	else if (status == 405)
		web_add_header(e->response, "Allow", e->task.allow);
	else if (status == 503)
		web_add_header(e->response, "Retry-After", "1");
}

/* --- at once -------------------------------------------------------------- */

/* A token has no business in an address: it goes into a cookie. */
static void
reply_cookie(struct web_exchange *e)
{
	char *cookie = need_text("%s=%s; Path=/; HttpOnly; SameSite=Strict",
	    e->web->cookie, e->web->options.token);

	reply(e, MHD_HTTP_SEE_OTHER, WEB_HTML, need_text("%s", ""), 0);
	web_add_header(e->response, "Location", "/");
	web_add_header(e->response, "Set-Cookie", cookie);
	free(cookie);
}

static void
reply_allow(struct web_exchange *e)
{
	reply(e, MHD_HTTP_NO_CONTENT, "text/plain", need_text("%s", ""),
	    0);
	web_add_header(e->response, "Allow", e->task.allow);
}

static void
reply_page_of(struct web_exchange *e)
{
	size_t bytes;
	char *text = web_page_process(e->web, e->task.pid, &bytes);

	if (text == NULL)
		web_refuse(e, 404, "there is no page: this heaptide was built "
		    "without node; '/report/PID' has what it shows");
	else
		reply(e, MHD_HTTP_OK, WEB_HTML, text, bytes);
}

/* --- from a look ---------------------------------------------------------- */

static void
look_for(struct web_exchange *e, unsigned wanted, uint64_t now_ns)
{
	e->wanted = wanted;
	e->since_ns = now_ns;
	e->phase = WEB_LOOKING;
	web_answer_go_on(e, now_ns);
}

static char *
copy(const char *text, size_t bytes)
{
	char *copied = need(malloc(bytes + 2));

	memcpy(copied, text, bytes);
	copied[bytes] = '\n';
	copied[bytes + 1] = '\0';
	return copied;
}

static void
refuse_pid(struct web_exchange *e)
{
	char why[WEB_WHY_ROOM];

	snprintf(why, sizeof(why), "there is no process %d with heaptide "
	    "inside that runs; '/processes' lists them", e->task.pid);
	web_refuse(e, 404, why);
}

static void
reply_one(struct web_exchange *e, const struct web_look *look,
    enum web_kind_of_look kind, const char *type)
{
	size_t bytes;
	const char *text = web_look_find(look, kind, e->task.pid, &bytes);

	if (text == NULL)
		refuse_pid(e);
	else
		reply(e, MHD_HTTP_OK, type, copy(text, bytes),
		    bytes + (strcmp(type, JSON) == 0));
}

static json_t *
read_status(const char *text, size_t bytes)
{
	json_t *status = json_loadb(text, bytes, 0, NULL);

	return status != NULL ? status : json_object();
}

static void
reply_all_status(struct web_exchange *e, const struct web_look *look)
{
	json_t *object = json_head(), *list = json_array();
	const char *text;
	size_t at = 0, bytes;
	int pid;

	while ((text = web_look_next(look, LOOK_STATUS, &at, &pid,
	    &bytes)) != NULL)
		json_array_append_new(list, read_status(text, bytes));
	json_object_set_new(object, "processes", list);
	reply_object(e, MHD_HTTP_OK, object);
}

static void
reply_memory_of(struct web_exchange *e, const struct web_look *look)
{
	size_t bytes;
	const char *text = web_look_find(look, LOOK_STATUS, e->task.pid,
	    &bytes);
	json_t *status, *memory;

	if (text == NULL) {
		refuse_pid(e);
		return;
	}
	status = read_status(text, bytes);
	memory = json_incref(json_object_get(status, "memory"));
	json_object_set(memory, "heaptide", json_object_get(status,
	    "heaptide"));
	json_object_set(memory, "schema", json_object_get(status, "schema"));
	json_object_set(memory, "pid", json_object_get(status, "pid"));
	json_decref(status);
	reply_object(e, MHD_HTTP_OK, memory);
}

/* The names that are known come first, and are sums over all. */
static void
reply_memory(struct web_exchange *e, const struct web_look *look)
{
	json_t *object = json_object(), *list = json_array();
	double rss = 0, cpu = 0;
	const char *text;
	size_t at = 0, bytes;
	int pid;

	while ((text = web_look_next(look, LOOK_STATUS, &at, &pid,
	    &bytes)) != NULL) {
		json_t *status = read_status(text, bytes);
		json_t *memory = json_incref(json_object_get(status,
		    "memory"));

		rss += json_number_value(json_object_get(memory,
		    "memory_rss_mb"));
		cpu += json_number_value(json_object_get(memory,
		    "cpu_percent"));
		json_object_set_new(memory, "pid", json_integer(pid));
		json_array_append_new(list, memory);
		json_decref(status);
	}
	json_object_set_new(object, "memory_rss_mb", json_real(rss));
	json_object_set_new(object, "cpu_percent", json_real(cpu));
	json_object_set_new(object, "heaptide", json_string(PACKAGE_VERSION));
	json_object_set_new(object, "schema", json_integer(1));
	json_object_set_new(object, "processes", list);
	reply_object(e, MHD_HTTP_OK, object);
}

static void
begin_stream(struct web_exchange *e, const struct web_look *look,
    uint64_t now_ns)
{
	if (!web_stream_may(e, look))
		refuse_pid(e);
	else if (e->web->streams >= WEB_STREAMS)
		web_refuse(e, 503, "128 clients listen to events already");
	else if (e->request.method == WEB_HEAD)
		reply(e, MHD_HTTP_OK, "text/event-stream",
		    need_text("%s", ""), 0);
	else
		web_stream_begin(e, look, now_ns);
}

static void
reply_list(struct web_exchange *e, const struct web_look *look)
{
	size_t bytes;
	char *text = web_page_list(e->web, look, &bytes);

	reply(e, MHD_HTTP_OK, WEB_HTML, text, bytes);
}

static void
take_look(struct web_exchange *e, const struct web_look *look,
    uint64_t now_ns)
{
	char why[WEB_WHY_ROOM];
	const char *trouble;
	size_t bytes;

	trouble = web_look_find(look, LOOK_TROUBLE, 0, &bytes);
	if (trouble != NULL) {
		snprintf(why, sizeof(why), "%.*s", (int)bytes, trouble);
		web_refuse(e, 500, why);
		return;
	}
	switch (e->task.what) {
	case WEB_PAGE:
		reply_list(e, look);
		break;
	case WEB_STATUS:
		if (e->task.pid == 0)
			reply_all_status(e, look);
		else
			reply_one(e, look, LOOK_STATUS, JSON);
		break;
	case WEB_MEMORY:
		if (e->task.pid == 0)
			reply_memory(e, look);
		else
			reply_memory_of(e, look);
		break;
	case WEB_METRICS:
		if (e->wanted == LOOK_WANT(LOOK_OPENMETRICS))
			reply_one(e, look, LOOK_OPENMETRICS, METRICS_OPEN);
		else
			reply_one(e, look, LOOK_PROMETHEUS, METRICS_PLAIN);
		break;
	case WEB_EVENTS:
		begin_stream(e, look, now_ns);
		break;
	default:
		reply_one(e, look, LOOK_PROCESSES, JSON);
	}
}

/* --- from a job ----------------------------------------------------------- */

/* `heaptide: report: there is no ...`: what HTTP says to that. */
static unsigned
status_of(int exit_status, const char *why)
{
	static const char *const gone[] = {
		"there is no ", "has ended", "no such process",
		"No such process",
	};

	for (size_t i = 0; i < ARRAY_LENGTH(gone); i++)
		if (strstr(why, gone[i]) != NULL)
			return 404;
	return exit_status == 2 ? 400 : 500;
}

/* The sentence alone, of one that was said on stderr. */
static void
refuse_said(struct web_exchange *e, int exit_status, char *said)
{
	char *end = said + strcspn(said, "\n");

	*end = '\0';
	if (strncmp(said, "heaptide: ", 10) == 0) {
		said += 10;
		if (strstr(said, ": ") != NULL)
			said = strstr(said, ": ") + 2;
	}
	web_refuse(e, status_of(exit_status, said), *said != '\0' ? said :
	    "heaptide has said nothing, and failed");
}

/* A refusal is an answer of the process: it is passed on as it is. */
static unsigned
status_of_answer(const struct web_output *out)
{
	json_t *answer = json_loadb(out->bytes, out->used, 0, NULL);
	const char *error = json_string_value(json_object_get(answer,
	    "error"));
	unsigned status = MHD_HTTP_OK;

	if (!json_is_true(json_object_get(answer, "ok")))
		status = 500;
	for (size_t i = 0; error != NULL && i < ARRAY_LENGTH(errors); i++)
		if (strcmp(errors[i].error, error) == 0) {
			status = errors[i].status;
			break;
		}
	json_decref(answer);
	return status;
}

static void
reply_output(struct web_exchange *e, struct web_job *job)
{
	unsigned status = e->task.what == WEB_REQUEST ?
	    status_of_answer(&job->out) : MHD_HTTP_OK;
	char *text;

	if (job->users == 1) { /* and that is us */
		text = job->out.bytes;
		job->out.bytes = NULL;
	} else {
		text = copy(job->out.bytes, job->out.used);
	}
	reply(e, status, JSON, text, job->out.used);
}

static void
take_job(struct web_exchange *e)
{
	struct web_job *job = e->job;
	char none[] = "";

	if (job->end == JOB_TOO_LONG)
		web_refuse(e, 504, "it took more than a minute, and was "
		    "ended");
	else if (job->end == JOB_TOO_MUCH)
		web_refuse(e, 500, "the answer is too long");
	else if (job->end == JOB_LOST)
		web_refuse(e, 500, "heaptide could not be started, or was "
		    "killed");
	else if (job->out.used > 0 && (job->status == 0 ||
	    e->task.what == WEB_REQUEST))
		reply_output(e, job);
	else
		refuse_said(e, job->status, job->err.bytes != NULL ?
		    job->err.bytes : none);
	e->job = NULL;
	web_job_drop(&e->web->jobs, job);
}

static void
begin_job(struct web_exchange *e)
{
	e->job = web_jobs_start(&e->web->jobs, e->task.argv,
	    e->request.method != WEB_POST);
	e->phase = WEB_WORKING;
	if (e->job == NULL)
		web_refuse(e, 503, "too many questions wait for an answer");
}

/* --- both ----------------------------------------------------------------- */

void
web_answer_begin(struct web_exchange *e, uint64_t now_ns)
{
	switch (e->task.what) {
	case WEB_ALLOW:
		reply_allow(e);
		break;
	case WEB_HELP:
		reply_object(e, MHD_HTTP_OK, web_route_help());
		break;
	case WEB_VERSION:
		reply_object(e, MHD_HTTP_OK, json_head());
		break;
	case WEB_SCRIPT:
		reply(e, MHD_HTTP_OK, "text/javascript; charset=utf-8",
		    need_text("%s", web_page_script), strlen(web_page_script));
		break;
	case WEB_PAGE:
		if (e->task.token != NULL && e->web->options.token != NULL)
			reply_cookie(e);
		else
			look_for(e, LOOK_WANT(LOOK_PROCESSES), now_ns);
		break;
	case WEB_PAGE_OF:
		reply_page_of(e);
		break;
	case WEB_PROCESSES:
		look_for(e, LOOK_WANT(LOOK_PROCESSES), now_ns);
		break;
	case WEB_STATUS:
	case WEB_MEMORY:
		look_for(e, LOOK_WANT(LOOK_STATUS), now_ns);
		break;
	case WEB_EVENTS:
		look_for(e, LOOK_WANT(LOOK_PROCESSES) | (e->task.pid != 0 ?
		    LOOK_WANT(LOOK_STATUS) : 0), now_ns);
		break;
	case WEB_METRICS:
		look_for(e, web_metrics_format(web_header(e, "Accept")) ==
		    METRICS_OPENMETRICS ? LOOK_WANT(LOOK_OPENMETRICS) :
		    LOOK_WANT(LOOK_PROMETHEUS), now_ns);
		break;
	case WEB_COMMAND:
	case WEB_REQUEST:
		begin_job(e);
	}
}

void
web_answer_go_on(struct web_exchange *e, uint64_t now_ns)
{
	struct web_looks *looks = &e->web->looks;
	struct web_look *look;

	if (e->phase == WEB_WORKING) {
		if (e->job->end != JOB_GOES_ON)
			take_job(e);
		return;
	}
	look = web_looks_ask(looks, e->wanted, e->since_ns);
	if (look != NULL)
		take_look(e, look, now_ns);
	else if (web_looks_failed(looks, e->since_ns))
		web_refuse(e, 503, "the processes could not be looked at this "
		    "time");
}
