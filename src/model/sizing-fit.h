/*
 * sizing-fit.h - what the parts of the sizing law share
 *
 * Floor 1 (model).  May use: base, numbers, sizing.  Used by: sizing*.c.
 * Contexts: as sizing.h.  Portable: C99 and C++11; part of the public header.
 *
 *	sizing.c          how many items next (M3 to M5), and what is learned
 *	sizing-fit.c      the fits and their margins (M1, M2, M6)
 *	sizing-weights.c  items that have weights
 *	sizing-save.c     from run to run
 *	sizing-risk.c     what a kill may cost (M7)
 *
 * Where a number has no other source it was found by simulation: doc/sizing.md
 * has the workloads, and `heaptide simulate all` makes the table again.
 */
#ifndef MODEL_SIZING_FIT_H
#define MODEL_SIZING_FIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/sizing.h"

#define SIZING_FADE   0.985 /* a batch counts less than the next one */
#define SIZING_WIDE   1.02  /* M2 */
#define SIZING_LOADED_WIDER 1.1 /* of what another run has learned */
#define SIZING_RECENT 64    /* M4: the largest of so many batches */
/* --- fits ----------------------------------------------------------------- */

/* The exponents, and n to each of them. */
#define SIZING_LINEAR 1 /* n^1 is at this place */
double sizing_power(int i);
void sizing_powers(const struct sizing_seen *seen, double x[SIZING_POWERS]);

/* The batch that came @age batches before the last one. */
const struct sizing_seen *sizing_before(const struct sizing *s, uint32_t age);

/* The largest n of the last @batches. */
double sizing_largest(const struct sizing *s, uint32_t batches);

/* One more batch, and then the fit again: least squares of 1 - (a + c x)/g, a
 * and c not below 0; of the sums that all fits share. */
void sizing_add(struct sizing_fit *f, double weight, double x, double g);
void sizing_solve(struct sizing_fit *f, double weight, double g, double gg);

/* a + c x, without margins and with them. */
double sizing_at(const struct sizing_fit *f, double x);
double sizing_margin(const struct sizing *s, const struct sizing_fit *f,
    double x);

/* M1: is @f among those that rule?  Until the fourth batch all are. */
double sizing_least_residual(const struct sizing_fit *f, size_t count);
bool sizing_is_credible(const struct sizing_fit *f, double least,
    double weight, uint32_t count);

/*
 * M2: what few have been is not what many will be: @factor, or so many standard
 * deviations if that is more, of which some are believed before any was seen.
 */
double sizing_at_least(double factor, double deviations, double squares,
    double count);

/*
 * Remember a batch.  One that was @cut ended where it did because of what was
 * in it.  The fits have to know; but as a rule for others it would be far too
 * strict, and who can cut needs none.
 */
void sizing_remember(struct sizing *s, double n, double g, bool cut);

/* How many batches the fits are worth: less than there were, as they fade and
 * do not count alike. */
double sizing_batches(const struct sizing *s);

/* As if only @left batches had been seen, for the fits. */
void sizing_forget(struct sizing *s, double left);

/* --- bounds and weights --------------------------------------------------- */

/* The bounds so far: @n, and what set it. */
struct sizing_bounds {
	double n;
	int bound; /* enum sizing_bound */
	double bolder; /* M7: times what is safe */
};

void sizing_bound_by(struct sizing_bounds *b, double n, int bound);

/* M7.  A batch of @n took @t, in ns, both above 0. */
void sizing_risk_time(struct sizing *s, double n, double t);

/* How many items where @safe would be safe, and @room bytes are left up to the
 * budget: @safe or more. */
double sizing_risk(const struct sizing *s, double safe, double room);

/* What bounds a batch other than memory. */
void sizing_by_others(const struct sizing *s, const struct sizing_room *room,
    struct sizing_bounds *b);

/* As sizing_before(), of those that had weights. */
const struct sizing_heavy *sizing_heavy_before(const struct sizing *s,
    uint32_t age);

void sizing_heavy_learn(struct sizing *s, double sum, double padded, double g,
    bool over);

#endif
