#include "model/sizing-fit.h"

#include <string.h>

#include "model/numbers.h"

#define SIZING_HEAVY_HARD       0.95 /* of the budget: what weights may say */
#define SIZING_HEAVY_DEVIATIONS 3.6

const struct sizing_heavy *
sizing_heavy_before(const struct sizing *s, uint32_t age)
{
	return &s->heavy[(s->heavy_next + SIZING_WEIGHED - 1 - age) %
	    SIZING_WEIGHED];
}

void
sizing_bound_by(struct sizing_bounds *b, double n, int bound)
{
	if (n < b->n) {
		b->n = n;
		b->bound = bound;
	}
}

void
sizing_by_others(const struct sizing *s, const struct sizing_room *room,
    struct sizing_bounds *b)
{
	if (s->conf.max > 0)
		sizing_bound_by(b, s->conf.max, SIZING_BY_MAX);
	if (room->knee > 0)
		sizing_bound_by(b, room->knee, SIZING_BY_KNEE);
	if (!room->grow_allowed && s->last > 0)
		sizing_bound_by(b, s->last, SIZING_BY_STATE);
	if (room->probe)
		sizing_bound_by(b, s->conf.min > 0 ? s->conf.min : 1,
		    SIZING_BY_STATE);
	if (s->failures > 0)
		sizing_bound_by(b, s->failures > 15 ? 1 :
		    s->failed_n >> (2 * s->failures), SIZING_BY_FALLBACK);
}

void
sizing_begin(const struct sizing *s, const struct sizing_room *room,
    const struct sizing_plan *plan, struct sizing_open_batch *open)
{
	struct sizing_bounds b = { 4294967295.0, SIZING_BY_REMAINING, 1 };

	memset(open, 0, sizeof(*open));
	open->room = room->budget == 0 ? 1e30 : SIZING_HEAVY_HARD *
	    (double)room->budget - (double)room->used;
	if (room->fits > 0 && (double)room->fits < open->room)
		open->room = (double)room->fits;
	sizing_by_others(s, room, &b);
	if (s->conf.policy != SIZING_LEARN || s->conf.fixed > 0 ||
	    s->heavy_count == 0)
		sizing_bound_by(&b, plan->n, SIZING_BY_INITIAL);
	if (room->remaining < 4294967295)
		sizing_bound_by(&b, (double)room->remaining,
		    SIZING_BY_REMAINING);
	open->most = (uint32_t)numbers_whole(b.n, UINT32_MAX);
	if (open->most == 0)
		open->most = 1;
}

static bool
sizing_heavy_fits(const struct sizing *s, int kind, double x, double room)
{
	if (x > 2 * s->heavy_largest[kind])
		return false;
	return sizing_margin(s, &s->heavy_fit[kind], x) <= room;
}

static bool
sizing_heavy_counts(const struct sizing *s, int kind)
{
	if (s->conf.model == SIZING_ADDITIVE)
		return kind == 0;
	if (s->conf.model == SIZING_PADDED)
		return kind == 1;
	return sizing_is_credible(&s->heavy_fit[kind],
	    sizing_least_residual(s->heavy_fit, SIZING_HEAVY),
	    s->heavy_weight, s->heavy_count);
}

int
sizing_item(const struct sizing *s, struct sizing_open_batch *open,
    uint64_t weight)
{
	uint64_t sum = open->sum + weight;
	uint64_t max = weight > open->max ? weight : open->max;
	double x[SIZING_HEAVY];
	int kind;

	if (sum < weight)
		sum = UINT64_MAX;
	x[0] = (double)sum;
	x[1] = (double)(open->n + 1) * (double)max;
	if (open->n > 0) {
		if (open->n >= open->most)
			return 0;
		for (kind = 0; s->heavy_count > 0 && kind < SIZING_HEAVY;
		    kind++)
			if (sizing_heavy_counts(s, kind) &&
			    !sizing_heavy_fits(s, kind, x[kind], open->room))
				return 0;
	}
	open->sum = sum;
	open->max = max;
	open->n++;
	return 1;
}

/*
 * The factor again, of a ratio that is nearly one number: it may be as wide as
 * the worst of 128 batches was.
 */
static void
sizing_heavy_factors(struct sizing *s)
{
	double counted, above, ratio, x, least, squares;
	const struct sizing_heavy *h;
	uint32_t age;
	int kind;

	for (kind = 0; kind < SIZING_HEAVY; kind++) {
		h = sizing_heavy_before(s, 0);
		least = (double)(kind == 0 ? h->sum : h->padded) / 4;
		counted = squares = 0;
		above = 1;
		for (age = 0; age < s->heavy_count; age++) {
			h = sizing_heavy_before(s, age);
			x = kind == 0 ? h->sum : h->padded;
			if (x < least)
				continue;
			counted++;
			ratio = h->g / sizing_at(&s->heavy_fit[kind], x);
			squares += (ratio - 1) * (ratio - 1);
			if (ratio > above)
				above = ratio;
		}
		above = 1 + (above - 1) * (1 + 2 / (counted + 1));
		s->heavy_fit[kind].factor = sizing_at_least(above *
		    SIZING_WIDE, SIZING_HEAVY_DEVIATIONS, squares, counted);
	}
}

void
sizing_heavy_learn(struct sizing *s, double sum, double padded, double g,
    bool over)
{
	struct sizing_heavy *h = &s->heavy[s->heavy_next];
	double x[SIZING_HEAVY], *largest = s->heavy_largest;
	int kind;

	h->sum = (float)sum;
	h->padded = (float)padded;
	h->g = (float)g;
	s->heavy_next = (s->heavy_next + 1) % SIZING_WEIGHED;
	if (s->heavy_count < SIZING_WEIGHED)
		s->heavy_count++;
	s->heavy_weight = s->heavy_weight * SIZING_FADE + 1;
	s->heavy_g = s->heavy_g * SIZING_FADE + 1 / g;
	s->heavy_gg = s->heavy_gg * SIZING_FADE + 1 / (g * g);
	x[0] = sum;
	x[1] = padded;
	for (kind = 0; kind < SIZING_HEAVY; kind++) {
		sizing_add(&s->heavy_fit[kind], 1, x[kind], g);
		sizing_solve(&s->heavy_fit[kind], s->heavy_weight, s->heavy_g,
		    s->heavy_gg);
		/* M4; a half-life of 64 batches. */
		largest[kind] *= 0.99;
		if (x[kind] > largest[kind])
			largest[kind] = x[kind];
		if (over && largest[kind] > 0.35 * x[kind])
			largest[kind] = 0.35 * x[kind];
	}
	sizing_heavy_factors(s);
}
