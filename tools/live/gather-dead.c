/*
 * gather-dead.c - a process has ended: what it adds, and its profile into the
 * folder
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "live/gather.h"
#include "profile/reader.h"
#include "profile/shelf.h"
#include "say/print.h"

char *
gather_name(const char *path, char name[GATHER_NAME_ROOM])
{
	const char *last = strrchr(path, '/');
	char *c;

	snprintf(name, GATHER_NAME_ROOM, "%s", last != NULL ? last + 1 : path);
	for (c = name; *c != '\0'; c++)
		if (strchr("/%\"'\\ \t\n*?[]$&|;<>()`!", *c) != NULL ||
		    (unsigned char)*c < ' ' || *c == 0x7f)
			*c = '_';
	return name;
}

/* Make the folder; false, with a sentence, if that is impossible. */
static bool
make_folder(struct gather *g)
{
	if (mkdir(g->folder, 0777) == 0 || errno == EEXIST)
		return true;
	print_error("cannot make %s for the profiles of child processes: %s; "
	    "they stay in %s", g->folder, strerror(errno), g->directory);
	g->refused = true;
	return false;
}

static void
name_process(const struct profile *p, char name[GATHER_NAME_ROOM])
{
	char **arguments = profile_arguments(p);

	gather_name(arguments != NULL && arguments[0] != NULL &&
	    arguments[0][0] != '\0' ? arguments[0] : "unknown", name);
	free(arguments);
}

/*
 * Where the copy goes.  A pid that was used twice gets its start time, too; and
 * its namespace, if that was the same by chance.
 */
static char *
name_copy(const struct gather *g, const struct shelf_name *name,
    const char *command)
{
	char image[16] = "", more[64] = "";
	char *path = NULL;

	if (name->image != SHELF_LAST)
		snprintf(image, sizeof(image), ".%d", name->image);
	for (int tries = 0; tries < 3; tries++) {
		if (tries == 1)
			snprintf(more, sizeof(more), ".%llu",
			    (unsigned long long)name->ticks);
		else if (tries == 2)
			snprintf(more, sizeof(more), ".%llu.%llu",
			    (unsigned long long)name->ticks,
			    (unsigned long long)name->namespace);
		free(path);
		if (asprintf(&path, "%s/heaptide.%s.%d%s%s" SEGMENT_SUFFIX,
		    g->folder, command, name->pid, more, image) < 0)
			return NULL;
		if (access(path, F_OK) != 0)
			break;
	}
	return path;
}

static int
copy(struct gather *g, const struct profile *p, const struct shelf_name *name,
    const char *command)
{
	char *to;
	int r;

	if (!make_folder(g))
		return -ENOENT;
	to = name_copy(g, name, command);
	r = to != NULL ? profile_compact(p, to) : -ENOMEM;
	if (r < 0) {
		print_error("cannot write %s: %s; profiles of child processes "
		    "stay in %s", to != NULL ? to : g->folder, strerror(-r),
		    g->directory);
		g->refused = true;
	}
	free(to);
	return r;
}

bool
gather_is_program(const struct gather *g, const struct shelf_name *name)
{
	return name->pid == g->pid && name->ticks == g->ticks &&
	    name->namespace == shelf_namespace();
}

/* What is true of the process stays true if its profile cannot be copied. */
static void
count(struct gather *g, const struct profile *p, const struct shelf_name *name,
    const char *command)
{
	struct totals totals;
	struct box box;

	if (p->room != NULL && p->rooms != 0) {
		box_read(&box, p->room);
		if (box.open && box.open_ns > g->box.open_ns)
			g->box = box;
	}
	profile_add_unfollowed(p, g->unfollowed);
	if (gather_is_program(g, name)) {
		g->images++;
		return;
	}
	g->processes += name->image == SHELF_LAST;
	profile_totals(p, &totals);
	if (g->largest.pid != 0 && totals.peak_bytes <= g->largest.peak_bytes)
		return;
	g->largest.pid = name->pid;
	g->largest.peak_bytes = totals.peak_bytes;
	snprintf(g->largest.name, sizeof(g->largest.name), "%s", command);
}

bool
gather_collect(struct gather *g, const char *path,
    const struct shelf_name *name)
{
	char command[GATHER_NAME_ROOM], why[512] = "";
	struct profile p;
	int r;

	r = profile_open(path, &p, why);
	if (r < 0) {
		print_error("the profile of process %d is lost: %s",
		    name->pid, why);
		g->kept++;
		return false;
	}
	name_process(&p, command);
	count(g, &p, name, command);
	r = g->refused ? -ENOSPC : copy(g, &p, name, command);
	profile_close(&p);
	if (r < 0) {
		g->kept++;
		return false;
	}
	unlink(path);
	return true;
}
