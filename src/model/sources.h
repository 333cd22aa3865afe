/*
 * sources.h - which of all limits on memory is the budget
 *
 * Floor 1 (model).  May use: base.  Used by: the library at boot and when a
 * limit changes, the tools.
 * Contexts: pure functions; no clock, no I/O, no state of their own.
 *
 * The law: the budget is the least of everything that can end or refuse us.
 * A number that somebody set may lower it, and raises it only by force.  The
 * nearest such number counts: what the program says before the command line,
 * that before the environment, that before a file.
 *
 * Each source is compared in its own measure: a limit on address space with
 * the address space, a cgroup's with what the cgroup holds.  The least limit
 * is the budget, the least room in any of them is what is left; the two may
 * be of different sources.
 */
#ifndef MODEL_SOURCES_H
#define MODEL_SOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOURCE_NONE UINT64_MAX /* no limit, or a value that is not known */

enum source_kind {
	SOURCE_SET,    /* somebody's wish: API, option, environment, file */
	SOURCE_SHARE,  /* of what many have in common: a pool, a batch job */
	SOURCE_CGROUP, /* the kernel kills beyond it */
	SOURCE_LIMIT,  /* RLIMIT_AS, RLIMIT_DATA: the kernel refuses beyond */
	SOURCE_HIGH,   /* memory.high: the kernel slows us down; no budget */
	SOURCE_HOST    /* what the machine has left: soft, others move it */
};

/* How a wish is put. */
enum source_form {
	FORM_BYTES, /* `512M`: so much */
	FORM_SHARE, /* `60%` of what would rule without it */
	FORM_LESS   /* `max-256M`: what would rule without it, less so much */
};

struct source_wish {
	enum source_form form;
	uint64_t value; /* bytes, or millionths */
};

enum source_verdict {
	VERDICT_NO_LIMIT,   /* nothing is set here */
	VERDICT_RULES,
	VERDICT_NOT_LOWER,  /* another is lower, or as low and nearer */
	VERDICT_SUPERSEDED, /* a wish, and a nearer one is there */
	VERDICT_OVERRULED,  /* a real limit, passed over by force */
	VERDICT_WARNS       /* not a budget: from here on it gets slow */
};

struct source {
	enum source_kind kind;
	struct source_wish wish; /* SOURCE_SET */
	uint64_t bytes;  /* the limit, or SOURCE_NONE; a wish's is computed */
	uint64_t used;   /* against this limit, in its own measure */
	enum source_verdict verdict; /* what sources_judge() found */
};

struct sources_answer {
	uint64_t budget;    /* bytes, or SOURCE_NONE */
	uint64_t available; /* the least room in any source, or SOURCE_NONE */
	uint64_t slow_from; /* the least SOURCE_HIGH, or SOURCE_NONE */
	size_t rules;       /* index of the source that rules */
	size_t tightest;    /* index of the source with the least room */
	bool soft;          /* others than us move it: look again later */
};

/*
 * Read `512M`, `60%` or `max-256M`.  -EINVAL, -ERANGE; @wish is written on
 * success only.
 */
int source_parse(const char *s, struct source_wish *wish);

/*
 * Judge @sources, nearest first among those of SOURCE_SET: write the verdict
 * of each, the bytes of each wish, and the answer.
 *
 * @force: a wish may raise the budget, too
 *
 * Return: 0; -ENODATA: a wish is relative and there is nothing it could be
 * relative to; -ERANGE: it takes away more than there is.  The wish is then
 * passed over with VERDICT_NO_LIMIT, and all else is judged and written.
 */
int sources_judge(struct source *sources, size_t count, bool force,
    struct sources_answer *answer);

/*
 * The host's share as a limit: what the machine has available now and what we
 * hold already, less a reserve of 5 % of @total, at least 256 MiB.
 */
uint64_t source_of_host(uint64_t total, uint64_t available,
    uint64_t resident);

#endif
