/*
 * giveback.h - how an allocator gives back to the system what is needed
 *
 * Floor (plan).  May use: base.  Used by: door, and heaptide.h, of which it is a
 * part.
 * Contexts: where the allocator may be called, and takes its locks; errno may be
 * changed.
 *
 * What goes back and is needed again costs a fault a page.  So each is told how
 * much is wanted, as far as it lets itself be told; TIDE_NONE: all that is free.
 * More may come, where it gives back in larger parts; less, where there is no
 * more that is free.
 */
#ifndef PLAN_GIVEBACK_H
#define PLAN_GIVEBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/client.h"

/* mallinfo2(), of which one figure is asked; glibc's have been like that since
 * 2.33. */
struct giveback_info {
	size_t other[9];
	size_t keepcost; /* bytes free at the top of the heap */
};

/* The functions of an allocator, NULL: it has none of that name. */
struct giveback {
	int (*malloc_trim)(size_t);
	struct giveback_info (*mallinfo2)(void);
	int (*mallctl)(const char *, void *, size_t *, void *, size_t);
	void (*release_all)(void);     /* MallocExtension_ReleaseFreeMemory */
	void (*release_some)(size_t);  /* MallocExtension_ReleaseToSystem */
};

/* Pages in the middle of all heaps go in any case, of the top what is wanted. */
void giveback_glibc(const struct giveback *g, uint64_t want);

/* Whole arenas: the least that has as much, else the largest, until there is
 * enough. */
void giveback_jemalloc(const struct giveback *g, uint64_t want);

/* Spans, the largest first. */
void giveback_tcmalloc(const struct giveback *g, uint64_t want);

/* Does a thread of jemalloc's do so by itself?  All others give back only while
 * the program allocates and frees. */
bool giveback_is_pending(const struct giveback *g);

#endif
