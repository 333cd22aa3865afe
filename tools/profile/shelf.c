#include "profile/shelf.h"

#include <dirent.h>
#include <stddef.h>
#include <string.h>

#include "base/segment.h"
#include "base/text.h"
#include "sys/proc.h"

#define PARTS_MOST   3
#define NUMBER_ROOM 24

/*
 * The number before the next @end, or dot if that comes first; false: there is
 * none, or it is too large.
 */
static bool
take_number(const char **at, const char *ends, uint64_t most, uint64_t *n)
{
	size_t length = strcspn(*at, ends);
	char digits[NUMBER_ROOM];

	if (length == 0 || length >= sizeof(digits) || (*at)[length] == '\0')
		return false;
	memcpy(digits, *at, length);
	digits[length] = '\0';
	*at += length + 1;
	return text_parse_u64(digits, most, n) == 0;
}

bool
shelf_parse(const char *text, struct shelf_name *name)
{
	static const uint64_t most[PARTS_MOST] = {
		INT32_MAX, UINT64_MAX, INT32_MAX
	};
	const char *suffix = strrchr(text, '.');
	uint64_t part[PARTS_MOST];
	uint64_t namespace = 0;
	size_t parts = 0;

	if (suffix == NULL || strcmp(suffix, SEGMENT_SUFFIX) != 0)
		return false;
	while (text <= suffix) {
		if (parts == PARTS_MOST || !take_number(&text,
		    parts == 0 ? ".-" : ".", most[parts], &part[parts]))
			return false;
		if (parts++ == 0 && text[-1] == '-' &&
		    (!take_number(&text, ".", UINT64_MAX, &namespace) ||
		    namespace == 0))
			return false;
	}
	if (parts < 2 || part[0] == 0)
		return false;
	name->pid = (int)part[0];
	name->ticks = part[1];
	name->image = parts == 3 ? (int)part[2] : SHELF_LAST;
	name->namespace = namespace;
	return true;
}

bool
shelf_parse_run(const char *text, struct shelf_name *supervisor)
{
	uint64_t pid, ticks, namespace;

	if (!take_number(&text, ".", INT32_MAX, &pid) || pid == 0 ||
	    !take_number(&text, ".", UINT64_MAX, &ticks) ||
	    !take_number(&text, ".", UINT64_MAX, &namespace) ||
	    (strcmp(text, "log") != 0 && strcmp(text, "pressure") != 0))
		return false;
	supervisor->pid = (int)pid;
	supervisor->image = SHELF_LAST;
	supervisor->ticks = ticks;
	supervisor->namespace = namespace;
	return true;
}

uint64_t
shelf_namespace(void)
{
	struct proc_stat self;

	return proc_stat_read(0, &self) == 0 ? proc_namespace(self.pid) : 0;
}

static bool
is_it(const struct shelf_name *name, int pid)
{
	return proc_is_alive(pid, name->ticks) &&
	    proc_namespace_of(pid) == name->namespace &&
	    proc_number_inside(pid) == name->pid;
}

int
shelf_pid(const struct shelf_name *name)
{
	struct dirent *entry;
	uint64_t n;
	int pid = 0;
	DIR *dir;

	if (name->namespace == 0 || name->namespace == shelf_namespace())
		return proc_is_alive(name->pid, name->ticks) ? name->pid : 0;
	dir = opendir("/proc");
	if (dir == NULL)
		return 0;
	while (pid == 0 && (entry = readdir(dir)) != NULL)
		if (text_parse_u64(entry->d_name, INT32_MAX, &n) == 0 &&
		    is_it(name, (int)n))
			pid = (int)n;
	closedir(dir);
	return pid;
}
