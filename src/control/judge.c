#include "control/judge.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "base/base.h"
#include "control/history.h"
#include "control/mark.h"
#include "model/stats.h"
#include "sys/sys.h"

static double
positive(double x)
{
	return x > 0 ? x : 0;
}

static const struct moment *
moments(const struct judge *j)
{
	return control_rows(j->control, TABLE_MOMENTS);
}

/* --- the points ----------------------------------------------------------- */

static double
seconds(const struct judge *j, uint64_t at_ns)
{
	return (double)above_u64(at_ns,
	    j->control->segment->identity.clock_ns) / (double)NS_PER_S;
}

/* Did somebody pace them?  Then those that came by themselves do not count. */
static bool
is_paced(const struct judge *j, size_t count)
{
	const struct moment *m = moments(j);
	size_t i;

	for (i = 0; i < count; i++)
		if (m[i].kind == MARK_TIME || m[i].kind == MARK_BATCH)
			return true;
	return false;
}

static double
epoch_of(const struct judge *j, const struct moment *m)
{
	return j->timed ? seconds(j, m->at_ns) *
	    ((double)NS_PER_S / (double)MARK_AUTO_NS) : m->epoch;
}

static bool
is_meant(const struct judge *j, const struct moment *m)
{
	return mark_is_epoch(m->kind) && m->at_ns >= j->options.since_ns &&
	    (j->timed || m->epoch != 0) && (j->points == 0 ||
	    epoch_of(j, m) > j->epoch[j->points - 1]);
}

/*
 * Where it stands now: in a process that runs somewhere between two epochs, as
 * far behind the last one as it is in time.  One that has ended did nothing of
 * account after that.
 */
static double
epoch_now(const struct judge *j, double now)
{
	size_t end = j->points - 1;
	double last = j->timed ? j->epoch[end] : (double)j->epochs;
	double each = (j->at[end] - j->at[0]) / (j->epoch[end] - j->epoch[0]);
	double more = each > 0 ? (now - j->at[end]) / each : 0;

	if (j->options.ended)
		return last;
	return last + (j->timed || more < 1 ? more : 1);
}

static void
add_now(struct judge *j)
{
	double now = seconds(j, j->options.now_ns);
	size_t n = j->points;
	double epoch;

	if (n < 2 || n == VERDICT_POINTS)
		return;
	epoch = epoch_now(j, now);
	if (epoch <= j->epoch[n - 1] || now <= j->at[n - 1])
		return;
	j->epoch[n] = epoch;
	j->at[n] = now;
	j->points = n + 1;
}

static void
find_points(struct judge *j)
{
	const struct moment *m = moments(j);
	size_t count = min_u64(control_count(j->control, TABLE_MOMENTS),
	    min_u64(j->control->segment->watch.trend_used, VERDICT_POINTS));
	size_t i;

	j->timed = !is_paced(j, count);
	for (i = 0; i < count; i++) {
		if (!is_meant(j, &m[i]))
			continue;
		j->column[j->points] = i;
		j->epoch[j->points] = epoch_of(j, &m[i]);
		j->at[j->points++] = seconds(j, m[i].at_ns);
	}
	j->columns = j->points;
	add_now(j);
}

/* --- the series of a site ------------------------------------------------- */

/* Was the last moment not chosen by the program? */
static bool
ends_by_time(const struct judge *j)
{
	uint32_t kind = moments(j)[j->column[j->columns - 1]].kind;

	return kind == MARK_TIME || kind == MARK_AUTO;
}

/*
 * Of a process that has ended, and held less then than at its last mark: how
 * many points are from before that; else 0.  A mark by time may fall into the
 * midst of it, and is left out.
 */
static size_t
before_the_end(const struct judge *j, const struct verdict_point *points,
    double end)
{
	size_t n = j->columns;

	if (!j->options.ended)
		return 0;
	if (n > 1 && ends_by_time(j) && points[n - 1].live < points[n - 2].live)
		n--;
	return end < points[n - 1].live ? n : 0;
}

/*
 * Many programs give all back before they end.  What was held until then grew
 * all the same: it is judged as it was at its last mark, where its age is not
 * known.  But what comes and goes is less at times anyhow: what counts is the
 * least of the last quarter.
 */
static bool
was_given_back(const struct verdict_point *points, size_t n, double end)
{
	size_t i;

	for (i = n - n / 4 - 1; i < n; i++)
		if (end >= points[i].live * 3 / 4)
			return false;
	return true;
}

