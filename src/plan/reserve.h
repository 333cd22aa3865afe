/*
 * reserve.h - room that is set aside
 *
 * Floor (plan).  May use: base, model, sys, plan.h, op.h, member.h.  Used by:
 * door, and heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), never inside malloc or a handler.
 *
 * The batches of this process leave it alone; and where the budget is one that
 * many share, it is leased, so that the others do as well.
 */
#ifndef PLAN_RESERVE_H
#define PLAN_RESERVE_H

#include <stdint.h>

/* tide_reserve(), tide_unreserve(). */
int reserve_take(uint64_t least, uint64_t most, int64_t wait_ns,
    uint64_t *got);
void reserve_give(uint64_t bytes);

#endif
