#include "sys/cgroup.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/proc.h"

#define FILE_ROOM   (CGROUP_ROOM + 64) /* a group's path and a file in it */
#define V1_NO_LIMIT (UINT64_C(1) << 62) /* version 1 has no word for none */

/* What of memory.stat matters. */
struct numbers {
	uint64_t active_file, inactive_file, dirty, writeback;
	uint64_t slab_reclaimable;
	uint64_t swap;  /* version 1 */
	uint64_t limit; /* version 1: the least of all groups above */
};

#define NUMBER(key, field) { key " ", offsetof(struct numbers, field), 1 }

static const struct proc_key stat_keys_v1[] = {
	NUMBER("total_active_file", active_file),
	NUMBER("total_inactive_file", inactive_file),
	NUMBER("total_dirty", dirty),
	NUMBER("total_writeback", writeback),
	NUMBER("total_swap", swap),
	NUMBER("hierarchical_memory_limit", limit),
};

static const struct proc_key stat_keys_v2[] = {
	NUMBER("active_file", active_file),
	NUMBER("inactive_file", inactive_file),
	NUMBER("file_dirty", dirty),
	NUMBER("file_writeback", writeback),
	NUMBER("slab_reclaimable", slab_reclaimable),
};

/* What the two versions call the same things; NULL: it has no such file. */
static const struct dialect {
	int version;
	const char *type;       /* of the file system */
	const char *controller; /* named in /proc/PID/cgroup and the mount */
	const char *max, *high, *swap, *used, *swapped;
	const char *events, *hits;
	const struct proc_key *stat;
	size_t stat_count;
} dialects[] = {
	{ 1, "cgroup", "memory", "memory.limit_in_bytes", NULL, NULL,
	    "memory.usage_in_bytes", NULL, "memory.oom_control",
	    "memory.failcnt", stat_keys_v1, ARRAY_LENGTH(stat_keys_v1) },
	{ 2, "cgroup2", NULL, "memory.max", "memory.high", "memory.swap.max",
	    "memory.current", "memory.swap.current", "memory.events", NULL,
	    stat_keys_v2, ARRAY_LENGTH(stat_keys_v2) },
};

#define EVENT(key, field) { key " ", offsetof(struct cgroup_events, field), 1 }

static const struct proc_key events_keys[] = {
	EVENT("high", high),
	EVENT("max", max),
	EVENT("oom", oom),
	EVENT("oom_kill", oom_kill),
};

/* --- words ---------------------------------------------------------------- */

/* Cut the next word off @at, up to @end; NULL: there is none. */
static char *
next_word(char **at, char end)
{
	char *word = *at, *behind;

	if (word == NULL)
		return NULL;
	behind = strchr(word, end);
	if (behind != NULL)
		*behind++ = '\0';
	*at = behind;
	return word;
}

/* Is @word in a list with commas between? */
static bool
has_word(const char *list, const char *word)
{
	size_t bytes = strlen(word);
	const char *p;

	for (p = list; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, word, bytes) == 0 &&
		    (p[bytes] == ',' || p[bytes] == '\0'))
			return true;
	}
	return false;
}

static bool
is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' &&
	    p[2] >= '0' && p[2] <= '7';
}

/* mountinfo writes a blank as \040, and others that would part words. */
static char *
unescape(char *text)
{
	char *from, *to = text;

	for (from = text; *from != '\0'; to++) {
		if (from[0] == '\\' && is_octal(from + 1)) {
			*to = (char)((from[1] - '0') << 6 |
			    (from[2] - '0') << 3 | (from[3] - '0'));
			from += 4;
		} else {
			*to = *from++;
		}
	}
	*to = '\0';
	return text;
}

/* --- where the group lies ------------------------------------------------- */

/*
 * The path of the group of @pid within its tree, from a line
 * `number:controllers:/path`; version 2's names no controllers.  -ENOENT: the
 * process is in no such tree.
 */
