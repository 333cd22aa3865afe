/*
 * merge.h - the profiles of many processes of one job as one, and how evenly
 * the job's memory is spread over them
 *
 * Beside the house (tools/formats).  May use: base, reader, symbol, forge,
 * json, print.  Used by: cmd-merge.c.
 *
 * merge.c adds profiles up, one at a time, so that a job of a thousand ranks
 * needs room for one profile and the sum.  Sites are the same if their
 * functions, files and lines are, whatever address they had in which rank.
 * merge-say.c prints it.
 */
#ifndef FORMATS_MERGE_H
#define FORMATS_MERGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "formats/forge.h"
#include "profile/reader.h"

/* How a figure is spread over the ranks; who has none of it has 0. */
struct merge_spread {
	uint64_t least, most, sum;
	uint32_t who_least, who_most; /* rows of the ranks */
	size_t ranks; /* that had something */
};

struct merge_rank {
	char *file;
	char *host;
	int32_t pid;
	int64_t started_ns, ended_ns; /* CLOCK_REALTIME */
	uint64_t ticks;
	const char *end;
	struct totals totals;
};

/* By the number of a site in the sum. */
struct merge_site {
	struct merge_spread live, peak;
};

struct merge_step {
	int64_t at_ns; /* CLOCK_REALTIME */
	int64_t live_bytes, resident; /* by how much they change */
};

struct merge {
	struct forge *forge;
	struct merge_rank *rank;
	size_t ranks;
	bool changed; /* a file was, since it was written; it has been told */
	struct merge_site *site;
	size_t sites, sites_room;
	struct merge_step *step;
	size_t steps, steps_room;
	struct merge_spread peak, live, allocated;
	uint64_t together; /* held at one time, by the series: or more */
	struct profile sum; /* after merge_finish() */
};

void merge_open(struct merge *m, size_t ranks);
void merge_close(struct merge *m);

/* Open @what and add it.  False: the sentence is in @why. */
bool merge_add(struct merge *m, const char *what, char why[512]);

/* All are there. */
bool merge_finish(struct merge *m, char why[512]);

/* Mean of all ranks, those that had nothing included. */
double merge_mean(const struct merge *m, const struct merge_spread *s);

/* --- merge-say.c ---------------------------------------------------------- */

/* On stdout; the second returns an exit status. */
void merge_print_text(const struct merge *m, uint64_t top);
int merge_print_json(const struct merge *m, uint64_t top);

#endif
