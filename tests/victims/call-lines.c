/*
 * call-lines.c - calls whose return address is no longer where the call was
 *
 * usage: call-lines
 *
 * A call that never returns may be the last instruction of a function, so what
 * it would return to is in the next one; and a signal may come at the first
 * instruction of a function, before which there is another.  The last blocks
 * that are held tell which functions those were: their names are printed.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

static jmp_buf back;
static void *volatile kept;

static __attribute__((noreturn, noinline)) void
never_return(size_t size)
{
	kept = malloc(size);
	longjmp(back, 1);
}

/* In one section and in this order, each ends with a call. */
#define PLACED __attribute__((noinline, noreturn, section(".text.placed")))

PLACED static void
before_it(void)
{
	never_return(1001);
}

PLACED static void
the_caller(void)
{
	never_return(1002);
}

PLACED static void
behind_it(void)
{
	never_return(1003);
}

static void
handle(int signal, siginfo_t *info, void *context)
{
	ucontext_t *c = context;

	(void)signal;
	(void)info;
	kept = malloc(2001);
#if defined(__x86_64__)
	c->uc_mcontext.gregs[REG_RIP] += 2; /* behind the instruction */
#else
	c->uc_mcontext.pc += 4;
#endif
}

/* The trap is the first instruction, and nothing fills up what is before. */
void interrupted_at_once(void);
__asm__(
	".text\n"
	".p2align 4\n"
	".type not_this_one, %function\n"
	"not_this_one:\n"
	"	.cfi_startproc\n"
	"	nop\n"
	"	.cfi_endproc\n"
	".size not_this_one, . - not_this_one\n"
	".type interrupted_at_once, %function\n"
	"interrupted_at_once:\n"
	"	.cfi_startproc\n"
#if defined(__x86_64__)
	"	ud2\n"
#else
	"	udf #0\n"
#endif
	"	ret\n"
	"	.cfi_endproc\n"
	".size interrupted_at_once, . - interrupted_at_once\n");

int
main(void)
{
	struct sigaction action = { .sa_sigaction = handle,
		.sa_flags = SA_SIGINFO };
	static void (*const callers[])(void) = {
		before_it, the_caller, behind_it,
	};
	volatile int i;

	for (i = 0; i < 3; i++)
		if (setjmp(back) == 0)
			callers[i]();
	sigaction(SIGILL, &action, NULL);
	interrupted_at_once();
	return 0;
}
