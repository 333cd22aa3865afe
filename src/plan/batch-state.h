/*
 * batch-state.h - what the parts of a batch have in common
 *
 * Floor (plan).  May use: as op.h.  Used by: batch.c, batch-size.c,
 * batch-enter.c, batch-close.c.
 * Contexts: as op.h.
 */
#ifndef PLAN_BATCH_STATE_H
#define PLAN_BATCH_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/host.h"
#include "plan/op-state.h"

/* The private part of struct tide_batch. */
struct batch {
	struct host_window window;     /* 6 words */
	struct sizing_open_batch open; /* 4 */
	uint64_t used, budget, live;   /* when it began */
	uint64_t begin_ns;
	uint64_t before_ns;            /* since the last one ended, but for
	                                * what was waited for room */
	uint64_t predicted;            /* bytes that it may grow by */
	uint64_t item_live, item_most; /* as the current item began; most */
	uint32_t done, failed;         /* items */
	int32_t pid;
	uint32_t begun;                /* ops.begun when it did */
	uint32_t n;
	uint16_t open_mark;            /* BATCH_OPEN */
	uint8_t grant;                 /* 1: one item in any case */
	uint8_t flags;
	uint64_t line;                 /* of the process; line_ may be the
	                                * lease's */
	uint64_t lease;                /* bytes; 0: none */
	uint32_t member;
	uint32_t asked;                /* items, if BATCH_TOLD */
	uint64_t most;                 /* items, up to one that is left out */
	uint64_t number;               /* of the run's last record before it */
	uint64_t own_line;             /* line_, if BATCH_TOLD */
	uint64_t held;                 /* used when it began, less what was
	                                * free in the allocator */
	uint64_t last;                 /* sizing_plan.last */
	struct pace pace;              /* of its thread, when it began */
	uint64_t pays;                 /* bytes to grow by, knee_bytes(); 0:
	                                * no such line */
} __attribute__((may_alias));

typedef char batch_fits_in[
    sizeof(struct batch) <= sizeof(((tide_batch *)0)->p_) ? 1 : -1];

#define BATCH_OPEN 0x7469

enum {
	BATCH_CUT = 1,      /* closed for lack of room */
	BATCH_WEIGHTED = 2, /* tide_item() was asked */
	BATCH_KNEE = 4,     /* the knee bounds it, or could have */
	BATCH_KNOWN = 8,    /* it has a place in ops.open */
	BATCH_STALLED = 16, /* it was told that it takes too long */
	BATCH_TOLD = 32,    /* each item is, so each asks: line_ is 0 */
	BATCH_FAR = 64,     /* closed as it was as large as pays */
	BATCH_HELD = 128    /* the state bounds it */
};

struct batch *batch_inside(tide_batch *b);

/* Is it under way, and this process'?  NULL is not. */
bool batch_is_open(tide_batch *b);

tide_op *batch_op(const tide_batch *b);

/* It takes too long: told once, by whoever comes to a safe point. */
void batch_tell_if_stalled(tide_batch *b);

/* --- how large (batch-size.c), with plan_lock() held ---------------------- */

/*
 * @verdict: why it may begin, as states_ask() has it.  @lease: bytes that it
 * may grow by in any case, TIDE_NONE: no such limit.  True: there is less of it
 * than the process has room for.
 */
bool batch_plan(const tide_op *op, uint64_t remaining, int verdict,
    uint64_t lease, struct sizing_room *room, struct sizing_plan *plan);

/* TIDE_BOUND_...: what kept it from being larger, of an enum sizing_bound. */
uint32_t batch_bound(const tide_op *op, int bound, bool leased);

/* --- may it begin? (batch-enter.c) ---------------------------------------- */

/* Who wants to begin, and since when. */
struct batch_entrance {
	tide_op *op;
	uint64_t start_ns, now_ns;
	uint64_t embrace_ns; /* it would wait for itself since then */
	int answer;          /* of tide_batch_begin() */
	int verdict;         /* STATES_GO, STATES_PROBE, STATES_ONE_ITEM */
	bool waits;
};

/* What a batch holds of a common budget. */
struct batch_lease {
	uint64_t bytes; /* TIDE_NONE: there is no such budget */
	uint32_t member;
	bool one;       /* it has none, but one item goes */
};

/*
 * Wait until @e->op may begin.  True: it may, and plan_lock() is held.  False:
 * @e->answer, and it is not.
 */
bool batch_enter(struct batch_entrance *e, int64_t wait_ns);

/*
 * As much as it would take if it were alone, one item at the least.  With the
 * lock held, which is let go meanwhile.
 */
int batch_lease(tide_op *op, uint64_t remaining, int verdict, int64_t wait_ns,
    struct batch_lease *lease, uint64_t *waited_ns);

/* As configured: between two batches, whatever the state is. */
void batch_clean_between(tide_op *op);

#endif
