/*
 * sim-run.c - from the first item to the last, and what came of it
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "model/numbers.h"
#include "model/states.h"
#include "simulate/simulate.h"

#define WAVE_TIME    6000.0 /* how long the budget takes to come back */
#define WEIGHT_NOISE 0.03   /* of what is said of an item before */
#define GIVE_UP      14     /* kills in a row: the item is left out */

/* A run. */
struct run {
	const struct sim_work *work;
	const struct sim_options *options;
	struct sim_state *state;
	const float *item;
	uint64_t random;
	size_t next;      /* item */
	double time, live;
	uint32_t in_row;  /* kills */
	double kills, most, batches, recycled, lost;
};

static bool
is_ours(enum sim_law law)
{
	return law == SIM_OURS || law == SIM_CUT || law == SIM_WEIGHTS;
}

static double
budget_now(const struct run *r)
{
	double budget = (double)r->options->budget;
	double phase;

	if (!(r->work->wave > 0))
		return budget;
	phase = r->time / WAVE_TIME;
	phase -= (double)(uint64_t)phase;
	return phase > 0.5 ? r->work->wave * budget : budget;
}

/* The most that fits; by halving, as more items never take less. */
static size_t
oracle(const struct run *r, const struct sim_view *view, double noise)
{
	const float *item = r->item + r->next;
	size_t fits = 1, not = 2 * SIM_MOST, half;

	if (not > view->remaining + 1)
		not = view->remaining + 1;
	while (not > fits + 1) {
		half = fits + (not - fits) / 2;
		if (r->work->growth(r->work, item, half, noise) + view->used <=
		    view->budget)
			fits = half;
		else
			not = half;
	}
	return fits;
}

/* Item by item, until the line is crossed or no memory is left. */
static void
fill_to_line(const struct run *r, const struct sim_view *view, size_t n,
    double noise, struct sim_outcome *out)
{
	const float *item = r->item + r->next;
	double line = (double)r->state->plan.line;
	double grown;

	out->growth = r->work->whole;
	out->n = 0;
	while (out->n < n && view->used + out->growth <= view->budget &&
	    (out->n == 0 || view->used + out->growth < line)) {
		grown = item[out->n++] * noise;
		out->growth += grown;
		if (grown > out->item_max)
			out->item_max = grown;
	}
	out->cut = out->n < n;
}

static void
fill_by_weights(struct run *r, const struct sim_view *view, double noise,
    struct sim_outcome *out)
{
	const float *item = r->item + r->next;
	struct sizing_open_batch open;
	size_t most = view->remaining < SIM_MOST ? view->remaining : SIM_MOST;
	double weight;

	sizing_begin(&r->state->sizing, &r->state->room, &r->state->plan,
	    &open);
	for (out->n = 0; out->n < most; out->n++) {
		weight = item[out->n] *
		    numbers_exp(WEIGHT_NOISE * sim_normal(&r->random));
		if (sizing_item(&r->state->sizing, &open,
		    numbers_whole(weight, UINT64_MAX)) == 0)
			break;
	}
	out->weight_sum = (double)open.sum;
	out->weight_max = (double)open.max;
	out->growth = r->work->growth(r->work, item, out->n, noise);
}

static void
fill(struct run *r, const struct sim_view *view, struct sim_outcome *out)
{
	enum sim_law law = r->state->law;
	double noise = numbers_exp(r->work->noise * sim_normal(&r->random));
	size_t n;

	memset(out, 0, sizeof(*out));
	if (law == SIM_ORACLE)
		n = oracle(r, view, noise);
	else
		n = sim_law_next(r->state, view);
	if (n == 0)
		n = 1; /* a law that stops; here all have to come to the end */
	/* Of all, what was killed is tried again in smaller parts. */
	if (r->in_row > 0 && !is_ours(law))
		n = n >> r->in_row > 0 ? n >> r->in_row : 1;

	if (law == SIM_CUT && r->work->additive) {
		fill_to_line(r, view, n, noise, out);
	} else if (law == SIM_WEIGHTS &&
	    (r->work->additive || r->work->padded)) {
		fill_by_weights(r, view, noise, out);
	} else {
		out->n = n;
		out->growth = r->work->growth(r->work, r->item + r->next, n,
		    noise);
	}
}

