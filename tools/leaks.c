/*
 * leaks.c - what keeps growing, of all that a profile knows
 */
#include "leaks.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "control/mark.h"
#include "need.h"
#include "print.h"

/* --- the moments of which there are figures ------------------------------- */

/* What the series of all sites have in common. */
struct frame_of_time {
	size_t column[VERDICT_POINTS]; /* of struct trend */
	size_t columns;
	size_t newest;  /* the column of ages of what was made last */
};

/* Did somebody pace them?  Then those that came by themselves do not count. */
static bool
is_paced(const struct profile *p)
{
	size_t paced = 0;

	for (size_t i = 0; i < p->moments; i++)
		paced += p->moment[i].kind == MARK_TIME ||
		    p->moment[i].kind == MARK_BATCH;
	return paced > 0;
}

static bool
is_meant(const struct leaks *l, const struct moment *m, uint64_t since_ns)
{
	return mark_is_epoch(m->kind) && m->at_ns >= since_ns &&
	    (l->timed || m->epoch != 0);
}

static double
epoch_of(const struct leaks *l, const struct moment *m)
{
	return l->timed ? profile_seconds(l->profile, m->at_ns) *
	    (double)NS_PER_S / (double)MARK_AUTO_NS : m->epoch;
}

/*
 * Where it stands now: in a process that runs somewhere between two epochs, as
 * far behind the last one as it is in time.  One that has ended did nothing of
 * account after that.
 */
static double
epoch_now(const struct leaks *l, double now)
{
	double last = l->timed ? l->epoch[l->points - 1] :
	    (double)l->epochs;
	double each = (l->at[l->points - 1] - l->at[0]) /
	    (l->epoch[l->points - 1] - l->epoch[0]);
	double more = each > 0 ? (now - l->at[l->points - 1]) / each : 0;

	if (!l->profile->live)
		return last;
	return last + (l->timed || more < 1 ? more : 1);
}

static void
add_now(struct leaks *l)
{
	double now = profile_seconds(l->profile, l->profile->now_ns);
	size_t n = l->points;
	double epoch;

	if (n < 2 || n == VERDICT_POINTS)
		return;
	epoch = epoch_now(l, now);
	if (epoch <= l->epoch[n - 1] || now <= l->at[n - 1])
		return;
	l->epoch[n] = epoch;
	l->at[n] = now;
	l->points = n + 1;
}

static void
find_points(struct leaks *l, uint64_t since_ns, struct frame_of_time *t)
{
	const struct profile *p = l->profile;

	*t = (struct frame_of_time){ .newest = p->moments };
	for (size_t i = 0; i < p->moments; i++) {
		const struct moment *m = &p->moment[i];

		if (!is_meant(l, m, since_ns) ||
		    (l->points > 0 && epoch_of(l, m) <=
		    l->epoch[l->points - 1]))
			continue;
		t->column[t->columns++] = i;
		l->epoch[l->points] = epoch_of(l, m);
		l->at[l->points++] = profile_seconds(p, m->at_ns);
	}
	add_now(l);
}

/* --- the series of a site ------------------------------------------------- */

static double
positive(int64_t n)
{
	return n > 0 ? (double)n : 0;
}

/* What was made between the columns of point @i - 1 and @i, and is left. */
static int64_t
left_of(const struct leaks *l, const struct frame_of_time *t,
    const struct age_columns *ages, size_t i)
{
	size_t from = i == 0 ? 0 : t->column[i - 1] + 1;
	size_t to = i < t->columns ? t->column[i] : t->newest;
	int64_t bytes = 0;

	/* The last has all that was made since. */
	if (i + 1 == l->points)
		to = t->newest;
	for (size_t c = from; c <= to && c < TREND_COLUMNS; c++)
		bytes += ages->live_bytes[c];
	return bytes;
}

/*
 * Many programs give all back before they end.  What was held until then grew
 * all the same: it is judged by its last mark, where its age is not known.
 */
static bool
is_torn_down(const struct leaks *l, double last, uint64_t end)
{
	return !l->profile->live && (double)end < last * 3 / 4;
}

/* What all of a series has: where its points lie. */
static size_t
make_points(const struct leaks *l, const struct frame_of_time *t, bool torn,
    struct verdict_point points[VERDICT_POINTS])
{
	for (size_t i = 0; i < l->points; i++)
		points[i] = (struct verdict_point){
			.epoch = l->epoch[i],
			.at = l->at[i],
		};
	return torn ? t->columns : l->points;
}

