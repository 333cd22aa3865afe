/*
 * shares-file.h - the ledger as it lies in its file, and its words in parts
 *
 * Floor (plan).  May use: base, plan/shares.h.  Used by: plan/shares*.c alone.
 * Contexts: anywhere.
 *
 * The truth is in the slots: what each member holds is one word, `held`.  The
 * head's `word` has what is left of the budget; it follows from the slots, and
 * is the only one that is fought for.  Whoever takes more lowers `left` first
 * and stores `held` then; whoever gives back does it the other way round.  So
 * at every instant
 *
 *	left + sum of held <= budget
 *
 * and who is killed between the two leaves too little, never too much.  That
 * is put right by an audit, which needs an instant at which nobody is between
 * the two: every such pair of steps has `busy` of the own slot set, and begins
 * by a look at `gate`.  tests/model/shares.pml has all of it.
 *
 *	offset         what
 *	0              struct shares_head
 *	4096           the queue: a ring of words, 4 times as many as slots
 *	then           the slots
 */
#ifndef PLAN_SHARES_FILE_H
#define PLAN_SHARES_FILE_H

#include <stddef.h>
#include <stdint.h>

#include "plan/shares.h"

#define SHARES_MAGIC   UINT64_C(0x3165676465727374) /* "tsredge1" */
#define SHARES_VERSION 1
#define SHARES_PAGE    4096

/* Words that many store into have a line of cache each. */
struct shares_head {
	uint64_t magic;
	uint32_t version;
	uint32_t slots;
	uint64_t set;         /* units: the budget as it was made */
	uint64_t name_space;  /* inode of the pid namespace; 0: not known */
	uint32_t cores;
	uint32_t pad0[7];

	uint64_t word;        /* left, active, epoch: see below */
	uint64_t pad1[7];
	uint64_t tail;        /* ticket of the next to come */
	uint64_t pad2[7];
	uint64_t head;        /* of the first that may still wait */
	uint64_t pad3[7];

	uint64_t gate;        /* who audits, and since when; 0: nobody */
	uint64_t budget;      /* units */
	uint64_t bases;       /* units; right after an audit, near it else */
	uint32_t members;     /* the same */
	uint32_t suspect;     /* counts reasons for an audit */
	uint32_t stopped;
	uint32_t again;       /* whoever grants shall look once more */
	uint64_t granting;    /* since when somebody does; 0: nobody */
	uint64_t swept_ns;    /* the last sweep of holders */
	uint64_t swept_all_ns;

	uint64_t watch;       /* the ticket of who looks after the dead */
	uint64_t watch_ns;    /* and when it last did */
	uint64_t acted_ns;    /* a member was asked to make room */
	uint64_t acts;
	uint64_t granted;
	uint64_t swept;
	uint64_t repaired;    /* units */
	uint32_t audited;     /* suspect, as of the last audit that began */
	uint32_t pad4;
};

struct shares_slot {
	uint64_t owner;     /* pid, start; or who is giving back for it */
	uint64_t held;      /* wait, base, lease */
	uint64_t ask;       /* least, want: valid while it waits */
	uint64_t since_ns;  /* when it began to */
	uint64_t used;      /* bytes, as reported */
	uint32_t busy;      /* 1: between two steps that belong together */
	uint32_t bell;      /* futex: counted up for its owner */
	uint32_t floor;     /* units */
	uint32_t base_first; /* units: the base at its first report */
	uint32_t granted;
	uint16_t turn;      /* counts its waits, whoever the owner is */
	uint16_t weight;    /* 14 bits; above them what is wished of it */
};

/* --- head.word: left, 38 bits with a sign | active, 14 | epoch, 12 -------- */

#define WORD_EPOCH_BITS  12
#define WORD_ACTIVE_BITS 14
#define WORD_LEFT_SHIFT  (WORD_EPOCH_BITS + WORD_ACTIVE_BITS)
#define WORD_EPOCH_MASK  ((UINT64_C(1) << WORD_EPOCH_BITS) - 1)
#define WORD_ACTIVE_MASK ((UINT64_C(1) << WORD_ACTIVE_BITS) - 1)

/* How far below 0 `left` may be brought: half of what it can hold. */
#define WORD_DEPTH       (INT64_C(1) << 36)

/* Units; the shift keeps the sign. */
static inline int64_t
word_left(uint64_t word)
{
	return (int64_t)word >> WORD_LEFT_SHIFT;
}

static inline uint32_t
word_active(uint64_t word)
{
	return (uint32_t)((word >> WORD_EPOCH_BITS) & WORD_ACTIVE_MASK);
}

static inline uint64_t
word_of(int64_t left, uint32_t active, uint64_t epoch)
{
	return (uint64_t)left << WORD_LEFT_SHIFT |
	    (uint64_t)(active & WORD_ACTIVE_MASK) << WORD_EPOCH_BITS |
	    (epoch & WORD_EPOCH_MASK);
}

/* --- slot.held: kept, 1 | waits, 1 | base, 31 | lease, 31 ----------------- */

#define HELD_BITS 31
#define HELD_MOST ((UINT64_C(1) << HELD_BITS) - 1)
#define HELD_WAIT (UINT64_C(1) << (2 * HELD_BITS))
#define HELD_KEPT (UINT64_C(1) << 63) /* a lease that takes no seat */

