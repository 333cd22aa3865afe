/*
 * diff.h - two profiles, or two moments of one, side by side
 *
 * Beside the house (tools/diff).  May use: base, control, sys, reader, match,
 * print, symbol, json, report (words of frames).  Used by: cmd-diff.c.
 *
 * diff.c opens the sides and sorts what differs; diff-compare.c says whether
 * the two may be compared at all; diff-text.c and diff-json.c print it.
 */
#ifndef DIFF_DIFF_H
#define DIFF_DIFF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "diff/match.h"
#include "profile/reader.h"
#include "symbols/symbol.h"

struct diff_options {
	bool json;
	bool shrunk;
	bool debuginfod;
	uint64_t top;     /* 0: the default */
	uint64_t callers; /* of a site, in text */
	uint64_t per;     /* batches between A and B; 0: the marks tell */
};

enum diff_total {
	DIFF_LIVE,
	DIFF_PEAK,
	DIFF_BLOCKS,
	DIFF_ALLOCATIONS,
	DIFF_ALLOCATED,
	DIFF_RESIDENT,
	DIFF_TOTALS
};

/* What the totals are called; a row a total. */
struct diff_total_row {
	const char *name;   /* in JSON */
	const char *words;
	bool bytes;         /* a size, else a count */
};

extern const struct diff_total_row diff_totals[DIFF_TOTALS];

struct diff_amount {
	bool known;
	uint64_t value;
};

/* A profile as it stands, or as it stood at a mark of it. */
struct diff_side {
	const char *name;        /* "A" or "B" */
	const char *operand;
	char *what;              /* the operand without its mark */
	struct profile profile;
	struct symbols *symbols;
	const struct mark *mark; /* NULL: as it stands */
	char mark_name[sizeof(((struct mark *)NULL)->name) + 1]; /* clean */
	uint64_t at_ns;          /* CLOCK_MONOTONIC */
	bool has_sites;          /* figures of sites are there */
	struct holding *held;    /* by site; all 0 without them */
	struct diff_amount total[DIFF_TOTALS];
};

struct diff_row {
	const struct match_row *match;
	int64_t difference;      /* bytes, B less A */
	uint64_t error;          /* standard error of that; 0: it is exact */
	bool noise;              /* less than two of those */
};

#define DIFF_WHY_MOST 24

struct diff {
	const struct diff_options *options;
	struct diff_side side[2];
	bool same_run;           /* one process, one image of it */
	uint64_t batches;        /* between A and B; 0: not known */
	char *why[DIFF_WHY_MOST]; /* not comparable, or not in full */
	size_t whys;
	struct match match;
	struct diff_row *row;    /* sorted; those that differ */
	size_t rows;
};

/* --- diff.c --------------------------------------------------------------- */

/* False: a side cannot be opened, and a sentence has said why. */
bool diff_open(struct diff *d, const struct diff_options *options,
    char *const operand[2]);
void diff_close(struct diff *d);

/* The side whose stack and names are shown, and the site there. */
const struct diff_side *diff_shown(const struct diff *d,
    const struct diff_row *row, const struct site **site);

/* Look up the names of the first @count rows. */
void diff_resolve(const struct diff *d, size_t count);

/* --- diff-compare.c ------------------------------------------------------- */

/* Find same_run, batches and why, as far as they are known before matching. */
void diff_compare(struct diff *d);

/* And what came out of it. */
void diff_judge_match(struct diff *d);

/* --- diff-json.c, diff-text.c --------------------------------------------- */

/* On stdout; an exit status. */
int diff_print_json(const struct diff *d);
void diff_print_text(const struct diff *d);

#endif
