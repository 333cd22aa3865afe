/*
 * figures.c - what a profile's rows add up to, and whether that is exact
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "control/control.h"
#include "model/stats.h"
#include "profile/reader.h"

/* --- when ----------------------------------------------------------------- */

uint64_t
profile_age_ns(const struct profile *profile, uint64_t ns)
{
	return above_u64(ns, profile->segment->identity.clock_ns);
}

double
profile_seconds(const struct profile *profile, uint64_t ns)
{
	return (double)profile_age_ns(profile, ns) / (double)NS_PER_S;
}

double
profile_started(const struct profile *profile)
{
	return (double)profile->segment->identity.started_ns /
	    (double)NS_PER_S;
}

/* --- totals --------------------------------------------------------------- */

static uint64_t
positive(int64_t n)
{
	return n > 0 ? (uint64_t)n : 0;
}

/* Live and peak of one kind of bytes, usable or requested. */
struct level {
	int64_t live;
	int64_t peak;
};

/*
 * The published peak is behind by what each thread has moved since it last
 * published: its own highest stand since then is in its row.
 */
static void
lift_peak(struct level *level, int64_t published_sum, int64_t high,
    int64_t published)
{
	int64_t stand;

	if (__builtin_sub_overflow(high, published, &stand) ||
	    __builtin_add_overflow(stand, published_sum, &stand))
		return; /* damaged */
	if (stand > level->peak)
		level->peak = stand;
}

static bool
tally_was_owned(const struct tally *t)
{
	return t->tid != 0 || t->born_ns != 0 || t->allocations != 0 ||
	    t->frees != 0;
}

/* Wraps like the counts themselves: the sum over all threads is what counts. */
static int64_t
difference(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b);
}

static int64_t
sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

void
profile_totals(const struct profile *profile, struct totals *totals)
{
	const struct segment_live *live = &profile->segment->live;
	const struct segment_config *config = &profile->segment->config;
	struct level usable = { 0, live->peak_bytes };
	struct level requested = { 0, live->peak_requested_bytes };
	uint64_t requested_freed = 0;
	size_t owned = 0;
	struct totals t = { .requested_known =
	    control_knows_requested(profile->segment) };

	for (size_t i = 0; i < profile->tallies; i++) {
		const struct tally *row = &profile->tally[i];

		if (!tally_was_owned(row))
			continue;
		owned += row->state != TALLY_SHARED; /* that one is exact */
		t.allocations += row->allocations;
		t.frees += row->frees;
		t.allocated_bytes += row->allocated;
		t.requested_bytes += row->requested;
		t.temporary += row->temporary;
		requested_freed += row->requested_freed;
		usable.live = sum(usable.live,
		    difference(row->allocated, row->freed));
		lift_peak(&usable, live->bytes, row->high, row->published);
		lift_peak(&requested, live->requested_bytes,
		    row->requested_high, row->requested_published);
	}
	requested.live = difference(t.requested_bytes, requested_freed);
	t.live_blocks = t.allocations - t.frees;
	if (profile->segment->identity.inherits == 1) {
		t.live_blocks += live->inherited_blocks - live->inherited_frees;
		usable.live = sum(usable.live, difference(
		    (uint64_t)live->inherited_bytes,
		    live->inherited_freed_bytes));
		requested.live = sum(requested.live, difference(
		    (uint64_t)live->inherited_requested_bytes,
		    live->inherited_freed_requested_bytes));
		t.inherited_bytes = positive(difference(
		    (uint64_t)live->inherited_bytes,
		    live->inherited_freed_bytes));
	}
	/* More was given back than taken: some of it came from elsewhere. */
	t.short_of_blocks = (int64_t)t.live_blocks < 0 || usable.live < 0;
	t.live_blocks = positive((int64_t)t.live_blocks);
	t.live_bytes = positive(usable.live);
	t.peak_bytes = max_u64(positive(usable.peak), t.live_bytes);
	if (t.requested_known) {
		t.live_requested_bytes = positive(requested.live);
		t.peak_requested_bytes = max_u64(positive(requested.peak),
		    t.live_requested_bytes);
	}
	if (owned > 1)
		t.peak_error_bytes = ((uint64_t)live->threads_most + 1) *
		    config->drift_bytes;
	t.peak_at = profile_seconds(profile,
	    t.peak_bytes > positive(live->peak_bytes) ? profile->now_ns :
	    live->peak_at_ns);
	*totals = t;
}

