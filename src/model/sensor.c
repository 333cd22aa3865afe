#include "model/sensor.h"

#include <string.h>

#include "base/base.h"
#include "model/numbers.h"

#define SENSOR_OMEGA      1.10 /* 1.01 to 1.13 of allocators in use */
#define SENSOR_OMEGA_MOST 16.0 /* 14.2 of one that never gives back */
#define SENSOR_HIGH       0.85 /* from here on, free is not to be counted on */
#define SENSOR_FULL       0.95 /* and from here on, nothing is */
#define SENSOR_MISSED     0.25 /* of what was free, before any batch told */
#define SENSOR_MISSED_FADE (1.0 / 64)
#define SENSOR_TELLS      64   /* of the budget: less free tells nothing */
#define SENSOR_RESIDENT   0.97 /* of the budget: for U, free or not */
#define SENSOR_UNKNOWN    (UINT64_C(64) << 20) /* bytes left, without budget */
#define SENSOR_MOVED      20   /* a 20th of L; of a quarter MiB at least */
#define SENSOR_MOVED_LEAST (UINT64_C(256) << 10)

void
sensor_open(struct sensor *s, uint64_t budget)
{
	memset(s, 0, sizeof(*s));
	s->budget = budget;
}

void
sensor_budget(struct sensor *s, uint64_t budget)
{
	s->budget = budget;
}

/*
 * Learned when live bytes are the most there were: then nothing is kept that a
 * live block had before, and what is resident beyond them is what they cost.
 */
static void
sensor_learn_omega(struct sensor *s, uint64_t heap, uint64_t live)
{
	double omega;

	if (live < (UINT64_C(1) << 20) || live < s->peak_live)
		return;
	s->peak_live = live;
	omega = numbers_within((double)heap / (double)live, 1,
	    SENSOR_OMEGA_MOST);
	s->omega = s->omega > 0 ? s->omega + (omega - s->omega) / 4 : omega;
}

/* Up at once; down by a quarter a look. */
static void
sensor_learn_rate(struct sensor *s, const struct sensor_look *look)
{
	double seconds, rate = 0;

	if (look->now_ns <= s->at_ns)
		return;
	seconds = (double)(look->now_ns - s->at_ns) / 1e9;
	if (look->live > s->live0)
		rate = (double)(look->live - s->live0) / seconds;
	if (look->used > s->used0 &&
	    (double)(look->used - s->used0) / seconds > rate)
		rate = (double)(look->used - s->used0) / seconds;
	s->rate = rate > 0.75 * s->rate ? rate : 0.75 * s->rate;
}

void
sensor_sample(struct sensor *s, const struct sensor_look *look)
{
	uint64_t heap = look->heap;
	uint64_t guess;
	double off;

	if (s->looks == 0) {
		s->base = above_u64(look->used, look->live);
	} else {
		guess = sensor_used(s, look->live);
		off = look->used > 0 && guess < look->used ?
		    (double)(look->used - guess) / (double)look->used : 0;
		s->error = off > 0.9 * s->error ? off : 0.9 * s->error;
		sensor_learn_rate(s, look);
	}
	if (heap == 0)
		heap = above_u64(look->used, s->base);
	sensor_learn_omega(s, heap, look->live);
	s->used0 = look->used;
	s->live0 = look->live;
	s->reusable0 = above_u64(heap, numbers_whole((double)look->live *
	    (s->omega > 0 ? s->omega : SENSOR_OMEGA), UINT64_MAX));
	s->at_ns = look->now_ns;
	s->looks++;
}

uint64_t
sensor_used(const struct sensor *s, uint64_t live)
{
	uint64_t more, reusable = s->reusable0;
	uint64_t used;

	if (s->looks == 0)
		return live;
	more = above_u64(live, s->live0);
	used = s->used0 + above_u64(more, reusable);
	/* Near the limit: as if nothing fitted into what is free. */
	if (s->budget > 0 && (double)used > SENSOR_HIGH * (double)s->budget)
		used = s->used0 + more;
	return used;
}

/* What is left of rho; what was freed since the look has come to it. */
static uint64_t
sensor_reusable(const struct sensor *s, uint64_t live)
{
	if (live < s->live0)
		return s->reusable0 + (s->live0 - live);
	return above_u64(s->reusable0, live - s->live0);
}

