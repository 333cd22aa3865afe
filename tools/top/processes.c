/*
 * processes.c - the directory of segments, read as the list of their processes
 */
#include "top/processes.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "profile/absent.h"
#include "profile/reader.h"
#include "profile/shelf.h"
#include "say/need.h"
#include "sys/place.h"
#include "sys/proc.h"

extern char **environ;

/* --- reading -------------------------------------------------------------- */

/*
 * A zombie is listed as well, unless it is one of another namespace: those are
 * searched for among the living.
 */
static int
find_pid(const struct shelf_name *name)
{
	struct proc_stat stat;

	if (name->namespace != 0 && name->namespace != shelf_namespace())
		return shelf_pid(name);
	return proc_stat_read(name->pid, &stat) == 0 &&
	    stat.ticks == name->ticks ? name->pid : 0;
}

static enum process_state
find_state(const struct process *e, struct proc_stat *stat)
{
	if (e->pid == 0 || proc_stat_read(e->pid, stat) < 0)
		return e->key.namespace == 0 || shelf_namespace() == 0 ||
		    e->key.namespace == shelf_namespace() ? PROCESS_DEAD :
		    PROCESS_ELSEWHERE;
	switch (stat->state) {
	case 'Z':
	case 'X':
		/* The first thread alone may have ended. */
		return stat->threads > 1 ? PROCESS_RUNNING : PROCESS_ZOMBIE;
	case 'T':
	case 't':
		return PROCESS_STOPPED;
	default:
		return PROCESS_RUNNING;
	}
}

/* HEAPTIDE_RUN is the supervisor's `pid.ticks.namespace`. */
static bool
supervisor_lives(const char *run)
{
	unsigned long long ticks, namespace;
	struct shelf_name name = { 0 };

	if (sscanf(run, "%d.%llu.%llu", &name.pid, &ticks, &namespace) != 3)
		return false;
	name.ticks = ticks;
	name.namespace = namespace;
	return shelf_pid(&name) != 0;
}

/* What it was called by, in short; to be freed. */
static char *
name_of(const struct profile *p)
{
	char **argument = profile_arguments(p);
	const char *slash = strrchr(argument[0], '/');
	char *name = need_text("%s", slash != NULL && slash[1] != '\0' ?
	    slash + 1 : argument[0]);

	free(argument);
	return name;
}

static void
read_profile(const struct processes *l, struct process *e,
    const struct profile *p)
{
	const struct segment *s = p->segment;
	struct totals totals;
	uint64_t budget = s->config.budget_bytes;
	char *host;

	profile_totals(p, &totals);
	e->heap = totals.live_bytes;
	e->peak = totals.peak_bytes;
	e->threads = s->live.threads_most;
	e->resident = s->rss[RSS_LAST].resident;
	e->stacks = profile_stacks(p);
	e->started = profile_started(p);
	e->end = s->end;
	e->parent = (struct process_key){
		.namespace = s->identity.namespace,
		.ticks = s->identity.parent_ticks,
		.pid = s->identity.parent_pid,
		.image = SHELF_LAST,
	};
	e->budget = budget != 0 ? budget : TIDE_NONE;
	e->command = profile_command(p);
	e->name = name_of(p);
	e->run = profile_text(p, s->identity.run);
	e->awaited = supervisor_lives(e->run);

	host = profile_text(p, s->identity.host);
	if (*host != '\0' && strcmp(host, l->host) != 0 &&
	    !process_is_living(e->state))
		e->state = PROCESS_ELSEWHERE;
	free(host);
}

static void
forget(struct processes *l, struct process *e)
{
	if (e->known)
		HASH_DEL(l->by_key, e);
	free(e->path);
	free(e->trouble);
	free(e->command);
	free(e->name);
	free(e->run);
	free(e);
}

static void
read_entry(const struct processes *l, struct process *e)
{
	struct proc_status status;
	struct proc_stat stat = { 0 };
	char why[512] = "";
	struct profile p;
	bool living;

	e->state = find_state(e, &stat);
	if (profile_open(e->path, &p, why) < 0) {
		e->trouble = need(strdup(why));
	} else {
		read_profile(l, e, &p);
		profile_close(&p);
	}
	living = process_is_living(e->state);
	if (e->key.image != SHELF_LAST) {
		e->state = PROCESS_REPLACED;
		e->parent = e->key;
		e->parent.image = SHELF_LAST;
	} else if (living && e->end.how == END_EXEC) {
		/* By a program that we are not in. */
		e->state = PROCESS_REPLACED;
	} else if (living) {
		e->threads = stat.threads;
		if (proc_status_read(e->pid, &status) == 0)
			e->resident = status.resident;
	}
}

/* False: what was read of it is not true any more, all of it. */
static bool
look_again(struct process *e)
{
	struct proc_status status;
	struct proc_stat stat = { 0 };
	enum process_state state;

	if (e->trouble != NULL)
		return false; /* being born, perhaps */
	if (!process_is_living(e->state))
		/* How it ended is written down by who awaits it. */
		return (e->state == PROCESS_DEAD && !(e->awaited &&
		    e->end.how == END_UNKNOWN)) ||
		    e->key.image != SHELF_LAST;
	state = find_state(e, &stat);
	if (!process_is_living(state) || stat.ticks != e->key.ticks)
		return false;
	e->state = state;
	e->threads = stat.threads;
	if (proc_status_read(e->pid, &status) == 0)
		e->resident = status.resident;
	return true;
}

