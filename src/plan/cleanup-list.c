/*
 * cleanup-list.c - see cleanup-list.h, and the registry of cleanup.h
 */
#include "plan/cleanup-list.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/room.h"
#include "base/text.h"
#include "plan/cleanup.h"
#include "plan/message.h"
#include "plan/plan.h"
#include "sys/sys.h"

#define BACK_OFF_MOST  64
#define DROP_WAIT_NS   NS_PER_S

struct cleanup_entry {
	int id;            /* 0: the row is free */
	int cls, prio;
	unsigned flags;
	struct cleanup_thread thread; /* that registered it */
	tide_clean_fn fn;
	void *ctx;
	uint32_t inside;   /* number of the run that is in it; 0: none */
	uint32_t seen;     /* number of the last run that thought of it */
	uint32_t wish;     /* the last that it was called for */
	bool dropped;      /* it goes once nobody is inside */
	struct cleanup_rest rest;
	uint64_t calls;
	/* What it brought, in what time: of all calls, each half of the next. */
	double bytes, ns;
	char name[TIDE_NAME_ROOM];
};

static struct {
	struct cleanup_entry entry[CLEANUPS_MOST];
	int last_id;
	uint32_t last_number;
	/* Who is at it. */
	uint32_t number;        /* 0: nobody */
	struct cleanup_thread thread;
	const struct cleanup_turn *turn; /* in that thread's stack */
	uint64_t since_ns;      /* it called, or returned from, a callback */
} list;

/* --- who it is ------------------------------------------------------------ */

static struct cleanup_thread
this_thread(void)
{
	struct cleanup_thread t;

	t.tid = sys_tid();
	t.self = &errno;
	return t;
}

static bool
is_same(struct cleanup_thread a, struct cleanup_thread b)
{
	return a.self == b.self && (a.tid == b.tid || a.tid < 0 || b.tid < 0);
}

static bool
has_ended(struct cleanup_thread t)
{
	return t.tid == 0 || (t.tid > 0 && sys_thread_exists(t.tid) == -ESRCH);
}

/* --- who rests ------------------------------------------------------------ */

bool
cleanup_rests(struct cleanup_rest *r, bool forced)
{
	if (r->skip == 0)
		return false;
	r->skip--;
	return !forced;
}

void
cleanup_rest(struct cleanup_rest *r, bool little)
{
	if (!little)
		r->back_off = 0;
	else if (r->back_off < BACK_OFF_MOST)
		r->back_off = r->back_off == 0 ? 1 : 2 * r->back_off;
	r->skip = r->back_off;
}

/* --- who is at it --------------------------------------------------------- */

static uint64_t
mark_of(const struct cleanup_turn *t, uint32_t number)
{
	return mix_u64((uintptr_t)t + number);
}

/*
 * Has who was at it gone away without a word?  A frame that is above ours is
 * still there, unless what was in it is not: a jump went past it, and others
 * have stood there since.
 */
static bool
is_over(const struct cleanup_turn *mine, uint64_t now_ns)
{
	uintptr_t frame = (uintptr_t)list.turn;

	if (above_u64(now_ns, list.since_ns) >= CLEANUP_PATIENCE_NS)
		return true;
	if (!is_same(list.thread, mine->thread))
		return has_ended(list.thread);
	if (frame <= (uintptr_t)mine)
		return true;
	/* Of a stack that is gone, or where the kernel may not be asked, time
	 * will tell. */
	return sys_is_readable(list.turn) &&
	    __atomic_load_n(&list.turn->mark, __ATOMIC_RELAXED) !=
	    mark_of(list.turn, list.number);
}

/* Somebody may look for it who wonders why it is not called. */
static void
say_lost(const char *name)
{
	char line[MESSAGE_ROOM];
	struct text t;

	text_open(&t, line, sizeof(line));
	text_put(&t, "Cleanup '");
	text_put(&t, name);
	text_put(&t, "' did not return; going on without it");
	plan_say(line);
}

/* Nobody is inside of what that run called; under the lock. */
static void
give_up(char name[TIDE_NAME_ROOM])
{
	struct cleanup_entry *e = list.entry;

	for (; e < list.entry + CLEANUPS_MOST; e++) {
		if (e->inside == 0)
			continue;
		memcpy(name, e->name, TIDE_NAME_ROOM);
		e->inside = 0;
		e->calls++;
		e->ns += 1;
		cleanup_rest(&e->rest, true);
		if (e->dropped)
			e->id = 0;
	}
	list.number = 0;
}

