#include "model/trend.h"

#include "model/stats.h"

#define SLOPES (TREND_POINTS * (TREND_POINTS - 1) / 2)

/* Half the number of slopes that lie between low and high. */
static double
half_width(size_t points, double widened)
{
	double n = (double)points;

	return 1.96 * stats_root(widened * n * (n - 1) * (2 * n + 5) / 18) /
	    2;
}

bool
trend_within(const struct trend_point *points, size_t count, double widened,
    struct trend_line *line)
{
	struct trend_point point[TREND_POINTS];
	double slope[SLOPES];
	size_t n = count < TREND_POINTS ? count : TREND_POINTS;
	size_t slopes = 0;
	size_t i, j;
	double width;

	if (count < 3)
		return false;
	for (i = 0; i < n; i++)
		point[i] = points[i * (count - 1) / (n - 1)];
	for (i = 0; i < n; i++)
		for (j = i + 1; j < n; j++)
			if (point[j].at > point[i].at)
				slope[slopes++] = (point[j].value -
				    point[i].value) /
				    (point[j].at - point[i].at);
	if (slopes == 0)
		return false;
	stats_sort(slope, slopes);
	width = half_width(n, widened);
	i = (double)slopes / 2 > width ?
	    (size_t)((double)slopes / 2 - width) : 0;
	j = slopes - 1 - i;
	line->rate = (slope[(slopes - 1) / 2] + slope[slopes / 2]) / 2;
	line->low = slope[i];
	line->high = slope[j];
	line->points = n;
	return true;
}

uint64_t
trend_time_left(const struct trend_line *line, uint64_t room)
{
	double seconds;

	if (!(line->low > 0 && line->rate > 0))
		return UINT64_MAX;
	seconds = (double)room / line->rate;
	return seconds < 1e15 ? (uint64_t)seconds : UINT64_MAX;
}
