/*
 * batch-size.c - what a job needs, and how many items it has
 *
 * Where jobs have as many items as the law likes, model/sizing.h knows what a
 * number of items takes.  Where all have the same number, nothing has to be
 * extrapolated: the lease is what nine of ten have taken, and beside all leases
 * there is room for one job that is the largest so far.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "batch.h"

#define FEW 8 /* jobs, of which the largest says more than a share */

void
batch_size_open(struct batch *b)
{
	sizing_open(&b->sizing, &b->conf);
	knee_open(&b->knee);
	b->files = UINT64_MAX;
}

/* Nobody gets what others could still have: items are shared out. */
static uint64_t
fair_items(const struct batch *b)
{
	uint64_t left = above_u64(b->total, b->items_begun);

	return b->total == UINT64_MAX ? UINT64_MAX :
	    max_u64((left + b->jobs - 1) / b->jobs, 1);
}

uint32_t
batch_size_next(const struct batch *b)
{
	struct sizing_room room = { .grow_allowed = b->standing == 0 };
	struct sizing_plan plan;

	if (b->fixed != 0)
		return b->fixed;
	room.budget = b->limit / max_u64(b->jobs, 1);
	room.remaining = fair_items(b);
	room.knee = knee_cap(&b->knee);
	sizing_plan(&b->sizing, &room, &plan);
	return (uint32_t)max_u64(plan.n, 1);
}

uint64_t
batch_size_need(const struct batch *b, const struct job *job)
{
	uint64_t need = b->fixed == 0 ?
	    sizing_predict(&b->sizing, (uint32_t)job->count) : b->need_known;

	if (need == 0)
		return job->need;
	return max_u64(need, job->need);
}

uint64_t
batch_size_tail(const struct batch *b)
{
	if (b->fixed == 0)
		return 0;
	return above_u64(b->peak_largest, b->need_known);
}

static int
by_bytes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
learn_peak(struct batch *b, uint64_t bytes)
{
	uint64_t sorted[ARRAY_LENGTH(b->peaks)];
	size_t n;

	b->peaks[b->peaks_seen++ % ARRAY_LENGTH(b->peaks)] = bytes;
	b->peak_largest = max_u64(b->peak_largest, bytes + bytes / 20);
	n = min_u64(b->peaks_seen, ARRAY_LENGTH(b->peaks));
	if (n < FEW) {
		b->need_known = max_u64(b->need_known, bytes + bytes / 10);
		return;
	}
	/* Sorted anew now and then: one among many changes little. */
	if (n == ARRAY_LENGTH(b->peaks) && b->peaks_seen % 16 != 0)
		return;
	memcpy(sorted, b->peaks, n * sizeof(*sorted));
	qsort(sorted, n, sizeof(*sorted), by_bytes);
	b->need_known = sorted[n * 9 / 10] + sorted[n * 9 / 10] / 20 +
	    SHARES_UNIT;
}

void
batch_size_learn(struct batch *b, const struct job *job, uint64_t bytes,
    uint64_t ns, bool failed)
{
	const struct sizing_batch seen = {
		.n = (uint32_t)job->count,
		.failed = failed,
		.growth = max_u64(bytes, 1),
		.time_ns = ns,
		.item_max = job->count == 1 ? bytes : 0,
		.budget = b->limit / max_u64(b->jobs, 1),
	};

	b->job_ns = b->job_ns == 0 ? ns : (b->job_ns * 7 + ns) / 8;
	if (b->fixed == 0) {
		sizing_learn(&b->sizing, &seen);
		if (!failed)
			knee_learn(&b->knee, seen.n, ns, false);
	} else if (!failed) {
		learn_peak(b, bytes);
	}
}
