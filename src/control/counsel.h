/*
 * counsel.h - what a segment knows of its program, and what to advise
 *
 * Floor 7 (control).  May use: base, model, sys, plan, control.  Used by:
 * answers to requests, the tools.
 * Contexts: not from inside malloc.  Cost: some us a site.  Of a process that
 * runs, or of a copy of its segment.
 *
 * counsel.c gathers the facts, model/advice.h judges, counsel-words.c and
 * counsel-settings.c say it and what to set.
 */
#ifndef CONTROL_COUNSEL_H
#define CONTROL_COUNSEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/control.h"
#include "model/advice.h"

struct counsel_options {
	uint64_t now_ns;     /* CLOCK_MONOTONIC; of the end, if it has ended */
	bool ended;
	const char *subject; /* how `heaptide leaks` finds it: a file, a pid */
	/* Of checkpoints on this machine. */
	uint64_t kept_bytes;
	double kept_seconds;
};

struct counsel {
	struct counsel_options options;
	struct advice_facts facts;
	struct tide_op_stats op[TIDE_OPS]; /* as facts has them */
	char source[32];     /* of the budget; "" */
	size_t count;
	struct advice advice[ADVICE_MOST]; /* the most severe first */
};

/* 0, or -ENOMEM.  @counsel is to be closed. */
int counsel_open(struct counsel **counsel, const struct control *c,
    const struct counsel_options *options);
void counsel_close(struct counsel *counsel);

/*
 * The same of facts that are known otherwise; @facts->op is copied, and so is
 * where the budget is from.
 */
int counsel_of(struct counsel **counsel, const struct advice_facts *facts,
    const char *source, const struct counsel_options *options);

/* --- counsel-op.c --------------------------------------------------------- */

/*
 * The operations of a segment that have been opened, copied to @op, names and
 * units ending in it.  How many.
 */
size_t counsel_ops(const struct control *c, struct tide_op_stats op[TIDE_OPS]);

/* The one that was active last; NULL: none was. */
const struct tide_op_stats *counsel_last_op(const struct tide_op_stats *op,
    size_t ops);

/* Seconds until it has done all; 0: it has; below 0: that is not known. */
double counsel_time_left(const struct tide_op_stats *op);

/* "memory", "knee" ...: what bounds its batches; "-": it began none. */
const char *counsel_bound(uint32_t bound);

/* "learn", "seed", "mean", "fixed"; "-": none that is known. */
const char *counsel_policy(uint32_t policy);

enum counsel_kind { COUNSEL_COUNT, COUNSEL_SIGNED, COUNSEL_REAL,
    COUNSEL_SECONDS };

/* A figure of an operation, as JSON has it: one of the three, by @kind. */
struct counsel_value {
	const char *name;
	enum counsel_kind kind; /* seconds come as COUNSEL_REAL */
	uint64_t count;
	int64_t signed_count;
	double real;
};

/* Figure @i of an operation; false: there are no more. */
bool counsel_member(const struct tide_op_stats *op, size_t i,
    struct counsel_value *value);

/* --- counsel-words.c, counsel-settings.c ---------------------------------- */

#define COUNSEL_TEXT_ROOM    640
#define COUNSEL_SETTING_ROOM 512
#define COUNSEL_VALUE_ROOM   32

/*
 * A sentence or two, with numbers, without a full stop at the end.  @place: who
 * the site is, "parse.c:88"; NULL: its number is said.
 */
char *counsel_text(const struct counsel *c, const struct advice *a,
    const char *place, char text[COUNSEL_TEXT_ROOM]);

/* What to set, exactly: `--budget 310M`; "": nothing. */
char *counsel_setting(const struct counsel *c, const struct advice *a,
    char setting[COUNSEL_SETTING_ROOM]);

/*
 * The same for a configuration file: the key, and its value in @value.  NULL:
 * there is none that would do it.
 */
const char *counsel_key(const struct counsel *c, const struct advice *a,
    char value[COUNSEL_VALUE_ROOM]);

#endif
