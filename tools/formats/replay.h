/*
 * replay.h - allocations and frees that come to a site's figures
 *
 * Beside the house (tools/formats).  May use: base.  Used by:
 * export-heaptrack.c.
 *
 * Which block had which size, and when, is not in a profile; its sums are.  A
 * plan is a course of a heap that has the same sums: calls, bytes, peak, what
 * is left, and blocks that were freed at once.  Blocks that lived neither at
 * the peak nor to the end come first, few at a time, while the heap is empty;
 * then all that was there at the peak; of that is freed what was not to stay,
 * and at last comes what did, and was not there at the peak.
 */
#ifndef FORMATS_REPLAY_H
#define FORMATS_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

/* Blocks of two sizes: @more of them have a byte more. */
struct replay_blocks {
	uint64_t count, size, more;
};

struct replay_figures {
	uint64_t allocations, bytes;
	uint64_t live_blocks, live_bytes;
	uint64_t peak_bytes;
	uint64_t temporary;
};

struct replay_plan {
	struct replay_blocks stay;  /* from the peak to the end */
	struct replay_blocks peak;  /* there at the peak, then freed */
	struct replay_blocks late;  /* behind the peak, to the end */
	struct replay_blocks brief; /* freed at once: temporary */
	struct replay_blocks pass;  /* freed, but not at once */
	bool peak_is_brief;         /* a block of @peak was freed at once */
};

/* @count blocks of @bytes in all, as even as can be. */
struct replay_blocks replay_spread(uint64_t count, uint64_t bytes);

/*
 * The sums are exactly those of @f, where it is possible: what lives has a
 * block at least, and bytes that passed have one.
 */
void replay_plan(const struct replay_figures *f, struct replay_plan *plan);

#endif
