/*
 * memo.h - stacks that a thread has walked before are not walked again
 *
 * Floor 5 (stack).  May use: base, sys.  Used by: door.
 * Contexts: inside malloc and in signal handlers.  A memo is one thread's.
 *
 * A walk is a function of where it starts (instruction, stack pointer, frame
 * pointer) and of the words of the stack that its rules had it read.  Where
 * all of these are what they were, so is the stack, and it has the number that
 * it had: by induction from the leaf, each frame's rule is that of the same
 * instruction, and finds the next frame in the same words.  So nothing is
 * guessed, and nothing is hashed but to find the entry.
 *
 * Three things are left out because the argument does not hold for them: walks
 * that left the thread's own stack, where words may go away; those that did not
 * come to a root, for somebody may give the next place a rule; those through a
 * signal's frame.  The last makes nesting simple: what a handler allocates is
 * never put in, so a handler only reads.
 */
#ifndef STACK_MEMO_H
#define STACK_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "sys/arch.h"

/* A word of the stack that a walk depends on. */
struct memo_word {
	uint64_t offset; /* above the first frame's stack pointer */
	uint64_t value;
};

#define MEMO_TRACE 512 /* words; a walk that reads more is not kept */

/* What a walk read, as it goes along: written by unwind_stack(). */
struct memo_trace {
	struct memo_word *word; /* NULL: nobody wants to know */
	uint32_t count;
	bool whole;         /* it is all that the walk depends on */
	bool uses_fp;       /* the first frame's frame pointer as well */
	bool fp_pending;    /* the present one was read from here, unused yet: */
	bool fp_first;      /* the present one is still the first frame's */
	struct memo_word fp;
};

#define MEMO_HEADS 1024
#define MEMO_WORDS (16 * KIB)

struct memo {
	uint64_t head;  /* where the next entry goes, counted on and on */
	uint64_t born;  /* entries from before are another thread's */
	uint64_t at[MEMO_HEADS]; /* by hash: where the entry begins, or 0 */
	uint64_t ring[MEMO_WORDS];
};

/* Forget all: the row has another thread, or another process. */
void memo_clear(struct memo *memo);

/*
 * The node of the stack that leads to @from, or 0.
 *
 * @top: of the thread's own stack; nothing is read from there on
 * @generation: of the nodes, see intern_generation()
 *
 * Some 10 ns and half a nanosecond a word.
 */
uint32_t memo_find(const struct memo *memo, const struct arch_frame *from,
    uint64_t top, uint32_t generation);

/* Where a walk may note what it reads; good until the next call. */
void memo_begin(struct memo *memo, struct memo_trace *trace);

/* Keep the walk from @from, if it was @trace->whole, as that of @node. */
void memo_put(struct memo *memo, const struct arch_frame *from,
    const struct memo_trace *trace, uint32_t generation, uint32_t node);

#endif
