/*
 * sim-record.c - a run that was recorded, as a workload
 *
 * What is known of it are its batches: how many items, how much memory, how
 * much time.  Of these the law of its growth is found, whole + each * n^power,
 * by least squares of relative errors for each power that there may be; and the
 * items of each batch are given what that one was off by.  So a simulated batch
 * of other items than any that was recorded has the mean of what they had.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "model/numbers.h"
#include "simulate/simulate.h"

#define POWER_LEAST 0.4
#define POWER_MOST  3.01
#define POWER_STEP  0.1
#define POWER_GAIN  0.5  /* of the error of power 1: else it is that */
#define SPREAD      3.0  /* between the largest batch and the smallest; with
			  * less, a power cannot be told from a whole */
#define TIME_MOST   10000.0

/* y = whole + each * x, neither below 0. */
struct line {
	double whole, each, error;
};

/* Sums over all batches of weights w: w, wx, wy, wxx, wxy, wyy. */
struct sums {
	double w, x, y, xx, xy, yy;
};

static void
sums_add(struct sums *s, double x, double y, double weight)
{
	s->w += weight;
	s->x += weight * x;
	s->y += weight * y;
	s->xx += weight * x * x;
	s->xy += weight * x * y;
	s->yy += weight * y * y;
}

/*
 * Least squares.  Where one of the two would be negative, it is 0, and the
 * other what fits best then.
 */
static struct line
line_of(const struct sums *s)
{
	struct line l = { 0, 0, 0 };
	double det = s->w * s->xx - s->x * s->x;

	if (det > 1e-9 * s->w * s->xx) {
		l.each = (s->w * s->xy - s->x * s->y) / det;
		l.whole = (s->y - l.each * s->x) / s->w;
	}
	if (!(l.each > 0) || l.whole < 0) {
		l.whole = l.each < 0 ? s->y / s->w : 0;
		l.each = l.each < 0 || !(s->xx > 0) ? 0 : s->xy / s->xx;
	}
	l.error = s->yy - 2 * (l.whole * s->y + l.each * s->xy) +
	    l.whole * l.whole * s->w + 2 * l.whole * l.each * s->x +
	    l.each * l.each * s->xx;
	return l;
}

static struct line
line_of_peaks(const struct sim_record *r, double power)
{
	struct sums s = { 0 };
	size_t i;

	for (i = 0; i < r->batches; i++) {
		const struct sim_batch *b = &r->batch[i];

		if (b->count > 0 && b->peak > 0)
			sums_add(&s, numbers_pow((double)b->count, power),
			    b->peak, 1 / (b->peak * b->peak));
	}
	return line_of(&s);
}

static void
find_growth(struct sim_record *r)
{
	struct line best = line_of_peaks(r, 1), line;
	double power, most = best.error * POWER_GAIN;

	r->power = 1;
	r->one_size = r->least_n == r->most_n;
	for (power = POWER_LEAST; (double)r->most_n >= SPREAD *
	    (double)r->least_n && power < POWER_MOST; power += POWER_STEP) {
		line = line_of_peaks(r, power);
		if (line.error < most) {
			most = line.error;
			best = line;
			r->power = power;
		}
	}
	r->whole = best.whole;
	r->each = best.each;
}

/* What a batch takes beside its items, in units of what an item takes. */
static void
find_time(struct sim_record *r)
{
	struct sums s = { 0 };
	struct line line;
	size_t i;

	for (i = 0; i < r->batches; i++)
		if (r->batch[i].count > 0 && r->batch[i].seconds > 0)
			sums_add(&s, (double)r->batch[i].count,
			    r->batch[i].seconds, 1 / r->batch[i].seconds);
	line = line_of(&s);
	r->time = line.each > 0 ? line.whole / line.each : 0;
	r->time = numbers_within(r->time, 0, TIME_MOST);
}

/* Bytes an item by which what batches begin with rises, from first to last. */
static void
find_leak(struct sim_record *r)
{
	struct sums s = { 0 };
	struct line line;
	size_t i;

	for (i = 0; i < r->batches; i++)
		if (r->batch[i].count > 0)
			sums_add(&s, (double)r->batch[i].first,
			    r->batch[i].used - r->base, 1);
	line = line_of(&s);
	r->leak = line.each;
}

/* Bytes of each item, or by how much each is off the law. */
static void
fill_items(struct sim_record *r)
{
	size_t i, k;

	for (i = 0; i < r->items; i++)
		r->item[i] = r->power == 1 ? (float)r->each : 1;
	for (i = 0; i < r->batches; i++) {
		const struct sim_batch *b = &r->batch[i];
		double n = (double)b->count, value;

		if (b->count == 0 || !(b->peak > 0))
			continue;
		value = r->power == 1 ? (b->peak - r->whole) / n : b->peak /
		    (r->whole + r->each * numbers_pow(n, r->power));
		for (k = 0; k < b->count; k++)
			r->item[b->first + k] = value > 0 ? (float)value : 0;
	}
}

int
sim_record_open(struct sim_record *r, const struct sim_batch *batch,
    size_t batches)
{
	uint64_t end = 0;
	size_t i;

	memset(r, 0, sizeof(*r));
	r->batch = batch;
	r->batches = batches;
	r->base = -1;
	for (i = 0; i < batches; i++) {
		const struct sim_batch *b = &batch[i];

		if (b->count == 0)
			continue;
		if (b->first > SIM_RECORD_MOST ||
		    b->count > SIM_RECORD_MOST - b->first)
			return -E2BIG;
		end = max_u64(end, b->first + b->count);
		if (r->base < 0 || b->used < r->base)
			r->base = b->used;
		if (b->used + b->peak > r->most)
			r->most = b->used + b->peak;
		if (r->least_n == 0 || b->count < r->least_n)
			r->least_n = b->count;
		if (b->count > r->most_n)
			r->most_n = b->count;
	}
	if (end == 0)
		return -ENODATA;
	r->items = end;
	r->item = malloc(end * sizeof(*r->item));
	if (r->item == NULL)
		return -ENOMEM;
	find_growth(r);
	find_time(r);
	find_leak(r);
	fill_items(r);
	return 0;
}

void
sim_record_close(struct sim_record *r)
{
	free(r->item);
	memset(r, 0, sizeof(*r));
}

/* --- as a workload -------------------------------------------------------- */

static double
growth_sum(const struct sim_work *w, const float *item, size_t n, double noise)
{
	double sum = 0;
	size_t i;

	(void)noise;
	for (i = 0; i < n; i++)
		sum += item[i];
	return w->whole + sum;
}

static double
growth_power(const struct sim_work *w, const float *item, size_t n,
    double noise)
{
	const struct sim_record *r = w->record;
	double sum = 0;
	size_t i;

	(void)noise;
	for (i = 0; i < n; i++)
		sum += item[i];
	return (r->whole + r->each * numbers_pow((double)n, r->power)) *
	    (n > 0 ? sum / (double)n : 1);
}

void
sim_record_work(const struct sim_record *r, struct sim_work *w)
{
	bool adds_up = r->power == 1;

	*w = (struct sim_work){
		.help = "as it was recorded", .additive = adds_up,
		.leak = r->leak, .base = r->base, .whole = r->whole,
		.time = r->time, .growth = adds_up ? growth_sum : growth_power,
		.record = r,
	};
}
