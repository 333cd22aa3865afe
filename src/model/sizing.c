#include "model/sizing.h"

#include <string.h>

#include "model/numbers.h"
#include "model/sizing-fit.h"

#define SIZING_TARGET      0.90
#define SIZING_TARGET_MEAN 0.60
#define SIZING_TARGET_MOST 0.98
#define SIZING_HARD        0.99 /* of the budget: what fits may say */
#define SIZING_HARD_WIDER  1.06 /* and by how much more than that */
#define SIZING_ITEM_HARD   0.98 /* for the last item before the line */
#define SIZING_OVERRUN     0.95
#define SIZING_CHEAP       16 /* batches' time */

static double
sizing_target(const struct sizing_conf *conf)
{
	if (conf->target > 0)
		return conf->target;
	return conf->policy == SIZING_MEAN ? SIZING_TARGET_MEAN :
	    SIZING_TARGET;
}

static uint32_t
sizing_initial(const struct sizing_conf *conf)
{
	uint32_t n = conf->initial > 0 ? conf->initial : 1;

	return n < conf->min ? conf->min : n;
}

void
sizing_open(struct sizing *s, const struct sizing_conf *conf)
{
	struct sizing_conf *c = &s->conf;

	memset(s, 0, sizeof(*s));
	if (conf == NULL)
		return;
	*c = *conf;
	if (!(c->target > 0))
		c->target = 0;
	if (c->target > SIZING_TARGET_MOST)
		c->target = SIZING_TARGET_MOST;
	if (c->max > 0 && c->max < c->min)
		c->max = c->min;
	if (c->max > 0 && c->initial > c->max)
		c->initial = c->max;
	if (c->policy == SIZING_FIXED && c->fixed == 0)
		c->fixed = sizing_initial(c);
}

/* --- how many ------------------------------------------------------------- */

/* The n of which @f without margins says @room. */
static double
sizing_invert(const struct sizing_fit *f, double power, double room)
{
	if (room <= f->a)
		return 0;
	if (f->c * 1e9 < room - f->a)
		return 1e9;
	room = (room - f->a) / f->c;
	return power > 1 || power < 1 ? numbers_pow(room, 1 / power) : room;
}

static double
sizing_by_fits(const struct sizing *s, double soft, double hard)
{
	double least = sizing_least_residual(s->fit, SIZING_POWERS);
	double n = 1e9, fits, room;
	int i;

	room = hard / SIZING_HARD_WIDER;
	if (soft < room)
		room = soft;
	if (s->loaded > 0)
		room /= SIZING_LOADED_WIDER;
	for (i = 0; i < SIZING_POWERS; i++) {
		if (!sizing_is_credible(&s->fit[i], least, sizing_batches(s),
		    s->count))
			continue;
		fits = sizing_invert(&s->fit[i], sizing_power(i),
		    room / s->fit[i].factor);
		if (fits < n)
			n = fits;
	}
	return n;
}

/*
 * M5.  Also the most hopeful of what is credible has to agree: what is known to
 * be a cube is no straight line.
 */
static double
sizing_by_exploring(const struct sizing *s, double soft, double hard)
{
	double largest = sizing_largest(s, SIZING_RECENT);
	double step = largest >= 8 ? largest * 1.125 : largest + 1;
	double least = sizing_least_residual(s->fit, SIZING_POWERS);
	double worst = 0, g;
	const struct sizing_seen *seen;
	uint32_t age;
	int i;

	for (age = 0; age < s->count && age < 16; age++) {
		seen = sizing_before(s, age);
		g = seen->g * (seen->n < step ? step / seen->n : 1);
		if (g > worst)
			worst = g;
	}
	if (worst * 1.05 >= soft)
		return 0;
	for (i = 0; i < SIZING_POWERS; i++)
		if (sizing_is_credible(&s->fit[i], least, sizing_batches(s),
		    s->count) && s->fit[i].factor * sizing_at(&s->fit[i],
		    numbers_pow(step, sizing_power(i))) < hard)
			return step;
	return 0;
}

/*
 * M3.  By the shape of each fit, through the batch that was the farthest above
 * it of those that took half of the room.
 */
