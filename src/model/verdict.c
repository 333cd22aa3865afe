/*
 * The law, in short.  Growing is what passes four questions:
 *
 *  Does it rise?  Mann and Kendall's test over all points, exact; if what comes
 *      and goes does so slowly, with a variance that allows for it.
 *  In enough places?  A pool rises, too, but at few points: as often as a
 *      series without order breaks its record.
 *  Does it go on?  What is kept has not come to an end, and the later half of
 *      the growth is not much slower, nor faster, than the earlier.
 *  Does it stay?  What was made early is still there as what was made late; it
 *      was not replaced.
 *
 * The last three are asked from the first point on, from where the growth seems
 * to begin, and from a quarter and the half: who filled a cache first and leaks
 * slowly since then is found as well.  growth.h has the tests and their
 * sources, doc/leaks.md how often all that errs.
 */
#include "model/verdict.h"

#include "base/base.h"
#include "model/growth.h"
#include "model/stats.h"
#include "model/trend.h"

/* How likely by chance the rise may be; and the number of its places. */
#define RISE_BY_CHANCE 0.01
#define PLACES_BY_CHANCE 0.001
/* Without births it is the only witness against what merely wanders upwards. */
#define PLACES_BY_KEPT 0.0001

/*
 * Where blocks come and go, and it is not known which of them are there, growth
 * that is believed is seldom less sure than this, and what wanders often is.
 */
#define RISE_NO_BIRTHS 0.00003

/* The least number of points on which growth is believed. */
#define WINDOW 6

/*
 * A half has at least this share of the other's rate.  Of exponential decay
 * with n/2 epochs it is 0.37; two halves with ten leaks each, at random, are as
 * uneven in one of 25.
 */
#define EVEN 0.4

/* Later windows have less to show, and are asked for more. */
#define EVEN_LATER 0.5
#define SHARE_LATER 0.15 /* of all that was ever kept */

/* A cache among the sites of a sum that was full at two thirds: 0.5. */
#define EVEN_SUM 0.6

struct question {
	const struct growth *g;
	size_t start;
	double even; /* 1 is perfectly so */
	bool later;  /* something is left out before it */
};

static bool
is_even(const struct question *q, const double *value, size_t to)
{
	double balance = growth_balance(q->g, value, q->start, to);
	double even = q->g->is_sum ? EVEN_SUM : q->even;

	return balance >= even && balance * even <= 1;
}

static double
rise(const struct question *q)
{
	return q->g->kept[q->g->n - 1] - q->g->kept[q->start];
}

static bool
goes_on(const struct question *q)
{
	return is_even(q, q->g->kept, q->g->n - 1) &&
	    !growth_has_ended(q->g, q->g->kept, q->start);
}

/*
 * The last interval does not count: what it made had no time to go.  Where more
 * was made and is there than was gained, it has taken the place of other.
 */
static bool
stays(const struct question *q)
{
	const struct growth *g = q->g;
	size_t last = g->n - 2;

	return is_even(q, g->made, last) &&
	    2 * rise(q) >= g->made[last] - g->made[q->start];
}

/* Is what comes after the start a good part of it all? */
static bool
matters(const struct question *q)
{
	return rise(q) >= SHARE_LATER * (q->g->kept[q->g->n - 1] -
	    q->g->kept[0]);
}

static double
places(const struct growth *g)
{
	return g->has_births && !g->is_sum ? PLACES_BY_CHANCE : PLACES_BY_KEPT;
}

static bool
keeps_growing(const struct question *q)
{
	const struct growth *g = q->g;

	if (g->n < q->start + WINDOW ||
	    growth_chance(g, q->start) > places(g))
		return false;
	return goes_on(q) && (!q->later || matters(q)) &&
	    (!g->has_births || stays(q));
}

/*
 * A buffer that is made anew, larger each time, has no old blocks.  So what was
 * replaced grows nevertheless if it never fell, and rose almost every time.
 */
static bool
only_rises(const struct growth *g)
{
	struct question whole = { .g = g, .even = EVEN };
	size_t rises = 0;
	size_t i;

	for (i = 1; i < g->n; i++) {
		if (g->live[i] < g->live[i - 1])
			return false;
		rises += g->live[i] > g->live[i - 1];
	}
	return g->n >= 2 * WINDOW && 10 * rises >= 9 * (g->n - 1) &&
	    goes_on(&whole);
}

