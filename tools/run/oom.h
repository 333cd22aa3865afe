/*
 * oom.h - how often the OOM killer struck around us
 *
 * Beside the house (tools/run).  May use: base, sys.  Used by: run-*.c.
 */
#ifndef RUN_OOM_H
#define RUN_OOM_H

#include <stdbool.h>
#include <stdint.h>

#include "sys/cgroup.h"

/*
 * Processes killed for lack of memory so far: in our memory cgroup (version 2
 * or 1), or on the whole machine where no cgroup counts them; 0 if nobody
 * does.  Two answers are to be compared: has it risen between them?
 */
uint64_t oom_kills(void);

/*
 * The same in the groups of one process, which may be others than ours.  All
 * that it was in count: once it dies it is found in the root of them.
 */
#define OOM_GROUPS 4

struct oom_group {
	char path[CGROUP_ROOM]; /* its directory */
	int version;
	uint64_t kills;         /* when it came there */
};

struct oom {
	size_t groups;
	struct oom_group group[OOM_GROUPS];
};

/* Where it is now, if that has changed.  Zeroed before the first time. */
void oom_follow(struct oom *oom, int pid);

/* The group in which it has struck since then, or NULL. */
const char *oom_struck(const struct oom *oom);

#endif
