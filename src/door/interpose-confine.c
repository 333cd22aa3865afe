/*
 * interpose-confine.c - programs that forbid themselves system calls (seccomp)
 *
 * Floor 8 (door).  A filter is made for the calls of the program, and ends it
 * for any other.  So before the kernel hears of a filter, room is made for
 * some time to come, and from then on nothing of ours asks the kernel for
 * anything: what there is then no room for is counted as lost.
 *
 * Nobody can tell a filter that is installed by an instruction in the
 * program's own code, nor one that was there before the program was executed.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include "base/base.h"
#include "door/boot.h"
#include "door/keeper.h"
#include "door/real.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "sys/arch.h"
#include "sys/say.h"
#include "sys/sys.h"

static void
get_ready(void)
{
	say_once("the program confines itself by seccomp", 0, "from here on "
	    "heaptide asks the kernel for nothing, and counts what it loses");
	keeper_end();
	if (boot_enter() > ENTRY_SHARED)
		return;
	segment_reserve();
	arena_reserve(ARENA_RESERVE);
	(void)arena_spans(segment_mine()->own);
}

/*
 * Between the two the call is made.  One that fails leaves everything as it
 * was but for the reserve, which the next one finds.  A guest confines itself
 * and not its parent, who would never hear from us again.
 */
static bool
confine_begin(void)
{
	int error = errno;
	bool begins = !boot_is_guest();

	if (begins) {
		if (!sys_is_confined())
			get_ready();
		sys_confine();
	}
	errno = error;
	return begins;
}

static void
confine_end(bool began, bool failed)
{
	if (began && failed)
		sys_release();
}

/* Without a program it is a question whether there are filters at all. */
static bool
is_confining(long mode, const void *program)
{
	return mode == SECCOMP_MODE_STRICT ||
	    (mode == SECCOMP_MODE_FILTER && program != NULL);
}

/* --- prctl ---------------------------------------------------------------- */

static long
pass(long number, long a, long b, long c, long d, long e, long f)
{
	return real_syscall != NULL ?
	    real_syscall(number, a, b, c, d, e, f) :
	    real_directly(number, a, b, c, d, e, f);
}

EXPORT int
prctl(int option, ...)
{
	bool began = false;
	va_list more;
	long a, b, c, d;
	int r;

	va_start(more, option);
	a = va_arg(more, long);
	b = va_arg(more, long);
	c = va_arg(more, long);
	d = va_arg(more, long);
	va_end(more);

	if (UNLIKELY(option == PR_SET_SECCOMP) &&
	    is_confining(a, (const void *)b))
		began = confine_begin();
	r = real.prctl != NULL ? real.prctl(option, a, b, c, d) :
	    (int)pass(SYS_prctl, option, a, b, c, d, 0);
	confine_end(began, r < 0);
	return r;
}

/* --- syscall -------------------------------------------------------------- */

long confine_syscall(long number, long a, long b, long c, long d, long e,
    long f);

ARCH_DOOR(syscall, SYS_seccomp, SYS_prctl, real_syscall, confine_syscall);

/* Asked to synchronise all threads, it answers with the one that it cannot. */
static bool
has_failed(long result, long flags)
{
	return result < 0 || (result > 0 &&
	    (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0 &&
	    (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0);
}

/* Either of the two that may confine, or a call before there is a real one. */
__attribute__((used)) long
confine_syscall(long number, long a, long b, long c, long d, long e, long f)
{
	bool began = false;
	long flags = 0;
	long r;

	if (number == SYS_prctl) {
		if (a == PR_SET_SECCOMP && is_confining(b, (const void *)c))
			began = confine_begin();
	} else if (number == SYS_seccomp) {
		/* SECCOMP_SET_MODE_* are one less than SECCOMP_MODE_*. */
		if (is_confining(a + 1, (const void *)c))
			began = confine_begin();
		flags = b;
	}
	r = pass(number, a, b, c, d, e, f);
	confine_end(began, has_failed(r, flags));
	return r;
}
