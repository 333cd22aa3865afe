/*
 * web-events.c - server-sent events: what a look says, again and again
 *
 * Each event is a state, not a step: a client that is slow misses some, and has
 * the newest next.  The number of a look is the event's; who comes back with
 * the last one it had gets what was kept since.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "say/need.h"
#include "sys/sys.h"
#include "web/web.h"

#define ALIVE_NS   (15 * NS_PER_S) /* a comment, for who cuts silent lines */
#define LINGER_NS  (15 * NS_PER_S)
#define PAST_BYTES (8 * MIB)
#define RETRY      "retry: 1000\n"

static struct web_stream *
stream_of(const struct web_exchange *e)
{
	return e->stream;
}

static unsigned
wanted_by(const struct web_exchange *e)
{
	return LOOK_WANT(e->task.pid != 0 ? LOOK_STATUS : LOOK_PROCESSES);
}

/* --- what is sent --------------------------------------------------------- */

static void
append(struct web_stream *s, const char *text, size_t bytes)
{
	s->text = need(realloc(s->text, s->used + bytes));
	memcpy(s->text + s->used, text, bytes);
	s->used += bytes;
}

static void
append_text(struct web_stream *s, char *text)
{
	append(s, text, strlen(text));
	free(text);
}

/* JSON has no newline in it: it is one line of data. */
static void
append_event(struct web_stream *s, const char *name, uint64_t number,
    const char *data, size_t bytes)
{
	append_text(s, need_text("id: %llu\nevent: %s\ndata: ",
	    (unsigned long long)number, name));
	append(s, data, bytes);
	append(s, "\n\n", 2);
}

static void
append_end(struct web_stream *s, uint64_t number, int pid)
{
	char *data = need_text("{\"heaptide\":\"%s\",\"schema\":1,"
	    "\"pid\":%d,\"status\":\"ended\"}", PACKAGE_VERSION, pid);

	append_event(s, "end", number, data, strlen(data));
	free(data);
	s->over = true;
}

/* An event of this look; of one process that is gone, the last one. */
static void
tell(struct web_exchange *e, const struct web_look *look)
{
	struct web_stream *s = stream_of(e);
	int pid = e->task.pid;
	const char *text;
	size_t bytes;

	s->last = look->number;
	text = web_look_find(look, pid != 0 ? LOOK_STATUS : LOOK_PROCESSES,
	    pid, &bytes);
	if (text != NULL)
		append_event(s, pid != 0 ? "change" : "processes",
		    look->number, text, bytes);
	else if (pid != 0 && web_look_find(look, LOOK_TROUBLE, 0,
	    &bytes) == NULL)
		append_end(s, look->number, pid);
}

/* What was kept since @number, the oldest first, no closer than it is told. */
static void
tell_past(struct web_exchange *e, uint64_t number)
{
	const struct web *w = e->web;
	struct web_stream *s = stream_of(e);
	uint64_t after_ns = 0;

	for (size_t i = ARRAY_LENGTH(w->past); i-- > 0; ) {
		const struct web_look *look = w->past[i];

		if (look == NULL || look->number <= number || s->over ||
		    (look->wanted & wanted_by(e)) == 0 ||
		    (after_ns != 0 && look->begun_ns < after_ns))
			continue;
		tell(e, look);
		after_ns = look->begun_ns + s->interval_ns * 9 / 10;
	}
}

/* --- to the network ------------------------------------------------------- */

