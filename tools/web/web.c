#include "web/web.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/base.h"
#include "say/need.h"
#include "sys/sys.h"

#define READ_NS    (10 * NS_PER_S)  /* for all of a request */
#define SILENT_S   30               /* without a byte in either direction */
#define WRITE_NS   (600 * NS_PER_S) /* for all of an answer */
#define DRAIN_MOST (1024 * 1024)    /* of a body that is too large */
#define POLLS      (3 + 2 * JOBS_RUN)

/* --- connections ---------------------------------------------------------- */

static struct web_line *
add_line(struct web *w, int fd)
{
	struct web_line *line = need(calloc(1, sizeof(*line)));

	line->fd = fd;
	line->deadline_ns = sys_clock() + READ_NS;
	line->next = w->lines;
	if (w->lines != NULL)
		w->lines->before = line;
	w->lines = line;
	w->line_count++;
	return line;
}

static void
drop_line(struct web *w, struct web_line *line)
{
	if (line->next != NULL)
		line->next->before = line->before;
	if (line->before != NULL)
		line->before->next = line->next;
	else
		w->lines = line->next;
	w->line_count--;
	free(line);
}

static int
fd_of(struct MHD_Connection *connection)
{
	const union MHD_ConnectionInfo *info = mhd.get_connection_info(
	    connection, MHD_CONNECTION_INFO_CONNECTION_FD);

	return info != NULL ? info->connect_fd : -1;
}

static void
note_connection(void *context, struct MHD_Connection *connection,
    void **line, enum MHD_ConnectionNotificationCode code)
{
	struct web *w = context;

	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*line = add_line(w, fd_of(connection));
	else if (*line != NULL)
		drop_line(w, *line);
}

/* Who sends a byte now and then never times out by itself. */
static void
close_late(struct web *w, uint64_t now)
{
	for (struct web_line *line = w->lines; line != NULL; line = line->next)
		if (now > line->deadline_ns) {
			(void)shutdown(line->fd, SHUT_RDWR);
			line->deadline_ns = UINT64_MAX;
		}
}

/* --- exchanges ------------------------------------------------------------ */

