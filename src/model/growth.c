#include "model/growth.h"

#include <stdint.h>

#include "model/stats.h"

_Static_assert(VERDICT_POINTS <= STATS_KENDALL_POINTS, "model/stats.h");

void
growth_read(const struct verdict_point *points, size_t count,
    const struct verdict_options *options, struct growth *g)
{
	size_t warmup = options->warmup;
	double survived = 0;
	size_t i, n;

	*g = (struct growth){ .is_sum = options->sum };
	for (i = 0; i < count && i < VERDICT_POINTS; i++) {
		survived += points[i].survived;
		if (warmup != SIZE_MAX &&
		    points[i].epoch < points[0].epoch + (double)warmup)
			continue;
		n = g->n++;
		g->epoch[n] = points[i].epoch;
		g->live[n] = points[i].live;
		g->made[n] = survived;
	}
	g->has_births = survived > 0;
	g->turns = !g->has_births && count > 0 &&
	    points[count - 1].allocated > 2 * points[count - 1].live;
	for (i = g->n; i-- > 0;) {
		g->kept[i] = g->live[i];
		if (i + 1 < g->n && g->kept[i + 1] < g->kept[i])
			g->kept[i] = g->kept[i + 1];
		if (!g->has_births)
			g->made[i] = g->kept[i];
	}
}

/* --- shapes --------------------------------------------------------------- */

/* Sums for a line by least squares; y is taken from @zero, or digits go. */
struct sums {
	double n, zero;
	double x, y, xx, xy, yy;
};

static void
add(struct sums *s, double x, double value)
{
	double y = value - s->zero;

	s->n++;
	s->x += x;
	s->y += y;
	s->xx += x * x;
	s->xy += x * y;
	s->yy += y * y;
}

/* The squares that are left by the best line through it all. */
static double
left_over(const struct sums *s, double *slope)
{
	double xx = s->xx - s->x * s->x / s->n;
	double xy = s->xy - s->x * s->y / s->n;
	double yy = s->yy - s->y * s->y / s->n;

	*slope = xx > 0 ? xy / xx : 0;
	return yy > *slope * xy ? yy - *slope * xy : 0;
}

static double
misfit_hinge(const struct growth *g, const double *value, size_t at,
    bool rises_after, double *slope)
{
	struct sums s = { .zero = value[0] };
	double x;
	size_t i;

	for (i = 0; i < g->n; i++) {
		x = g->epoch[i] - g->epoch[at];
		add(&s, (x > 0) == rises_after ? x : 0, value[i]);
	}
	return left_over(&s, slope);
}

static double
misfit_step(const struct growth *g, size_t at, double *height)
{
	struct sums s = { .zero = g->live[0] };
	size_t i;

	for (i = 0; i < g->n; i++)
		add(&s, i >= at, g->live[i]);
	return left_over(&s, height);
}

size_t
growth_onset(const struct growth *g, const double *value)
{
	double slope, squares;
	double least = -1;
	size_t best = 0;
	size_t i;

	for (i = 0; i + 3 < g->n; i++) {
		squares = misfit_hinge(g, value, i, true, &slope);
		if (slope > 0 && (least < 0 || squares < least)) {
			best = i;
			least = squares;
		}
	}
	return best;
}

static double
best_hinge(const struct growth *g)
{
	double slope, squares;
	double least = -1;
	size_t i;
	int after;

	for (i = 0; i + 1 < g->n; i++)
		for (after = 0; after <= 1; after++) {
			/* One that ends at the second point is a step. */
			if (after ? i + 2 >= g->n : i == 0)
				continue;
			squares = misfit_hinge(g, g->live, i, after, &slope);
			if (slope > 0 && (least < 0 || squares < least))
				least = squares;
		}
	return least;
}

bool
growth_is_step(const struct growth *g, size_t *at)
{
	double height, squares;
	double least = -1;
	size_t best = 0;
	size_t i;

	for (i = 1; i < g->n; i++) {
		squares = misfit_step(g, i, &height);
		if (height > 0 && (least < 0 || squares < least)) {
			best = i;
			least = squares;
		}
	}
	*at = best;
	return best > 0 && least <
	    best_hinge(g) * stats_exp_minus(10 / (double)g->n);
}

/* --- evidence ------------------------------------------------------------- */

double
growth_chance(const struct growth *g, size_t start)
{
	const double *value = g->is_sum ? g->kept : g->made;
	double chance[VERDICT_POINTS];
	size_t count = 0;
	size_t seen = 0;
	size_t i;

	for (i = start + 1; i < g->n; i++) {
		/* That the highest of all so far is in this interval. */
		chance[count++] = (g->epoch[i] - g->epoch[i - 1]) /
		    (g->epoch[i] - g->epoch[start] + 1);
		seen += value[i] > value[i - 1];
	}
	return stats_at_least(chance, count, seen);
}

double
growth_balance(const struct growth *g, const double *value, size_t from,
    size_t to)
{
	size_t half = from + (to - from) / 2;
	double earlier = (value[half] - value[from]) /
	    (g->epoch[half] - g->epoch[from]);
	double later = (value[to] - value[half]) /
	    (g->epoch[to] - g->epoch[half]);

	if (earlier > 0)
		return later / earlier;
	return later > 0 ? 1e9 : 0;
}

bool
growth_has_ended(const struct growth *g, const double *value, size_t start)
{
	size_t end = g->n - 1;
	size_t rises = 0;
	double chance = 1;
	double still;
	size_t i;

	while (end > start && value[end] <= value[end - 1])
		end--;
	for (i = start + 1; i <= end; i++)
		rises += value[i] > value[i - 1];
	still = 1 - (double)rises / (double)(end - start + 1);
	for (i = end + 1; i < g->n; i++)
		chance *= still;
	return chance < 0.01;
}

/*
 * Of neighbours in what comes and goes; 0: it does not, or does not last.  The
 * first tenth may be of the start, where much comes and goes once; and at the
 * last point nothing has gone yet.
 */
static double
correlation(const struct growth *g)
{
	size_t first = g->n / 10 + 1;
	double n = (double)(g->n - 1) - (double)first;
	double mean = 0, variance = 0, covariance = 0;
	double goes, before = 0;
	double r;
	size_t i;

	for (i = first; i + 1 < g->n; i++)
		mean += (g->live[i] - g->kept[i]) / n;
	for (i = first; i + 1 < g->n; i++) {
		goes = g->live[i] - g->kept[i] - mean;
		variance += goes * goes;
		covariance += goes * before;
		before = goes;
	}
	if (!(variance > 0) || n <= 4)
		return 0;
	/* From E(r) = rho - (1 + 4 rho) / n. */
	r = (n * covariance / variance + 1) / (n - 4);
	return r < 0 ? 0 : r > 0.95 ? 0.95 : r;
}

double
growth_inflation(const struct growth *g)
{
	double n = (double)g->n;
	double r = correlation(g);
	double power = 1;
	double sum = 1;
	size_t i;

	for (i = 1; i < g->n; i++) {
		power *= r;
		sum += 2 * (1 - (double)i / n) * power;
	}
	return sum;
}
