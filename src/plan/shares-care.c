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

#define TICKS_A_SECOND 100 /* of a start time, USER_HZ */

/* --- the account, and the budget ------------------------------------------ */

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
