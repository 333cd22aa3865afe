/*
 * counsel-op.c - what a segment knows of operations, and what that is called
 */
#include "control/counsel.h"

#include <string.h>

#include "base/base.h"
#include "model/numbers.h"
#include "model/sizing.h"

#define MOST 1e18 /* what is more, or no number, is damaged */

static double
seconds_of(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* --- which there are ------------------------------------------------------ */

size_t
counsel_ops(const struct control *c, struct tide_op_stats op[TIDE_OPS])
{
	const struct tide_room *room = control_room(c);
	size_t n = 0, i;

	for (i = 0; room != NULL && i < TIDE_OPS; i++) {
		if (room->op[i].name[0] == '\0')
			continue;
		op[n] = room->op[i];
		op[n].name[sizeof(op[n].name) - 1] = '\0';
		op[n].unit[sizeof(op[n].unit) - 1] = '\0';
		n++;
	}
	return n;
}

/* One that is at it counts as later than any that has ended. */
const struct tide_op_stats *
counsel_last_op(const struct tide_op_stats *op, size_t ops)
{
	const struct tide_op_stats *last = NULL;
	size_t i;

	for (i = 0; i < ops; i++) {
		if (op[i].started_ns == 0)
			continue;
		if (last == NULL || (op[i].active != 0) > (last->active != 0) ||
		    ((op[i].active != 0) == (last->active != 0) &&
		    op[i].ended_ns > last->ended_ns))
			last = &op[i];
	}
	return last;
}

double
counsel_time_left(const struct tide_op_stats *op)
{
	double took = seconds_of(above_u64(op->ended_ns, op->started_ns));

	if (op->total == 0 || op->done == 0)
		return -1;
	return took * (double)above_u64(op->total, op->done) /
	    (double)op->done;
}

const char *
counsel_bound(uint32_t bound)
{
	static const char *const words[] = {
		[TIDE_BOUND_NONE] = "-",
		[TIDE_BOUND_MEMORY] = "memory",
		[TIDE_BOUND_GROWTH] = "growth",
		[TIDE_BOUND_KNEE] = "knee",
		[TIDE_BOUND_MAX] = "max",
		[TIDE_BOUND_REMAINING] = "remaining",
		[TIDE_BOUND_OVERRUN] = "overrun",
		[TIDE_BOUND_STATE] = "state",
		[TIDE_BOUND_LEASE] = "lease",
		[TIDE_BOUND_FIXED] = "fixed",
	};

	return bound < ARRAY_LENGTH(words) ? words[bound] : "-";
}

/* --- what is told of one -------------------------------------------------- */

static const struct member {
	const char *name;
	enum counsel_kind kind;
	size_t at; /* in struct tide_op_stats, if @compute is NULL */
	double (*compute)(const struct tide_op_stats *op);
} members[] = {
#define AT(name) offsetof(struct tide_op_stats, name), NULL
	{ "batches", COUNSEL_COUNT, AT(batches) },
	{ "items", COUNSEL_COUNT, AT(items) },
	{ "items_failed", COUNSEL_COUNT, AT(items_failed) },
	{ "cuts", COUNSEL_COUNT, AT(cuts) },
	{ "aborts", COUNSEL_COUNT, AT(aborts) },
	{ "aborts_memory", COUNSEL_COUNT, AT(aborts_memory) },
	{ "overruns", COUNSEL_COUNT, AT(overruns) },
	{ "changes", COUNSEL_COUNT, AT(changes) },
	{ "n_mean", COUNSEL_REAL, 0, advice_items },
	{ "n_last", COUNSEL_COUNT, AT(n_last) },
	{ "n_least", COUNSEL_COUNT, AT(n_least) },
	{ "n_most", COUNSEL_COUNT, AT(n_most) },
	{ "n_next", COUNSEL_COUNT, AT(n_next) },
	{ "growth_mean", COUNSEL_REAL, 0, advice_growth },
	{ "growth_deviation", COUNSEL_REAL, 0, advice_deviation },
	{ "growth_last", COUNSEL_COUNT, AT(growth_last) },
	{ "growth_most", COUNSEL_COUNT, AT(growth_most) },
	{ "growth_p50", COUNSEL_COUNT, AT(growth_p50) },
	{ "growth_p95", COUNSEL_COUNT, AT(growth_p95) },
	{ "growth_p99", COUNSEL_COUNT, AT(growth_p99) },
	{ "predicted_last", COUNSEL_COUNT, AT(predicted_last) },
	{ "bytes_per_item", COUNSEL_REAL, 0, advice_bytes_an_item },
	{ "item_bound", COUNSEL_COUNT, AT(one) },
	{ "item_most", COUNSEL_COUNT, AT(item_most) },
	{ "fixed", COUNSEL_COUNT, AT(fixed) },
	{ "per_item", COUNSEL_REAL, AT(per_item) },
	{ "power", COUNSEL_REAL, AT(power) },
	{ "retained_bytes", COUNSEL_COUNT, AT(retained_sum) },
	{ "retained_last", COUNSEL_SIGNED, AT(retained_last) },
	{ "seconds", COUNSEL_SECONDS, AT(time_ns) },
	{ "delay_seconds", COUNSEL_SECONDS, AT(delay_ns) },
	{ "delay_freed", COUNSEL_COUNT, AT(delay_freed) },
	{ "wait_seconds", COUNSEL_SECONDS, AT(wait_ns) },
	{ "cleanup_seconds", COUNSEL_SECONDS, AT(reclaim_ns) },
	{ "items_per_second", COUNSEL_REAL, 0, advice_items_a_second },
	{ "knee", COUNSEL_COUNT, AT(knee) },
	{ "knee_rate", COUNSEL_REAL, AT(knee_rate) },
	{ "most_rate", COUNSEL_REAL, AT(most_rate) },
	{ "weights", COUNSEL_COUNT, AT(weights) },
	{ "weight_sum", COUNSEL_COUNT, AT(weight_sum) },
	{ "weight_most", COUNSEL_COUNT, AT(weight_most) },
	{ "first", COUNSEL_COUNT, AT(first) },
	{ "done", COUNSEL_COUNT, AT(done) },
	{ "total", COUNSEL_COUNT, AT(total) },
	{ "checkpoints", COUNSEL_COUNT, AT(checkpoints) },
	{ "checkpoint_bytes", COUNSEL_COUNT, AT(checkpoint_bytes) },
#undef AT
};

bool
counsel_member(const struct tide_op_stats *op, size_t i,
    struct counsel_value *v)
{
	const struct member *m = &members[i];
	const char *at = (const char *)op + (i < ARRAY_LENGTH(members) ?
	    m->at : 0);

	if (i >= ARRAY_LENGTH(members))
		return false;
	v->name = m->name;
	v->kind = m->kind;
	v->count = 0;
	v->signed_count = 0;
	v->real = 0;
	if (m->kind == COUNSEL_SIGNED)
		memcpy(&v->signed_count, at, sizeof(v->signed_count));
	else if (m->compute != NULL)
		v->real = m->compute(op);
	else if (m->kind == COUNSEL_REAL)
		memcpy(&v->real, at, sizeof(v->real));
	else
		memcpy(&v->count, at, sizeof(v->count));
	if (m->kind == COUNSEL_SECONDS) {
		v->kind = COUNSEL_REAL;
		v->real = seconds_of(v->count);
	}
	v->real = numbers_within(v->real, 0, MOST);
	return true;
}

const char *
counsel_policy(uint32_t policy)
{
	static const char *const words[] = {
		[SIZING_LEARN] = "learn",
		[SIZING_SEED] = "seed",
		[SIZING_MEAN] = "mean",
		[SIZING_FIXED] = "fixed",
	};

	return policy < ARRAY_LENGTH(words) ? words[policy] : "-";
}
