/*
 * sim-law.c - what decides on the next batch: ours, and what others do
 *
 * Peers' laws as their sources have them: accelerate's
 * find_executable_batch_size(), Lightning's BatchSizeFinder in mode "power",
 * DeePMD-kit's AutoBatchSize; TCP's congestion window; and a mean with a
 * margin.  Of each, what was killed is repeated with half as many items.
 */
#include <string.h>

#include "base/base.h"
#include "model/numbers.h"
#include "simulate/simulate.h"

const char *const sim_law_names[SIM_LAWS] = {
	[SIM_STATIC] = "static",
	[SIM_OURS] = "heaptide",
	[SIM_CUT] = "+cut",
	[SIM_WEIGHTS] = "+weights",
	[SIM_ORACLE] = "oracle",
	[SIM_SEED] = "seed 5-1-0",
	[SIM_HALVE] = "HF",
	[SIM_DOUBLE] = "Lightning",
	[SIM_DEEPMD] = "DeePMD",
	[SIM_AIMD] = "AIMD",
	[SIM_MEAN] = "mean x 60 %",
};

static bool
is_sizing(enum sim_law law)
{
	return law == SIM_OURS || law == SIM_CUT || law == SIM_WEIGHTS ||
	    law == SIM_SEED || law == SIM_MEAN;
}

static double
halved(double n)
{
	return n < 2 ? 1 : (double)(size_t)(n / 2);
}

void
sim_law_open(struct sim_state *s, enum sim_law law, size_t n,
    const struct sizing_conf *conf)
{
	static const double first[SIM_LAWS] = {
		[SIM_HALVE] = 128, [SIM_DOUBLE] = 2, [SIM_DEEPMD] = 64,
		[SIM_AIMD] = 1,
	};
	struct sizing_conf ours = *conf;

	memset(s, 0, sizeof(*s));
	s->law = law;
	s->n = law == SIM_STATIC ? (double)n : first[law];
	s->good = 1;
	s->bad = 1e9;
	if (law == SIM_SEED)
		ours = (struct sizing_conf){ .policy = SIZING_SEED };
	else if (law == SIM_MEAN)
		ours = (struct sizing_conf){ .policy = SIZING_MEAN };
	if (is_sizing(law))
		sizing_open(&s->sizing, &ours);
}

size_t
sim_law_next(struct sim_state *s, const struct sim_view *view)
{
	size_t most = view->remaining < SIM_MOST ? view->remaining : SIM_MOST;

	if (!is_sizing(s->law))
		return s->n < (double)most ? (size_t)s->n : most;
	s->room = (struct sizing_room){
		.budget = numbers_whole(view->budget, UINT64_MAX),
		.used = numbers_whole(view->used, UINT64_MAX),
		.remaining = most,
		.grow_allowed = true,
	};
	sizing_plan(&s->sizing, &s->room, &s->plan);
	return s->plan.n;
}

static void
learn_doubling(struct sim_state *s, bool killed)
{
	if (killed) {
		s->n = halved(s->n);
		s->met_kill = true;
	} else if (!s->met_kill && ++s->streak >= 3) {
		s->streak = 0;
		s->n *= 2;
		if (s->n > SIM_MOST) {
			s->n = SIM_MOST;
			s->met_kill = true;
		}
	}
}

static void
learn_deepmd(struct sim_state *s, double n, bool killed)
{
	if (killed) {
		if (s->n < s->bad)
			s->bad = s->n;
		if (s->good >= s->bad)
			s->good = halved(s->bad);
		s->n = halved(s->n);
		return;
	}
	if (n > s->good)
		s->good = n;
	if (2 * s->n < s->bad && s->n < SIM_MOST)
		s->n *= 2;
}

static void
learn_ours(struct sim_state *s, const struct sim_view *view,
    const struct sim_outcome *outcome)
{
	const struct sizing_batch batch = {
		.n = (uint32_t)outcome->n,
		.cut = outcome->cut,
		.failed = outcome->killed,
		.growth = numbers_whole(outcome->growth, UINT64_MAX),
		.time_ns = numbers_whole(outcome->time * 1e6, UINT64_MAX),
		.weight_sum = numbers_whole(outcome->weight_sum, UINT64_MAX),
		.weight_max = numbers_whole(outcome->weight_max, UINT64_MAX),
		.item_max = numbers_whole(outcome->item_max, UINT64_MAX),
		.budget = numbers_whole(view->budget, UINT64_MAX),
		.used = numbers_whole(view->used, UINT64_MAX),
	};

	sizing_learn(&s->sizing, &batch);
}

void
sim_law_learn(struct sim_state *s, const struct sim_view *view,
    const struct sim_outcome *outcome)
{
	switch (s->law) {
	case SIM_HALVE:
		if (outcome->killed)
			s->n = halved(s->n);
		break;
	case SIM_AIMD:
		s->n = outcome->killed || outcome->over ? halved(s->n) :
		    s->n + 1;
		break;
	case SIM_DOUBLE:
		learn_doubling(s, outcome->killed);
		break;
	case SIM_DEEPMD:
		learn_deepmd(s, (double)outcome->n, outcome->killed);
		break;
	default:
		if (is_sizing(s->law))
			learn_ours(s, view, outcome);
	}
}
