/*
 * web-look.h - looks at all processes, taken by a child
 *
 * Beside the house (tools/web).  May use: base, sys.  Used by: web-*.c.
 *
 * Who talks to the network reads no profile, and who reads profiles hears no
 * network: the child maps what others have written, and if it crashes on it,
 * hangs or runs out of memory, another one takes its place, and nobody but who
 * waits for that look has noticed.  One look answers all who wait for it.
 *
 * A look is what was asked for at that time, as texts by kind and process.
 */
#ifndef WEB_WEB_LOOK_H
#define WEB_WEB_LOOK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What is in it; of the first four a look has what was wanted. */
enum web_kind_of_look {
	LOOK_PROCESSES,   /* JSON, one object of all */
	LOOK_STATUS,      /* JSON, an object for each that lives */
	LOOK_OPENMETRICS, /* text */
	LOOK_PROMETHEUS,  /* text */
	LOOK_TROUBLE,     /* a sentence: there is nothing to look at */
	LOOK_END
};

#define LOOK_WANT(kind) (1u << (kind))

struct web_look {
	unsigned users;
	unsigned wanted;    /* LOOK_WANT()s */
	uint64_t number;    /* grows, also from one server to the next */
	uint64_t begun_ns;
	char *bytes;
	size_t used, room;
	bool whole;
};

struct web_looks {
	pid_t child;        /* 0: there is none */
	int to, from;       /* pipes; -1 */
	uint64_t born_ns;
	struct web_look *now;  /* being taken, or NULL */
	struct web_look *last; /* or NULL */
	unsigned wanted;    /* of the next one */
	uint64_t failed_ns; /* when one was lost that had begun ... */
	uint64_t lost_ns;   /* ... then; 0: never */
};

/*
 * Ask for a look that has not begun before @since_ns and has all of @wanted.
 * NULL: there is none yet.  Who gets one and keeps it beyond this turn uses
 * web_look_keep().
 */
struct web_look *web_looks_ask(struct web_looks *l, unsigned wanted,
    uint64_t since_ns);

/* Was one lost, since then, that would have been it? */
bool web_looks_failed(const struct web_looks *l, uint64_t since_ns);

/* Read what has come; and later in a turn, begin what is wanted. */
void web_looks_read(struct web_looks *l, uint64_t now_ns);
void web_looks_begin(struct web_looks *l, uint64_t now_ns);

/* When to call again at the latest, though nothing comes. */
uint64_t web_looks_deadline(const struct web_looks *l);

void web_looks_open(struct web_looks *l);
void web_looks_close(struct web_looks *l);

struct web_look *web_look_keep(struct web_look *look);
void web_look_drop(struct web_look *look);

/* A text of it, not terminated; NULL: there is none.  @pid: 0: of all. */
const char *web_look_find(const struct web_look *look,
    enum web_kind_of_look kind, int pid, size_t *bytes);

/* The text of the next process behind @at, 0 at first; NULL: no more. */
const char *web_look_next(const struct web_look *look,
    enum web_kind_of_look kind, size_t *at, int *pid, size_t *bytes);

/* --- web-looker.c --------------------------------------------------------- */

/* In front of each text, in a pipe. */
struct web_look_head {
	uint32_t kind;
	int32_t pid;
	uint64_t bytes;
};

/* The child: a byte that comes is what is wanted of a look. */
void web_looker(int from, int to) __attribute__((noreturn));

#endif