int
cleanup_list_enter(struct cleanup_turn *t)
{
	char lost[TIDE_NAME_ROOM] = "";
	uint64_t now_ns = sys_clock();
	bool busy;

	t->thread = this_thread();
	plan_lock();
	if (list.number != 0 && is_over(t, now_ns))
		give_up(lost);
	busy = list.number != 0;
	if (!busy) {
		if (++list.last_number == 0)
			list.last_number = 1;
		t->number = list.last_number;
		__atomic_store_n(&t->mark, mark_of(t, t->number),
		    __ATOMIC_RELAXED);
		list.number = t->number;
		list.thread = t->thread;
		list.turn = t;
		list.since_ns = now_ns;
	}
	plan_unlock();
	if (lost[0] != '\0')
		say_lost(lost);
	return busy ? -EBUSY : 0;
}

static bool
is_at_it(const struct cleanup_turn *t)
{
	return list.number == t->number;
}

void
cleanup_list_leave(struct cleanup_turn *t)
{
	plan_lock();
	if (is_at_it(t))
		list.number = 0;
	plan_unlock();
	__atomic_store_n(&t->mark, 0, __ATOMIC_RELAXED);
}

/* --- who is next ---------------------------------------------------------- */

/* Is @a to be called before @b? */
static bool
is_before(const struct cleanup_entry *a, const struct cleanup_entry *b)
{
	double left = a->bytes * b->ns, right = b->bytes * a->ns;

	if (a->cls != b->cls)
		return a->cls < b->cls;
	if ((a->calls == 0) != (b->calls == 0))
		return a->calls == 0;
	if (a->calls != 0 && left != right)
		return left > right;
	return a->prio != b->prio ? a->prio > b->prio : a->id < b->id;
}

static bool
is_asked(const struct cleanup_entry *e, int cls_most, uint32_t wish)
{
	return e->id != 0 && !e->dropped && e->cls <= cls_most &&
	    (wish == 0 || e->wish != wish);
}

static bool
is_callable(const struct cleanup_entry *e, struct cleanup_thread t)
{
	return (e->flags & TIDE_ANY_THREAD) != 0 || is_same(e->thread, t);
}

int
cleanup_list_whose(int cls_most, uint32_t wish)
{
	struct cleanup_thread me = this_thread();
	const struct cleanup_entry *e = list.entry;
	int whose = 0;

	plan_lock();
	for (; e < list.entry + CLEANUPS_MOST; e++) {
		if (!is_asked(e, cls_most, wish))
			continue;
		if (is_callable(e, me))
			whose |= CLEANUP_MINE;
		else if ((whose & CLEANUP_OTHERS) == 0 &&
		    !has_ended(e->thread))
			whose |= CLEANUP_OTHERS;
	}
	plan_unlock();
	return whose;
}

static bool
is_for(const struct cleanup_turn *t, const struct cleanup_entry *e)
{
	return is_asked(e, t->cls_most, t->wish) && e->inside == 0 &&
	    e->seen != t->number && is_callable(e, t->thread);
}

/* The next; NULL: there is none. */
static struct cleanup_entry *
choose(const struct cleanup_turn *t)
{
	struct cleanup_entry *best = NULL, *e = list.entry;

	for (; e < list.entry + CLEANUPS_MOST; e++) {
		if (!is_for(t, e))
			continue;
		if (cleanup_rests(&e->rest, t->forced))
			e->seen = t->number;
		else if (best == NULL || is_before(e, best))
			best = e;
	}
	return best;
}

int
cleanup_list_next(const struct cleanup_turn *t, struct cleanup_call *call)
{
	struct cleanup_entry *e;
	bool goes_on;

	plan_lock();
	goes_on = is_at_it(t);
	e = goes_on ? choose(t) : NULL;
	if (e != NULL) {
		e->seen = e->inside = t->number;
		e->wish = t->wish;
		call->fn = e->fn;
		call->ctx = e->ctx;
		call->id = e->id;
		call->row = (int)(e - list.entry);
		list.since_ns = sys_clock();
	}
	plan_unlock();
	return e != NULL ? 1 : goes_on ? 0 : -EBUSY;
}

