/*
 * batch-size.c - what a job needs, and how many items it has
 *
 * Where jobs have as many items as the law likes, model/sizing.h knows what a
 * number of items takes.  Where all have the same number, nothing has to be
 * extrapolated: the lease is what nine of ten have taken, and beside all leases
 * there is room for one job that is the largest so far.  And where these are
 * alike, one more may begin as another is about to end.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "batch/batch.h"
#include "sys/sys.h"

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

/* --- jobs that are alike -------------------------------------------------- */

uint64_t
batch_size_age(const struct job *job)
{
	uint64_t now_ns = sys_clock(), stood = job->stood_ns;

	if (job->suspended)
		stood += now_ns - job->stood_from_ns;
	return above_u64(now_ns - job->started_ns, stood);
}

/* It has held no more than the others at its age. */
static bool
is_as_known(const struct batch *b, const struct job *job, uint64_t age_ns)
{
	return !job->outgrown && !job->alone && (job->now == 0 ||
	    job->now <= courses_held(&b->courses, age_ns));
}

bool
batch_size_fits_between(const struct batch *b, uint64_t room)
{
	uint64_t age_ns[BATCH_PLACES];
	size_t n = 0;

	if (b->fixed == 0 || b->named || !courses_alike(&b->courses))
		return false;
	for (unsigned i = 0; i < b->jobs; i++) {
		if (b->place[i] == NULL)
			continue;
		age_ns[n] = batch_size_age(b->place[i]);
		if (!is_as_known(b, b->place[i], age_ns[n]))
			return false;
		n++;
	}
	return courses_fit(&b->courses, age_ns, n, room);
}

uint64_t
batch_size_reach(const struct batch *b, const struct job *job,
    uint64_t lease, uint64_t ns)
{
	uint64_t age_ns;

	if (job->outgrown)
		return UINT64_MAX;
	if (!job->between)
		return max_u64(lease, job->now);
	age_ns = batch_size_age(job);
	return is_as_known(b, job, age_ns) ?
	    max_u64(courses_held(&b->courses, age_ns + ns), job->now) :
	    UINT64_MAX;
}

/* --- learning ------------------------------------------------------------- */

bool
batch_size_is_even(const struct batch *b)
{
	return b->fixed != 0 && b->peaks_seen != 0 &&
	    batch_size_tail(b) <= b->need_known / 4;
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
		courses_add(&b->courses, &b->course[job->place],
		    batch_size_age(job), bytes);
	}
}
