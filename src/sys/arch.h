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
#include <ucontext.h>

/*
 * ARCH_DWARF_*: what .eh_frame calls the stack pointer, the frame pointer and
 * the return address.  ARCH_UCONTEXT: where a signal's frame has its
 * ucontext, from the stack pointer in the trampoline.
 */
#if defined(__x86_64__)
#define ARCH_ELF_MACHINE 62 /* EM_X86_64 */
#define ARCH_DWARF_SP    7
#define ARCH_DWARF_FP    6
#define ARCH_DWARF_RA    16
#define ARCH_UCONTEXT    0 /* struct rt_sigframe, its pretcode popped */
#elif defined(__aarch64__)
#define ARCH_ELF_MACHINE 183 /* EM_AARCH64 */
#define ARCH_DWARF_SP    31
#define ARCH_DWARF_FP    29
#define ARCH_DWARF_RA    30
#define ARCH_UCONTEXT    128 /* struct rt_sigframe: behind the siginfo */
#else
#error "heaptide knows x86-64 and aarch64; add this CPU to arch.h"
#endif

/*
 * ThreadSanitizer sees what the compiler makes of C and nothing else: to it a
 * word that assembler adds to does not change.  Where it watches, these are
 * the atomic functions that mean the same, at their price.
 */
#if defined(__x86_64__) && !defined(__SANITIZE_THREAD__)
#define ARCH_ONE_INSTRUCTION 1
#else
#define ARCH_ONE_INSTRUCTION 0
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
#if ARCH_ONE_INSTRUCTION
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
#if ARCH_ONE_INSTRUCTION
	int negative;

	__asm__ volatile("subq %2, %0"
	    : "+m"(*(int64_t *)word), "=@ccs"(negative)
	    : "er"(n));
	return negative;
#else
	return atomic_fetch_sub_explicit(word, n, memory_order_relaxed) - n < 0;
#endif
}

/*
 * A word that only this thread writes, as it stands.  To the compiler a plain
 * load, which it makes part of the instruction that wants the value.
 */
static inline uint64_t
arch_own_u64(const _Atomic uint64_t *word)
{
#if ARCH_ONE_INSTRUCTION
	return *(const uint64_t *)word;
#else
	return atomic_load_explicit(word, memory_order_relaxed);
#endif
}

static inline int64_t
arch_own_i64(const _Atomic int64_t *word)
{
#if ARCH_ONE_INSTRUCTION
	return *(const int64_t *)word;
#else
	return atomic_load_explicit(word, memory_order_relaxed);
#endif
}

/* Raise a word of this thread's to @n, unless it is there or above. */
static inline void
arch_raise_i64(_Atomic int64_t *word, int64_t n)
{
	int64_t now = atomic_load_explicit(word, memory_order_relaxed);

	while (n > now) {
#if ARCH_ONE_INSTRUCTION
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

/*
 * A function @name that leaves the call as it found it, stack and registers,
 * and jumps: to the function of C @aside if the first argument is @one or @two,
 * or *@next is NULL; else to *@next.  For what may return twice, or on another
 * stack, and with any number of arguments.
 */
#define ARCH_TEXT(x) #x
#if defined(__x86_64__)
#define ARCH_DOOR(name, one, two, next, aside) \
	__asm__(".pushsection .text\n" \
	    ".globl " #name "\n" \
	    ".type " #name ", @function\n" \
	    #name ":\n" \
	    ".cfi_startproc\n" \
	    "	endbr64\n" \
	    "	cmpq $" ARCH_TEXT(one) ", %rdi\n" \
	    "	je 1f\n" \
	    "	cmpq $" ARCH_TEXT(two) ", %rdi\n" \
	    "	je 1f\n" \
	    "	movq " #next "(%rip), %rax\n" \
	    "	testq %rax, %rax\n" \
	    "	je 1f\n" \
	    "	jmp *%rax\n" \
	    "1:	jmp " #aside "\n" \
	    ".cfi_endproc\n" \
	    ".size " #name ", . - " #name "\n" \
	    ".popsection")
#else
#define ARCH_DOOR(name, one, two, next, aside) \
	__asm__(".pushsection .text\n" \
	    ".globl " #name "\n" \
	    ".type " #name ", %function\n" \
	    #name ":\n" \
	    ".cfi_startproc\n" \
	    "	hint #34\n" /* bti c */ \
	    "	cmp x0, #" ARCH_TEXT(one) "\n" \
	    "	b.eq 1f\n" \
	    "	cmp x0, #" ARCH_TEXT(two) "\n" \
	    "	b.eq 1f\n" \
	    "	adrp x16, " #next "\n" \
	    "	ldr x16, [x16, #:lo12:" #next "]\n" \
	    "	cbz x16, 1f\n" \
	    "	br x16\n" \
	    "1:	b " #aside "\n" \
	    ".cfi_endproc\n" \
	    ".size " #name ", . - " #name "\n" \
	    ".popsection")
#endif

/* The address that the function that this stands in will return to. */
#define ARCH_RETURNS_TO() ((uint64_t)(uintptr_t)__builtin_return_address(0))

/* A place on a stack: enough to walk on from there. */
struct arch_frame {
	uint64_t pc;
	uint64_t sp;
	uint64_t fp;
};

/*
 * The function that ARCH_CALLER() stands in, as seen by what it calls: enough
 * to find its caller, and no work until somebody does.  It makes the function
 * keep a frame pointer, which is how the caller's is known.
 */
struct arch_caller {
	const uint64_t *frame;
#if defined(__aarch64__)
	uint64_t top;
#endif
};

#if defined(__x86_64__)
#define ARCH_CALLER() ((struct arch_caller){ __builtin_frame_address(0) })
#else
#define ARCH_CALLER() ((struct arch_caller){ __builtin_frame_address(0), \
	(uint64_t)(uintptr_t)__builtin_dwarf_cfa() })
