/*
 * numbers.h - powers and logarithms, without a libm
 *
 * Floor 1 (model).  May use: base.  Used by: model, tools.
 * Contexts: pure functions; no clock, no I/O, no state of their own.
 * Portable: C99 and C++11; part of the public header.
 *
 * glibc has these in libm, which the library must not bring into programs of
 * others, and which a program that includes the header may not be linked with.
 * All are right to 1e-14 of their value or better, powers to 1e-14 between
 * 1e-20 and 1e20 and to 2e-13 beyond.  No argument is wrong: what mathematics
 * leaves undefined is answered as said here.
 */
#ifndef MODEL_NUMBERS_H
#define MODEL_NUMBERS_H

#include <stdint.h>

/* The natural logarithm; -1e300 of 0, of what is below, and of no number. */
double numbers_log(double x);

/* e to the @x; 0 below -708, 1e308 above 709. */
double numbers_exp(double x);

/* @x to the @y, for x >= 0; 0 to any power, and below 0, is 0. */
double numbers_pow(double x, double y);

/* The square root; 0 of 0 and of what is below. */
double numbers_root(double x);

/* The largest k with 2^k <= @n; 0 for 0. */
uint32_t numbers_log2(uint64_t n);

/* @x as a whole number: 0 below 0 and of no number, @most above @most. */
uint64_t numbers_whole(double x, uint64_t most);

static inline double
numbers_within(double x, double least, double most)
{
	/* Written so that what is no number comes out as @least. */
	return x > least ? (x < most ? x : most) : least;
}

#endif
