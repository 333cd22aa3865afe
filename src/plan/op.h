/*
 * op.h - operations, their batches, and what is reserved for them
 *
 * Floor (plan).  May use: base, model, sys, plan.h, cleanup.h.  Used by: door,
 * and heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), never inside malloc or a handler.
 *
 * The functions are documented in heaptide.h: what is there named tide_x() is
 * op_x() here, or batch_x().
 */
#ifndef PLAN_OP_H
#define PLAN_OP_H

#include "base/room.h"
#include "plan/client.h"

tide_op *op_open(const char *name, const tide_op_conf *conf);
uint32_t op_batch_size(tide_op *op, uint64_t remaining);
int op_read(tide_op *op, struct tide_op_stats *out);
/* Of a child: no batch is under way; and, once it has a room, rows in it. */
void op_in_child(void);
void op_rows_in_child(void);
/* Batches under way in this process. */
uint32_t op_active(void);

int batch_begin(tide_op *op, tide_batch *b, uint64_t first,
    uint64_t remaining, int64_t wait_ns);
int batch_more(tide_batch *b);
int batch_item(tide_batch *b, uint64_t weight);
void batch_item_done(tide_batch *b);
void batch_item_fail(tide_batch *b, uint64_t index, const char *why);
int batch_end(tide_batch *b, uint64_t done);
void batch_abort(tide_batch *b, int why);

int page_next(tide_op *op, uint64_t *offset, uint32_t *limit);
void page_end(tide_op *op);

#endif
