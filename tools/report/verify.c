/*
 * verify.c - does a profile contradict itself?
 *
 * Of a process that has ended, or a copy: while it runs, what is read first and
 * what last are of different moments.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "profile/reader.h"
#include "profile/shelf.h"
#include "report/report.h"
#include "say/command.h"

#define PROBLEMS_SHOWN 20

/* What has been found so far. */
struct verdict {
	const struct print *out;
	size_t problems;
};

__attribute__((format(printf, 2, 3)))
static void
find(struct verdict *v, const char *format, ...)
{
	char line[256];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (v->problems++ < PROBLEMS_SHOWN)
		print_line(v->out, PRINT_BAD, "%s", line);
}

static void
compare(struct verdict *v, const char *what, uint64_t sites, uint64_t all)
{
	if (sites != all)
		find(v, "the sites' %s come to %llu, all threads' to %llu",
		    what, (unsigned long long)sites, (unsigned long long)all);
}

static bool
has_losses(const struct profile *p)
{
	for (size_t i = 0; i < PROFILE_LOSSES; i++)
		if (profile_losses[i].withdraws &&
		    profile_lost(p, &profile_losses[i]) != 0)
			return true;
	return false;
}

static struct figures
sum_of_sites(const struct profile *p)
{
	struct figures sum = { 0 };

	for (size_t i = 1; i < p->sites; i++) {
		const struct figures *f = &p->figures[i];

		if (p->site[i].flags & SITE_APART)
			continue;
		sum.allocations += f->allocations;
		sum.frees += f->frees;
		sum.allocated_bytes += f->allocated_bytes;
		sum.live_bytes += f->live_bytes;
		sum.live_requested_bytes += f->live_requested_bytes;
		sum.at_peak_bytes += f->at_peak_bytes;
		sum.temporary += f->temporary;
	}
	return sum;
}

/* What was freed, and what is rounding of what is live; both may wrap. */
struct given_back {
	uint64_t freed_bytes, slack_bytes;
};

static void
add_given_back(const struct profile *p, struct given_back *g, uint32_t site,
    const struct count *c)
{
	if (site >= p->sites || (p->site[site].flags & SITE_APART) != 0)
		return;
	g->freed_bytes += c->freed_bytes;
	g->slack_bytes += c->slack_bytes;
}

/* Figures of one site are cut off at 0; these are not. */
static void
verify_given_back(struct verdict *v, const struct profile *p)
{
	struct given_back sites = { 0 }, all = { 0 };

	for (size_t i = 0; i < p->first_counts; i++)
		add_given_back(p, &sites, (uint32_t)i, &p->first_count[i]);
	for (size_t i = 0; i < p->counts; i++)
		add_given_back(p, &sites, stamp_site(p->count[i].stamp),
		    &p->count[i]);
	for (size_t i = 0; i < p->tallies; i++) {
		const struct tally *t = &p->tally[i];

		all.freed_bytes += t->freed;
		all.slack_bytes += t->allocated - t->freed - t->requested +
		    t->requested_freed;
	}
	compare(v, "freed bytes", sites.freed_bytes, all.freed_bytes);
	compare(v, "rounding", sites.slack_bytes, all.slack_bytes);
}

/* Where every block has a record, and none is lost, the sites are all. */
static void
verify_sums(struct verdict *v, const struct profile *p)
{
	const struct segment_identity *id = &p->segment->identity;
	struct totals all;
	struct figures sum;

	profile_totals(p, &all);
	if (!all.requested_known || has_losses(p) || id->inherits == 1 ||
	    id->origin.bytes != 0)
		return;
	if (all.short_of_blocks)
		find(v, "more was freed than was ever allocated");
	sum = sum_of_sites(p);
	compare(v, "allocations", sum.allocations, all.allocations);
	compare(v, "frees", sum.frees, all.frees);
	compare(v, "allocated bytes", sum.allocated_bytes,
	    all.allocated_bytes);
	compare(v, "live bytes", sum.live_bytes, all.live_bytes);
	compare(v, "live bytes asked for", sum.live_requested_bytes,
	    all.live_requested_bytes);
	verify_given_back(v, p);
	compare(v, "temporary blocks", sum.temporary, all.temporary);
	if (all.peak_error_bytes == 0)
		compare(v, "bytes at the peak", sum.at_peak_bytes,
		    all.peak_bytes);
}