/* What was made between the columns of point @i - 1 and @i, and is left. */
static int64_t
left_of(const struct judge *j, const struct age_columns *ages, size_t i)
{
	size_t from = i == 0 ? 0 : j->column[i - 1] + 1;
	/* The last has all that was made since. */
	size_t to = i + 1 < j->points ? j->column[i] : TREND_COLUMNS - 1;
	int64_t bytes = 0;

	for (; from <= to; from++)
		bytes = add_i64(bytes, ages->live_bytes[from]);
	return bytes;
}

/* What all of a series has: where its points lie; how many there are. */
static size_t
make_points(const struct judge *j, struct verdict_point points[VERDICT_POINTS])
{
	size_t i;

	for (i = 0; i < j->points; i++)
		points[i] = (struct verdict_point){
			.epoch = j->epoch[i],
			.at = j->at[i],
		};
	return j->points;
}

static void
read_trend(const struct judge *j, uint64_t site, struct verdict_point *points)
{
	struct held held[TREND_COLUMNS];
	size_t i;

	history_of(j->control, site, held);
	for (i = 0; i < j->columns; i++) {
		const struct held *f = &held[j->column[i]];

		points[i].live = positive((double)f->live_bytes);
		points[i].allocated = (double)f->allocated_bytes;
	}
}

/* Returns how many points there are. */
static size_t
make_series(const struct judge *j, uint64_t site,
    struct verdict_point points[VERDICT_POINTS])
{
	struct judged *d = &j->site[site];
	double end = positive((double)d->live_bytes);
	size_t n = make_points(j, points), left, i;

	read_trend(j, site, points);
	left = before_the_end(j, points, end);
	d->given_back = left != 0 && was_given_back(points, left, end);
	d->held = d->given_back ? points[left - 1].live : end;
	if (d->given_back)
		return left;
	points[n - 1].live = end;
	points[n - 1].allocated = (double)d->allocated;
	for (i = 0; i < n; i++)
		points[i].survived = positive((double)left_of(j,
		    &j->ages[site], i));
	return n;
}

size_t
judge_ages(const struct judge *j, uint32_t site,
    struct judge_age ages[VERDICT_POINTS])
{
	struct verdict_point points[VERDICT_POINTS];
	size_t n = make_points(j, points), i, found = 0;

	read_trend(j, site, points);
	points[n - 1].allocated = (double)j->site[site].allocated;
	for (i = n; i-- > 0; )
		ages[found++] = (struct judge_age){
			.age = j->epoch[n - 1] - j->epoch[i],
			.bytes = left_of(j, &j->ages[site], i),
			.made = whole_u64(points[i].allocated -
			    (i > 0 ? points[i - 1].allocated : 0)),
		};
	return found;
}

/* --- what sites hold ------------------------------------------------------ */

static void
add_part(void *context, uint32_t site, const struct control_part *p)
{
	struct judged *d = (struct judged *)context + site;

	d->live_bytes = add_i64(d->live_bytes, p->bytes);
	d->live_blocks = add_i64(d->live_blocks, p->blocks);
	d->allocations += p->allocations;
	d->allocated += p->allocated;
}

/* More than any heap is: a damaged profile may have any bits here. */
#define VARIANCE_MOST 1e36

static void
find_errors(struct judge *j)
{
	const struct estimate *e = control_rows(j->control, TABLE_ESTIMATES);
	uint64_t n = min_u64(j->sites, control_count(j->control,
	    TABLE_ESTIMATES));
	uint64_t i;

	for (i = 0; i < n; i++) {
		uint64_t bits = e[i].variance;
		double variance;

		memcpy(&variance, &bits, sizeof(variance));
		j->site[i].estimated = e[i].drawn != 0;
		if (e[i].drawn != 0 && variance > 0 &&
		    variance < VARIANCE_MOST)
			j->site[i].error = stats_root(variance);
	}
}

/* Of the heap, so much is known by age, or none is. */
#define KNOWN 0.9

/* --- verdicts ------------------------------------------------------------- */

static struct verdict_options
verdict_options_of(const struct judge *j, double error)
{
	return (struct verdict_options){
		.warmup = j->options.warmup,
		.error = error,
		.budget = (double)j->control->segment->config.budget_bytes,
		.remaining = seconds(j, j->options.now_ns),
		.effect = j->options.effect,
	};
}

static void
judge_site(struct judge *j, uint64_t site)
{
	struct verdict_options options = verdict_options_of(j,
	    j->site[site].error);
	struct verdict_point points[VERDICT_POINTS];
	size_t n = j->site[site].allocations != 0 ?
	    make_series(j, site, points) : 0;

	verdict_of(points, n, &options, &j->verdict[site]);
}

/*
 * What all of the heap's sites hold, by age.  False: they do not have all of it,
 * as where stacks were not kept from the start.
 */
