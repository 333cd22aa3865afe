/*
 * diff.c - two profiles, or two moments of one, side by side
 */
#include "diff/diff.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "model/stats.h"
#include "say/need.h"
#include "say/print.h"
#include "sys/proc.h"

const struct diff_total_row diff_totals[DIFF_TOTALS] = {
	[DIFF_LIVE] = { "live_bytes", "live", true },
	[DIFF_PEAK] = { "peak_bytes", "peak", true },
	[DIFF_BLOCKS] = { "live_blocks", "live blocks", false },
	[DIFF_ALLOCATIONS] = { "allocations", "allocations", false },
	[DIFF_ALLOCATED] = { "allocated_bytes", "allocated", true },
	[DIFF_RESIDENT] = { "resident", "resident", true },
};

/* --- what an operand means ------------------------------------------------ */

static bool
is_profile(const char *what)
{
	uint64_t pid;

	return text_parse_u64(what, INT32_MAX, &pid) == 0 ||
	    access(what, F_OK) == 0;
}

/*
 * Split `FILE@MARK`; files and marks may have an `@` in their names: the
 * first part that is a file or a pid is meant.  NULL: there is no mark.
 */
static const char *
split_operand(const char *operand, char **what)
{
	const char *at;

	*what = need_text("%s", operand);
	if (access(operand, F_OK) == 0)
		return NULL;
	for (at = strchr(operand, '@'); at != NULL; at = strchr(at + 1, '@')) {
		(*what)[at - operand] = '\0';
		if (at != operand && is_profile(*what))
			return at + 1;
		(*what)[at - operand] = '@';
	}
	return NULL;
}

/* Those that could have been meant, from the last. */
static void
refuse_mark(const struct diff_side *s, const char *name)
{
	const struct profile *p = &s->profile;
	char *list = need_text("%s", "");
	size_t listed = 0;

	for (size_t i = p->marks; i-- > 0 && listed < 5; ) {
		char *before = list;

		if (profile_mark_kind(&p->mark[i]) == NULL)
			continue;
		list = need_text("%s%s#%zu '%.*s'", before, listed++ == 0 ?
		    "" : ", ", i, (int)sizeof(p->mark[i].name),
		    p->mark[i].name);
		free(before);
	}
	print_error("diff: '%s' has no mark '%s'; %s%s", s->what, name,
	    listed == 0 ? "it has none at all" : "its last are ", list);
	free(list);
}

static bool
open_side(struct diff_side *s, const char *operand)
{
	const char *name = split_operand(operand, &s->what);
	char why[512];

	s->operand = operand;
	if (profile_open(s->what, &s->profile, why) < 0) {
		print_error("diff: %s", why);
		return false;
	}
	s->at_ns = s->profile.now_ns;
	if (name == NULL)
		return true;
	s->mark = profile_mark(&s->profile, name);
	if (s->mark == NULL) {
		refuse_mark(s, name);
		return false;
	}
	memcpy(s->mark_name, s->mark->name, sizeof(s->mark->name));
	print_clean(s->mark_name);
	s->at_ns = s->mark->at_ns;
	return true;
}

/* --- totals --------------------------------------------------------------- */

static uint64_t
resident_now(const struct profile *p)
{
	struct proc_status status;

	if (p->live && proc_status_read(profile_pid(p), &status) == 0)
		return status.resident;
	return p->segment->rss[RSS_LAST].resident;
}

static void
set_total(struct diff_side *s, enum diff_total total, uint64_t value)
{
	s->total[total] = (struct diff_amount){ true, value };
}

/* What another tool's profile does not have is no 0. */
static void
forget_unknown(struct diff_side *s)
{
	static const struct {
		uint32_t unknown;
		enum diff_total total;
	} rows[] = {
		{ UNKNOWN_PEAK, DIFF_PEAK },
		{ UNKNOWN_BLOCKS, DIFF_BLOCKS },
		{ UNKNOWN_ALLOCATIONS, DIFF_ALLOCATIONS },
		{ UNKNOWN_ALLOCATIONS, DIFF_ALLOCATED },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(rows); i++)
		if (profile_lacks(&s->profile, rows[i].unknown))
			s->total[rows[i].total].known = false;
}

