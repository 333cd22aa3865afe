/*
 * memo.h - stacks that a thread has walked before are not walked again
 *
 * Floor 5 (stack).  May use: base, sys, mem.  Used by: walk, unwind, retrace,
 * intern, door.
 * Contexts: inside malloc and in signal handlers.  A memo is one thread's.
 *
 * A walk is a function of where it starts (instruction, stack pointer, frame
 * pointer) and of the words of the stack that its rules had it read.  Where
 * all of these are what they were, so is the stack, and it has the number that
 * it had: by induction from the leaf, each frame's rule is that of the same
 * instruction, and finds the next frame in the same words.  So nothing is
 * guessed, and nothing is hashed but to find the entry.
 *
 * Left out are walks to which the argument does not apply: those that left the
 * thread's own stack, where words may go away; those that lost their way, as
 * it may be another one next time; and those through a signal's frame.  The
 * last makes nesting simple: what a handler allocates is never put in, so a
 * handler only reads.  A walk that ended at code that nobody has a rule for
 * (generated code) is kept, and whether there is still none is asked again.
 */
#ifndef STACK_MEMO_H
#define STACK_MEMO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "sys/arch.h"

/* --- what a walk has read ------------------------------------------------- */

/*
 * A word that a walk read: where it lies, by its distance from the word before
 * (the first: from the stack pointer), and what was in it.  They stand in the
 * order in which they were read.
 *
 *    63        49 48  47 46               0
 *   | distance / 8 | kind |     value      |
 *
 * Values that a walk can go on with are addresses of user space, and fit.
 */
enum memo_kind {
	MEMO_RETURN,    /* a return address; what follows needs no more than it */
	MEMO_RETURN_FP, /* the same, but the frame pointer counts from here on */
	MEMO_FP,        /* a saved frame pointer that a rule has used */
	MEMO_OTHER      /* what else a rule had read */
};

#define MEMO_VALUE_BITS 47
#define MEMO_VALUE      ((UINT64_C(1) << MEMO_VALUE_BITS) - 1)
#define MEMO_KIND_SHIFT MEMO_VALUE_BITS
#define MEMO_FAR_SHIFT  (MEMO_KIND_SHIFT + 2)
/*
 * A distance of this many is none: the word is no place on the stack, and its
 * value the distance to go instead.  For frames of more than 128 KiB.
 */
#define MEMO_FAR (-(INT64_C(1) << (63 - MEMO_FAR_SHIFT)))

static inline int64_t
memo_distance(uint64_t word)
{
	return (int64_t)word >> MEMO_FAR_SHIFT;
}

static inline enum memo_kind
memo_kind(uint64_t word)
{
	return (enum memo_kind)(word >> MEMO_KIND_SHIFT & 3);
}

static inline bool
memo_is_return(uint64_t word)
{
	return memo_kind(word) <= MEMO_RETURN_FP;
}

static inline bool
memo_is_far(uint64_t word)
{
	return memo_distance(word) == MEMO_FAR;
}

/* From the place of the word before to this one's. */
static inline uint64_t
memo_place(uint64_t before, uint64_t word)
{
	if (UNLIKELY(memo_is_far(word)))
		return before + (uint64_t)((int64_t)(word <<
		    (64 - MEMO_VALUE_BITS)) >> (64 - MEMO_VALUE_BITS)) * 8;
	return before + (uint64_t)memo_distance(word) * 8;
}

static inline bool
memo_is_there(uint64_t place, uint64_t word)
{
	return *(const uint64_t *)(uintptr_t)place == (word & MEMO_VALUE);
}

enum memo_flags {
	MEMO_USES_FP = 1, /* the first frame's frame pointer counts as well */
	MEMO_HAS_FAR = 2, /* some word is MEMO_FAR */
	MEMO_NO_RULE = 4, /* ended where nobody had a rule */
	MEMO_CUT = 8,     /* ended as enough frames were kept */
	MEMO_WIDE = 16,   /* some place does not fit into memo_places() */
	MEMO_NEW = 32     /* not met again yet: memo_places() are not laid */
};

#define MEMO_TRACE 320 /* words; a walk that reads more is not kept */

/* What a walk read, as it goes along; see stack/walk.h. */
struct memo_trace {
	uint64_t *word;    /* NULL: nobody wants to know */
	uint64_t place;    /* of the last word */
	uint32_t count;
	uint32_t first_fp; /* words before the last use of the first frame's */
	uint32_t flags;    /* enum memo_flags */
	bool whole;        /* it is all that the walk depends on */
	bool signal;       /* it went through a signal's frame */
};

