/*
 * batch.c - one batch from begin to end: how large, how long, what it took
 *
 * What a batch took is the highest point of the heap above where it began: of
 * the process, as long as no other batch is under way, or else of its thread.
 * Where the heap is not counted, of the resident memory.
 */
#include "plan/op.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "model/states.h"
#include "plan/again.h"
#include "plan/boundary.h"
#include "plan/cleanup.h"
#include "plan/decision.h"
#include "plan/member.h"
#include "plan/message.h"
#include "plan/op-state.h"
#include "plan/plan.h"
#include "plan/run.h"
#include "plan/underway.h"
#include "plan/tell.h"
#include "sys/sys.h"

/* The private part of struct tide_batch. */
struct batch {
	struct host_window window;     /* 6 words */
	struct sizing_open_batch open; /* 4 */
	uint64_t used, budget, live;   /* when it began */
	uint64_t begin_ns;
	uint64_t from_ns;              /* with what it took to begin it */
	uint64_t reserved;             /* bytes that it may grow by */
	uint64_t predicted;
	uint64_t item_live, item_most; /* as the current item began; most */
	uint64_t done, failed;         /* items */
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
	BATCH_TOLD = 32     /* each item is, so each asks: line_ is 0 */
};

static struct batch *
inside_of(tide_batch *b)
{
	return (struct batch *)(void *)b->p_;
}

/* Is it under way, and this process'? */
static bool
is_open(tide_batch *b)
{
	struct batch *p;

	if (b == NULL)
		return false;
	p = inside_of(b);
	return p->open_mark == BATCH_OPEN && p->pid == sys_pid() &&
	    b->op_ >= 1 && b->op_ <= TIDE_OPS &&
	    op_state()->op[b->op_ - 1].taken && op_state()->active > 0;
}

static tide_op *
op_of(const tide_batch *b)
{
	return &op_state()->op[b->op_ - 1];
}

/* --- how large ------------------------------------------------------------ */

static double
target_of(const tide_op *op)
{
	return op->sizing.conf.target > 0 ? op->sizing.conf.target :
	    plan_room()->target_mille / 1000.0;
}

/*
 * What counts as used for a batch that is to begin: what is, what others under
 * way may yet take, and what is to be left to those that come at the same time
 * (C.5: of N, each has half of its part for sure and all of it at most).
 */
static uint64_t
spoken_for(const tide_op *op, uint64_t used, uint64_t budget)
{
	const struct ops *ops = op_state();
	double n = ops->lately > ops->active + 1 ? ops->lately :
	    ops->active + 1;
	uint64_t line = (uint64_t)(target_of(op) * (double)budget);
	uint64_t base = ops->active > 0 ? min_u64(ops->base, used) : used;
	uint64_t all = above_u64(line, base);
	uint64_t taken = max_u64(used, base + ops->reserved);
	uint64_t part = (uint64_t)((double)all / n);

	if (ops->active == 0 && n < 1.5)
		return used;
	taken = max_u64(taken, above_u64(line, part));
	/* Half of the part, though others reserved it: they may not need it. */
	return max_u64(used, min_u64(taken, above_u64(line, part / 2)));
}

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

/*
 * @lease: bytes that it may grow by in any case, TIDE_NONE: no such limit.
 * True: there is less of it than the process has room for.
 */
static bool
size(const tide_op *op, uint64_t remaining, int verdict, uint64_t lease,
    struct sizing_room *room, struct sizing_plan *plan)
{
	const struct tide_room *r = plan_room();
	uint64_t left;
	bool leased;

	memset(room, 0, sizeof(*room));
	/* Without any limit there is none to fill; sizes are by the knee. */
	room->budget = r->budget == TIDE_NONE ? UINT64_C(1) << 60 : r->budget;
	room->used = spoken_for(op, plan_held(), room->budget);
	left = above_u64((uint64_t)(target_of(op) * (double)room->budget),
	    room->used);
	leased = lease < left;
	if (leased)
		room->used += left - lease;
	room->remaining = remaining;
	/* Of a size that somebody has set there is nothing to find out. */
	room->knee = op->conf.fixed != 0 || op->conf.policy !=
	    TIDE_POLICY_LEARN ? 0 : (uint32_t)max_u64(knee_cap(&op->knee),
	    op->conf.initial);
	room->grow_allowed = r->state < TIDE_WARNING;
	room->probe = verdict == STATES_PROBE || verdict == STATES_ONE_ITEM;
	sizing_plan(&op->sizing, room, plan);
	if (verdict == STATES_ONE_ITEM && plan->n > 1)
		plan->n = 1;
	return leased;
}

