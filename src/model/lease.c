#include "model/lease.h"

#include "base/base.h"

/* One of 20 is not given out: 5 %. */
#define RESERVE_PART 20

uint64_t
lease_line(uint64_t budget)
{
	return budget - budget / RESERVE_PART;
}

uint32_t
lease_seats(uint32_t cores)
{
	return cores;
}

/* Of the line, what is not the members' own. */
static uint64_t
elastic(const struct lease_pool *pool)
{
	uint64_t line = lease_line(pool->budget);

	return above_u64(line, pool->bases);
}

/* What can be given out now. */
static uint64_t
room_of(const struct lease_pool *pool)
{
	int64_t room = pool->left -
	    (int64_t)(pool->budget - lease_line(pool->budget));

	return room > 0 ? (uint64_t)room : 0;
}

uint64_t
lease_fair(const struct lease_pool *pool)
{
	uint32_t parts = pool->members;

	if (pool->seats > 0 && pool->seats < parts)
		parts = pool->seats;
	return elastic(pool) / (parts > 0 ? parts : 1);
}

int
lease_is_possible(const struct lease_pool *pool, uint64_t least)
{
	return least <= elastic(pool);
}

static uint64_t
weight_of(const struct lease_ask *ask)
{
	if (ask->weight == 0)
		return 1;
	return min_u64(ask->weight, LEASE_WEIGHT_MOST);
}

/*
 * What is left over, to those who got something, by weight, up to what they
 * want.
 */
static void
fill(const struct lease_ask *ask, size_t count, uint64_t room,
    uint64_t *granted)
{
	uint64_t part, weights, given;
	size_t i;

	do {
		weights = 0;
		for (i = 0; i < count; i++)
			if (granted[i] > 0 && granted[i] < ask[i].want)
				weights += weight_of(&ask[i]);
		given = 0;
		for (i = 0; i < count && weights > 0; i++) {
			if (granted[i] == 0 || granted[i] >= ask[i].want)
				continue;
			/* 2^48 times 2^16: it does not overflow. */
			part = min_u64(room * weight_of(&ask[i]) / weights,
			    ask[i].want - granted[i]);
			granted[i] += part;
			given += part;
		}
		room -= given;
		/* Less than one a member is no more worth a round. */
	} while (given > count);
}

/* Seats that members may still come for, with @got more in theirs. */
static uint64_t
to_come(const struct lease_pool *pool, uint64_t got)
{
	uint64_t parts = pool->members;

	if (pool->seats > 0 && pool->seats < parts)
		parts = pool->seats;
	return above_u64(parts, pool->active + got);
}

size_t
lease_grant(const struct lease_pool *pool, const struct lease_ask *ask,
    size_t count, uint64_t *granted)
{
	uint64_t room = room_of(pool), fair = lease_fair(pool), need;
	uint32_t seats = UINT32_MAX;
	size_t i, got = 0, waiting = 0;

	if (pool->seats > 0)
		seats = pool->seats > pool->active ?
		    pool->seats - pool->active : 0;
	for (i = 0; i < count; i++)
		granted[i] = 0;
	for (i = 0; i < count && seats > 0; i++) {
		need = max_u64(ask[i].least, min_u64(ask[i].want, fair));
		/*
		 * With all leases back there is no more to wait for.  Members'
		 * bases may leave less than what was fair.
		 */
		if (pool->active == 0 && got == 0)
			need = min_u64(need, max_u64(ask[i].least, room));
		if (need <= room && need > 0) {
			granted[i] = need;
			room -= need;
			seats--;
			got++;
			continue;
		}
		/* What cannot be had in any case does not hold up the rest. */
		if (!lease_is_possible(pool, ask[i].least))
			continue;
		if (waiting++ == 0 && ask[i].waited_ns >= LEASE_AGE_NS)
			break;
	}
	/* What is too little for one who waits is being saved up for it. */
	if (waiting == 0)
		fill(ask, count, above_u64(room, fair * to_come(pool, got)),
		    granted);
	return got;
}

uint64_t
lease_extend(const struct lease_pool *pool, const struct lease_ask *head,
    uint64_t more)
{
	if (head != NULL && head->waited_ns >= LEASE_AGE_NS &&
	    lease_is_possible(pool, head->least))
		return 0;
	return pool->left > 0 && (uint64_t)pool->left >= more ? more : 0;
}

long
lease_victim(const struct lease_member *member, size_t count, uint64_t need,
    uint64_t now_ns, uint64_t acted_ns)
{
	uint64_t worth = max_u64(LEASE_WORTH, need / 10);
	size_t i, oldest = 0;
	long victim = -1;

	if (need == 0 || count == 0)
		return -1;
	if (acted_ns != 0 && now_ns - acted_ns < LEASE_SETTLE_NS)
		return -1;
	for (i = 1; i < count; i++)
		if (member[i].started_ns < member[oldest].started_ns)
			oldest = i;
	for (i = 0; i < count; i++)
		if (i != oldest && member[i].reclaimable >= worth &&
		    (victim < 0 || member[i].started_ns >
		    member[victim].started_ns))
			victim = (long)i;
	return victim;
}

struct lease_band
lease_band(uint64_t room, uint32_t active, uint64_t one_item)
{
	uint32_t n = active > 0 ? active : 1;
	struct lease_band band;

	band.least = max_u64(one_item, room / (2 * (uint64_t)n));
	band.most = max_u64(band.least, room / n);
	return band;
}
