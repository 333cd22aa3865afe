/*
 * again.h - what a supervisor says to a process that it has started again
 *
 * Floor (plan).  May use: base, model, sys, op-state.h.  Used by: batch, and
 * heaptide.h, of which it is a part.
 * Contexts: with plan_lock() held; never inside malloc.
 *
 * HEAPTIDE_RETRY_BATCH is `N END LOST GREW OP`: batches that begin before item
 * END have N items at most; the process before this one was lost in a batch of
 * LOST items (0: not for want of memory) of operation OP, which had made it grow
 * by GREW bytes.  `heaptide run --retries` sets it.
 */
#ifndef PLAN_AGAIN_H
#define PLAN_AGAIN_H

#include <stdint.h>

#include "plan/op-state.h"

/* Items that a batch at @first may have, at most; UINT32_MAX: as ever. */
uint32_t again_most(uint64_t first);

/* Once an operation: what was lost of it is learned from. */
void again_learn(tide_op *op);

#endif