/* A damaged profile may have any time; thirty years are enough for all. */
uint64_t
totals_peak_ns(const struct totals *totals)
{
	return totals->peak_at < 1e9 ?
	    (uint64_t)(totals->peak_at * (double)NS_PER_S) :
	    1000000000 * NS_PER_S;
}

/* --- sites ---------------------------------------------------------------- */

/* While counts are added up, differences wrap: one alone may be negative. */
static void
add_count(struct figures *f, const struct segment_live *live,
    const struct count *c)
{
	uint64_t bytes = c->allocated_bytes - c->freed_bytes;

	f->allocations += c->allocations;
	f->frees += c->frees;
	f->allocated_bytes += c->allocated_bytes;
	f->live_bytes += bytes;
	f->live_requested_bytes += bytes - c->slack_bytes;
	f->temporary += c->temporary;
	f->at_peak_bytes += !live->rising &&
	    stamp_peak(c->stamp) == stamp_peak(live->stamp) ?
	    (uint64_t)c->at_peak_bytes : bytes;
}

/* More than any heap is: a damaged profile may have any bits here. */
#define VARIANCE_MOST 1e36

static void
add_estimate(struct figures *f, const struct segment_live *live,
    const struct estimate *e)
{
	int64_t bytes = (int64_t)(e->allocated_bytes - e->freed_bytes);
	uint64_t bits = e->variance;
	double variance;

	if (e->drawn == 0)
		return;
	f->drawn = e->drawn;
	f->allocations += e->allocations / ESTIMATE_BLOCKS;
	f->frees += e->frees / ESTIMATE_BLOCKS;
	f->allocated_bytes += e->allocated_bytes / ESTIMATE_BYTES;
	f->live_bytes += (uint64_t)(bytes / ESTIMATE_BYTES);
	f->temporary += e->temporary / ESTIMATE_BLOCKS;
	f->at_peak_bytes += (uint64_t)((!live->rising &&
	    e->peak == (uint32_t)stamp_peak(live->stamp) ?
	    e->at_peak_bytes : bytes) /
	    ESTIMATE_BYTES);
	memcpy(&variance, &bits, sizeof(variance));
	if (variance > 0 && variance < VARIANCE_MOST)
		f->error_bytes = whole_u64(stats_root(variance) + 0.5);
}

static void
finish(struct figures *f)
{
	f->live_blocks = above_u64(f->allocations, f->frees);
	f->live_bytes = positive((int64_t)f->live_bytes);
	f->live_requested_bytes = positive((int64_t)f->live_requested_bytes);
	f->at_peak_bytes = positive((int64_t)f->at_peak_bytes);
}

struct figures *
profile_add_up(const struct profile *profile)
{
	const struct segment_live *live = &profile->segment->live;
	struct figures *figures = calloc(profile->sites + 1, sizeof(*figures));

	if (figures == NULL)
		return NULL;
	for (size_t i = 0; i < profile->sites && i < profile->first_counts;
	    i++)
		add_count(&figures[i], live, &profile->first_count[i]);
	for (size_t i = 0; i < profile->counts; i++) {
		uint32_t site = stamp_site(profile->count[i].stamp);

		if (site < profile->sites)
			add_count(&figures[site], live, &profile->count[i]);
	}
	for (size_t i = 0; i < profile->sites && i < profile->estimates; i++)
		add_estimate(&figures[i], live, &profile->estimate[i]);
	for (size_t i = 0; i < profile->sites; i++)
		finish(&figures[i]);
	return figures;
}

/* --- exactness ------------------------------------------------------------ */

const char *
profile_stacks(const struct profile *profile)
{
	uint32_t stacks = profile->segment->config.stacks;

	return control_stacks(stacks);
}

