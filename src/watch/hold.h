/*
 * hold.h - what every thread of the process has in its registers, for a moment
 *
 * Floor 6 (watch).  May use: base, sys.  Used by: scan, roots.
 * Contexts: hold_begin() to hold_end() in a thread of the process wherever
 * malloc may be called, one thread at a time; nothing here waits for a thread
 * that may wait for this one.
 *
 * Without ptrace a thread's registers are seen by itself alone.  So it is sent
 * a signal, and waits in the handler until the picture is taken.  It must not
 * notice:
 *
 *  - The signal is one whose default is to be ignored, that the program has
 *    left at that, and that the thread does not block: if it comes late, or
 *    after an exec, nothing happens.
 *  - A system call that the handler ends with EINTR is made again, at the very
 *    instruction, or (where the time that is left is the kernel's to know) by
 *    restart_syscall(2), and the thread gets that result.  Calls with which
 *    neither gives what the thread would have got are not interrupted: that of
 *    a thread that is about to transfer more than it has, or that waits with
 *    a time that nobody keeps (epoll_wait(2)).
 *  - What cannot be mended is a call that has moved a part of what it was to
 *    move when the signal came, and gives that.  Only a thread can be in one
 *    that has just begun it; so the threads are noted some time before, and
 *    asked are those alone that have either slept in one place ever since, or
 *    computed without sleeping once.  Should one begin to write in between,
 *    between one look and a signal some microseconds later, the handler writes
 *    the rest.
 *  - A thread that has not come when the picture is taken finds the handler
 *    there all the same: its call may have been ended already.
 *  - Where there may be no room for a frame on its stack, none is put there.
 *
 * Who is not interrupted is still or unseen.  Still: it stood in a system call
 * before and after, and did not run in between, so that its stack pointer is
 * known but not what it keeps in registers.  What such a thread has is on its
 * stack as well nearly always, some words below: calls that it made before
 * have saved them there.
 */
#ifndef WATCH_HOLD_H
#define WATCH_HOLD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sys/arch.h"

enum hold_state {
	HOLD_UNSEEN, /* it may be anywhere */
	HOLD_STILL,
	HOLD_ASKED,  /* on the way to HOLD_HELD, or it has ended */
	HOLD_HELD,
	HOLD_SELF    /* who looks: its registers are on its stack */
};

#define HOLD_THREADS_MOST 16384

struct hold_thread {
	int32_t tid;
	_Atomic uint32_t state; /* enum hold_state */
	uint64_t sp;     /* HELD, STILL, SELF: what is above is in use */
	int64_t call;    /* the system call that it stood in; -1: none */
	uint64_t pc;     /* behind it */
	uint64_t slices; /* STILL: how often it has run so far */
	uint64_t sleeps; /* how often it has slept so far */
	int32_t way;     /* ASKED: enum way: how the call goes on */
	uint64_t word[ARCH_WORDS]; /* HELD */
};

/* Shared with the child, which is told there which threads were still. */
struct hold {
	_Atomic uint32_t picture; /* goes up when it is taken */
	_Atomic uint32_t ready;   /* 1: states do not change any more */
	int32_t number;           /* of the signal; 0: none is free */
	uint32_t unlisted;        /* threads that there was no room for */
	uint32_t count;
	uint64_t tid_at;          /* in a control block; 0: not known */
	uint64_t control;         /* block of the calling thread */
	uint64_t bytes;           /* of all this */
	uint32_t noted;           /* by hold_note(): tid, slices and sleeps */
	struct hold_thread thread[HOLD_THREADS_MOST];
	struct hold_note {
		int32_t tid;
		uint64_t slices, sleeps;
	} note[HOLD_THREADS_MOST];
};

/*
 * Note how the threads stand: some 10 ms later, or much more, hold_begin() is
 * to be called.  How many there are; 0: there is no memory.
 */
uint32_t hold_note(void);

/*
 * List the threads and hold those that may be held.  NULL: there is no memory,
 * or the kernel cannot be asked.  The caller's signals are blocked from here
 * to hold_end().
 */
struct hold *hold_begin(uint64_t own_sp);

/*
 * The picture has been taken: let them go on, and find out who was still.
 * hold_begin() may be called again.
 */
void hold_end(struct hold *h);

/* In a child, just forked: what is there is the parent's. */
void hold_in_child(void);

#endif
