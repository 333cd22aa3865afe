/*
 * pyname.h - the names of Python frames, in the segment
 *
 * Floor 5 (stack).  May use: base, sys, mem, pyframe.  Used by: door.
 * Contexts: as pyframe.h.
 *
 * A code object is gone when the profile is read, so function, file and line
 * of each that is met go into the segment: once for each line, as a row of
 * TABLE_NAMES, which stands for an address in the tree of stacks.
 */
#ifndef STACK_PYNAME_H
#define STACK_PYNAME_H

#include <stdint.h>

#include "base/base.h"
#include "stack/pyframe.h"

/*
 * What stands for a frame in the tree: NODE_NAMED and its row.  0: there is no
 * room for its name, which is counted under lost.text.
 */
uint64_t pyname_of(const struct pyframe *f);

/*
 * What was found out lately, by a key of 64 bits.  Written by any thread, at
 * once; an entry that two have written half each answers to no key.
 */
struct pyname_cache;
#define PYNAME_SITES 16384 /* entries, a power of two */

/* One with @entries, or NULL. */
struct pyname_cache *pyname_cache_open(uint32_t entries);
void pyname_cache_put(struct pyname_cache *cache, uint64_t key,
    uint64_t value);
/* 0: it is not known. */
uint64_t pyname_cache_find(const struct pyname_cache *cache, uint64_t key);
void pyname_cache_clear(struct pyname_cache *cache);

/* Take memory; false: there is none. */
bool pyname_open(void);

/* Forget the parent's rows: a child, just forked. */
void pyname_reset(void);

#endif
