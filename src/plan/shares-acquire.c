#include "plan/shares.h"

#include <errno.h>

#include "base/base.h"
#include "model/lease.h"
#include "plan/shares-file.h"
#include "sys/sys.h"

/* Of who waits: how often it looks whether it has been forgotten. */
#define POLL_NEAR_NS (NS_PER_S)
#define POLL_FAR_NS  (5 * NS_PER_S)
#define NEAR         1024 /* places from the head */

/* And of the one that looks after all of them. */
#define WATCH_NS     (100 * NS_PER_MS)

/* Without a queue there is no need of one. */
static int
acquire_at_once(struct shares_member *member, const struct lease_ask *ask,
    uint64_t *units)
{
	struct shares *pool = member->pool;
	struct shares_slot *s = shares_slot_of(member);
	uint64_t word = shares_get(&pool->head->word), base;
	struct lease_pool view;
	int tries, done = 0;

	for (tries = 0; tries < SHARES_TRIES && !done; tries++) {
		if (shares_get(&pool->head->head) !=
		    shares_get(&pool->head->tail) && !shares_skip_gone(pool))
			return 0;
		shares_view(pool, word, &view);
		if (lease_grant(&view, ask, 1, units) == 0)
			return 0;
		*units = min_u64(*units, HELD_MOST);
		shares_begin(member);
		if (shares_take(pool, &word, *units)) {
			base = held_base(shares_get(&s->held));
			shares_put(&s->held, held_of(base, *units));
			done = 1;
		}
		shares_end(member);
	}
	if (done)
		(void)shares_add(&pool->head->granted, 1);
	return done;
}

static int
start_waiting(struct shares_member *member, const struct lease_ask *ask,
    uint64_t now, uint64_t *ticket)
{
	struct shares_slot *s = shares_slot_of(member);
	uint64_t held = shares_get(&s->held);
	uint16_t turn;

	shares_put(&s->ask, ask->least << 32 | min_u64(ask->want, HELD_MOST));
	shares_put(&s->since_ns, now);
	turn = (uint16_t)(__atomic_add_fetch(&s->turn, 1, __ATOMIC_SEQ_CST));
	shares_put(&s->held, held | HELD_WAIT);
	if (shares_push(member->pool, member->index, turn, ticket) == 0)
		return 0;
	/* Nobody knows of it, so nobody has granted anything. */
	shares_put(&s->held, held);
	return -ENOSPC;
}

/* 1: it waits no more; 0: a lease has just come. */
static int
stop_waiting(struct shares_member *member)
{
	struct shares_slot *s = shares_slot_of(member);
	uint64_t held = shares_get(&s->held);

	return (held & HELD_WAIT) != 0 &&
	    shares_swap(&s->held, &held, held_of(held_base(held), 0));
}

/* How long to sleep, with @left until the end. */
static uint64_t
pause_of(struct shares *pool, uint64_t ticket, uint64_t left)
{
	struct shares_head *h = pool->head;
	uint64_t poll = POLL_FAR_NS;

	if (shares_get(&h->watch) == ticket)
		poll = WATCH_NS;
	else if (ticket - shares_get(&h->head) < NEAR)
		poll = POLL_NEAR_NS;
	return min_u64(poll, left);
}

/* In the queue until it is granted, it is too late, or the pool is stopped. */
static int
wait_turn(struct shares_member *member, uint64_t ticket, uint64_t now,
    uint64_t until)
{
	struct shares_head *h = member->pool->head;
	struct shares_slot *s = shares_slot_of(member);
	uint32_t bell;
	int r;

	for (;;) {
		r = 0;
		bell = shares_get32(&s->bell);
		if ((shares_get(&s->held) & HELD_WAIT) == 0)
			return 0;
		if (shares_get32(&h->stopped))
			r = -ESHUTDOWN;
		else if (now >= until)
			r = -ETIMEDOUT;
		if (r < 0)
			break;
		r = sys_wait_shared(&s->bell, bell,
		    pause_of(member->pool, ticket, until - now));
		now = sys_clock();
		if (r == -ETIMEDOUT) {
			/* Nobody has come: look after who cannot. */
			if (shares_get(&h->watch) == ticket)
				shares_put(&h->watch_ns, now);
			(void)shares_sweep(member);
			shares_serve(member);
		}
		/* Who may not ask the kernel cannot wait either. */
		if (r == -EPERM)
			until = 0;
	}
	if (!stop_waiting(member))
		return 0;
	/* It may have been the one that all others were held up for. */
	shares_serve(member);
	return r;
}

