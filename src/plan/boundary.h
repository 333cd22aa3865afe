/*
 * boundary.h - what the program holds between batches, and whether that grows
 *
 * Floor (plan).  May use: base, model, plan.h.  Used by: batch, figures, and
 * heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), with plan_lock() held.
 *
 * Each batch ends where the program stands as it stood before, so what is live
 * then should be what it was.  Points are kept in fixed space: when all places
 * are taken every other one goes, and of the batches from then on every second,
 * fourth ... is noted.
 */
#ifndef PLAN_BOUNDARY_H
#define PLAN_BOUNDARY_H

#include <stdint.h>

#include "plan/client.h"

/* A batch has ended, and none is under way: @bytes are live, or else used. */
void boundary_note(uint64_t bytes, uint64_t now_ns);

/* Of all points so far; of too few, @out->points is 0. */
void boundary_trend(struct tide_trend *out);

/* Of a child: there was none yet. */
void boundary_in_child(void);

#endif
