#include "plan/cleanup.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/base.h"
#include "base/room.h"
#include "model/states.h"
#include "plan/cleanup-list.h"
#include "plan/host.h"
#include "plan/message.h"
#include "plan/plan.h"
#include "plan/refault.h"
#include "plan/settings.h"
#include "sys/sys.h"

#define LITTLE_PART    100 /* of what is wanted */
#define RETAINED_PART  10  /* of the budget */
#define MARGIN_PART    50
/* Unless the room tells. */
#define WARN_MILLE     ((uint64_t)(1000 * STATES_WARN_FROM))

/* A look at memory. */
struct cleanup_look {
	struct host_heap heap;
	struct host_memory memory;
	bool counts; /* the heap is known */
	bool sees;   /* memory is known */
	uint64_t at_ns;
};

struct cleanup_pass {
	struct cleanup_turn turn;
	int level;          /* as callbacks are told */
	bool said;          /* that it has begun */
	bool lost;          /* another has gone on in our place */
	bool purged;
	uint64_t by_purge;  /* bytes returned */
	uint64_t want, gained;
	struct cleanup_look first, last;
	tide_reclaim_result sum;
};

static struct {
	struct cleanup_rest purge;
	uint32_t wish;   /* of room->cleanups_wanted, that is carried out */
	int wish_level;
} cleanup;

/* --- looking -------------------------------------------------------------- */

static void
look(struct cleanup_look *l)
{
	const struct plan_host *host = plan_host();

	memset(l, 0, sizeof(*l));
	l->counts = host != NULL && host->heap != NULL &&
	    host->heap(&l->heap);
	l->sees = host != NULL && host->memory(&l->memory) == 0;
	l->at_ns = sys_clock();
}

static uint64_t
fallen(int64_t by)
{
	return by > 0 ? (uint64_t)by : 0;
}

/* What lies between two looks, the first of them before a callback. */
static uint64_t
freed_between(const struct cleanup_look *a, const struct cleanup_look *b,
    uint64_t said)
{
	uint64_t mine;

	if (!a->counts || !b->counts)
		return a->sees ? min_u64(said, a->memory.used) : said;
	mine = fallen(a->heap.thread - b->heap.thread);
	return mine > 0 ? mine : above_u64(a->heap.bytes, b->heap.bytes);
}

static uint64_t
returned_between(const struct cleanup_look *a, const struct cleanup_look *b)
{
	return a->sees && b->sees ?
	    above_u64(a->memory.resident, b->memory.resident) : 0;
}

/* --- a run ---------------------------------------------------------------- */

static bool
is_little(const struct cleanup_pass *p, uint64_t gain)
{
	return p->want == TIDE_NONE ? gain < sys_page_bytes() :
	    gain < p->want / LITTLE_PART;
}

static void
begin_to_say(struct cleanup_pass *p)
{
	char line[MESSAGE_ROOM];

	if (!p->said && p->level >= TIDE_CRITICAL)
		plan_say(message_forcing(line, sizeof(line)));
	p->said = true;
}

/* False: there is no more to be called. */
static bool
call_next(struct cleanup_pass *p)
{
	struct cleanup_look before;
	struct cleanup_call call;
	uint64_t want = p->want == TIDE_NONE ? TIDE_NONE : p->want - p->gained;
	uint64_t said, freed, gain, since_ns;
	int r = cleanup_list_next(&p->turn, &call);

	p->lost = r < 0;
	if (r <= 0)
		return false;
	begin_to_say(p);
	before = p->last;
	since_ns = sys_clock();
	said = call.fn(call.ctx, p->level, want);
	look(&p->last);
	freed = freed_between(&before, &p->last, said);
	gain = max_u64(freed, returned_between(&before, &p->last));
	p->sum.freed += freed;
	p->sum.callbacks++;
	p->gained += gain;
	p->lost = !cleanup_list_returned(&p->turn, &call, gain,
	    p->last.at_ns - since_ns, is_little(p, gain));
	return !p->lost;
}

/* Is there so much that is free in the allocator, and so little else? */
static bool
purge_pays(const struct cleanup_pass *p)
{
	const struct tide_room *room = plan_room();
	uint64_t used, budget, warn;

	if (room == NULL || !p->last.sees || !p->last.counts)
		return false;
	budget = __atomic_load_n(&room->budget, __ATOMIC_RELAXED);
	used = max_u64(__atomic_load_n(&room->used, __ATOMIC_RELAXED),
	    p->last.memory.used);
	warn = room->warn_mille != 0 ? room->warn_mille : WARN_MILLE;
	return budget != TIDE_NONE &&
	    above_u64(p->last.memory.used, p->last.heap.bytes) >
	    budget / RETAINED_PART && used > budget / 1000 * warn;
}

static void
let_rest(bool little)
{
	plan_lock();
	cleanup_rest(&cleanup.purge, little);
	plan_unlock();
}

