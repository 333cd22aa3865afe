/*
 * web-table.h - the table behind web-route.h
 *
 * Beside the house (tools/web).  May use: web-route.h.  Used by: web-route.c.
 */
#ifndef WEB_WEB_TABLE_H
#define WEB_WEB_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "web/web-route.h"

enum web_subject {
	OF_NOBODY,
	OF_PROCESS,
	OF_ANY_PROCESS, /* or of nobody: of all of them */
	OF_RUN,
	OF_ANY_RUN
};

enum web_kind { GIVEN_TEXT, GIVEN_COUNT, GIVEN_CHOICE, GIVEN_DURATION };

/* A member of the query, or of the body. */
struct web_parameter {
	const char *name;
	enum web_kind kind;
	bool due;
	const char *before; /* the word in front of it */
	const char *words;  /* GIVEN_CHOICE: each behind a blank */
};

#define WEB_PARAMETERS 3

struct web_route_row {
	const char *name;
	unsigned methods; /* enum web_method, or'ed */
	enum web_subject subject;
	enum web_do what;
	/* WEB_COMMAND: of `heaptide`; "@" stands for the subject.
	 * WEB_REQUEST: [0] begins the line.  The parameters come behind. */
	const char *words[6];
	struct web_parameter parameter[WEB_PARAMETERS];
	const char *help;
};

extern const struct web_route_row web_routes[];
extern const size_t web_route_count;

/* "/PID", "[/RUN]"; "": of nobody. */
const char *web_subject_word(enum web_subject subject);

#endif
