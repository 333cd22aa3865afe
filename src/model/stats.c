#include "model/stats.h"

#include <stdint.h>
#include <string.h>

#define POINTS STATS_KENDALL_POINTS
#define PAIRS (POINTS * (POINTS - 1) / 2)

void
stats_sort(double *value, size_t count)
{
	size_t gap, i, j;
	double v;

	for (gap = count / 2; gap > 0; gap /= 2)
		for (i = gap; i < count; i++) {
			v = value[i];
			for (j = i; j >= gap && value[j - gap] > v; j -= gap)
				value[j] = value[j - gap];
			value[j] = v;
		}
}

/*
 * A power of two above the root of x > 0: of 2^e x's with x in [1, 2), half of
 * e and one more.
 */
static double
above_root(double x)
{
	uint64_t bits;
	double power;

	memcpy(&bits, &x, sizeof(bits));
	bits = ((bits >> 52) + 1023) / 2 + 1;
	bits <<= 52;
	memcpy(&power, &bits, sizeof(power));
	return power;
}

/* Newton's, from above: six steps or seven. */
double
stats_root(double x)
{
	double root, next;

	if (!(x > 0))
		return 0;
	root = above_root(x);
	next = (root + x / root) / 2;
	while (next < root) {
		root = next;
		next = (root + x / root) / 2;
	}
	return root;
}

/*
 * Halved until it is below 1/2, where the 15th term of the series is below
 * 2^-55; then squared as often, each time with twice the relative error.
 */
double
stats_exp_minus(double x)
{
	double e = 1;
	int halved = 0;
	int i;

	if (x > 690)
		return 0;
	for (; x > 0.5; x /= 2)
		halved++;
	for (i = 15; i > 0; i--)
		e = 1 - x / i * e;
	for (; halved > 0; halved--)
		e *= e;
	return e;
}

/*
 * Below 3 by the series of Phi around 0, whose terms are all positive; above
 * by the continued fraction of Mills' ratio (Abramowitz and Stegun 26.2.11,
 * 26.2.14).
 */
double
stats_normal_above(double z)
{
	double density, sum, term;
	int i;

	if (z < 0)
		return 1 - stats_normal_above(-z);
	density = 0.398942280401432677940 * stats_exp_minus(z * z / 2);
	if (z < 3) {
		sum = term = z;
		for (i = 3; i < 101; i += 2) {
			term *= z * z / i;
			sum += term;
		}
		return 0.5 - density * sum;
	}
	sum = z;
	for (i = 100; i > 0; i--)
		sum = z + i / sum;
	return density / sum;
}

/* --- Kendall's test ------------------------------------------------------- */

/*
 * Polynomials in q, lowest power first, of which no more than @count terms are
 * of interest.  [m] is 1 + q + ... + q^(m-1).
 */
static void
multiply(double *c, size_t count, size_t m)
{
	double before[PAIRS + 1];
	double sum = 0;
	size_t i;

	memcpy(before, c, count * sizeof(*c));
	for (i = 0; i < count; i++) {
		sum += before[i];
		if (i >= m)
			sum -= before[i - m];
		c[i] = sum;
	}
}

static void
divide(double *c, size_t count, size_t m)
{
	double sum = 0; /* of the m - 1 terms before */
	size_t i;

	for (i = 0; i < count; i++) {
		c[i] -= sum;
		sum += c[i];
		if (i + 1 >= m)
			sum -= c[i + 1 - m];
	}
}

/*
 * How likely at most @most inversions are.  Group after group of equal values
 * is added to those there are, in steps of which each is a polynomial with
 * coefficients that count something: so none is a small difference of great
 * numbers, and up to 2^53 they are exact.
 */
static double
inversions(const size_t *group, size_t groups, size_t most)
{
	double c[PAIRS + 1] = { 1 };
	size_t count = most + 1;
	size_t there = 0;
	double orders = 1;
	double sum = 0;
	size_t i, j;

	for (i = 0; i < groups; i++)
		for (j = 1; j <= group[i]; j++) {
			there++;
			multiply(c, count, there);
			divide(c, count, j);
			orders *= (double)there / (double)j;
		}
	for (i = 0; i < count; i++)
		sum += c[i];
	return sum / orders;
}

/* Sizes of the groups of equal values. */
static size_t
ties(const double *value, size_t count, size_t *group)
{
	double sorted[POINTS];
	size_t groups = 0;
	size_t i;

	memcpy(sorted, value, count * sizeof(*value));
	stats_sort(sorted, count);
	for (i = 0; i < count; i++)
		if (i > 0 && sorted[i] <= sorted[i - 1])
			group[groups - 1]++;
		else
			group[groups++] = 1;
	return groups;
}

static double
rises(const double *value, size_t count)
{
	double s = 0;
	size_t i, j;

	for (i = 0; i < count; i++)
		for (j = i + 1; j < count; j++)
			s += (value[j] > value[i]) - (value[j] < value[i]);
	return s;
}

void
stats_kendall(const double *value, size_t count, struct stats_kendall *k)
{
	size_t group[POINTS];
	double n = (double)count;
	size_t groups, i;
	double t;

	memset(k, 0, sizeof(*k));
	k->p = k->least = 1;
	if (count < 2)
		return;
	groups = ties(value, count, group);
	k->pairs = n * (n - 1) / 2;
	k->variance = n * (n - 1) * (2 * n + 5) / 18;
	for (i = 0; i < groups; i++) {
		t = (double)group[i];
		k->pairs -= t * (t - 1) / 2;
		k->variance -= t * (t - 1) * (2 * t + 5) / 18;
	}
	if (groups < 2)
		return;
	k->s = rises(value, count);
	k->least = inversions(group, groups, 0);
	/* It is symmetrical, in steps of 2: the side that is short. */
	if (k->s > 0)
		k->p = inversions(group, groups,
		    (size_t)(k->pairs - k->s) / 2);
	else if (k->s > -k->pairs)
		k->p = 1 - inversions(group, groups,
		    (size_t)(k->pairs + k->s - 2) / 2);
}

/* --- others --------------------------------------------------------------- */

double
stats_at_least(const double *chance, size_t count, size_t least)
{
	double exactly[POINTS + 1] = { 1 };
	double sum = 0;
	size_t i, j;

	for (i = 0; i < count; i++)
		for (j = i + 2; j-- > 0;)
			exactly[j] = exactly[j] * (1 - chance[i]) +
			    (j > 0 ? exactly[j - 1] * chance[i] : 0);
	/* From the small ones up, or they are lost. */
	for (j = count + 1; j-- > least;)
		sum += exactly[j];
	return sum;
}