static uint32_t
bound_of(const tide_op *op, int bound, bool leased)
{
	switch (bound) {
	case SIZING_BY_GROWTH:
	case SIZING_BY_INITIAL:
		return TIDE_BOUND_GROWTH;
	case SIZING_BY_OVERRUN:
	case SIZING_BY_FALLBACK:
		return TIDE_BOUND_OVERRUN;
	case SIZING_BY_KNEE:
		return TIDE_BOUND_KNEE;
	case SIZING_BY_MAX:
		return op->conf.fixed != 0 ? TIDE_BOUND_FIXED :
		    TIDE_BOUND_MAX;
	case SIZING_BY_REMAINING:
		return TIDE_BOUND_REMAINING;
	case SIZING_BY_STATE:
		return TIDE_BOUND_STATE;
	default:
		return leased ? TIDE_BOUND_LEASE : TIDE_BOUND_MEMORY;
	}
}

uint32_t
op_batch_size(tide_op *op, uint64_t remaining)
{
	struct sizing_room room;
	struct sizing_plan plan;

	if (!op_is(op) || remaining == 0)
		return 0;
	(void)plan_visit();
	plan_lock();
	(void)size(op, remaining, STATES_GO, TIDE_NONE, &room, &plan);
	plan_unlock();
	return plan.n;
}

/* As configured: between two batches, whatever the state is. */
static void
clean_between(tide_op *op)
{
	tide_reclaim_result result;

	memset(&result, 0, sizeof(result));
	if (cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, &result) != 0)
		return;
	op_row(op)->reclaim_ns += result.time_ns;
	(void)plan_settle(sys_clock(), true);
	tell_cleaned(&op->conf, &result, plan_room()->used);
}

/* --- may it begin? -------------------------------------------------------- */

/*
 * One look at the door: the verdict, and until when to wait; or -EDEADLK: it
 * would wait for itself.
 */
static int
ask(tide_op *op, struct states_answer *answer)
{
	struct tide_room *room = plan_room();
	struct states_wish wish;

	memset(&wish, 0, sizeof(wish));
	wish.one = op_row(op)->one;
	wish.baseline = room->used;
	wish.start = plan_start_used();
	wish.checkpoint = run_has_mark();
	wish.in_flight = underway_will_end(NULL);
	/* A probe that nobody can wait for tells nothing any more. */
	if (plan_states()->probing && !wish.in_flight)
		states_ended(plan_states(), false);
	if (op->conf.max_concurrent != 0 &&
	    op_row(op)->active >= op->conf.max_concurrent) {
		memset(answer, 0, sizeof(*answer));
		return underway_will_end(op) ? STATES_WAIT : -EDEADLK;
	}
	states_ask(plan_states(), &wish, answer);
	return answer->verdict;
}

/* All that can be had, whatever it costs. */
static void
reclaim_all(void)
{
	tide_reclaim_result result;
	uint64_t now_ns = sys_clock();

	memset(&result, 0, sizeof(result));
	(void)cleanup_run(TIDE_EXHAUSTED, TIDE_EMERGENCY |
	    TIDE_FORCE_RECLAIM, 0, &result);
	plan_lock();
	states_reclaimed(plan_states(), sys_clock() - now_ns, sys_clock());
	plan_unlock();
}

/*
 * Where waiting threads hold what each other wait for, one of them is told;
 * they may have begun to wait only now, so not before so long.
 */
#define EMBRACE_NS NS_PER_S

/* Who wants to begin, and since when. */
struct entrance {
	tide_op *op;
	uint64_t start_ns, now_ns;
	uint64_t embrace_ns; /* it would wait for itself since then */
	int answer;          /* of tide_batch_begin() */
	int verdict;         /* STATES_GO, STATES_PROBE, STATES_ONE_ITEM */
	bool waits;
};

enum { ENTER, STAY_OUT, ASK_AGAIN, WAIT };

