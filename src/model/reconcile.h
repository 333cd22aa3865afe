/*
 * reconcile.h - where resident memory went, summed to 100 %
 *
 * Floor 1 (model).  May use: base.  Used by: control/census, the tools.
 * Contexts: pure functions; no clock, no I/O, no state of their own.
 *
 * Two sources are laid side by side: the ranges of address space with what of
 * each is resident (smaps), and the exact counts of heaptide.  Every resident
 * byte of a range goes to one class; then the allocator's class is split by
 * the counts.
 *
 *   live          the program's blocks: bytes asked for where they are known
 *                 (STACKS_ALL), else usable bytes
 *   slack         usable less asked for, and the allocator's word per block
 *   retained      freed, but still held by the allocator
 *   mapped        anonymous memory the program mapped itself
 *   stacks        of all threads
 *   files         of files: code, data, their zero pages (.bss)
 *   shared        memory shared with others: shm, memfd, shared anonymous
 *   heaptide      the segment and our private memory
 *   unattributed  what none of the above claims
 */
#ifndef MODEL_RECONCILE_H
#define MODEL_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/segment.h"

/* What a range is, by itself and its neighbours. */
enum range_class {
	RANGE_FILE,
	RANGE_SHARED,
	RANGE_STACK,
	RANGE_HEAPTIDE,
	RANGE_MAPPED,    /* the program's own mmap */
	RANGE_ALLOCATOR, /* [heap], an arena, or mapped by the allocator */
	RANGE_UNKNOWN,   /* private, anonymous, nobody's so far */
	RANGE_CLASSES
};

/* The terms, as all our output has them. */
extern const char *const reconcile_names[RSS_TERMS];

struct reconcile_counts {
	uint64_t live_bytes;      /* usable */
	uint64_t live_requested;  /* meant only if requested_known */
	uint64_t live_blocks;
	bool requested_known;
	uint32_t block_overhead;  /* bytes a block beside the usable ones: 8 for
	                           * glibc, 0 for size-class allocators */
};

/*
 * Split @resident, given by class, into terms.  The terms sum to the sum of
 * @resident exactly, whatever the counts say.
 *
 * Memory of unknown origin goes to the allocator as far as the live blocks
 * need more room than its known ranges have (glibc maps large blocks by
 * itself, unseen), and only the rest is unattributed.
 */
void reconcile(const uint64_t resident[RANGE_CLASSES],
    const struct reconcile_counts *counts, uint64_t terms[RSS_TERMS]);

#endif
