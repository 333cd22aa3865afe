/*
 * request.h - what may be asked of a process, a line a request
 *
 * Floor 7 (control).  May use: base, model, sys, control.  Used by:
 * serve-state.h, the tools.
 * Contexts: a thread or a process that is not inside malloc; allocates nothing.
 *
 *	REQUEST [ARGUMENT...]       {"ok":true,...}
 *	                            {"ok":false,"error":"EINVAL","message":"..."}
 *
 * Words of ours are accepted in either case.  The answer is one line of JSON,
 * always.
 */
#ifndef CONTROL_REQUEST_H
#define CONTROL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "control/control.h"

#define REQUEST_LINE_MOST 4096            /* bytes, the newline left out */
#define REQUEST_REPLY_ROOM (256 * 1024)   /* that every answer fits into */
#define REQUEST_WORDS     8

/* A line, split at blanks. */
struct request {
	size_t words;
	const char *word[REQUEST_WORDS]; /* [0] in lower case */
	uint64_t until_ns; /* it waits for the program so long; 0: not yet */
	uint32_t ticket;   /* of what the program is to do */
	char text[REQUEST_LINE_MOST + 1];
};

/* --- request-line.c ------------------------------------------------------- */

/*
 * Read @line of @bytes, which need not be text at all.  0, or -EINVAL (empty,
 * or bytes that are none of a line), -E2BIG (too long, too many words).
 */
int request_parse(struct request *r, const char *line, size_t bytes);

/* Is that word @expected, which is in lower case, in either? */
bool request_is(const struct request *r, size_t word, const char *expected);

/* Does that word begin so? */
bool request_starts(const struct request *r, size_t word, const char *expected);

/*
 * Is it one that is answered again and again?  How often, in ns; 0: it is not,
 * or more often than each 10 ms.
 */
uint64_t request_interval(const struct request *r);

/* The answer to who cannot be served: @error is a negative errno value. */
void request_refuse(struct text *t, int error, const char *message);

/* --- request.c ------------------------------------------------------------ */

/*
 * Carry it out, and write the answer, a newline behind it.  @t is empty and has
 * REQUEST_REPLY_ROOM.  False: the program is at it, and nothing is written; ask
 * again with the same @r, each REQUEST_NAP_NS, for a second at most.
 */
#define REQUEST_NAP_NS UINT64_C(10000000)
bool request_answer(struct control *c, struct request *r, struct text *t);

/* The answer to a line that request_parse() did not take, with its @error. */
void request_misread(struct text *t, int error);

/* All of it at once; waits where there is something to wait for. */
void request_line(struct control *c, const char *line, size_t bytes,
    struct text *t);

/* What there is to ask. */
struct request_row {
	const char *name;
	const char *arguments; /* "" for none */
	const char *help;
	size_t least, most;    /* arguments */
	void (*answer)(struct control *c, const struct request *r,
	    struct text *t);   /* fills an object that is open */
	/* False: ask again, the program is still at it.  NULL: never waits. */
	bool (*is_done)(struct control *c, struct request *r);
};

extern const struct request_row request_rows[];
extern const size_t request_row_count;

#endif