static inline uint64_t
held_lease(uint64_t held)
{
	return held & HELD_MOST;
}

static inline uint64_t
held_base(uint64_t held)
{
	return held >> HELD_BITS & HELD_MOST;
}

/* Does it count as active? */
static inline int
held_seat(uint64_t held)
{
	return held_lease(held) > 0 && (held & HELD_KEPT) == 0;
}

static inline uint64_t
held_of(uint64_t base, uint64_t lease)
{
	return base << HELD_BITS | lease;
}

static inline uint64_t
held_sum(uint64_t held)
{
	return held_base(held) + held_lease(held);
}

/* --- slot.weight ---------------------------------------------------------- */

#define WEIGHT_MASK 0x3fffu
#define WISH_SHIFT  14

/* --- slot.owner: pid, 31 | the low half of its start, in ticks ------------ */

/* A slot whose owner is dead; the rest is who gives back what it held. */
#define OWNER_GIVING UINT64_C(0x8000000000000000)

static inline int
owner_pid(uint64_t owner)
{
	return (int)((owner & ~OWNER_GIVING) >> 32);
}

/* --- the ring: ticket, 34 | turn, 16 | slot, 14 --------------------------- */

#define PLACE_SLOT_BITS   14
#define PLACE_TICKET_BITS 34
#define PLACE_SHIFT       (64 - PLACE_TICKET_BITS)

static inline uint64_t
place_of(uint64_t ticket, uint16_t turn, uint32_t index)
{
	return ticket << PLACE_SHIFT | (uint64_t)turn << PLACE_SLOT_BITS |
	    index;
}

static inline uint32_t
place_slot(uint64_t place)
{
	return (uint32_t)(place & ((UINT64_C(1) << PLACE_SLOT_BITS) - 1));
}

static inline uint16_t
place_turn(uint64_t place)
{
	return (uint16_t)(place >> PLACE_SLOT_BITS);
}

/* Has that ticket's place been taken? */
static inline int
place_is_of(uint64_t place, uint64_t ticket)
{
	return place >> PLACE_SHIFT ==
	    (ticket & ((UINT64_C(1) << PLACE_TICKET_BITS) - 1));
}

/* --- words that others store into: all in one order ----------------------- */

static inline uint64_t
shares_get(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void
shares_put(uint64_t *word, uint64_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

static inline uint64_t
shares_add(uint64_t *word, uint64_t value)
{
	return __atomic_fetch_add(word, value, __ATOMIC_SEQ_CST);
}

/* From @was to @value; if it is not @was, that becomes what it is. */
static inline int
shares_swap(uint64_t *word, uint64_t *was, uint64_t value)
{
	return __atomic_compare_exchange_n(word, was, value, 0,
	    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

static inline uint32_t
shares_get32(const uint32_t *word)
{
	return __atomic_load_n(word, __ATOMIC_SEQ_CST);
}

static inline void
shares_put32(uint32_t *word, uint32_t value)
{
	__atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

/* --- between the files of this module ------------------------------------- */

struct lease_pool;
struct lease_ask;

static inline struct shares_slot *
shares_slot_of(const struct shares_member *member)
{
	return &member->pool->slot[member->index];
}

static inline void
shares_suspect(struct shares_head *head)
{
	(void)__atomic_fetch_add(&head->suspect, 1, __ATOMIC_SEQ_CST);
}

/* Times to try again what another was quicker at, before others see to it. */
#define SHARES_TRIES 64

/* shares-gate.c */

/* Whole units, rounded up; more than there can be of a slot becomes that. */
uint64_t shares_units(uint64_t bytes);

/*
 * Around two steps that belong together, and nothing that takes time: while
 * somebody audits, begin waits until it is done, or for 20 ms.
 */
void shares_begin(struct shares_member *member);
void shares_end(struct shares_member *member);

/* Give so much back to all, between begin and end; @leases: 1 or 0 that end. */
void shares_give(struct shares *pool, int64_t units, uint32_t leases);

/* False for who is a zombie, or another of the same number. */
int shares_is_alive(uint64_t owner);

/* Give back what the dead owner @owner held in slot @index; 1: it did. */
int shares_bury(struct shares_member *member, uint32_t index, uint64_t owner);

/* shares-queue.c */

/* Slot @index waits from now on, at @ticket.  0; -ENOSPC: the ring is full. */
int shares_push(struct shares *pool, uint32_t index, uint16_t turn,
    uint64_t *ticket);

/* Past those at the head who wait no more; 1: the queue is empty. */
int shares_skip_gone(struct shares *pool);

/* Of a pool, at @word, as the law sees it. */
void shares_view(const struct shares *pool, uint64_t word,
    struct lease_pool *view);

/* What the first in the queue asks for; 0: there is none. */
int shares_first(struct shares *pool, uint64_t now_ns, struct lease_ask *ask);

/*
 * Take from all's account, for one that gets a lease.  0: @word was not it any
 * more, and is what it is now.
 */
int shares_take(struct shares *pool, uint64_t *word, uint64_t units);

/* Give leases to those who wait, if it is their turn. */
void shares_serve(struct shares_member *member);

#endif
