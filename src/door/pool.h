/*
 * pool.h - memory for what ourselves and the dynamic linker allocate while the
 * allocator is not to be called
 *
 * Floor 8 (door).  May use: base.  Used by: interpose.c, asked.
 * Contexts: anywhere, from before the first relocation of others on.
 *
 * Pieces are zeroed, are never given back, and are known by their address.  The
 * word before one looks like that of a block which glibc has mapped by itself:
 * see real_is_mapped(), a reason to look more closely.
 */
#ifndef DOOR_POOL_H
#define DOOR_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

#define POOL_BYTES (4 * MIB)
/* Hidden, and said here: else it is looked up by an address that the dynamic
 * linker has yet to fill in. */
extern char pool[POOL_BYTES] INSIDE;

static inline bool
pool_has(const void *p)
{
	return (uintptr_t)p - (uintptr_t)pool < POOL_BYTES;
}

/* NULL: the pool is used up, or @alignment is absurd. */
void *pool_take(size_t bytes, size_t alignment);

/* The bytes that a piece was taken with. */
size_t pool_size(const void *p);

#endif