/* Begin to note, in @words of MEMO_TRACE, what a walk from @from reads. */
static inline void
memo_begin(struct memo_trace *t, const struct arch_frame *from, uint64_t *words)
{
	*t = (struct memo_trace){ .word = words, .place = from->sp };
}

/* Note a word; a trace that has no room for it is not whole. */
static inline void
memo_note(struct memo_trace *t, uint64_t place, uint64_t value,
    enum memo_kind kind)
{
	int64_t distance = (int64_t)(place - t->place) / 8;

	if (UNLIKELY(t->word == NULL))
		return;
	if (UNLIKELY(t->count + 2 > MEMO_TRACE || value > MEMO_VALUE)) {
		t->whole = false;
		return;
	}
	if (UNLIKELY(distance <= MEMO_FAR || distance >= -MEMO_FAR)) {
		t->word[t->count++] = (uint64_t)MEMO_FAR << MEMO_FAR_SHIFT |
		    (uint64_t)MEMO_OTHER << MEMO_KIND_SHIFT |
		    ((uint64_t)distance & MEMO_VALUE);
		t->flags |= MEMO_HAS_FAR;
		distance = 0;
	}
	t->word[t->count++] = (uint64_t)distance << MEMO_FAR_SHIFT |
	    (uint64_t)kind << MEMO_KIND_SHIFT | value;
	t->place = place;
}

/* --- what is remembered --------------------------------------------------- */

/*
 * A stack that was walked, and what it was found to be.  While it is changed
 * its generation is MEMO_NEVER.
 *
 * Behind the words stand their places once more, from the stack pointer on, so
 * that to compare one is four instructions and a mask; both are an even number,
 * the last of an odd one twice, so that it is done by twos.  They are laid when
 * a stack is met again for the first time, as most that are new never are; a
 * signal handler that comes in between lays the same.
 */
struct memo_entry {
	uint64_t pc;         /* where it starts */
	uint64_t sp;
	uint64_t fp;
	uint32_t generation; /* of the nodes, see intern_generation() */
	uint32_t node;
	uint32_t site;
	uint32_t frames;
	uint32_t shape;      /* the same: the same places */
	uint32_t even;       /* count, or one more */
	uint16_t count;      /* of words */
	uint16_t flags;      /* enum memo_flags */
	uint16_t first_fp;   /* see struct memo_trace */
	uint16_t strangers;  /* of another shape, put in since it leads */
	uint64_t word[];
};

#define MEMO_NEVER UINT32_MAX

/* Where the words lie: so many times 8 bytes above the stack pointer. */
static inline const uint16_t *
memo_places(const struct memo_entry *e)
{
	return (const uint16_t *)&e->word[e->even];
}

#define MEMO_PATHS 4096

/*
 * Entries lie in a ring, one behind the other, as they came; the oldest are
 * written over.  They are found by where they start: that gives one entry, the
 * leader.  Stacks that start there and are others have mostly the same frames
 * but for some addresses, so what now lies in the leader's places tells them
 * apart, and by a hash of that they are found as well.
 *
 * Ring and slots are used, and touched, as far as the memo has grown.
 */
struct memo {
	uint64_t head;        /* where the next entry goes, counted on and on */
	uint64_t oldest;      /* entries from before are gone, */
	uint64_t born;        /* or another thread's */
	uint64_t last;        /* the one that was met or put in last */
	uint64_t hits;        /* since the ring was last gone round */
	uint64_t misses;
	uint32_t ring_words;  /* a power of two, as are all of these */
	uint32_t ring_most;
	uint32_t slots;
	uint32_t paths_of;    /* generation of what is in path[] */
	uint64_t *leader;     /* by hash, two a slot: where in the ring, or 0 */
	uint64_t *other;      /* the same for all that are in it */
	uint64_t *ring;
	uint32_t path[MEMO_PATHS]; /* by hash: a node, or 0 */
};

/* Room for a memo, as address space: one that grows, and one that does not. */
#define MEMO_LARGE ((size_t)640 * KIB)
#define MEMO_SMALL ((size_t)64 * KIB)

/* Make a memo in @bytes of zeroed memory. */
struct memo *memo_open(void *room, size_t bytes);

/* Forget all: the row has another thread, or another process. */
void memo_clear(struct memo *memo);

