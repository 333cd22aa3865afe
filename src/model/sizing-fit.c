#include "model/sizing-fit.h"

#include "model/numbers.h"

#define SIZING_CREDIBLE    6.0  /* M1: error of 1 + 6/n times the least */
#define SIZING_NOISE       1e-4 /* no error is less than 1 %, squared */
#define SIZING_FRESH       128  /* M2: batches */
#define SIZING_STALE       384  /* M2: batches, half-life */
#define SIZING_BELIEF      4.0  /* batches, before any was seen, */
#define SIZING_BELIEVED    0.06 /* with such a deviation */
#define SIZING_DEVIATIONS  2.5
#define SIZING_USUAL       15   /* batches: their median is what is usual */
#define SIZING_CUSUM_SLACK 0.5  /* E. S. Page, Continuous inspection schemes, */
#define SIZING_CUSUM_LINE  4.0  /* Biometrika 41, 1954; in deviations */

double
sizing_power(int i)
{
	static const double power[SIZING_POWERS] = {
		0.6, 1, 1.4, 2, 2.5, 3
	};

	return power[i];
}

void
sizing_powers(const struct sizing_seen *seen, double x[SIZING_POWERS])
{
	double n = seen->n;

	x[0] = seen->power06;
	x[1] = n;
	x[2] = n * n / x[0];
	x[3] = n * n;
	x[4] = n * n * seen->root;
	x[5] = n * n * n;
}

const struct sizing_seen *
sizing_before(const struct sizing *s, uint32_t age)
{
	return &s->seen[(s->next + SIZING_KEPT - 1 - age) % SIZING_KEPT];
}

double
sizing_largest(const struct sizing *s, uint32_t batches)
{
	double largest = 0;
	uint32_t age;

	for (age = 0; age < s->count && age < batches; age++)
		if (sizing_before(s, age)->n > largest)
			largest = sizing_before(s, age)->n;
	return largest;
}

void
sizing_solve(struct sizing_fit *f, double weight, double g, double gg)
{
	double determinant = gg * f->xx - f->x * f->x;
	double squares;

	if (determinant < 1e-9 * gg * f->xx) {
		f->a = 0;
		f->c = f->xg / f->xx;
	} else {
		f->c = (gg * f->xg - f->x * g) / determinant;
		f->a = (g - f->c * f->x) / gg;
	}
	if (f->a < 0) {
		f->a = 0;
		f->c = f->xg / f->xx;
	}
	if (f->c < 0) {
		f->c = 0;
		f->a = g / gg;
	}
	squares = weight - 2 * f->a * g - 2 * f->c * f->xg + f->a * f->a * gg +
	    2 * f->a * f->c * f->x + f->c * f->c * f->xx;
	f->residual = (squares > 0 ? squares / weight : 0) + SIZING_NOISE;
}

void
sizing_add(struct sizing_fit *f, double weight, double x, double g)
{
	f->x = f->x * SIZING_FADE + weight * x / (g * g);
	f->xx = f->xx * SIZING_FADE + weight * x * x / (g * g);
	f->xg = f->xg * SIZING_FADE + weight * x / g;
}

double
sizing_at(const struct sizing_fit *f, double x)
{
	return f->a + f->c * x;
}

/* By how much it is above the fit so far, added up (M6).  A single batch does
 * not make a change, however far out it is. */
static bool
sizing_has_changed(struct sizing_fit *f, double x, double g)
{
	double off = (g - sizing_at(f, x)) /
	    (sizing_at(f, x) * numbers_root(f->residual));

	f->cusum += numbers_within(off, -3, 3) - SIZING_CUSUM_SLACK;
	if (f->cusum < 0)
		f->cusum = 0;
	return f->cusum > SIZING_CUSUM_LINE;
}

double
sizing_batches(const struct sizing *s)
{
	return s->squares > 0 ? s->weight * s->weight / s->squares : 0;
}

void
sizing_forget(struct sizing *s, double left)
{
	double share = left / sizing_batches(s);
	struct sizing_fit *f;

	for (f = s->fit; f < s->fit + SIZING_POWERS; f++)
		f->cusum = 0;
	if (share >= 1)
		return;
	s->weight *= share;
	s->squares *= share;
	s->g *= share;
	s->gg *= share;
	for (f = s->fit; f < s->fit + SIZING_POWERS; f++) {
		f->x *= share;
		f->xx *= share;
		f->xg *= share;
	}
}

double
sizing_least_residual(const struct sizing_fit *f, size_t count)
{
	double least = f->residual;
	size_t i;

	for (i = 1; i < count; i++)
		if (f[i].residual < least)
			least = f[i].residual;
	return least;
}

bool
sizing_is_credible(const struct sizing_fit *f, double least, double weight,
    uint32_t count)
{
	return count <= 3 || f->residual <= least * (1 + SIZING_CREDIBLE /
	    (weight > 1 ? weight : 1));
}

