#include "model/sizing.h"

#include <string.h>

#include "model/numbers.h"

/*
 * Where a number has no other source it was found by simulation: doc/sizing.md
 * has the workloads, and `heaptide simulate all` makes the table again.
 */
#define SIZING_TARGET      0.90
#define SIZING_TARGET_MEAN 0.60
#define SIZING_TARGET_MOST 0.98
#define SIZING_HARD        0.99  /* of the budget: what fits may say */
#define SIZING_HARD_WIDER  1.06  /* and by how much more than that */
#define SIZING_ITEM_HARD   0.98  /* for the last item before the line */
#define SIZING_HEAVY_HARD  0.97  /* for what weights say */
#define SIZING_OVERRUN     0.95
#define SIZING_FADE        0.985 /* a batch counts less than the next one */
#define SIZING_CREDIBLE    6.0   /* M1: error of 1 + 6/n times the least */
#define SIZING_NOISE       1e-4  /* no error is less than 1 %, squared */
#define SIZING_WIDE        1.02  /* M2 */
#define SIZING_FRESH       128   /* M2: batches */
#define SIZING_STALE       384   /* M2: batches, half-life */
#define SIZING_RECENT      64    /* M4: the largest of so many */
#define SIZING_CUSUM_SLACK 0.5   /* E. S. Page, Continuous inspection schemes, */
#define SIZING_CUSUM_LINE  4.0   /* Biometrika 41, 1954; in deviations */
#define SIZING_VERSION     1
#define SIZING_LOADED      32    /* batches until what was loaded is old */

static const double sizing_power[SIZING_POWERS] = { 0.6, 1, 1.4, 2, 2.5, 3 };

static void
sizing_powers(const struct sizing_seen *seen, double x[SIZING_POWERS])
{
	double n = seen->n;

	x[0] = seen->power06;
	x[1] = n;
	x[2] = n * n / x[0];
	x[3] = n * n;
	x[4] = n * n * seen->root;
	x[5] = n * n * n;
}

/* The batch that came @age batches before the last one. */
static const struct sizing_seen *
sizing_before(const struct sizing *s, uint32_t age)
{
	return &s->seen[(s->next + SIZING_KEPT - 1 - age) % SIZING_KEPT];
}

static const struct sizing_heavy *
sizing_heavy_before(const struct sizing *s, uint32_t age)
{
	const uint32_t kept = SIZING_KEPT / 4;

	return &s->heavy[(s->heavy_next + kept - 1 - age) % kept];
}

/* The largest n of the last @batches. */
static double
sizing_largest(const struct sizing *s, uint32_t batches)
{
	double largest = 0;
	uint32_t age;

	for (age = 0; age < s->count && age < batches; age++)
		if (sizing_before(s, age)->n > largest)
			largest = sizing_before(s, age)->n;
	return largest;
}

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

static bool
sizing_is_fixed(const struct sizing_conf *conf)
{
	return conf->fixed > 0;
}

/* --- fits ----------------------------------------------------------------- */

/* Least squares of 1 - (a + c x)/g, a and c not below 0. */
static void
sizing_solve(struct sizing_fit *f, double weight, double g, double gg)
{
	double determinant = gg * f->xx - f->x * f->x;
	double squares;

	if (determinant < 1e-9 * gg * f->xx) {
		f->a = 0;
		f->c = f->xg / f->xx;
	} else {
		f->c = (gg * f->xg - f->x * g) / determinant;
		f->a = (g - f->c * f->x) / gg;
	}
	if (f->a < 0) {
		f->a = 0;
		f->c = f->xg / f->xx;
	}
	if (f->c < 0) {
		f->c = 0;
		f->a = g / gg;
	}
	squares = weight - 2 * f->a * g - 2 * f->c * f->xg + f->a * f->a * gg +
	    2 * f->a * f->c * f->x + f->c * f->c * f->xx;
	f->residual = (squares > 0 ? squares / weight : 0) + SIZING_NOISE;
}

