#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "model/lease.h"
#include "plan/shares-file.h"
#include "plan/shares.h"
#include "sys/sys.h"

/*
 * Who grants is whoever has just given something back, or come, or looks after
 * the dead; one at a time is enough, and if it is stopped another takes over:
 * what two do at once is right all the same, only not by the law to the letter.
 */
#define GRANTING_NS (10 * NS_PER_MS)

/* Who looks after all that wait has not been heard of: another is to. */
#define WATCH_OLD_NS (500 * NS_PER_MS)

/* --- the queue ------------------------------------------------------------ */

/*
 * A place is taken by one compare-and-swap, so nobody who dies leaves a gap;
 * `tail` follows, by whoever comes along.
 */
int
shares_push(struct shares *pool, uint32_t index, uint16_t turn,
    uint64_t *ticket)
{
	struct shares_head *h = pool->head;
	uint64_t tail, place, *at;
	int tries;

	for (tries = 0; tries < SHARES_TRIES * 1024; tries++) {
		tail = shares_get(&h->tail);
		at = &pool->ring[tail & pool->ring_mask];
		place = shares_get(at);
		if (place_is_of(place, tail)) {
			(void)shares_swap(&h->tail, &tail, tail + 1);
			continue;
		}
		if (tail - shares_get(&h->head) >= pool->ring_mask)
			return -ENOSPC;
		if (!shares_swap(at, &place, place_of(tail, turn, index)))
			continue;
		*ticket = tail;
		(void)shares_swap(&h->tail, &tail, tail + 1);
		return 0;
	}
	return -ENOSPC;
}

/* The slot that waits at a place of the ring; NULL: not any more. */
static struct shares_slot *
waiter_at(const struct shares *pool, uint64_t ticket, uint32_t *index)
{
	uint64_t place = shares_get(&pool->ring[ticket & pool->ring_mask]);
	struct shares_slot *s;

	*index = place_slot(place);
	if (!place_is_of(place, ticket) || *index >= pool->slots)
		return NULL;
	s = &pool->slot[*index];
	if (__atomic_load_n(&s->turn, __ATOMIC_SEQ_CST) != place_turn(place) ||
	    (shares_get(&s->held) & HELD_WAIT) == 0)
		return NULL;
	return s;
}

int
shares_skip_gone(struct shares *pool)
{
	struct shares_head *h = pool->head;
	uint64_t head = shares_get(&h->head), n;
	uint32_t index;

	for (n = 0; n <= pool->ring_mask; n++) {
		if (head == shares_get(&h->tail))
			return 1;
		if (waiter_at(pool, head, &index) != NULL)
			return 0;
		if (shares_swap(&h->head, &head, head + 1))
			head++;
	}
	return 0;
}

/* --- grants --------------------------------------------------------------- */

void
shares_view(const struct shares *pool, uint64_t word, struct lease_pool *view)
{
	const struct shares_head *h = pool->head;

	view->budget = min_u64(shares_get(&h->budget),
	    SHARES_BYTES_MOST / SHARES_UNIT);
	view->left = word_left(word);
	view->bases = shares_get(&h->bases);
	view->active = word_active(word);
	view->seats = lease_seats(h->cores);
	view->members = shares_get32(&h->members);
	if (view->members > pool->slots)
		view->members = pool->slots;
}

/* The first that wait: what they ask for, and where they are. */
struct window {
	struct lease_ask ask[LEASE_WINDOW];
	uint64_t got[LEASE_WINDOW];
	uint32_t index[LEASE_WINDOW];
	size_t count;
};

static void
ask_of(const struct shares_slot *s, uint64_t now, struct lease_ask *ask)
{
	uint64_t both = shares_get(&s->ask);

	ask->least = max_u64(both >> 32, 1);
	ask->want = max_u64(both & UINT32_MAX, ask->least);
	ask->waited_ns = above_u64(now, shares_get(&s->since_ns));
	ask->weight = __atomic_load_n(&s->weight, __ATOMIC_SEQ_CST) &
	    WEIGHT_MASK;
}

static void
read_window(struct shares *pool, uint64_t now, struct window *w)
{
	uint64_t head, tail, n;
	struct shares_slot *s;
	uint32_t index;

	w->count = 0;
	if (shares_skip_gone(pool))
		return;
	head = shares_get(&pool->head->head);
	tail = shares_get(&pool->head->tail);
	for (n = 0; n < LEASE_REACH && head + n != tail; n++) {
		s = waiter_at(pool, head + n, &index);
		if (s == NULL)
			continue;
		w->index[w->count] = index;
		ask_of(s, now, &w->ask[w->count]);
		if (++w->count == LEASE_WINDOW)
			break;
	}
}

int
shares_first(struct shares *pool, uint64_t now_ns, struct lease_ask *ask)
{
	struct shares_slot *s;
	uint32_t index;

	if (shares_skip_gone(pool))
		return 0;
	s = waiter_at(pool, shares_get(&pool->head->head), &index);
	if (s != NULL)
		ask_of(s, now_ns, ask);
	return s != NULL;
}

