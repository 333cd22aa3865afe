#include "model/sampling.h"

#include <string.h>

/* No libm is loaded into a program of others, so here is what we need of it. */

/*
 * 1 - exp(-x), for x >= 0.  By its series where x is small, which leaves no
 * small difference of large numbers; from there by 1 - e^-2y = q (2 - q) with
 * q = 1 - e^-y, as often as x was halved.
 */
static double
one_less_exp(double x)
{
	double q = 0;
	int halved = 0;
	int i;

	if (x > 50)
		return 1;
	for (; x > 0.5; x /= 2)
		halved++;
	/* x (1 - x/2 (1 - x/3 (...))): from the 18th term on below 2^-60. */
	for (i = 18; i > 0; i--)
		q = x / i * (1 - q);
	for (; halved > 0; halved--)
		q *= 2 - q;
	return q;
}

/*
 * The natural logarithm of x > 0.  x = m 2^e with m around 1; then
 * ln m = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...) with s = (m - 1) / (m + 1),
 * which is below 0.172: from the 12th term on below 2^-60.
 */
static double
logarithm(double x)
{
	static const double ln2 = 0.693147180559945309417;
	uint64_t bits;
	double sum = 0;
	double s;
	double m;
	int e;
	int i;

	memcpy(&bits, &x, sizeof(bits));
	e = (int)(bits >> 52 & 0x7ff) - 1023;
	bits = (bits & ((UINT64_C(1) << 52) - 1)) | UINT64_C(1023) << 52;
	memcpy(&m, &bits, sizeof(m));
	if (m > 1.41421356237309505) {
		m /= 2;
		e++;
	}
	s = (m - 1) / (m + 1);
	for (i = 23; i > 0; i -= 2)
		sum = sum * s * s + 1.0 / i;
	return 2 * s * sum + e * ln2;
}

double
sampling_chance(uint64_t bytes, uint64_t mean)
{
	if (bytes >= sampling_large(mean))
		return 1;
	return one_less_exp((double)bytes / (double)mean);
}

uint64_t
sampling_distance(uint64_t mean, uint64_t random)
{
	/* In (0, 1], of 53 bits: never 0, which has no logarithm. */
	double u = ((double)(random >> 11) + 1) / 9007199254740992.0;

	return (uint64_t)(-logarithm(u) * (double)mean) + 1;
}

struct sampling_weight
sampling_weigh(uint64_t bytes, uint64_t mean)
{
	double p = sampling_chance(bytes, mean);
	double s = (double)bytes;

	/* A block of no bytes has no mark in it, and stands for itself. */
	if (p <= 0)
		return (struct sampling_weight){ .blocks = 1 };
	return (struct sampling_weight){
		.blocks = 1 / p,
		.bytes = s / p,
		.variance = s * s * (1 - p) / (p * p),
	};
}
