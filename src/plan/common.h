/*
 * common.h - what both hosts know of the kernel's side
 *
 * Floor (plan).  May use: base, model, sys, host.h.  Used by: door's host, and
 * that of heaptide.h.
 * Contexts: not from inside malloc; reads /proc and control groups.
 */
#ifndef PLAN_COMMON_H
#define PLAN_COMMON_H

#include <stdint.h>

#include "plan/host.h"

/* RssAnon, RssShmem and VmSwap of this process, and all that is resident. */
int common_memory(struct host_memory *memory);

/* A quarter of that: what is resident, and what of it lies in no file. */
int common_glance(struct host_memory *memory);

/* HEAPTIDE_@name of the environment, as it is now; NULL: not set. */
const char *common_setting(const char *name);

/* The chain of limits, some 100 us. */
int common_limit(uint64_t set_bytes, struct host_limit *limit);

/*
 * The same where somebody outside has given another budget: it goes in place of
 * that in the environment; 0: there is none; TIDE_NONE: nobody has.  What the
 * program sets itself may be below it.
 */
int common_limit_given(uint64_t set_bytes, uint64_t given_bytes,
    struct host_limit *limit);

#endif
