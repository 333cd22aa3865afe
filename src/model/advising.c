/*
 * advising.c - what the parts of an advice are made of: an operation's figures,
 * and a list that grows
 *
 * Counters may come from a damaged file: everything is computed in doubles, and
 * what is no number counts as 0.
 */
#include "model/advising.h"

/* --- an operation --------------------------------------------------------- */

bool
advice_is_used(const struct tide_op_stats *op)
{
	return op->name[0] != '\0' && op->batches != 0 && op->items != 0;
}

double
advice_items(const struct tide_op_stats *op)
{
	return advising_ratio((double)op->items, (double)op->batches);
}

double
advice_growth(const struct tide_op_stats *op)
{
	return advising_ratio((double)op->growth_sum, (double)op->batches);
}

double
advice_deviation(const struct tide_op_stats *op)
{
	double mean = advice_growth(op) / (double)KIB;
	double squares = advising_ratio((double)op->growth_squares,
	    (double)op->batches);

	return numbers_root(squares - mean * mean) * (double)KIB;
}

double
advice_bytes_an_item(const struct tide_op_stats *op)
{
	return advising_ratio((double)op->growth_sum, (double)op->items);
}

double
advice_items_a_second(const struct tide_op_stats *op)
{
	return advising_ratio((double)op->items, (double)op->time_ns /
	    (double)NS_PER_S);
}

bool
advice_is_fitted(const struct tide_op_stats *op)
{
	/* Of batches that are all of one size any law is as good. */
	return advising_sane(op->per_item) > 0 &&
	    advising_sane(op->power) > 0 && op->n_most >= 2 * op->n_least;
}

static double
law(const struct tide_op_stats *op, double n)
{
	if (!advice_is_fitted(op))
		return advising_sane(advice_bytes_an_item(op) * n);
	return advising_sane((double)op->fixed + advising_sane(op->per_item) *
	    numbers_pow(n, numbers_within(op->power, 0, 8)));
}

double
advice_batch(const struct tide_op_stats *op, double n)
{
	double most = (double)op->growth_most, bytes = law(op, n);
	double there = law(op, (double)op->n_most);

	if (most <= 0 || there <= most)
		return bytes;
	return n <= (double)op->n_most ? (bytes < most ? bytes : most) :
	    advising_sane(bytes * (most / there));
}

bool
advice_law_holds(const struct tide_op_stats *op)
{
	double there = law(op, (double)op->n_most);
	double most = (double)op->growth_most;

	return advice_is_fitted(op) && there < 1.5 * most && most < 2 * there;
}

/* --- the list ------------------------------------------------------------- */

struct advice *
advising_add(struct advising *a, enum advice_id id,
    enum advice_severity severity, int op)
{
	static const struct advice none;
	struct advice *fresh;

	if (a->count == a->room)
		a->count--;
	fresh = &a->list[a->count++];
	*fresh = none;
	fresh->id = id;
	fresh->severity = severity;
	fresh->op = op;
	return fresh;
}
