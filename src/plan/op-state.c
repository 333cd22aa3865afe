/*
 * op-state.c - the operations, and their rows in the room
 */
#include "plan/op-state.h"

#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/plan.h"

static struct {
	struct ops ops;
} operations;

struct ops *
op_state(void)
{
	return &operations.ops;
}

struct tide_op_stats *
op_row(const tide_op *op)
{
	return &plan_room()->op[op - operations.ops.op];
}

uint32_t
op_active(void)
{
	return operations.ops.active;
}

bool
op_is(const tide_op *op)
{
	return op >= operations.ops.op &&
	    op < operations.ops.op + TIDE_OPS && op->taken;
}

/*
 * Its operations are those of its parent, whose pointers the program has, with
 * all that was learned of them.
 */
void
op_in_child(void)
{
	struct ops *ops = &operations.ops;
	struct tide_op *op;

	ops->active = ops->begun = 0;
	ops->reserved = ops->base = 0;
	ops->lately = 0;
	memset(ops->open, 0, sizeof(ops->open));
	memset(ops->lease, 0, sizeof(ops->lease));
	memset(&ops->growth, 0, sizeof(ops->growth));
	for (op = ops->op; op < ops->op + TIDE_OPS; op++) {
		op->ended_ns = 0;
		memset(&op->growth, 0, sizeof(op->growth));
		memset(&op->page, 0, sizeof(op->page));
	}
}

void
op_make_row(const struct tide_op *op)
{
	struct tide_op_stats *row = op_row(op);

	memset(row, 0, sizeof(*row));
	row->policy = (uint32_t)op->conf.policy;
	text_field(row->unit, sizeof(row->unit), op->unit);
	text_field(row->name, sizeof(row->name), op->name);
}

void
op_rows_in_child(void)
{
	struct tide_op *op;

	for (op = operations.ops.op; op < operations.ops.op + TIDE_OPS; op++)
		if (op->taken)
			op_make_row(op);
}
