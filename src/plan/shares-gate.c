/*
 * shares-gate.c - two steps that belong together, and what is left of them by
 * who died in between
 */
#include "plan/shares-file.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "plan/shares.h"
#include "sys/proc.h"
#include "sys/sys.h"

/* An audit takes less than 1 ms; who audits and is stopped is not waited for. */
#define AUDIT_NS     (5 * NS_PER_MS)
#define GATE_NS      (20 * NS_PER_MS)
#define GATE_WAIT_NS (20 * UINT64_C(1000))

/* --- what all have -------------------------------------------------------- */

uint64_t
shares_units(uint64_t bytes)
{
	uint64_t units = bytes / SHARES_UNIT + (bytes % SHARES_UNIT != 0);

	return min_u64(units, HELD_MOST);
}

void
shares_give(struct shares *pool, int64_t units, uint32_t leases)
{
	uint64_t was = shares_get(&pool->head->word), now;
	uint32_t active;

	do {
		active = word_active(was);
		now = word_of(word_left(was) + units,
		    active > leases ? active - leases : 0, was);
	} while (!shares_swap(&pool->head->word, &was, now));
}

/* --- who lives ------------------------------------------------------------ */

/*
 * A process that is being killed is a zombie by its first thread while others
 * may still be on their way out.
 */
int
shares_is_alive(uint64_t owner)
{
	struct proc_stat stat;
	int r = proc_stat_read(owner_pid(owner), &stat);

	if (r < 0)
		return r != -ESRCH && r != -ENOENT;
	if ((uint32_t)stat.ticks != (uint32_t)owner)
		return 0;
	return (stat.state != 'Z' && stat.state != 'X') || stat.threads > 1;
}

/* --- the gate ------------------------------------------------------------- */

/* Since when, and which slot's: no two audits have the same. */
static uint64_t
gate_of(uint64_t now, uint32_t index)
{
	return (now & ~(uint64_t)SHARES_SLOTS_MOST) | index;
}

static int
gate_is_old(uint64_t gate, uint64_t now)
{
	return above_u64(now, gate & ~(uint64_t)SHARES_SLOTS_MOST) > GATE_NS;
}

/* What the audit behind the gate has found is void by another epoch. */
static void
revoke(struct shares *pool, uint64_t gate)
{
	uint64_t was = shares_get(&pool->head->word);

	while (!shares_swap(&pool->head->word, &was,
	    word_of(word_left(was), word_active(was), was + 1)))
		;
	shares_suspect(pool->head);
	(void)shares_swap(&pool->head->gate, &gate, 0);
}

static void
wait_gate(struct shares *pool, uint64_t gate)
{
	while (shares_get(&pool->head->gate) == gate) {
		if (gate_is_old(gate, sys_clock()))
			revoke(pool, gate);
		else
			sys_sleep(GATE_WAIT_NS);
	}
}

void
shares_begin(struct shares_member *member)
{
	struct shares_slot *s = shares_slot_of(member);
	uint64_t gate;

	/* Either the audit sees that we are busy, or we see its gate. */
	for (;;) {
		shares_put32(&s->busy, 1);
		gate = shares_get(&member->pool->head->gate);
		if (LIKELY(gate == 0))
			return;
		shares_put32(&s->busy, 0);
		wait_gate(member->pool, gate);
	}
}

void
shares_end(struct shares_member *member)
{
	__atomic_store_n(&shares_slot_of(member)->busy, 0, __ATOMIC_RELEASE);
}

/* --- an audit ------------------------------------------------------------- */

/* What is held, at an instant when nobody is between two steps. */
struct count {
	uint64_t held, bases;
	uint32_t active, members;
};

/* 0: somebody who lives does not get on. */
static int
quiesce(const struct shares *pool, uint64_t until)
{
	const struct shares_slot *s;
	uint64_t owner;
	uint32_t i;

	for (i = 0; i < pool->slots; i++) {
		s = &pool->slot[i];
		while (shares_get32(&s->busy)) {
			owner = shares_get(&s->owner);
			if (owner == 0 || (owner & OWNER_GIVING) != 0 ||
			    !shares_is_alive(owner))
				break;
			if (sys_clock() > until)
				return 0;
			sys_yield();
		}
	}
	return 1;
}

