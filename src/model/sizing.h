/*
 * sizing.h - how many items the next batch may have
 *
 * Floor 1 (model).  May use: base.  Used by: plan, tools/simulate, the header.
 * Contexts: no clock, no I/O, no memory but what it is given; one thread at a
 * time per structure.  Portable: C99 and C++11; part of the public header.
 *
 * Each batch tells one thing: n items made memory grow by g.  What a batch of
 * another size will take is not known, but is bounded by what fits the past:
 *
 *  M1  A credible set.  g = a + c n^p is fitted for six p from 0.6 to 3, by
 *	least squares of the relative error, newer and larger batches counting
 *	more (a half-life of 46; the root of n).  Every p whose error is not clearly larger than the
 *	smallest stays, and the worst of those rules: with few batches all
 *	stay, so a cold start expects the cube.
 *  M2  A conformal factor.  Each fit is raised by what the worst batch of this
 *	order of size was above it, and a little more; that is forgotten slowly
 *	(after 128 batches, a half-life of 384).
 *  M3  An envelope.  No batch that took half of the room or more is forgotten
 *	in 512, or fades: each fit is raised until it is above it.
 *  M4  Caps.  Never more than twice the largest batch of the last 64; after an
 *	overrun (above 0.95 of the budget, or killed) 0.7 of that batch, given
 *	back by 3 % a batch; after a kill a quarter of n, for each in a row.
 *  M5  A floor.  Where the worst of a straight line through 0 leaves room,
 *	n grows by 1/8: a and c cannot be told apart if n never changes.
 *  M6  Growth that comes suddenly (a CUSUM of the residuals) makes the fits
 *	forget; the envelope keeps what it has.
 *  M7  A price.  Where a kill costs no more than some time, K, as a run goes on
 *	by itself, what is safe is not always the fastest: n may grow, up to
 *	twice, as long as n (1 - P) / (T + P K) does.  P, that a batch of n
 *	grows beyond the budget, is by how many of the last 128 would have, and
 *	one more; T, its time, is a line.  Unless somebody names K that is never
 *	so, and M1 to M6 are all there is.
 *
 * If the caller names a weight for each item before it is loaded, only the
 * ratio of growth to weight must be learned, and the batch is closed before
 * the item that would not fit.  If it can stop between two items, it compares
 * what is used with @line.  With neither, a single item far larger than any
 * before cannot be foreseen.
 *
 *	struct sizing s;
 *	struct sizing_plan plan;
 *	struct sizing_open_batch open;
 *
 *	sizing_open(&s, &conf);
 *	sizing_plan(&s, &room, &plan);
 *	sizing_begin(&s, &room, &plan, &open);	  (for weights)
 *	while (more && sizing_item(&s, &open, weight) && used < plan.line)
 *		...
 *	sizing_learn(&s, &batch);
 */
#ifndef MODEL_SIZING_H
#define MODEL_SIZING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIZING_KEPT   512 /* batches that are remembered */
#define SIZING_WEIGHED 128 /* and those that had weights */
#define SIZING_POWERS 6   /* exponents that are tried */
#define SIZING_VERSION 1  /* of struct sizing_saved */
#define SIZING_SAVED  64  /* batches that are saved */
#define SIZING_HEAVY  2   /* sums of weights, and n times the largest */

enum sizing_policy {
	SIZING_LEARN, /* all of the above */
	SIZING_SEED,  /* by what is used of the budget: below a half 5 items,
		       * below three quarters 1, then none: stop */
	SIZING_MEAN,  /* target x budget, by the mean bytes an item */
	SIZING_FIXED  /* conf.fixed, always */
};

enum sizing_model {
	SIZING_AUTO,     /* if weights come: whichever of the two fits */
	SIZING_ADDITIVE, /* items add up: a weight counts for itself */
	SIZING_PADDED,   /* all are as large as the largest of the batch */
	SIZING_VECTOR    /* one call for all: cannot stop in between */
};