/* What is wanted and has not gone back yet; unless somebody asks for that very
 * number a little more, or used would stay where it is a line. */
static uint64_t
still_needed(const struct cleanup_pass *p)
{
	const struct tide_room *room = plan_room();
	uint64_t need = above_u64(p->want, returned_between(&p->first,
	    &p->last));

	if (p->want == TIDE_NONE)
		return TIDE_NONE;
	if (need > 0 && !p->turn.forced && room != NULL)
		need += __atomic_load_n(&room->budget, __ATOMIC_RELAXED) /
		    MARGIN_PART;
	return need;
}

static void
purge(struct cleanup_pass *p)
{
	const struct plan_host *host = plan_host();
	struct cleanup_look before = p->last;
	uint64_t need = still_needed(p);
	bool rested;

	if (host == NULL || host->purge == NULL || need == 0 ||
	    (!p->turn.forced && !purge_pays(p)))
		return;
	plan_lock();
	rested = cleanup_rests(&cleanup.purge, p->turn.forced);
	plan_unlock();
	if (rested)
		return;
	begin_to_say(p);
	if (!host->purge(need))
		return;
	p->purged = true;
	look(&p->last);
	p->by_purge = returned_between(&before, &p->last);
	/* Else the bill says. */
	if (is_little(p, p->by_purge))
		let_rest(true);
}

static void
add(uint64_t *to, uint64_t n)
{
	__atomic_fetch_add(to, n, __ATOMIC_RELAXED);
}

/* What it came to, for the room, the bill and the caller. */
static void
settle(struct cleanup_pass *p)
{
	struct tide_room *room = plan_room();
	struct refault bill;
	char line[MESSAGE_ROOM];

	p->sum.returned = returned_between(&p->first, &p->last);
	p->sum.time_ns = p->last.at_ns - p->first.at_ns;
	if (p->first.counts && p->last.counts)
		p->sum.blocks = above_u64(p->first.heap.blocks,
		    p->last.heap.blocks);
	if (p->sum.callbacks == 0 && !p->purged)
		return;
	if (p->last.sees) {
		memset(&bill, 0, sizeof(bill));
		bill.freed = p->sum.freed;
		bill.returned = p->sum.returned;
		bill.purged = p->by_purge;
		bill.time_ns = p->sum.time_ns;
		refault_note(&bill, p->last.memory.faults);
	}
	if (room != NULL) {
		add(&room->cleanups, 1);
		add(&room->cleanup_bytes, p->sum.freed);
		add(&room->cleanup_returned, p->sum.returned);
		add(&room->cleanup_ns, p->sum.time_ns);
	}
	if (p->level >= TIDE_CRITICAL || p->sum.freed > 0)
		plan_say(message_cleanup(line, sizeof(line), p->sum.blocks,
		    p->sum.freed, p->last.sees ? p->last.memory.used :
		    p->last.heap.bytes));
}

static void
run(struct cleanup_pass *p, unsigned flags)
{
	bool more = (flags & TIDE_NO_CALLBACKS) == 0;

	look(&p->first);
	p->last = p->first;
	while (more && p->gained < p->want)
		more = call_next(p);
	if (!p->lost && (flags & TIDE_NO_PURGE) == 0)
		purge(p);
	settle(p);
}

/* The last class that is asked at each level. */
static const int cls_most[] = { -1, TIDE_CLEAN_COMPACT, TIDE_CLEAN_IDLE,
	TIDE_CLEAN_DESTRUCTIVE };

/* What callbacks are told, and which of them are asked. */
static void
set_level(struct cleanup_pass *p, int level, unsigned flags)
{
	p->turn.forced = (flags & (TIDE_FORCE_RECLAIM | TIDE_EMERGENCY)) != 0;
	if (p->turn.forced && level == TIDE_OK)
		level = TIDE_CRITICAL;
	if ((flags & TIDE_EMERGENCY) != 0)
		level = TIDE_EXHAUSTED;
	p->level = level;
	p->turn.cls_most = cls_most[level];
}

/* What somebody has set that cleanups may not do: reclaim.steps. */
static unsigned
left_out(void)
{
	return (settings_has("RECLAIM", "callbacks") ? 0 :
	    (unsigned)TIDE_NO_CALLBACKS) | (settings_has("RECLAIM", "purge") ||
	    settings_has("RECLAIM", "trim") ? 0 : (unsigned)TIDE_NO_PURGE);
}

/* For @wish, or 0; arguments are right. */
static int
run_for(uint32_t wish, int level, unsigned flags, uint64_t want,
    tide_reclaim_result *out)
{
	const struct tide_room *room = plan_room();
	struct cleanup_pass p;
	int error = errno;
	int r;

	flags |= left_out();
	memset(&p, 0, sizeof(p));
	p.want = want == 0 ? TIDE_NONE : want;
	p.turn.wish = wish;
	set_level(&p, level, flags);
	r = cleanup_list_enter(&p.turn);
	if (r == 0) {
		run(&p, flags);
		cleanup_list_leave(&p.turn);
		*out = p.sum;
		out->state = room == NULL ? 0 : (uint32_t)__atomic_load_n(
		    &room->state, __ATOMIC_RELAXED);
	}
	errno = error;
	return r;
}