static int
find_group(const struct dialect *d, const char *root, int pid,
    char group[CGROUP_ROOM])
{
	struct proc_lines lines;
	char name[FILE_ROOM];
	char *at, *controllers;
	struct text t;
	int r, found = -ENOENT;

	r = proc_path(name, sizeof(name), root, pid, "cgroup");
	if (r == 0)
		r = proc_lines_open(&lines, name);
	if (r < 0)
		return r;
	while ((at = proc_lines_next(&lines)) != NULL) {
		(void)next_word(&at, ':');
		controllers = next_word(&at, ':');
		if (at == NULL || *at != '/' || found == 0)
			continue;
		if (d->controller == NULL ? *controllers != '\0' :
		    !has_word(controllers, d->controller))
			continue;
		text_open(&t, group, CGROUP_ROOM);
		text_put(&t, at);
		found = t.cut ? -ENAMETOOLONG : 0;
	}
	r = proc_lines_close(&lines);
	return r < 0 ? r : found;
}

/* Towards groups that a namespace hides: no name leads there. */
static bool
is_outside(const char *group)
{
	return strncmp(group, "/..", 3) == 0;
}

/*
 * How much of the beginning of @group the mounted part of the tree stands
 * for; -1: @group does not lie in it.
 */
static int
covered(const char *mounted, const char *group)
{
	size_t bytes = strcmp(mounted, "/") == 0 ? 0 : strlen(mounted);

	if (strncmp(mounted, group, bytes) == 0 &&
	    (group[bytes] == '/' || group[bytes] == '\0') &&
	    !is_outside(group + bytes))
		return (int)bytes;
	/* Mounted from outside our namespace: it is some group above us. */
	if (is_outside(mounted) && !is_outside(group))
		return (int)strlen(group);
	return -1;
}

/* The fields of a line of mountinfo that we look at. */
struct mount {
	char *mounted; /* the part of the tree that is visible */
	char *point;   /* and where */
	char *type;
	char *options; /* of the file system */
};

/* `id parent device mounted point options optional... - type source options` */
static bool
mount_parse(char *line, struct mount *m)
{
	char *word;
	int i;

	for (i = 0; i < 3; i++)
		(void)next_word(&line, ' ');
	m->mounted = next_word(&line, ' ');
	m->point = next_word(&line, ' ');
	do
		word = next_word(&line, ' ');
	while (word != NULL && strcmp(word, "-") != 0);
	m->type = next_word(&line, ' ');
	(void)next_word(&line, ' ');
	m->options = next_word(&line, ' ');
	if (m->options == NULL)
		return false;
	unescape(m->mounted);
	unescape(m->point);
	return true;
}

/* Append the rest of @group to @mount's point: the directory of the group. */
static int
put_directory(struct cgroup_memory *memory, const char *root,
    const char *point, const char *group, size_t *top)
{
	struct text t;

	text_open(&t, memory->path, sizeof(memory->path));
	text_put(&t, root);
	text_put(&t, point);
	*top = t.used;
	if (strcmp(group, "/") != 0)
		text_put(&t, group);
	return t.cut ? -ENAMETOOLONG : 0;
}

/*
 * Find where the tree of @d is mounted, as we see it: it is we who read it.
 * Of several mounts the one that shows most of the groups above is taken.
 * @top: bytes of the path that name the mount point.
 */
static int
find_directory(const struct dialect *d, const char *root, const char *group,
    struct cgroup_memory *memory, size_t *top)
{
	struct proc_lines lines;
	char name[FILE_ROOM];
	struct mount m;
	char *line;
	int r, bytes, found = -ENOENT, best = 0;

	r = proc_path(name, sizeof(name), root, 0, "mountinfo");
	if (r == 0)
		r = proc_lines_open(&lines, name);
	if (r < 0)
		return r;
	while ((line = proc_lines_next(&lines)) != NULL) {
		if (!mount_parse(line, &m) || strcmp(m.type, d->type) != 0)
			continue;
		if (d->controller != NULL &&
		    !has_word(m.options, d->controller))
			continue;
		bytes = covered(m.mounted, group);
		if (bytes < 0 || (found == 0 && bytes >= best))
			continue;
		best = bytes;
		found = put_directory(memory, root, m.point, group + bytes,
		    top);
	}
	r = proc_lines_close(&lines);
	return r < 0 ? r : found;
}