/* --- rows of each other --------------------------------------------------- */

/* A site and its leaf name each other, but for a site that came too late. */
static void
verify_leaves(struct verdict *v, const struct profile *p)
{
	for (size_t i = 1; i < p->sites; i++) {
		uint32_t leaf = p->site[i].leaf;

		if (p->figures[i].allocations != 0 && leaf < p->nodes &&
		    p->node[leaf].site != i)
			find(v, "site %zu is not the one of its stack", i);
	}
	for (size_t i = 1; i < p->nodes; i++) {
		uint32_t site = p->node[i].site;

		if (site != 0 && (site >= p->sites ||
		    p->site[site].leaf != i))
			find(v, "stack %zu is not the one of its site", i);
	}
}

/* Whatever is loaded begins a page, where programs may be. */
#define ADDRESS_MOST (UINT64_C(1) << 56)

static void
verify_modules(struct verdict *v, const struct profile *p)
{
	const uint64_t page = UINT64_C(4096) - 1;

	for (size_t i = 0; i < p->modules; i++) {
		const struct module *m = &p->module[i];

		if (m->end == 0 || p->segment->identity.origin.bytes != 0)
			continue;
		if (((m->start | m->base) & page) != 0 ||
		    m->end > ADDRESS_MOST || m->base > m->start)
			find(v, "module %zu lies where none can", i);
		if (m->first_node > p->nodes)
			find(v, "module %zu came with a stack that is not "
			    "there", i);
	}
}

static void
verify_threads(struct verdict *v, const struct profile *p)
{
	const struct segment_live *live = &p->segment->live;
	int64_t published = 0, requested = 0;

	for (size_t i = 0; i < p->tallies; i++) {
		const struct tally *t = &p->tally[i];

		published = add_i64(published, t->published);
		requested = add_i64(requested, t->requested_published);
		if (t->requested > t->allocated ||
		    t->requested_freed > t->freed ||
		    t->base_allocated > t->allocated ||
		    t->base_freed > t->freed ||
		    t->base_allocations > t->allocations ||
		    t->base_frees > t->frees ||
		    t->temporary > t->frees || t->state > TALLY_SHARED ||
		    t->born_ns > p->now_ns)
			find(v, "the counts of thread %zu contradict each "
			    "other", i);
	}
	if (p->segment->identity.inherits == 0 && (live->bytes != published ||
	    live->requested_bytes != requested))
		find(v, "all threads have published %lld bytes, and the sum "
		    "is %lld", (long long)published, (long long)live->bytes);
	/* Of several threads, or where the dial was turned, both are about. */
	if (live->several == 0 && p->segment->watch.switches == 0 &&
	    live->peak_requested_bytes > live->peak_bytes)
		find(v, "more was asked for at the peak than was given");
}

/* A profile that nobody has copied yet is named after its process. */
static void
verify_name(struct verdict *v, const struct profile *p)
{
	const struct segment_identity *id = &p->segment->identity;
	const char *slash = strrchr(p->path, '/');
	struct shelf_name name;

	if (shelf_parse(slash != NULL ? slash + 1 : p->path, &name) &&
	    (name.pid != id->pid || name.ticks != id->start_ticks))
		find(v, "it is named after another process");
}

/* --- times ---------------------------------------------------------------- */

/* A time that was looked at cheaply is that of the last tick of the kernel. */
#define COARSE_NS UINT64_C(20000000)

static void
verify_time(struct verdict *v, const struct profile *p, const char *what,
    uint64_t at_ns, uint64_t last_ns)
{
	if (at_ns != 0 && (at_ns > last_ns || at_ns <
	    above_u64(p->segment->identity.clock_ns, COARSE_NS)))
		find(v, "%s is of another time", what);
}

