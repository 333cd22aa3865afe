/*
 * batch.c - a batch while it is under way: its beginning, and one more item
 */
#include "plan/batch-state.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "plan/again.h"
#include "plan/decision.h"
#include "plan/member.h"
#include "plan/message.h"
#include "plan/plan.h"
#include "plan/run.h"
#include "plan/tell.h"
#include "plan/underway.h"
#include "sys/sys.h"

struct batch *
batch_inside(tide_batch *b)
{
	return (struct batch *)(void *)b->p_;
}

bool
batch_is_open(tide_batch *b)
{
	struct batch *p;

	if (b == NULL)
		return false;
	p = batch_inside(b);
	return p->open_mark == BATCH_OPEN && p->pid == sys_pid() &&
	    b->op_ >= 1 && b->op_ <= TIDE_OPS &&
	    op_state()->op[b->op_ - 1].taken && op_state()->active > 0;
}

tide_op *
batch_op(const tide_batch *b)
{
	return &op_state()->op[b->op_ - 1];
}

/* --- its beginning -------------------------------------------------------- */

/* What was lost at this size is tried again in smaller ones. */
static void
heed_supervisor(uint64_t first, struct sizing_plan *plan)
{
	uint32_t most = again_most(first);

	if (plan->n <= most)
		return;
	plan->n = most;
	plan->bound = SIZING_BY_FALLBACK;
}

/* Where larger ones would not be faster, in bytes; with the lock held. */
static void
set_what_pays(const tide_op *op, const struct sizing_room *have,
    struct batch *p)
{
	uint64_t expected = sizing_expect(&op->sizing, p->n);
	bool alone = op_state()->active == 1 && p->live != TIDE_NONE;

	p->pays = alone && have->knee != 0 &&
	    knee_cap(&op->knee) >= op->conf.initial ?
	    knee_bytes(&op->knee, p->n, expected) : 0;
	plan_set_live_line(p->pays != 0 ? p->live + p->pays : TIDE_NONE);
}

/* With the lock held. */
static void
open_batch(tide_op *op, tide_batch *b, const struct run_part *part,
    int verdict, const struct batch_lease *lease)
{
	struct tide_room *room = plan_room();
	struct ops *ops = op_state();
	struct tide_op_stats *row = op_row(op);
	struct batch *p = batch_inside(b);
	struct sizing_room have;
	struct sizing_plan plan;
	bool leased = batch_plan(op, part->count, verdict, lease->bytes, &have,
	    &plan);

	heed_supervisor(part->first, &plan);
	memset(b, 0, sizeof(*b));
	b->first = part->first;
	b->n = plan.n;
	if (plan.n == 0)
		return;
	b->op_ = (uint32_t)(op - ops->op) + 1;
	b->line_ = room->budget == TIDE_NONE ? TIDE_NONE : plan.line;
	sizing_begin(&op->sizing, &have, &plan, &p->open);
	p->open.most = (uint32_t)min_u64(p->open.most, again_most(part->first));
	if (ops->active == 0) {
		ops->base = room->used;
		plan_high_reset();
	}
	p->n = plan.n;
	p->most = part->count;
	p->number = part->number;
	p->used = room->used;
	/* Where nothing is counted, it is not known what is free. */
	p->held = room->live != TIDE_NONE ? plan_held() : room->used;
	p->budget = room->budget == TIDE_NONE ? 0 : room->budget;
	p->live = room->live;
	p->predicted = plan.predicted;
	p->last = plan.last;
	p->pid = room->pid;
	p->open_mark = BATCH_OPEN;
	p->line = b->line_;
	if (lease->bytes != TIDE_NONE) {
		p->lease = lease->bytes;
		p->member = lease->member;
		room->leases++;
		b->line_ = min_u64(b->line_, room->used + lease->bytes);
	}
	/* Whatever else would have batch_more() refuse the very first. */
	p->grant = room->used >= b->line_ || room->state >= TIDE_CRITICAL ||
	    (room->stop & TIDE_STOP_EXHAUSTED) != 0;
	p->flags = have.knee != 0 && plan.n >= have.knee ? BATCH_KNEE :
	    plan.bound == SIZING_BY_STATE ? BATCH_HELD : 0;
	ops->active++;
	ops->reserved += min_u64(p->predicted, UINT64_MAX - ops->reserved);
	ops->lately = ops->lately * 0.98;
	if (ops->lately < ops->active)
		ops->lately = ops->active;
	set_what_pays(op, &have, p);
	p->begun = ++ops->begun;
	if (underway_put(op, b, p->begun, p->predicted, p->lease != 0 ?
	    (int)p->member : -1))
		p->flags |= BATCH_KNOWN;
	states_begun(plan_states());
	row->active++;
	row->active_most = (uint32_t)max_u64(row->active_most, row->active);
	row->bound = batch_bound(op, plan.bound, leased);
	row->n_next = plan.n;
	row->one = plan.one;
	if (row->batches == 0)
		row->first = part->first;
	if (part->left != TIDE_NONE)
		row->total = row->done + part->left;
	memcpy(room->last_op, row->name, sizeof(room->last_op));
}