static void
append(struct processes *l, struct process *e)
{
	struct process *twin;

	if (l->count == l->room) {
		l->room = l->room * 2 + 16;
		l->process = need(realloc(l->process,
		    l->room * sizeof(l->process[0])));
	}
	l->process[l->count++] = e;
	e->seen = true;
	HASH_FIND(hh, l->by_key, &e->key, sizeof(e->key), twin);
	if (twin == NULL) {
		HASH_ADD(hh, l->by_key, key, sizeof(e->key), e);
		e->known = true;
	}
}

/*
 * A file of the same name is another image after an exec: the one before is
 * still there, so that its inode cannot be the same.
 */
static bool
is_as_before(struct process *e, const char *path, const struct stat *st)
{
	return !e->seen && e->inode == st->st_ino &&
	    strcmp(e->path, path) == 0 && look_again(e);
}

static void
add_entry(struct processes *l, const char *directory, const char *name)
{
	struct process fresh = { 0 }, *e;
	struct stat st = { 0 };
	struct shelf_name n;

	if (!shelf_parse(name, &n))
		return;
	fresh.key.pid = n.pid;
	fresh.key.ticks = n.ticks;
	fresh.key.image = n.image;
	fresh.key.namespace = n.namespace;
	fresh.path = need_text("%s/%s", directory, name);
	if (lstat(fresh.path, &st) == 0)
		fresh.bytes_on_disk = (uint64_t)st.st_blocks * 512;
	fresh.inode = st.st_ino;
	HASH_FIND(hh, l->by_key, &fresh.key, sizeof(fresh.key), e);
	if (e != NULL && is_as_before(e, fresh.path, &st)) {
		free(fresh.path);
		e->seen = true;
		e->bytes_on_disk = fresh.bytes_on_disk;
		return;
	}
	if (e != NULL && !e->seen) {
		HASH_DEL(l->by_key, e);
		e->known = false; /* and not seen: forgotten at the end */
	}
	e = need(malloc(sizeof(*e)));
	*e = fresh;
	e->limit = e->left_s = UINT64_MAX;
	e->pid = find_pid(&n);
	read_entry(l, e);
	append(l, e);
}

static void
read_directory(struct processes *l, const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		add_entry(l, directory, entry->d_name);
	closedir(dir);
}

/*
 * Before a round nobody is seen, and nobody has a place in the tree; who is not
 * seen after it is gone.
 */
static void
begin_round(struct processes *l)
{
	for (size_t i = 0; i < l->count; i++) {
		struct process *e = l->process[i];

		e->seen = e->shown = e->has_parent = false;
		e->first_child = e->last_child = e->sibling = NULL;
	}
}

static void
end_round(struct processes *l)
{
	size_t kept = 0;

	for (size_t i = 0; i < l->count; i++)
		if (l->process[i]->seen)
			l->process[kept++] = l->process[i];
		else
			forget(l, l->process[i]);
	l->count = kept;
}

static int
compare_start(const void *a, const void *b)
{
	const struct process_key *x = &(*(struct process *const *)a)->key;
	const struct process_key *y = &(*(struct process *const *)b)->key;

	if (x->ticks != y->ticks)
		return x->ticks < y->ticks ? -1 : 1;
	if (x->namespace != y->namespace)
		return x->namespace < y->namespace ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->image > y->image) - (x->image < y->image);
}

/* Hang every entry below its parent. */
static void
link_parents(struct processes *l)
{
	for (size_t i = 0; i < l->count; i++) {
		struct process *e = l->process[i], *parent;

		HASH_FIND(hh, l->by_key, &e->parent, sizeof(e->parent),
		    parent);
		if (parent == NULL || parent == e)
			continue;
		e->has_parent = true;
		if (parent->last_child == NULL)
			parent->first_child = e;
		else
			parent->last_child->sibling = e;
		parent->last_child = e;
	}
}

/* All places that this user's processes may have taken. */
static int
read_places(struct processes *l, char place[PLACE_ROOM])
{
	bool found = false;
	int r, error = 0;

	for (unsigned n = 0; (r = place_look_at(environ, n, place)) != -ENODEV;
	    n++) {
		if (r == 0) {
			read_directory(l, place);
			found = true;
		} else if (r != -ENOENT && error == 0) {
			error = r;
		}
	}
	return found ? 0 : error;
}

int
processes_read(struct processes *l, char why[PROCESSES_WHY_ROOM])
{
	char place[PLACE_ROOM];
	int r;

	(void)gethostname(l->host, sizeof(l->host) - 1);
	begin_round(l);
	r = read_places(l, place);
	end_round(l);
	if (r < 0) {
		(void)place_look(environ, place);
		snprintf(why, PROCESSES_WHY_ROOM, "%.400s cannot be used: %s",
		    place, absent_place(place, r));
		return r;
	}
	if (l->count != 0)
		qsort(l->process, l->count, sizeof(l->process[0]),
		    compare_start);
	link_parents(l);
	return 0;
}

void
processes_free(struct processes *l)
{
	for (size_t i = 0; i < l->count; i++)
		forget(l, l->process[i]);
	free(l->process);
	*l = (struct processes){ .count = 0 };
}

/* --- cleaning ------------------------------------------------------------- */

/*
 * What an exec left behind goes with its process.  A segment that cannot be
 * read is known by its name alone, and that is enough to see it dead.
 */
bool
process_is_left(const struct processes *l, const struct process *e)
{
	struct proc_stat stat;
	struct process *last;

	if (e->state == PROCESS_REPLACED) {
		if (e->key.image == SHELF_LAST)
			return false; /* its process lives */
		HASH_FIND(hh, l->by_key, &e->parent, sizeof(e->parent), last);
		return !e->awaited && (last != NULL ? process_is_left(l, last) :
		    find_state(e, &stat) == PROCESS_DEAD);
	}
	return e->state == PROCESS_DEAD && !e->awaited;
}

