/*
 * trace.h - who holds which block: from roots through the heap
 *
 * Floor 6 (watch).  May use: base, sys, heapwalk, workroom.  Used by: scan.
 * Contexts: in the child that scans, and in tests.
 *
 * Every block gets a label, which rises and never falls:
 *
 *	none < one word of a root < one root < many
 *
 * so a block is scanned at most three times, and in the end its label says
 * whether all ways to it begin in one place, and in which.  What is labelled
 * none nobody can reach.
 *
 * Stacks come last, and what has a label by then keeps it: a local variable
 * points at this or that for a moment, and owns what nothing else points to.
 * So nearly all of a heap is scanned once.
 *
 * Blocks that are still to be scanned have a bit each, so there is always room
 * for all.  What costs is memory that is not in the cache, and pages that are
 * not in the TLB.  So each look is announced to the CPU some looks ahead, and is
 * made when the memory is there; and of what is to be scanned that comes first
 * which lies together, in order, until nothing is left of it.
 */
#ifndef WATCH_TRACE_H
#define WATCH_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch/heapwalk.h"
#include "watch/workroom.h"

enum trace_label {
	TRACE_LABEL_NONE,
	TRACE_LABEL_ROOT, /* and on: roots by number */
	TRACE_LABEL_WORD = 65536, /* and on: words of roots */
	TRACE_LABEL_INDIRECT = HEAP_DEAD - 2, /* none, but another has it */
	TRACE_LABEL_MANY = HEAP_DEAD - 1
};

#define TRACE_ROOTS_MOST (TRACE_LABEL_WORD - TRACE_LABEL_ROOT)
#define TRACE_WORDS_MOST (TRACE_LABEL_INDIRECT - TRACE_LABEL_WORD)

/* What holds the blocks of a label that is a word's. */
struct trace_word {
	uint64_t address;
	uint32_t root;
	uint32_t unused;
};

/* An address to look up; @label: of what has it. */
struct trace_look {
	uint64_t address;
	uint32_t label;
	uint32_t index; /* of the block, once it is known */
};

#define TRACE_AHEAD 16

struct trace {
	struct heap *heap;
	struct workroom *room;
	uint32_t weak;        /* labels of roots from here on are stacks'; 0:
			       * there are none yet */
	bool starts;          /* only pointers to the start of a block count */
	/*
	 * Is an address behind the start of a block within what was asked for?
	 * The allocator's own words point to where the next chunk begins, which
	 * is in the last words of a block.  NULL: all that is usable counts.
	 */
	bool (*is_within)(uint64_t start, uint64_t address);
	struct trace_word *word;
	uint32_t words;
	/*
	 * Blocks whose content is to be scanned: a bit each; a bit for each word
	 * of these that is not 0; and for each of those.
	 */
	uint64_t *waiting, *some, *any;
	size_t anys;          /* words */
	size_t at;            /* the word of @some that is followed */
	uint64_t depth;       /* blocks that wait */
	struct trace_look find[TRACE_AHEAD], visit[TRACE_AHEAD];
	uint64_t finds, visits;
	/* Those that wait no more, on the way to be scanned: a ring. */
	uint32_t next[2 * TRACE_AHEAD];
	uint64_t popped, scanned_blocks;
	uint64_t scanned;     /* bytes */
	/* Asked now and then; true: give up. */
	bool (*is_over)(void *context);
	void *context;
	uint64_t ask_at;      /* of @scanned */
	bool over;
	/*
	 * Call @each for the parts of a large range that were ever written; the
	 * others need not be read.  NULL: all is.
	 */
	void (*written)(void *context, uint64_t start, uint64_t end,
	    void (*each)(void *each_context, uint64_t start, uint64_t end),
	    void *each_context);
};

/* 0, or -ENOMEM. */
int trace_open(struct trace *m, struct heap *heap, struct workroom *room);

/* Root number @root (from 0) has this word in a register, as it were. */
void trace_value(struct trace *m, uint32_t root, uint64_t value);

/*
 * Root number @root is, or has, [start, end); @words: its words have names, so
 * tell them apart.
 */
void trace_range(struct trace *m, uint32_t root, uint64_t start, uint64_t end,
    bool words);

/* Follow what was found, to the end.  False: it was given up. */
bool trace_follow(struct trace *m);

/*
 * After that: of the blocks that nobody can reach, label those indirect that
 * another of them points to.
 */
bool trace_indirect(struct trace *m);

/* The least label that is not below either. */
uint32_t trace_join(const struct trace *m, uint32_t a, uint32_t b);

/* The root of a label that is a root's or a word's. */
uint32_t trace_root(const struct trace *m, uint32_t label);

#endif