/* By Fibonacci hashing; the low bits of a stack pointer are zeros. */
static inline uint64_t
memo_hash(const struct arch_frame *from)
{
	return (from->pc ^ from->sp << 23) * UINT64_C(0x9e3779b97f4a7c15);
}

/* The first place of two in a table of @memo->slots places. */
static inline uint64_t *
memo_slot(const struct memo *memo, uint64_t *table, uint64_t hash)
{
	return &table[hash >> 40 & (memo->slots - 2)];
}

/* The entry at @at of the ring, or NULL: it has been written over. */
static HOT const struct memo_entry *
memo_entry(const struct memo *memo, uint64_t at, uint32_t generation)
{
	const struct memo_entry *e;

	if (UNLIKELY(at < memo->oldest)) /* 0 is none, and always is */
		return NULL;
	e = (const void *)&memo->ring[at & (memo->ring_words - 1)];
	return LIKELY(e->generation == generation) ? e : NULL;
}

static inline bool
memo_starts(const struct memo_entry *e, const struct arch_frame *from)
{
	return e->pc == from->pc && e->sp == from->sp;
}

/* The same, where MEMO_WIDE or MEMO_NEW, which it is no more if it holds. */
bool memo_holds_long(const struct memo_entry *e);

/*
 * Is the stack that starts where this entry does the same?  False as well
 * where to know takes more: MEMO_HAS_FAR, MEMO_NO_RULE.
 */
static HOT bool
memo_holds(const struct memo_entry *e, const struct arch_frame *from)
{
	const uint64_t *stack = (const uint64_t *)(uintptr_t)from->sp;
	const uint16_t *place = memo_places(e);
	uint64_t i;

	if (UNLIKELY(e->flags != 0)) {
		if ((e->flags & (MEMO_HAS_FAR | MEMO_NO_RULE)) != 0 ||
		    ((e->flags & MEMO_USES_FP) != 0 && e->fp != from->fp))
			return false;
		if (UNLIKELY((e->flags & (MEMO_WIDE | MEMO_NEW)) != 0))
			return memo_holds_long(e);
	}
	for (i = 0; i < e->even; i += 2)
		if (stack[place[i]] != (e->word[i] & MEMO_VALUE) ||
		    stack[place[i + 1]] != (e->word[i + 1] & MEMO_VALUE))
			return false;
	return true;
}

/* The same if the stack is not that of the first leader in its slot. */
const struct memo_entry *memo_find_other(struct memo *memo,
    const struct arch_frame *from, uint32_t generation);

/*
 * The entry of the stack that starts at @from, or NULL: it is not known to be
 * one that was walked before.
 *
 * Some 5 ns, and a fifth of a nanosecond a word; for who is not a leader three
 * times as much.
 */
static HOT const struct memo_entry *
memo_find(struct memo *memo, const struct arch_frame *from,
    uint32_t generation)
{
	uint64_t at = *memo_slot(memo, memo->leader, memo_hash(from));
	const struct memo_entry *e = memo_entry(memo, at, generation);

	if (UNLIKELY(e == NULL || !memo_starts(e, from)) ||
	    UNLIKELY(!memo_holds(e, from)))
		return memo_find_other(memo, from, generation);
	memo->last = at;
	memo->hits++;
	return e;
}

/*
 * The entry that a stack from @from has most in common with, as far as one can
 * see without looking at it, or NULL.
 */
const struct memo_entry *memo_kin(const struct memo *memo,
    const struct arch_frame *from, uint32_t generation);

/* What a walk has come to, of @frames frames. */
struct memo_result {
	uint32_t generation;
	uint32_t node;
	uint32_t site;
	uint32_t frames;
};

/*
 * Lay a walk down in @memo, if it was @trace->whole, where memo_put() makes it
 * one that is remembered.  In between who calls makes sure that no signal
 * handler has written over the trace.
 *
 * Return: its place in the ring; 0: there is nothing to put.
 */
uint64_t memo_lay(struct memo *memo, const struct arch_frame *from,
    const struct memo_trace *trace, const struct memo_result *result);
void memo_put(struct memo *memo, uint64_t place);

/* --- nodes ---------------------------------------------------------------- */

/*
 * Where to look for the node of a path that has this hash, and where to put it
 * when it has been found elsewhere.  What is there may be any node of this
 * generation, or 0: who looks asks the node itself.
 */
uint32_t *memo_path(struct memo *memo, uint64_t hash, uint32_t generation);

#endif