struct sizing_conf {
	double target;    /* share of the budget to fill; 0: 0.90, or 0.60 of
			   * SIZING_MEAN */
	uint32_t initial; /* items of the first batch; 0: 1 */
	uint32_t min;     /* 0: 1 */
	uint32_t max;     /* 0: no cap */
	uint32_t fixed;   /* of SIZING_FIXED; if not 0, it means that policy */
	int policy;       /* enum sizing_policy */
	int model;        /* enum sizing_model */
	uint64_t kill_cost_ns; /* M7, beside the batch; 0: no batch is to be
			   * worth a kill */
};

/* What there is before a batch begins; bytes. */
struct sizing_room {
	uint64_t budget;
	uint64_t used;      /* now, of the budget */
	uint64_t fits;      /* bytes that it may grow by in any case, as what
			     * is free may not serve it (sensor_fits()); 0:
			     * not known */
	uint64_t remaining; /* items that are left; UINT64_MAX: not known */
	uint32_t knee;      /* more are not faster (knee.h); 0: not known */
	bool grow_allowed;  /* false: no more than the last batch had */
	bool probe;         /* the breaker is half open: conf.min */
};

/* What kept n from being larger. */
enum sizing_bound {
	SIZING_BY_INITIAL,   /* the first batch */
	SIZING_BY_MEMORY,    /* what the fits say (M1, M2) */
	SIZING_BY_NEAR,      /* what was seen near the limit (M3) */
	SIZING_BY_GROWTH,    /* twice the largest of the last */
	SIZING_BY_OVERRUN,   /* there was too little room, lately */
	SIZING_BY_FALLBACK,  /* the last attempts failed */
	SIZING_BY_KNEE,      /* more are not faster */
	SIZING_BY_MAX,       /* conf.max, or conf.fixed */
	SIZING_BY_REMAINING, /* there are no more items */
	SIZING_BY_COST,      /* more would be killed too often (M7) */
	SIZING_BY_STATE,     /* no growth allowed, a probe, or the seed's table */
	SIZING_BY_MIN        /* conf.min; memory alone would say less */
};

struct sizing_plan {
	uint32_t n;         /* 0: stop, of SIZING_SEED and if none are left */
	int bound;          /* enum sizing_bound */
	uint64_t predicted; /* bytes that such a batch may take, margins and
			     * all; 0: nothing is known yet */
	uint64_t line;      /* stop between two items once so much is used;
			     * UINT64_MAX of SIZING_VECTOR */
	uint64_t last;      /* and in any case once so much is resident, free in
			     * the allocator or not (sensor_may_grow()) */
	uint64_t one;       /* bytes that one item may take, Q99; 0: not known */
};

/* A batch that is being filled by weights. */
struct sizing_open_batch {
	double room;       /* bytes that it may grow by */
	uint64_t sum, max; /* of the weights taken */
	uint32_t n, most;  /* items taken, and how many at most */
};

/* A batch that is over; bytes.  What is not known is 0. */
struct sizing_batch {
	uint32_t n;        /* items that were in it */
	bool cut;          /* it was closed at the line, before n was reached */
	bool held;         /* by the state or the knee, not by what it takes */
	bool failed;       /* killed, or no memory: growth is what was reached */
	uint64_t growth;   /* peak less what was used at the beginning */
	uint64_t retained; /* what was used at the end less at the beginning */
	uint64_t time_ns;
	uint64_t weight_sum, weight_max; /* of the n items */
	uint64_t item_max; /* the most that one item was seen to take */
	uint64_t budget, used; /* as in struct sizing_room at the beginning */
};

/* Sums over batches, x = n^p: each counts 0.985 of what it did before. */
struct sizing_fit {
	double x, xx, xg;    /* sums of x/g^2, x^2/g^2, x/g */
	double a, c;         /* g = a + c x */
	double residual;     /* mean square of the relative error */
	double factor;       /* M2 */
	double cusum;        /* M6 */
};

/* How long batches took, for M7: sums of 1, 1/t, 1/t^2, n/t, n/t^2, n^2/t^2. */
struct sizing_clock {
	double weight, t, tt, n, nt, nn;
};

/* One batch; as floats, or 512 of them would be the size of a page more. */
struct sizing_seen {
	float n, g;
	float power06; /* n^0.6: with the root, all six are products */
	float root;    /* n^0.5 */
};

/* One batch that had weights. */
struct sizing_heavy {
	float sum, padded; /* of weights, n times the largest */
	float g;
};

