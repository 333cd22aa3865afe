/*
 * op-state.h - what op.c and batch.c share
 *
 * Floor (plan).  May use: as op.h.  Used by: op.c, batch.c.
 */
#ifndef PLAN_OP_STATE_H
#define PLAN_OP_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "model/delay.h"
#include "model/knee.h"
#include "model/sizing.h"
#include "plan/host.h"
#include "plan/op.h"

/* An operation; its figures are in its row of the room, under the same number. */
struct tide_op {
	struct tide_op_conf conf;
	struct sizing sizing;
	struct knee knee;
	struct delay delay;
	uint64_t ended_ns; /* of its last batch */
	bool taken;
};

/* All operations, and the batches under way; plan_lock() holds it. */
struct ops {
	struct tide_op op[TIDE_OPS];
	uint32_t active;   /* batches */
	uint32_t begun;    /* ever; a batch that was alone sees no other */
	uint64_t reserved; /* bytes, of all */
	uint64_t base;     /* used when none was under way, last */
	double lately;     /* batches at one time, decays */
};

struct ops *op_state(void);

/* Its row; where there is no room, that of no operation at all. */
struct tide_op_stats *op_row(const tide_op *op);

#endif