/* Others may look at its memory when it has just become another program. */
static void
verify_times(struct verdict *v, const struct profile *p)
{
	const struct segment *s = p->segment;
	uint64_t looked_ns = s->end.how == END_EXEC ? UINT64_MAX : p->now_ns;

	verify_time(v, p, "its peak", s->live.peak_at_ns, p->now_ns);
	verify_time(v, p, "the last look at resident memory",
	    s->rss[RSS_LAST].at_ns, looked_ns);
	verify_time(v, p, "that when it was at its peak",
	    s->rss[RSS_PEAK].at_ns, looked_ns);
}

static void
verify_resident(struct verdict *v, const struct profile *p)
{
	for (int i = RSS_LAST; i <= RSS_PEAK; i++) {
		const struct segment_rss *rss = &p->segment->rss[i];
		uint64_t sum = 0;

		for (int term = 0; term < RSS_TERMS; term++)
			sum += rss->terms[term];
		if (rss->at_ns != 0 && rss->version % 2 == 0 &&
		    sum != rss->resident)
			find(v, "the terms of resident memory come to %llu, "
			    "not to %llu", (unsigned long long)sum,
			    (unsigned long long)rss->resident);
	}
}

/* What has been allocated and freed only grows. */
static void
verify_series(struct verdict *v, const struct profile *p, bool minutes)
{
	size_t count;
	const struct point **point = profile_points(p, minutes, &count);

	for (size_t i = 1; point != NULL && i < count; i++)
		if (point[i]->allocated < point[i - 1]->allocated)
			find(v, "less was allocated after %.0f s than after "
			    "%.0f s", profile_seconds(p, point[i]->at_ns),
			    profile_seconds(p, point[i - 1]->at_ns));
	free(point);
}

static void
verify_marks(struct verdict *v, const struct profile *p)
{
	struct totals all;
	int64_t bytes;
	size_t held = 0, meant = 0;

	profile_totals(p, &all);
	for (size_t i = 0; i < p->marks; i++) {
		const struct mark *m = &p->mark[i];

		if (m->kind == MARK_NONE || m->kind >= MARK_KINDS) {
			find(v, "mark %zu is not complete", i);
			continue;
		}
		held += profile_held(p, m, 0, &bytes);
		if (m->at_ns < p->segment->identity.clock_ns ||
		    m->at_ns > p->now_ns)
			find(v, "mark %zu is of another time", i);
		if (m->allocated > all.allocated_bytes)
			find(v, "at mark %zu more was allocated than in all",
			    i);
	}
	for (size_t i = 0; i < p->moments; i++)
		meant += p->moment[i].mark != 0;
	if (held != meant)
		find(v, "%zu marks have figures, and there are %zu columns of "
		    "them", held, meant);
}

static void
verify_moment(struct verdict *v, const struct profile *p)
{
	verify_sums(v, p);
	verify_threads(v, p);
}

int
report_verify(const struct report *r)
{
	struct print out = print_open(stdout);
	const struct profile *p = r->profile;
	struct verdict v = { .out = &out };
	char where[PROFILE_CHANGED_ROOM];

	if (p->live) {
		print_error("report: a running process is not verified; "
		    "'heaptide snapshot' makes a copy");
		return COMMAND_USAGE;
	}
	profile_describe_changed(p, where);
	if (p->changed != 0)
		find(&v, "it was changed since heaptide wrote it, in %s",
		    where);
	if (p->damaged != 0)
		find(&v, "%zu rows of the file contradict the rest",
		    p->damaged);
	if (p->segment->watch.taken_ns == 0)
		verify_moment(&v, p); /* a copy is not of one moment */
	verify_leaves(&v, p);
	verify_modules(&v, p);
	verify_name(&v, p);
	verify_times(&v, p);
	verify_resident(&v, p);
	verify_series(&v, p, false);
	verify_series(&v, p, true);
	verify_marks(&v, p);
	if (v.problems > PROBLEMS_SHOWN)
		print_line(&out, PRINT_PLAIN, "... and %zu more",
		    v.problems - PROBLEMS_SHOWN);
	if (v.problems == 0)
		print_line(&out, PRINT_GOOD, "consistent: %zu sites, %zu "
		    "marks, %zu points", p->sites, p->marks, p->seconds +
		    p->minutes);
	return v.problems == 0 ? COMMAND_DONE : COMMAND_GATE;
}
