/*
 * interpose-lock.c - mlockall(), as the program calls it
 *
 * Floor 8 (door).  Our tables are address space, of which little is ever
 * touched.  To lock a range is to fill it; so what is the program's is locked
 * and filled, range by range, and what is ours is let alone.
 */
#include <errno.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/base.h"
#include "base/segment.h"
#include "door/boot.h"
#include "door/identity.h"
#include "door/real.h"
#include "mem/arena.h"
#include "mem/segment.h"
#include "sys/proc.h"
#include "sys/sys.h"

static bool
meets(const struct proc_vma *vma, uint64_t start, uint64_t end)
{
	return vma->start < end && vma->end > start;
}

static bool
is_ours(const struct segment *s, const struct proc_vma *vma)
{
	struct segment_span span[SEGMENT_OWN_SPANS];
	size_t n = segment_spans(span);
	size_t i;

	if (meets(vma, (uintptr_t)__ehdr_start, (uintptr_t)_end))
		return true;
	for (i = 0; i < n; i++)
		if (meets(vma, span[i].start, span[i].end))
			return true;
	for (i = 0; i < SEGMENT_SPANS; i++)
		if (meets(vma, s->own[i].start, s->own[i].end))
			return true;
	return false;
}

/*
 * To lock a range that is locked already, to be filled as it is touched, fills
 * it.  Where that fails, mlockall() would not have said so either.
 */
static void
settle(void *context, const struct proc_vma *vma)
{
	const struct segment *s = context;
	void *at = (void *)(uintptr_t)vma->start;
	size_t bytes = vma->end - vma->start;

	if (is_ours(s, vma))
		(void)sys_munlock(at, bytes);
	else if (vma->readable || vma->writable || vma->executable)
		(void)sys_mlock(at, bytes);
}

struct sum {
	const struct segment *segment;
	uint64_t bytes; /* of the program's ranges */
};

static void
add(void *context, const struct proc_vma *vma)
{
	struct sum *sum = context;

	if (!is_ours(sum->segment, vma))
		sum->bytes += vma->end - vma->start;
}

/* Without us, would all there is be within RLIMIT_MEMLOCK? */
static bool
would_fit(const struct segment *s)
{
	struct sum sum = { s, 0 };

	return proc_vmas_read(0, add, &sum) == 0 &&
	    sum.bytes <= sys_limit(RLIMIT_MEMLOCK);
}

/*
 * All there is, to be filled as it is touched; then what is the program's in
 * earnest, and what the flags say of the future.
 */
static int
lock_current(int flags)
{
	struct segment *s = segment_mine();
	int error = errno;

	(void)arena_spans(s->own);
	if (real.mlockall(flags | MCL_ONFAULT) != 0 &&
	    (errno != ENOMEM || !would_fit(s)))
		return -1;
	if (proc_vmas_read(0, settle, s) < 0) {
		errno = EINVAL;
		return -1;
	}
	errno = error;
	return (flags & MCL_FUTURE) == 0 ? 0 :
	    real.mlockall(flags & ~MCL_CURRENT);
}

EXPORT int
mlockall(int flags)
{
	if (boot_enter() > ENTRY_SHARED || sys_is_confined() ||
	    (flags & MCL_ONFAULT) != 0)
		return real.mlockall(flags);
	/* Before, and not behind: other threads map meanwhile. */
	if ((flags & MCL_FUTURE) != 0) {
		if (sys_limit(RLIMIT_MEMLOCK) != UINT64_MAX)
			arena_reserve(ARENA_RESERVE);
		arena_keep_sparse();
	}
	if ((flags & MCL_CURRENT) != 0) {
		if (lock_current(flags) == 0)
			return 0;
		/* Before Linux 4.4, or without /proc: in the common way. */
		if (errno != EINVAL)
			return -1;
	}
	return real.mlockall(flags);
}
