/*
 * findings.h - what a program did wrong with its blocks, as a profile has it
 *
 * Beside the house (tools/report).  May use: base, reader, symbol.  Used by:
 * report-findings.c, summary.c.
 */
#ifndef REPORT_FINDINGS_H
#define REPORT_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/reader.h"
#include "symbols/symbol.h"

/*
 * Who frees the blocks of a site, by those that were watched: of a block that
 * was freed twice, it is nearly always one of these that was first.
 */
#define FINDING_FREERS 3

struct finding_freer {
	struct site call;
	uint64_t blocks; /* as many, of those that were freed */
};

struct finding_row {
	enum finding_kind kind;
	uint64_t count;
	uint64_t bytes;    /* usable */
	uint64_t asked, given;
	bool known;        /* where it was allocated */
	/* Paths, as those of sites; without frames where none is known. */
	struct site allocated, freed, first_freed;
	struct finding_freer freer[FINDING_FREERS]; /* FINDING_DOUBLE_FREE */
	size_t freers;
};

struct findings {
	struct finding_row *row; /* by kind, and the most frequent first */
	size_t count;
};

/* What is noted twice is one. */
void findings_open(struct findings *findings, const struct profile *profile,
    struct symbols *symbols);
void findings_close(struct findings *findings);

/* "double-free" */
const char *finding_name(enum finding_kind kind);

/* "double free" */
const char *finding_words(enum finding_kind kind);

/* "2 new/free mismatches, 1 double free" */
void findings_describe(const struct findings *findings, char *text,
    size_t room);

#endif