bool
cleanup_list_returned(const struct cleanup_turn *t,
    const struct cleanup_call *call, uint64_t gain, uint64_t ns, bool little)
{
	struct cleanup_entry *e = &list.entry[call->row];
	bool goes_on;

	plan_lock();
	goes_on = is_at_it(t);
	if (goes_on)
		list.since_ns = sys_clock();
	if (e->id == call->id && e->inside == t->number) {
		e->inside = 0;
		e->calls++;
		e->bytes = e->bytes / 2 + (double)gain;
		e->ns = e->ns / 2 + (double)max_u64(ns, 1);
		cleanup_rest(&e->rest, little);
		if (e->dropped)
			e->id = 0;
	}
	plan_unlock();
	return goes_on;
}

/* --- the registry --------------------------------------------------------- */

static struct cleanup_entry *
find(int id)
{
	struct cleanup_entry *e = list.entry;

	while (e < list.entry + CLEANUPS_MOST && e->id != id)
		e++;
	return e < list.entry + CLEANUPS_MOST ? e : NULL;
}

/*
 * A row for another; NULL: all are taken.  Those of threads that have ended are
 * no use to anybody.
 */
static struct cleanup_entry *
find_row(void)
{
	struct cleanup_entry *e = find(0);

	if (e != NULL)
		return e;
	for (e = list.entry; e < list.entry + CLEANUPS_MOST; e++)
		if (e->inside == 0 && (e->flags & TIDE_ANY_THREAD) == 0 &&
		    has_ended(e->thread))
			return e;
	return NULL;
}

/* The next that nobody has; they are not used up in a lifetime. */
static int
next_id(void)
{
	do
		list.last_id = list.last_id < INT32_MAX ?
		    list.last_id + 1 : 1;
	while (find(list.last_id) != NULL);
	return list.last_id;
}

int
cleanup_add(tide_clean_fn fn, void *ctx, int cls, int prio, unsigned flags,
    const char *name)
{
	struct cleanup_entry *e;
	size_t length = name != NULL ? strlen(name) : 0;
	struct cleanup_thread thread = this_thread();
	int id = -ENOSPC;

	if (fn == NULL || cls < TIDE_CLEAN_COMPACT ||
	    cls > TIDE_CLEAN_DESTRUCTIVE ||
	    (flags & ~(unsigned)TIDE_ANY_THREAD) != 0)
		return -EINVAL;
	plan_lock();
	e = find_row();
	if (e != NULL) {
		id = next_id();
		memset(e, 0, sizeof(*e));
		e->fn = fn;
		e->ctx = ctx;
		e->cls = cls;
		e->prio = prio;
		e->flags = flags;
		e->thread = thread;
		/* A run that goes on now does not wait for the end of them. */
		e->seen = list.number;
		if (length > 0)
			memcpy(e->name, name, min_u64(length,
			    sizeof(e->name) - 1));
		e->id = id;
	}
	plan_unlock();
	return id;
}

/*
 * Is another thread inside of it?  If not, it is gone; if so, it will not be
 * called again.  Under the lock.
 */
static bool
is_held(struct cleanup_entry *e, struct cleanup_thread me)
{
	e->dropped = true;
	if (e->inside != 0 && e->inside == list.number &&
	    !is_same(list.thread, me) && !has_ended(list.thread))
		return true;
	e->id = 0;
	return false;
}

int
cleanup_drop(int id)
{
	struct cleanup_entry *e;
	struct cleanup_thread me = this_thread();
	uint64_t since_ns = 0, now_ns = 0;
	bool held, first = true;

	do {
		if (!first)
			sys_yield();
		plan_lock();
		e = id > 0 ? find(id) : NULL;
		if (e == NULL || (first && e->dropped)) {
			plan_unlock();
			return first ? -ENOENT : 0;
		}
		held = is_held(e, me);
		plan_unlock();
		now_ns = held ? sys_clock() : 0;
		if (first)
			since_ns = now_ns;
		first = false;
	} while (held && now_ns - since_ns < DROP_WAIT_NS);
	return held ? -EBUSY : 0;
}

/* --- children ------------------------------------------------------------- */

void
cleanup_list_in_child(void)
{
	struct cleanup_entry *e = list.entry;
	int tid = sys_tid();

	for (; e < list.entry + CLEANUPS_MOST; e++) {
		if (e->id == 0)
			continue;
		/* 0 is that of one that has ended. */
		e->thread.tid = e->thread.self == &errno ? tid : 0;
		e->inside = 0;
		e->wish = 0;
		if (e->dropped)
			e->id = 0;
	}
	list.number = 0;
}
