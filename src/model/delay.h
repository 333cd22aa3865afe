/*
 * delay.h - how long to wait between two batches, and whether it buys anything
 *
 * Floor 1 (model).  May use: base.  Used by: plan, tools, the header.
 * Contexts: no clock, no I/O, no memory but what it is given; one thread at a
 * time per structure.  Portable: C99 and C++11; part of the public header.
 *
 * Waiting frees memory only if somebody else gives some back meanwhile.  In
 * DELAY_AUTO there is none unless it may: others hold leases, an allocator
 * still has to purge, the kernel reclaims (PSI).  Then it is
 *
 *	d = min + (max - min) clamp((U - warn) / (critical - warn), 0, 1)^2
 *
 * twice as long for each critical state in a row and never above max; and no
 * more than three times the last one.  Of that it is drawn at random, between a
 * third and all, so that many do not wait in step (decorrelated jitter, M.
 * Brooker, Exponential backoff and jitter, 2015).
 */
#ifndef MODEL_DELAY_H
#define MODEL_DELAY_H

#include <stdbool.h>
#include <stdint.h>

enum delay_mode {
	DELAY_AUTO,
	DELAY_OFF,
	DELAY_ALWAYS /* whether or not it can buy anything */
};

struct delay_conf {
	int mode;        /* enum delay_mode */
	uint64_t min_ns; /* 0 */
	uint64_t max_ns; /* 0: 30 s */
	double warn;     /* of the budget; 0: 0.75 */
	double critical; /* of the budget; 0: 0.88 */
};

struct delay_look {
	uint64_t budget, used; /* bytes */
	bool critical;         /* the state is critical or worse */
	bool others;           /* members of the pool hold memory */
	bool purge;            /* an allocator will give some back by itself */
	double stalled;        /* PSI some, 0 to 1 */
};

/* Zeroed is "not met yet". */
struct delay {
	struct delay_conf conf;
	uint64_t random;
	uint64_t last_ns;
	uint32_t criticals; /* in a row */
	uint32_t delays;    /* that were waited for */
	uint64_t waited_ns; /* in all */
	uint64_t freed;     /* bytes that were given back meanwhile, in all */
};

/* @seed: of the jitter; processes of one pool should not wait in step. */
void delay_open(struct delay *d, const struct delay_conf *conf, uint64_t seed);

/* How long to wait now, ns; 0: go on.  A change of state may end it early. */
uint64_t delay_next(struct delay *d, const struct delay_look *look);

/* So long was waited, and @freed bytes came of it. */
void delay_done(struct delay *d, uint64_t waited_ns, uint64_t freed);

/* Was it for nothing: 10 s and more waited, less than 1 % of @budget freed. */
bool delay_is_vain(const struct delay *d, uint64_t budget);

#endif
