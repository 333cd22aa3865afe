/*
 * check-figure.c - what a figure comes to in a process, and of which sites
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "check/check.h"
#include "report/leaks-scan.h"
#include "report/suppress.h"
#include "say/need.h"

/* Below that, what rises does so by chance: 5 points in order are 1 of 120. */
#define POINTS_LEAST 6

/* What a sum is made for. */
struct asked {
	const struct check *check;
	const struct gate *gate;
	const struct gate_figure_row *row;
	const struct check_subject *subject, *base;
	struct check_sum *sum;
};

__attribute__((format(printf, 2, 3)))
static bool
unknown(const struct asked *a, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(a->sum->why, sizeof(a->sum->why), format, args);
	va_end(args);
	return false;
}

/* --- what it is divided by ------------------------------------------------ */

static bool
has_epochs(const struct check_subject *s)
{
	return !s->leaks.judge.timed && s->leaks.judge.epochs != 0;
}

/*
 * By batch, if that is asked for and there are any.  Where there are none it
 * makes no difference to what is compared with nothing at all.
 */
static bool
find_unit(const struct asked *a, enum gate_unit else_unit)
{
	const struct gate *g = a->gate;

	a->sum->unit = g->unit;
	if (g->unit != GATE_BATCH || has_epochs(a->subject))
		return true;
	a->sum->unit = else_unit;
	if (g->value <= 0)
		return true;
	return unknown(a, "no epochs were marked, so nothing is known by "
	    "batch; ask for /hour, or mark them: tide_mark(), 'heaptide "
	    "mark', --epoch TIME");
}

static bool
find_growth_unit(const struct asked *a)
{
	bool both = has_epochs(a->subject) &&
	    (a->base == NULL || has_epochs(a->base));

	if (a->gate->relative || a->gate->unit == GATE_WHOLE) {
		a->sum->unit = a->gate->unit > GATE_BATCH ? a->gate->unit :
		    both ? GATE_BATCH : GATE_HOUR;
		return true;
	}
	return find_unit(a, GATE_HOUR);
}

/*
 * What adds up all the time is compared by batch, if both sides have any; else
 * by what was allocated, which time has no part in; only the number of
 * allocations itself is left as it is.
 */
static bool
find_total_unit(const struct asked *a)
{
	if (!a->gate->relative)
		return find_unit(a, GATE_WHOLE);
	if (a->gate->unit == GATE_HOUR || a->gate->unit == GATE_SECOND)
		a->sum->unit = a->gate->unit;
	else if (has_epochs(a->subject) && has_epochs(a->base))
		a->sum->unit = GATE_BATCH;
	else
		a->sum->by_allocation = a->gate->figure != GATE_ALLOCATIONS;
	return true;
}

/* By what a total has to be divided. */
static double
divisor(const struct asked *a)
{
	const struct check_subject *s = a->subject;
	double seconds = profile_seconds(&s->profile, s->profile.now_ns);

	if (a->sum->by_allocation)
		return (double)max_u64(s->totals.allocations, 1);
	switch (a->sum->unit) {
	case GATE_WHOLE: break;
	case GATE_BATCH: return (double)s->leaks.judge.epochs;
	case GATE_HOUR: return seconds > 0 ? seconds / 3600 : 1;
	case GATE_SECOND: return seconds > 0 ? seconds : 1;
	}
	return 1;
}

/* --- whether it is known -------------------------------------------------- */

static bool
has_stacks(const struct asked *a)
{
	return a->subject->profile.segment->config.stacks != STACKS_NONE ||
	    unknown(a, "no stacks were kept, so it is not known by site");
}

static size_t
count_doubted(const struct leaks *l)
{
	size_t doubted = 0;

	for (size_t i = 0; i < l->rows; i++)
		doubted += l->row[i].verdict->doubted;
	return doubted;
}

/* Growth that was found is; that there is none takes time to say. */
static bool
may_judge_growth(const struct asked *a)
{
	const struct leaks *l = &a->subject->leaks;

	a->sum->doubted = count_doubted(l);
	if (l->judge.heap.points >= POINTS_LEAST ||
	    l->kinds[VERDICT_GROWING] != 0)
		return true;
	a->sum->early = true;
	return unknown(a, "it is too early to "
	    "say: %zu of %d moments to compare; mark epochs, or let it "
	    "run for longer", l->judge.heap.points, POINTS_LEAST);
}

static bool
may_judge_leaked(const struct asked *a)
{
	return !a->subject->profile.live || unknown(a, "it still runs, so "
	    "what it holds may be given back; ask for growth or live");
}

static bool
may_judge_ages(const struct asked *a)
{
	return a->subject->leaks.judge.points != 0 || unknown(a, "there was no "
	    "epoch, so it is not known how old anything is");
}

/* What of @site nothing points to, as a scan has found it. */
static double
unreachable_of(const struct check_subject *s, uint32_t site)
{
	const struct reach *r = leaks_scan_of(&s->profile, site);

	return r != NULL ? (double)(r->direct_bytes + r->indirect_bytes) : 0;
}