static enum web_method
method_of(const char *name)
{
	static const struct {
		const char *name;
		enum web_method method;
	} methods[] = {
		{ "GET", WEB_GET }, { "HEAD", WEB_HEAD },
		{ "POST", WEB_POST }, { "OPTIONS", WEB_OPTIONS },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return methods[i].method;
	return WEB_OTHER;
}

static enum MHD_Result
add_query(void *context, enum MHD_ValueKind kind, const char *name,
    const char *value)
{
	struct web_request *r = context;

	(void)kind;
	if (r->queries == WEB_QUERY_MOST)
		return MHD_NO;
	r->query[r->queries++] = (struct web_pair){
		.name = name, .value = value != NULL ? value : "",
	};
	return MHD_YES;
}

static struct web_exchange *
begin_exchange(struct web *w, struct MHD_Connection *connection,
    const char *path, const char *method)
{
	const union MHD_ConnectionInfo *info = mhd.get_connection_info(
	    connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct web_exchange *e = need(calloc(1, sizeof(*e)));

	e->web = w;
	e->connection = connection;
	e->line = info != NULL ? info->socket_context : NULL;
	e->request.method = method_of(method);
	e->request.path = path;
	(void)mhd.get_connection_values(connection, MHD_GET_ARGUMENT_KIND,
	    add_query, &e->request);
	e->next = w->exchanges;
	if (w->exchanges != NULL)
		w->exchanges->before = e;
	w->exchanges = e;
	return e;
}

static void
end_exchange(struct web_exchange *e)
{
	struct web *w = e->web;

	if (e->next != NULL)
		e->next->before = e->before;
	if (e->before != NULL)
		e->before->next = e->next;
	else
		w->exchanges = e->next;
	if (e->job != NULL)
		web_job_drop(&w->jobs, e->job);
	if (e->response != NULL)
		mhd.destroy_response(e->response);
	web_stream_free(e);
	free(e->body);
	free(e);
}

static void
note_completed(void *context, struct MHD_Connection *connection,
    void **exchange, enum MHD_RequestTerminationCode code)
{
	struct web_exchange *e = *exchange;

	(void)context;
	(void)connection;
	(void)code;
	if (e == NULL)
		return;
	if (e->line != NULL)
		e->line->deadline_ns = sys_clock() + SILENT_S * NS_PER_S;
	end_exchange(e);
	*exchange = NULL;
}

/* False: it is far too much, and the connection goes. */
static bool
take_body(struct web_exchange *e, const char *bytes, size_t count)
{
	e->body_bytes += count;
	if (e->body_bytes > WEB_BODY_MOST)
		return e->body_bytes <= DRAIN_MOST;
	e->body = need(realloc(e->body, e->body_bytes));
	memcpy(e->body + e->body_bytes - count, bytes, count);
	return true;
}

static enum MHD_Result
queue_answer(struct web_exchange *e)
{
	if (e->line != NULL)
		e->line->deadline_ns = e->stream != NULL ? UINT64_MAX :
		    sys_clock() + WRITE_NS;
	return mhd.queue_response(e->connection, e->status, e->response);
}

/* All of it has come. */
static void
judge(struct web_exchange *e)
{
	const char *type = web_header(e, "Content-Type");
	unsigned status;

	e->request.body = e->body != NULL ? e->body : "";
	e->request.body_bytes = e->body_bytes;
	e->request.is_json = type != NULL &&
	    web_is_type(type, "application/json");
	status = web_guard(e);
	if (status == 0 && e->body_bytes > WEB_BODY_MOST) {
		snprintf(e->task.why, sizeof(e->task.why), "the body has more "
		    "than %d bytes", WEB_BODY_MOST);
		status = 413;
	}
	if (status == 0)
		status = web_route(&e->request, &e->task);
	if (status == 0)
		status = web_guard_task(e);
	if (status != 0)
		web_refuse(e, status, e->task.why);
	else
		web_answer_begin(e, sys_clock());
}

/* A length that is told in advance: nothing of it needs to be sent. */
static bool
is_told_too_large(const struct web_exchange *e)
{
	const char *length = web_header(e, "Content-Length");
	uint64_t bytes;

	return length != NULL && (text_parse_u64(length, UINT64_MAX,
	    &bytes) < 0 || bytes > WEB_BODY_MOST);
}

static enum MHD_Result
hear(void *context, struct MHD_Connection *connection, const char *path,
    const char *method, const char *version, const char *upload,
    size_t *upload_bytes, void **exchange)
{
	struct web_exchange *e = *exchange;

	(void)version;
	if (e == NULL) {
		e = *exchange = begin_exchange(context, connection, path,
		    method);
		if (!is_told_too_large(e))
			return MHD_YES;
		web_refuse(e, 413, "the body is too large: 16384 bytes are "
		    "accepted");
		(void)mhd.add_response_header(e->response, "Connection",
		    "close");
		if (e->line != NULL)
			e->line->deadline_ns = sys_clock() + READ_NS;
		return mhd.queue_response(connection, e->status,
		    e->response);
	}
	if (*upload_bytes > 0) {
		size_t count = *upload_bytes;

		*upload_bytes = 0;
		return take_body(e, upload, count) ? MHD_YES : MHD_NO;
	}
	if (e->phase == WEB_READING) {
		if (e->line != NULL)
			e->line->deadline_ns = UINT64_MAX;
		judge(e);
	}
	if (e->response != NULL)
		return queue_answer(e);
	e->suspended = true;
	mhd.suspend_connection(connection);
	return MHD_YES;
}

/* --- opening -------------------------------------------------------------- */

bool
web_open(struct web *w, const struct web_options *options, int listener,
    char why[MHD_WHY_ROOM])
{
	const union MHD_DaemonInfo *info;

	*w = (struct web){ .options = *options };
	snprintf(w->cookie, sizeof(w->cookie), "heaptide_%u",
	    options->at.port);
	web_looks_open(&w->looks);
	web_page_open(w);
	w->daemon = mhd.start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME,
	    0, NULL, NULL, hear, w,
	    MHD_OPTION_LISTEN_SOCKET, listener,
	    MHD_OPTION_CONNECTION_LIMIT, (unsigned)WEB_CONNECTIONS,
	    MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENT_S,
	    MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(32 * 1024),
	    MHD_OPTION_STRICT_FOR_CLIENT, 1,
	    MHD_OPTION_NOTIFY_COMPLETED, note_completed, w,
	    MHD_OPTION_NOTIFY_CONNECTION, note_connection, w,
	    MHD_OPTION_END);
	info = w->daemon != NULL ? mhd.get_daemon_info(w->daemon,
	    MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (info == NULL) {
		snprintf(why, MHD_WHY_ROOM, "%s cannot be started",
		    MHD_SONAME);
		return false;
	}
	w->epoll = info->epoll_fd;
	return true;
}

/* --- turns ---------------------------------------------------------------- */

/* True: it has something to send, and is no longer suspended. */
static bool
go_on(struct web_exchange *e, uint64_t now)
{
	if (e->phase == WEB_STREAMING)
		web_stream_turn(e, now);
	else if (e->phase == WEB_LOOKING || e->phase == WEB_WORKING)
		web_answer_go_on(e, now);
	if (!e->suspended || (e->phase != WEB_ANSWERED &&
	    !(e->phase == WEB_STREAMING && web_stream_is_ready(e))))
		return false;
	e->suspended = false;
	mhd.resume_connection(e->connection);
	return true;
}

static uint64_t
next_deadline(const struct web *w, uint64_t now)
{
	uint64_t next = min_u64(web_looks_deadline(&w->looks),
	    web_jobs_deadline(&w->jobs, now));
	MHD_UNSIGNED_LONG_LONG ms;

	next = min_u64(next, web_streams_deadline(w));
	for (const struct web_exchange *e = w->exchanges; e != NULL;
	    e = e->next)
		next = min_u64(next, web_stream_deadline(e));
	for (const struct web_line *l = w->lines; l != NULL; l = l->next)
		next = min_u64(next, l->deadline_ns);
	if (mhd.get_timeout(w->daemon, &ms) == MHD_YES)
		next = min_u64(next, now + ms * NS_PER_MS);
	return next;
}

static int
wait_ms(const struct web *w)
{
	uint64_t now = sys_clock();
	uint64_t left = above_u64(next_deadline(w, now), now);

	return (int)min_u64((left + NS_PER_MS - 1) / NS_PER_MS, 60000);
}

static void
turn(struct web *w)
{
	struct web_exchange *next;
	bool resumed = false;
	uint64_t now;

	(void)mhd.run(w->daemon);
	now = sys_clock();
	web_looks_read(&w->looks, now);
	web_jobs_read(&w->jobs, now);
	web_streams_turn(w, now);
	for (struct web_exchange *e = w->exchanges; e != NULL; e = next) {
		next = e->next;
		resumed |= go_on(e, now);
	}
	/* Nothing that poll() could see tells of these. */
	if (resumed)
		(void)mhd.run(w->daemon);
	/* Only begun: what was there at once would be seen by nobody. */
	now = sys_clock();
	web_looks_begin(&w->looks, now);
	web_jobs_begin(&w->jobs, now);
	close_late(w, now);
}

void
web_serve(struct web *w, int signals)
{
	struct pollfd poll_fd[POLLS];
	size_t n;

	for (;;) {
		turn(w);
		n = 0;
		poll_fd[n++] = (struct pollfd){ signals, POLLIN, 0 };
		poll_fd[n++] = (struct pollfd){ w->epoll, POLLIN, 0 };
		if (w->looks.from >= 0)
			poll_fd[n++] = (struct pollfd){ w->looks.from, POLLIN,
			    0 };
		n += web_jobs_poll(&w->jobs, poll_fd + n);
		if (poll(poll_fd, n, wait_ms(w)) < 0 && errno != EINTR)
			return;
		if (poll_fd[0].revents != 0)
			return;
	}
}

/* Nobody may be suspended when the daemon goes. */
void
web_close(struct web *w)
{
	w->stops = true;
	for (struct web_exchange *e = w->exchanges; e != NULL; e = e->next) {
		if (e->stream != NULL)
			e->stream->over = true;
		else if (e->response == NULL)
			web_refuse(e, 503, "heaptide serve comes to an end");
		if (e->suspended)
			mhd.resume_connection(e->connection);
		e->suspended = false;
	}
	(void)mhd.run(w->daemon);
	mhd.stop_daemon(w->daemon);
	web_streams_close(w);
	web_jobs_close(&w->jobs);
	web_looks_close(&w->looks);
	free(w->page);
}
