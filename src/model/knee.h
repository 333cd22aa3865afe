/*
 * knee.h - the size from which on larger batches are not faster
 *
 * Floor 1 (model).  May use: base.  Used by: plan, tools, the header.
 * Contexts: no clock, no I/O, no memory but what it is given; one thread at a
 * time per structure.  Portable: C99 and C++11; part of the public header.
 *
 * Filling the budget is not the goal: fresh memory costs page faults, and past
 * the caches all is slower.  Sizes 2^k and 3 2^(k-1) are tried; the median time
 * that an item took in the last batches of a size is what counts.
 *
 *  K1  The ramp goes up by octaves.  A size that is a fifth faster than all below
 *	is left after one batch, one that is slower after two (the first touches
 *	memory that is new), others after three.  The ramp ends with one that is
 *	half as slow again, two in a row that are slower, or four that are no
 *	faster; or where what a batch costs beside its items is no more worth
 *	a larger one: with what smaller sizes have shown of that, the next could
 *	not be 4 % faster than the best.
 *  K2  Then, of the best and its neighbours, the one is tried that may be the
 *	fastest: its median less 0.35 of it, over the root of how often it was
 *	measured (as UCB does; P. Auer, N. Cesa-Bianchi and P. Fischer, Finite-
 *	time analysis of the multiarmed bandit problem, Machine Learning 47,
 *	2002).  Once that one was measured five times, or for 50 ms, it is over.
 *  K3  What is used is the smallest size within 2 % of the best.
 *  K4  Every 64 batches, and 50 ms at least, a neighbour is tried again, for
 *	two batches: a work changes.  If it is 3 % faster, or if 17
 *	batches in a row are a quarter slower than when K2 was over, that comes
 *	again.
 *  K5  Where memory allows less than what is used, that is for as long as it
 *	lasts, and the size is used again as soon as it fits; 13 in a row that
 *	are a quarter slower are a change as in K4.  Where memory ended the
 *	ramp, that goes on once there is more.
 *  K6  What makes large batches slow is bytes, not items: pages touched first,
 *	caches.  So where items are far larger than they were, a batch is closed
 *	at twice the mean growth of those that the size was found with, or, as
 *	long as none is, at twice what eight or more usually took, twelve times
 *	in a row at most: that it is slow says nothing of its size.  If
 *	items stay so and are slower, that is K5.  The mean of these counts an
 *	eighth of the others, so what is no slower is let go.
 */
#ifndef MODEL_KNEE_H
#define MODEL_KNEE_H

#include <stdbool.h>
#include <stdint.h>

#define KNEE_BINS 48 /* two an octave: up to 2^24 items */
#define KNEE_KEPT 5  /* times a size: their median counts */

struct knee_bin {
	float ns[KNEE_KEPT]; /* an item took, in the last batches */
	uint32_t measured;   /* batches */
	float spent_ns;
};

/* Zeroed is "not met yet". */
struct knee {
	struct knee_bin bin[KNEE_BINS];
	int phase;         /* of the module's own */
	uint32_t now;      /* the bin that is tried, or used */
	uint32_t used;     /* the one to come back to (K4) */
	uint32_t slower;   /* on the ramp: 2 for each in a row that is slower, 1
			    * for each that is no faster */
	uint32_t top;      /* the highest that memory allows; 0: not met */
	uint32_t changed;  /* batches in a row that were slower than it was */
	uint32_t since;    /* batches since a neighbour was tried */
	uint32_t probes;
	bool most;         /* @used is the largest that memory allowed */
	float since_ns;
	double bytes;      /* mean growth at @used, of the last batches */
	uint32_t grown;    /* batches that told */
	uint32_t far;      /* in a row that were closed at knee_bytes() */
	float settled_ns;  /* what an item took when the search was over */
};

struct knee_report {
	uint32_t n;        /* the size to use; 0: nothing was measured */
	uint32_t largest;  /* the largest size that was measured */
	double ns;         /* an item takes at n */
	double largest_ns; /* an item takes at @largest */
	bool settled;      /* the search is over */
};

void knee_open(struct knee *k);

/* No more than so many items in the next batch; at least 1. */
uint32_t knee_cap(const struct knee *k);

/*
 * A batch of @n items took @ns.  @bounded: the knee would have allowed more,
 * something else did not: there is nothing to be tried above.
 */
void knee_learn(struct knee *k, uint32_t n, uint64_t ns, bool bounded);

/* A batch of @n grew by so much; @cut: it was closed at knee_bytes(). */
void knee_grew(struct knee *k, uint32_t n, uint64_t bytes, bool cut);

/*
 * A batch of @n that has grown by so many bytes is as large as pays, however few
 * items it has; 0: not known.  @expected: bytes that as many took so far; 0: not
 * known.  If it is closed there, knee_learn() is to be told that it was
 * @bounded; or nothing while that is not knee_is_settled().
 */
uint64_t knee_bytes(const struct knee *k, uint32_t n, uint64_t expected);

/* The search is over: knee_cap() is what is used, or a neighbour of it. */
bool knee_is_settled(const struct knee *k);

/* For "n=48 is enough; n=400 would be 3.9x slower". */
void knee_read(const struct knee *k, struct knee_report *report);

#endif
