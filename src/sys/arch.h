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

/*
 * Make @n of a word that only this thread writes, if it still is *@was; false:
 * a signal handler came in between, and *@was is what it is now.
 */
static inline int
arch_swap_own_u64(_Atomic uint64_t *word, uint64_t *was, uint64_t n)
{
#if ARCH_ONE_INSTRUCTION
	int done;

	/* No lock prefix: against this thread's signals it is whole. */
	__asm__ volatile("cmpxchgq %3, %0"
	    : "+m"(*(uint64_t *)word), "+a"(*was), "=@ccz"(done)
	    : "r"(n));
	return done;
#else
	return atomic_compare_exchange_strong_explicit(word, was, n,
	    memory_order_relaxed, memory_order_relaxed);
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

/* Where the stack ends now: what is below is nobody's. */
static inline uint64_t
arch_sp(void)
{
	uint64_t sp;

#if defined(__x86_64__)
	__asm__ volatile("movq %%rsp, %0" : "=r"(sp));
#else
	__asm__ volatile("mov %0, sp" : "=r"(sp));
#endif
	return sp;
}

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

/*
 * Leave this stack for another, for good: call @function(@argument) with its
 * stack pointer at @top, which is a multiple of 16.
 */
static inline __attribute__((noreturn)) void
arch_go_on_at(void *top, void (*function)(void *), void *argument)
{
#if defined(__x86_64__)
	__asm__ volatile(
	    "movq %0, %%rsp\n"
	    "xorl %%ebp, %%ebp\n"
	    "callq *%1\n"
	    "ud2\n"
	    : : "r"(top), "r"(function), "D"(argument) : "memory");
#else
	register void *x0 __asm__("x0") = argument;

	__asm__ volatile(
	    "mov sp, %0\n"
	    "mov x29, xzr\n"
	    "blr %1\n"
	    "brk #1\n"
	    : : "r"(top), "r"(function), "r"(x0) : "memory");
#endif
	__builtin_unreachable();
}

/*
 * Can a thread be held by a signal without harm?  It is to go on as if nothing
 * had been, even in a call that a signal ends before its time; so the call must
 * be made again, and that takes its number and its first argument, which on
 * aarch64 is gone by then.
 *
 * ARCH_WORDS: registers that may hold a pointer.
 */
#if defined(__x86_64__)
#define ARCH_CAN_HOLD 1
#define ARCH_WORDS    16
#define ARCH_RED_ZONE 128 /* in use below the stack pointer */
#else
#define ARCH_CAN_HOLD 0
#define ARCH_WORDS    31
#define ARCH_RED_ZONE 0
#endif

/* The registers of an interrupted thread. */
static inline void
arch_registers(const ucontext_t *context, uint64_t word[ARCH_WORDS])
{
	int i;

	for (i = 0; i < ARCH_WORDS; i++)
#if defined(__x86_64__)
		word[i] = (uint64_t)context->uc_mcontext.gregs[i];
#else
		word[i] = context->uc_mcontext.regs[i];
#endif
}

#if ARCH_CAN_HOLD
/*
 * The thread was in a system call that the signal has ended, with no other
 * result than that: where does it go on?  0: in no such place.
 */
static inline uint64_t
arch_ended_call(const ucontext_t *context)
{
	uint64_t pc = (uint64_t)context->uc_mcontext.gregs[REG_RIP];
	const uint8_t *code = (const uint8_t *)pc;

	return context->uc_mcontext.gregs[REG_RAX] == -4 /* EINTR */ &&
	    code[-2] == 0x0f && code[-1] == 0x05 ? pc : 0;
}

/* The number of the call in front of @pc, where it is plain to see; or -1. */
static inline long
arch_call_before(uint64_t pc)
{
	const uint8_t *code = (const uint8_t *)pc - 7;

	return code[0] != 0xb8 ? -1 : (long)(code[1] | code[2] << 8 |
	    code[3] << 16);
}

/*
 * A system call with a result that is no error has just come back: its number,
 * where it is plain to see, its arguments and the result; or -1.
 */
static inline long
arch_short_call(const ucontext_t *context, uint64_t argument[6], long *result)
{
	const greg_t *r = context->uc_mcontext.gregs;
	const uint8_t *code = (const uint8_t *)r[REG_RIP];

	if (code[-2] != 0x0f || code[-1] != 0x05 || r[REG_RAX] <= 0)
		return -1;
	argument[0] = (uint64_t)r[REG_RDI];
	argument[1] = (uint64_t)r[REG_RSI];
	argument[2] = (uint64_t)r[REG_RDX];
	argument[3] = (uint64_t)r[REG_R10];
	argument[4] = (uint64_t)r[REG_R8];
	argument[5] = (uint64_t)r[REG_R9];
	*result = r[REG_RAX];
	return arch_call_before((uint64_t)r[REG_RIP]);
}

/* Have the thread make its call again, which is of this number. */
static inline void
arch_call_again(ucontext_t *context, long number)
{
	context->uc_mcontext.gregs[REG_RAX] = number;
	context->uc_mcontext.gregs[REG_RIP] -= 2;
}

static inline void
arch_set_result(ucontext_t *context, long result)
{
	context->uc_mcontext.gregs[REG_RAX] = result;
}

/*
 * What a handler returns to, in the very bytes by which unwinders know it:
 * mov $15, %rax; syscall (rt_sigreturn).
 */
__attribute__((unused, naked)) static void
arch_restorer(void)
{
	__asm__(".byte 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05");
}
#define ARCH_ACTION_FLAGS 0x04000000 /* SA_RESTORER */
#endif

/*
 * A thread's control block: its address stands in it twice, and behind it, at
 * the same distance in each, the number of the thread, 0 once it has ended
 * (glibc: struct pthread).  ARCH_TCB_SELF: is there such a mark on this CPU?
 */
#if defined(__x86_64__)
#define ARCH_TCB_SELF 1
#else
#define ARCH_TCB_SELF 0
#endif

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
