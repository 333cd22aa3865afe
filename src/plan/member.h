/*
 * member.h - this process as a member of a budget that many share
 *
 * Floor (plan).  May use: base, model, sys, shares.h, settings.h, host.h.  Used
 * by: batch, guard, plan, and heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), without plan_lock().  Only
 * member_acquire() waits; so a thread that holds a lease already does not let it
 * wait for long, or members would wait for each other.
 *
 * $HEAPTIDE_POOL names it: a path, or a name in the directory of `heaptide
 * pool`.  Each batch under way holds a lease of its own; what the process uses
 * without any is told with the first of them.
 */
#ifndef PLAN_MEMBER_H
#define PLAN_MEMBER_H

#include <stdbool.h>
#include <stdint.h>

struct plan_host;

/* Leases at one time: batches, and what tide_reserve() has taken. */
#define MEMBERS 17

/* Join what is named, if any is. */
void member_begin(const struct plan_host *host);
bool member_is_in(void);

/*
 * A lease of @least to @want bytes, waiting up to @wait_ns (-1: for as long as
 * it takes).  @which: for the functions below.
 *
 * Return: 0; -ETIMEDOUT; -ENOMEM: the budget can never give it; -ESHUTDOWN;
 * -ENOSPC: MEMBERS are under way.
 */
int member_acquire(uint64_t least, uint64_t want, int64_t wait_ns,
    uint64_t *got, uint32_t *which);

/* It is for no batch, and takes nobody's seat. */
void member_keep(uint32_t which);

/* So much more, now or not: 0, -EAGAIN. */
int member_extend(uint32_t which, uint64_t more);
void member_shrink(uint32_t which, uint64_t keep);

/* @base: bytes that the process uses without it; UINT64_MAX: as before. */
void member_release(uint32_t which, uint64_t base);

/* What the process uses, while it holds no lease. */
void member_used(uint64_t bytes);

/* Bytes of all leases. */
uint64_t member_lease(void);

/* Do other members of the pool hold leases? */
bool member_others(void);

/* What others need of us: SHARES_CLEAN, SHARES_RECYCLE; 0. */
int member_wish(void);

void member_in_child(void);

#endif
