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

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "stack/pyframe.h"

/*
 * What stands for a frame in the tree: NODE_NAMED and its row.  0: there is no
 * room for its name, which is counted under lost.text.
 */
uint64_t pyname_of(struct pyframe *f);

/*
 * What was found out lately, by a key of 64 bits.  Written by any thread, at
 * once; an entry that two have written half each answers to no key.
 */
struct pyname_cache {
	uint64_t mask;
	struct {
		_Atomic uint64_t value;
		_Atomic uint64_t check; /* the key, and the value: by XOR */
	} entry[];
};

/* One with @entries, a power of two, or NULL. */
struct pyname_cache *pyname_cache_open(uint32_t entries);
void pyname_cache_put(struct pyname_cache *cache, uint64_t key,
    uint64_t value);
void pyname_cache_clear(struct pyname_cache *cache);

/* 0: it is not known. */
static HOT uint64_t
pyname_cache_find(const struct pyname_cache *cache, uint64_t key)
{
	uint64_t i = key & cache->mask;
	uint64_t check = atomic_load_explicit(&cache->entry[i].check,
	    memory_order_acquire);
	uint64_t value = atomic_load_explicit(&cache->entry[i].value,
	    memory_order_relaxed);

	return (check ^ value) == key ? value : 0;
}

/* Take memory; false: there is none. */
bool pyname_open(void);

/* Forget the parent's rows: a child, just forked. */
void pyname_reset(void);

#endif
