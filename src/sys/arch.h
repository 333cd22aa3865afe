/*
 * arch.h - what differs from CPU to CPU
 *
 * Floor 2 (sys).  May use: base.  Used by: mem, heap, stack, door.
 * Contexts: anywhere; nothing here can fail or wait.
 */
#ifndef SYS_ARCH_H
#define SYS_ARCH_H

#include <stdatomic.h>
#include <stdint.h>

#if defined(__x86_64__)
#define ARCH_ELF_MACHINE 62 /* EM_X86_64 */
#elif defined(__aarch64__)
#define ARCH_ELF_MACHINE 183 /* EM_AARCH64 */
#else
#error "heaptide knows x86-64 and aarch64; add this CPU to arch.h"
#endif

/*
 * Add to a word that only this thread writes, so that a signal handler of the
 * same thread, which may add to it as well, loses nothing: one instruction
 * that no signal can split.  Not atomic towards other threads' writes, and
 * therefore without the cost of a locked add.
 */
static inline void
arch_add_u64(_Atomic uint64_t *word, uint64_t n)
{
#if defined(__x86_64__)
	__asm__ volatile("addq %1, %0"
	    : "+m"(*(uint64_t *)word)
	    : "er"(n)
	    : "cc");
#else
	/* An exclusive pair is broken by any signal in between, and retried. */
	atomic_fetch_add_explicit(word, n, memory_order_relaxed);
#endif
}

/* The same, for a difference; true: the result is below zero. */
static inline int
arch_sub_is_negative(_Atomic int64_t *word, int64_t n)
{
#if defined(__x86_64__)
	int negative;

	__asm__ volatile("subq %2, %0"
	    : "+m"(*(int64_t *)word), "=@ccs"(negative)
	    : "er"(n));
	return negative;
#else
	return atomic_fetch_sub_explicit(word, n, memory_order_relaxed) - n < 0;
#endif
}

/* Raise a word of this thread's to @n, unless it is there or above. */
static inline void
arch_raise_i64(_Atomic int64_t *word, int64_t n)
{
	int64_t now = atomic_load_explicit(word, memory_order_relaxed);

	while (n > now) {
#if defined(__x86_64__)
		int done;

		/* No lock prefix: against this thread's signals it is whole. */
		__asm__ volatile("cmpxchgq %3, %0"
		    : "+m"(*(int64_t *)word), "+a"(now), "=@ccz"(done)
		    : "r"(n));
		if (done)
			return;
#else
		if (atomic_compare_exchange_weak_explicit(word, &now, n,
		    memory_order_relaxed, memory_order_relaxed))
			return;
#endif
	}
}

static inline void
arch_pause(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	__asm__ volatile("yield");
#endif
}

#endif
