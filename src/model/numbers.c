#include "model/numbers.h"

#include <string.h>

#include "base/base.h"

#define NUMBERS_LN2_HIGH 6.93147180369123816490e-01 /* its low 32 bits are 0 */
#define NUMBERS_LN2_LOW  1.90821492927058770002e-10
#define NUMBERS_ROOT_HALF 0.70710678118654752440
#define NUMBERS_MANTISSA ((UINT64_C(1) << 52) - 1)
#define NUMBERS_BIAS     1023

/* The bits of a double are sign, 11 of the exponent, 52 of the mantissa. */
static uint64_t
numbers_bits(double x)
{
	uint64_t bits;

	memcpy(&bits, &x, sizeof(bits));
	return bits;
}

static double
numbers_of_bits(uint64_t bits)
{
	double x;

	memcpy(&x, &bits, sizeof(x));
	return x;
}

/*
 * x = m 2^k with m near 1, and log m = 2 artanh s with s = (m - 1)/(m + 1),
 * at most 0.172: the 13th term is below 2^-63.
 */
double
numbers_log(double x)
{
	uint64_t bits;
	double k = 0, m, s, square, sum = 0;
	int i;

	if (!(x > 0))
		return -1e300;
	if (x > 1.7e308)
		x = 1.7e308;
	if (x < 2.3e-308) { /* its exponent is 0 */
		x *= 18014398509481984.0; /* 2^54 */
		k = -54;
	}
	bits = numbers_bits(x);
	k += (double)(bits >> 52) - NUMBERS_BIAS;
	m = numbers_of_bits((bits & NUMBERS_MANTISSA) |
	    (uint64_t)NUMBERS_BIAS << 52);
	if (m > 2 * NUMBERS_ROOT_HALF) {
		m /= 2;
		k++;
	}
	s = (m - 1) / (m + 1);
	square = s * s;
	for (i = 25; i >= 3; i -= 2)
		sum = (sum + 1.0 / i) * square;
	return k * NUMBERS_LN2_HIGH + (2 * s + (2 * s * sum +
	    k * NUMBERS_LN2_LOW));
}

/* x = k ln 2 + r, |r| < 0.35: the 15th term of the series is below 2^-60. */
double
numbers_exp(double x)
{
	double k, r, sum = 1;
	int i;

	if (!(x > -708))
		return 0;
	if (x > 709)
		return 1e308;
	k = (double)(int)(x * 1.44269504088896338700 + (x < 0 ? -0.5 : 0.5));
	r = (x - k * NUMBERS_LN2_HIGH) - k * NUMBERS_LN2_LOW;
	for (i = 15; i > 0; i--)
		sum = 1 + r / i * sum;
	/* 2^1023 times at most 1.42: k may be 1023, and -1021 at least. */
	return sum * numbers_of_bits((uint64_t)(NUMBERS_BIAS + (int)k) << 52);
}

double
numbers_pow(double x, double y)
{
	if (!(x > 0))
		return 0;
	return numbers_exp(y * numbers_log(x));
}

double
numbers_root(double x)
{
	double root;

	if (!(x > 0))
		return 0;
	root = numbers_exp(numbers_log(x) / 2);
	return (root + x / root) / 2; /* Newton's step doubles the digits */
}

uint32_t
numbers_log2(uint64_t n)
{
	return n == 0 ? 0 : 63 - (uint32_t)__builtin_clzll(n);
}

uint64_t
numbers_whole(double x, uint64_t most)
{
	return min_u64(whole_u64(x), most);
}
