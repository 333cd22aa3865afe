/*
 * trend.h - how fast something grows, and when it meets a limit
 *
 * Floor 1 (model).  May use: base.  Used by: plan, control, the tools, and
 * heaptide.h, of which it is a part: C99 and C++11.
 * Contexts: pure functions; no clock, no I/O, no state of their own.
 *
 * The rate is the median of the slopes between all pairs of points (P. K. Sen,
 * Estimates of the regression coefficient based on Kendall's tau, JASA 63,
 * 1968): a spike, a restart of a cache or a bad first value moves it little,
 * up to 29 % of the points.  Its range is where the middle slopes lie that Sen
 * gives for 95 %, by the normal approximation of Kendall's statistic.
 */
#ifndef MODEL_TREND_H
#define MODEL_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct trend_point {
	double at;    /* seconds */
	double value; /* bytes, mostly */
};

struct trend_line {
	double rate;      /* a second */
	double low, high; /* 95 % */
	size_t points;
};

/* More points than this are thinned out, evenly, first and last kept. */
#define TREND_POINTS 48

/*
 * @points in order of time; 16 KiB of stack.  False: fewer than three, or all
 * at one time; nothing is written.  @widened: the variance of Kendall's
 * statistic in units of what it is if values do not depend on those before.
 */
bool trend_within(const struct trend_point *points, size_t count,
    double widened, struct trend_line *line);

static inline bool
trend_of(const struct trend_point *points, size_t count,
    struct trend_line *line)
{
	return trend_within(points, count, 1, line);
}

/* Does it rise, or fall, beyond doubt? */
static inline bool
trend_is_sure(const struct trend_line *line)
{
	return line->low > 0 || line->high < 0;
}

/*
 * Seconds until @room more is used up at this rate; UINT64_MAX: never, as it
 * does not surely rise.
 */
uint64_t trend_time_left(const struct trend_line *line, uint64_t room);

#endif
