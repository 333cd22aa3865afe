/*
 * sensor.h - how much is used now, between two looks at resident memory
 *
 * Floor 1 (model).  May use: base.  Used by: plan, the header.
 * Contexts: no clock, no I/O, no memory but what it is given; the questions
 * change nothing and may be put in a signal handler.  Portable: C99 and C++11;
 * part of the public header.
 *
 * Live bytes are exact at any moment, but are not what kills; what is resident
 * does, but costs a look at the kernel.  So it is looked at now and then, and
 * in between the estimate goes with the live bytes (S: resident, L: live, both
 * at the last look 0; rho: what the allocator holds free and gives out first):
 *
 *	U(t) = S0 + max(0, (L(t) - L0) - rho0),	rho0 = max(0, H0 - w L0)
 *
 * H0 is what is resident of the heap, w the resident bytes a live one costs,
 * learned.  Above 85 % of the budget rho0 counts as 0: what is free may be in
 * pieces.  If L falls, U stays until the next look: memory freed is not memory
 * returned.
 */
#ifndef MODEL_SENSOR_H
#define MODEL_SENSOR_H

#include <stdint.h>

#define SENSOR_PERIOD_LEAST_NS UINT64_C(5000000)
#define SENSOR_PERIOD_MOST_NS  UINT64_C(1000000000)
#define SENSOR_QUANTUM_LEAST   (UINT64_C(4) << 10)
#define SENSOR_QUANTUM_MOST    (UINT64_C(1) << 20)

/* One look; bytes. */
struct sensor_look {
	uint64_t used;  /* as the budget counts: a process's resident memory
			 * without files, or that of a group or a tree */
	uint64_t heap;  /* resident of that in this heap; 0: not known, all of
			 * @used less what was used at the first look */
	uint64_t live;
	uint64_t now_ns;
};

/* Zeroed is "not met yet": what is used is what is live. */
struct sensor {
	uint64_t used0, live0; /* at the last look */
	uint64_t reusable0;    /* rho0 */
	uint64_t budget;       /* as told last; 0: none */
	uint64_t at_ns;        /* of the last look */
	uint64_t base;         /* used at the first look less live at it */
	uint64_t peak_live;    /* at looks: below it, memory may be in pieces */
	double omega;          /* w, learned; 0: not yet, 1.10 */
	double rate;           /* bytes a second, live, of the last looks;
				* goes up at once and down slowly */
	double error;          /* of the estimate at looks, share, decays */
	double missed;         /* of what was free and could have been used
				* again, the share that was not; decays */
	uint32_t looks;
	uint32_t reused;       /* batches that told of it */
};

void sensor_open(struct sensor *s, uint64_t budget);

/* The budget moved; 0: there is none. */
void sensor_budget(struct sensor *s, uint64_t budget);

void sensor_sample(struct sensor *s, const struct sensor_look *look);

/* U: bytes used, now that @live are live. */
uint64_t sensor_used(const struct sensor *s, uint64_t live);

/*
 * What a batch begins from: bytes used that the allocator does not hold free.
 * It is the `used` of sizing's room: by U, memory that only waits to be used
 * again would count twice.
 */
uint64_t sensor_held(const struct sensor *s, uint64_t live);

/*
 * May a batch grow that is to stop at @line?  Where the allocator gives nothing
 * back, what one batch has filled stays at the line, and is free: it is not for
 * the next to stop there at once.  So U counts up to @line, and beyond it what
 * is held does, as long as resident memory is below @last, or does not grow and
 * is below 95 % of the budget.  What is free may be in pieces, so @last is to be
 * where somebody has the allocator give back.  @stood: U as the batch began.
 * SENSOR_LOOK: it cannot be told from here.
 */
enum sensor_answer { SENSOR_STOP, SENSOR_GROW, SENSOR_LOOK };

int sensor_may_grow(const struct sensor *s, uint64_t live, uint64_t line,
    uint64_t last, uint64_t stood);

/* What a batch began from, and came to; bytes. */
struct sensor_batch {
	uint64_t stood; /* U as it began, */
	uint64_t held;  /* and less what the allocator held free */
	uint64_t live;  /* what it added, at its height */
	uint64_t risen; /* by how much U did at the most */
};

/*
 * A batch is over.  What is free may be in pieces that do not fit: then a batch
 * takes more of the kernel, and the share that it could not use is remembered,
 * the worst of some 64 batches (a quarter, until one told).
 */
void sensor_reused(struct sensor *s, const struct sensor_batch *batch);

/*
 * The most that a batch may grow by that begins so, if it is to stay below 97 %
 * of the budget though such a share of what is free does not serve it; at least
 * 1, and UINT64_MAX without a budget.
 */
uint64_t sensor_fits(const struct sensor *s, uint64_t stood, uint64_t held);

/* When to look again: a third of the time that is left, 5 ms to 1 s. */
uint64_t sensor_period(const struct sensor *s, uint64_t live);

/*
 * A thread may keep so many bytes to itself before it adds them to the total:
 * clamp((B - U) / (16 threads), 4 KiB, 1 MiB).
 */
uint64_t sensor_quantum(const struct sensor *s, uint64_t live,
    uint32_t threads);

/*
 * By how much sensor_used() may be below the truth, bytes: what threads have
 * not told, and what may have come since the last look.
 */
uint64_t sensor_error(const struct sensor *s, uint64_t live, uint32_t threads,
    uint64_t now_ns);

/* Is a look due, other than by time: live moved by 5 % of itself? */
int sensor_is_due(const struct sensor *s, uint64_t live);

#endif
