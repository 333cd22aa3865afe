/*
 * lease.h - who gets how much of a budget that many have in common
 *
 * Floor 1 (model).  May use: base.  Used by: plan/shares, heaptide.h, tools.
 * Contexts: pure functions; no clock, no I/O, no state; anywhere.
 *
 * Whoever is about to do a batch asks for a lease: at least what one item
 * takes, at best what makes the batch no faster if it had more.  All asks wait
 * in one queue.  Amounts are in any unit, as long as it is the same in all of
 * a call (the ledger counts pages), and below 2^48.
 *
 * The law, and what it is against:
 *
 *	the line   leases end at 95 % of the budget: the rest is for batches
 *	           that take more than was thought, see lease_extend()
 *	seats      so many hold a lease as there are cores: what a batch holds
 *	           that cannot run is waste (in equal shares 10,000 processes
 *	           come to 20 % of what a machine can do)
 *	elastic    who asks takes a fair part rather than to wait for all it
 *	           wants, but not less: who takes crumbs is slow for good
 *	bypass     who asks for less may go first, until the head of the queue
 *	           has waited LEASE_AGE_NS; from then on all that is given back is
 *	           kept for it, so nobody starves
 *
 * doc/pool.md has what each is worth.
 */
#ifndef MODEL_LEASE_H
#define MODEL_LEASE_H

#include <stddef.h>
#include <stdint.h>

/* After so long at the head of the queue nobody goes first any more. */
#define LEASE_AGE_NS UINT64_C(2000000000)

/* The least that recycling a member has to bring. */
#define LEASE_WORTH (UINT64_C(64) << 20)

/* How long to wait for what a recycled member gives back. */
#define LEASE_SETTLE_NS UINT64_C(15000000000)

/*
 * How far into the queue one looks: at so many that wait, and past no more
 * places than that.  So the head is passed at most LEASE_REACH times.
 */
#define LEASE_WINDOW 32
#define LEASE_REACH  256

#define LEASE_WEIGHT_MOST 65535

/* What there is in common. */
struct lease_pool {
	uint64_t budget;
	int64_t left;    /* not held by anybody; below 0: there was more once */
	uint64_t bases;  /* held by members apart from batches */
	uint32_t active; /* members that hold a lease */
	uint32_t seats;  /* that may; 0: any number */
	uint32_t members;
};

/* What one wants.  least <= want. */
struct lease_ask {
	uint64_t least;
	uint64_t want;
	uint64_t waited_ns;
	uint32_t weight; /* of what is left over: 1 to LEASE_WEIGHT_MOST */
};

/* Up to where leases are given. */
uint64_t lease_line(uint64_t budget);

/* How many may hold one, on so many cores; 0 of 0: any number. */
uint32_t lease_seats(uint32_t cores);

/* What everybody in a seat could have, if all had the same. */
uint64_t lease_fair(const struct lease_pool *pool);

/* Can there ever be so much, with the members' bases as they are? */
int lease_is_possible(const struct lease_pool *pool, uint64_t least);

/*
 * What each of @count that wait, in the order of the queue, gets now; 0: it
 * waits on.  Return: how many get something.
 */
size_t lease_grant(const struct lease_pool *pool, const struct lease_ask *ask,
    size_t count, uint64_t *granted);

/*
 * How much of @more a member gets beside the lease that it holds: all or
 * nothing, beyond the line if need be.  @head: who waits first, or NULL; once
 * it is of age, what is left is kept for it.
 */
uint64_t lease_extend(const struct lease_pool *pool,
    const struct lease_ask *head, uint64_t more);

/* A member that could be started afresh to make room.  Bytes. */
struct lease_member {
	uint64_t started_ns;
	uint64_t reclaimable; /* what it holds now and would not hold then */
};

/*
 * Whom to recycle if @need bytes are missing for the least of batches: the
 * youngest that it is worth it of, never the oldest, so that somebody always
 * comes to an end; and none before what the last brought has shown.
 * @acted_ns: when that was, 0: never.  Return: its index; -1: nobody.
 */
long lease_victim(const struct lease_member *member, size_t count,
    uint64_t need, uint64_t now_ns, uint64_t acted_ns);

/*
 * Between what and what one of @active operations of a process may reserve of
 * the @room that they have together: a half of an equal part is sure, more
 * than an equal part none has, and one item always goes.  (The band of Spark's
 * ExecutionMemoryPool.)
 */
struct lease_band {
	uint64_t least;
	uint64_t most;
};

struct lease_band lease_band(uint64_t room, uint32_t active,
    uint64_t one_item);

#endif
