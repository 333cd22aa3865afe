/*
 * report.c - what a profile says, collected once and written in two forms
 */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "control/bypass.h"
#include "control/census.h"
#include "say/need.h"
#include "sys/proc.h"

/* --- sites ---------------------------------------------------------------- */

static struct site_row
make_row(const struct profile *p, size_t id)
{
	const struct figures *f = &p->figures[id];

	return (struct site_row){
		.site = &p->site[id],
		.figures = f,
		.id = (uint32_t)id,
		.value = {
			[KEY_LIVE] = f->live_bytes,
			[KEY_PEAK] = f->at_peak_bytes,
			[KEY_ALLOCATED] = f->allocated_bytes,
			[KEY_ALLOCATIONS] = f->allocations,
			[KEY_TEMPORARY] = f->temporary,
		},
	};
}

static enum site_key sort_key; /* qsort() hands nothing through */

static int
compare_rows(const void *a, const void *b)
{
	const struct site_row *x = a, *y = b;
	uint64_t vx = x->value[sort_key], vy = y->value[sort_key];

	if (vx != vy)
		return vx > vy ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

void
report_sort(struct site_row *rows, size_t count, enum site_key key)
{
	sort_key = key;
	if (count != 0)
		qsort(rows, count, sizeof(*rows), compare_rows);
}

/* Other tools' profiles may have bytes, and no calls. */
static bool
is_empty(const struct figures *f)
{
	return f->allocations == 0 && f->live_bytes == 0 &&
	    f->at_peak_bytes == 0;
}

/* Rows of damaged sites are left out; the reader has counted them. */
static void
collect_sites(struct report *r)
{
	const struct profile *p = r->profile;

	r->site = need(calloc(p->sites + 1, sizeof(*r->site)));
	r->map = need(calloc(p->sites + 1, sizeof(*r->map)));
	r->pool = need(calloc(p->sites + 1, sizeof(*r->pool)));
	for (size_t i = 1; i < p->sites; i++) {
		const struct site *s = &p->site[i];

		if (s->leaf >= p->nodes || is_empty(&p->figures[i]))
			continue;
		if (s->flags & SITE_MAPPING)
			r->map[r->maps++] = make_row(p, i);
		else if (s->flags & SITE_POOL)
			r->pool[r->pools++] = make_row(p, i);
		else
			r->site[r->sites++] = make_row(p, i);
	}
	report_sort(r->site, r->sites, (enum site_key)r->options->sort);
	report_sort(r->map, r->maps, (enum site_key)r->options->sort);
	report_sort(r->pool, r->pools, (enum site_key)r->options->sort);
}

size_t
report_wanted(const struct report *r, size_t count, uint64_t standard)
{
	uint64_t top = r->options->top != 0 ? r->options->top : standard;

	return (size_t)min_u64(count, top);
}

void
report_resolve(const struct report *r, const struct site_row *rows,
    size_t count)
{
	const struct site **wanted = need(calloc(count + 1, sizeof(*wanted)));

	for (size_t i = 0; i < count; i++)
		wanted[i] = rows[i].site;
	symbols_resolve(r->symbols, wanted, count);
	free(wanted);
}

/* --- resident memory ------------------------------------------------------ */

/* A look that was not finished does not add up. */
static bool
rss_is_good(const struct segment_rss *rss)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < RSS_TERMS; i++)
		sum += rss->terms[i];
	return rss->at_ns != 0 && rss->version % 2 == 0 &&
	    sum == rss->resident;
}

static void
take_rss(struct report *r)
{
	const struct segment *s = r->profile->segment;
	static const enum segment_rss_id order[] = { RSS_LAST, RSS_PEAK };

	/* The copy that was opened is ours, and so is what is noted in it. */
	if (r->profile->live)
		(void)bypass_look((struct segment *)(uintptr_t)s,
		    s->identity.pid);
	if (r->profile->live &&
	    census_look(s, s->identity.pid, &r->rss) == 0)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(order); i++)
		if (rss_is_good(&s->rss[order[i]])) {
			r->rss = s->rss[order[i]];
			return;
		}
	r->rss = (struct segment_rss){ 0 };
}

/* --- how it ended --------------------------------------------------------- */

const char *
report_end(const struct profile *p)
{
	const struct segment *s = p->segment;
	uint32_t how = s->end.how;

	switch (how) {
	case END_EXITED:
		return "exited";
	case END_SIGNALLED:
		return "signalled";
	case END_EXEC:
		return "exec";
	}
	/* A copy of a process that still runs is not `live`. */
	if (p->live || s->watch.taken_ns != 0 || profile_pid(p) != 0)
		return "running";
	return "lost";
}

/* --- threads -------------------------------------------------------------- */

static const char *
thread_state(const struct profile *p, const struct tally *t)
{
	if (t->state == TALLY_SHARED)
		return "shared";
	return p->live && t->state == TALLY_OWNED ? "running" : "ended";
}

static void
add_base(struct thread_row *earlier, const struct tally *t)
{
	earlier->allocations += t->base_allocations;
	earlier->frees += t->base_frees;
	earlier->allocated += t->base_allocated;
	earlier->freed += t->base_freed;
}

static struct thread_row
make_thread(const struct profile *p, const struct tally *t)
{
	struct thread_row row = {
		.tid = t->tid,
		.state = thread_state(p, t),
		.allocations = t->allocations - t->base_allocations,
		.frees = t->frees - t->base_frees,
		.allocated = t->allocated - t->base_allocated,
		.freed = t->freed - t->base_freed,
	};

	memcpy(row.name, t->name, sizeof(t->name));
	if (t->state == TALLY_SHARED)
		strcpy(row.name, "(shared)");
	print_clean(row.name);
	return row;
}

static int
compare_threads(const void *a, const void *b)
{
	const struct thread_row *x = a, *y = b;

	if (x->allocated != y->allocated)
		return x->allocated > y->allocated ? -1 : 1;
	return x->tid < y->tid ? -1 : x->tid > y->tid;
}

static void
collect_threads(struct report *r)
{
	const struct profile *p = r->profile;
	struct thread_row earlier = {
		.name = "(earlier)", .state = "ended",
	};

	r->thread = need(calloc(p->tallies + 1, sizeof(*r->thread)));
	if (profile_lacks(p, UNKNOWN_ALLOCATIONS))
		return;
	for (size_t i = 0; i < p->tallies; i++) {
		const struct tally *t = &p->tally[i];

		if (t->tid == 0 && t->allocations == 0 && t->frees == 0)
			continue;
		add_base(&earlier, t);
		r->thread[r->threads++] = make_thread(p, t);
	}
	if (earlier.allocations != 0 || earlier.frees != 0)
		r->thread[r->threads++] = earlier;
	if (r->threads != 0)
		qsort(r->thread, r->threads, sizeof(*r->thread),
		    compare_threads);
}

/* --- all of it ------------------------------------------------------------ */

void
report_open(struct report *r, const struct profile *profile,
    const struct report_options *options)
{
	*r = (struct report){ .options = options, .profile = profile };
	profile_totals(profile, &r->totals);
	r->symbols = symbols_open(profile, options->debuginfod);
	take_rss(r);
	collect_sites(r);
	collect_threads(r);
}

void
report_close(struct report *r)
{
	free(r->site);
	free(r->map);
	free(r->pool);
	free(r->thread);
	symbols_close(r->symbols);
}
