/*
 * shares.h - one budget for many processes: leases in a file that all map
 *
 * Floor (plan).  May use: base, model, sys.  Used by: plan, heaptide.h, tools.
 * Contexts: not inside malloc, but nothing here allocates, errno is left
 * alone, and but for shares_acquire() nothing waits (a few ms at most, if
 * somebody died in the middle of an audit).  A member is used by one thread at
 * a time; a process may have several.
 *
 * Whoever is about to do a batch acquires a lease, and releases it at the end.
 * Who gets how much is the law of model/lease.h.  What is promised, whoever is
 * killed at whatever instruction:
 *
 *  S1  All leases and bases together are never above the budget, but for what
 *      members report as their own (shares_used()), and when it is lowered.
 *  S2  What the dead held is back within some 100 ms if anybody waits, and
 *      nothing is lost for good.
 *  S3  Who waits is served in the order of the queue, or passed at most 256
 *      times and for 2 s.
 *  S4  Nobody waits while it holds a lease, so there is no circle; every wait
 *      has an end.  A process that has several members sees to it itself.
 *
 * Amounts are bytes in this face, and whole pages of SHARES_UNIT beneath.
 *
 * Limits: all members must be in one pid namespace (others are refused), and
 * are of one user.  Who of that user truncates the file ends those that have
 * it mapped; damaged contents make for wrong amounts, and for no fault.
 */
#ifndef PLAN_SHARES_H
#define PLAN_SHARES_H

#include <stddef.h>
#include <stdint.h>

#define SHARES_UNIT       UINT64_C(4096)
#define SHARES_SLOTS_MOST 16383 /* members of a pool */
#define SHARES_BYTES_MOST (UINT64_C(1) << 47) /* of a budget, 128 TiB */
#define SHARES_WEIGHT_MOST 16383

struct shares_head;
struct shares_slot;

/* A ledger as this process has it mapped.  Zero: not open. */
struct shares {
	struct shares_head *head;
	uint64_t *ring;
	struct shares_slot *slot;
	uint64_t key;    /* this process, as owner of a slot */
	size_t bytes;    /* mapped */
	uint32_t slots;
	uint32_t ring_mask;
	int can_write;
};

/* Zero: not joined. */
struct shares_member {
	struct shares *pool;
	uint32_t index;
};

/* --- a ledger ------------------------------------------------------------- */

/* Of a ledger with so many slots. */
size_t shares_bytes(uint32_t slots);

/*
 * Write a new ledger.  @budget: bytes; @cores: members that hold a lease at one
 * time, 0: any number; @slots: 1 to SHARES_SLOTS_MOST.
 *
 * Return: 0; -EINVAL: a value out of range; -EEXIST: there is one; what the
 * kernel said.
 */
int shares_create(const char *path, uint64_t budget, uint32_t cores,
    uint32_t slots);

/* The same in zeroed memory of shares_bytes(): for the threads of a process. */
int shares_format(void *at, uint64_t budget, uint32_t cores, uint32_t slots);

/*
 * Map one.  @write 0: to look only.  Return: 0; -EBADMSG: it is no ledger, is
 * not finished, or of another version; -EACCES: it is another user's, or others
 * may write to it; -EXDEV: made in another pid namespace; what the kernel said.
 */
int shares_open(struct shares *pool, const char *path, int write);

/* Use one in memory, made by shares_format(). */
int shares_use(struct shares *pool, void *at);

void shares_close(struct shares *pool);

/* In a child that was forked: what the parent has joined is the parent's. */
void shares_in_child(struct shares *pool);

/* --- a member ------------------------------------------------------------- */

/*
 * @weight: 1 to SHARES_WEIGHT_MOST, its part of what is left over; @floor:
 * bytes that it cannot do with less of, for who looks.  @afresh: what this very
 * process had joined before (it has executed another program since) is given
 * back.
 *
 * Return: 0; -EINVAL; -ENOSPC: all slots are taken; -ESHUTDOWN: the pool
 * was stopped; -EROFS: it was opened to look.
 */
int shares_join(struct shares *pool, uint32_t weight, uint64_t floor,
    int afresh, struct shares_member *member);

/* Gives everything back. */
void shares_leave(struct shares_member *member);

/*
 * Wait up to @wait_ns (0: not at all; UINT64_MAX: for ever) for at least
 * @least and at best @want bytes.  @got: bytes, from @least to @want, each
 * rounded up to units.
 *
 * Return: 0; -ETIMEDOUT, with @wait_ns 0 -EAGAIN; -E2BIG: it is more than the
 * budget can ever give; -EDEADLK: it holds a lease already; -EINVAL: 0, or
 * @least above @want; -ESHUTDOWN: the pool was stopped.
 */
int shares_acquire(struct shares_member *member, uint64_t least,
    uint64_t want, uint64_t wait_ns, uint64_t *got);

/* So much more, now or not: 0; -EAGAIN; -EINVAL: it holds none. */
int shares_extend(struct shares_member *member, uint64_t more);

/* Give back all of the lease but @keep bytes, which are fewer. */
void shares_shrink(struct shares_member *member, uint64_t keep);

/* It is held without a seat from now on: it is no batch that needs a core. */
void shares_keep(struct shares_member *member);

/*
 * The batch has ended.  @base: bytes that the process uses now, without it;
 * UINT64_MAX: as before.
 */
void shares_release(struct shares_member *member, uint64_t base);

/* What the process uses.  Without a lease it is its base, and counts. */
void shares_used(struct shares_member *member, uint64_t bytes);

uint64_t shares_lease(const struct shares_member *member);

/* What the others need of this member; told until it is taken. */
enum {
	SHARES_CLEAN = 1,  /* it holds much: clean up */
	SHARES_RECYCLE = 2 /* it should checkpoint, end, and start afresh */
};
int shares_wish(struct shares_member *member);

/* --- care: members do it while they wait, a broker all the time ----------- */

/*
 * Give back what the dead held, at most ten times a second whoever calls; where
 * bases leave no room for who waits longest, ask a member to make some.
 * Return: members found dead.
 */
uint32_t shares_sweep(struct shares_member *member);

/*
 * Count what is held anew: left = budget - sum.  0; -EAGAIN: somebody is
 * stopped in the middle of a step, or another is at it.  @repaired: bytes that
 * had been lost; may be NULL.
 */
int shares_audit(struct shares_member *member, uint64_t *repaired);

/* What is held beyond a smaller budget goes back as batches end. */
int shares_budget_set(struct shares_member *member, uint64_t bytes);

/* All who wait are told -ESHUTDOWN, and so are all who ask from now on. */
void shares_stop(struct shares *pool);

/* --- to look -------------------------------------------------------------- */

/* What is leased now by all of them; near it, while it changes. */
uint64_t shares_leased(const struct shares *pool);

struct shares_total {
	uint64_t budget;
	uint64_t set;      /* the budget as it was made */
	int64_t left;
	uint64_t leases, bases, used;
	uint32_t active, seats, members, waiting, slots;
	uint32_t stopped;
	uint64_t granted;  /* leases, so far */
	uint64_t swept;    /* members that died */
	uint64_t repaired; /* bytes, by audits */
};

struct shares_row {
	int pid;
	uint32_t weight;
	uint64_t lease, base, used, floor;
	uint64_t least, want;  /* what it waits for */
	uint64_t waiting_ns;   /* 0: it does not */
	uint64_t granted;      /* leases, so far */
	int wish;
};

void shares_read(const struct shares *pool, struct shares_total *total);

/* That of slot @index; 0: nobody has it. */
int shares_read_row(const struct shares *pool, uint32_t index,
    struct shares_row *row);

#endif
