/*
 * cmd-ps.c - `heaptide ps`: every process of this user with heaptide inside
 *
 * The directory of segments is the list: who is alive is measured, who is
 * dead left a profile that nobody has collected, and what cannot be read is
 * one line.  A parent is known by pid and start time, so a tree is a tree even
 * when pids come round.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uthash.h>

#include "base/base.h"
#include "base/text.h"
#include "command.h"
#include "json.h"
#include "need.h"
#include "option.h"
#include "print.h"
#include "reader.h"
#include "shelf.h"
#include "sys/place.h"
#include "sys/proc.h"

#define INDENT_MOST 40 /* columns of tree in front of a command */

extern char **environ;

struct ps_options {
	bool json;
	bool all;
	bool clean;
};

static const struct option_row ps_rows[] = {
	{ .name = "all", .letter = 'a', .kind = OPTION_FLAG,
	  .at = offsetof(struct ps_options, all),
	  .help = "also what a process was before an exec" },
	{ .name = "clean", .kind = OPTION_FLAG,
	  .at = offsetof(struct ps_options, clean),
	  .help = "remove what dead processes left and nobody will collect" },
	{ .name = "json", .kind = OPTION_FLAG,
	  .at = offsetof(struct ps_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

/* --- what is known of one segment ----------------------------------------- */

enum state {
	STATE_RUNNING,
	STATE_STOPPED,
	STATE_ZOMBIE,
	STATE_DEAD,
	STATE_REPLACED, /* the process went on by exec, as another program */
	STATE_ELSEWHERE /* of another machine or container: nothing is known */
};

static const char *const state_names[] = {
	[STATE_RUNNING] = "running",
	[STATE_STOPPED] = "stopped",
	[STATE_ZOMBIE] = "zombie",
	[STATE_DEAD] = "dead",
	[STATE_REPLACED] = "replaced",
	[STATE_ELSEWHERE] = "elsewhere",
};

/* Who a process is, for good. */
struct key {
	uint64_t namespace;
	uint64_t ticks;
	int64_t pid;
	int64_t image;
};

struct entry {
	struct key key;
	struct key parent;
	int pid;            /* as we call it; 0: it is not alive */
	enum state state;
	char *path;
	char *trouble;      /* why it cannot be read, or NULL */
	char *command;      /* with its arguments */
	char *run;
	struct segment_end end;
	uint64_t heap, peak, resident, bytes_on_disk;
	uint32_t threads;
	const char *stacks;
	double started;     /* seconds since 1970 */
	bool awaited;       /* its `heaptide run` lives and will collect */

	struct entry *first_child, *last_child, *sibling;
	bool has_parent, shown;
	UT_hash_handle hh;
};

struct listing {
	struct entry **entry; /* in order of start */
	size_t count, room;
	struct entry *by_key;
	char host[HOST_NAME_MAX + 1];
};

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

static enum state
find_state(const struct entry *e, struct proc_stat *stat)
{
	if (e->pid == 0 || proc_stat_read(e->pid, stat) < 0)
		return e->key.namespace == 0 || shelf_namespace() == 0 ||
		    e->key.namespace == shelf_namespace() ? STATE_DEAD :
		    STATE_ELSEWHERE;
	switch (stat->state) {
	case 'Z':
	case 'X':
		/* The first thread alone may have ended. */
		return stat->threads > 1 ? STATE_RUNNING : STATE_ZOMBIE;
	case 'T':
	case 't':
		return STATE_STOPPED;
	default:
		return STATE_RUNNING;
	}
}

static bool
is_living(enum state state)
{
	return state == STATE_RUNNING || state == STATE_STOPPED;
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

static void
read_profile(const struct listing *l, struct entry *e,
    const struct profile *p)
{
	const struct segment *s = p->segment;
	struct totals totals;
	char *host;

	profile_totals(p, &totals);
	e->heap = totals.live_bytes;
	e->peak = totals.peak_bytes;
	e->threads = s->live.threads_most;
	e->resident = s->rss[RSS_LAST].resident;
	e->stacks = profile_stacks(p);
	e->started = profile_started(p);
	e->end = s->end;
	e->parent = (struct key){
		.namespace = s->identity.namespace,
		.ticks = s->identity.parent_ticks,
		.pid = s->identity.parent_pid,
		.image = SHELF_LAST,
	};
	e->command = profile_command(p);
	e->run = profile_text(p, s->identity.run);
	e->awaited = supervisor_lives(e->run);

	host = profile_text(p, s->identity.host);
	if (*host != '\0' && strcmp(host, l->host) != 0 &&
	    !is_living(e->state))
		e->state = STATE_ELSEWHERE;
	free(host);
}

static void
read_entry(const struct listing *l, struct entry *e)
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
	living = is_living(e->state);
	if (e->key.image != SHELF_LAST) {
		e->state = STATE_REPLACED;
		e->parent = e->key;
		e->parent.image = SHELF_LAST;
	} else if (living && e->end.how == END_EXEC) {
		/* By a program that we are not in. */
		e->state = STATE_REPLACED;
	} else if (living) {
		e->threads = stat.threads;
		if (proc_status_read(e->pid, &status) == 0)
			e->resident = status.resident;
	}
}

static void
add_entry(struct listing *l, const char *directory, const char *name)
{
	struct entry *e, *twin;
	struct shelf_name n;
	struct stat st;

	if (!shelf_parse(name, &n))
		return;
	e = need(calloc(1, sizeof(*e)));
	e->key.pid = n.pid;
	e->key.ticks = n.ticks;
	e->key.image = n.image;
	e->key.namespace = n.namespace;
	e->pid = find_pid(&n);
	e->path = need_text("%s/%s", directory, name);
	if (lstat(e->path, &st) == 0)
		e->bytes_on_disk = (uint64_t)st.st_blocks * 512;
	read_entry(l, e);
	if (l->count == l->room) {
		l->room = l->room * 2 + 16;
		l->entry = need(realloc(l->entry,
		    l->room * sizeof(l->entry[0])));
	}
	l->entry[l->count++] = e;
	HASH_FIND(hh, l->by_key, &e->key, sizeof(e->key), twin);
	if (twin == NULL)
		HASH_ADD(hh, l->by_key, key, sizeof(e->key), e);
}

static void
read_directory(struct listing *l, const char *directory)
{
	DIR *dir = opendir(directory);
	struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		add_entry(l, directory, entry->d_name);
	closedir(dir);
}

static int
compare_start(const void *a, const void *b)
{
	const struct key *x = &(*(struct entry *const *)a)->key;
	const struct key *y = &(*(struct entry *const *)b)->key;

	if (x->ticks != y->ticks)
		return x->ticks < y->ticks ? -1 : 1;
	if (x->namespace != y->namespace)
		return x->namespace < y->namespace ? -1 : 1;
	if (x->pid != y->pid)
		return x->pid < y->pid ? -1 : 1;
	return (x->image > y->image) - (x->image < y->image);
}

/*
 * Hang every entry below its parent.  Files may lie: show_tree() shows those
 * that are in a circle, and so below nobody, by themselves.
 */
static void
link_parents(struct listing *l)
{
	for (size_t i = 0; i < l->count; i++) {
		struct entry *e = l->entry[i], *parent;

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
read_listing(struct listing *l)
{
	char place[PLACE_ROOM];
	bool found = false;
	int r, error = 0;

	(void)gethostname(l->host, sizeof(l->host) - 1);
	for (unsigned n = 0; (r = place_look_at(environ, n, place)) != -ENODEV;
	    n++) {
		if (r == 0) {
			read_directory(l, place);
			found = true;
		} else if (r != -ENOENT && error == 0) {
			error = r;
		}
	}
	if (!found && error != 0) {
		(void)place_look(environ, place);
		print_error("ps: %s cannot be used: %s", place,
		    error == -EACCES ? "it is not yours alone" :
		    strerror(-error));
		return error;
	}
	if (l->count != 0)
		qsort(l->entry, l->count, sizeof(l->entry[0]), compare_start);
	link_parents(l);
	return 0;
}

static void
free_listing(struct listing *l)
{
	HASH_CLEAR(hh, l->by_key);
	for (size_t i = 0; i < l->count; i++) {
		struct entry *e = l->entry[i];

		free(e->path);
		free(e->trouble);
		free(e->command);
		free(e->run);
		free(e);
	}
	free(l->entry);
}

/* --- as text -------------------------------------------------------------- */

static const struct print_column columns[] = {
	{ "PID", true },
	{ "HEAP", true },
	{ "PEAK", true },
	{ "RSS", true },
	{ "THREADS", true },
	{ "STACKS", false },
	{ "STATE", false },
	{ "COMMAND", false },
};

/* "running", "dead, signal 9" */
static const char *
describe_state(const struct entry *e, char text[64])
{
	const char *name = state_names[e->state];

	if (e->state != STATE_DEAD || e->end.how == END_UNKNOWN)
		snprintf(text, 64, "%s", name);
	else if (e->end.how == END_SIGNALLED)
		snprintf(text, 64, "%s, %s %d", name, e->end.out_of_memory ?
		    "out of memory, signal" : "signal", e->end.signal);
	else
		snprintf(text, 64, "%s, status %d", name, e->end.status);
	return text;
}

static enum print_style
state_style(enum state state)
{
	switch (state) {
	case STATE_RUNNING: return PRINT_PLAIN;
	case STATE_STOPPED:
	case STATE_ZOMBIE: return PRINT_WARN;
	default: return PRINT_FAINT;
	}
}

/* The number that can be used here, or else the one it had. */
static long long
shown_pid(const struct entry *e)
{
	return e->pid != 0 ? e->pid : e->key.pid;
}

static void
show_entry(struct print_table *t, const struct entry *e, unsigned depth)
{
	unsigned indent = depth * 2 < INDENT_MOST ? depth * 2 : INDENT_MOST;
	char bytes[TEXT_BYTES_ROOM], state[64];

	print_row_style(t, state_style(e->state));
	print_cell(t, "%lld", shown_pid(e));
	print_cell(t, "%s", text_format_bytes(bytes, e->heap));
	print_cell(t, "%s", text_format_bytes(bytes, e->peak));
	print_cell(t, "%s", e->resident == 0 || !is_living(e->state) ? "-" :
	    text_format_bytes(bytes, e->resident));
	print_cell(t, "%u", e->threads);
	print_cell(t, "%s", e->stacks);
	print_cell(t, "%s", describe_state(e, state));
	print_cell(t, "%*s%s", (int)indent, "", e->command);
}

static bool
is_listed(const struct entry *e, const struct ps_options *o)
{
	return e->trouble == NULL && (e->state != STATE_REPLACED || o->all);
}

static void
show_tree(struct print_table *t, struct entry *e, unsigned depth,
    const struct ps_options *o)
{
	if (e->shown)
		return;
	e->shown = true;
	if (is_listed(e, o))
		show_entry(t, e, depth++);
	for (struct entry *c = e->first_child; c != NULL; c = c->sibling)
		show_tree(t, c, depth, o);
}

struct sums {
	size_t living, left, damaged;
	uint64_t heap, resident, left_bytes;
};

static struct sums
sum_up(const struct listing *l)
{
	struct sums s = { 0 };

	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = l->entry[i];

		s.damaged += e->trouble != NULL;
		if (is_living(e->state) && e->trouble == NULL) {
			s.living++;
			s.heap += e->heap;
			s.resident += e->resident;
		} else if (e->state == STATE_DEAD && !e->awaited) {
			s.left++;
			s.left_bytes += e->bytes_on_disk;
		}
	}
	return s;
}

static void
show_sums(const struct print *out, const struct listing *l)
{
	char heap[TEXT_BYTES_ROOM], resident[TEXT_BYTES_ROOM];
	struct sums s = sum_up(l);

	if (s.living == 0)
		print_line(out, PRINT_PLAIN,
		    "no process with heaptide inside is running");
	else
		print_line(out, PRINT_STRONG, "total of %zu: heap %s, "
		    "resident %s", s.living, text_format_bytes(heap, s.heap),
		    text_format_bytes(resident, s.resident));
	if (s.left != 0)
		print_line(out, PRINT_PLAIN, "%zu dead and not collected "
		    "(%s): 'heaptide report PID' reads, 'heaptide ps --clean' "
		    "removes", s.left, text_format_bytes(heap, s.left_bytes));
	for (size_t i = 0; i < l->count; i++)
		if (l->entry[i]->trouble != NULL)
			print_line(out, PRINT_BAD, "%s",
			    l->entry[i]->trouble);
}

static int
show_text(struct listing *l, const struct ps_options *o)
{
	struct print out = print_open(stdout);
	struct print_table *t;
	size_t listed = 0;

	for (size_t i = 0; i < l->count; i++)
		listed += is_listed(l->entry[i], o);
	if (listed != 0) {
		t = print_table_open(columns, ARRAY_LENGTH(columns));
		for (size_t i = 0; i < l->count; i++)
			if (!l->entry[i]->has_parent)
				show_tree(t, l->entry[i], 0, o);
		for (size_t i = 0; i < l->count; i++)
			show_tree(t, l->entry[i], 0, o);
		print_table_close(t, &out, 0);
	}
	show_sums(&out, l);
	return COMMAND_DONE;
}

/* --- as JSON -------------------------------------------------------------- */

static json_t *
json_entry(const struct entry *e)
{
	json_t *o = json_pack("{s:I, s:s, s:I, s:I, s:I, s:s, s:f}",
	    "pid", (json_int_t)shown_pid(e),
	    "state", state_names[e->state],
	    "heap", (json_int_t)e->heap,
	    "peak", (json_int_t)e->peak,
	    "threads", (json_int_t)e->threads,
	    "stacks", e->stacks,
	    "started", e->started);

	json_object_set_new(o, "rss", is_living(e->state) ?
	    json_integer((json_int_t)e->resident) : json_null());
	json_object_set_new(o, "parent", e->has_parent &&
	    e->key.image == SHELF_LAST ? json_integer(
	    (json_int_t)e->parent.pid) : json_null());
	json_object_set_new(o, "command", json_text(e->command));
	json_object_set_new(o, "path", json_text(e->path));
	if (e->end.how != END_UNKNOWN && !is_living(e->state))
		json_object_set_new(o, "end", json_end(NULL, &e->end));
	return o;
}

static int
show_json(const struct listing *l, const struct ps_options *o)
{
	json_t *processes = json_array(), *damaged = json_array();
	struct sums s = sum_up(l);
	json_t *object = json_head();

	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = l->entry[i];

		if (e->trouble != NULL)
			json_array_append_new(damaged, json_pack("{s:o, s:o}",
			    "path", json_text(e->path),
			    "error", json_text(e->trouble)));
		else if (is_listed(e, o))
			json_array_append_new(processes, json_entry(e));
	}
	json_object_set_new(object, "processes", processes);
	json_object_set_new(object, "damaged", damaged);
	json_object_set_new(object, "total", json_pack("{s:I, s:I, s:I, s:I}",
	    "running", (json_int_t)s.living, "not_collected",
	    (json_int_t)s.left, "heap", (json_int_t)s.heap,
	    "rss", (json_int_t)s.resident));
	return json_print(object);
}

/* --- cleaning ------------------------------------------------------------- */

/*
 * What an exec left behind goes with its process.  A segment that cannot be
 * read is known by its name alone, and that is enough to see it dead.
 */
static bool
is_left(const struct listing *l, const struct entry *e)
{
	struct proc_stat stat;
	struct entry *last;

	if (e->state == STATE_REPLACED) {
		if (e->key.image == SHELF_LAST)
			return false; /* its process lives */
		HASH_FIND(hh, l->by_key, &e->parent, sizeof(e->parent), last);
		return !e->awaited && (last != NULL ? is_left(l, last) :
		    find_state(e, &stat) == STATE_DEAD);
	}
	return e->state == STATE_DEAD && !e->awaited;
}

static int
clean(const struct listing *l, const struct ps_options *o)
{
	struct print out = print_open(stdout);
	char bytes[TEXT_BYTES_ROOM];
	uint64_t freed = 0;
	size_t removed = 0;
	int status = COMMAND_DONE;

	for (size_t i = 0; i < l->count; i++) {
		const struct entry *e = l->entry[i];

		if (!is_left(l, e))
			continue;
		if (unlink(e->path) == 0) {
			removed++;
			freed += e->bytes_on_disk;
		} else if (errno != ENOENT) {
			print_error("ps: cannot remove %s: %s", e->path,
			    strerror(errno));
			status = COMMAND_FAILED;
		}
	}
	if (o->json) {
		json_t *object = json_head();

		json_object_set_new(object, "removed",
		    json_integer((json_int_t)removed));
		json_object_set_new(object, "bytes",
		    json_integer((json_int_t)freed));
		return json_print(object) == COMMAND_DONE ? status :
		    COMMAND_FAILED;
	}
	print_line(&out, PRINT_PLAIN, "removed %zu profile%s of dead "
	    "processes, %s", removed, removed == 1 ? "" : "s",
	    text_format_bytes(bytes, freed));
	return status;
}

static int
ps_run(const void *options, int operands, char **operand)
{
	const struct ps_options *o = options;
	struct listing l = { .count = 0 };
	int status = COMMAND_FAILED;

	(void)operands;
	(void)operand;
	if (read_listing(&l) == 0)
		status = o->clean ? clean(&l, o) :
		    o->json ? show_json(&l, o) : show_text(&l, o);
	free_listing(&l);
	return status;
}

const struct command command_ps = {
	.name = "ps",
	.help = "list the processes of this user with heaptide inside",
	.rows = ps_rows,
	.options_bytes = sizeof(struct ps_options),
	.run = ps_run,
};
