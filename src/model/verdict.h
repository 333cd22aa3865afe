/*
 * verdict.h - does it keep growing, since when, how sure is that
 *
 * Floor 1 (model).  May use: base.  Used by: control, the tools.
 * Contexts: pure functions; no clock, no I/O, no state of their own; 20 KiB
 * of stack.
 */
#ifndef MODEL_VERDICT_H
#define MODEL_VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As `heaptide leaks` says it; strongest last. */
enum verdict_kind {
	VERDICT_UNKNOWN, /* too few epochs to say */
	VERDICT_STABLE,
	VERDICT_SATURATED, /* it grew, and has stopped: a cache, a pool */
	VERDICT_STEP,      /* it grew at one moment, and stayed */
	VERDICT_GROWING
};

/* What a site (or the heap) held when an epoch ended. */
struct verdict_point {
	double epoch;     /* number; growing, not always by the same */
	double at;        /* seconds */
	double live;      /* bytes */
	double allocated; /* bytes, since the start of the program */
	double survived;  /* of what was made since the point before (the first:
	                   * ever), bytes that live at the last point; 0 in all
	                   * points: not known */
};

#define VERDICT_POINTS 32

struct verdict_options {
	size_t warmup; /* epochs left out at the start; SIZE_MAX: by itself */
	double error;  /* standard error of the last point's live; 0: exact */
	bool sum;      /* of many sites: blocks of every age are always there */
	/* What growth must come to, or it is minor; 0: no budget is set. */
	double budget;    /* bytes */
	double remaining; /* seconds that the program will still run */
	double effect;    /* share of the budget; 0: VERDICT_EFFECT */
};

#define VERDICT_EFFECT 0.02

struct verdict {
	enum verdict_kind kind;
	double per_epoch, low, high; /* bytes; 95 % */
	double per_second;
	double p;       /* of the Mann-Kendall test, one-sided: it rises */
	double q;       /* after verdict_control() */
	double least;   /* that p could be; 1: it never moved */
	size_t since;   /* the point at which growth begins; just after the step;
	                 * at which it was full */
	double rose;    /* bytes, not given back since: since the growth
	                 * began, by the step, in all */
	size_t points;  /* that were used */
	bool minor;     /* too slow to matter before the program ends */
	bool doubted;   /* GROWING, but for this: it may be chance */
	size_t order;   /* verdict_control()'s own */
};

/*
 * @points: at most VERDICT_POINTS, in order of time; the last one is now, or
 * what survived would be of another moment than what is live.
 */
void verdict_of(const struct verdict_point *points, size_t count,
    const struct verdict_options *options, struct verdict *verdict);

/* How often verdict_control() lets one be wrong. */
#define VERDICT_LEVEL 0.01

/*
 * Of many sites some rise by chance.  Fill in q of all, and let those be
 * GROWING only of which together no more than @level are wrong, on average;
 * the others become UNKNOWN, and doubted.  All sites of a program at once.
 */
void verdict_control(struct verdict *verdict, size_t count, double level);

/*
 * Which is to be told first?  Below 0: @a; above 0: @b; as qsort() wants it,
 * for pointers to struct verdict.
 */
int verdict_compare(const void *a, const void *b);

/* "growing", "step", "saturated", "stable", "unknown" */
const char *verdict_name(enum verdict_kind kind);

#endif
