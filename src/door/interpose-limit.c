/*
 * interpose-limit.c - a program that limits its own address space
 *
 * Floor 8 (door).  Our tables are address space, of which little is ever
 * touched: some 300 MiB of it where there is no limit.  To a program that sets
 * itself one that would be missing.  So when it has, what we have not used is
 * given back, down to the share that we take where there is a limit from the
 * start (mem/segment.c).
 *
 * A limit that another process sets, or a system call by hand, is not noticed.
 */
#include <errno.h>
#include <sys/resource.h>

#include "base/base.h"
#include "door/boot.h"
#include "door/real.h"
#include "mem/segment.h"
#include "sys/sys.h"

/* The limit has been set; it is read again, as the pointer is not ours. */
static void
give_back(int resource)
{
	int error = errno;
	uint64_t space;

	if (resource != RLIMIT_AS || boot_enter() > ENTRY_SHARED ||
	    sys_is_confined() || boot_is_guest())
		return;
	space = sys_limit(RLIMIT_AS);
	if (space != UINT64_MAX)
		segment_narrow(space);
	errno = error;
}

EXPORT int
setrlimit(__rlimit_resource_t resource, const struct rlimit *limit)
{
	int r;

	(void)boot_enter(); /* from here on the real one is known */
	r = real.setrlimit(resource, limit);
	if (r == 0)
		give_back((int)resource);
	return r;
}

EXPORT int
setrlimit64(__rlimit_resource_t resource, const struct rlimit64 *limit)
{
	return setrlimit(resource, (const struct rlimit *)limit);
}

EXPORT int
prlimit(pid_t pid, enum __rlimit_resource resource,
    const struct rlimit *limit, struct rlimit *before)
{
	int r;

	(void)boot_enter();
	r = real.prlimit(pid, resource, limit, before);
	if (r == 0 && limit != NULL && (pid == 0 || pid == sys_pid()))
		give_back((int)resource);
	return r;
}

EXPORT int
prlimit64(pid_t pid, enum __rlimit_resource resource,
    const struct rlimit64 *limit, struct rlimit64 *before)
{
	return prlimit(pid, resource, (const struct rlimit *)limit,
	    (struct rlimit *)before);
}
