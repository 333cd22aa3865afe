/*
 * check.h - a gate for continuous integration: does an expression hold?
 *
 * Beside the house (tools/check).  May use: base, reader, symbol, print, json,
 * need, report (words of frames), suppress, leaks, match, gate.  Used by:
 * cmd-check.c.
 *
 *   check.c          which processes there are, each judged by itself
 *   check-subject.c  one of them, opened, and its counterpart in the baseline
 *   check-figure.c   what a figure comes to in a process, and of which sites
 *   check-text.c, check-json.c, check-junit.c, check-sarif.c  the answer
 *
 * An expression holds if it holds of one process.  What is to be told of it
 * is copied: of a build of ten thousand compilers one is open at a time.
 */
#ifndef CHECK_CHECK_H
#define CHECK_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "check/gate.h"
#include "profile/reader.h"
#include "report/leaks.h"
#include "say/option.h"
#include "symbols/symbol.h"

struct check_options {
	struct option_list fail_if, only, ignore, suppressions;
	const char *baseline, *junit, *sarif, *since;
	const char *file;  /* where the profile of CMD goes; or NULL */
	uint64_t warmup;   /* UINT64_MAX: by itself */
	uint64_t top;      /* sites in text */
	uint64_t callers;  /* of a site, in text */
	uint64_t epoch;    /* of CMD, in ns; 0: not given */
	int children;      /* of CMD; RUN_NOT_GIVEN */
	bool json, plain, debuginfod;
};

/* --- what there is to judge ----------------------------------------------- */

struct check_process {
	char *program; /* what it was started as */
	char *name;    /* the last part of that */
	char *command; /* with its arguments */
	int pid;
};

/* A profile that the ones at hand are compared with. */
struct check_baseline {
	char *path;
	struct check_process *process;
};

/* One process, opened. */
struct check_subject {
	struct check_process *process;
	struct profile profile;
	struct leaks_options options;
	struct leaks leaks;
	struct totals totals;
	const struct leaks_row **row; /* by site; NULL: there is no verdict */
	bool *before; /* by site: grew as fast in the baseline; or NULL */
};

/* --- what came of it ------------------------------------------------------ */

/* A site that makes up a figure of an expression that holds. */
struct check_finding {
	const struct check_process *process;
	uint32_t site;
	double amount;
	bool estimated, mapping;
	char words[LEAKS_WORDS_ROOM]; /* its verdict, or "" */
	struct frame *frame; /* copied, leaf first */
	size_t frames;
};

enum check_answer {
	CHECK_UNKNOWN, /* of no process could it be said */
	CHECK_CLEAR,
	CHECK_HOLDS
};

struct check_outcome {
	struct gate gate;
	bool standard;    /* nobody has asked for it */
	enum check_answer answer;
	char why[256];    /* CHECK_UNKNOWN: a sentence's part */
	double value;     /* of the process for which it holds most */
	double base;      /* of the baseline, if relative */
	enum gate_unit unit;    /* of both */
	bool by_allocation;     /* both are divided by the allocations */
	bool estimated;
	const struct check_process *process;
	size_t judged, unjudged; /* processes */
	bool blind;       /* of one it was not only too early to say */
	struct check_finding *finding; /* strongest first */
	size_t findings, more; /* those, and how many are not there */
	size_t suppressed, ignored, before, doubted; /* sites, left out */
};

#define CHECK_GATES OPTION_LIST_ROOM

struct check {
	const struct check_options *options;
	struct leaks_options leaks;
	struct check_outcome outcome[CHECK_GATES];
	size_t outcomes;
	struct check_process **process; /* the program itself first */
	size_t processes;
	struct check_baseline *baseline; /* the same */
	size_t baselines;
	char *end;  /* how CMD ended, in words, if not well; or NULL */
};

/* --- check.c -------------------------------------------------------------- */

/* Read the expressions.  An exit status: COMMAND_USAGE, and a sentence. */
int check_open(struct check *c, const struct check_options *options);
void check_close(struct check *c);

/*
 * Before anything is run: the baseline and the suppressions can be read.
 * False, and a sentence.
 */
bool check_prepare(struct check *c);

/*
 * Judge @what, a file or a pid, and of a file the processes in FILE.d, too;
 * without @itself those alone.  False: there is nothing that can be judged;
 * with @itself, a sentence has said why.
 */
bool check_judge(struct check *c, const char *what, bool itself);

/*
 * It cannot be said, and that is no fault: nobody has asked for it, and all that
 * is amiss is that the program did not run for long enough to grow.
 */
bool check_is_excused(const struct check_outcome *o);

/* COMMAND_DONE, COMMAND_GATE, or COMMAND_FAILED if it cannot be said. */
int check_status(const struct check *c);

/* --- check-subject.c ------------------------------------------------------ */

/* False: it cannot be opened, and @why says it in a sentence. */
bool check_subject_open(const struct check *c, struct check_subject *s,
    const char *what, const char *since, char why[512]);
void check_subject_close(struct check_subject *s);

struct check_process *check_process_of(const struct profile *p);
void check_process_close(struct check_process *p);

/* Find out what grew as fast in @base. */
void check_subject_compare(struct check_subject *s, struct check_subject *base);

/* --- check-figure.c ------------------------------------------------------- */

struct check_part {
	uint32_t site;
	double amount;
};

struct check_sum {
	bool known;
	bool early;     /* not known for no other reason than that */
	char why[256];
	double value;
	enum gate_unit unit;
	bool by_allocation;
	bool estimated;
	struct check_part *part; /* strongest first; to be freed */
	size_t parts;
	size_t suppressed, ignored, before, doubted;
};

/*
 * What @gate is about, in @s.  @base: its counterpart, or NULL; what both are
 * divided by, if @gate is relative, is what both of them know.
 */
void check_sum(const struct check *c, const struct gate *gate,
    const struct check_subject *s, const struct check_subject *base,
    struct check_sum *sum);

/* --- the answer: on @to; an exit status ----------------------------------- */

/* "41.2 KiB a batch", with what it is compared with, for people. */
#define CHECK_VALUE_ROOM 256
char *check_value(const struct check_outcome *o, char words[CHECK_VALUE_ROOM]);

/* "holds", "clear", "unknown" */
const char *check_answer_name(enum check_answer answer);

/* A site and its callers, a line each, without styles; to be freed. */
char *check_stack(const struct check_finding *f);

void check_print_text(const struct check *c, FILE *to);
int check_print_json(const struct check *c, FILE *to);
int check_print_junit(const struct check *c, FILE *to);
int check_print_sarif(const struct check *c, FILE *to);

#endif