int
cleanup_run(int level, unsigned flags, uint64_t want,
    tide_reclaim_result *out)
{
	const unsigned known = TIDE_FORCE_RECLAIM | TIDE_EMERGENCY |
	    TIDE_NO_CALLBACKS | TIDE_NO_PURGE;
	tide_reclaim_result sum;
	int r = -EINVAL;

	memset(&sum, 0, sizeof(sum));
	if (level >= TIDE_OK && level <= TIDE_EXHAUSTED &&
	    (flags & ~known) == 0)
		r = run_for(0, level, flags, want, &sum);
	if (out != NULL)
		*out = sum;
	return r;
}

bool
cleanup_is_ours(int level)
{
	int whose = cleanup_list_whose(cls_most[level & 3], 0);

	return (whose & CLEANUP_MINE) != 0 || whose == 0;
}

/* --- for who is outside --------------------------------------------------- */

/*
 * A wish is that of all threads with callbacks: each calls its own when it comes
 * by, and there is no more to do when they have.  Who comes first purges, and so
 * does each that has called something.
 */

static uint32_t
load(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static int
wish_whose(void)
{
	return cleanup_list_whose(cls_most[cleanup.wish_level],
	    cleanup.wish);
}

bool
cleanup_is_wanted(void)
{
	const struct tide_room *room = plan_room();
	uint32_t wanted;
	int whose;

	if (room == NULL)
		return false;
	wanted = load(&room->cleanups_wanted);
	if (wanted == load(&room->cleanups_done))
		return false;
	if (wanted != load(&cleanup.wish))
		return true;
	whose = wish_whose();
	return (whose & CLEANUP_MINE) != 0 || whose == 0;
}

/* The first who comes by: what it is to be. */
static void
begin_wish(struct tide_room *room, uint32_t wanted)
{
	uint32_t level = load(&room->cleanup_level);

	cleanup.wish_level = level != 0 && level <= TIDE_EXHAUSTED ?
	    (int)level : room->state > TIDE_CRITICAL ? TIDE_EXHAUSTED :
	    TIDE_CRITICAL;
	/* Another may want more meanwhile: that stays. */
	(void)__atomic_compare_exchange_n(&room->cleanup_level, &level, 0,
	    false, __ATOMIC_RELAXED, __ATOMIC_RELAXED);
	room->wish_callbacks = 0;
	room->wish_freed = room->wish_blocks = 0;
	room->wish_returned = room->wish_ns = 0;
	__atomic_store_n(&cleanup.wish, wanted, __ATOMIC_RELEASE);
}

void
cleanup_wish(void)
{
	struct tide_room *room = plan_room();
	tide_reclaim_result sum;
	uint32_t wanted;

	if (!cleanup_is_wanted())
		return;
	plan_lock();
	wanted = load(&room->cleanups_wanted);
	if (wanted != cleanup.wish)
		begin_wish(room, wanted);
	plan_unlock();
	/* Else who is at it now comes by again. */
	if (run_for(wanted, cleanup.wish_level, TIDE_FORCE_RECLAIM, 0, &sum) <
	    0)
		return;
	plan_lock();
	if (wanted == cleanup.wish) {
		room->wish_callbacks += sum.callbacks;
		room->wish_freed += sum.freed;
		room->wish_blocks += sum.blocks;
		room->wish_returned += sum.returned;
		room->wish_ns += sum.time_ns;
	}
	plan_unlock();
	if (wanted == load(&cleanup.wish) && wish_whose() == 0)
		__atomic_store_n(&room->cleanups_done, wanted,
		    __ATOMIC_RELEASE);
}

/* --- what it cost afterwards ---------------------------------------------- */

void
cleanup_bill(void)
{
	struct tide_room *room = plan_room();
	char line[MESSAGE_ROOM];
	struct cleanup_look now;
	struct refault bill;
	int error = errno;

	if (!refault_is_due())
		return;
	look(&now);
	if (now.sees) {
		refault_take(&bill, now.memory.faults);
		/* What is all taken back was not worth its time. */
		if (bill.purged > bill.returned / 2)
			let_rest(bill.pages >
			    bill.returned / sys_page_bytes() / 2);
		if (room != NULL)
			add(&room->refault_ns, bill.cost_ns);
		if (bill.freed > 0 || bill.returned > 0)
			plan_say(message_freed_at(line, sizeof(line),
			    bill.freed, bill.returned, bill.time_ns,
			    bill.cost_ns));
	}
	errno = error;
}

/* --- children ------------------------------------------------------------- */

void
cleanup_in_child(void)
{
	cleanup_list_in_child();
	refault_in_child();
	cleanup.wish = 0;
}
