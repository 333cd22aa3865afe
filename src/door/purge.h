/*
 * purge.h - have the allocator give back to the system what is free in it
 *
 * Floor 8 (door), above real and boot.  May use: stack, sys.  Used by: attend,
 * cooperate.
 * Contexts: as told with each function; errno may be changed.
 *
 * glibc, jemalloc, tcmalloc and mimalloc can (see find_trim() in real.c).  They
 * take their locks for it: so it is never done inside malloc where these are
 * held, nor in a signal handler, which may have interrupted this very thread
 * where it holds one, and then would wait for ever.
 */
#ifndef DOOR_PURGE_H
#define DOOR_PURGE_H

#include <stdbool.h>

#include "door/real.h"
#include "sys/arch.h"
#include "sys/sys.h"

/* Is there a way at all?  It takes system calls, of the allocator's. */
static inline bool
purge_can(void)
{
	return real.trim != NULL && !sys_is_confined();
}

/*
 * Is the calling thread outside of all signal handlers, by a walk from @caller
 * to the root of its own stack?  False as well where the walk does not get
 * there.  Some us.
 */
bool purge_is_safe(const struct arch_frame *caller);

/*
 * Do it, where the program has called us and not the allocator: @want bytes, or
 * more, TIDE_NONE: all.  False: there is no way, or not here.  From some us to
 * 100 ms and more, by what is free.
 */
bool purge_here(uint64_t want);

#endif
