/*
 * op-state.h - the operations, as all of plan that works on them has them
 *
 * Floor (plan).  May use: as op.h.
 */
#ifndef PLAN_OP_STATE_H
#define PLAN_OP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "model/delay.h"
#include "model/knee.h"
#include "model/sizing.h"
#include "model/spread.h"
#include "model/states.h"
#include "plan/host.h"
#include "plan/member.h"
#include "plan/op.h"
#include "plan/pace.h"

/* A walk through a query, see page.c. */
struct op_page {
	tide_batch batch;  /* the page under way */
	uint64_t at;       /* its first row */
	uint32_t asked;    /* rows of it */
	uint32_t pages;    /* of this walk, with this one */
	bool open;
};

/* An operation; its figures are in its row of the room, under the same number. */
struct tide_op {
	struct tide_op_conf conf;
	struct sizing sizing;
	struct knee knee;
	struct delay delay;
	struct spread growth; /* of its batches */
	struct op_page page;
	uint64_t ended_ns; /* of its last batch */
	struct pace ended; /* and where its thread stood */
	uint64_t kept_ns;  /* what it has learned, learned_keep() */
	uint32_t poll_every; /* batches from one look to the next */
	bool clean_each, clean_last; /* after each batch, after the last */
	bool vain;         /* it has been told that delays bring nothing */
	bool taken;
	bool warned;       /* of what was lost: again.h */
	char name[TIDE_NAME_ROOM], unit[16]; /* for the row of a child */
};

/* A batch under way, see underway.h. */
struct op_open {
	const tide_batch *batch; /* NULL: the place is free */
	uint64_t reserved;       /* bytes that it may grow by */
	int32_t tid;
	uint32_t begun;          /* ops.begun when it did */
	uint32_t op;             /* number of its operation */
	uint32_t n;              /* items */
	uint64_t first, since_ns, used;
	int32_t member;          /* who holds its lease, or -1 */
	bool waits;              /* its thread waits to begin another */
};

#define OPS_OPEN 256 /* those beyond are counted, but not known */

/* All operations, and the batches under way; plan_lock() holds it. */
struct ops {
	struct tide_op op[TIDE_OPS];
	uint32_t active;   /* batches */
	uint32_t begun;    /* ever; a batch that was alone sees no other */
	uint64_t reserved; /* bytes, of all */
	uint64_t base;     /* used when none was under way, last */
	double lately;     /* batches at one time, decays */
	struct spread growth; /* of all batches */
	struct op_open open[OPS_OPEN];
	struct {
		uint64_t bytes;      /* 0: the place is free */
		uint32_t member;
	} lease[MEMBERS]; /* that stand for reservations, see reserve.h */
};

/* Who waits for room looks so often. */
#define OP_NAP_NS (5 * NS_PER_MS)

struct ops *op_state(void);

/* Its row in the room. */
struct tide_op_stats *op_row(const tide_op *op);

/* Make it, all zero but for its names. */
void op_make_row(const tide_op *op);

/* Is it one that op_open() gave?  NULL and others are not. */
bool op_is(const tide_op *op);

#endif