static void
find_totals(struct diff_side *s)
{
	uint64_t resident = s->mark != NULL ? s->mark->resident :
	    resident_now(&s->profile);
	const struct mark *m = s->mark;
	struct totals t;

	profile_totals(&s->profile, &t);
	if (m == NULL) {
		set_total(s, DIFF_PEAK, t.peak_bytes);
		set_total(s, DIFF_BLOCKS, t.live_blocks);
	} else {
		t.live_bytes = m->live_bytes > 0 ? (uint64_t)m->live_bytes : 0;
		t.allocations = m->allocations;
		t.allocated_bytes = m->allocated;
	}
	set_total(s, DIFF_LIVE, t.live_bytes);
	set_total(s, DIFF_ALLOCATIONS, t.allocations);
	set_total(s, DIFF_ALLOCATED, t.allocated_bytes);
	forget_unknown(s);
	if (resident != 0)
		set_total(s, DIFF_RESIDENT, resident);
}

/* --- what sites hold ------------------------------------------------------ */

/*
 * At a mark no errors are kept.  That of the same site now tells how large the
 * blocks are that it is made of; without any, they are taken for small.
 */
static double
variance_at(const struct diff_side *s, const struct figures *f, uint64_t bytes)
{
	double now = (double)f->error_bytes * (double)f->error_bytes;

	if (s->mark == NULL)
		return now;
	if (f->live_bytes != 0 && f->error_bytes != 0)
		return now / (double)f->live_bytes * (double)bytes;
	return (double)s->profile.segment->config.sample_bytes *
	    (double)bytes;
}

static bool
hold(const struct diff_side *s, uint32_t site, struct holding *h)
{
	const struct figures *f = &s->profile.figures[site];
	int64_t bytes = 0;

	if (s->mark != NULL &&
	    !profile_held(&s->profile, s->mark, site, &bytes))
		return false;
	h->bytes = s->mark == NULL ? f->live_bytes :
	    bytes > 0 ? (uint64_t)bytes : 0;
	h->estimated = f->drawn != 0;
	h->freed = f->frees != 0;
	if (h->estimated)
		h->variance = variance_at(s, f, h->bytes);
	return true;
}

static void
find_holdings(struct diff_side *s)
{
	size_t sites = s->profile.sites;

	s->held = need(calloc(sites + 1, sizeof(*s->held)));
	s->has_sites = sites > 1 &&
	    s->profile.segment->config.stacks != STACKS_NONE;
	for (size_t i = 1; i < sites && s->has_sites; i++)
		s->has_sites = hold(s, (uint32_t)i, &s->held[i]);
}

/* --- what differs --------------------------------------------------------- */

static double
square(double x)
{
	return x * x;
}

/*
 * That of what side @i holds.  A sample in which a site does not show does not
 * say that there is nothing: of as much as the other side holds in small blocks
 * all may have been missed.
 */
static double
variance_on(const struct diff *d, const struct match_row *r, int i)
{
	const struct segment_config *config =
	    &d->side[i].profile.segment->config;
	bool other_sampled = d->side[!i].profile.segment->config.stacks ==
	    STACKS_SAMPLED;

	if (r->held[i].bytes != 0 || config->stacks != STACKS_SAMPLED ||
	    (other_sampled && !r->held[!i].estimated))
		return r->held[i].variance;
	return (double)config->sample_bytes * (double)r->held[!i].bytes;
}

/*
 * In one run the blocks that are there on both sides were drawn once, and do
 * not differ.  That is known to be so of a site that never freed; of others
 * both sides' errors count, which is too much rather than too little.
 */
