/*
 * stats.h - tests on short series, and the little mathematics they need
 *
 * Floor 1 (model).  May use: base.  Used by: model, plan, and heaptide.h, of
 * which it is a part: C99 and C++11.
 * Contexts: pure functions; no clock, no I/O, no state of their own; at most
 * 6 KiB of stack.  No libm is loaded into a program of others.
 */
#ifndef MODEL_STATS_H
#define MODEL_STATS_H

#include <stddef.h>

/* Upwards.  Shell's: inside a program, libc's qsort() may call malloc(). */
void stats_sort(double *value, size_t count);

/* Of x >= 0; to the last bit or the one before. */
double stats_root(double x);

/* e to the -x, for x >= 0; to 14 digits, and 0 where it is below 1e-300. */
double stats_exp_minus(double x);

/* How likely a normal variable is above z; to 12 digits of itself. */
double stats_normal_above(double z);

#define STATS_KENDALL_POINTS 32

/*
 * Does it rise?  (H. B. Mann, Nonparametric tests against trend, Econometrica
 * 13, 1945; M. G. Kendall, Rank correlation methods, 4th ed. 1975.)
 *
 * s counts the pairs of which the later is greater, less those of which it is
 * less.  If all orders of the values are equally likely, then s is pairs - 2 i
 * with i the inversions of a random order of a multiset; of i the generating
 * function is known, the Gaussian multinomial coefficient of the sizes of the
 * ties, so p is exact whatever the ties (P. A. MacMahon, Two applications of
 * general theorems in combinatory analysis, Proc. LMS 15, 1916).
 */
struct stats_kendall {
	double s;
	double pairs;    /* that are not tied; the most that s can be */
	double variance; /* of s, ties considered */
	double p;        /* that s is so great or greater; 1: all are tied */
	double least;    /* that p could be, with these ties */
};

/* @count: at most STATS_KENDALL_POINTS. */
void stats_kendall(const double *value, size_t count, struct stats_kendall *k);

/*
 * How likely it is that of @count independent events, each with its own
 * @chance, at least @least happen.  @count: at most STATS_KENDALL_POINTS.
 */
double stats_at_least(const double *chance, size_t count, size_t least);

#endif
