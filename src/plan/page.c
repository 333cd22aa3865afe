/*
 * page.c - a query in pages: where the next begins, and how many rows it has
 */
#include "plan/op.h"

#include <string.h>

#include "base/base.h"
#include "plan/op-state.h"
#include "plan/plan.h"

static void
leave(struct tide_op *op)
{
	op->page.open = false;
	op->page.pages = 0;
}

/*
 * Its pages are of @op's own size from the first on, and less when it is tight:
 * what is learned of them bounds them like any batch.
 */
static void
prepare(struct tide_op *op)
{
	uint32_t rows = op->conf.page;

	plan_lock();
	if (op->conf.initial == 0)
		op->conf.initial = op->sizing.conf.initial = rows;
	if (op->sizing.conf.max == 0 || op->sizing.conf.max > rows)
		op->sizing.conf.max = rows;
	plan_unlock();
}

/*
 * True: the walk goes on behind the page that was asked for, of which @got rows
 * have come.
 */
static bool
turn_over(struct tide_op *op, uint64_t *offset, uint32_t got)
{
	struct op_page *p = &op->page;
	uint32_t asked = p->asked;

	if (*offset != p->at) { /* another walk, before this one's end */
		batch_abort(&p->batch, TIDE_CANCEL);
		leave(op);
		return true;
	}
	if (got > asked)
		got = asked;
	(void)batch_end(&p->batch, got);
	*offset += got;
	p->open = false;
	if (got == asked && (op->conf.max_pages == 0 ||
	    p->pages < op->conf.max_pages))
		return true;
	leave(op);
	return false;
}

int
page_next(tide_op *op, uint64_t *offset, uint32_t *limit)
{
	struct op_page *p;
	uint64_t remaining = TIDE_NONE;

	if (!op_is(op) || offset == NULL || limit == NULL)
		return 0;
	p = &op->page;
	if (p->open && !turn_over(op, offset, *limit)) {
		*limit = 0;
		return 0;
	}
	*limit = 0;
	prepare(op);
	if (op->conf.max_pages != 0)
		remaining = (uint64_t)(op->conf.max_pages - p->pages) *
		    op->conf.page;
	if (batch_begin(op, &p->batch, *offset, remaining, -1) <= 0) {
		leave(op);
		return 0;
	}
	p->open = true;
	p->pages++;
	p->at = *offset;
	p->asked = *limit = p->batch.n;
	return 1;
}

void
page_end(tide_op *op)
{
	if (!op_is(op) || !op->page.open)
		return;
	(void)batch_end(&op->page.batch, op->page.asked);
	leave(op);
}