#define LOSS(member, withdraws, means) \
	{ #member, offsetof(struct segment_lost, member), withdraws, means }

const struct profile_loss profile_losses[PROFILE_LOSSES] = {
	LOSS(sites, true, "stacks not kept, a table was full"),
	LOSS(blocks, true, "allocations without a record"),
	LOSS(threads, true, "threads that had to share a counter"),
	LOSS(unknown_frees, true, "frees of blocks never seen"),
	LOSS(mappings, true, "mappings not followed"),
	LOSS(reused, true, "addresses given out twice, a free was missed"),
	LOSS(modules, true, "modules not recorded"),
	LOSS(text, true, "names not recorded"),
	LOSS(truncated, false, "stacks deeper than what is kept"),
	LOSS(nested, true, "allocations while heaptide was busy, no stack"),
	LOSS(early, true, "calls before heaptide was ready"),
	LOSS(space, true, "times the disk or memory had no room"),
	LOSS(forks, true, "fork that was seen late"),
	LOSS(verified, false, "stacks compared with libunwind's"),
	LOSS(differing, true, "stacks that libunwind sees otherwise"),
};

uint64_t
profile_lost(const struct profile *profile, const struct profile_loss *loss)
{
	uint64_t count;

	memcpy(&count, (const char *)&profile->segment->lost + loss->at,
	    sizeof(count));
	return count;
}

const struct profile_cause profile_causes[UNFOLLOWED_KINDS] = {
	[UNFOLLOWED_CPU] = { "other_cpu", "of 32 bits or for another CPU" },
	[UNFOLLOWED_LIBC] = { "other_libc", "with a libc other than glibc" },
	[UNFOLLOWED_SANITIZER] = { "sanitizer", "with a sanitizer" },
	[UNFOLLOWED_STATIC] = { "static", "statically linked" },
	[UNFOLLOWED_PRIVILEGED] = { "privileged", "set-user-ID" },
	[UNFOLLOWED_ENVIRONMENT] = { "environment",
	    "started without LD_PRELOAD" },
	[UNFOLLOWED_REACH] = { "unreachable",
	    "with our library or profiles out of reach" },
};

void
profile_add_unfollowed(const struct profile *profile, uint64_t *counts)
{
	for (size_t i = UNFOLLOWED_NOT + 1; i < UNFOLLOWED_KINDS; i++)
		counts[i] += profile->segment->unfollowed[i];
}

bool
profile_describe_unfollowed(const uint64_t *counts,
    char text[PROFILE_CAUSES_ROOM])
{
	char n[TEXT_COUNT_ROOM];
	struct text t;
	uint64_t sum = 0;

	for (size_t i = UNFOLLOWED_NOT + 1; i < UNFOLLOWED_KINDS; i++)
		sum += counts[i];
	text_open(&t, text, PROFILE_CAUSES_ROOM);
	text_put(&t, text_format_count(n, sum));
	for (size_t i = UNFOLLOWED_NOT + 1, said = 0; i < UNFOLLOWED_KINDS;
	    i++) {
		if (counts[i] == 0)
			continue;
		text_put(&t, said++ == 0 ? ": " : ", ");
		text_put(&t, text_format_count(n, counts[i]));
		text_put(&t, " ");
		text_put(&t, profile_causes[i].means);
	}
	return sum != 0;
}

/* Who is first may do no more than hand calls on; then something arrived. */
bool
profile_is_bypassed(const struct profile *profile)
{
	struct totals totals;

	profile_totals(profile, &totals);
	for (size_t i = 0; i < SEGMENT_BYPASSES; i++) {
		uint32_t why = profile->segment->bypass[i].why;

		if (why == BYPASS_BOUND || why == BYPASS_NAMESPACE ||
		    why == BYPASS_OWN ||
		    (why == BYPASS_FIRST && totals.allocations == 0))
			return true;
	}
	return false;
}

bool
profile_is_exact(const struct profile *profile)
{
	struct totals totals;

	profile_totals(profile, &totals);
	/* What is not known cannot be exact. */
	if (profile->damaged != 0 || profile->changed != 0 ||
	    totals.short_of_blocks ||
	    profile_lacks(profile, UNKNOWN_ALLOCATIONS | UNKNOWN_BLOCKS |
	    UNKNOWN_PEAK | UNKNOWN_AT_PEAK) ||
	    profile_is_bypassed(profile))
		return false;
	for (size_t i = 0; i < PROFILE_LOSSES; i++)
		if (profile_losses[i].withdraws &&
		    profile_lost(profile, &profile_losses[i]) != 0)
			return false;
	return true;
}
