/*
 * cgroup.h - the memory limits of the control groups that hold a process
 *
 * Floor 2 (sys).  May use: base.  Used by: the library at boot and when a
 * limit changes, the tools.
 * Contexts: not from inside malloc (it reads many files), but it allocates
 * nothing and leaves errno alone.  Needs 16 KiB of stack.
 * Errors: 0 or a negative errno value.
 *
 * A process is limited by its own group and by every group above.  Where the
 * groups lie in the file system is not a matter of convention: the path comes
 * from /proc/PID/cgroup, the place of the tree from mountinfo, and in a
 * container what is mounted may be a group in the middle of the tree.  Of a
 * host with both versions mounted, the one that has the memory controller
 * counts.
 */
#ifndef SYS_CGROUP_H
#define SYS_CGROUP_H

#include <stddef.h>
#include <stdint.h>

#define CGROUP_NONE   UINT64_MAX /* no limit, or not known */
#define CGROUP_LEVELS 32         /* groups above each other that are read */
#define CGROUP_ROOM   2048       /* bytes of a path, terminator included */

/* One group.  Its directory is the first @path_bytes of the tree's path. */
struct cgroup_level {
	uint64_t max;  /* v2 memory.max, v1 memory.limit_in_bytes */
	uint64_t high; /* v2 memory.high: from here the kernel slows us down */
	uint64_t swap; /* how much may be swapped out beside; never added */
	uint64_t used; /* of what it holds, what the kernel cannot simply drop:
	                * without the clean page cache */
	size_t path_bytes;
};

struct cgroup_memory {
	int version;   /* 1 or 2; 0: no memory controller anywhere */
	uint64_t hierarchical; /* v1: the least limit, groups that are out of
	                        * sight included */
	size_t levels; /* the process' own group first, then upwards */
	struct cgroup_level level[CGROUP_LEVELS];
	char path[CGROUP_ROOM]; /* directory of the process' own group */
};

/*
 * Find and read the groups of @pid (0: the caller).
 *
 * @root: stands before /proc and before every mount point; "" but for a tree
 *        made by a test
 *
 * Return: 0, also if there is nothing to find (version 0): no control groups,
 * none that we can see, no such process; -ENAMETOOLONG and what the kernel
 * says of a file that is there and cannot be read.
 */
int cgroup_memory_read(const char *root, int pid,
    struct cgroup_memory *memory);

/* The file of a group's directory that holds its limit. */
const char *cgroup_file_of_max(const struct cgroup_memory *memory);

#endif
