/*
 * lives.h - how long the blocks of a site live, and who frees them
 *
 * Beside the house (tools/report).  May use: base, reader, need.  Used by:
 * leaks, findings.
 */
#ifndef REPORT_LIVES_H
#define REPORT_LIVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "profile/reader.h"

#define LIVES_MOST 8

/* Of the blocks that were freed, those that one call has freed. */
struct lives_share {
	struct site call;    /* its path is that call alone; leaf 0: unknown */
	uint64_t blocks;     /* by weight */
	uint64_t median_ns;  /* to a factor of two */
	uint64_t longest_ns;
	uint32_t bucket[LIFE_BUCKETS];
};

struct lives {
	struct lives_share share[LIVES_MOST]; /* most first */
	size_t shares;
	uint64_t freed;      /* blocks, by weight */
	uint32_t watched;    /* of which so many were seen to the end */
	uint64_t longest_ns; /* that one of them lived */
	uint32_t living;     /* are watched, and live */
	/* Blocks older than twice that; and what is in them. */
	uint64_t older, older_bytes;
};

/* The rows of each site, so that who asks for many needs no look at all. */
struct lives_index {
	const struct profile *profile;
	uint32_t *life, *timed; /* numbers of rows, by site */
	uint32_t *life_end, *timed_end; /* by site: where its own end */
};

void lives_open(struct lives_index *index, const struct profile *profile);
void lives_close(struct lives_index *index);

/* False: none of its blocks was ever watched. */
bool lives_of(const struct lives_index *index, uint32_t site,
    struct lives *l);

#endif
