/*
 * pychain.h - a thread's Python frames, compared with those of the last time
 *
 * Floor 5 (stack).  May use: base, sys, pyframe.  Used by: door.
 * Contexts: inside malloc and in signal handlers.  A chain is one thread's.
 *
 * Between two allocations few of a thread's frames change, so each is kept as
 * it was read: where it lies, the frame that called it, its code, what tells
 * that from other code at the same address (struct pycode), and the
 * instruction.  A frame is the same where all of these are what they were,
 * from it to the root; so nothing is guessed here that pyframe.h does not
 * guess.  Frames that are not are read anew, and only those.
 *
 * Four words of each are always compared.  What tells code from other code
 * would be ten more, in four objects; but as long as no code object that was
 * compared has been destroyed, there is no other at its address.  So who
 * hears of frees (pywatch.h) may tell the chain to trust a frame's code until
 * then.
 *
 * They stand by their depth, the outermost first.  What is deeper than the
 * innermost now is kept as well: the same function is mostly called again.
 */
#ifndef STACK_PYCHAIN_H
#define STACK_PYCHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "stack/pyframe.h"

/* A frame as it was. */
struct pyseen {
	struct pyframe f;
	uint64_t sum;   /* of its key and those of the outer ones */
	uint64_t ends;  /* calls that end with it and with outer ones */
	uint64_t name;  /* the door's: pyname_of(), or 0 */
	bool doubted;   /* for good: nobody would hear of the end of its code */
};

/* What of it is compared first; while it is changed its place is 0. */
struct pyplace {
	uint64_t frame; /* where it lies */
	uint64_t code;  /* words and a byte in it; PYPLACE_DOUBTED, which */
	uint64_t at;    /* is none: it is not trusted, and all of its code is */
	uint64_t owner; /* compared */
};

#define PYPLACE_DOUBTED 1

#define PYCHAIN_SLOTS 128

/*
 * seen[0] is what comes behind the root: no frame.  Sums are right up to
 * seen[@sums].
 */
struct pychain {
	struct pyplace *place; /* of each in seen[] */
	uint32_t room;  /* frames */
	uint32_t turn;  /* who is at it now; see pychain_look() */
	uint32_t sums;
	uint32_t depth; /* that pychain_look() has found last */
	uint32_t used;  /* none is deeper */
	uint32_t ended; /* trust is of this number, see there */
	bool doubts;    /* a frame was found without trust */
	struct pyframe_met met;
	uint16_t slot[PYCHAIN_SLOTS]; /* by where a frame lies: its depth */
	struct pyseen seen[];
};

#define PYCHAIN_BYTES(frames) (sizeof(struct pychain) + \
	((frames) + 1) * (sizeof(struct pyseen) + sizeof(struct pyplace)))

/* Make a chain for @frames, in PYCHAIN_BYTES() of zeroed memory. */
struct pychain *pychain_open(void *room, uint32_t frames);

/* Forget all: names are others, or it has another thread. */
void pychain_clear(struct pychain *chain);

/*
 * Look at the calling thread's frames.  @ended: pywatch_ended(); nothing is
 * trusted that was at another number.  Return: the innermost's depth, and the
 * path to the root is seen[depth] to seen[1]; where there are more frames than
 * room the outer ones are missing.  0: there are none, or signals come faster
 * than it can be said.
 *
 * seen[depth].sum is equal for equal paths, and for others different but by a
 * chance of 2^-64.  It is so until the next look, which may be a signal
 * handler's: then @chain->turn is another one.
 *
 * Some 15 instructions for each frame that is as it was, and is trusted.
 */
uint32_t pychain_look(struct pychain *chain, uint32_t ended);

/* Is the frame at @depth trusted, or can it never be? */
static inline bool
pychain_is_settled(const struct pychain *chain, uint32_t depth)
{
	return chain->place[depth].code != PYPLACE_DOUBTED ||
	    chain->seen[depth].doubted;
}

/*
 * To be told of one that is not, right after pychain_look(): whether its code
 * is trusted from now on, being watched (pywatch_put()) or never destroyed.
 */
void pychain_trust(struct pychain *chain, uint32_t depth, bool trusted);

#endif