static double
sizing_by_envelope(const struct sizing *s, double soft)
{
	double least = sizing_least_residual(s->fit, SIZING_POWERS);
	double above[SIZING_POWERS], x[SIZING_POWERS];
	double n = 1e9, fits, ratio;
	const struct sizing_fit *f;
	const struct sizing_seen *seen;
	uint32_t age;
	int i;

	for (i = 0; i < SIZING_POWERS; i++)
		above[i] = 0;
	for (age = 0; age < s->count; age++) {
		seen = sizing_before(s, age);
		if (seen->g < 0.5 * soft)
			continue;
		sizing_powers(seen, x);
		for (i = 0; i < SIZING_POWERS; i++) {
			ratio = seen->g / sizing_at(&s->fit[i], x[i]);
			if (ratio > above[i])
				above[i] = ratio;
		}
	}
	for (i = 0; i < SIZING_POWERS; i++) {
		f = &s->fit[i];
		if (!(above[i] > 0) || !sizing_is_credible(f, least,
		    sizing_batches(s), s->count))
			continue;
		fits = sizing_invert(f, sizing_power(i),
		    soft / (1.02 * above[i]));
		if (fits < n)
			n = fits;
	}
	return n;
}

/* Up to @left bytes, the budget, if a kill has a price; else to what is safe. */
static void
sizing_by_memory(const struct sizing *s, double soft, double hard,
    double left, struct sizing_bounds *b)
{
	double n = sizing_by_fits(s, soft, hard);
	double near = sizing_by_envelope(s, soft);
	double step, safe, bold;

	if (n < sizing_largest(s, SIZING_RECENT) + 1 || n < 8) {
		step = sizing_by_exploring(s, soft, hard);
		if (step > n)
			n = step;
	}
	safe = n < near ? n : near;
	bold = sizing_risk(s, safe, left);
	if (bold > safe) {
		sizing_bound_by(b, bold, SIZING_BY_COST);
		b->bolder = bold / safe;
		return;
	}
	sizing_bound_by(b, n, SIZING_BY_MEMORY);
	sizing_bound_by(b, near, SIZING_BY_NEAR);
}

static void
sizing_by_learning(const struct sizing *s, const struct sizing_room *room,
    struct sizing_bounds *b)
{
	double budget = (double)room->budget, used = (double)room->used;
	double soft = sizing_target(&s->conf) * budget - used;
	double hard = SIZING_HARD * budget - used;

	if (s->count == 0) {
		sizing_bound_by(b, sizing_initial(&s->conf),
		    SIZING_BY_INITIAL);
		return;
	}
	if (room->fits > 0 && (double)room->fits < hard)
		hard = (double)room->fits;
	if (hard < soft)
		soft = hard;
	if (room->budget == 0) /* no limit: growth is all that bounds */
		soft = hard = 1e30;
	if (soft <= 0) {
		sizing_bound_by(b, 0, SIZING_BY_MEMORY);
		return;
	}
	sizing_by_memory(s, soft, hard, budget - used, b);
	sizing_bound_by(b, 2 * sizing_largest(s, SIZING_RECENT),
	    SIZING_BY_GROWTH);
	if (s->overrun_cap > 0)
		sizing_bound_by(b, s->overrun_cap, SIZING_BY_OVERRUN);
}

static void
sizing_by_mean(const struct sizing *s, const struct sizing_room *room,
    struct sizing_bounds *b)
{
	double left = sizing_target(&s->conf) * (double)room->budget -
	    (double)room->used;

	if (s->batches == 0)
		sizing_bound_by(b, sizing_initial(&s->conf),
		    SIZING_BY_INITIAL);
	else if (s->mean > 0)
		sizing_bound_by(b, left > 0 ? left / s->mean : 0,
		    SIZING_BY_MEMORY);
}

static void
sizing_by_table(const struct sizing *s, const struct sizing_room *room,
    struct sizing_bounds *b)
{
	double used = (double)room->used, budget = (double)room->budget;
	double large = s->conf.max > 0 ? s->conf.max : 5;
	double small = s->conf.min > 0 ? s->conf.min : 1;

	sizing_bound_by(b, used < 0.5 * budget || room->budget == 0 ? large :
	    used < 0.75 * budget ? small : 0, SIZING_BY_STATE);
}