static void
start_clock(tide_op *op, struct batch *p, uint64_t entered_ns,
    uint64_t waited_ns)
{
	p->begin_ns = sys_clock();
	pace_read(&op->ended, &p->pace);
	p->before_ns = above_u64(p->begin_ns, op->ended_ns != 0 ?
	    op->ended_ns + waited_ns + pace_waited(&op->ended, &p->pace) :
	    entered_ns);
	if (op_row(op)->started_ns == 0)
		op_row(op)->started_ns = p->begin_ns;
}

int
batch_begin(tide_op *op, tide_batch *b, uint64_t first, uint64_t remaining,
    int64_t wait_ns)
{
	uint64_t waited_ns = 0;
	struct batch_entrance e;
	struct batch_lease lease;
	struct run_part part;
	struct batch *p;
	int r;

	if (!op_is(op) || b == NULL)
		return -EINVAL;
	if (batch_is_open(b))
		return -EBUSY;
	if (remaining == 0) {
		b->first = first;
		b->n = 0;
		return 0;
	}
	if (!run_part_find(first, remaining, &part)) {
		memset(b, 0, sizeof(*b));
		b->first = part.end;
		return 0;
	}
	if (op->conf.reclaim_before > 0)
		batch_clean_between(op);
	memset(&e, 0, sizeof(e));
	e.op = op;
	if (!batch_enter(&e, wait_ns))
		return e.answer;
	waited_ns = e.now_ns - e.start_ns;
	underway_forget_at(b);
	again_learn(op);
	r = batch_lease(op, part.count, e.verdict, wait_ns, &lease, &waited_ns);
	if (r == 0)
		open_batch(op, b, &part, lease.one ? STATES_ONE_ITEM :
		    e.verdict, &lease);
	op_row(op)->wait_ns += waited_ns;
	plan_unlock();
	if (r < 0)
		return r == -ESHUTDOWN ? 0 : r;
	if (b->n == 0) {
		if (lease.bytes != TIDE_NONE)
			member_release(lease.member, UINT64_MAX);
		return 0;
	}
	p = batch_inside(b);
	start_clock(op, p, e.start_ns, waited_ns);
	if (plan_host()->window_open != NULL)
		plan_host()->window_open(&p->window);
	p->item_live = plan_used_now();
	tell_begin(&op->conf, op_row(op), part.first, b->n);
	if (tell_items(&op->conf)) {
		p->flags |= BATCH_TOLD;
		p->own_line = b->line_;
		b->line_ = 0;
	}
	decision_begin(op, b, p->predicted);
	return (int)min_u64(b->n, INT32_MAX);
}

/* --- while it is under way ------------------------------------------------ */

