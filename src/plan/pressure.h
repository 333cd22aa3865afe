/*
 * pressure.h - a descriptor that tells of the state; pages that are given back
 *
 * Floor (plan).  May use: base, sys, plan.h.  Used by: plan, door, and
 * heaptide.h, of which it is a part: C99 and C++.
 * Contexts: as told with each function.  errno is left alone.
 */
#ifndef PLAN_PRESSURE_H
#define PLAN_PRESSURE_H

#include <stddef.h>
#include <stdint.h>

/*
 * A descriptor for poll(): it can be read once the state has changed, and until
 * it has been read empty; each change is a byte, the new state (TIDE_OK ...).
 * The same for all callers of a process, who do not close it; it is made at the
 * first call, is not inherited by programs that are executed, and nobody waits
 * at it (O_NONBLOCK).  A child that was forked asks again and gets its own.
 *
 * At safe points.  Return: the descriptor, or a negative errno value: -EMFILE
 * and its kin, -EPERM: the program has forbidden itself system calls.
 */
int pressure_fd(void);

/*
 * The state is @state from now on.  Some us once somebody has asked for the
 * descriptor, and a load before.  Inside malloc, in signal handlers.
 */
void pressure_notify(int state);

/*
 * Give back to the system the pages that lie whole in the @bytes from @p on,
 * and never a part of one.  What is in them becomes zero, or, where a file is
 * mapped, what the file has.  What was never touched costs nothing.
 *
 * Anywhere.  Return: bytes of these pages, 0 if there is none; -EINVAL: @p is
 * NULL and @bytes is not 0, or they reach beyond the end of memory; what the
 * kernel says (-ENOMEM: something there is not mapped, -EINVAL: it is locked).
 */
int64_t release_pages(void *p, size_t bytes);

#endif
