/*
 * rules.h - how to leave a function, for each place in the code
 *
 * Floor 5 (stack).  May use: base, sys.  Used by: unwind.
 * Contexts: inside malloc and in signal handlers: no lock, no allocation, no
 * system call.
 *
 * Compilers leave a program for a little machine in .eh_frame that tells, for
 * each instruction, where the caller's frame and registers are.  It is run
 * once for a place, and what comes out fits 32 bits; those are kept in a table
 * that all threads share.  (A frame of more than 64 KiB does not fit: its rule
 * is made anew each time.)  Hand-written code may have rules of a shape that
 * is not known here; then there is none.
 *
 * Objects are found by _dl_find_object(), as the C++ runtime does it: without
 * a lock, and right beside dlopen() and dlclose().
 */
#ifndef STACK_RULES_H
#define STACK_RULES_H

#include <stdint.h>

enum cfa_kind {
	CFA_NONE,      /* the outermost frame: nobody called */
	CFA_SP,        /* stack pointer + offset */
	CFA_FP,        /* frame pointer + offset */
	CFA_AT_FP,     /* what lies at frame pointer - offset (aligned frames) */
	CFA_SIGNAL,    /* a signal's frame: registers lie in a ucontext */
	CFA_UNKNOWN    /* no rule is known */
};

enum fp_kind {
	FP_SAME,
	FP_AT_CFA,     /* saved at canonical frame address - offset */
	FP_AT_FP,      /* saved at frame pointer + offset (aligned frames) */
	FP_LOST        /* the function says it is gone */
};

/* Offsets are in bytes and not negative. */
struct rule {
	enum cfa_kind cfa;
	enum fp_kind fp;
	uint32_t cfa_offset;
	uint32_t fp_offset;
	uint32_t ra_offset; /* the return address is at CFA - this */
};

/*
 * The rule at @place: an address within the instruction, so a return address
 * less one.  0; -ENOENT: there is none (generated code, or no code at all, or
 * see above).
 */
int rules_find(uint64_t place, struct rule *rule);

/* An object was closed: nothing that is known of any place is relied on. */
void rules_forget(void);

#endif