static void
sizing_add(struct sizing_fit *f, double x, double g)
{
	f->x = f->x * SIZING_FADE + x / (g * g);
	f->xx = f->xx * SIZING_FADE + x * x / (g * g);
	f->xg = f->xg * SIZING_FADE + x / g;
}

static double
sizing_at(const struct sizing_fit *f, double x)
{
	return f->a + f->c * x;
}

/* By how much it is above the fit so far, added up (M6).  A single batch does
 * not make a change, however far out it is. */
static bool
sizing_has_changed(struct sizing_fit *f, double x, double g)
{
	double off = (g - sizing_at(f, x)) /
	    (sizing_at(f, x) * numbers_root(f->residual));

	f->cusum += numbers_within(off, -3, 3) - SIZING_CUSUM_SLACK;
	if (f->cusum < 0)
		f->cusum = 0;
	return f->cusum > SIZING_CUSUM_LINE;
}

/* As if only @left batches had been seen. */
static void
sizing_forget(struct sizing *s, double left)
{
	double share = left / s->weight;
	struct sizing_fit *f;

	for (f = s->fit; f < s->fit + SIZING_POWERS; f++)
		f->cusum = 0;
	if (share >= 1)
		return;
	s->weight *= share;
	s->g *= share;
	s->gg *= share;
	for (f = s->fit; f < s->fit + SIZING_POWERS; f++) {
		f->x *= share;
		f->xx *= share;
		f->xg *= share;
	}
}

static double
sizing_least_residual(const struct sizing_fit *f, size_t count)
{
	double least = f->residual;
	size_t i;

	for (i = 1; i < count; i++)
		if (f[i].residual < least)
			least = f[i].residual;
	return least;
}

/* M1; until the fourth batch all are. */
static bool
sizing_is_credible(const struct sizing_fit *f, double least, double weight,
    uint32_t count)
{
	return count <= 3 || f->residual <= least * (1 + SIZING_CREDIBLE /
	    (weight > 1 ? weight : 1));
}

/* M2, of all powers in one pass. */
static void
sizing_find_factors(struct sizing *s)
{
	double x[SIZING_POWERS], above[SIZING_POWERS];
	double least = sizing_largest(s, 8) / 4;
	double ratio, counted = 0;
	const struct sizing_seen *seen;
	uint32_t age;
	int i;

	for (i = 0; i < SIZING_POWERS; i++)
		above[i] = 1;
	for (age = 0; age < s->count; age++) {
		seen = sizing_before(s, age);
		if (seen->n < least)
			continue;
		counted++;
		sizing_powers(seen, x);
		for (i = 0; i < SIZING_POWERS; i++) {
			ratio = seen->g / sizing_at(&s->fit[i], x[i]);
			if (ratio <= above[i])
				continue;
			if (age > SIZING_FRESH)
				ratio = numbers_pow(ratio, numbers_pow(0.5,
				    (double)(age - SIZING_FRESH) /
				    SIZING_STALE));
			if (ratio > above[i])
				above[i] = ratio;
		}
	}
	for (i = 0; i < SIZING_POWERS; i++) {
		above[i] = 1 + (above[i] - 1) * (1 + 2 / (counted + 1));
		s->fit[i].factor = above[i] * SIZING_WIDE;
	}
}

/* What a fit with its margins says of x. */
static double
sizing_margin(const struct sizing *s, const struct sizing_fit *f, double x)
{
	return f->factor * sizing_at(f, x) * (s->loaded > 0 ? 1.1 : 1);
}

/* --- how many ------------------------------------------------------------- */

/* The bounds so far: @n, and what set it. */
struct sizing_bounds {
	double n;
	int bound;
};

static void
sizing_bound_by(struct sizing_bounds *b, double n, int bound)
{
	if (n < b->n) {
		b->n = n;
		b->bound = bound;
	}
}

