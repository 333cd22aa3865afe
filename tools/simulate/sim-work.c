/*
 * sim-work.c - the twelve workloads, and the chance they are made of
 *
 * Sizes are MiB.  Of most an item is 2 on average, so some 440 fit into the
 * 1000 of the budget, of which 100 are used before any batch.
 */
#include <string.h>

#include "base/base.h"
#include "model/numbers.h"
#include "simulate/simulate.h"

#define SIZE(mib) ((mib) * 1048576.0)
#define WHOLE     SIZE(20.0) /* a batch of additive items, beside them */

/* What is used without any batch; the time that one takes beside its items; the
 * sigma of the logarithm of what a batch as a whole takes. */
#define MADE SIZE(100.0), WHOLE, 16, 0.05

/* Nothing is as large as this: a budget of 1000 must hold one at least. */
#define LARGEST 600.0

double
sim_even(uint64_t *random)
{
	*random += UINT64_C(0x9e3779b97f4a7c15); /* splitmix64 */
	return ((double)(mix_u64(*random) >> 11) + 0.5) / 9007199254740992.0;
}

/* G. Marsaglia's polar method; the second of the two is not used. */
double
sim_normal(uint64_t *random)
{
	double u, v, square;

	do {
		u = 2 * sim_even(random) - 1;
		v = 2 * sim_even(random) - 1;
		square = u * u + v * v;
	} while (square >= 1);
	return u * numbers_root(-2 * numbers_log(square) / square);
}

/* Its mean is not 1 but exp(sigma^2 / 2). */
static double
lognormal(uint64_t *random, double sigma)
{
	return numbers_exp(sigma * sim_normal(random));
}

/* Of mean 2, if nothing were too large. */
static double
pareto(uint64_t *random, double alpha)
{
	double x = 2 * (alpha - 1) / alpha *
	    numbers_pow(sim_even(random), -1 / alpha);

	return SIZE(x < LARGEST ? x : LARGEST);
}

/* --- items ---------------------------------------------------------------- */

static double
item_linear(uint64_t *random, size_t i, size_t items)
{
	(void)i, (void)items;
	return SIZE(2 * (1 + 0.05 * sim_normal(random)));
}

static double
item_drift(uint64_t *random, size_t i, size_t items)
{
	return SIZE((1 + 4.0 * (double)i / (double)items) *
	    lognormal(random, 0.1));
}

static double
item_bursts(uint64_t *random, size_t i, size_t items)
{
	(void)items;
	return SIZE((i / 300 % 7 == 6 ? 6 : 1) * lognormal(random, 0.1));
}

static double
item_lognormal(uint64_t *random, size_t i, size_t items)
{
	(void)i, (void)items;
	return SIZE(2 * lognormal(random, 1) * 0.60653065971263342);
}

static double
item_pareto_21(uint64_t *random, size_t i, size_t items)
{
	(void)i, (void)items;
	return pareto(random, 2.1);
}

static double
item_pareto_15(uint64_t *random, size_t i, size_t items)
{
	(void)i, (void)items;
	return pareto(random, 1.5);
}

static double
item_padded(uint64_t *random, size_t i, size_t items)
{
	(void)i, (void)items;
	return SIZE(lognormal(random, 0.5) * 0.88249690258459546);
}

static double
item_even(uint64_t *random, size_t i, size_t items)
{
	(void)i, (void)items;
	return SIZE(2 * lognormal(random, 0.2));
}

/* --- batches -------------------------------------------------------------- */

static double
growth_additive(const struct sim_work *w, const float *item, size_t n,
    double noise)
{
	double sum = 0;
	size_t i;

	for (i = 0; i < n; i++)
		sum += item[i];
	return w->whole + sum * noise;
}

static double
growth_padded(const struct sim_work *w, const float *item, size_t n,
    double noise)
{
	double largest = 0;
	size_t i;

	(void)noise;
	for (i = 0; i < n; i++)
		if (item[i] > largest)
			largest = item[i];
	return w->whole + (double)n * largest;
}

static double
growth_square(const struct sim_work *w, const float *item, size_t n,
    double noise)
{
	(void)w, (void)item;
	return SIZE(10 + 0.02 * (double)n * (double)n * noise);
}

static double
growth_sublinear(const struct sim_work *w, const float *item, size_t n,
    double noise)
{
	(void)w, (void)item;
	return SIZE(10 + 20 * numbers_pow((double)n, 0.7) * noise);
}

static double
growth_fixed(const struct sim_work *w, const float *item, size_t n,
    double noise)
{
	(void)w, (void)item;
	return SIZE(300 + 0.5 * (double)n * noise);
}

const struct sim_work sim_works[] = {
	{ "linear", "2 MiB an item, 5 % about it", true, false, 0, 0,
	    MADE, item_linear, growth_additive, NULL },
	{ "quadratic", "pairs: 0.02 n^2", false, false, 0, 0,
	    MADE, NULL, growth_square, NULL },
	{ "sublinear", "20 n^0.7", false, false, 0, 0,
	    MADE, NULL, growth_sublinear, NULL },
	{ "drift", "from 1 to 5 MiB an item, slowly", true, false, 0, 0,
	    MADE, item_drift, growth_additive, NULL },
	{ "bursts", "1 MiB, and 300 of 2100 items 6", true, false, 0, 0,
	    MADE, item_bursts, growth_additive, NULL },
	{ "lognormal", "sigma 1", true, false, 0, 0,
	    MADE, item_lognormal, growth_additive, NULL },
	{ "pareto-2.1", "tail of 2.1", true, false, 0, 0,
	    MADE, item_pareto_21, growth_additive, NULL },
	{ "pareto-1.5", "tail of 1.5, up to 600 MiB", true, false, 0, 0,
	    MADE, item_pareto_15, growth_additive, NULL },
	{ "padded", "all as large as the largest", false, true, 0, 0,
	    MADE, item_padded, growth_padded, NULL },
	{ "leak", "20 KiB of each item stay", true, false, SIZE(0.02), 0,
	    MADE, item_even, growth_additive, NULL },
	{ "wave", "the budget falls to 60 % and returns", true, false, 0, 0.6,
	    MADE, item_even, growth_additive, NULL },
	{ "fixed-cost", "300 MiB a batch, 0.5 an item", false, false, 0, 0,
	    MADE, NULL, growth_fixed, NULL },
};

const size_t sim_works_count = ARRAY_LENGTH(sim_works);

const struct sim_work *
sim_work_find(const char *name)
{
	size_t i;

	for (i = 0; i < sim_works_count; i++)
		if (strcmp(sim_works[i].name, name) == 0)
			return &sim_works[i];
	return NULL;
}