#endif

/* The place that the function will return to. */
static inline struct arch_frame
arch_frame_of(struct arch_caller caller)
{
	struct arch_frame f = { .pc = caller.frame[1], .fp = caller.frame[0] };

#if defined(__x86_64__)
	f.sp = (uint64_t)(uintptr_t)(caller.frame + 2);
#else
	f.sp = caller.top;
#endif
	return f;
}

/* Where a thread was when a signal came, by the ucontext of its frame. */
static inline struct arch_frame
arch_interrupted(const ucontext_t *context)
{
	struct arch_frame f;

#if defined(__x86_64__)
	f.pc = (uint64_t)context->uc_mcontext.gregs[REG_RIP];
	f.sp = (uint64_t)context->uc_mcontext.gregs[REG_RSP];
	f.fp = (uint64_t)context->uc_mcontext.gregs[REG_RBP];
#else
	f.pc = context->uc_mcontext.pc;
	f.sp = context->uc_mcontext.sp;
	f.fp = context->uc_mcontext.regs[29];
#endif
	return f;
}

/*
 * The function that the call before @pc calls; 0: that cannot be told.  What is
 * in front of it is read as if it was such a call, and may be another.
 */
static inline uint64_t
arch_called(uint64_t pc)
{
#if defined(__x86_64__)
	const uint8_t *code = (const uint8_t *)(uintptr_t)pc;
	int32_t distance;

	__builtin_memcpy(&distance, code - 4, sizeof(distance));
	if (code[-5] == 0xe8) /* call, so far from here */
		return pc + (uint64_t)(int64_t)distance;
	/* call by what stands there; or by a register */
	return 0;
#else
	(void)pc;
	return 0;
#endif
}

/*
 * Where the stub of a table of procedure linkages at @at leads to; 0: it is
 * none.  32 bytes from @at on are readable.
 */
static inline uint64_t
arch_linked(uint64_t at)
{
#if defined(__x86_64__)
	const uint8_t *code = (const uint8_t *)(uintptr_t)at;
	int32_t distance;

	if (code[0] == 0xf3 && code[1] == 0x0f && code[2] == 0x1e &&
	    code[3] == 0xfa)
		code += 4; /* endbr64 */
	if (code[0] == 0xf2)
		code++; /* bnd */
	if (code[0] != 0xff || code[1] != 0x25)
		return 0; /* no jump by what stands there */
	__builtin_memcpy(&distance, code + 2, sizeof(distance));
	return *(const uint64_t *)(code + 6 + distance);
#else
	(void)at;
	return 0;
#endif
}

#endif