static uint32_t
sizing_choose(const struct sizing *s, const struct sizing_room *room,
    struct sizing_bounds *bounds)
{
	struct sizing_bounds b = { 4294967295.0, SIZING_BY_REMAINING, 1 };
	const struct sizing_conf *conf = &s->conf;
	uint32_t least = conf->min > 0 ? conf->min : 1;

	if (conf->fixed > 0)
		sizing_bound_by(&b, conf->fixed, SIZING_BY_MAX);
	else if (conf->policy == SIZING_SEED)
		sizing_by_table(s, room, &b);
	else if (conf->policy == SIZING_MEAN)
		sizing_by_mean(s, room, &b);
	else
		sizing_by_learning(s, room, &b);

	if (b.n > 0 || conf->policy != SIZING_SEED) {
		sizing_by_others(s, room, &b);
		/* After a failure, conf.min is no longer sacred. */
		if (s->failures > 0)
			least = 1;
		if (b.n < least) {
			b.n = least;
			b.bound = SIZING_BY_MIN;
		}
	}
	if (room->remaining < 4294967295)
		sizing_bound_by(&b, (double)room->remaining,
		    SIZING_BY_REMAINING);
	*bounds = b;
	return (uint32_t)numbers_whole(b.n, UINT32_MAX);
}

uint64_t
sizing_predict(const struct sizing *s, uint32_t n)
{
	double least, most = 0, g;
	int i;

	if (s->count == 0 || n == 0)
		return 0;
	least = sizing_least_residual(s->fit, SIZING_POWERS);
	for (i = 0; i < SIZING_POWERS; i++) {
		if (!sizing_is_credible(&s->fit[i], least, sizing_batches(s),
		    s->count))
			continue;
		g = sizing_margin(s, &s->fit[i], numbers_pow(n,
		    sizing_power(i)));
		if (g > most)
			most = g;
	}
	return numbers_whole(most, UINT64_MAX / 2);
}

/*
 * What one item adds: as was seen; else by the fits, between a batch of @n and
 * one less.
 */
static double
sizing_one(const struct sizing *s, uint32_t n)
{
	double most = 0, least, g;
	int i;

	if (s->one > 0 || s->count == 0)
		return s->one;
	least = sizing_least_residual(s->fit, SIZING_POWERS);
	for (i = 0; i < SIZING_POWERS; i++) {
		if (!sizing_is_credible(&s->fit[i], least, sizing_batches(s),
		    s->count))
			continue;
		g = s->fit[i].factor * s->fit[i].c *
		    (numbers_pow(n, sizing_power(i)) -
		    numbers_pow(n - 1, sizing_power(i)));
		if (g > most)
			most = g;
	}
	return most;
}

/*
 * So low that the largest item there was would still fit, wherever in the batch
 * it comes; but a quarter of the room is used whatever came once.  A batch that
 * may be @bolder than is safe may fill so much more.
 */
static double
sizing_line(const struct sizing *s, const struct sizing_room *room, double one,
    double bolder)
{
	double budget = (double)room->budget, used = (double)room->used;
	double target = sizing_target(&s->conf) * budget;
	double line = target > used ? used + bolder * (target - used) : target;
	double worst = s->worst > one ? s->worst : one;
	double last = SIZING_ITEM_HARD * budget - worst;
	double least = used + (SIZING_ITEM_HARD * budget - used) / 4;

	if (last < least)
		last = least;
	return last < line ? last : line;
}

/* Short of an overrun, by an item: what is in pieces was said to be free. */
static double
sizing_last(const struct sizing *s, double budget, double line, double one)
{
	double worst = s->worst > one ? s->worst : one;
	double last = SIZING_OVERRUN * budget - worst;

	return last > line ? last : line;
}

void
sizing_plan(const struct sizing *s, const struct sizing_room *room,
    struct sizing_plan *plan)
{
	struct sizing_bounds b;
	double one, line;

