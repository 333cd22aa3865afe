/*
 * advice.c - the list of advices: their names, their numbers, their order
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