static bool
sum_ages(const struct judge *j, int64_t live, struct age_columns *all)
{
	const struct site *site = control_rows(j->control, TABLE_SITES);
	int64_t held = 0;
	uint64_t i;
	size_t k;

	*all = (struct age_columns){ 0 };
	for (i = 1; i < j->sites; i++) {
		if ((site[i].flags & SITE_APART) != 0)
			continue;
		held = add_i64(held, j->site[i].live_bytes);
		for (k = 0; k < TREND_COLUMNS; k++)
			all->live_bytes[k] = add_i64(all->live_bytes[k],
			    j->ages[i].live_bytes[k]);
	}
	return (double)held > KNOWN * (double)live &&
	    (double)live > KNOWN * (double)held;
}

static void
judge_heap(struct judge *j)
{
	struct verdict_options options = verdict_options_of(j, 0);
	const struct moment *m = moments(j);
	struct verdict_point points[VERDICT_POINTS];
	struct age_columns ages;
	struct control_sums all;
	size_t n = make_points(j, points), left, i;
	double end;

	options.sum = true;
	control_sum(j->control, &all);
	for (i = 0; i < j->columns; i++) {
		points[i].live = positive((double)m[j->column[i]].live_bytes);
		points[i].allocated = (double)m[j->column[i]].allocated;
	}
	end = (double)all.live_bytes;
	left = before_the_end(j, points, end);
	if (left == 0) {
		points[n - 1].live = end;
		points[n - 1].allocated = (double)all.allocated;
	} else {
		n = left; /* something is freed at the end of most programs */
	}
	if ((left == 0 || !was_given_back(points, n, end)) &&
	    sum_ages(j, (int64_t)all.live_bytes, &ages))
		for (i = 0; i < n; i++)
			points[i].survived = positive((double)left_of(j, &ages,
			    i));
	verdict_of(points, n, &options, &j->heap);
}

/* --- opening -------------------------------------------------------------- */

static int
take_room(struct judge *j)
{
	uint64_t each = sizeof(*j->site) + sizeof(*j->verdict) +
	    sizeof(*j->ages);
	char *room;

	j->sites = max_u64(control_count(j->control, TABLE_SITES), 1);
	j->room_bytes = round_up(j->sites * each, 4096);
	room = sys_mmap(NULL, j->room_bytes, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (sys_error_of(room) < 0)
		return sys_error_of(room);
	j->room = room;
	j->ages = (void *)room;
	j->site = (void *)(j->ages + j->sites);
	j->verdict = (void *)(j->site + j->sites);
	return 0;
}

/* Slower than somebody has said that it has to be: that is minor as well. */
static bool
is_slow(const struct judge *j, uint64_t i)
{
	const struct control_least *least = &j->control->least;
	const struct verdict *v = &j->verdict[i];

	return v->kind == VERDICT_GROWING &&
	    (v->per_second < least->per_second ||
	    v->per_epoch < least->share * j->site[i].held);
}

int
judge_open(struct judge *j, const struct control *c,
    const struct judge_options *options)
{
	uint64_t i;
	int r;

	*j = (struct judge){ .options = *options, .control = c };
	j->epochs = c->segment->watch.epochs;
	r = take_room(j);
	if (r < 0)
		return r;
	find_points(j);
	control_each_part(c, j->sites, add_part, j->site);
	ages_sum(c, j->ages, j->sites);
	find_errors(j);
	if (j->points == 0)
		return 0;
	for (i = 1; i < j->sites; i++)
		judge_site(j, i);
	/* What is wrong by chance is counted over all of them. */
	verdict_control(j->verdict + 1, j->sites - 1, VERDICT_LEVEL);
	for (i = 1; i < j->sites; i++)
		j->verdict[i].minor |= is_slow(j, i);
	judge_heap(j);
	return 0;
}

void
judge_close(struct judge *j)
{
	if (j->room != NULL)
		sys_munmap(j->room, j->room_bytes);
	j->room = NULL;
}

struct judge_brief
judge_count(const struct judge *j)
{
	struct judge_brief brief = { .heap = j->heap.kind };
	uint64_t i;

	for (i = 1; i < j->sites; i++) {
		if (j->verdict[i].kind == VERDICT_GROWING) {
			brief.growing++;
			brief.per_second += j->verdict[i].per_second;
		}
		brief.steps += j->verdict[i].kind == VERDICT_STEP;
	}
	return brief;
}

int
judge_in_brief(const struct control *c, const struct judge_options *options,
    struct judge_brief *brief)
{
	struct judge j;
	int r = judge_open(&j, c, options);

	*brief = (struct judge_brief){ .heap = VERDICT_UNKNOWN };
	if (r < 0)
		return r;
	*brief = judge_count(&j);
	judge_close(&j);
	return 0;
}