/* The largest n of which @f with its margins fits into @soft and @hard. */
static double
sizing_invert(const struct sizing *s, const struct sizing_fit *f,
    double power, double soft, double hard)
{
	double wide = f->factor * (s->loaded > 0 ? 1.1 : 1);
	double room = soft / wide;
	double x;

	if (hard / (wide * SIZING_HARD_WIDER) < room)
		room = hard / (wide * SIZING_HARD_WIDER);
	if (room <= f->a)
		return 0;
	if (f->c * 1e9 < room - f->a)
		return 1e9;
	x = (room - f->a) / f->c;
	return power > 1 || power < 1 ? numbers_pow(x, 1 / power) : x;
}

static double
sizing_by_fits(const struct sizing *s, double soft, double hard)
{
	double least = sizing_least_residual(s->fit, SIZING_POWERS);
	double n = 1e9, fits;
	int i;

	for (i = 0; i < SIZING_POWERS; i++) {
		if (!sizing_is_credible(&s->fit[i], least, s->weight,
		    s->count))
			continue;
		fits = sizing_invert(s, &s->fit[i], sizing_power[i], soft,
		    hard);
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
		if (sizing_is_credible(&s->fit[i], least, s->weight,
		    s->count) && s->fit[i].factor * sizing_at(&s->fit[i],
		    numbers_pow(step, sizing_power[i])) < hard)
			return step;
	return 0;
}

/* M3. */
static double
sizing_by_envelope(const struct sizing *s, double soft)
{
	double n = 1e9, scaled, ratio;
	const struct sizing_seen *seen;
	uint32_t age;

	for (age = 0; age < s->count; age++) {
		seen = sizing_before(s, age);
		if (seen->g < 0.5 * soft)
			continue;
		ratio = soft / (1.02 * seen->g);
		if (seen->n * ratio >= n && ratio <= 1)
			continue;
		scaled = seen->n *
		    (ratio > 1 ? numbers_pow(ratio, 0.8) : ratio);
		if (scaled < n)
			n = scaled;
	}
	return n;
}

static void
sizing_by_learning(const struct sizing *s, const struct sizing_room *room,
    struct sizing_bounds *b)
{
	double budget = (double)room->budget, used = (double)room->used;
	double soft = sizing_target(&s->conf) * budget - used;
	double hard = SIZING_HARD * budget - used;
	double n;

	if (s->count == 0) {
		sizing_bound_by(b, sizing_initial(&s->conf),
		    SIZING_BY_INITIAL);
		return;
	}
	if (room->budget == 0) /* no limit: growth is all that bounds */
		soft = hard = 1e30;
	if (soft <= 0) {
		sizing_bound_by(b, 0, SIZING_BY_MEMORY);
		return;
	}
	n = sizing_by_fits(s, soft, hard);
	if (n < sizing_largest(s, SIZING_RECENT) + 1 || n < 8) {
		double step = sizing_by_exploring(s, soft, hard);

		if (step > n)
			n = step;
	}
	sizing_bound_by(b, n, SIZING_BY_MEMORY);
	sizing_bound_by(b, sizing_by_envelope(s, soft), SIZING_BY_NEAR);
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

/* What bounds a batch other than memory. */
static void
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
		sizing_bound_by(b, s->failures > 31 ? 1 :
		    s->failed_n >> s->failures, SIZING_BY_FALLBACK);
}

static uint32_t
sizing_choose(const struct sizing *s, const struct sizing_room *room,
    int *bound)
{
	struct sizing_bounds b = { 4294967295.0, SIZING_BY_REMAINING };
	const struct sizing_conf *conf = &s->conf;
	uint32_t least = conf->min > 0 ? conf->min : 1;

	if (sizing_is_fixed(conf))
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
	*bound = b.bound;
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
		if (!sizing_is_credible(&s->fit[i], least, s->weight,
		    s->count))
			continue;
		g = sizing_margin(s, &s->fit[i], numbers_pow(n,
		    sizing_power[i]));
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
		if (!sizing_is_credible(&s->fit[i], least, s->weight,
		    s->count))
			continue;
		g = s->fit[i].factor * s->fit[i].c *
		    (numbers_pow(n, sizing_power[i]) -
		    numbers_pow(n - 1, sizing_power[i]));
		if (g > most)
			most = g;
	}
	return most;
}

