/*
 * web-route.h - what may be asked over HTTP, by one table
 *
 * Beside the house (tools/web).  May use: base, option, jansson.  Used by:
 * web-*.c, the fuzzer.
 *
 * Pure: a request goes in, what is to be done or a refusal comes out.  All of
 * it is anybody's: path and query have been unescaped, and nothing else is
 * known of them.
 */
#ifndef WEB_WEB_ROUTE_H
#define WEB_WEB_ROUTE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum web_method {
	WEB_GET = 1,
	WEB_HEAD = 2,
	WEB_POST = 4,
	WEB_OPTIONS = 8,
	WEB_OTHER = 0
};

#define WEB_QUERY_MOST 16

struct web_pair {
	const char *name;
	const char *value; /* "": it has none */
};

struct web_request {
	enum web_method method;
	const char *path;
	struct web_pair query[WEB_QUERY_MOST];
	size_t queries;
	bool is_json;     /* by its Content-Type */
	const char *body;
	size_t body_bytes;
};

enum web_do {
	WEB_PAGE,
	WEB_SCRIPT,    /* of the page */
	WEB_PAGE_OF,   /* of one process */
	WEB_HELP,      /* the table itself */
	WEB_VERSION,
	WEB_PROCESSES,
	WEB_STATUS,    /* of all, or of one */
	WEB_MEMORY,    /* the same */
	WEB_METRICS,
	WEB_EVENTS,    /* of all, or of one */
	WEB_COMMAND,   /* have `heaptide` answer, with .argv */
	WEB_REQUEST,   /* the same, by `heaptide ctl`: a refusal is an answer */
	WEB_ALLOW      /* OPTIONS: .allow is the answer */
};

#define WEB_ARGV_ROOM 12
#define WEB_TEXT_ROOM 8192 /* of all words of .argv */
#define WEB_WHY_ROOM  512

struct web_task {
	enum web_do what;
	int pid;              /* 0: it is not about one */
	uint64_t interval_ns; /* of events; 0: the usual */
	const char *token;    /* of the page's query; NULL: none */
	/* Behind "heaptide"; a NULL at the end. */
	const char *argv[WEB_ARGV_ROOM];
	size_t argc;
	char text[WEB_TEXT_ROOM];
	size_t used;

	/* What is allowed there, for 405 and OPTIONS: "GET, HEAD". */
	char allow[64];
	char why[WEB_WHY_ROOM];
};

/*
 * What is to be done for @r; 0, or the HTTP status of a refusal, and
 * @task->why has the sentence.  @task points into @r.
 */
unsigned web_route(const struct web_request *r, struct web_task *task);

/* As an object: what there is to ask. */
json_t *web_route_help(void);

#endif