/*
 * All that is learned.  Zeroed is "not met yet", with all defaults.  It may be
 * copied, and lies anywhere; nobody but this module reads it.
 */
struct sizing {
	struct sizing_conf conf;

	uint64_t batches;   /* learned from */
	uint32_t last;      /* items of the last batch that had no failure and
			     * was not held back, or of a larger one since;
			     * half of it once one is cut */
	uint32_t failures;  /* in a row */
	uint32_t failed_n;  /* items of the first of them */
	uint32_t loaded;    /* batches that came from sizing_load(), and count
			     * less; 0 once enough others came */
	double overrun_cap; /* M4; 0: none */
	double mean;        /* bytes an item, of SIZING_MEAN */
	double one;         /* bytes of one item, as seen; decays */
	double worst;       /* the largest item that was seen; decays */

	double weight, g, gg; /* sums of 1, 1/g, 1/g^2; all powers share them */
	double squares;       /* of weights */
	struct sizing_fit fit[SIZING_POWERS];
	uint32_t count, next; /* of the ring */
	struct sizing_seen seen[SIZING_KEPT];

	struct sizing_clock clock;

	double heavy_weight, heavy_g, heavy_gg;
	struct sizing_fit heavy_fit[SIZING_HEAVY];
	double heavy_largest[SIZING_HEAVY]; /* x that was tried, decays */
	uint32_t heavy_count, heavy_next;
	struct sizing_heavy heavy[SIZING_WEIGHED];
};

/* What is worth keeping from run to run; plain numbers, 1.5 KiB. */
struct sizing_saved {
	uint32_t version;
	uint32_t count, heavy_count;
	uint32_t reserved;
	double one;
	float n[SIZING_SAVED], g[SIZING_SAVED];
	float heavy_sum[SIZING_SAVED / 2], heavy_padded[SIZING_SAVED / 2];
	float heavy_g[SIZING_SAVED / 2];
};

/* Forget all.  @conf NULL: all defaults.  What is contrary is put right: max
 * below min becomes min, initial goes between them, a target above 0.98 is
 * 0.98. */
void sizing_open(struct sizing *s, const struct sizing_conf *conf);

/* How many items next.  Changes nothing, so it may be asked any time. */
void sizing_plan(const struct sizing *s, const struct sizing_room *room,
    struct sizing_plan *plan);

/* For weights: a batch is opened, @plan being what was answered for @room. */
void sizing_begin(const struct sizing *s, const struct sizing_room *room,
    const struct sizing_plan *plan, struct sizing_open_batch *open);

/*
 * May an item of @weight (bytes, or any unit that grows with them) come into
 * the batch?  1: it is counted, load it.  0: close the batch first.  The first
 * item always may, or there would be no end.  Weights decide in place of
 * plan.n, which then is a guess.
 */
int sizing_item(const struct sizing *s, struct sizing_open_batch *open,
    uint64_t weight);

/* A batch is over.  One of n = 0 teaches nothing. */
void sizing_learn(struct sizing *s, const struct sizing_batch *batch);

/*
 * fixed + each * n^power, as people are told: linear as long as that is
 * credible (M1), for of two sizes any power is true; else what fits best.
 */
struct sizing_curve {
	double fixed, each; /* bytes */
	double power;
};

struct sizing_curve sizing_curve(const struct sizing *s);

/*
 * What @n items usually take: by that curve, and the median of the last batches
 * beside it that were not cut; bytes; 0: nothing is known.
 */
uint64_t sizing_expect(const struct sizing *s, uint32_t n);

/* What @n items may take, margins and all; bytes; 0: nothing is known. */
uint64_t sizing_predict(const struct sizing *s, uint32_t n);

void sizing_save(const struct sizing *s, struct sizing_saved *saved);

/*
 * Begin from what another run has learned; after sizing_open().  It counts a
 * quarter, and all margins are 1.1 times as wide until 32 batches have come.
 * That it is of the same program and settings is for the caller to know.
 *
 * Return: false: it is not of this version, or no numbers; nothing is changed.
 */
bool sizing_load(struct sizing *s, const struct sizing_saved *saved);

#endif