void
sizing_plan(const struct sizing *s, const struct sizing_room *room,
    struct sizing_plan *plan)
{
	double budget = (double)room->budget;
	double line = sizing_target(&s->conf) * budget;
	double one;

	memset(plan, 0, sizeof(*plan));
	plan->n = sizing_choose(s, room, &plan->bound);
	plan->predicted = sizing_predict(s, plan->n);
	one = sizing_one(s, plan->n > 0 ? plan->n : 1);
	plan->one = numbers_whole(one, UINT64_MAX / 2);
	if (SIZING_ITEM_HARD * budget - one < line)
		line = SIZING_ITEM_HARD * budget - one;
	plan->line = s->conf.model == SIZING_VECTOR || room->budget == 0 ?
	    UINT64_MAX : numbers_whole(line, UINT64_MAX / 2);
}

/* --- weights -------------------------------------------------------------- */

void
sizing_begin(const struct sizing *s, const struct sizing_room *room,
    const struct sizing_plan *plan, struct sizing_open_batch *open)
{
	struct sizing_bounds b = { 4294967295.0, SIZING_BY_REMAINING };

	memset(open, 0, sizeof(*open));
	open->room = room->budget == 0 ? 1e30 : SIZING_HEAVY_HARD *
	    (double)room->budget - (double)room->used;
	sizing_by_others(s, room, &b);
	if (s->conf.policy != SIZING_LEARN || sizing_is_fixed(&s->conf) ||
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
	double counted, above, ratio, x, least;
	const struct sizing_heavy *h;
	uint32_t age;
	int kind;

	for (kind = 0; kind < SIZING_HEAVY; kind++) {
		h = sizing_heavy_before(s, 0);
		least = (double)(kind == 0 ? h->sum : h->padded) / 4;
		counted = 0;
		above = 1;
		for (age = 0; age < s->heavy_count; age++) {
			h = sizing_heavy_before(s, age);
			x = kind == 0 ? h->sum : h->padded;
			if (x < least)
				continue;
			counted++;
			ratio = h->g / sizing_at(&s->heavy_fit[kind], x);
			if (ratio > above)
				above = ratio;
		}
		above = 1 + (above - 1) * (1 + 2 / (counted + 1));
		s->heavy_fit[kind].factor = above * SIZING_WIDE;
	}
}

static void
sizing_heavy_learn(struct sizing *s, double sum, double padded, double g,
    bool over)
{
	struct sizing_heavy *h = &s->heavy[s->heavy_next];
	double x[SIZING_HEAVY], *largest = s->heavy_largest;
	int kind;

	h->sum = (float)sum;
	h->padded = (float)padded;
	h->g = (float)g;
	s->heavy_next = (s->heavy_next + 1) % (SIZING_KEPT / 4);
	if (s->heavy_count < SIZING_KEPT / 4)
		s->heavy_count++;
	s->heavy_weight = s->heavy_weight * SIZING_FADE + 1;
	s->heavy_g = s->heavy_g * SIZING_FADE + 1 / g;
	s->heavy_gg = s->heavy_gg * SIZING_FADE + 1 / (g * g);
	x[0] = sum;
	x[1] = padded;
	for (kind = 0; kind < SIZING_HEAVY; kind++) {
		sizing_add(&s->heavy_fit[kind], x[kind], g);
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

/* --- learning ------------------------------------------------------------- */

static void
sizing_remember(struct sizing *s, double n, double g)
{
	struct sizing_seen *seen = &s->seen[s->next];
	double x[SIZING_POWERS];
	bool changed = false;
	double least;
	int i;

	seen->n = (float)n;
	seen->g = (float)g;
	seen->power06 = (float)numbers_pow(n, 0.6);
	seen->root = (float)numbers_root(n);
	sizing_powers(seen, x);

	if (s->count > 3) {
		least = sizing_least_residual(s->fit, SIZING_POWERS);
		for (i = 0; i < SIZING_POWERS; i++)
			if (sizing_has_changed(&s->fit[i], x[i], g) &&
			    s->fit[i].residual <= least)
				changed = true;
		if (changed)
			sizing_forget(s, 3);
	}
	s->next = (s->next + 1) % SIZING_KEPT;
	if (s->count < SIZING_KEPT)
		s->count++;
	s->weight = s->weight * SIZING_FADE + 1;
	s->g = s->g * SIZING_FADE + 1 / g;
	s->gg = s->gg * SIZING_FADE + 1 / (g * g);
	for (i = 0; i < SIZING_POWERS; i++) {
		sizing_add(&s->fit[i], x[i], g);
		sizing_solve(&s->fit[i], s->weight, s->g, s->gg);
	}
	sizing_find_factors(s);
}

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

void
sizing_learn(struct sizing *s, const struct sizing_batch *batch)
{
	double n = batch->n, g = (double)batch->growth;
	double budget = (double)batch->budget;
	bool over = batch->failed || (batch->budget > 0 &&
	    g + (double)batch->used > SIZING_OVERRUN * budget);

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

	sizing_remember(s, n, g);
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
		s->last = batch->n;
	}
}

/* --- from run to run ------------------------------------------------------ */

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

void
sizing_save(const struct sizing *s, struct sizing_saved *saved)
{
	uint32_t age, at;

	memset(saved, 0, sizeof(*saved));
	saved->version = SIZING_VERSION;
	saved->one = s->one;
	saved->count = s->count < SIZING_SAVED ? s->count : SIZING_SAVED;
	for (age = 0; age < saved->count; age++) {
		at = saved->count - 1 - age;
		saved->n[at] = sizing_before(s, age)->n;
		saved->g[at] = sizing_before(s, age)->g;
	}
	saved->heavy_count = s->heavy_count < SIZING_SAVED / 2 ?
	    s->heavy_count : SIZING_SAVED / 2;
	for (age = 0; age < saved->heavy_count; age++) {
		const struct sizing_heavy *h = sizing_heavy_before(s, age);

		at = saved->heavy_count - 1 - age;
		saved->heavy_sum[at] = h->sum;
		saved->heavy_padded[at] = h->padded;
		saved->heavy_g[at] = h->g;
	}
}

/* What a file says may be anything. */
static bool
sizing_is_sane(const float *value, uint32_t count)
{
	uint32_t i;

	for (i = 0; i < count; i++)
		if (!(value[i] >= 1 && value[i] < 1e18f))
			return false;
	return true;
}

bool
sizing_load(struct sizing *s, const struct sizing_saved *saved)
{
	uint32_t i;

	if (saved->version != SIZING_VERSION || saved->count > SIZING_SAVED ||
	    saved->heavy_count > SIZING_SAVED / 2 ||
	    !sizing_is_sane(saved->n, saved->count) ||
	    !sizing_is_sane(saved->g, saved->count) ||
	    !sizing_is_sane(saved->heavy_sum, saved->heavy_count) ||
	    !sizing_is_sane(saved->heavy_padded, saved->heavy_count) ||
	    !sizing_is_sane(saved->heavy_g, saved->heavy_count) ||
	    !(saved->one >= 0 && saved->one < 1e18))
		return false;
	for (i = 0; i < saved->count; i++)
		sizing_remember(s, saved->n[i], saved->g[i]);
	for (i = 0; i < saved->heavy_count; i++)
		sizing_heavy_learn(s, saved->heavy_sum[i],
		    saved->heavy_padded[i], saved->heavy_g[i], false);
	if (s->count > 0)
		sizing_forget(s, s->weight / 4);
	s->one = saved->one;
	s->loaded = SIZING_LOADED;
	return true;
}
