#include "run/oom.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "sys/cgroup.h"
#include "sys/proc.h"

/* The number behind `oom_kill ` in a file of such lines. */
static bool
read_counter(const char *path, uint64_t *n)
{
	static const char key[] = "oom_kill ";
	struct proc_lines lines;
	bool found = false;
	const char *line;

	if (proc_lines_open(&lines, path) < 0)
		return false;
	while (!found && (line = proc_lines_next(&lines)) != NULL) {
		if (strncmp(line, key, sizeof(key) - 1) != 0)
			continue;
		line += sizeof(key) - 1;
		found = proc_number(&line, 10, n);
	}
	(void)proc_lines_close(&lines);
	return found;
}

/* False: that group does not count them, or is gone. */
static bool
read_group(const char *group, int version, uint64_t *n)
{
	static const char *const files[] = {
		[1] = "memory.oom_control",
		[2] = "memory.events",
	};
	char path[CGROUP_ROOM + 32];

	if (version < 1 || version >= (int)ARRAY_LENGTH(files))
		return false;
	snprintf(path, sizeof(path), "%s/%s", group, files[version]);
	return read_counter(path, n);
}

uint64_t
oom_kills(void)
{
	struct cgroup_memory group;
	uint64_t n = 0;

	if (cgroup_memory_find("", 0, &group) == 0 &&
	    read_group(group.path, group.version, &n))
		return n;
	(void)read_counter("/proc/vmstat", &n);
	return n;
}

static bool
is_known(const struct oom *oom, const char *path)
{
	for (size_t i = 0; i < oom->groups; i++)
		if (strcmp(oom->group[i].path, path) == 0)
			return true;
	return false;
}

void
oom_follow(struct oom *oom, int pid)
{
	struct cgroup_memory memory;
	struct oom_group *group;
	uint64_t n = 0;

	if (cgroup_memory_find("", pid, &memory) != 0 ||
	    is_known(oom, memory.path) ||
	    !read_group(memory.path, memory.version, &n))
		return;
	/* Of many, the first and the last are worth it. */
	if (oom->groups < OOM_GROUPS)
		oom->groups++;
	group = &oom->group[oom->groups - 1];
	snprintf(group->path, sizeof(group->path), "%s", memory.path);
	group->version = memory.version;
	group->kills = n;
}

const char *
oom_struck(const struct oom *oom)
{
	uint64_t n;

	for (size_t i = 0; i < oom->groups; i++) {
		const struct oom_group *group = &oom->group[i];

		n = 0;
		if (read_group(group->path, group->version, &n) &&
		    n > group->kills)
			return group->path;
	}
	return NULL;
}
