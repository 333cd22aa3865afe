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

#include <stdbool.h>
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
	uint64_t used; /* of what it holds, what the kernel cannot simply drop,
	                * see below */
	size_t path_bytes;
};

/*
 * What is used.  The page cache is never counted, unless it has to be written
 * first; what was swapped out is wanted back one day.
 *
 *	version 2  memory.current
 *		   - (active_file + inactive_file - file_dirty - file_writeback)
 *		   - slab_reclaimable + memory.swap.current
 *	version 1  memory.usage_in_bytes
 *		   - (total_active_file + total_inactive_file - total_dirty -
 *		   total_writeback) + total_swap
 *
 * Of version 2 this is anon + shmem + kernel - slab_reclaimable + sock +
 * file_dirty + swap, and beside these what is being written and files that are
 * locked in memory: the kernel cannot drop them either.  It is taken from the
 * whole and not summed up, as kernel has been in memory.stat since Linux 5.18
 * only, and what a later one adds is in the whole.  Of version 1 it is
 * total_rss + total_shmem and the kernel's memory, of which version 1 does not
 * tell what could be dropped.
 */

/* How often something befell a group, or one below it, since it was made. */
struct cgroup_events {
	uint64_t high;     /* slowed down, for memory.high */
	uint64_t max;      /* was at its limit, and had to drop something */
	uint64_t oom;      /* and could drop nothing */
	uint64_t oom_kill; /* processes that were killed for it */
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

/* The same, but that none is read: @version and @path only. */
int cgroup_memory_find(const char *root, int pid,
    struct cgroup_memory *memory);

/* Is a limit of these groups not what it was?  Reads no more than these. */
bool cgroup_memory_has_changed(const struct cgroup_memory *memory);

/* The file of a group's directory that holds its limit. */
const char *cgroup_file_of_max(const struct cgroup_memory *memory);

/*
 * What befell the group at @level (0: the process' own).  Version 1 knows of
 * max and oom_kill only.
 *
 * Return: 0; -ENODATA: there is no such group; what the kernel says, as
 * -ENOENT for the root of version 2.
 */
int cgroup_events_read(const struct cgroup_memory *memory, size_t level,
    struct cgroup_events *events);

/*
 * The file for pressure_read() of the process' own group.  -ENODATA: version 1
 * has none; -ENAMETOOLONG.
 */
int cgroup_pressure_path(const struct cgroup_memory *memory, char *path,
    size_t room);

#endif