static bool
may_judge_reach(const struct asked *a)
{
	return leaks_scan_has(&a->subject->profile) ||
	    unknown(a, "no scan in this profile; run it with --scan-at-exit");
}

static bool
may_judge(const struct asked *a)
{
	if ((a->row->leak || a->gate->pattern[0] != '\0') && !has_stacks(a))
		return false;
	switch (a->gate->figure) {
	case GATE_GROWTH:
		return may_judge_growth(a) && find_growth_unit(a);
	case GATE_LEAKS:
	case GATE_STEPS: return may_judge_growth(a);
	case GATE_LEAKED: return may_judge_leaked(a);
	case GATE_UNREACHABLE: return may_judge_reach(a);
	case GATE_SURVIVORS: return may_judge_ages(a);
	default: return !a->row->rate || find_total_unit(a);
	}
}

/* --- of a site ------------------------------------------------------------ */

static double
growth_of(const struct asked *a, const struct leaks_row *row)
{
	if (row == NULL || row->verdict->kind != VERDICT_GROWING)
		return 0;
	switch (a->sum->unit) {
	case GATE_BATCH: return row->verdict->per_epoch;
	case GATE_HOUR: return row->verdict->per_second * 3600;
	default: return row->verdict->per_second;
	}
}

/* Of bytes and blocks; the totals of a process know malloc's only. */
static double
held_by(const struct asked *a, uint32_t site)
{
	const struct profile *p = &a->subject->profile;
	const struct figures *f = &p->figures[site];

	if ((p->site[site].flags & SITE_MAPPING) != 0)
		return 0;
	switch (a->gate->figure) {
	case GATE_LEAKED:
	case GATE_LIVE: return (double)f->live_bytes;
	case GATE_BLOCKS: return (double)f->live_blocks;
	case GATE_PEAK: return (double)f->at_peak_bytes;
	case GATE_ALLOCATIONS: return (double)f->allocations;
	case GATE_ALLOCATED: return (double)f->allocated_bytes;
	case GATE_TEMPORARY: return (double)f->temporary;
	default: return 0;
	}
}

static double
amount_of(const struct asked *a, uint32_t site)
{
	const struct leaks_row *row = a->subject->row[site];

	switch (a->gate->figure) {
	case GATE_GROWTH: return growth_of(a, row);
	case GATE_UNREACHABLE:
		return unreachable_of(a->subject, site);
	case GATE_LEAKS:
		return row != NULL && row->verdict->kind == VERDICT_GROWING;
	case GATE_STEPS:
		return row != NULL && row->verdict->kind == VERDICT_STEP;
	case GATE_SURVIVORS:
		return row == NULL ? 0 :
		    (double)leaks_survivors(&a->subject->leaks, row,
		    a->gate->age);
	default: return held_by(a, site) / divisor(a);
	}
}

/* --- which of them are meant ---------------------------------------------- */

/* Does it matter what a site is called? */
static bool
is_choosing(const struct asked *a)
{
	const struct check_options *o = a->check->options;

	return a->row->sites && (a->row->leak || o->only.count != 0 ||
	    o->ignore.count != 0 || a->gate->pattern[0] != '\0');
}

static bool
matches_one(const struct option_list *list, const struct frame *frames,
    size_t count)
{
	for (size_t i = 0; i < list->count; i++)
		if (suppress_match_frames(list->value[i], frames, count))
			return true;
	return false;
}

/* Is it to be counted?  If not, it is counted why. */
static bool
is_meant(const struct asked *a, uint32_t site, const struct frame *frames,
    size_t count)
{
	const struct check_options *o = a->check->options;

	if (a->gate->pattern[0] != '\0' &&
	    !suppress_match_frames(a->gate->pattern, frames, count))
		return false;
	if ((o->only.count != 0 && !matches_one(&o->only, frames, count)) ||
	    matches_one(&o->ignore, frames, count)) {
		a->sum->ignored++;
		return false;
	}
	if (!a->row->leak)
		return true;
	if (suppress_find(&a->subject->leaks.suppress, frames, count) !=
	    NULL) {
		a->sum->suppressed++;
		return false;
	}
	if (a->gate->figure == GATE_GROWTH && !a->gate->relative &&
	    a->subject->before != NULL && a->subject->before[site]) {
		a->sum->before++;
		return false;
	}
	return true;
}

/* All names at once: one by one they would take long. */
static void
resolve_parts(const struct asked *a)
{
	const struct check_sum *sum = a->sum;
	const struct site **sites = need(calloc(sum->parts + 1,
	    sizeof(*sites)));

	for (size_t i = 0; i < sum->parts; i++)
		sites[i] = &a->subject->profile.site[sum->part[i].site];
	symbols_resolve(a->subject->leaks.symbols, sites, sum->parts);
	free(sites);
}