static int
check_ask(struct shares_member *member, uint64_t least, uint64_t want,
    struct lease_ask *ask)
{
	struct shares *pool = member->pool;
	struct shares_slot *s = shares_slot_of(member);

	if (least == 0 || least > want)
		return -EINVAL;
	if (held_lease(shares_get(&s->held)) > 0)
		return -EDEADLK;
	if (shares_get32(&pool->head->stopped))
		return -ESHUTDOWN;
	ask->least = shares_units(least);
	ask->want = shares_units(want);
	ask->waited_ns = 0;
	ask->weight = __atomic_load_n(&s->weight, __ATOMIC_SEQ_CST) &
	    WEIGHT_MASK;
	if (ask->least > lease_line(shares_get(&pool->head->budget)))
		return -E2BIG;
	return 0;
}

static int
acquire(struct shares_member *member, const struct lease_ask *ask,
    uint64_t wait_ns, uint64_t *units)
{
	struct shares_slot *s = shares_slot_of(member);
	uint64_t now, until, ticket = 0;
	int r;

	if (acquire_at_once(member, ask, units))
		return 0;
	(void)shares_sweep(member);
	if (wait_ns == 0)
		return acquire_at_once(member, ask, units) ? 0 : -EAGAIN;
	now = sys_clock();
	until = wait_ns > UINT64_MAX - now ? UINT64_MAX : now + wait_ns;
	do {
		r = start_waiting(member, ask, now, &ticket);
		if (r < 0) {
			/* A ring full of those who went: until the head goes. */
			sys_sleep(min_u64(NS_PER_MS, until - now));
		} else {
			shares_serve(member);
			r = wait_turn(member, ticket, now, until);
		}
		now = sys_clock();
	} while (r == -ENOSPC && now < until);
	if (r < 0)
		return r == -ENOSPC ? -ETIMEDOUT : r;
	*units = held_lease(shares_get(&s->held));
	return 0;
}

int
shares_acquire(struct shares_member *member, uint64_t least, uint64_t want,
    uint64_t wait_ns, uint64_t *got)
{
	struct shares_slot *s = shares_slot_of(member);
	struct lease_ask ask;
	uint64_t units = 0;
	int r = check_ask(member, least, want, &ask);

	while (r == 0) {
		r = acquire(member, &ask, wait_ns, &units);
		/*
		 * Less than it needs: granted to who had this slot before, by
		 * one who was stopped since.
		 */
		if (r < 0 || units >= ask.least)
			break;
		shares_release(member, UINT64_MAX);
	}
	if (r < 0)
		return r;
	(void)__atomic_fetch_add(&s->granted, 1, __ATOMIC_RELAXED);
	*got = units * SHARES_UNIT;
	return 0;
}

int
shares_extend(struct shares_member *member, uint64_t more)
{
	struct shares *pool = member->pool;
	struct shares_slot *s = shares_slot_of(member);
	uint64_t held = shares_get(&s->held), units = shares_units(more);
	uint64_t word = shares_get(&pool->head->word), now;
	struct lease_pool view;
	struct lease_ask first;
	int tries, waits, r = -EAGAIN;

	if (held_lease(held) == 0 || held_lease(held) + units > HELD_MOST)
		return -EINVAL;
	waits = shares_get(&pool->head->head) !=
	    shares_get(&pool->head->tail) &&
	    shares_first(pool, sys_clock(), &first);
	shares_begin(member);
	for (tries = 0; tries < SHARES_TRIES && r == -EAGAIN; tries++) {
		shares_view(pool, word, &view);
		if (lease_extend(&view, waits ? &first : NULL, units) < units)
			break;
		now = word_of(word_left(word) - (int64_t)units,
		    word_active(word), word);
		if (!shares_swap(&pool->head->word, &word, now))
			continue;
		shares_put(&s->held, held + units);
		r = 0;
	}
	shares_end(member);
	return r;
}