static void
ring(struct shares_slot *s)
{
	(void)__atomic_fetch_add(&s->bell, 1, __ATOMIC_SEQ_CST);
	sys_wake_shared(&s->bell);
}

int
shares_take(struct shares *pool, uint64_t *word, uint64_t units)
{
	uint64_t now = word_of(word_left(*word) - (int64_t)units,
	    word_active(*word) + 1, *word);

	if (!shares_swap(&pool->head->word, word, now))
		return 0;
	*word = now;
	return 1;
}

enum handed { HANDED, HANDED_NOT, HANDED_LATE };

/*
 * Hand @units to who waits in slot @index, if all's account is still @word.
 * NOT: it waits no more.  LATE: the account is another by now.
 */
static enum handed
hand(struct shares_member *member, uint32_t index, uint64_t units,
    uint64_t *word)
{
	struct shares *pool = member->pool;
	struct shares_slot *s = &pool->slot[index];
	uint64_t owner = shares_get(&s->owner), held = shares_get(&s->held);
	enum handed result = HANDED_LATE;

	if ((held & HELD_WAIT) == 0)
		return HANDED_NOT;
	/* Whom nobody has buried yet. */
	if (sys_thread_exists(owner_pid(owner)) == -ESRCH) {
		(void)shares_bury(member, index, owner);
		return HANDED_NOT;
	}
	shares_begin(member);
	if (shares_take(pool, word, units)) {
		result = HANDED;
		if (!shares_swap(&s->held, &held,
		    held_of(held_base(held), units))) {
			shares_give(pool, (int64_t)units, 1);
			result = HANDED_NOT;
		}
	}
	shares_end(member);
	if (result == HANDED) {
		(void)shares_add(&pool->head->granted, 1);
		ring(s);
	}
	return result;
}

/* 1: something has changed, or was not to be had in this order; look again. */
static int
grant_once(struct shares_member *member)
{
	struct shares *pool = member->pool;
	uint64_t word = shares_get(&pool->head->word);
	struct lease_pool view;
	struct window w;
	size_t i, granted;
	int again = 0;

	shares_view(pool, word, &view);
	if (view.seats > 0 && view.active >= view.seats)
		return 0;
	read_window(pool, sys_clock(), &w);
	if (w.count == 0)
		return 0;
	granted = lease_grant(&view, w.ask, w.count, w.got);
	for (i = 0; i < w.count; i++) {
		if (w.got[i] == 0)
			continue;
		if (hand(member, w.index[i], min_u64(w.got[i], HELD_MOST),
		    &word) != HANDED) {
			again = 1;
			break;
		}
	}
	return again || (granted > 0 && w.count == LEASE_WINDOW);
}

/* See to it that one of those who wait looks after the dead. */
static void
appoint(struct shares *pool, uint64_t now)
{
	struct shares_head *h = pool->head;
	uint64_t head = shares_get(&h->head), tail = shares_get(&h->tail);
	uint64_t watch = shares_get(&h->watch), n;
	struct shares_slot *s;
	uint32_t index;

	if (head == tail)
		return;
	if (watch - head < tail - head &&
	    above_u64(now, shares_get(&h->watch_ns)) < WATCH_OLD_NS &&
	    waiter_at(pool, watch, &index) != NULL)
		return;
	/* The last has longest to wait. */
	for (n = 1; n <= LEASE_WINDOW && tail - n + 1 != head; n++) {
		s = waiter_at(pool, tail - n, &index);
		if (s == NULL ||
		    sys_thread_exists(owner_pid(shares_get(&s->owner))) ==
		    -ESRCH)
			continue;
		shares_put(&h->watch_ns, now);
		if (shares_swap(&h->watch, &watch, tail - n))
			ring(s);
		return;
	}
}

void
shares_serve(struct shares_member *member)
{
	struct shares_head *h = member->pool->head;
	uint64_t since, now;
	int tries;

	if (shares_get(&h->head) == shares_get(&h->tail))
		return;
	shares_put32(&h->again, 1);
	do {
		now = max_u64(sys_clock(), 1);
		since = shares_get(&h->granting);
		if (since != 0 && above_u64(now, since) < GRANTING_NS)
			return; /* who is at it sees `again` */
		if (!shares_swap(&h->granting, &since, now))
			return;
		for (tries = 0; tries < SHARES_TRIES; tries++) {
			shares_put32(&h->again, 0);
			while (grant_once(member) && tries < SHARES_TRIES)
				tries++;
			if (shares_get32(&h->again) == 0)
				break;
		}
		appoint(member->pool, now);
		(void)shares_swap(&h->granting, &now, 0);
		/* Who came after the last look, and before that store. */
	} while (shares_get32(&h->again) != 0);
}