/* --- what it says --------------------------------------------------------- */

static bool
file_of(const struct cgroup_memory *memory, size_t path_bytes,
    const char *name, char path[FILE_ROOM])
{
	struct text t;

	text_open(&t, path, FILE_ROOM);
	text_put_bytes(&t, memory->path, path_bytes);
	text_put(&t, "/");
	text_put(&t, name);
	return !t.cut;
}

/* A file of one number; CGROUP_NONE: "max", no such file, or no number. */
static uint64_t
read_number(const struct cgroup_memory *memory, size_t path_bytes,
    const char *name)
{
	struct proc_lines lines;
	char path[FILE_ROOM];
	const char *line;
	uint64_t n = CGROUP_NONE;

	if (name == NULL || !file_of(memory, path_bytes, name, path) ||
	    proc_lines_open(&lines, path) < 0)
		return CGROUP_NONE;
	line = proc_lines_next(&lines);
	if (line != NULL)
		(void)proc_number(&line, 10, &n);
	(void)proc_lines_close(&lines);
	return n;
}

static uint64_t
read_limit(const struct cgroup_memory *memory, size_t path_bytes,
    const char *name)
{
	uint64_t n = read_number(memory, path_bytes, name);

	return memory->version == 1 && n >= V1_NO_LIMIT ? CGROUP_NONE : n;
}

static void
read_stat(const struct dialect *d, const struct cgroup_memory *memory,
    size_t path_bytes, struct numbers *numbers)
{
	struct proc_lines lines;
	char path[FILE_ROOM];
	char *line;

	memset(numbers, 0, sizeof(*numbers));
	numbers->limit = CGROUP_NONE;
	if (!file_of(memory, path_bytes, "memory.stat", path) ||
	    proc_lines_open(&lines, path) < 0)
		return;
	while ((line = proc_lines_next(&lines)) != NULL)
		proc_key_take(line, d->stat, d->stat_count, numbers);
	(void)proc_lines_close(&lines);
}

/* Page cache that is clean, and slab that is said to be reclaimable. */
static uint64_t
droppable(const struct numbers *n)
{
	uint64_t file = n->active_file + n->inactive_file;
	uint64_t busy = n->dirty + n->writeback;

	return file - min_u64(busy, file) + n->slab_reclaimable;
}

static void
read_level(const struct dialect *d, struct cgroup_memory *memory,
    size_t path_bytes)
{
	struct cgroup_level *level = &memory->level[memory->levels];
	struct numbers numbers;
	uint64_t held, swapped;

	read_stat(d, memory, path_bytes, &numbers);
	if (memory->levels++ == 0)
		memory->hierarchical = numbers.limit < V1_NO_LIMIT ?
		    numbers.limit : CGROUP_NONE;
	held = read_number(memory, path_bytes, d->used);
	level->path_bytes = path_bytes;
	level->max = read_limit(memory, path_bytes, d->max);
	level->high = read_limit(memory, path_bytes, d->high);
	level->swap = read_limit(memory, path_bytes, d->swap);
	swapped = read_number(memory, path_bytes, d->swapped);
	if (swapped == CGROUP_NONE)
		swapped = numbers.swap;
	level->used = held == CGROUP_NONE ? CGROUP_NONE :
	    held - min_u64(droppable(&numbers), held) + swapped;
}

/*
 * From the process' own group upwards.  In version 1 a group without
 * use_hierarchy (there were such before Linux 5.11) does not count what is in
 * the groups below, and neither does any above it.
 */
