/*
 * web.h - the server behind `heaptide serve`: one thread, nothing waits
 *
 * Beside the house (tools/web).  May use: base, sys, libmicrohttpd (mhd.h),
 * web-*.h.  Used by: cmd-serve.c, web-*.c.
 *
 * A request is an exchange: its headers and body are read by libmicrohttpd, it
 * is judged (web-guard.c), routed (web-route.c), and answered from a look
 * (web-look.h), a job (web-job.h) or at once (web-answer.c).  Who has to wait
 * is suspended, and taken up in a later turn.
 */
#ifndef WEB_WEB_H
#define WEB_WEB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "say/option.h"
#include "web/mhd.h"
#include "web/web-job.h"
#include "web/web-look.h"
#include "web/web-parse.h"
#include "web/web-route.h"

#define WEB_CONNECTIONS 512
#define WEB_STREAMS     128 /* of events; they stay */
#define WEB_BODY_MOST   (16 * 1024)
#define WEB_TOKEN_LEAST 16
#define WEB_TOKEN_ROOM  256
#define WEB_HTML        "text/html; charset=utf-8"

struct web_options {
	struct web_host at;           /* where it listens */
	const struct option_list *names; /* of hosts, beside it */
	const char *token;            /* NULL: none is asked for */
	uint64_t interval_ns;         /* of events */
};

/* A connection, until it is closed. */
struct web_line {
	struct web_line *next, *before;
	int fd;
	uint64_t deadline_ns; /* of what is due from the client now */
	bool looked;          /* whose it is has been found out */
	bool foreign;         /* another user's */
};

/* Events for one client. */
struct web_stream {
	uint64_t interval_ns, next_ns, said_ns;
	uint64_t last;    /* number of the event that it has had */
	char *text;       /* what is still to be sent of the last one */
	size_t used, at;
	bool over;        /* and then it ends */
};

enum web_phase {
	WEB_READING,
	WEB_LOOKING, /* waits for .wanted */
	WEB_WORKING, /* waits for .job */
	WEB_STREAMING,
	WEB_ANSWERED
};

struct web_exchange {
	struct web_exchange *next, *before;
	struct web *web;
	struct MHD_Connection *connection;
	struct web_line *line;
	enum web_phase phase;
	bool suspended;
	struct web_request request;
	struct web_task task;
	char *body;
	size_t body_bytes;
	uint64_t since_ns;  /* a look is not to be older */
	unsigned wanted;    /* LOOK_WANT()s */
	struct web_job *job;
	struct web_stream *stream;
	struct MHD_Response *response; /* made while it was suspended */
	unsigned status;
};

struct web {
	struct web_options options;
	struct MHD_Daemon *daemon;
	int epoll;
	struct web_looks looks;
	struct web_jobs jobs;
	struct web_exchange *exchanges;
	struct web_line *lines;
	size_t line_count, streams;
	struct web_look *past[32]; /* for who comes back, the newest first */
	uint64_t linger_ns;   /* until when looks go on without a client */
	uint64_t linger_interval_ns, linger_next_ns;
	char cookie[32];      /* its name: ports share cookies */
	char *page;           /* the template of one process, or NULL */
	bool stops;
};

/* --- web.c: connections, exchanges, turns --------------------------------- */

/* @listener: a socket that listens; it is taken over.  False: said in @why. */
bool web_open(struct web *w, const struct web_options *options, int listener,
    char why[MHD_WHY_ROOM]);

/* Until @signals can be read. */
void web_serve(struct web *w, int signals);
void web_close(struct web *w);

/* --- web-guard.c: who may ------------------------------------------------- */

/* A header of the request, or NULL. */
const char *web_header(const struct web_exchange *e, const char *name);

/* One of the answer; and those that every answer has, @type is Content-Type. */
void web_add_header(struct MHD_Response *response, const char *name,
    const char *value);
void web_add_headers(struct MHD_Response *response, const char *type);

/* 0, or the status of a refusal, and e->task.why has the sentence. */
unsigned web_guard(struct web_exchange *e);

/* The same, of the process that the task is about. */
unsigned web_guard_task(struct web_exchange *e);

/* --- web-peer.c ----------------------------------------------------------- */

/* Is the other end of @fd, on this machine, a socket of another user's? */
bool web_is_foreign(int fd);

/* --- web-answer.c --------------------------------------------------------- */

/* Do what the task says, or wait for it: the phase tells. */
void web_answer_begin(struct web_exchange *e, uint64_t now_ns);

/* What it waited for may be there. */
void web_answer_go_on(struct web_exchange *e, uint64_t now_ns);

/* Make the answer a refusal. */
void web_refuse(struct web_exchange *e, unsigned status, const char *why);

/* --- web-events.c --------------------------------------------------------- */

/* Is there anything to tell of the process, by a look at all of them? */
bool web_stream_may(const struct web_exchange *e, const struct web_look *look);
/* The first look is there. */
void web_stream_begin(struct web_exchange *e, const struct web_look *look,
    uint64_t now_ns);
/* Is there something new, or is it time for a sign of life? */
void web_stream_turn(struct web_exchange *e, uint64_t now_ns);
bool web_stream_is_ready(const struct web_exchange *e);
uint64_t web_stream_deadline(const struct web_exchange *e);
void web_stream_free(struct web_exchange *e);

/* Looks are kept for who comes back, and go on for a while without anybody. */
void web_streams_turn(struct web *w, uint64_t now_ns);
uint64_t web_streams_deadline(const struct web *w);
void web_streams_close(struct web *w);

/* --- web-page.c ----------------------------------------------------------- */

/* All processes, by a look at them; to be freed. */
char *web_page_list(const struct web *w, const struct web_look *look,
    size_t *bytes);

/* The template, if it was built. */
void web_page_open(struct web *w);

/* One process, in the template; NULL: there is none.  To be freed. */
char *web_page_process(const struct web *w, int pid, size_t *bytes);

extern const char web_page_script[];

#endif