static void
batch(struct run *r)
{
	const struct sim_view view = { budget_now(r), r->live,
		r->options->items - r->next };
	struct sim_outcome out;
	double share;

	fill(r, &view, &out);
	share = (view.used + out.growth) / view.budget;
	out.killed = share > 1;
	out.over = share > 0.95;
	out.time = r->work->time + (double)out.n;
	r->most = share > r->most ? share : r->most;
	r->batches++;
	if (out.killed) {
		double room = view.budget - view.used;

		r->kills++;
		r->time += out.time * room / out.growth + SIM_RESTART_TIME;
		r->live = r->work->base;
		out.growth = room; /* all that anybody can have seen */
		if (++r->in_row > GIVE_UP) {
			r->next++;
			r->lost++;
			r->in_row = 0;
		}
	} else {
		r->time += out.time;
		r->next += out.n;
		r->live += r->work->leak * (double)out.n;
		r->in_row = 0;
	}
	sim_law_learn(r->state, &view, &out);
}

/* Whoever cannot, goes on until it is killed. */
static bool
starts_anew(struct run *r)
{
	if (!is_ours(r->state->law) || !states_recycle_pays(
	    numbers_whole(budget_now(r), UINT64_MAX),
	    numbers_whole(r->live, UINT64_MAX),
	    numbers_whole(r->work->base, UINT64_MAX)))
		return false;
	r->time += SIM_RESTART_TIME / 2; /* no batch was lost */
	r->live = r->work->base;
	r->recycled++;
	return true;
}

static void
run_once(struct run *r)
{
	while (r->next < r->options->items)
		if (!starts_anew(r))
			batch(r);
}

static void
make_items(const struct sim_work *w, uint64_t *random, float *item,
    size_t items)
{
	double bytes;
	size_t i;

	if (w->record != NULL) {
		memcpy(item, w->record->item, items * sizeof(*item));
		return;
	}
	for (i = 0; i < items; i++) {
		bytes = w->item != NULL ? w->item(random, i, items) : 0;
		item[i] = (float)(bytes > 0 ? bytes : 0);
	}
}

int
sim_run(const struct sim_work *w, enum sim_law law, size_t n,
    const struct sim_options *o, struct sim_result *result)
{
	float *item = calloc(o->items + 1, sizeof(*item));
	struct sim_state *state = malloc(sizeof(*state));
	uint64_t seed;
	int error = -ENOMEM;

	memset(result, 0, sizeof(*result));
	if (item == NULL || state == NULL)
		goto out;
	for (seed = 1; seed <= o->seeds; seed++) {
		struct run r = { .work = w, .options = o, .state = state,
			.item = item, .live = w->base };

		/* Each law meets the same items. */
		r.random = seed * 7919 + (w->record != NULL ? 0 :
		    (uint64_t)(w - sim_works));
		make_items(w, &r.random, item, o->items);
		sim_law_open(state, law, n, &o->conf);
		run_once(&r);
		result->rate += (double)o->items / r.time;
		result->kills += r.kills;
		result->batches += r.batches;
		result->recycled += r.recycled;
		result->lost += r.lost;
		if (r.most > result->most)
			result->most = r.most;
	}
	result->rate /= (double)o->seeds;
	result->kills /= (double)o->seeds;
	result->batches /= (double)o->seeds;
	result->recycled /= (double)o->seeds;
	result->lost /= (double)o->seeds;
	error = 0;
out:
	free(state);
	free(item);
	return error;
}

int
sim_best_static(const struct sim_work *w, const struct sim_options *o,
    size_t *n, struct sim_result *result)
{
	struct sim_result r, best = { 0 }, any = { 0 };
	size_t size, best_size = 0;
	int error;

	for (size = 1; size <= 2048;
	    size = size < 16 ? size + 1 : size + size * 6 / 100 + 1) {
		error = sim_run(w, SIM_STATIC, size, o, &r);
		if (error < 0)
			return error;
		if (!(r.kills > 0) && r.rate > best.rate) {
			best = r;
			best_size = size;
		}
		if (r.rate > any.rate)
			any = r;
	}
	*n = best_size;
	*result = best_size > 0 ? best : any;
	return 0;
}