static void
count_all(const struct shares *pool, struct count *c)
{
	uint64_t held;
	uint32_t i;

	memset(c, 0, sizeof(*c));
	for (i = 0; i < pool->slots; i++) {
		if (shares_get(&pool->slot[i].owner) == 0)
			continue;
		held = shares_get(&pool->slot[i].held);
		c->held += held_sum(held);
		c->bases += held_base(held);
		c->active += (uint32_t)held_seat(held);
		c->members++;
	}
}

/* Behind the gate; @first: the word before it was shut. */
static int
put_right(struct shares *pool, uint64_t first, uint64_t *repaired)
{
	struct shares_head *h = pool->head;
	struct count c;
	uint64_t word;
	int64_t left;

	count_all(pool, &c);
	word = shares_get(&h->word);
	if (((word ^ first) & WORD_EPOCH_MASK) != 0)
		return -EAGAIN;
	left = (int64_t)shares_get(&h->budget) - (int64_t)c.held;
	if (!shares_swap(&h->word, &word, word_of(left, c.active, word + 1)))
		return -EAGAIN;
	shares_put(&h->bases, c.bases);
	shares_put32(&h->members, c.members);
	*repaired = left > word_left(word) ?
	    (uint64_t)(left - word_left(word)) : 0;
	return 0;
}

/* Only ever forward: one that was stopped here may be behind another. */
static void
note_audit(struct shares_head *h, uint32_t reasons)
{
	uint32_t was = shares_get32(&h->audited);

	while ((int32_t)(reasons - was) > 0 &&
	    !__atomic_compare_exchange_n(&h->audited, &was, reasons, 0,
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
		;
}

int
shares_audit(struct shares_member *member, uint64_t *repaired)
{
	struct shares *pool = member->pool;
	struct shares_head *h = pool->head;
	uint64_t now = sys_clock(), none = 0, word, units = 0;
	uint64_t gate = gate_of(now, member->index);
	uint32_t reasons;
	int r = -EAGAIN;

	/* Before there is a gate that somebody could lift. */
	reasons = shares_get32(&h->suspect);
	word = shares_get(&h->word);
	if (!shares_swap(&h->gate, &none, gate)) {
		if (gate_is_old(none, now))
			revoke(pool, none);
		return -EAGAIN;
	}
	if (quiesce(pool, now + AUDIT_NS))
		r = put_right(pool, word, &units);
	if (r == 0)
		note_audit(h, reasons);
	(void)shares_swap(&h->gate, &gate, 0);
	if (r == 0 && repaired != NULL)
		*repaired = units * SHARES_UNIT;
	return r;
}

/* --- the dead ------------------------------------------------------------- */

int
shares_bury(struct shares_member *member, uint32_t index, uint64_t owner)
{
	struct shares *pool = member->pool;
	struct shares_head *h = pool->head;
	struct shares_slot *s = &pool->slot[index];
	uint64_t mine = OWNER_GIVING | pool->key, held;
	uint32_t was_busy;

	/*
	 * One buries.  Who dies at it is found by the same look, and until
	 * then the slot is nobody's, so what is left of it is not another's.
	 */
	if (owner == 0 || !shares_swap(&s->owner, &owner, mine))
		return 0;
	was_busy = shares_get32(&s->busy);
	if (was_busy || (owner & OWNER_GIVING) != 0)
		shares_suspect(h);
	shares_begin(member);
	held = __atomic_exchange_n(&s->held, 0, __ATOMIC_SEQ_CST);
	shares_give(pool, (int64_t)held_sum(held),
	    (uint32_t)held_seat(held));
	shares_end(member);
	shares_put32(&s->busy, 0);
	(void)shares_add(&h->bases, 0 - held_base(held));
	(void)__atomic_fetch_sub(&h->members, 1, __ATOMIC_SEQ_CST);
	(void)shares_add(&h->swept, 1);
	(void)shares_swap(&s->owner, &mine, 0);
	return 1;
}
