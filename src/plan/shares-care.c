#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "model/lease.h"
#include "plan/shares-file.h"
#include "plan/shares.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define SWEEP_NS     (100 * NS_PER_MS) /* between looks at who holds leases */
#define SWEEP_ALL_NS (NS_PER_S)        /* and at all members */
#define STARTS_PART  16 /* of those without a lease, in each such look */

/* An audit takes less than 1 ms; who audits and is stopped is not waited for. */
#define AUDIT_NS     (5 * NS_PER_MS)
#define GATE_NS      (20 * NS_PER_MS)
#define GATE_WAIT_NS (20 * UINT64_C(1000))

#define TICKS_A_SECOND 100 /* of a start time, USER_HZ */

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

/* If one is due. */
static void
audit_if_due(struct shares_member *member)
{
	struct shares_head *h = member->pool->head;
	uint64_t repaired = 0;

	if (shares_get32(&h->suspect) == shares_get32(&h->audited) &&
	    shares_get(&h->gate) == 0)
		return;
	if (shares_audit(member, &repaired) == 0)
		(void)shares_add(&h->repaired, repaired / SHARES_UNIT);
}

int
shares_budget_set(struct shares_member *member, uint64_t bytes)
{
	struct shares_head *h = member->pool->head;
	int tries, r = -EAGAIN;

	if (bytes > SHARES_BYTES_MOST)
		return -EINVAL;
	/* Whatever happens now, an audit makes the rest follow. */
	shares_suspect(h);
	shares_put(&h->budget, bytes / SHARES_UNIT);
	for (tries = 0; tries < 8 && r == -EAGAIN; tries++)
		r = shares_audit(member, NULL);
	shares_serve(member);
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

/*
 * Is the owner of slot @index dead?  Who holds a lease is looked at closely;
 * of the others only whether there is one of that number, and now and then
 * whether it is the same.
 */
static int
is_dead(const struct shares *pool, uint32_t index, uint64_t owner, int all,
    uint64_t round)
{
	uint64_t held = shares_get(&pool->slot[index].held);

	if (owner == pool->key)
		return 0;
	if (held_lease(held) > 0 || (owner & OWNER_GIVING) != 0)
		return !shares_is_alive(owner);
	if (!all)
		return 0;
	if (sys_thread_exists(owner_pid(owner)) == -ESRCH)
		return 1;
	return index % STARTS_PART == round % STARTS_PART &&
	    !shares_is_alive(owner);
}

/* --- to make room --------------------------------------------------------- */

static void
wish(struct shares_slot *s, uint32_t what)
{
	(void)__atomic_fetch_or(&s->weight, (uint16_t)(what << WISH_SHIFT),
	    __ATOMIC_SEQ_CST);
	(void)__atomic_fetch_add(&s->bell, 1, __ATOMIC_SEQ_CST);
	sys_wake_shared(&s->bell);
}

/* What a member is to the law, with its slot. */
struct candidate {
	struct lease_member as;
	long index;
};

static int
read_candidate(const struct shares *pool, uint32_t index, struct candidate *c)
{
	const struct shares_slot *s = &pool->slot[index];
	uint64_t owner = shares_get(&s->owner);
	uint64_t base = held_base(shares_get(&s->held));

	if (owner == 0 || (owner & OWNER_GIVING) != 0)
		return 0;
	c->as.started_ns = (uint64_t)(uint32_t)owner *
	    (NS_PER_S / TICKS_A_SECOND);
	c->as.reclaimable = above_u64(base, shares_get32(&s->base_first)) *
	    SHARES_UNIT;
	c->index = (long)index;
	return 1;
}

/*
 * By the law, without an array of all members: it asks for no more of them
 * than the oldest, and the best so far.
 */
static long
find_victim(const struct shares *pool, uint64_t need, uint64_t now,
    uint64_t acted)
{
	struct candidate kept[3], swap;
	struct lease_member as[3];
	size_t count = 0, i;
	uint32_t index;
	long v = -1;

	for (index = 0; index < pool->slots; index++) {
		if (!read_candidate(pool, index, &kept[count]))
			continue;
		if (count > 0 &&
		    kept[count].as.started_ns < kept[0].as.started_ns) {
			swap = kept[0];
			kept[0] = kept[count];
			kept[count] = swap;
		}
		for (i = 0; i <= count; i++)
			as[i] = kept[i].as;
		v = lease_victim(as, count + 1, need, now, acted);
		if (v > 0)
			kept[1] = kept[v];
		count = v > 0 ? 2 : 1;
	}
	return count == 2 ? kept[1].index : -1;
}

static long
find_largest(const struct shares *pool)
{
	struct candidate c;
	uint64_t most = LEASE_WORTH - 1;
	uint32_t index;
	long found = -1;

	for (index = 0; index < pool->slots; index++)
		if (read_candidate(pool, index, &c) &&
		    c.as.reclaimable > most) {
			most = c.as.reclaimable;
			found = c.index;
		}
	return found;
}

/* Bases leave no room for who waits first: first to clean up, then to go. */
static void
make_room(struct shares *pool, uint64_t now)
{
	struct shares_head *h = pool->head;
	uint64_t acted = shares_get(&h->acted_ns), need;
	uint64_t acts = shares_get(&h->acts);
	struct lease_pool view;
	struct lease_ask first;
	long index;

	shares_view(pool, shares_get(&h->word), &view);
	if (!shares_first(pool, now, &first) ||
	    lease_is_possible(&view, first.least)) {
		shares_put(&h->acts, 0);
		return;
	}
	if (acted != 0 && above_u64(now, acted) < LEASE_SETTLE_NS)
		return;
	need = (first.least + view.bases - lease_line(view.budget)) *
	    SHARES_UNIT;
	index = acts == 0 ? find_largest(pool) :
	    find_victim(pool, need, now, acted);
	shares_put(&h->acts, acts + 1);
	if (index < 0)
		return;
	shares_put(&h->acted_ns, now);
	wish(&pool->slot[index], acts == 0 ? SHARES_CLEAN : SHARES_RECYCLE);
}

/* --- to sweep ------------------------------------------------------------- */

/* Whose turn it is: of all who ask, one each @every_ns. */
static int
is_due(uint64_t *last_ns, uint64_t now, uint64_t every_ns)
{
	uint64_t last = shares_get(last_ns);

	return above_u64(now, last) >= every_ns &&
	    shares_swap(last_ns, &last, now);
}

uint32_t
shares_sweep(struct shares_member *member)
{
	struct shares *pool = member->pool;
	struct shares_head *h = pool->head;
	uint64_t now = sys_clock(), owner;
	uint32_t i, found = 0;
	int all;

	if (!is_due(&h->swept_ns, now, SWEEP_NS))
		return 0;
	all = is_due(&h->swept_all_ns, now, SWEEP_ALL_NS);
	for (i = 0; i < pool->slots; i++) {
		owner = shares_get(&pool->slot[i].owner);
		if (owner != 0 && is_dead(pool, i, owner, all,
		    now / SWEEP_ALL_NS))
			found += (uint32_t)shares_bury(member, i, owner);
	}
	audit_if_due(member);
	if (all)
		make_room(pool, now);
	shares_serve(member);
	return found;
}

void
shares_stop(struct shares *pool)
{
	uint32_t i;

	shares_put32(&pool->head->stopped, 1);
	for (i = 0; i < pool->slots; i++)
		if (shares_get(&pool->slot[i].owner) != 0)
			wish(&pool->slot[i], 0);
}

/* --- to look -------------------------------------------------------------- */

uint64_t
shares_leased(const struct shares *pool)
{
	const struct shares_head *h = pool->head;
	int64_t units = (int64_t)shares_get(&h->budget) -
	    word_left(shares_get(&h->word)) - (int64_t)shares_get(&h->bases);

	return units > 0 ? (uint64_t)units * SHARES_UNIT : 0;
}

void
shares_read(const struct shares *pool, struct shares_total *total)
{
	const struct shares_head *h = pool->head;
	uint64_t word = shares_get(&h->word);
	struct shares_row row;
	uint32_t i;

	memset(total, 0, sizeof(*total));
	total->budget = shares_get(&h->budget) * SHARES_UNIT;
	total->set = h->set * SHARES_UNIT;
	total->left = word_left(word) * (int64_t)SHARES_UNIT;
	total->active = word_active(word);
	total->seats = lease_seats(h->cores);
	total->slots = pool->slots;
	total->stopped = shares_get32(&h->stopped);
	total->granted = shares_get(&h->granted);
	total->swept = shares_get(&h->swept);
	total->repaired = shares_get(&h->repaired) * SHARES_UNIT;
	for (i = 0; i < pool->slots; i++) {
		if (!shares_read_row(pool, i, &row))
			continue;
		total->members++;
		total->leases += row.lease;
		total->bases += row.base;
		total->used += row.used;
		total->waiting += row.waiting_ns > 0;
	}
}

int
shares_read_row(const struct shares *pool, uint32_t index,
    struct shares_row *row)
{
	const struct shares_slot *s = &pool->slot[index];
	uint64_t owner = shares_get(&s->owner), held, ask;
	uint16_t weight;
	int tries;

	for (tries = 0; tries < 4; tries++) {
		if (owner == 0 || (owner & OWNER_GIVING) != 0)
			return 0;
		memset(row, 0, sizeof(*row));
		held = shares_get(&s->held);
		ask = shares_get(&s->ask);
		weight = __atomic_load_n(&s->weight, __ATOMIC_SEQ_CST);
		row->pid = owner_pid(owner);
		row->weight = weight & WEIGHT_MASK;
		row->wish = weight >> WISH_SHIFT;
		row->lease = held_lease(held) * SHARES_UNIT;
		row->base = held_base(held) * SHARES_UNIT;
		row->used = shares_get(&s->used);
		row->floor = shares_get32(&s->floor) * SHARES_UNIT;
		row->granted = shares_get32(&s->granted);
		if ((held & HELD_WAIT) != 0) {
			row->least = (ask >> 32) * SHARES_UNIT;
			row->want = (ask & UINT32_MAX) * SHARES_UNIT;
			row->waiting_ns = max_u64(1, above_u64(sys_clock(),
			    shares_get(&s->since_ns)));
		}
		if (shares_get(&s->owner) == owner)
			return 1;
		owner = shares_get(&s->owner);
	}
	return 0;
}

uint32_t
shares_of(const struct shares *pool, int pid, struct shares_row *sum)
{
	struct shares_row row;
	uint32_t i, found = 0;

	memset(sum, 0, sizeof(*sum));
	sum->pid = pid;
	for (i = 0; i < pool->slots; i++) {
		if (owner_pid(shares_get(&pool->slot[i].owner)) != pid ||
		    !shares_read_row(pool, i, &row) || row.pid != pid)
			continue;
		found++;
		sum->weight += row.weight;
		sum->lease += row.lease;
		sum->base += row.base;
		sum->used = max_u64(sum->used, row.used);
		sum->floor += row.floor;
		sum->least += row.least;
		sum->want += row.want;
		sum->waiting_ns = max_u64(sum->waiting_ns, row.waiting_ns);
		sum->granted += row.granted;
		sum->wish |= row.wish;
	}
	return found;
}
