/*
 * verify.c - does a profile contradict itself?
 *
 * Of a process that has ended, or a copy: while it runs, what is read first and
 * what last are of different moments.
 */
#include <stdarg.h>
#include <stdlib.h>

#include "base/base.h"
#include "command.h"
#include "reader.h"
#include "report.h"

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

/* Where every block has a record, and none is lost, the sites are all. */
static void
verify_sums(struct verdict *v, const struct profile *p)
{
	struct totals all;
	struct figures sum = { 0 };

	profile_totals(p, &all);
	if (!all.requested_known || !profile_is_exact(p) ||
	    p->segment->identity.inherits == 1)
		return;
	for (size_t i = 1; i < p->sites; i++) {
		if (p->site[i].flags & SITE_APART)
			continue;
		sum.allocations += p->figures[i].allocations;
		sum.frees += p->figures[i].frees;
		sum.allocated_bytes += p->figures[i].allocated_bytes;
		sum.live_bytes += p->figures[i].live_bytes;
		sum.live_requested_bytes += p->figures[i].live_requested_bytes;
	}
	compare(v, "allocations", sum.allocations, all.allocations);
	compare(v, "frees", sum.frees, all.frees);
	compare(v, "allocated bytes", sum.allocated_bytes,
	    all.allocated_bytes);
	compare(v, "live bytes", sum.live_bytes, all.live_bytes);
	compare(v, "live bytes asked for", sum.live_requested_bytes,
	    all.live_requested_bytes);
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

int
report_verify(const struct report *r)
{
	struct print out = print_open(stdout);
	const struct profile *p = r->profile;
	struct verdict v = { .out = &out };

	if (p->live) {
		print_error("report: a running process is not verified; "
		    "'heaptide snapshot' makes a copy");
		return COMMAND_USAGE;
	}
	if (p->damaged != 0)
		find(&v, "%zu rows of the file contradict the rest",
		    p->damaged);
	if (p->segment->watch.taken_ns == 0)
		verify_sums(&v, p); /* a copy is not of one moment */
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
