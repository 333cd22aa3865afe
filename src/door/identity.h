/*
 * identity.h - whose segment it is: process, program, machine, allocator
 *
 * Floor 8 (door).  May use: base, sys, mem, real.  Used by: boot,
 * interpose-lock.
 * Contexts: inside malloc, one thread at a time; the stack may be a small one.
 */
#ifndef DOOR_IDENTITY_H
#define DOOR_IDENTITY_H

#include <stdint.h>

#include "base/base.h"
#include "sys/proc.h"

/* @run: HEAPTIDE_RUN, or "".  In a segment that nobody else knows yet. */
void identity_fill(const struct proc_stat *stat, uint32_t exec_count,
    const char *run);

/* The library itself, from its first page to the last; the linker's names. */
extern const char __ehdr_start[] INSIDE;
extern const char _end[] INSIDE;

#endif
