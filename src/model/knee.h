/*
 * knee.h - the size from which on larger batches are not faster
 *
 * Floor 1 (model).  May use: base, sizing.  Used by: plan, tools, the header.
 * Contexts: no clock, no I/O, no memory but what it is given; one thread at a
 * time per structure.  Portable: C99 and C++11; part of the public header.
 *
 * Filling the budget is not the goal: fresh memory costs page faults, and past
 * the caches all is slower.  Sizes are put in bins of half an octave, and what
 * an item takes is measured in each:
 *
 *  K1  The ramp goes up by octaves.  A bin that is clearly slower is left
 *	after a batch or two, and two in a row end the ramp; one that is as fast
 *	as the best gets as many batches as the best has (successive halving).
 *  K2  Then the neighbours of the best are tried by the bin that may be the
 *	fastest (UCB: its mean less its uncertainty), for as long as any may be.
 *  K3  What is used is the smallest bin within 2 % of the best.
 *  K4  Every 64 batches, and 50 ms at least, a neighbour is tried again, for
 *	one batch: a work changes.  Old measurements fade.
 */
#ifndef MODEL_KNEE_H
#define MODEL_KNEE_H

#include <stdbool.h>
#include <stdint.h>

#define KNEE_BINS 48 /* of half an octave: up to 2^24 items */
#define KNEE_KEPT 5  /* times a bin: their median counts */

struct knee_bin {
	float ns[KNEE_KEPT]; /* an item, the last batches of this bin */
	uint32_t batches;
	float age;           /* in batches since it was last measured */
	double spent_ns;
};

/* Zeroed is "not met yet". */
struct knee {
	struct knee_bin bin[KNEE_BINS];
	uint32_t now;      /* the bin that is being tried or used */
	uint32_t best;     /* the fastest that is known */
	uint32_t phase;    /* enum, of the module's own */
	uint32_t slower;   /* in a row, on the ramp */
	uint32_t top;      /* the highest that memory allows; 0: not met */
	uint32_t since;    /* batches since a neighbour was tried */
	double since_ns;
	uint64_t batches;
};

struct knee_report {
	uint32_t n;            /* items of the bin that is used; 0: not known */
	uint32_t largest;      /* the largest size that was measured */
	double ns;             /* an item takes at n */
	double largest_ns;     /* an item takes at @largest */
	bool settled;          /* the ramp is over */
};

void knee_open(struct knee *k);

/* No more than so many items in the next batch; at least 1. */
uint32_t knee_cap(const struct knee *k);

/*
 * A batch of @n items took @ns.  @bounded: the knee would have allowed more,
 * something else did not: there is nothing to be tried above.
 */
void knee_learn(struct knee *k, uint32_t n, uint64_t ns, bool bounded);

/* For "n=48 is enough; n=400 would be 3.9x slower". */
void knee_read(const struct knee *k, struct knee_report *report);

#endif
