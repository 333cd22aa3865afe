/*
 * plan-state.h - what the parts of plan have in common
 *
 * Floor (plan).  May use: as plan.h.  Used by: plan*.c.
 */
#ifndef PLAN_PLAN_STATE_H
#define PLAN_PLAN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/sensor.h"
#include "model/states.h"
#include "plan/host.h"

struct plan_state {
	const struct plan_host *host;
	struct tide_room *room;
	uint32_t lock;
	int32_t pid;

	struct sensor sensor;
	struct states states;
	struct host_limit limit;
	uint64_t limit_ns;  /* when it was read; 0: never */
	uint64_t set_bytes; /* by the program itself; 0: nothing */

	/* Used and glance() at the last look at all of it, and when that was;
	 * 0: there is nothing to go on from. */
	uint64_t whole, glanced, whole_ns;
	double motion; /* of what is used, bytes a second; see note_motion() */

	/*
	 * For plan_note(), by model/sensor.h: used = base + what @live is above
	 * @from, or where that is above @near, above @from_near.
	 */
	uint64_t base, from, near, from_near;
	uint64_t look_at; /* used from here on: look */
	uint64_t live_line; /* or once so much is live */
	uint64_t look_ns; /* or from then on */
	uint64_t quantum;
	uint64_t high;    /* the most used since plan_high_reset() */
	uint64_t high_held; /* and without what was free, at looks */
	uint64_t high_own;  /* and without what others use, at looks */
	uint64_t own, stood_own; /* that at the last look, and at the reset */
	uint64_t live;    /* exact, of the last look; TIDE_NONE: not known */

	uint64_t start_used;
	uint64_t allocated, allocated_ns; /* of the last look */
	uint64_t trend_used, trend_ns;    /* see trend() */
	double trend;
	uint64_t events, events_seen;     /* see heeded() */
	double stalled;                   /* PSI some, at the last look */
	uint64_t followed, followed_ns; /* used at the last look */
	uint64_t failed;
	uint64_t cleaned_ns;
	int settled;      /* the state that messages were last about */
	double clean_from; /* share of the budget; 0: where it is critical */
	bool clean_late;  /* nothing is cleaned up before it is critical */
	bool debug;       /* every decision is told */
};

struct plan_state *plan_state(void);

/* Words that plan_note() reads or writes, in any thread. */
static inline uint64_t
plan_load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static inline void
plan_store(uint64_t *word, uint64_t n)
{
	__atomic_store_n(word, n, __ATOMIC_RELAXED);
}

static inline void
plan_raise_to(uint64_t *word, uint64_t n)
{
	if (n > plan_load(word))
		plan_store(word, n);
}

/* False: somebody holds it. */
bool plan_try_lock(void);

/* Is the heap counted? */
bool plan_is_counted(void);

/* Is it time for plan_look()? */
bool plan_is_due(uint64_t now_ns);

/*
 * Ask the kernel, if it is time or @sampled, and judge: plan-look.c.  With
 * plan_lock() held.
 */
void plan_look(uint64_t now_ns, bool sampled);

/* --- asking the kernel: plan-sample.c ------------------------------------- */

/* What is estimated starts from there again; @whole: no glance will do. */
void plan_sample(uint64_t now_ns, const struct host_heap *heap, bool whole);

/* Where the heap is not counted: is what is known of it too old? */
bool plan_is_old(uint64_t now_ns);

/* And when it will be, for who asks. */
void plan_set_refresh(void);

/* --- cleanups that nobody asked for: plan-clean.c ------------------------- */

/*
 * The state whose cleanups are due: the one it is in; or where a line of its
 * own is set for them, critical from there on and not before, but for the last.
 */
int plan_clean_state(int state);

/*
 * What is to be freed: down to below the line where the state is left.  At a
 * warning cheap ones only, and not all the time.  At a safe point.
 */
void plan_clean(int state, uint64_t now_ns);

#endif
