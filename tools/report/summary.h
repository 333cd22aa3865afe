/*
 * summary.h - the ten lines behind a run: how high, from where, what next
 *
 * Beside the house (tools/report).  May use: base, reader, symbol, print,
 * gather.  Used by: run-outcome.c.
 */
#ifndef REPORT_SUMMARY_H
#define REPORT_SUMMARY_H

#include <jansson.h>
#include <stdint.h>

#include "live/gather.h"
#include "profile/reader.h"

struct summary {
	const struct profile *profile; /* of the program */
	const struct gather *gather;   /* and what its children left */
	const char *command;           /* for the headline */
	const char *file;              /* where the profile is now */
	uint64_t resident_peak;        /* bytes; 0: not known */
	const char *attempts;          /* a line on all of them, or NULL, "" */
	const char *left_out;          /* the same on items */
	json_t *outcome;               /* how they came out, or NULL */
};

/* Both go to stderr: standard output is the program's. */
void summary_print_text(const struct summary *s);
void summary_print_json(const struct summary *s);

#endif
