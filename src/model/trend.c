#include "model/trend.h"

#define PAIRS (TREND_POINTS * (TREND_POINTS - 1) / 2)

/* Shell's sort: inside a program, libc's qsort() may call malloc(). */
static void
sort(double *value, size_t count)
{
	size_t gap, i, j;
	double v;

	for (gap = count / 2; gap > 0; gap /= 2)
		for (i = gap; i < count; i++) {
			v = value[i];
			for (j = i; j >= gap && value[j - gap] > v; j -= gap)
				value[j] = value[j - gap];
			value[j] = v;
		}
}

/* Newton's, from above; there is no libm inside a program. */
static double
square_root(double x)
{
	double root = x > 1 ? x : 1;
	double next = (root + x / root) / 2;

	while (next < root) {
		root = next;
		next = (root + x / root) / 2;
	}
	return root;
}

/* Half the number of slopes that lie between low and high. */
static double
half_width(size_t points)
{
	double n = (double)points;

	return 1.96 * square_root(n * (n - 1) * (2 * n + 5) / 18) / 2;
}

bool
trend_of(const struct trend_point *points, size_t count,
    struct trend_line *line)
{
	struct trend_point point[TREND_POINTS];
	double slope[PAIRS];
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
	sort(slope, slopes);
	width = half_width(n);
	i = (double)slopes / 2 > width ?
	    (size_t)((double)slopes / 2 - width) : 0;
	j = slopes - 1 - i;
	*line = (struct trend_line){
		.rate = (slope[(slopes - 1) / 2] + slope[slopes / 2]) / 2,
		.low = slope[i],
		.high = slope[j],
		.points = n,
	};
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
