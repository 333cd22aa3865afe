/*
 * walk.h - one step of a walk: from a frame to the one that called it
 *
 * Floor 5 (stack).  May use: base, sys, mem, rules, memo.  Used by: unwind,
 * retrace.
 * Contexts: inside malloc and in signal handlers: no lock, no allocation, and
 * no fault on a stack that is not what it should be; what is read is known to
 * be readable.
 */
#ifndef STACK_WALK_H
#define STACK_WALK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "stack/memo.h"
#include "stack/rules.h"
#include "sys/arch.h"

/*
 * Where the present frame's frame pointer comes from.  Most functions keep
 * anything in that register, so it counts only once a rule uses it.
 */
enum walk_fp {
	WALK_FP_FIRST,  /* it is still the first frame's */
	WALK_FP_READ,   /* it was read from fp_place */
	WALK_FP_OTHER,  /* a rule says that it is gone; a signal's frame had it */
	WALK_FP_UNKNOWN /* frames were passed that are known but for this */
};

struct walk {
	struct arch_frame f;  /* the present frame */
	uint64_t place;       /* an address in the instruction it is at */
	uint64_t low, high;   /* what is known to be readable */
	struct memo_trace *trace;
	enum walk_fp fp;
	uint64_t fp_place;
	uint32_t fp_since;    /* words noted before it was what it is */
};

/*
 * No place for code, be it generated: what a stack made by hand has at its
 * root, which may be anything, and each time something else.
 */
static inline bool
walk_is_nonsense(uint64_t pc)
{
	return pc < 4096 || pc > MEMO_VALUE;
}

enum walk_end {
	WALK_ON,      /* f is the caller's frame */
	WALK_ROOT,    /* nobody called */
	WALK_NO_RULE, /* of this place no rule is known */
	WALK_ASTRAY   /* the stack is not what it should be */
};

/* Is a page elsewhere readable?  Asked for, and then in reach. */
bool walk_reaches(struct walk *w, uint64_t address);

static inline void
walk_begin(struct walk *w, const struct arch_frame *from,
    struct memo_trace *trace)
{
	w->f = *from;
	w->place = from->pc - 1;
	w->trace = trace;
	w->fp = WALK_FP_FIRST;
	w->fp_place = 0;
	w->fp_since = 0;
}

static inline bool
walk_read(struct walk *w, uint64_t address, uint64_t *word)
{
	if (UNLIKELY(address % 8 != 0) || (UNLIKELY(address < w->low ||
	    address >= w->high) && !walk_reaches(w, address)))
		return false;
	*word = *(const uint64_t *)(uintptr_t)address;
	return true;
}

static inline bool
walk_read_noted(struct walk *w, uint64_t address, uint64_t *word,
    enum memo_kind kind)
{
	if (!walk_read(w, address, word))
		return false;
	memo_note(w->trace, address, *word, kind);
	return true;
}

/* From the words that led here on, the frame pointer counts. */
static inline void
walk_mark_fp(struct walk *w)
{
	struct memo_trace *t = w->trace;
	uint32_t i;

	for (i = w->fp_since; t->word != NULL && i < t->count; i++)
		if (memo_kind(t->word[i]) == MEMO_RETURN)
			t->word[i] |= (uint64_t)MEMO_RETURN_FP <<
			    MEMO_KIND_SHIFT;
}

/* A rule uses the frame pointer.  False: nobody knows it. */
static inline bool
walk_use_fp(struct walk *w)
{
	struct memo_trace *t = w->trace;

	if (UNLIKELY(w->fp == WALK_FP_UNKNOWN))
		return false;
	walk_mark_fp(w);
	if (w->fp == WALK_FP_FIRST) {
		t->flags |= MEMO_USES_FP;
		t->first_fp = t->count;
	} else if (w->fp == WALK_FP_READ) {
		memo_note(t, w->fp_place, w->f.fp, MEMO_FP);
	}
	w->fp_since = t->count;
	return true;
}

/* The caller's frame pointer lies at @address. */
static inline bool
walk_restore_fp(struct walk *w, uint64_t address)
{
	if (!walk_read(w, address, &w->f.fp))
		return false;
	w->fp = WALK_FP_READ;
	w->fp_place = address;
	w->fp_since = w->trace->count;
	return true;
}

static inline bool
walk_cfa(struct walk *w, const struct rule *rule, uint64_t *cfa)
{
	if (LIKELY(rule->cfa == CFA_SP)) {
		*cfa = w->f.sp + rule->cfa_offset;
		return true;
	}
	if (!walk_use_fp(w))
		return false;
	if (rule->cfa == CFA_FP) {
		*cfa = w->f.fp + rule->cfa_offset;
		return true;
	}
	return walk_read_noted(w, w->f.fp - rule->cfa_offset, cfa, MEMO_OTHER);
}

/* Before the caller's address is noted: what it enters with counts from there. */
static inline bool
walk_caller_fp(struct walk *w, const struct rule *rule, uint64_t cfa)
{
	switch (rule->fp) {
	case FP_SAME:
		return true;
	case FP_AT_CFA:
		return walk_restore_fp(w, cfa - rule->fp_offset);
	case FP_AT_FP:
		return walk_use_fp(w) &&
		    walk_restore_fp(w, w->f.fp + rule->fp_offset);
	case FP_LOST:
		w->fp = WALK_FP_OTHER;
		w->f.fp = 0;
		return true;
	}
	return false;
}

/* From a signal's trampoline to what the signal interrupted. */
static inline bool
walk_through_signal(struct walk *w)
{
	uint64_t context = w->f.sp + ARCH_UCONTEXT;
	uint64_t word;

	w->trace->whole = false;
	w->trace->signal = true;
	if (!walk_read(w, context, &word) ||
	    !walk_read(w, context + sizeof(ucontext_t) - 8, &word))
		return false;
	w->f = arch_interrupted((const ucontext_t *)(uintptr_t)context);
	w->place = w->f.pc++;
	w->fp = WALK_FP_OTHER;
	return true;
}

/*
 * From a frame to its caller's.  An address of 0 or 1 is nobody's: a stack
 * that was made by hand ends so.
 */
static inline enum walk_end
walk_step(struct walk *w)
{
	struct rule rule;
	uint64_t cfa;

	if (UNLIKELY(w->f.pc <= 1))
		return WALK_ROOT;
	if (UNLIKELY(rules_find(w->place, &rule) < 0))
		return WALK_NO_RULE;
	if (UNLIKELY(rule.cfa == CFA_NONE))
		return WALK_ROOT;
	if (UNLIKELY(rule.cfa == CFA_SIGNAL))
		return walk_through_signal(w) ? WALK_ON : WALK_ASTRAY;
	/* A stack rises towards its root; a chain that does not has no end. */
	if (UNLIKELY(!walk_cfa(w, &rule, &cfa) || cfa <= w->f.sp ||
	    !walk_caller_fp(w, &rule, cfa) || !walk_read_noted(w,
	    cfa - rule.ra_offset, &w->f.pc, MEMO_RETURN)))
		return WALK_ASTRAY;
	w->f.sp = cfa;
	w->place = w->f.pc - 1;
	return WALK_ON;
}

#endif