/* Once; the lock is held if it may ENTER, or is to WAIT. */
static int
try_to_enter(struct entrance *e)
{
	struct states_answer answer;
	char line[MESSAGE_ROOM];
	struct tide_room *room;
	int verdict;

	(void)plan_settle(e->now_ns, e->waits || op_row(e->op)->batches %
	    e->op->poll_every == 0);
	room = plan_room();
	e->answer = 0;
	if (room->stop != 0)
		return STAY_OUT;
	plan_lock();
	memset(&answer, 0, sizeof(answer));
	verdict = ask(e->op, &answer);
	if (verdict != -EDEADLK) {
		e->embrace_ns = e->now_ns;
	} else if (e->now_ns - e->embrace_ns >= EMBRACE_NS) {
		plan_unlock();
		e->answer = -EDEADLK;
		return STAY_OUT;
	}
	switch (verdict) {
	case STATES_GO:
	case STATES_PROBE:
	case STATES_ONE_ITEM:
		e->verdict = verdict;
		return ENTER;
	case STATES_RECYCLE:
		(void)__atomic_fetch_or(&room->stop, TIDE_STOP_RECYCLE,
		    __ATOMIC_RELAXED);
		plan_unlock();
		return STAY_OUT;
	case STATES_NO_MEMORY:
		(void)__atomic_fetch_or(&room->stop, TIDE_STOP_EXHAUSTED,
		    __ATOMIC_RELAXED);
		plan_unlock();
		plan_say(message_no_room(line, sizeof(line), answer.baseline,
		    answer.one, answer.budget, answer.raise_to));
		e->answer = -ENOMEM;
		return STAY_OUT;
	case STATES_RECLAIM:
		plan_unlock();
		reclaim_all();
		return ASK_AGAIN;
	default:
		return WAIT;
	}
}

/*
 * True: it may begin, and the lock is held.  False: e->answer, and it is not.
 */
static bool
wait_to_begin(struct entrance *e, int64_t wait_ns)
{
	const int32_t tid = sys_tid();
	int r;

	e->start_ns = e->embrace_ns = e->now_ns = sys_clock();
	while ((r = try_to_enter(e)) >= ASK_AGAIN) {
		if (r == WAIT) {
			underway_forget_dead();
			underway_set_waits(tid, true);
			e->waits = true;
			plan_unlock();
			if (wait_ns >= 0 && e->now_ns - e->start_ns >=
			    (uint64_t)wait_ns) {
				e->answer = -ETIMEDOUT;
				break;
			}
			sys_sleep(OP_NAP_NS);
		}
		e->now_ns = sys_clock();
	}
	if (e->waits && r != ENTER)
		plan_lock();
	if (e->waits)
		underway_set_waits(tid, false);
	if (e->waits && r != ENTER)
		plan_unlock();
	return r == ENTER;
}

/* What is wanted where nothing is known yet. */
#define LEASE_FIRST (16 * MIB)

/* What a batch holds of a common budget. */
struct lease {
	uint64_t bytes; /* TIDE_NONE: there is no such budget */
	uint32_t member;
};

/*
 * Before it waits for others: what is free in the allocator is theirs (C.7).  Of
 * several that wait none could give it back any more, and each would wait for
 * what another holds.
 */
static void
give_back(uint64_t want)
{
	(void)plan_settle(sys_clock(), true);
	if (plan_room()->retained < want / 10)
		return;
	(void)cleanup_run(TIDE_WARNING, TIDE_FORCE_RECLAIM |
	    TIDE_NO_CALLBACKS, 0, NULL);
	(void)plan_settle(sys_clock(), true);
}

/*
 * As much as it would take if it were alone, one item at the least.  With the
 * lock held, which is let go meanwhile.
 */
static int
take_lease(tide_op *op, uint64_t remaining, int verdict, int64_t wait_ns,
    struct lease *lease, uint64_t *waited_ns)
{
	uint64_t start_ns, want, least = op_row(op)->one;
	struct sizing_room room;
	struct sizing_plan plan;
	int r;

	lease->bytes = TIDE_NONE;
	if (!member_is_in())
		return 0;
	(void)size(op, remaining, verdict, TIDE_NONE, &room, &plan);
	want = plan.predicted != 0 ? plan.predicted : LEASE_FIRST;
	plan_unlock();
	start_ns = sys_clock();
	want = max_u64(want, least);
	r = member_acquire(least, want, 0, &lease->bytes, &lease->member);
	if (r == -ETIMEDOUT && wait_ns != 0) {
		give_back(want);
		r = member_acquire(least, want, wait_ns, &lease->bytes,
		    &lease->member);
	}
	*waited_ns += sys_clock() - start_ns;
	plan_lock();
	plan_room()->lease = member_lease();
	return r;
}