struct sizing_curve
sizing_curve(const struct sizing *s)
{
	double least = sizing_least_residual(s->fit, SIZING_POWERS);
	struct sizing_curve curve;
	int best = SIZING_LINEAR;
	int i;

	if (!sizing_is_credible(&s->fit[best], least, sizing_batches(s),
	    s->count))
		for (i = 0; i < SIZING_POWERS; i++)
			if (s->fit[i].residual < s->fit[best].residual)
				best = i;
	curve.fixed = s->fit[best].a > 0 ? s->fit[best].a : 0;
	curve.each = s->fit[best].c;
	curve.power = sizing_power(best);
	return curve;
}

static double
sizing_on(const struct sizing_curve *c, double n)
{
	return c->fixed + c->each * numbers_pow(n, c->power);
}

uint64_t
sizing_expect(const struct sizing *s, uint32_t n)
{
	double ratio[SIZING_USUAL], r;
	uint32_t count = s->count < SIZING_USUAL ? s->count : SIZING_USUAL;
	const struct sizing_seen *seen;
	struct sizing_curve c;
	uint32_t i, j;

	if (count == 0 || n == 0)
		return 0;
	c = sizing_curve(s);
	for (i = 0; i < count; i++) {
		seen = sizing_before(s, i);
		r = seen->g / sizing_on(&c, seen->n);
		for (j = i; j > 0 && ratio[j - 1] > r; j--)
			ratio[j] = ratio[j - 1];
		ratio[j] = r;
	}
	return numbers_whole(ratio[count / 2] * sizing_on(&c, n),
	    UINT64_MAX / 2);
}

double
sizing_at_least(double factor, double deviations, double squares, double count)
{
	double least = 1 + deviations * numbers_root((squares +
	    SIZING_BELIEF * SIZING_BELIEVED * SIZING_BELIEVED) /
	    (count + SIZING_BELIEF));

	return factor > least ? factor : least;
}

/* M2, of all powers in one pass. */
static void
sizing_find_factors(struct sizing *s)
{
	double x[SIZING_POWERS], above[SIZING_POWERS], squares[SIZING_POWERS];
	double least = sizing_largest(s, 8) / 4;
	double ratio, counted = 0, recent = 0;
	const struct sizing_seen *seen;
	uint32_t age;
	int i;

	for (i = 0; i < SIZING_POWERS; i++) {
		above[i] = 1;
		squares[i] = 0;
	}
	for (age = 0; age < s->count; age++) {
		seen = sizing_before(s, age);
		if (seen->n < least)
			continue;
		counted++;
		recent += age < SIZING_RECENT;
		sizing_powers(seen, x);
		for (i = 0; i < SIZING_POWERS; i++) {
			ratio = seen->g / sizing_at(&s->fit[i], x[i]);
			if (age < SIZING_RECENT)
				squares[i] += (ratio - 1) * (ratio - 1);
			if (ratio <= above[i])
				continue;
			if (age > SIZING_FRESH)
				ratio = numbers_pow(ratio, numbers_pow(0.5,
				    (double)(age - SIZING_FRESH) /
				    SIZING_STALE));
			if (ratio > above[i])
				above[i] = ratio;
		}
	}
	for (i = 0; i < SIZING_POWERS; i++) {
		above[i] = 1 + (above[i] - 1) * (1 + 2 / (counted + 1));
		s->fit[i].factor = sizing_at_least(above[i] * SIZING_WIDE,
		    SIZING_DEVIATIONS, squares[i], recent);
	}
}

double
sizing_margin(const struct sizing *s, const struct sizing_fit *f, double x)
{
	return f->factor * sizing_at(f, x) * (s->loaded > 0 ?
	    SIZING_LOADED_WIDER : 1);
}

void
sizing_remember(struct sizing *s, double n, double g, bool cut)
{
	double x[SIZING_POWERS];
	struct sizing_seen seen;
	bool changed = false;
	double least, weight;
	int i;

	seen.n = (float)n;
	seen.g = (float)g;
	seen.power06 = (float)numbers_pow(n, 0.6);
	seen.root = (float)numbers_root(n);
	sizing_powers(&seen, x);

	if (s->count > 3) {
		least = sizing_least_residual(s->fit, SIZING_POWERS);
		for (i = 0; i < SIZING_POWERS; i++)
			if (sizing_has_changed(&s->fit[i], x[i], g) &&
			    s->fit[i].residual <= least)
				changed = true;
		if (changed)
			sizing_forget(s, 3);
	}
	if (!cut || s->count == 0) {
		s->seen[s->next] = seen;
		s->next = (s->next + 1) % SIZING_KEPT;
		if (s->count < SIZING_KEPT)
			s->count++;
	}
	/* Of n that are off each by itself the error falls as 1/root n, and n
	 * would be right; of a batch that is off as a whole, 1. */
	weight = numbers_root(n);
	s->weight = s->weight * SIZING_FADE + weight;
	s->squares = s->squares * SIZING_FADE * SIZING_FADE + weight * weight;
	s->g = s->g * SIZING_FADE + weight / g;
	s->gg = s->gg * SIZING_FADE + weight / (g * g);
	for (i = 0; i < SIZING_POWERS; i++) {
		sizing_add(&s->fit[i], weight, x[i], g);
		sizing_solve(&s->fit[i], s->weight, s->g, s->gg);
	}
	sizing_find_factors(s);
}
