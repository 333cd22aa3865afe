/*
 * growth.h - what in a series speaks for growth that goes on, and what against
 *
 * Floor 1 (model).  May use: base.  Used by: model/verdict.
 * Contexts: pure functions; no clock, no I/O, no state of their own.
 *
 * Bytes that are live at a mark come and go; what matters is what stays.  Two
 * curves have that alone, and neither ever falls:
 *
 *	kept[i]  the least that is live at i or later: not given back since
 *	made[i]  made by i, and alive at the last point: by the blocks' births
 *
 * made <= kept <= live.  Of a leak all three rise together, whatever else the
 * site holds for a while.  Of a queue that gets longer kept and made do not
 * rise; of a full cache made does, but kept stands still.
 */
#ifndef MODEL_GROWTH_H
#define MODEL_GROWTH_H

#include <stdbool.h>
#include <stddef.h>

#include "model/verdict.h"

struct growth {
	size_t n;
	double epoch[VERDICT_POINTS];
	double live[VERDICT_POINTS];
	double kept[VERDICT_POINTS];
	double made[VERDICT_POINTS]; /* kept, if births are not known */
	bool has_births;
	bool is_sum; /* verdict_options.sum */
	bool turns;  /* most of what was made is gone; unless births say more */
};

/* Of @points what is not warm-up. */
void growth_read(const struct verdict_point *points, size_t count,
    const struct verdict_options *options, struct growth *g);

/*
 * The point up to which @value is level, and from which on it is a line; by
 * least squares.  0: a line from the start, or it does not rise.  At least
 * three points come after it.
 */
size_t growth_onset(const struct growth *g, const double *value);

/*
 * Is it a step, or rather a slope that begins or ends somewhere?  By the
 * squares that are left: a step must be better by 10 of Schwarz's criterion
 * (R. E. Kass and A. E. Raftery, Bayes factors, JASA 90, 1995, call that very
 * strong).  @at: the first point above it.
 */
bool growth_is_step(const struct growth *g, size_t *at);

/*
 * How likely growth in so many intervals after @start is for a pool, which
 * grows when the load is higher than ever before: if loads have no order, the
 * k-th is the highest so far with a chance of 1/k, whatever those before were
 * (A. Renyi, Theorie des elements saillants d'une suite d'observations, 1962;
 * as a test: F. G. Foster and A. Stuart, Distribution-free tests in time-series
 * based on the breaking of records, JRSS B 16, 1954).  By what was made; of a sum by what is
 * kept, as of many sites some have always made what is still there.
 */
double growth_chance(const struct growth *g, size_t start);

/* The rate in the later half of @from to @to, in units of the earlier one's. */
double growth_balance(const struct growth *g, const double *value, size_t from,
    size_t to);

/*
 * Does @value, which never falls, stand still at the end for longer than is
 * likely (1 %) by how often it rose before, from @start on?
 */
bool growth_has_ended(const struct growth *g, const double *value,
    size_t start);

/*
 * By how much the variance of Kendall's statistic is greater than if points did
 * not depend on each other: 1 + 2 sum (1 - k/n) r^k, for a correlation r of
 * neighbours (S. Yue and C. Y. Wang, The Mann-Kendall test modified by
 * effective sample size, Water Resources Management 18, 2004).  r is that of
 * what comes and goes, live - kept: what stays is what is looked for, and no
 * noise.  As estimated from few points it is too low, by (1 + 4r)/n (M.
 * G. Kendall, Note on bias in the estimation of autocorrelation, Biometrika 41,
 * 1954), and put right.
 */
double growth_inflation(const struct growth *g);

#endif