uint64_t
sensor_held(const struct sensor *s, uint64_t live)
{
	if (s->looks == 0)
		return live;
	return above_u64(s->used0 + above_u64(live, s->live0 +
	    s->reusable0), sensor_reusable(s, live));
}

int
sensor_may_grow(const struct sensor *s, uint64_t live, uint64_t line,
    uint64_t last, uint64_t stood)
{
	uint64_t quantum = sensor_quantum(s, live, 1);

	if (sensor_used(s, live) < line)
		return SENSOR_GROW;
	if (s->looks == 0 || sensor_held(s, live) >= line)
		return SENSOR_STOP;
	/* What came since the look went into what was free, or did not. */
	if (above_u64(live, s->live0) > quantum)
		return SENSOR_LOOK;
	/* If this never did, each batch would add an item to it. */
	if (s->budget > 0 && (double)s->used0 >= SENSOR_FULL *
	    (double)s->budget)
		return SENSOR_STOP;
	return s->used0 < last || s->used0 <= stood + quantum ?
	    SENSOR_GROW : SENSOR_STOP;
}

static double
sensor_missed(const struct sensor *s)
{
	return s->reused == 0 ? SENSOR_MISSED : s->missed;
}

void
sensor_reused(struct sensor *s, const struct sensor_batch *batch)
{
	double spare = (double)above_u64(batch->stood, batch->held);
	double grown = (double)batch->live;
	double rise = (double)batch->risen;
	double could = grown < spare ? grown : spare;
	double missed;

	if (could * SENSOR_TELLS < (double)s->budget || could < 1)
		return;
	if (grown > spare)
		rise -= grown - spare;
	missed = numbers_within(rise / could, 0, 1);
	s->missed = sensor_missed(s) * (1 - SENSOR_MISSED_FADE);
	if (missed > s->missed)
		s->missed = missed;
	s->reused++;
}

uint64_t
sensor_fits(const struct sensor *s, uint64_t stood, uint64_t held)
{
	double line = SENSOR_RESIDENT * (double)s->budget;
	double spare = (double)above_u64(stood, held);
	double missed = sensor_missed(s);
	double fits = line - (double)held - missed * spare;

	if (s->budget == 0)
		return UINT64_MAX;
	if (fits < spare) /* it does not come to need all of that */
		fits = missed > 0 ? (line - (double)stood) / missed : spare;
	return fits > 1 ? whole_u64(fits) : 1;
}

static uint64_t
sensor_left(const struct sensor *s, uint64_t live)
{
	if (s->budget == 0)
		return SENSOR_UNKNOWN * 16;
	return above_u64(s->budget, sensor_used(s, live));
}

uint64_t
sensor_period(const struct sensor *s, uint64_t live)
{
	double left = (double)sensor_left(s, live);

	if (!(s->rate > 0))
		return SENSOR_PERIOD_MOST_NS;
	return numbers_whole(numbers_within(left / (3 * s->rate) * 1e9,
	    (double)SENSOR_PERIOD_LEAST_NS, (double)SENSOR_PERIOD_MOST_NS),
	    SENSOR_PERIOD_MOST_NS);
}

uint64_t
sensor_quantum(const struct sensor *s, uint64_t live, uint32_t threads)
{
	uint64_t share = sensor_left(s, live) / 16 /
	    (threads > 0 ? threads : 1);

	if (share < SENSOR_QUANTUM_LEAST)
		return SENSOR_QUANTUM_LEAST;
	return share < SENSOR_QUANTUM_MOST ? share : SENSOR_QUANTUM_MOST;
}

uint64_t
sensor_error(const struct sensor *s, uint64_t live, uint32_t threads,
    uint64_t now_ns)
{
	double age = now_ns > s->at_ns ? (double)(now_ns - s->at_ns) : 0;
	double missed = (double)threads *
	    (double)sensor_quantum(s, live, threads);

	/* Live bytes are known to the quantum; what is not counted as live
	 * grows as it did, and the estimate was off as it was. */
	missed += s->rate * age / 1e9 * s->error;
	missed += s->error * (double)sensor_used(s, live);
	return whole_u64(missed);
}

int
sensor_is_due(const struct sensor *s, uint64_t live)
{
	uint64_t moved = live > s->live0 ? live - s->live0 : s->live0 - live;
	uint64_t enough = s->live0 / SENSOR_MOVED;

	if (enough < SENSOR_MOVED_LEAST)
		enough = SENSOR_MOVED_LEAST;
	return s->looks == 0 || moved >= enough;
}