static double
variance_of(const struct diff *d, const struct match_row *r)
{
	double a = r->held[0].variance, b = r->held[1].variance;

	if (d->same_run && !r->held[0].freed && !r->held[1].freed)
		return a > b ? a - b : b - a;
	return variance_on(d, r, 0) + variance_on(d, r, 1);
}

static struct diff_row
make_row(const struct diff *d, const struct match_row *r)
{
	struct diff_row row = {
		.match = r,
		.difference = (int64_t)(r->held[1].bytes - r->held[0].bytes),
	};
	double variance = variance_of(d, r);

	if (variance > 0)
		row.error = whole_u64(stats_root(variance) + 0.5);
	row.noise = square((double)row.difference) < 4 * variance;
	return row;
}

/* What is sure comes first, then what moved most. */
static int
compare_grown(const void *a, const void *b)
{
	const struct diff_row *x = a, *y = b;

	if (x->noise != y->noise)
		return x->noise ? 1 : -1;
	return (x->difference < y->difference) -
	    (x->difference > y->difference);
}

static int
compare_shrunk(const void *a, const void *b)
{
	const struct diff_row *x = a, *y = b;

	if (x->noise != y->noise)
		return x->noise ? 1 : -1;
	return (x->difference > y->difference) -
	    (x->difference < y->difference);
}

static void
find_rows(struct diff *d)
{
	const struct match_side sides[2] = {
		{ &d->side[0].profile, d->side[0].symbols, d->side[0].held },
		{ &d->side[1].profile, d->side[1].symbols, d->side[1].held },
	};

	/* One without figures would have everything come or go. */
	if (!d->side[0].has_sites || !d->side[1].has_sites)
		return;
	match_open(&d->match, sides);
	diff_judge_match(d);
	d->row = need(calloc(d->match.rows + 1, sizeof(*d->row)));
	for (size_t i = 0; i < d->match.rows; i++) {
		d->row[d->rows] = make_row(d, &d->match.row[i]);
		d->rows += d->row[d->rows].difference != 0;
	}
	if (d->rows != 0)
		qsort(d->row, d->rows, sizeof(*d->row), d->options->shrunk ?
		    compare_shrunk : compare_grown);
}

/* --- the whole ------------------------------------------------------------ */

bool
diff_open(struct diff *d, const struct diff_options *options,
    char *const operand[2])
{
	*d = (struct diff){ .options = options };
	d->side[0].name = "A";
	d->side[1].name = "B";
	for (int i = 0; i < 2; i++)
		if (!open_side(&d->side[i], operand[i]))
			return false;
	for (int i = 0; i < 2; i++) {
		struct diff_side *s = &d->side[i];

		s->symbols = symbols_open(&s->profile, options->debuginfod);
		find_totals(s);
		find_holdings(s);
	}
	diff_compare(d);
	find_rows(d);
	return true;
}

void
diff_close(struct diff *d)
{
	match_close(&d->match);
	free(d->row);
	for (size_t i = 0; i < d->whys; i++)
		free(d->why[i]);
	for (int i = 0; i < 2; i++) {
		struct diff_side *s = &d->side[i];

		if (s->symbols != NULL)
			symbols_close(s->symbols);
		if (s->profile.segment != NULL)
			profile_close(&s->profile);
		free(s->what);
		free(s->held);
	}
}

/* B is newer, mostly, and its files are there. */
const struct diff_side *
diff_shown(const struct diff *d, const struct diff_row *row,
    const struct site **site)
{
	int i = row->match->site[1] != NULL;

	*site = row->match->site[i];
	return &d->side[i];
}

void
diff_resolve(const struct diff *d, size_t count)
{
	const struct site **wanted = need(calloc(count + 1, sizeof(*wanted)));

	for (int i = 0; i < 2; i++) {
		const struct site *site;
		size_t n = 0;

		for (size_t k = 0; k < count; k++)
			if (diff_shown(d, &d->row[k], &site) == &d->side[i])
				wanted[n++] = site;
		symbols_resolve(d->side[i].symbols, wanted, n);
	}
	free(wanted);
}
