/*
 * oom.h - how often the OOM killer struck around us
 *
 * Beside the house (tools).  May use: base, sys.  Used by: run-*.c.
 */
#ifndef TOOLS_OOM_H
#define TOOLS_OOM_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/cgroup.h"

/*
 * Processes killed for lack of memory so far: in our memory cgroup (version 2
 * or 1), or on the whole machine where no cgroup counts them; 0 if nobody
 * does.  Two answers are to be compared: has it risen between them?
 */
uint64_t oom_kills(void);

/* The same in the group of one process, which may be another one's. */
struct oom {
	char group[CGROUP_ROOM]; /* its directory; "": none */
	int version;
	uint64_t kills;
};

/* Where it is now, if that has changed.  Zeroed before the first time. */
void oom_follow(struct oom *oom, int pid);

/* Has it struck there since then? */
bool oom_has_struck(const struct oom *oom);

#endif
