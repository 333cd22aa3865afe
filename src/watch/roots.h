/*
 * roots.h - what a process has beside its heap, and where its heap lies
 *
 * Floor 6 (watch).  May use: base, sys, mem, heap, heapwalk, trace, hold.
 * Used by: scan.
 * Contexts: in the child that scans.
 *
 * Everything that the child can read and the process has written is a root,
 * but for: blocks; stacks below their stack pointers, and those of threads that
 * have ended, which glibc keeps for the next; what is heaptide's own.  Pages
 * that were never written are told by /proc/self/pagemap and not read, so that
 * address space that is only reserved costs nothing.  Device memory is left
 * alone: to read it may do something.
 */
#ifndef WATCH_ROOTS_H
#define WATCH_ROOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/segment.h"
#include "watch/heapwalk.h"
#include "watch/hold.h"
#include "watch/trace.h"
#include "watch/workroom.h"

enum vma_kind {
	VMA_NONE,
	VMA_MODULE, /* of a file, or the zeroed data behind it */
	VMA_ANONYMOUS,
	VMA_BREAK,
	VMA_STACK,  /* the first thread's */
	VMA_SHARED
};

struct vma {
	uint64_t start, end;
	uint8_t kind;  /* enum vma_kind */
	bool writable;
	uint32_t root; /* 0: none yet */
};

/* A thread's stack, and its control block on top of it. */
struct stack_range {
	uint64_t start, end;
	uint64_t control;
};

/* Where pointers come from; @what as in struct reach. */
struct root {
	uint32_t kind; /* enum reach_through */
	uint64_t what;
};

#define ROOTS_ARENAS_MOST 16384
#define ROOTS_PAGES       512 /* looked up at once */

/* What is not the program's. */
#define ROOTS_OWN_MOST (SEGMENT_SPANS + TABLE_ROOM + 4)

struct roots {
	struct workroom *room;
	struct vma *vma;
	size_t vmas, vmas_most;
	struct root *root; /* from 1 on */
	uint32_t roots;
	uint32_t *of_thread; /* root, by place in struct hold */
	struct stack_range *stack;
	size_t stacks;
	struct heap_range own[ROOTS_OWN_MOST];
	size_t owns;
	bool shared;       /* what is looked at now is shared memory */
	int pagemap;       /* a descriptor; below 0: there is none */
	uint64_t *page;    /* room for what is read from it */
	/* glibc's: by number, the main one first. */
	uint64_t *arena;
	size_t arenas;
	/* Has a block that looks like one a record, if all have?  Or NULL. */
	bool (*has_record)(uint64_t block, uint64_t usable);
	bool (*is_over)(void *context);
	void *context;
};

static inline uint64_t
roots_word_at(uint64_t address)
{
	return *(const uint64_t *)(uintptr_t)address;
}

/* --- roots-heaps.c -------------------------------------------------------- */

/* Leave out what is ours, before anything else. */
void roots_exclude(struct roots *r, uint64_t start, uint64_t end);

/* What is ours within [at, end): where it starts; @past is its end. */
uint64_t roots_next_own(const struct roots *r, uint64_t at, uint64_t end,
    uint64_t *past);

/*
 * Find glibc's heaps, the data of which lies in [@start, @end), and give them
 * to @h.  0; -ENOEXEC: they have not the shape that we know; -ENOMEM.
 */
int roots_find_heaps(struct roots *r, struct heap *h, uint64_t start,
    uint64_t end);

/* --- roots.c -------------------------------------------------------------- */

/* Read the map of this process.  0, or a negative errno value. */
int roots_open(struct roots *r, struct workroom *room);

/* Give all roots to @m, and then follow them. */
void roots_mark(struct roots *r, struct trace *m, const struct heap *h,
    const struct hold *hold);

/* --- roots-pages.c -------------------------------------------------------- */

/* For struct trace: @context is a struct roots. */
void roots_written(void *context, uint64_t start, uint64_t end,
    void (*each)(void *each_context, uint64_t start, uint64_t end),
    void *each_context);

#endif