/* Returns how many points there are. */
static size_t
make_series(const struct leaks *l, const struct frame_of_time *t,
    const struct age_columns *ages, struct leaks_row *row,
    struct verdict_point points[VERDICT_POINTS])
{
	static const struct trend none;
	const struct profile *p = l->profile;
	const struct figures *f = row->figures;
	size_t site = (size_t)(row->site - p->site);
	const struct trend *trend = site < p->trends ? &p->trend[site] : &none;
	bool torn = is_torn_down(l, positive(
	    trend->live_bytes[t->column[t->columns - 1]]), f->live_bytes);
	size_t n = make_points(l, t, torn, points);

	for (size_t i = 0; i < t->columns; i++) {
		points[i].live = positive(trend->live_bytes[t->column[i]]);
		points[i].allocated =
		    (double)trend->allocated_bytes[t->column[i]];
	}
	row->given_back = torn;
	row->held = torn ? (uint64_t)points[n - 1].live : f->live_bytes;
	if (torn)
		return n;
	points[n - 1].live = (double)f->live_bytes;
	points[n - 1].allocated = (double)f->allocated_bytes;
	for (size_t i = 0; i < n; i++)
		points[i].survived = positive(left_of(l, t, ages, i));
	return n;
}

static void
make_ages(const struct leaks *l, const struct frame_of_time *t,
    const struct verdict_point *points, const struct age_columns *ages,
    struct leaks_row *row)
{
	double now = l->epoch[l->points - 1];

	for (size_t i = l->points; i-- > 0; ) {
		double made = points[i].allocated -
		    (i > 0 ? points[i - 1].allocated : 0);

		row->age[row->ages++] = (struct leaks_age){
			.age = now - l->epoch[i],
			.bytes = left_of(l, t, ages, i),
			.made = made > 0 ? (uint64_t)made : 0,
		};
	}
}

/* --- verdicts ------------------------------------------------------------- */

static struct verdict_options
options_of(const struct leaks *l, double error)
{
	return (struct verdict_options){
		.warmup = l->options->warmup == UINT64_MAX ? SIZE_MAX :
		    (size_t)l->options->warmup,
		.error = error,
	};
}

static void
judge_site(const struct leaks *l, const struct frame_of_time *t,
    uint32_t site, const struct age_columns *ages, struct leaks_row *row)
{
	const struct figures *f = &l->profile->figures[site];
	struct verdict_options options = options_of(l,
	    (double)f->error_bytes);
	struct verdict_point points[VERDICT_POINTS];

	*row = (struct leaks_row){ .site = &l->profile->site[site],
	    .figures = f, .left_s = UINT64_MAX };
	verdict_of(points, make_series(l, t, ages, row, points), &options,
	    &row->verdict);
	make_ages(l, t, points, ages, row);
}

static void
judge_heap(struct leaks *l, const struct frame_of_time *t)
{
	struct verdict_options options = options_of(l, 0);
	struct verdict_point points[VERDICT_POINTS];
	const struct moment *moment = l->profile->moment;
	struct totals all;
	bool torn;
	size_t n;

	profile_totals(l->profile, &all);
	torn = is_torn_down(l, positive(
	    moment[t->column[t->columns - 1]].live_bytes), all.live_bytes);
	n = make_points(l, t, torn, points);
	for (size_t i = 0; i < t->columns; i++) {
		points[i].live = positive(moment[t->column[i]].live_bytes);
		points[i].allocated = (double)moment[t->column[i]].allocated;
	}
	if (!torn) {
		points[n - 1].live = (double)all.live_bytes;
		points[n - 1].allocated = (double)all.allocated_bytes;
	}
	verdict_of(points, n, &options, &l->heap);
}

/* False discoveries are counted over all sites of the program. */
static void
control_all(struct leaks *l)
{
	struct verdict *v = need(calloc(l->rows + 1, sizeof(*v)));

	for (size_t i = 0; i < l->rows; i++)
		v[i] = l->row[i].verdict;
	verdict_control(v, l->rows, VERDICT_LEVEL);
	for (size_t i = 0; i < l->rows; i++)
		l->row[i].verdict = v[i];
	free(v);
}

static void
judge_sites(struct leaks *l, const struct frame_of_time *t)
{
	const struct profile *p = l->profile;
	struct age_columns *ages = need(profile_ages(p));

	l->row = need(calloc(p->sites + 1, sizeof(*l->row)));
	for (size_t i = 1; i < p->sites; i++)
		if (p->figures[i].allocations != 0)
			judge_site(l, t, (uint32_t)i, &ages[i],
			    &l->row[l->rows++]);
	free(ages);
	control_all(l);
}

