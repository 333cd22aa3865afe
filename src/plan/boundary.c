#include "plan/boundary.h"

#include <string.h>

#include "base/base.h"
#include "model/stats.h"
#include "model/trend.h"
#include "plan/plan.h"

#define WARMUP 3 /* batches in which caches fill and arenas are made (C.10) */
#define LEAST  5 /* points that anything is said of */

static struct {
	uint64_t seen;     /* batches */
	uint64_t stride;   /* of which so many make a point; 0: 1 */
	uint64_t count;    /* points */
	double batch[STATS_KENDALL_POINTS];
	double at[STATS_KENDALL_POINTS]; /* seconds */
	double bytes[STATS_KENDALL_POINTS];
} boundary;

static void
thin_out(void)
{
	uint64_t i;

	for (i = 0; i < STATS_KENDALL_POINTS / 2; i++) {
		boundary.batch[i] = boundary.batch[2 * i];
		boundary.at[i] = boundary.at[2 * i];
		boundary.bytes[i] = boundary.bytes[2 * i];
	}
	boundary.count = STATS_KENDALL_POINTS / 2;
	boundary.stride *= 2;
}

/* For who looks from outside. */
static void
publish(void)
{
	struct tide_room *room = plan_room();
	struct tide_trend trend;

	boundary_trend(&trend);
	room->trend_rate = trend.per_batch;
	room->trend_low = trend.low;
	room->trend_high = trend.high;
	room->trend_points = trend.points;
}

void
boundary_note(uint64_t bytes, uint64_t now_ns)
{
	uint64_t batch = ++boundary.seen;

	if (boundary.stride == 0)
		boundary.stride = 1;
	if (batch <= WARMUP || batch % boundary.stride != 0)
		return;
	if (boundary.count == STATS_KENDALL_POINTS)
		thin_out();
	boundary.batch[boundary.count] = (double)batch;
	boundary.at[boundary.count] = (double)now_ns / 1e9;
	boundary.bytes[boundary.count] = (double)bytes;
	boundary.count++;
	publish();
}

static bool
slope(const double *at, struct trend_line *line)
{
	struct trend_point point[STATS_KENDALL_POINTS];
	uint64_t i;

	for (i = 0; i < boundary.count; i++) {
		point[i].at = at[i];
		point[i].value = boundary.bytes[i];
	}
	return trend_of(point, (size_t)boundary.count, line);
}

/* Until the budget is met, if it goes on like this. */
static uint64_t
time_left(double per_second)
{
	const struct tide_room *room = plan_room();
	double seconds;

	if (room->budget == TIDE_NONE || !(per_second > 0))
		return TIDE_NONE;
	seconds = (double)above_u64(room->budget, room->used) / per_second;
	return seconds < 1e9 ? (uint64_t)(seconds * 1e9) : TIDE_NONE;
}

void
boundary_trend(struct tide_trend *out)
{
	struct stats_kendall kendall;
	struct trend_line batches, seconds;

	memset(out, 0, sizeof(*out));
	out->size = sizeof(*out);
	out->p = 1;
	out->left_ns = TIDE_NONE;
	if (boundary.count < LEAST || !slope(boundary.batch, &batches))
		return;
	stats_kendall(boundary.bytes, (size_t)boundary.count, &kendall);
	out->points = boundary.count;
	out->per_batch = batches.rate;
	out->low = batches.low;
	out->high = batches.high;
	out->p = kendall.p;
	if (slope(boundary.at, &seconds))
		out->per_second = seconds.rate;
	out->direction = batches.low > 0 ? 1 : batches.high < 0 ? -1 : 0;
	if (out->direction > 0)
		out->left_ns = time_left(out->per_second);
}

void
boundary_in_child(void)
{
	memset(&boundary, 0, sizeof(boundary));
}