static void
read_levels(const struct dialect *d, struct cgroup_memory *memory, size_t top)
{
	size_t bytes = strlen(memory->path);

	for (;;) {
		read_level(d, memory, bytes);
		if (bytes <= top || memory->levels == CGROUP_LEVELS)
			return;
		while (memory->path[--bytes] != '/')
			;
		if (bytes < top)
			return;
		if (d->version == 1 &&
		    read_number(memory, bytes, "memory.use_hierarchy") == 0)
			return;
	}
}

/* NULL: there is no memory controller. */
static const struct dialect *
dialect_of(const struct cgroup_memory *memory)
{
	const struct dialect *d;

	for (d = dialects; d < dialects + ARRAY_LENGTH(dialects); d++)
		if (d->version == memory->version)
			return d;
	return NULL;
}

/* @top: bytes of the path that name the mount point. */
static int
find_own(const char *root, int pid, struct cgroup_memory *memory, size_t *top)
{
	const struct dialect *d;
	char group[CGROUP_ROOM];
	int r;

	memory->version = 0;
	memory->levels = 0;
	memory->hierarchical = CGROUP_NONE;
	memory->path[0] = '\0';
	for (d = dialects; d < dialects + ARRAY_LENGTH(dialects); d++) {
		r = find_group(d, root, pid, group);
		if (r == 0)
			r = find_directory(d, root, group, memory, top);
		if (r == -ENOENT)
			continue;
		if (r == 0)
			memory->version = d->version;
		return r;
	}
	return 0;
}

int
cgroup_memory_find(const char *root, int pid, struct cgroup_memory *memory)
{
	size_t top = 0;

	return find_own(root, pid, memory, &top);
}

int
cgroup_memory_read(const char *root, int pid, struct cgroup_memory *memory)
{
	size_t top = 0;
	int r = find_own(root, pid, memory, &top);

	if (r == 0 && memory->version != 0)
		read_levels(dialect_of(memory), memory, top);
	return r;
}

bool
cgroup_memory_has_changed(const struct cgroup_memory *memory)
{
	const struct dialect *d = dialect_of(memory);
	const struct cgroup_level *level;

	if (d == NULL)
		return false;
	for (level = memory->level; level < memory->level + memory->levels;
	    level++)
		if (read_limit(memory, level->path_bytes, d->max) !=
		    level->max || read_limit(memory, level->path_bytes,
		    d->high) != level->high)
			return true;
	return false;
}

const char *
cgroup_file_of_max(const struct cgroup_memory *memory)
{
	const struct dialect *d = dialect_of(memory);

	return d != NULL ? d->max : "";
}

int
cgroup_events_read(const struct cgroup_memory *memory, size_t level,
    struct cgroup_events *events)
{
	const struct dialect *d = dialect_of(memory);
	struct proc_lines lines;
	struct cgroup_events e;
	char path[FILE_ROOM];
	char *line;
	int r;

	if (d == NULL || level >= memory->levels)
		return -ENODATA;
	if (!file_of(memory, memory->level[level].path_bytes, d->events, path))
		return -ENAMETOOLONG;
	memset(&e, 0, sizeof(e));
	r = proc_lines_open(&lines, path);
	if (r < 0)
		return r;
	while ((line = proc_lines_next(&lines)) != NULL)
		proc_key_take(line, events_keys, ARRAY_LENGTH(events_keys),
		    &e);
	r = proc_lines_close(&lines);
	if (r < 0)
		return r;
	/* Version 1 has a file of its own for each. */
	if (d->hits != NULL)
		e.max = read_number(memory, memory->level[level].path_bytes,
		    d->hits);
	if (e.max == CGROUP_NONE)
		e.max = 0;
	*events = e;
	return 0;
}

int
cgroup_pressure_path(const struct cgroup_memory *memory, char *path,
    size_t room)
{
	struct text t;

	if (memory->version != 2 || memory->levels == 0)
		return -ENODATA;
	text_open(&t, path, room);
	text_put(&t, memory->path);
	text_put(&t, "/memory.pressure");
	return t.cut ? -ENAMETOOLONG : 0;
}