/* --- what is told of them ------------------------------------------------- */

static int
compare_rows(const void *a, const void *b)
{
	const struct leaks_row *x = a, *y = b;
	int order = verdict_compare(&x->verdict, &y->verdict);

	if (order != 0)
		return order;
	if (x->figures->live_bytes != y->figures->live_bytes)
		return x->figures->live_bytes < y->figures->live_bytes ? 1 :
		    -1;
	return x->site < y->site ? -1 : x->site > y->site;
}

static bool
is_told(const struct leaks_row *row)
{
	return row->verdict.kind == VERDICT_GROWING ||
	    row->verdict.kind == VERDICT_STEP;
}

/* Names are looked up of those that are told, unless all are. */
static void
resolve(struct leaks *l)
{
	const struct site **sites = need(calloc(l->rows + 1, sizeof(*sites)));
	size_t count = 0;

	for (size_t i = 0; i < l->rows; i++)
		if (l->options->all || l->options->json ||
		    is_told(&l->row[i]))
			sites[count++] = l->row[i].site;
	symbols_resolve(l->symbols, sites, count);
	free(sites);
}

static void
suppress_row(const struct leaks *l, struct leaks_row *row)
{
	struct frame *frames;
	size_t count = symbols_stack(l->symbols, row->site, &frames);

	row->suppressed = suppress_find(&l->suppress, frames, count);
	free(frames);
}

static void
count_kinds(struct leaks *l)
{
	for (size_t i = 0; i < l->rows; i++) {
		struct leaks_row *row = &l->row[i];

		if (is_told(row) || l->options->json)
			suppress_row(l, row);
		if (row->suppressed == NULL)
			l->kinds[row->verdict.kind]++;
		else
			l->suppressed++;
	}
}

/* How long each would take alone to come to the limit. */
static void
find_time_left(struct leaks *l)
{
	const struct profile *p = l->profile;
	uint64_t budget = p->segment->config.budget_bytes;

	l->limit.available = LIMIT_NONE;
	if (!p->live || limit_of_pid(profile_pid(p), budget, &l->limit) < 0 ||
	    l->limit.available == LIMIT_NONE)
		return;
	for (size_t i = 0; i < l->rows; i++) {
		const struct verdict *v = &l->row[i].verdict;

		if (v->kind == VERDICT_GROWING && v->per_second > 0)
			l->row[i].left_s = (uint64_t)((double)
			    l->limit.available / v->per_second);
	}
}

/* --- opening -------------------------------------------------------------- */

static bool
find_since(const struct leaks *l, const char *name, uint64_t *since_ns)
{
	const struct mark *m;

	*since_ns = 0;
	if (l->options->since == NULL)
		return true;
	m = profile_mark(l->profile, l->options->since);
	if (m == NULL) {
		print_error("%s: '%s' has no mark '%s'", name,
		    l->profile->path, l->options->since);
		return false;
	}
	*since_ns = m->at_ns;
	return true;
}

static bool
read_suppressions(struct leaks *l, const char *name)
{
	const struct option_list *files = &l->options->suppressions;

	suppress_open(&l->suppress, !l->options->plain);
	for (size_t i = 0; i < files->count; i++)
		if (!suppress_read(&l->suppress, files->value[i], name))
			return false;
	return true;
}

bool
leaks_open(struct leaks *l, const struct profile *profile,
    const struct leaks_options *options, const char *name)
{
	struct frame_of_time t;
	uint64_t since_ns;

	*l = (struct leaks){ .options = options, .profile = profile };
	l->timed = !is_paced(profile);
	l->epochs = profile->segment->watch.epochs;
	if (!read_suppressions(l, name) || !find_since(l, name, &since_ns))
		return false;
	l->symbols = symbols_open(profile, options->debuginfod);
	find_points(l, since_ns, &t);
	if (l->points != 0) {
		judge_sites(l, &t);
		judge_heap(l, &t);
	}
	qsort(l->row, l->rows, sizeof(*l->row), compare_rows);
	resolve(l);
	count_kinds(l);
	find_time_left(l);
	return true;
}

void
leaks_close(struct leaks *l)
{
	if (l->symbols != NULL)
		symbols_close(l->symbols);
	suppress_close(&l->suppress);
	free(l->row);
}

uint64_t
leaks_survivors(const struct leaks_row *row, uint64_t epochs)
{
	int64_t bytes = 0;

	for (size_t i = 0; i < row->ages; i++)
		if (row->age[i].age >= (double)epochs)
			bytes += row->age[i].bytes;
	return bytes > 0 ? (uint64_t)bytes : 0;
}