static bool
is_growing(const struct growth *g, size_t *since)
{
	size_t onset = growth_onset(g, g->made);
	const struct question questions[] = {
		{ g, 0, EVEN, false },
		{ g, onset, EVEN, onset > 0 },
		{ g, g->n / 4, EVEN_LATER, true },
		{ g, g->n / 2, EVEN_LATER, true },
	};
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(questions); i++)
		if (keeps_growing(&questions[i])) {
			*since = i < 2 ? onset : questions[i].start;
			return true;
		}
	*since = 0;
	return only_rises(g);
}

/* Where 95 % of what it has gained were there. */
static size_t
full(const struct growth *g)
{
	double all = g->kept[g->n - 1] - g->kept[0];
	size_t i = 0;

	while (i + 1 < g->n && g->kept[i] - g->kept[0] < 0.95 * all)
		i++;
	return i;
}

/* It rises, by Kendall; but how? */
static enum verdict_kind
judge(const struct growth *g, size_t *since)
{
	struct question whole = { .g = g, .even = EVEN };

	if (is_growing(g, since))
		return VERDICT_GROWING;
	if (growth_is_step(g, since))
		return VERDICT_STEP;
	*since = full(g);
	if (growth_has_ended(g, g->kept, 0) ||
	    growth_balance(g, g->kept, 0, g->n - 1) < EVEN)
		return VERDICT_SATURATED;
	*since = 0;
	return g->has_births && !stays(&whole) ?
	    VERDICT_STABLE : VERDICT_UNKNOWN;
}

static void
test_rise(const struct growth *g, struct verdict *v)
{
	struct stats_kendall k;
	double variance, p;

	stats_kendall(g->live, g->n, &k);
	variance = k.variance * growth_inflation(g);
	v->p = k.p;
	v->least = k.least;
	if (!(k.s > 1 && variance > k.variance))
		return;
	p = stats_normal_above((k.s - 1) / stats_root(variance));
	if (p > v->p)
		v->p = p;
}

/* By @error, the standard error at one end, on each side. */
static double
further(double width, double error)
{
	return stats_root(width * width + 4 * error * error);
}

static void
measure(const struct verdict_point *points, size_t count, double inflation,
    double error, struct verdict *v)
{
	struct trend_point point[VERDICT_POINTS];
	struct trend_line line;
	size_t i;

	for (i = 0; i < count; i++)
		point[i] = (struct trend_point){ points[i].epoch,
			points[i].live };
	if (!trend_within(point, count, inflation, &line))
		return;
	error /= points[count - 1].epoch - points[0].epoch;
	v->per_epoch = line.rate;
	v->low = line.rate - further(line.rate - line.low, error);
	v->high = line.rate + further(line.high - line.rate, error);
	for (i = 0; i < count; i++)
		point[i].at = points[i].at;
	if (trend_of(point, count, &line))
		v->per_second = line.rate;
}

static bool
is_minor(const struct verdict_options *o, double per_second)
{
	double effect = o->effect > 0 ? o->effect : VERDICT_EFFECT;

	return o->budget > 0 && o->remaining > 0 &&
	    per_second * o->remaining < effect * o->budget;
}

/* The point from which it gained what it is said to have. */
static size_t
base(const struct verdict *v)
{
	if (v->kind == VERDICT_GROWING)
		return v->since;
	return v->kind == VERDICT_STEP ? v->since - 1 : 0;
}

void
verdict_of(const struct verdict_point *points, size_t count,
    const struct verdict_options *options, struct verdict *verdict)
{
	struct verdict v = { .p = 1, .q = 1, .least = 1 };
	struct growth g;
	size_t left_out, from;

	if (count > VERDICT_POINTS)
		count = VERDICT_POINTS;
	growth_read(points, count, options, &g);
	left_out = count - g.n;
	v.points = g.n;
	if (g.n < 4)
		goto out;
	test_rise(&g, &v);
	v.kind = VERDICT_STABLE;
	if (v.p <= RISE_BY_CHANCE)
		v.kind = judge(&g, &v.since);
	else if (v.least > RISE_BY_CHANCE && v.least < 1)
		v.kind = VERDICT_UNKNOWN;
	if (v.kind == VERDICT_GROWING && g.turns && v.p > RISE_NO_BIRTHS) {
		v.kind = VERDICT_UNKNOWN;
		v.doubted = true;
	}
	v.rose = g.kept[g.n - 1] - g.kept[base(&v)];
	from = v.kind == VERDICT_GROWING ? v.since : 0;
	measure(points + left_out + from, g.n - from, growth_inflation(&g),
	    options->error, &v);
	if (v.kind == VERDICT_GROWING && v.rose < 2 * options->error)
		v.kind = VERDICT_UNKNOWN;
	v.minor = v.kind == VERDICT_GROWING && is_minor(options, v.per_second);
out:
	v.since += left_out < count ? left_out : 0;
	*verdict = v;
}
