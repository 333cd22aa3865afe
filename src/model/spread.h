/*
 * spread.h - how values are spread: percentiles in fixed space
 *
 * Floor 1 (model).  May use: base.  Used by: plan, and heaptide.h, of which it
 * is a part: C99 and C++11.
 * Contexts: no clock, no I/O, no memory but what it is given.
 *
 * A histogram whose bins are a sixteenth of a power of two wide: what it says
 * is off by a thirty-second at most, and by nothing below 32, however many
 * values there were.
 */
#ifndef MODEL_SPREAD_H
#define MODEL_SPREAD_H

#include <stdint.h>

#define SPREAD_PARTS 16 /* of each power of two */
#define SPREAD_BINS  (32 + (64 - 5) * SPREAD_PARTS)

/* Zero: no values. */
struct spread {
	uint64_t count;
	uint64_t most; /* exact */
	uint32_t bin[SPREAD_BINS]; /* all are halved when one is full */
};

void spread_add(struct spread *s, uint64_t value);

/*
 * The least value that @mille of a thousand are not above; 0: there are none.
 */
uint64_t spread_below(const struct spread *s, uint32_t mille);

#endif
