/*
 * sample.h - blocks that are drawn from all that a thread allocates
 *
 * Floor 4 (heap).  May use: base, model, sys, mem.  Used by: door.
 * Contexts: inside malloc, in signal handlers, in a child just forked.
 *
 * The law is model/sampling.h.  A thread counts its bytes anyway (tally.h); it
 * takes the slow path no later than where the next mark lies, so to draw costs
 * the hot road nothing.  To forget what was drawn costs it one load: a table of
 * bytes says for each page how many records there are of blocks in it, or in
 * pages with the same place in the table.
 */
#ifndef HEAP_SAMPLE_H
#define HEAP_SAMPLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"
#include "model/sampling.h"

/* What a thread knows of its next mark.  Plain data, its owner's alone. */
struct sampler {
	uint64_t mean;   /* of the distances; 0: there are no marks */
	uint64_t next;   /* by tally.allocated */
	uint64_t random; /* state of the generator */
	uint32_t rate;   /* the number that @mean has */
};

/* Begin to draw in the thread of @t; @seed 0: by what is at hand. */
void sample_begin(struct sampler *s, const struct tally *t, uint64_t seed);

enum sample {
	SAMPLE_NOT,
	SAMPLE_DRAWN, /* it stands for others as well */
	SAMPLE_WHOLE  /* it is large, and stands for itself */
};

/* Is a block of @usable bytes drawn, which has just been counted in @t? */
enum sample sample_draw(struct sampler *s, const struct tally *t,
    size_t usable);

/*
 * How far @t may go before the slow path is due, on account of marks.  If there
 * is another rate asked for since (config.sample_bytes), it is that from now on.
 */
int64_t sample_distance(struct sampler *s, const struct tally *t);

/*
 * Rates have numbers, from 1 on, for records to name them.  There are so many;
 * who asks for more is not followed.  What a block of that rate stands for.
 */
#define SAMPLE_RATES 256
struct sampling_weight sample_weigh(uint32_t rate, size_t usable);

/* --- which blocks have a record ------------------------------------------- */

#define SAMPLE_PAGES 65536

extern _Atomic uint8_t sample_page[SAMPLE_PAGES] INSIDE;

static HOT _Atomic uint8_t *
sample_page_of(const void *block)
{
	return &sample_page[(uintptr_t)block >> 12 & (SAMPLE_PAGES - 1)];
}

/* False: there is no record of this block. */
static HOT bool
sample_may_have(const void *block)
{
	return UNLIKELY(atomic_load_explicit(sample_page_of(block),
	    memory_order_relaxed) != 0);
}

/* From now on every block may have a record. */
void sample_look_everywhere(void);

/* A record was put, or taken. */
void sample_note(const void *block);
void sample_forget(const void *block);

#endif