/* A thread that hangs does not come here. */
void
batch_tell_if_stalled(tide_batch *b)
{
	uint64_t most_ns = batch_op(b)->conf.timeout_ns;
	struct batch *p = batch_inside(b);
	char line[MESSAGE_ROOM];

	if (most_ns == 0 || (p->flags & BATCH_STALLED) ||
	    sys_clock() - p->begin_ns <= most_ns)
		return;
	p->flags |= BATCH_STALLED;
	plan_say(message_timeout(line, sizeof(line), most_ns));
}

static uint64_t *
line_of(tide_batch *b)
{
	struct batch *p = batch_inside(b);

	return p->flags & BATCH_TOLD ? &p->own_line : &b->line_;
}

/* The next item is about to be dealt with, for who wants to be told. */
static void
tell_next(tide_batch *b)
{
	struct batch *p = batch_inside(b);

	if (p->flags & BATCH_TOLD)
		tell_item(op_row(batch_op(b)), b->first + p->asked++);
}

/* Below its line, which may go up as long as others have no need of it. */
static bool
has_room(tide_batch *b)
{
	struct batch *p = batch_inside(b);
	uint64_t more = max_u64(p->lease / 4, MIB);
	uint64_t *line = line_of(b);

	if (plan_used_now() < *line)
		return true;
	if (p->lease == 0)
		return plan_may_grow(*line, p->last, p->used);
	if (*line >= p->line ||
	    member_extend(p->member, more) != 0)
		return false;
	p->lease += more;
	*line = min_u64(p->line, *line + more);
	return plan_used_now() < *line;
}

/* Is it as large as pays, though it has fewer items?  True: it is closed. */
static bool
is_far(struct batch *p)
{
	struct host_heap heap;

	if (p->pays == 0 || p->grant != 0 || op_state()->active != 1 ||
	    !plan_host()->heap(&heap) ||
	    above_u64(heap.bytes, p->live) < p->pays)
		return false;
	p->flags |= BATCH_FAR;
	return true;
}

/*
 * May there be one more item?  Here comes who finds that as much is used as may
 * be, or that it is time to look.
 */
int
batch_more(tide_batch *b)
{
	struct batch *p;
	bool room;

	if (!batch_is_open(b))
		return 0;
	(void)plan_visit();
	batch_tell_if_stalled(b);
	p = batch_inside(b);
	if (is_far(p))
		return 0;
	room = has_room(b) && plan_room()->state < TIDE_CRITICAL &&
	    !(plan_room()->stop & TIDE_STOP_EXHAUSTED);
	if (!room && p->grant == 0) {
		p->flags |= BATCH_CUT;
		return 0;
	}
	p->grant = 0;
	if ((p->flags & BATCH_WEIGHTED) == 0)
		tell_next(b);
	return 1;
}

int
batch_item(tide_batch *b, uint64_t weight)
{
	struct batch *p;
	int may;

	if (!batch_is_open(b))
		return 0;
	p = batch_inside(b);
	p->flags |= BATCH_WEIGHTED;
	if (p->open.n >= p->most || (p->open.n > 0 && is_far(p)))
		return 0;
	if (p->open.n > 0 && !has_room(b)) {
		p->flags |= BATCH_CUT;
		return 0;
	}
	plan_lock();
	may = sizing_item(&batch_op(b)->sizing, &p->open, weight);
	plan_unlock();
	p->item_live = plan_used_now();
	if (may)
		tell_next(b);
	return may;
}

void
batch_item_done(tide_batch *b)
{
	struct batch *p;
	uint64_t used;

	if (!batch_is_open(b))
		return;
	p = batch_inside(b);
	used = plan_used_now();
	p->item_most = max_u64(p->item_most, above_u64(used, p->item_live));
	p->item_live = used;
	p->done++;
	(void)plan_visit();
	batch_tell_if_stalled(b);
}

void
batch_item_fail(tide_batch *b, uint64_t index, const char *why)
{
	char line[MESSAGE_ROOM];

	if (!batch_is_open(b))
		return;
	batch_inside(b)->failed++;
	plan_say(message_item_failed(line, sizeof(line), index,
	    why != NULL ? why : "no reason given"));
	run_note_fail(index, 1, TIDE_ERROR, why);
	(void)plan_visit();
}
