#include "profile/absent.h"

#include <errno.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "profile/shelf.h"
#include "say/print.h"
#include "sys/place.h"
#include "sys/proc.h"

#define GONE_SUFFIX " (deleted)"

/* What its mappings tell of heaptide in a process. */
struct traces {
	bool has_segment;
	bool segment_is_gone; /* the file has been removed */
	char directory[PLACE_ROOM];
};

static void
look_at(void *context, const struct proc_vma *vma)
{
	struct traces *traces = context;
	const char *slash = strrchr(vma->name, '/');
	char name[PLACE_ROOM];
	struct shelf_name parsed;
	size_t length;
	bool gone;

	if (!vma->shared || slash == NULL || slash == vma->name ||
	    strlen(vma->name) >= sizeof(name))
		return;
	strcpy(name, slash + 1);
	length = strlen(name);
	gone = length > strlen(GONE_SUFFIX) && strcmp(name + length -
	    strlen(GONE_SUFFIX), GONE_SUFFIX) == 0;
	if (gone)
		name[length - strlen(GONE_SUFFIX)] = '\0';
	if (!shelf_parse(name, &parsed))
		return;
	traces->has_segment = true;
	traces->segment_is_gone = gone;
	snprintf(traces->directory, sizeof(traces->directory), "%.*s",
	    (int)(slash - vma->name), vma->name);
}

static void
tell_owner(uid_t uid, char *reason, size_t room)
{
	const struct passwd *user = getpwuid(uid);

	if (user != NULL)
		snprintf(reason, room, ": it is of another user, %.64s",
		    user->pw_name);
	else
		snprintf(reason, room, ": it is of another user, number %lu",
		    (unsigned long)uid);
}

void
absent_reason(uint64_t pid, char *reason, size_t room)
{
	struct proc_status status = { 0 };
	struct traces traces = { 0 };
	int r = proc_status_read((int)pid, &status);

	reason[0] = '\0';
	if (r == -ENOENT || r == -ESRCH) {
		snprintf(reason, room, ": there is no such process");
		return;
	}
	if (r < 0)
		return;
	if (status.uid != geteuid()) {
		tell_owner(status.uid, reason, room);
		return;
	}
	if (proc_vmas_read((int)pid, look_at, &traces) < 0)
		return;
	if (!traces.has_segment)
		snprintf(reason, room, ": it runs without heaptide inside, "
		    "as 'heaptide run' would have started it");
	else if (traces.segment_is_gone)
		snprintf(reason, room, ": the file was removed while it runs");
	else
		snprintf(reason, room, ": it lies in '%.200s'; set "
		    "HEAPTIDE_DIR to that",
		    print_clean(traces.directory));
}

const char *
absent_place(const char *directory, int error)
{
	struct stat st;

	/* It can be seen, so it is its owner or its mode. */
	if (error == -EACCES && lstat(directory, &st) == 0)
		return "it is not yours alone";
	return strerror(-error);
}
