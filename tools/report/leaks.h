/*
 * leaks.h - what keeps growing, of all that a profile knows
 *
 * Beside the house (tools/report).  May use: base, model, control, reader,
 * symbol, print, json, report (words of frames), suppress.  Used by:
 * cmd-leaks.c, check*.c, summary, ps, top.
 *
 * control/judge.h judges; leaks.c adds names, and leaves out what is known;
 * leaks-text.c and leaks-json.c print what came of it.
 */
#ifndef REPORT_LEAKS_H
#define REPORT_LEAKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "control/judge.h"
#include "control/limit.h"
#include "profile/reader.h"
#include "report/lives.h"
#include "report/suppress.h"
#include "say/option.h"
#include "say/print.h"
#include "symbols/symbol.h"

struct leaks_options {
	bool json;
	bool all;         /* those that do not grow as well */
	bool debuginfod;
	bool plain;       /* without the suppressions that are built in */
	bool scan;        /* ask who can reach what, and tell that alone */
	bool starts;      /* by pointers to the start of a block alone */
	uint64_t top;     /* 0: the default */
	uint64_t callers; /* of a site, in text */
	uint64_t warmup;  /* epochs to leave out; UINT64_MAX: by itself */
	uint64_t effect;  /* millionths of the budget; 0: VERDICT_EFFECT */
	const char *since;           /* a mark; NULL: all of it */
	struct option_list suppressions; /* files */
};

struct leaks_row {
	const struct site *site;
	const struct judged *judged;
	const struct verdict *verdict;
	const struct suppress_rule *suppressed; /* NULL: it is not */
	uint64_t left_s; /* to the limit at this rate; UINT64_MAX: never */
};

struct leaks {
	const struct leaks_options *options;
	const struct profile *profile;
	struct symbols *symbols;
	struct suppress suppress;
	struct limit limit;
	struct control control; /* of the profile, to be read */
	struct judge judge;
	struct lives_index lives;
	struct leaks_row *row; /* sites that allocated, strongest first */
	size_t rows;
	size_t kinds[VERDICT_GROWING + 1]; /* how many of each, unsuppressed */
	size_t suppressed;
};

#define LEAKS_WORDS_ROOM 256

/* --- leaks.c -------------------------------------------------------------- */

/*
 * Judge all sites of @profile, which must outlive it, as must @options.  False:
 * a mark or a file is not there, and a sentence by command @name has said so.
 */
bool leaks_open(struct leaks *l, const struct profile *profile,
    const struct leaks_options *options, const char *name);
void leaks_close(struct leaks *l);

/* What of @row is at least @epochs old, in bytes. */
uint64_t leaks_survivors(const struct leaks *l, const struct leaks_row *row,
    uint64_t epochs);

/*
 * Does most of what grows come from it, in chunks so large that a pool may hand
 * out parts of them?
 */
bool leaks_may_be_pool(const struct leaks *l, const struct leaks_row *row);

/* The number of its site. */
uint32_t leaks_site(const struct leaks *l, const struct leaks_row *row);

/* --- leaks-lives.c -------------------------------------------------------- */

/* How long the blocks of a site live, and who frees them. */
void leaks_print_lives(const struct leaks *l, const struct leaks_row *row,
    const struct print *out);

/* Sites that do not grow, of which blocks are older than others ever were. */
void leaks_print_suspects(const struct leaks *l, const struct print *out);

/* Null: none was watched. */
json_t *leaks_json_lives(const struct leaks *l, const struct leaks_row *row);

/* --- leaks-brief.c -------------------------------------------------------- */

/*
 * What others say of it in passing, without what is known of the C library.  Of
 * a process or of a file; of what leaks_open() has found.
 */
void leaks_brief(const struct profile *profile, struct judge_brief *brief);
void leaks_brief_of(const struct leaks *l, struct judge_brief *brief);

/*
 * `2 sites grow by +1.2 MiB/s, 1 made a step`, or `1 site made a step`; false:
 * there is nothing.
 */
bool leaks_brief_words(const struct judge_brief *brief,
    char words[LEAKS_WORDS_ROOM]);
json_t *leaks_brief_json(const struct judge_brief *brief);
json_t *leaks_json_in_brief(const struct profile *profile);

/* --- leaks-tree.c --------------------------------------------------------- */

/* Through which calls what grows comes; nothing for a site or two. */
void leaks_print_tree(const struct leaks *l, const struct print *out);

/* --- leaks-text.c, leaks-json.c ------------------------------------------- */

/* `grows by 1.2 KiB a batch since batch 3 (p < 0.001)`; without a line's
 * end. */
char *leaks_words(const struct leaks *l, const struct verdict *v,
    char words[LEAKS_WORDS_ROOM]);

/*
 * All that can be judged, each with its path.  Without @stacks: of each verdict
 * the strongest, and "left_out" says how many others there are.
 */
json_t *leaks_json(const struct leaks *l, bool stacks);

/* On stdout; an exit status. */
void leaks_print_text(const struct leaks *l);
int leaks_print_json(const struct leaks *l);

#endif
