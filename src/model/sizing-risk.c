/*
 * sizing-risk.c - how bold a batch may be where a kill has a price (M7)
 */
#include "model/sizing-fit.h"

#include <string.h>

#include "model/numbers.h"

#define RISK_KEPT   128  /* batches whose ratios are counted */
#define RISK_TIMED  8    /* batches, until time is a line */
#define RISK_SPREAD 0.01 /* of n, squared and relative: less tells no line */
#define RISK_STEP   1.02
#define RISK_MOST   2.2  /* times what is safe */
#define RISK_GAIN   1.01 /* or it is not worth a kill */
#define RISK_OFTEN  0.2  /* that one is killed: nothing is known any more */
#define RISK_FADE   0.998
#define RISK_LATELY 8    /* batches that say how far the fit lags behind */

/* What is known for one power: g over the fit of the batches that are like the
 * next, and by how much these are above it lately. */
struct sizing_odds {
	const struct sizing_fit *fit;
	double power;
	double lag;
	uint32_t count;
	float ratio[RISK_KEPT];
};

void
sizing_risk_time(struct sizing *s, double n, double t)
{
	struct sizing_clock *c = &s->clock;

	c->weight = c->weight * RISK_FADE + 1;
	c->t = c->t * RISK_FADE + 1 / t;
	c->tt = c->tt * RISK_FADE + 1 / (t * t);
	c->n = c->n * RISK_FADE + n / t;
	c->nt = c->nt * RISK_FADE + n / (t * t);
	c->nn = c->nn * RISK_FADE + n * n / (t * t);
}

/* Least squares of 1 - (a + b n)/t, neither below 0.  Of sizes that hardly
 * differ nothing is said to be fixed, and a larger batch to bring nothing. */
static bool
risk_line(const struct sizing_clock *c, double *fixed, double *each)
{
	double determinant = c->tt * c->nn - c->nt * c->nt;

	if (c->weight < RISK_TIMED || !(c->nn > 0))
		return false;
	*fixed = 0;
	if (determinant > RISK_SPREAD * c->tt * c->nn) {
		*each = (c->tt * c->n - c->nt * c->t) / determinant;
		*fixed = (c->t - *each * c->nt) / c->tt;
		if (*each < 0) {
			*each = 0;
			*fixed = c->t / c->tt;
		}
	}
	if (!(*fixed > 0)) {
		*fixed = 0;
		*each = c->n / c->nn;
	}
	return true;
}

/* Of a work that grows the fit is behind, and of the last batches all are above
 * it. */
static double
risk_lag(const struct sizing_odds *odds)
{
	uint32_t few = odds->count < RISK_LATELY ? odds->count : RISK_LATELY;
	double sum = 0;
	uint32_t i;

	for (i = 0; i < few; i++)
		sum += (double)odds->ratio[i];
	return few > 0 && sum > few ? sum / few : 1;
}

/* Batches of this order of size, as M2 counts them. */
static void
risk_count(const struct sizing *s, int power, struct sizing_odds *odds)
{
	const struct sizing_fit *f = &s->fit[power];
	double least = sizing_largest(s, 8) / 4;
	double x[SIZING_POWERS];
	const struct sizing_seen *seen;
	uint32_t age;

	memset(odds, 0, sizeof(*odds));
	odds->fit = f;
	odds->power = sizing_power(power);
	for (age = 0; age < s->count && age < RISK_KEPT; age++) {
		seen = sizing_before(s, age);
		if (seen->n < least)
			continue;
		sizing_powers(seen, x);
		odds->ratio[odds->count++] = (float)(seen->g /
		    sizing_at(f, x[power]));
	}
	odds->lag = risk_lag(odds);
}

/*
 * That a batch of @n grows beyond @room.  Of so many that are alike, and one
 * more, each is the largest with the same chance; so as long as nothing else is
 * known of what lies beyond them it is never less than that.
 */
static double
risk_of(const struct sizing_odds *o, double n, double room)
{
	double ratio = room / (o->lag *
	    sizing_at(o->fit, numbers_pow(n, o->power)));
	double above = 1;
	uint32_t i;

	for (i = 0; i < o->count; i++)
		above += o->ratio[i] >= ratio;
	return above / (o->count + 1);
}

static double
risk_worst(const struct sizing_odds *odds, int count, double n, double room)
{
	double worst = 0, p;
	int i;

	for (i = 0; i < count; i++) {
		p = risk_of(&odds[i], n, room);
		if (p > worst)
			worst = p;
	}
	return worst;
}

double
sizing_risk(const struct sizing *s, double safe, double room)
{
	double least = sizing_least_residual(s->fit, SIZING_POWERS);
	double cost = (double)s->conf.kill_cost_ns;
	double fixed, each, n, p, rate, best, chosen = safe;
	struct sizing_odds odds[SIZING_POWERS];
	int count = 0, i;

	if (!(cost > 0) || !(room > 0) || safe < 1 ||
	    !risk_line(&s->clock, &fixed, &each))
		return safe;
	for (i = 0; i < SIZING_POWERS; i++)
		if (sizing_is_credible(&s->fit[i], least, sizing_batches(s),
		    s->count))
			risk_count(s, i, &odds[count++]);
	/* What is safe is taken to be; else nothing bolder would be dearer. */
	best = RISK_GAIN * safe / (fixed + each * safe);
	for (n = RISK_STEP * safe; n <= RISK_MOST * safe + 1; n = n * RISK_STEP + 0.01) {
		p = risk_worst(odds, count, n, room);
		if (p > RISK_OFTEN)
			break;
		rate = n * (1 - p) / (fixed + each * n + p * cost);
		if (rate > best) {
			best = rate;
			chosen = n;
		}
	}
	return chosen;
}
