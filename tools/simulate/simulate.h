/*
 * simulate.h - the sizing law on workloads that are only computed
 *
 * Beside the house (tools/simulate).  May use: base, model.  Used by:
 * cmd-simulate, the tests.
 *
 * One process works through items in batches.  Time and memory are numbers: a
 * batch of n items takes 16 + n units of time, and makes memory grow by what
 * the workload says.  Above the budget it is killed, which costs the part of
 * the batch that was done and 200 units, and what was to be done comes again.
 * The law is the very code that the library and the header have.
 */
#ifndef SIMULATE_SIMULATE_H
#define SIMULATE_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/sizing.h"

/* --- workloads (sim-work.c) ----------------------------------------------- */

struct sim_work {
	const char *name;
	const char *help;
	bool additive; /* items add up: a batch can be cut, and weighed */
	bool padded;   /* n times the largest: can be weighed */
	double leak;   /* bytes that each item leaves behind */
	double wave;   /* the budget falls to this share, and comes back */
	double base;   /* bytes used without any batch */
	double whole;  /* bytes a batch takes beside its items */
	double time;   /* of a batch beside its items, in units of an item's */
	double noise;  /* of a batch as a whole; sigma of its logarithm */

	/* The bytes of item @i of @items, additive and padded ones; NULL: the
	 * number of items is all that counts. */
	double (*item)(uint64_t *random, size_t i, size_t items);
	/* Bytes that a batch grows by, @noise being near 1. */
	double (*growth)(const struct sim_work *w, const float *item, size_t n,
	    double noise);
	const struct sim_record *record; /* it was; or NULL */
};

extern const struct sim_work sim_works[];
extern const size_t sim_works_count;

#define SIM_BUDGET (UINT64_C(1000) << 20)
#define SIM_ITEMS  40000
#define SIM_SEEDS  6
#define SIM_RESTART_TIME 200.0
#define SIM_MOST   4096 /* items a batch, of all laws but the oracle */

const struct sim_work *sim_work_find(const char *name);

/* Chance, always the same for the same @random: even in 0 to 1, normal. */
double sim_even(uint64_t *random);
double sim_normal(uint64_t *random);

/* --- what was recorded (sim-record.c) ------------------------------------- */

struct sim_batch {
	uint64_t first, count; /* items */
	double peak, used;     /* bytes above where it began; where it began */
	double seconds;
};

/*
 * The batches of a run, and what they say of its items: a batch of n took
 * whole + each * n^power bytes, times what stands at each item.
 */
struct sim_record {
	const struct sim_batch *batch;
	size_t batches;
	size_t items;      /* the first that no batch had */
	float *item;       /* bytes, where items add up; else a factor near 1 */
	double whole, each, power, base, time, leak;
	bool one_size;     /* of all batches: nothing tells what is whole */
	double most;       /* bytes used, at most */
	size_t least_n, most_n;
};

/*
 * @batch stays the caller's, and must outlive it.  0; -ENODATA: no batch with
 * any item; -E2BIG: more than SIM_RECORD_MOST items; -ENOMEM.
 */
#define SIM_RECORD_MOST 20000000
int sim_record_open(struct sim_record *record, const struct sim_batch *batch,
    size_t batches);
void sim_record_close(struct sim_record *record);

/* The workload that it is. */
void sim_record_work(const struct sim_record *record, struct sim_work *work);

/* --- laws (sim-law.c) ----------------------------------------------------- */

enum sim_law {
	SIM_STATIC,    /* always n */
	SIM_OURS,      /* by the sizes of batches alone */
	SIM_CUT,       /* and may stop between two items */
	SIM_WEIGHTS,   /* and knows the weight of each item beforehand */
	SIM_ORACLE,    /* knows all */
	SIM_SEED,      /* 5 items, then 1, then none */
	SIM_HALVE,     /* 128, halved when killed (Hugging Face) */
	SIM_DOUBLE,    /* 2, doubled after three, halved (Lightning "power") */
	SIM_DEEPMD,    /* 64, doubled below what failed, halved */
	SIM_AIMD,      /* one more, or half (TCP) */
	SIM_MEAN,      /* 60 % of what is left by the mean of an item */
	SIM_LAWS
};

extern const char *const sim_law_names[SIM_LAWS];

/* What a law may look at, and what it is told. */
struct sim_view {
	double budget, used; /* bytes, as the batch begins */
	size_t remaining;
};

struct sim_outcome {
	size_t n;
	bool killed, over, cut; /* over: 0.95 of the budget */
	double growth;          /* bytes; of a killed one what was reached */
	double item_max;        /* bytes; 0: not seen */
	double weight_sum, weight_max;
	double time;
};

struct sim_state {
	enum sim_law law;
	double n;           /* of those that go by their last size */
	double good, bad;   /* DeePMD: largest that was well, least not */
	uint32_t streak;
	bool met_kill;
	double mean;        /* bytes an item; 0: not known */
	struct sizing sizing;
	struct sizing_room room;
	struct sizing_plan plan;
};

/* @n: of SIM_STATIC.  @conf: of ours. */
void sim_law_open(struct sim_state *s, enum sim_law law, size_t n,
    const struct sizing_conf *conf);

/* How many items next; not of the oracle. */
size_t sim_law_next(struct sim_state *s, const struct sim_view *view);

void sim_law_learn(struct sim_state *s, const struct sim_view *view,
    const struct sim_outcome *outcome);

/* --- runs (sim-run.c) ----------------------------------------------------- */

struct sim_options {
	uint64_t budget; /* bytes */
	uint64_t items, seeds;
	struct sizing_conf conf;
};

struct sim_result {
	double rate;     /* items a unit of time, mean of all seeds */
	double kills;    /* a run, mean */
	double most;     /* the largest share of the budget, of all seeds */
	double batches;  /* a run, mean */
	double recycled; /* a run, mean: started anew because memory stayed */
	double lost;     /* items given up after 14 kills, mean */
};

/* All seeds.  0, or -ENOMEM. */
int sim_run(const struct sim_work *w, enum sim_law law, size_t n,
    const struct sim_options *o, struct sim_result *result);

/*
 * By trying all sizes up to 2048, in steps of 6 %: the fastest of those that
 * never were killed, of any seed; 0: there is none, and @result is of one.
 */
int sim_best_static(const struct sim_work *w, const struct sim_options *o,
    size_t *n, struct sim_result *result);

#endif