	memset(plan, 0, sizeof(*plan));
	plan->n = sizing_choose(s, room, &b);
	plan->bound = b.bound;
	plan->predicted = sizing_predict(s, plan->n);
	one = sizing_one(s, plan->n > 0 ? plan->n : 1);
	plan->one = numbers_whole(one, UINT64_MAX / 2);
	plan->line = plan->last = UINT64_MAX;
	if (s->conf.model == SIZING_VECTOR || room->budget == 0)
		return;
	line = sizing_line(s, room, one, b.bolder);
	plan->line = numbers_whole(line, UINT64_MAX / 2);
	plan->last = numbers_whole(sizing_last(s, (double)room->budget, line,
	    one), UINT64_MAX / 2);
}

/* --- learning ------------------------------------------------------------- */

static void
sizing_learn_overrun(struct sizing *s, double n, double g, double budget)
{
	double cap = n * 0.9 * 0.8 * budget / g;

	if (cap > 0.7 * n)
		cap = 0.7 * n;
	if (cap < 1)
		cap = 1;
	if (!(s->overrun_cap > 0) || cap < s->overrun_cap)
		s->overrun_cap = cap;
}

/* What items were seen to add, of which one in many is far out: the mean of
 * each batch's largest, and no batch alone makes it. */
static void
sizing_learn_one(struct sizing *s, double item)
{
	s->worst *= (1 - 1.0 / 256);
	if (item > s->worst)
		s->worst = item;
	if (s->one > 0 && item > 4 * s->one)
		item = 4 * s->one;
	s->one = s->one > 0 ? s->one + (item - s->one) / 8 : item;
}

static void
sizing_learn_mean(struct sizing *s, const struct sizing_batch *batch)
{
	double mean = (double)batch->growth / batch->n;

	s->mean = s->mean > 0 ? 0.8 * s->mean + 0.2 * mean : mean;
	if (batch->failed)
		s->mean *= 1.5;
}

/*
 * What the next may have while none may grow.  One item that was let in to try,
 * or that came before a cut, is no size to stay at; nor is one that the knee
 * tries, or it could never go back.
 */
static void
sizing_learn_last(struct sizing *s, const struct sizing_batch *batch)
{
	if (batch->cut && !batch->held && batch->n < s->last)
		s->last = batch->n > s->last / 2 ? batch->n : s->last / 2;
	else if (!batch->held || batch->n > s->last)
		s->last = batch->n;
}

/*
 * M4.  Where a kill is so cheap that it may be risked (M7: one in 128 is the
 * least that is known of a chance), to come close to one is what was meant.
 */
static bool
sizing_is_over(const struct sizing *s, const struct sizing_batch *batch)
{
	uint64_t cost = s->conf.kill_cost_ns;

	if (batch->failed)
		return true;
	if (cost > 0 && cost / SIZING_CHEAP < batch->time_ns)
		return false;
	return batch->budget > 0 && (double)batch->growth +
	    (double)batch->used > SIZING_OVERRUN * (double)batch->budget;
}

void
sizing_learn(struct sizing *s, const struct sizing_batch *batch)
{
	double n = batch->n, g = (double)batch->growth;
	double budget = (double)batch->budget;
	bool over = sizing_is_over(s, batch);

	if (batch->n == 0)
		return;
	s->batches++;
	sizing_learn_mean(s, batch);
	if (batch->failed)
		g *= 1.1; /* more was wanted than was reached */
	if (g < 4096)
		g = 4096; /* less than a page is none, and has no logarithm */
	if (s->loaded > 0)
		s->loaded--;
	if (s->overrun_cap > 0)
		s->overrun_cap *= 1.03;
	if (s->overrun_cap > 1e6)
		s->overrun_cap = 0;

	if (s->conf.kill_cost_ns > 0 && batch->time_ns > 0 && !batch->failed)
		sizing_risk_time(s, n, (double)batch->time_ns);
	sizing_remember(s, n, g, batch->cut && !batch->failed);
	if (batch->item_max > 0)
		sizing_learn_one(s, (double)batch->item_max);
	if (over)
		sizing_learn_overrun(s, n, g, budget > 0 ? budget : g);
	if (batch->weight_sum > 0)
		sizing_heavy_learn(s, (double)batch->weight_sum,
		    n * (double)batch->weight_max, g, over);
	if (batch->failed) {
		if (s->failures++ == 0)
			s->failed_n = batch->n;
	} else {
		s->failures = 0;
		sizing_learn_last(s, batch);
	}
}
