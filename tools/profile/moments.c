/*
 * moments.c - a profile over time: its points, its marks, and how it grows
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "control/history.h"
#include "control/mark.h"
#include "profile/reader.h"

static int
compare_points(const void *a, const void *b)
{
	uint64_t x = (*(const struct point *const *)a)->at_ns;
	uint64_t y = (*(const struct point *const *)b)->at_ns;

	return (x > y) - (x < y);
}

const struct point **
profile_points(const struct profile *profile, bool minutes, size_t *count)
{
	const struct point *row = minutes ? profile->minute : profile->second;
	size_t rows = minutes ? profile->minutes : profile->seconds;
	uint64_t start = profile->segment->identity.clock_ns;
	const struct point **points = calloc(rows + 1, sizeof(points[0]));

	*count = 0;
	if (points == NULL)
		return NULL;
	for (size_t i = 0; i < rows; i++)
		if (row[i].at_ns >= start && row[i].at_ns <= profile->now_ns)
			points[(*count)++] = &row[i];
	qsort(points, *count, sizeof(points[0]), compare_points);
	return points;
}

const struct point **
profile_series(const struct profile *profile, size_t *count)
{
	size_t seconds, minutes, used = 0;
	const struct point **second = profile_points(profile, false, &seconds);
	const struct point **minute = profile_points(profile, true, &minutes);
	const struct point **all = calloc(seconds + minutes + 1,
	    sizeof(all[0]));

	*count = 0;
	if (second == NULL || minute == NULL || all == NULL) {
		free(all);
		all = NULL;
		goto out;
	}
	while (used < minutes && (seconds == 0 ||
	    minute[used]->at_ns < second[0]->at_ns)) {
		all[used] = minute[used];
		used++;
	}
	memcpy(all + used, second, seconds * sizeof(all[0]));
	*count = used + seconds;
out:
	free(minute);
	free(second);
	return all;
}

bool
profile_point_last(const struct profile *profile, const struct point *before,
    struct point *last)
{
	const struct segment_rss *rss = &profile->segment->rss[RSS_LAST];
	struct totals totals;

	if (profile_lacks(profile, UNKNOWN_TIME) ||
	    (before != NULL && before->at_ns >= profile->now_ns))
		return false;
	profile_totals(profile, &totals);
	*last = (struct point){
		.at_ns = profile->now_ns,
		.live_bytes = (int64_t)totals.live_bytes,
		.peak_bytes = (int64_t)totals.peak_bytes,
		.allocated = totals.allocated_bytes,
		.resident = rss->resident,
	};
	for (size_t i = 0; i < RSS_TERMS; i++)
		last->terms[i] = rss->terms[i];
	return true;
}

/* --- growth --------------------------------------------------------------- */

/*
 * Evenly over the span, @n times; between two points the heap was as at the
 * first of them.
 */
static size_t
sample(const struct profile *profile, const struct point **points,
    size_t count, uint64_t from, size_t n, struct trend_point *to)
{
	uint64_t start = profile->segment->identity.clock_ns;
	uint64_t span = profile->now_ns - from;
	size_t at = 0, found = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t when = from + span / (n - 1) * i;

		while (at < count && points[at]->at_ns <= when)
			at++;
		if (at == 0)
			continue; /* before the first */
		to[found++] = (struct trend_point){
			.at = (double)(when - start) / (double)NS_PER_S,
			.value = (double)points[at - 1]->live_bytes,
		};
	}
	return found;
}

bool
profile_growth(const struct profile *profile, uint64_t span_ns,
    struct trend_line *line)
{
	uint64_t age = profile->now_ns - profile->segment->identity.clock_ns;
	uint64_t span = min_u64(span_ns, age);
	bool minutes = span > SERIES_SECONDS * NS_PER_S;
	struct trend_point to[TREND_POINTS];
	const struct point **points;
	size_t count, n;

	if (span < 2 * NS_PER_S)
		return false;
	points = profile_points(profile, minutes, &count);
	if (points == NULL)
		return false;
	n = min_u64(TREND_POINTS, span / NS_PER_S + 1);
	n = sample(profile, points, count, profile->now_ns - span, n, to);
	free(points);
	return trend_of(to, n, line);
}

/* --- marks ---------------------------------------------------------------- */

static bool
is_named(const struct mark *m, const char *name)
{
	return profile_mark_kind(m) != NULL &&
	    strlen(name) < sizeof(m->name) &&
	    strncmp(m->name, name, sizeof(m->name)) == 0;
}

const struct mark *
profile_mark(const struct profile *profile, const char *name)
{
	uint64_t number;

	if (name[0] == '#' && text_parse_u64(name + 1, UINT32_MAX,
	    &number) == 0)
		return number < profile->marks &&
		    profile_mark_kind(&profile->mark[number]) != NULL ?
		    &profile->mark[number] : NULL;
	for (size_t i = profile->marks; i-- > 0; )
		if (is_named(&profile->mark[i], name))
			return &profile->mark[i];
	return NULL;
}

bool
profile_held(const struct profile *profile, const struct mark *mark,
    uint32_t site, int64_t *bytes)
{
	struct held held[TREND_COLUMNS];
	uint32_t column = mark->column;
	struct control control;

	if (column == 0 || column > TREND_COLUMNS ||
	    column > profile->moments ||
	    profile->moment[column - 1].mark != (mark - profile->mark) + 1)
		return false;
	control = profile_control(profile);
	history_of(&control, site, held);
	*bytes = held[column - 1].live_bytes;
	return true;
}

const char *
profile_mark_kind(const struct mark *mark)
{
	return mark_kind_name(mark->kind);
}
