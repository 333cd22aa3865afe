/*
 * scenarios.h - sites that leak, and others that only look like it
 *
 * A site is a process that allocates and frees, batch after batch: what is
 * live, what was allocated, and how old what is live is, hang together as in a
 * program.
 */
#ifndef BENCH_SCENARIOS_H
#define BENCH_SCENARIOS_H

#include <stddef.h>
#include <stdint.h>

#include "model/verdict.h"

/* Of what chance does; set before each run. */
extern uint64_t seed;

struct block {
	int made; /* in which batch */
	int used; /* since it was looked at last */
	double bytes;
};

struct site {
	/* What happens to it in batch @now. */
	void (*batch)(struct site *s, int now, int batches);
	double a, b, c, level; /* what they mean is the batch's business */
	double size;           /* bytes of a block */
	double begins;         /* the batch in which the leak does */
	/* A ring of what is held, the oldest first. */
	struct block *block;
	size_t room, first, count;
	double live, allocated;
	/* Filled in at marks. */
	double column[VERDICT_POINTS], column_allocated[VERDICT_POINTS];
};

struct block *held(struct site *s, size_t i);

struct scenario {
	const char *name;
	int leaks; /* the first of its sites, to be found */
	/* Fills in one site or two; those it leaves alone hold nothing. */
	void (*make)(struct site *s, int batches);
};

/* Ends with a name that is NULL. */
extern const struct scenario scenarios[];

/* What any program has, beside what it is looked at for. */
#define INNOCENT 50

void make_innocent(struct site *s, int batches);

#endif
