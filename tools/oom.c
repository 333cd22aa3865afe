#include "oom.h"

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

uint64_t
oom_kills(void)
{
	static const char *const files[] = {
		[1] = "memory.oom_control",
		[2] = "memory.events",
	};
	char path[CGROUP_ROOM + 32];
	struct cgroup_memory group;
	uint64_t n = 0;

	if (cgroup_memory_read("", 0, &group) == 0 && group.version > 0 &&
	    group.version < (int)ARRAY_LENGTH(files)) {
		snprintf(path, sizeof(path), "%s/%s", group.path,
		    files[group.version]);
		if (read_counter(path, &n))
			return n;
	}
	(void)read_counter("/proc/vmstat", &n);
	return n;
}
