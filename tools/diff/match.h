/*
 * match.h - the sites of two profiles, those of the same stack brought together
 *
 * Beside the house (tools/diff).  May use: base, reader, symbol.  Used by:
 * diff*.c.
 *
 * Numbers of sites and addresses mean nothing from one process to the next, so
 * a frame is its module and the address that the module's file has for it.
 * A module is known by its base name and, where both sides have one, by its
 * build-id.  If there is another build of it on the other side, its frames are
 * their functions and the base names of their files, without lines: then sites
 * that differ in the line only are one.  If one of the profiles was imported or
 * merged, it has no addresses, and all frames are their functions alone.
 */
#ifndef DIFF_MATCH_H
#define DIFF_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/reader.h"
#include "symbols/symbol.h"

/* What a site holds on one side. */
struct holding {
	uint64_t bytes;
	double variance;  /* of the bytes, 0: they are exact */
	bool estimated;
	bool freed;       /* some of it has been freed at some time */
};

struct match_side {
	const struct profile *profile;
	struct symbols *symbols; /* asked only for other builds */
	const struct holding *held; /* by site */
};

/* A stack, and what it holds on both sides: 0 is A, 1 is B. */
struct match_row {
	const struct site *site[2]; /* the first of them; NULL: none */
	struct holding held[2];     /* of all that have this stack */
	bool mapping;
};

struct match {
	struct match_row *row;
	size_t rows;
	/* Modules with another build on the other side, by base name. */
	char **rebuilt;
	size_t rebuilts;
	bool by_name;   /* of all modules, as one side has nothing else */
	size_t unnamed; /* calls in these that have no name: they match none */
};

/* Rows that hold nothing on either side are left out. */
void match_open(struct match *m, const struct match_side side[2]);
void match_close(struct match *m);

#endif