/* With the lock held. */
static void
open_batch(tide_op *op, tide_batch *b, const struct run_part *part,
    int verdict, const struct lease *lease)
{
	struct tide_room *room = plan_room();
	struct ops *ops = op_state();
	struct tide_op_stats *row = op_row(op);
	struct batch *p = inside_of(b);
	struct sizing_room have;
	struct sizing_plan plan;
	bool leased = size(op, part->count, verdict, lease->bytes, &have,
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
	p->budget = room->budget == TIDE_NONE ? 0 : room->budget;
	p->live = room->live;
	p->predicted = plan.predicted;
	p->reserved = plan.predicted;
	p->pid = room->pid;
	p->open_mark = BATCH_OPEN;
	p->line = b->line_;
	if (lease->bytes != TIDE_NONE) {
		p->lease = lease->bytes;
		p->member = lease->member;
		room->leases++;
		b->line_ = min_u64(b->line_, room->used + lease->bytes);
	}
	p->grant = room->used >= b->line_;
	p->flags = plan.bound == SIZING_BY_KNEE ? BATCH_KNEE : 0;
	ops->active++;
	ops->reserved += min_u64(p->reserved, UINT64_MAX - ops->reserved);
	ops->lately = ops->lately * 0.98;
	if (ops->lately < ops->active)
		ops->lately = ops->active;
	p->begun = ++ops->begun;
	if (underway_put(op, b, p->begun, p->reserved, p->lease != 0 ?
	    (int)p->member : -1))
		p->flags |= BATCH_KNOWN;
	states_begun(plan_states());
	row->active++;
	row->active_most = (uint32_t)max_u64(row->active_most, row->active);
	row->bound = bound_of(op, plan.bound, leased);
	row->n_next = plan.n;
	row->one = plan.one;
	if (row->batches == 0)
		row->first = part->first;
	if (part->left != TIDE_NONE)
		row->total = row->done + part->left;
	memcpy(room->last_op, row->name, sizeof(room->last_op));
}

int
batch_begin(tide_op *op, tide_batch *b, uint64_t first, uint64_t remaining,
    int64_t wait_ns)
{
	uint64_t waited_ns = 0;
	struct entrance e;
	struct lease lease;
	struct run_part part;
	struct batch *p;
	int r;

	if (!op_is(op) || b == NULL)
		return -EINVAL;
	if (is_open(b))
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
		clean_between(op);
	memset(&e, 0, sizeof(e));
	e.op = op;
	if (!wait_to_begin(&e, wait_ns))
		return e.answer;
	waited_ns = e.now_ns - e.start_ns;
	underway_forget_at(b);
	again_learn(op);
	r = take_lease(op, part.count, e.verdict, wait_ns, &lease, &waited_ns);
	if (r == 0)
		open_batch(op, b, &part, e.verdict, &lease);
	op_row(op)->wait_ns += waited_ns;
	plan_unlock();
	if (r < 0)
		return r == -ESHUTDOWN ? 0 : r;
	if (b->n == 0) {
		if (lease.bytes != TIDE_NONE)
			member_release(lease.member, UINT64_MAX);
		return 0;
	}
	p = inside_of(b);
	p->begin_ns = sys_clock();
	p->from_ns = op->ended_ns != 0 ? op->ended_ns + waited_ns : e.start_ns;
	if (op_row(op)->started_ns == 0)
		op_row(op)->started_ns = p->begin_ns;
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

/* Told once, by whoever comes to a safe point: a thread that hangs does not. */
static void
tell_if_stalled(tide_batch *b)
{
	uint64_t most_ns = op_of(b)->conf.timeout_ns;
	struct batch *p = inside_of(b);
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
	return inside_of(b)->flags & BATCH_TOLD ? &inside_of(b)->own_line :
	    &b->line_;
}

/* The next item is about to be dealt with, for who wants to be told. */
static void
tell_next(tide_batch *b)
{
	struct batch *p = inside_of(b);

	if (p->flags & BATCH_TOLD)
		tell_item(op_row(op_of(b)), b->first + p->asked++);
}

/* Below its line, which may go up as long as others have no need of it. */
static bool
has_room(tide_batch *b)
{
	struct batch *p = inside_of(b);
	uint64_t more = max_u64(p->lease / 4, MIB);
	uint64_t *line = line_of(b);

	if (plan_used_now() < *line)
		return true;
	if (p->lease == 0 || *line >= p->line ||
	    member_extend(p->member, more) != 0)
		return false;
	p->lease += more;
	*line = min_u64(p->line, *line + more);
	return plan_used_now() < *line;
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

	if (!is_open(b))
		return 0;
	(void)plan_visit();
	tell_if_stalled(b);
	p = inside_of(b);
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

	if (!is_open(b))
		return 0;
	p = inside_of(b);
	p->flags |= BATCH_WEIGHTED;
	if (p->open.n >= p->most)
		return 0;
	if (p->open.n > 0 && !has_room(b)) {
		p->flags |= BATCH_CUT;
		return 0;
	}
	plan_lock();
	may = sizing_item(&op_of(b)->sizing, &p->open, weight);
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

	if (!is_open(b))
		return;
	p = inside_of(b);
	used = plan_used_now();
	p->item_most = max_u64(p->item_most, above_u64(used, p->item_live));
	p->item_live = used;
	p->done++;
	(void)plan_visit();
	tell_if_stalled(b);
}

void
batch_item_fail(tide_batch *b, uint64_t index, const char *why)
{
	char line[MESSAGE_ROOM];

	if (!is_open(b))
		return;
	inside_of(b)->failed++;
	plan_say(message_item_failed(line, sizeof(line), index,
	    why != NULL ? why : "no reason given"));
	run_note_fail(index, 1, TIDE_ERROR, why);
	(void)plan_visit();
}

/* --- its end -------------------------------------------------------------- */

/* What it took at its highest, and what it has left behind. */
static void
measure(tide_batch *b, struct sizing_batch *s, bool alone)
{
	struct batch *p = inside_of(b);
	uint64_t seen = above_u64(plan_high(), p->used);
	int64_t high;

	memset(s, 0, sizeof(*s));
	if (plan_host()->window_close != NULL) {
		plan_host()->window_close(&p->window);
		high = alone ? p->window.high : p->window.thread_high;
		s->growth = high > 0 ? (uint64_t)high : 0;
	}
	if (alone) {
		s->growth = max_u64(s->growth, seen);
		/* Nobody may have looked when it stood there. */
		plan_saw(p->used + s->growth);
	} else if (s->growth == 0) {
		s->growth = seen / op_state()->active;
	}
	s->retained = above_u64(plan_room()->live != TIDE_NONE ?
	    plan_room()->live : plan_room()->used,
	    p->live != TIDE_NONE ? p->live : p->used);
	s->time_ns = sys_clock() - p->begin_ns;
	s->item_max = p->item_most;
	s->budget = p->budget;
	s->used = p->used;
	if (p->flags & BATCH_WEIGHTED) {
		s->weight_sum = p->open.sum;
		s->weight_max = p->open.max;
	}
}

/* n^power: by how much of the growth it explains; the sizing's own choice. */
static void
describe(const tide_op *op, struct tide_op_stats *row)
{
	static const double power[SIZING_POWERS] = { 0.6, 1, 1.4, 2, 2.5, 3 };
	const struct sizing_fit *fit = op->sizing.fit;
	struct knee_report knee;
	size_t i, best = 1;

	for (i = 0; i < SIZING_POWERS; i++)
		if (fit[i].residual < fit[best].residual)
			best = i;
	row->power = power[best];
	row->per_item = fit[best].c;
	row->fixed = fit[best].a > 0 ? (uint64_t)fit[best].a : 0;
	memset(&knee, 0, sizeof(knee));
	knee_read(&op->knee, &knee);
	row->knee = knee.settled ? knee.n : 0;
	row->knee_rate = knee.ns > 0 ? 1e9 / knee.ns : 0;
	row->most_rate = knee.largest_ns > 0 ? 1e9 / knee.largest_ns : 0;
}

/* How what batches take is spread, of this operation and of all. */
static void
note_spread(tide_op *op, struct tide_op_stats *row, uint64_t growth)
{
	struct tide_room *room = plan_room();

	spread_add(&op->growth, growth);
	spread_add(&op_state()->growth, growth);
	row->growth_p50 = spread_below(&op->growth, 500);
	row->growth_p95 = spread_below(&op->growth, 950);
	row->growth_p99 = spread_below(&op->growth, 990);
	room->growth_p50 = spread_below(&op_state()->growth, 500);
	room->growth_p95 = spread_below(&op_state()->growth, 950);
	room->growth_p99 = spread_below(&op_state()->growth, 990);
}

static void
note(tide_op *op, struct tide_op_stats *row, const struct batch *p,
    const struct sizing_batch *s)
{
	uint64_t kib = s->growth / KIB;
	uint64_t last = row->n_last;

	row->batches++;
	row->items += s->n;
	row->items_failed += p->failed;
	row->done += s->n;
	row->cuts += s->cut;
	row->overruns += p->predicted != 0 && s->growth > p->predicted;
	if (last != 0 && (s->n * 4 > last * 5 || s->n * 5 < last * 4))
		row->changes++;
	row->n_last = s->n;
	row->n_least = row->n_least == 0 ? s->n : min_u64(row->n_least, s->n);
	row->n_most = max_u64(row->n_most, s->n);
	row->growth_last = s->growth;
	row->growth_most = max_u64(row->growth_most, s->growth);
	row->growth_sum += s->growth;
	row->growth_squares += kib * kib;
	row->item_most = max_u64(row->item_most, s->item_max);
	row->predicted_last = p->predicted;
	row->retained_last = (int64_t)s->retained;
	row->retained_sum += s->retained;
	row->time_ns += s->time_ns;
	row->ended_ns = p->begin_ns + s->time_ns;
	if (p->flags & BATCH_WEIGHTED) {
		row->weight_most = max_u64(row->weight_most, p->open.max);
		row->weight_sum += p->open.sum;
		row->weights += p->open.n;
	}
	note_spread(op, row, s->growth);
	describe(op, row);
}

/* Where no other batch is under way. */
static void
note_boundary(void)
{
	const struct tide_room *room = plan_room();

	if (op_state()->active == 0)
		boundary_note(plan_live() != TIDE_NONE ? plan_live() :
		    room->used, sys_clock());
}

/*
 * It is over, however; with the lock held.  False: it had been forgotten, and
 * was counted no more, nor does it hold anything.
 */
static bool
leave(tide_op *op, tide_batch *b)
{
	struct batch *p = inside_of(b);
	/* Those that found no place are counted all the same. */
	bool counted = underway_take(p->begun) ||
	    (p->flags & BATCH_KNOWN) == 0;

	if (counted)
		underway_count_off((uint32_t)(op - op_state()->op),
		    p->reserved);
	p->open_mark = 0;
	b->op_ = 0;
	b->line_ = 0;
	return counted;
}

/*
 * Where it pays, by model/delay.h; that the state gets better, and signals, may
 * end it early, the former not before what is set as the least.
 */
static void
delay(tide_op *op)
{
	struct tide_room *room = plan_room();
	bool pressed = room->state != TIDE_OK;
	uint64_t used = room->used, start_ns = sys_clock(), ns;
	struct delay_look look;

	memset(&look, 0, sizeof(look));
	look.budget = room->budget == TIDE_NONE ? 0 : room->budget;
	look.used = used;
	look.critical = room->state >= TIDE_CRITICAL;
	look.others = room->lease != 0;
	plan_lock();
	ns = delay_next(&op->delay, &look);
	plan_unlock();
	if (ns == 0 || decision_vain(op, look.budget))
		return;
	while (sys_clock() - start_ns < ns && room->stop == 0) {
		sys_sleep(min_u64(ns, 20 * NS_PER_MS));
		if (plan_settle(sys_clock(), true) == TIDE_OK && pressed &&
		    sys_clock() - start_ns >= op->delay.conf.min_ns)
			break;
	}
	ns = sys_clock() - start_ns;
	plan_lock();
	delay_done(&op->delay, ns, above_u64(used, room->used));
	op_row(op)->delay_ns += ns;
	op_row(op)->delay_freed += above_u64(used, room->used);
	plan_unlock();
}

/*
 * What a batch costs in all: since the one before ended, with what it takes to
 * end and to begin one, and what the program does in between; but if that is
 * more than the batch itself and a little, it was not for the batch.
 */
#define BETWEEN_NS (1 * NS_PER_MS)

static uint64_t
cost_of(const struct batch *p, const struct sizing_batch *s)
{
	uint64_t before = above_u64(p->begin_ns, p->from_ns);

	return s->time_ns + min_u64(before, s->time_ns + BETWEEN_NS);
}

/* In the file of the run, if there is one. */
static void
write_down(const tide_op *op, const tide_batch *b, uint64_t predicted,
    uint64_t begun, const struct sizing_batch *s)
{
	struct journal_batch record;

	memset(&record, 0, sizeof(record));
	memcpy(record.op, op_row(op)->name, sizeof(record.op));
	record.first = b->first;
	record.count = s->n;
	record.n = b->n;
	record.peak = s->growth;
	record.predicted = predicted;
	record.retained = s->retained;
	record.used = s->used;
	record.budget = s->budget;
	record.time_ns = s->time_ns;
	record.state = plan_room()->state;
	record.cut = s->cut;
	record.failed = s->failed;
	record.begun = begun;
	run_note_batch(&record, op, op->conf.checkpoint_every);
}

/* As configured: after each, after the last, or as the program has it. */
static bool
is_to_be_cleaned(const tide_op *op)
{
	const struct tide_op_stats *row = op_row(op);
	bool last = row->total != 0 && row->done >= row->total;

	return op->conf.reclaim_after > 0 || (op->clean_last && last) ||
	    (op->clean_each && !last);
}

static int
finish(tide_batch *b, uint64_t done, bool failed)
{
	tide_op *op = op_of(b);
	struct batch *p = inside_of(b);
	struct sizing_batch s;
	uint64_t lease, predicted, begun;
	uint32_t member;
	bool alone, counted;
	int state;

	state = plan_settle(sys_clock(), (op_row(op)->batches + 1) %
	    op->poll_every == 0);
	tell_if_stalled(b);
	plan_lock();
	alone = op_state()->active == 1 && op_state()->begun == p->begun;
	measure(b, &s, alone);
	s.n = (uint32_t)min_u64(done, UINT32_MAX);
	s.cut = (p->flags & BATCH_CUT) != 0;
	s.failed = failed;
	sizing_learn(&op->sizing, &s);
	/* Short ones tell little of the size that was allowed. */
	if (!failed && !s.cut && s.n > 0)
		knee_learn(&op->knee, s.n, cost_of(p, &s),
		    !(p->flags & BATCH_KNEE));
	op->ended_ns = p->begin_ns + s.time_ns;
	note(op, op_row(op), p, &s);
	op_row(op)->aborts += failed;
	states_ended(plan_states(), !failed && state < TIDE_CRITICAL);
	lease = p->lease;
	member = p->member;
	predicted = p->predicted;
	begun = p->number;
	counted = leave(op, b);
	note_boundary();
	plan_unlock();
	if (counted && lease != 0)
		member_release(member, plan_room()->used);
	plan_room()->lease = member_lease();
	tell_end(&op->conf, op_row(op), s.time_ns, plan_room()->used,
	    plan_start_used());
	decision_end(op, &s);
	write_down(op, b, predicted, begun, &s);
	cleanup_bill();
	if (plan_host()->epoch != NULL && op->conf.detect >= 0)
		plan_host()->epoch(op_row(op)->name);
	if (is_to_be_cleaned(op))
		clean_between(op);
	delay(op);
	return plan_room()->state;
}

int
batch_end(tide_batch *b, uint64_t done)
{
	if (!is_open(b)) {
		if (b != NULL && inside_of(b)->open_mark == BATCH_OPEN)
			memset(b, 0, sizeof(*b)); /* the parent's */
		return plan_visit();
	}
	return finish(b, done, false);
}

void
batch_abort(tide_batch *b, int why)
{
	if (!is_open(b))
		return;
	if (why == TIDE_NOMEM)
		plan_refused();
	run_note_fail(b->first, b->n, why != 0 ? why : TIDE_ERROR,
	    why == TIDE_NOMEM ? "no memory" : "given up");
	(void)finish(b, inside_of(b)->done > 0 ? inside_of(b)->done :
	    inside_of(b)->n, why == TIDE_NOMEM);
}