static void
choose_parts(const struct asked *a)
{
	struct check_sum *sum = a->sum;
	size_t kept = 0;

	resolve_parts(a);
	for (size_t i = 0; i < sum->parts; i++) {
		uint32_t site = sum->part[i].site;
		struct frame *frames;
		size_t count = symbols_stack(a->subject->leaks.symbols,
		    &a->subject->profile.site[site], &frames);

		if (is_meant(a, site, frames, count))
			sum->part[kept++] = sum->part[i];
		free(frames);
	}
	sum->parts = kept;
}

static int
compare_parts(const void *a, const void *b)
{
	const struct check_part *x = a, *y = b;

	if (x->amount < y->amount || x->amount > y->amount)
		return x->amount < y->amount ? 1 : -1;
	return x->site < y->site ? -1 : x->site > y->site;
}

static void
find_parts(const struct asked *a)
{
	const struct profile *p = &a->subject->profile;
	struct check_sum *sum = a->sum;

	sum->part = need(calloc(p->sites + 1, sizeof(*sum->part)));
	for (size_t i = 1; a->row->sites && i < p->sites; i++) {
		double amount = amount_of(a, (uint32_t)i);

		if (amount > 0)
			sum->part[sum->parts++] = (struct check_part){
				(uint32_t)i, amount };
	}
	if (is_choosing(a))
		choose_parts(a);
	qsort(sum->part, sum->parts, sizeof(*sum->part), compare_parts);
}

/* --- of the whole process ------------------------------------------------- */

/*
 * From one batch to the next, what was before the first left out: a program
 * that runs for twice as long has the same figure.
 */
static bool
between_marks(const struct asked *a, double *value)
{
	const struct check_subject *s = a->subject;
	uint64_t warmup = s->options.warmup == UINT64_MAX ? 0 :
	    s->options.warmup;
	const struct mark *first = NULL, *last = NULL;
	const struct mark *since = s->options.since == NULL ? NULL :
	    profile_mark(&s->profile, s->options.since);

	for (size_t i = 0; i < s->profile.marks; i++) {
		const struct mark *m = &s->profile.mark[i];

		if (profile_mark_kind(m) == NULL || m->epoch <= warmup ||
		    (since != NULL && m->at_ns < since->at_ns))
			continue;
		if (first == NULL || m->epoch < first->epoch)
			first = m;
		if (last == NULL || m->epoch > last->epoch)
			last = m;
	}
	if (first == NULL || last->epoch == first->epoch)
		return false;
	*value = (a->gate->figure == GATE_ALLOCATED ?
	    (double)(last->allocated - first->allocated) :
	    (double)(last->allocations - first->allocations)) /
	    (last->epoch - first->epoch);
	return *value >= 0;
}

static double
total_of(const struct asked *a)
{
	const struct totals *t = &a->subject->totals;
	enum gate_figure figure = a->gate->figure;
	double value;

	if (figure == GATE_PEAK)
		return (double)t->peak_bytes;
	if (figure == GATE_LIVE)
		return (double)t->live_bytes;
	if (figure == GATE_BLOCKS)
		return (double)t->live_blocks;
	if (figure == GATE_TEMPORARY)
		return (double)t->temporary / divisor(a);
	if (a->sum->unit == GATE_BATCH && between_marks(a, &value))
		return value;
	return (double)(figure == GATE_ALLOCATED ? t->allocated_bytes :
	    t->allocations) / divisor(a);
}

static bool
resident_of(const struct asked *a)
{
	const struct segment *s = a->subject->profile.segment;

	for (size_t i = 0; i < RSS_SAMPLES; i++)
		if (s->rss[i].at_ns != 0 &&
		    (double)s->rss[i].peak > a->sum->value)
			a->sum->value = (double)s->rss[i].peak;
	return a->sum->value > 0 || unknown(a, "nobody has looked at what "
	    "was resident; it ended too soon");
}

static double
lost_of(const struct profile *p)
{
	double lost = (double)p->damaged + (p->changed != 0);
	struct totals totals;

	profile_totals(p, &totals);
	lost += totals.short_of_blocks + profile_is_bypassed(p);
	for (size_t i = 0; i < PROFILE_LOSSES; i++)
		if (profile_losses[i].withdraws)
			lost += (double)profile_lost(p, &profile_losses[i]);
	return lost;
}

static void
add_parts(const struct asked *a)
{
	const struct profile *p = &a->subject->profile;
	struct check_sum *sum = a->sum;

	for (size_t i = 0; i < sum->parts; i++) {
		sum->value += sum->part[i].amount;
		sum->estimated |= p->figures[sum->part[i].site].drawn != 0;
	}
}

void
check_sum(const struct check *c, const struct gate *gate,
    const struct check_subject *s, const struct check_subject *base,
    struct check_sum *sum)
{
	const struct asked a = { c, gate, &gate_figures[gate->figure], s,
	    base, sum };

	*sum = (struct check_sum){ .known = false };
	if (!may_judge(&a))
		return;
	find_parts(&a);
	sum->known = true;
	if (gate->figure == GATE_RESIDENT)
		sum->known = resident_of(&a);
	else if (gate->figure == GATE_LOST)
		sum->value = lost_of(&s->profile);
	else if (is_choosing(&a))
		add_parts(&a);
	else
		sum->value = total_of(&a);
}