static ssize_t
send_some(void *context, uint64_t at, char *buffer, size_t room)
{
	struct web_exchange *e = context;
	struct web_stream *s = stream_of(e);
	size_t bytes = min_u64(room, s->used - s->at);

	(void)at;
	if (bytes > 0) {
		memcpy(buffer, s->text + s->at, bytes);
		s->at += bytes;
		if (s->at == s->used)
			s->at = s->used = 0;
		return (ssize_t)bytes;
	}
	if (s->over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	e->suspended = true;
	mhd.suspend_connection(e->connection);
	return 0;
}

/* Of one that has ended, and is still listed, its end is what there is. */
static bool
is_listed(const struct web_look *look, int pid)
{
	size_t bytes, i;
	const char *text = web_look_find(look, LOOK_PROCESSES, 0, &bytes);
	json_t *all = text != NULL ? json_loadb(text, bytes, 0, NULL) : NULL;
	json_t *p;
	bool found = false;

	json_array_foreach(json_object_get(all, "processes"), i, p)
		found |= json_integer_value(json_object_get(p, "pid")) == pid;
	json_decref(all);
	return found;
}

bool
web_stream_may(const struct web_exchange *e, const struct web_look *look)
{
	int pid = e->task.pid;
	size_t bytes;

	return pid == 0 || web_look_find(look, LOOK_STATUS, pid, &bytes) !=
	    NULL || is_listed(look, pid);
}

void
web_stream_begin(struct web_exchange *e, const struct web_look *look,
    uint64_t now_ns)
{
	const char *last = web_header(e, "Last-Event-ID");
	struct web_stream *s = need(calloc(1, sizeof(*s)));
	uint64_t number = last != NULL ? web_event_number(last) : 0;

	e->stream = s;
	e->web->streams++;
	s->interval_ns = e->task.interval_ns != 0 ? e->task.interval_ns :
	    e->web->options.interval_ns;
	s->said_ns = now_ns;
	s->next_ns = now_ns + s->interval_ns;
	append(s, RETRY "\n", sizeof(RETRY));
	if (number != 0)
		tell_past(e, number);
	if (look->number > max_u64(number, s->last) && !s->over)
		tell(e, look);
	e->response = mhd.create_response_from_callback(MHD_SIZE_UNKNOWN,
	    16 * 1024, send_some, e, NULL);
	web_add_headers(e->response, "text/event-stream");
	e->status = MHD_HTTP_OK;
	e->phase = WEB_STREAMING;
}

void
web_stream_free(struct web_exchange *e)
{
	struct web_stream *s = stream_of(e);
	struct web *w = e->web;

	if (s == NULL)
		return;
	if (--w->streams == 0 && !w->stops) {
		w->linger_interval_ns = s->interval_ns;
		w->linger_next_ns = s->next_ns;
		w->linger_ns = s->next_ns + LINGER_NS;
	}
	free(s->text);
	free(s);
	e->stream = NULL;
}

/* --- as time goes by ------------------------------------------------------ */

/* Who has not taken the last one is not given another. */
void
web_stream_turn(struct web_exchange *e, uint64_t now_ns)
{
	struct web_stream *s = stream_of(e);
	struct web_looks *looks = &e->web->looks;
	struct web_look *look;

	if (s->used > 0 || s->over)
		return;
	if (now_ns >= s->next_ns) {
		look = web_looks_ask(looks, wanted_by(e), s->next_ns);
		if (look != NULL || web_looks_failed(looks, s->next_ns))
			s->next_ns = max_u64(s->next_ns + s->interval_ns,
			    now_ns);
		if (look != NULL) {
			tell(e, look);
			s->said_ns = now_ns;
		}
	}
	if (s->used == 0 && now_ns - s->said_ns >= ALIVE_NS) {
		append(s, ":\n\n", 3);
		s->said_ns = now_ns;
	}
}

bool
web_stream_is_ready(const struct web_exchange *e)
{
	const struct web_stream *s = stream_of(e);

	return s->used > 0 || s->over;
}

uint64_t
web_stream_deadline(const struct web_exchange *e)
{
	const struct web_stream *s = stream_of(e);

	if (s == NULL || s->used > 0 || s->over)
		return UINT64_MAX;
	/* One that waits for a look is woken by that. */
	return min_u64(s->said_ns + ALIVE_NS,
	    sys_clock() < s->next_ns ? s->next_ns : UINT64_MAX);
}

/* --- what is kept --------------------------------------------------------- */

static void
keep_past(struct web *w, struct web_look *look)
{
	size_t bytes = look->used, i;

	web_look_drop(w->past[ARRAY_LENGTH(w->past) - 1]);
	memmove(&w->past[1], &w->past[0], sizeof(w->past) -
	    sizeof(w->past[0]));
	w->past[0] = web_look_keep(look);
	for (i = 1; i < ARRAY_LENGTH(w->past); i++) {
		bytes += w->past[i] != NULL ? w->past[i]->used : 0;
		if (bytes > PAST_BYTES) {
			web_look_drop(w->past[i]);
			w->past[i] = NULL;
		}
	}
}

void
web_streams_turn(struct web *w, uint64_t now_ns)
{
	const unsigned wanted = LOOK_WANT(LOOK_PROCESSES) |
	    LOOK_WANT(LOOK_STATUS);
	struct web_look *last = w->looks.last;
	bool lingers = w->streams == 0 && now_ns < w->linger_ns;

	if (lingers && now_ns >= w->linger_next_ns &&
	    web_looks_ask(&w->looks, wanted, w->linger_next_ns) != NULL)
		w->linger_next_ns = now_ns + w->linger_interval_ns;
	if ((w->streams > 0 || lingers) && last != NULL &&
	    last != w->past[0] && (last->wanted & wanted) != 0)
		keep_past(w, last);
}

uint64_t
web_streams_deadline(const struct web *w)
{
	uint64_t now = sys_clock();

	return w->streams == 0 && now < w->linger_ns &&
	    now < w->linger_next_ns ? w->linger_next_ns : UINT64_MAX;
}

void
web_streams_close(struct web *w)
{
	for (size_t i = 0; i < ARRAY_LENGTH(w->past); i++) {
		web_look_drop(w->past[i]);
		w->past[i] = NULL;
	}
}
