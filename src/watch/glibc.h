/*
 * glibc.h - the shapes of glibc's malloc that are not in its headers
 *
 * Floor 6 (watch), below heapwalk.  May use: base.  Used by: heapwalk, roots.
 * Contexts: anywhere; it reads what it is pointed at.
 *
 * They are those of glibc 2.26 to 2.41 on 64-bit machines (malloc/malloc.c,
 * malloc/arena.c), and believed of none: an arena is one if its lists of free
 * chunks close.
 */
#ifndef WATCH_GLIBC_H
#define WATCH_GLIBC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"

/* A chunk: the size of the one before if that is free, its own, and the block.
 * Bits of the size: */
#define CHUNK_PREVIOUS_USED 1
#define CHUNK_MAPPED        2
#define CHUNK_NOT_MAIN      4
#define CHUNK_BITS          7
#define CHUNK_HEAD          16
#define CHUNK_LEAST         32

struct glibc_arena {
	int32_t mutex;
	int32_t flags;
	int32_t have_fast;
	int32_t padding;
	uint64_t fast[10];     /* chunks, chained through their blocks */
	uint64_t top;          /* the chunk that reaches to the end */
	uint64_t last_remainder;
	uint64_t bin[254];     /* pairs: forward, back */
	uint32_t map[4];
	uint64_t next;         /* arena; the last one's is the main one */
	uint64_t next_free;
	uint64_t attached;
	uint64_t system_bytes;
	uint64_t system_most;
};

/* Heaps of other arenas begin at multiples of this. */
#define GLIBC_HEAP_ALIGN (UINT64_C(64) << 20)

struct glibc_heap {
	uint64_t arena;
	uint64_t previous;
	uint64_t bytes; /* in use for chunks, this head included */
	uint64_t opened;
};

/* What stands in a free chunk for its next: not the address itself (2.32). */
static inline uint64_t
glibc_unprotect(uint64_t at, uint64_t word)
{
	return at >> 12 ^ word;
}

/*
 * The head of bin @i as if it were a chunk: its pair of words is where a
 * chunk's is.
 */
static inline uint64_t
glibc_bin(const struct glibc_arena *a, size_t i)
{
	return (uint64_t)(uintptr_t)&a->bin[2 * i] - CHUNK_HEAD;
}

#endif
