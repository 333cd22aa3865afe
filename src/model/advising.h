/*
 * advising.h - what the parts of advice.c share, and nobody else
 *
 * Floor 1 (model).  May use: base, numbers.  Used by: advice.c, advice-op.c,
 * advice-process.c.
 * Contexts: as advice.h.
 */
#ifndef MODEL_ADVISING_H
#define MODEL_ADVISING_H

#include "base/base.h"
#include "model/advice.h"
#include "model/numbers.h"

struct advising {
	const struct advice_facts *facts;
	struct advice *list;
	size_t count, room;
};

/* --- advising.c ----------------------------------------------------------- */

/* A fresh one, else zero; in a full list in place of the last. */
struct advice *advising_add(struct advising *a, enum advice_id id,
    enum advice_severity severity, int op);

/* --- advice-op.c, advice-process.c ---------------------------------------- */

/* All that is to be said of one operation, and of the process. */
void advising_op(struct advising *a, const struct tide_op_stats *op, int i);
void advising_process(struct advising *a);

/* --- inline --------------------------------------------------------------- */

#define ADVISING_MOST 1e18 /* more than any number of bytes or items there is */

/* Not below 0, and a number. */
static inline double
advising_sane(double x)
{
	return numbers_within(x, 0, ADVISING_MOST);
}

static inline double
advising_ratio(double a, double b)
{
	return b > 0 ? advising_sane(a / b) : 0;
}

/* A whole number of items, at least one. */
static inline double
advising_whole(double n)
{
	return (double)numbers_whole(n < 1 ? 1 : n, UINT32_MAX);
}

static inline bool
advising_budgeted(const struct advice_facts *f)
{
	return f->budget != TIDE_NONE && f->budget != 0;
}

static inline double
advising_share(const struct advice_facts *f, double bytes)
{
	return advising_budgeted(f) ? advising_ratio(bytes,
	    (double)f->budget) : 0;
}

/*
 * The share of the budget that batches may fill: the target, or a little less
 * than what is critical, as they are cut there.
 */
static inline double
advising_target(const struct advice_facts *f)
{
	double target = f->target_mille != 0 ? f->target_mille : 900;
	double critical = f->critical_mille != 0 ? f->critical_mille : 1000;

	critical = 0.97 * critical;
	return numbers_within(target < critical ? target : critical, 100,
	    980) / 1000;
}

/* What is used while no batch of @op runs, at most. */
static inline double
advising_baseline(const struct advice_facts *f, const struct tide_op_stats *op)
{
	return advising_sane((double)f->used_peak - (double)op->growth_most);
}

/* Of what shares are: the budget, or the most that was used. */
static inline double
advising_all(const struct advice_facts *f)
{
	return (double)(advising_budgeted(f) ? f->budget : f->used_peak);
}

/* What is left for a batch of @op beside that. */
static inline double
advising_left(const struct advice_facts *f, const struct tide_op_stats *op)
{
	return advising_budgeted(f) ? advising_target(f) * (double)f->budget -
	    advising_baseline(f, op) : ADVISING_MOST;
}

#define ADVISING_BATCHES    8    /* from so many on sums mean something */
#define ADVISING_KNEE_FAST  0.97 /* knee.h: within 2 %, and a little noise */

/* Was the rate at the knee as high as that of the largest batches? */
static inline bool
advising_knee_is_fast(const struct tide_op_stats *op)
{
	return advising_sane(op->knee_rate) >= ADVISING_KNEE_FAST *
	    advising_sane(op->most_rate);
}

#endif
