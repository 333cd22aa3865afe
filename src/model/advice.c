/*
 * advice.c - the list of advices: their names, their numbers, their order
 *
 * Counters may come from a damaged file: everything is computed in doubles, and
 * what is no number counts as 0.
 */
#include "model/advising.h"

/* --- the table ------------------------------------------------------------ */

static const struct advice_row {
	const char *name;
	const char *number[ADVICE_NUMBERS];
} rows[ADVICE_IDS] = {
	[ADVICE_OK] = { "R-OK", { "used_mean", "used_peak", "budget" } },
	[ADVICE_UTIL] = { "R-UTIL", { "share", "used_peak", "budget",
	    "budget_wanted", "target" } },
	[ADVICE_BATCH] = { "R-BATCH", { "batches", "cuts", "changes", "items",
	    "max" } },
	[ADVICE_KNEE] = { "R-KNEE", { "knee", "knee_bytes", "items_most",
	    "most_bytes", "slower" } },
	[ADVICE_SLOW] = { "R-SLOW", { "pays", "items", "max", "max_bytes",
	    "items_per_second", "faster" } },
	[ADVICE_TAIL] = { "R-TAIL", { "item_mean", "item_most", "ratio",
	    "overruns" } },
	[ADVICE_SUPER] = { "R-SUPER", { "power", "items", "bytes",
	    "half_bytes", "doubling", "max" } },
	[ADVICE_FIXED] = { "R-FIXED", { "fixed", "share", "items", "min",
	    "min_bytes" } },
	[ADVICE_LEAK] = { "R-LEAK", { "sites", "live_bytes",
	    "bytes_per_epoch", "bytes_per_hour", "p", "limit_in" } },
	[ADVICE_CACHE] = { "R-CACHE", { "live_bytes", "share", "wanted",
	    "sites" } },
	[ADVICE_RETAIN] = { "R-RETAIN", { "live", "resident", "ratio",
	    "threads", "arenas" } },
	[ADVICE_ALLOC] = { "R-ALLOC", { "live", "resident", "ratio",
	    "threads", "threads_came" } },
	[ADVICE_DELAY] = { "R-DELAY", { "seconds", "freed" } },
	[ADVICE_CKPT] = { "R-CKPT", { "seconds", "batches", "every",
	    "every_seconds" } },
	[ADVICE_CLEAN] = { "R-CLEAN", { "bytes", "oldest_seconds" } },
	[ADVICE_CONC] = { "R-CONC", { "share", "seconds", "concurrent",
	    "max_concurrent" } },
	[ADVICE_BUDGET] = { "R-BUDGET", { "budget_enough", "budget",
	    "used_peak", "items", "max" } },
	[ADVICE_RECYCLE] = { "R-RECYCLE", { "used", "budget", "retained",
	    "batches" } },
	[ADVICE_HIGH] = { "R-HIGH", { "share", "used_peak", "budget", "items",
	    "failed", "concurrent" } },
	[ADVICE_GROW] = { "R-GROW", { "bytes_per_batch", "bytes", "batches",
	    "max" } },
	[ADVICE_SWAP] = { "R-SWAP", { "swapped", "budget", "budget_wanted" } },
	[ADVICE_LIMIT] = { "R-LIMIT", { "budget", "used_peak",
	    "budget_wanted" } },
};

const char *
advice_name(enum advice_id id)
{
	return id < ADVICE_IDS ? rows[id].name : "R-NONE";
}

const char *
advice_number(enum advice_id id, size_t i)
{
	return id < ADVICE_IDS && i < ADVICE_NUMBERS ? rows[id].number[i] :
	    NULL;
}

const char *
advice_severity_name(enum advice_severity severity)
{
	static const char *const names[] = {
		[ADVICE_FINE] = "fine",
		[ADVICE_HINT] = "hint",
		[ADVICE_WARN] = "warning",
		[ADVICE_URGENT] = "urgent",
	};

	return (size_t)severity < ARRAY_LENGTH(names) ? names[severity] :
	    "unknown";
}

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

/* --- all of it ------------------------------------------------------------ */

static bool
is_before(const struct advice *a, const struct advice *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	if (a->id != b->id)
		return a->id < b->id;
	return a->op < b->op;
}

/* Few: by insertion, as qsort() may allocate. */
static void
sort(struct advice *list, size_t count)
{
	size_t i, at;

	for (i = 1; i < count; i++) {
		struct advice one = list[i];

		for (at = i; at > 0 && is_before(&one, &list[at - 1]); at--)
			list[at] = list[at - 1];
		list[at] = one;
	}
}

size_t
advice_give(const struct advice_facts *facts, struct advice *list, size_t room)
{
	struct advising a = { .facts = facts, .list = list, .room = room };
	size_t i;

	if (room == 0)
		return 0;
	for (i = 0; i < facts->ops; i++)
		if (advice_is_used(&facts->op[i]))
			advising_op(&a, &facts->op[i], (int)i);
	advising_process(&a);
	sort(list, a.count);
	return a.count;
}
