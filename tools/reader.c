/*
 * reader.c - open a profile, live or left behind, and believe none of it
 *
 * image.c has seen to it that the tables are where the header says; here the
 * rows are judged, and whatever follows an index or a text asks first.
 */
#include "reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "image.h"
#include "shelf.h"
#include "sys/place.h"
#include "sys/proc.h"
#include "sys/sys.h"

extern char **environ;

/* --- rows that lie -------------------------------------------------------- */

static bool
text_is_good(const struct profile *p, struct segment_text text)
{
	return text.offset <= p->text_bytes &&
	    text.bytes <= p->text_bytes - text.offset;
}

static bool
node_is_good(const struct profile *p, size_t i)
{
	return i == 0 || (i < p->nodes && p->node[i].parent < i);
}

static bool
site_is_good(const struct profile *p, size_t i)
{
	return p->site[i].leaf < p->nodes;
}

static bool
count_is_good(const struct profile *p, size_t i)
{
	return stamp_site(p->count[i].stamp) < p->sites;
}

static bool
first_count_is_good(const struct profile *p, size_t i)
{
	uint32_t site = stamp_site(p->first_count[i].stamp);

	return site == 0 || site == i;
}

static bool
module_is_good(const struct profile *p, size_t i)
{
	const struct module *m = &p->module[i];

	if (m->end == 0)
		return true; /* not finished when we looked */
	return m->start < m->end &&
	    m->build_id_bytes <= sizeof(m->build_id) &&
	    text_is_good(p, m->path);
}

static bool
mapping_is_good(const struct profile *p, size_t i)
{
	const struct mapping *m = &p->mapping[i];

	return m->start <= m->end && m->kind < MAPPING_KINDS &&
	    (m->site == 0 || m->site < p->sites);
}

static bool
finding_is_good(const struct profile *p, size_t i)
{
	const struct finding *f = &p->finding[i];

	return f->kind == FINDING_NONE || (f->kind < FINDING_KINDS &&
	    (f->allocated == 0 || f->allocated < p->sites) &&
	    f->freed < max_u64(p->nodes, 1) &&
	    f->first_freed < max_u64(p->nodes, 1));
}

static bool
named_is_good(const struct profile *p, size_t i)
{
	const struct named *n = &p->named[i];

	return text_is_good(p, n->function) && text_is_good(p, n->file) &&
	    text_is_good(p, n->module);
}

static size_t
count_bad(const struct profile *p, size_t rows,
    bool (*is_good)(const struct profile *, size_t))
{
	size_t bad = 0;

	for (size_t i = 0; i < rows; i++)
		bad += !is_good(p, i);
	return bad;
}

static size_t
count_damaged(const struct profile *p)
{
	const struct segment_identity *id = &p->segment->identity;
	const struct segment_text texts[] = {
		id->executable, id->arguments, id->host, id->run,
		id->directory, id->allocator, id->origin,
	};
	size_t bad = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		bad += !text_is_good(p, texts[i]);
	bad += count_bad(p, p->nodes, node_is_good);
	bad += count_bad(p, p->sites, site_is_good);
	bad += count_bad(p, p->first_counts, first_count_is_good);
	bad += count_bad(p, p->counts, count_is_good);
	bad += count_bad(p, p->modules, module_is_good);
	bad += count_bad(p, p->mappings, mapping_is_good);
	bad += count_bad(p, p->findings, finding_is_good);
	bad += count_bad(p, p->nameds, named_is_good);
	return bad;
}

/* --- opening -------------------------------------------------------------- */

static const void *
rows_of(const struct segment *s, enum segment_table_id id, size_t *count)
{
	*count = s->table[id].used;
	return (const char *)s + s->table[id].offset;
}

static void
set_rows(struct profile *p)
{
	const struct segment *s = p->segment;

	p->tally = rows_of(s, TABLE_TALLIES, &p->tallies);
	p->site = rows_of(s, TABLE_SITES, &p->sites);
	p->first_count = rows_of(s, TABLE_FIRST, &p->first_counts);
	p->count = rows_of(s, TABLE_COUNTS, &p->counts);
	p->estimate = rows_of(s, TABLE_ESTIMATES, &p->estimates);
	p->node = rows_of(s, TABLE_NODES, &p->nodes);
	p->module = rows_of(s, TABLE_MODULES, &p->modules);
	p->mapping = rows_of(s, TABLE_MAPPINGS, &p->mappings);
	p->text = rows_of(s, TABLE_TEXT, &p->text_bytes);
	p->second = rows_of(s, TABLE_SECONDS, &p->seconds);
	p->minute = rows_of(s, TABLE_MINUTES, &p->minutes);
	p->mark = rows_of(s, TABLE_MARKS, &p->marks);
	p->moment = rows_of(s, TABLE_MOMENTS, &p->moments);
	p->moments = min_u64(p->moments, s->watch.trend_used);
	p->timed = rows_of(s, TABLE_TIMED, &p->timeds);
	p->life = rows_of(s, TABLE_LIVES, &p->lives);
	p->reach = rows_of(s, TABLE_REACH, &p->reaches);
	p->finding = rows_of(s, TABLE_FINDINGS, &p->findings);
	p->pool = rows_of(s, TABLE_POOLS, &p->pools);
	p->room = rows_of(s, TABLE_BUDGET, &p->rooms);
	p->named = rows_of(s, TABLE_NAMES, &p->nameds);
}

struct control
profile_control(const struct profile *p)
{
	return (struct control){
		.segment = (struct segment *)(uintptr_t)p->segment,
		.bytes = p->bytes,
		.pid = profile_pid(p),
		.fd = -1,
	};
}

int
profile_pid(const struct profile *p)
{
	const struct segment_identity *id = &p->segment->identity;
	const struct shelf_name name = {
		.pid = id->pid,
		.ticks = id->start_ticks,
		.namespace = id->namespace,
	};

	return shelf_pid(&name);
}

/* A copy stays what it was, whatever its process does now. */
static void
set_time(struct profile *p, bool copied)
{
	const struct segment *s = p->segment;
	uint64_t last = max_u64(s->end.at_ns, s->live.seen_ns);

	p->live = !copied && s->end.how == END_UNKNOWN && profile_pid(p) != 0;
	if (p->live)
		last = sys_clock();
	else if (s->watch.taken_ns != 0)
		last = s->watch.taken_ns;
	else if (s->end.at_ns != 0)
		last = s->end.at_ns;
	p->now_ns = max_u64(last, s->identity.clock_ns);
}

static int
open_source(const struct image_source *from, struct profile *profile,
    char why[WHY_ROOM])
{
	struct profile p = { 0 };
	struct image image;
	int r;

	r = image_read(from, &image, why);
	if (r < 0)
		return r;
	p.path = strdup(from->name);
	if (p.path == NULL) {
		free(image.segment);
		return refuse(why, -ENOMEM, "'%s' cannot be read: no memory",
		    from->name);
	}
	p.segment = image.segment;
	p.bytes = image.bytes;
	set_rows(&p);
	set_time(&p, image.copied);
	if (p.live) /* said in what is written of this copy */
		image.segment->watch.taken_ns = p.now_ns;
	p.damaged = count_damaged(&p);
	p.figures = profile_add_up(&p);
	if (p.figures == NULL) {
		profile_close(&p);
		return refuse(why, -ENOMEM, "'%s' cannot be read: no memory",
		    from->name);
	}
	*profile = p;
	return 0;
}

int
profile_open_bytes(const void *bytes, size_t size, const char *name,
    struct profile *profile, char why[WHY_ROOM])
{
	const struct image_source from = {
		.name = name, .fd = -1, .bytes = bytes, .size = size,
	};

	return open_source(&from, profile, why);
}

static int
open_file(const char *path, struct profile *profile, char why[WHY_ROOM])
{
	struct image_source from = { .name = path };
	struct stat st;
	int r;

	/* A FIFO without a writer must not hold us up. */
	from.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (from.fd < 0) {
		r = -errno;
		return refuse(why, r, "'%s' cannot be opened: %s", path,
		    strerror(-r));
	}
	if (fstat(from.fd, &st) != 0)
		r = refuse(why, -errno, "'%s' cannot be read: %s", path,
		    strerror(errno));
	else if (S_ISDIR(st.st_mode))
		r = refuse(why, -EINVAL, "'%s' is a directory, not a profile",
		    path);
	else if (!S_ISREG(st.st_mode))
		r = refuse(why, -EINVAL, "'%s' is not a regular file, so no "
		    "profile", path);
	else {
		from.size = (uint64_t)st.st_size;
		r = open_source(&from, profile, why);
	}
	close(from.fd);
	return r;
}

/* --- by pid --------------------------------------------------------------- */

/* Is it the segment of @pid, not of an earlier image, and as we call it? */
static bool
is_of(const struct shelf_name *name, uint64_t pid)
{
	if (name->image != SHELF_LAST)
		return false;
	if (name->namespace == 0 || name->namespace == shelf_namespace())
		return (uint64_t)name->pid == pid;
	return (uint64_t)shelf_pid(name) == pid;
}

/* The newest segment of @pid in @directory: that of the one alive, if any. */
static int
find_segment(const char *directory, uint64_t pid, char path[PLACE_ROOM])
{
	struct proc_stat stat = { 0 };
	bool alive = proc_stat_read((int)pid, &stat) == 0;
	int64_t best_time = -1;
	struct shelf_name name, best = { 0 };
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	dir = opendir(directory);
	if (dir == NULL)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		int64_t time;

		if (!shelf_parse(entry->d_name, &name) || !is_of(&name, pid) ||
		    fstatat(dirfd(dir), entry->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		time = alive && name.ticks == stat.ticks ? INT64_MAX :
		    (int64_t)st.st_mtime;
		if (time > best_time ||
		    (time == best_time && name.ticks > best.ticks)) {
			best_time = time;
			best = name;
		}
	}
	closedir(dir);
	if (best_time < 0)
		return -ENOENT;
	return place_segment(directory, best.pid, best.namespace, best.ticks,
	    path);
}

int
profile_find(uint64_t pid, char path[PLACE_ROOM], char why[WHY_ROOM])
{
	char directory[PLACE_ROOM] = "";
	int r;

	r = place_look(environ, directory);
	if (r == -ENOENT)
		return refuse(why, r, "there is no profile of process %llu: "
		    "no program of yours ran under heaptide on this machine",
		    (unsigned long long)pid);
	if (r < 0)
		return refuse(why, r, "profiles cannot be looked for in "
		    "'%.300s': %s", directory, strerror(-r));
	r = find_segment(directory, pid, path);
	if (r < 0)
		return refuse(why, r, "there is no profile of process %llu in "
		    "'%.300s'%s%s", (unsigned long long)pid, directory,
		    r == -ENOENT ? "" : ": ",
		    r == -ENOENT ? "" : strerror(-r));
	return 0;
}

int
profile_open(const char *what, struct profile *profile, char why[WHY_ROOM])
{
	char path[PLACE_ROOM];
	uint64_t pid;
	int r;

	if (text_parse_u64(what, INT32_MAX, &pid) != 0)
		return open_file(what, profile, why);
	r = profile_find(pid, path, why);
	return r < 0 ? r : open_file(path, profile, why);
}

void
profile_close(struct profile *profile)
{
	free((void *)(uintptr_t)profile->segment);
	free(profile->path);
	free(profile->figures);
	*profile = (struct profile){ 0 };
}

/* --- texts ---------------------------------------------------------------- */

char *
profile_text(const struct profile *profile, struct segment_text text)
{
	char *fresh;

	if (!text_is_good(profile, text))
		text.bytes = 0;
	fresh = strndup(text.bytes != 0 ? profile->text + text.offset : "",
	    text.bytes);
	if (fresh == NULL)
		abort(); /* a few bytes: there is nothing left to do */
	return fresh;
}

/* @texts has a zero byte behind each text; the vector goes in front of them. */
static char **
split_texts(const char *texts, size_t bytes)
{
	size_t count = 0, at = 0;
	char **list, *copy;

	for (size_t i = 0; i < bytes; i++)
		count += texts[i] == '\0' || i + 1 == bytes;
	list = malloc((count + 1) * sizeof(char *) + bytes + 1);
	if (list == NULL)
		abort();
	copy = (char *)(list + count + 1);
	memcpy(copy, texts, bytes);
	copy[bytes] = '\0';
	for (size_t i = 0; i < count; i++) {
		list[i] = copy + at;
		at += strlen(copy + at) + 1;
	}
	list[count] = NULL;
	return list;
}

char **
profile_arguments(const struct profile *profile)
{
	const struct segment_identity *id = &profile->segment->identity;
	struct segment_text text = id->arguments;

	if (text.bytes == 0 || !text_is_good(profile, text))
		text = id->executable;
	if (text.bytes == 0 || !text_is_good(profile, text))
		return split_texts("?", 1);
	return split_texts(profile->text + text.offset, text.bytes);
}

char *
profile_command(const struct profile *profile)
{
	char **arguments = profile_arguments(profile), *text = NULL;
	size_t bytes;
	FILE *to = open_memstream(&text, &bytes);

	for (size_t i = 0; to != NULL && arguments[i] != NULL; i++)
		fprintf(to, "%s%s", i == 0 ? "" : " ", arguments[i]);
	free(arguments);
	if (to == NULL || fclose(to) != 0)
		abort();
	return text;
}

/* --- stacks --------------------------------------------------------------- */

size_t
profile_stack(const struct profile *profile, const struct site *site,
    uint64_t *pcs, uint32_t *nodes, size_t room)
{
	uint32_t at = site->leaf;
	size_t count = 0;

	while (at != 0 && at < profile->nodes && count < room) {
		pcs[count] = profile->node[at].pc;
		nodes[count++] = at;
		if (!node_is_good(profile, at))
			break; /* its parent is a lie; the leaf's part is not */
		at = profile->node[at].parent;
	}
	return count;
}

int
profile_pool(const struct profile *profile, const struct site *site)
{
	uint64_t row;

	if ((site->flags & SITE_POOL) == 0 || site->leaf >= profile->nodes)
		return -1;
	row = profile->node[site->leaf].pc - NODE_POOL;
	return row < profile->pools ? (int)row : -1;
}

char *
profile_pool_name(const struct profile *profile, size_t row,
    char name[PROFILE_POOL_ROOM])
{
	size_t i;

	memcpy(name, profile->pool[row].name, PROFILE_POOL_ROOM);
	name[PROFILE_POOL_ROOM - 1] = '\0';
	for (i = 0; name[i] != '\0'; i++)
		if ((unsigned char)name[i] < ' ' || name[i] == '\x7f')
			name[i] = '?';
	return name;
}

const struct named *
profile_named(const struct profile *profile, uint64_t pc)
{
	uint64_t row = pc - NODE_NAMED;

	return pc >= NODE_NAMED && row < profile->nameds ?
	    &profile->named[row] : NULL;
}

bool
profile_lacks(const struct profile *profile, uint32_t which)
{
	return (profile->segment->identity.unknown & which) != 0;
}

const struct module *
profile_module(const struct profile *profile, uint64_t pc, uint32_t node)
{
	const struct module *last = NULL;

	/* A call may be the last instruction: the one behind is elsewhere. */
	for (size_t i = 0; i < profile->modules; i++) {
		const struct module *m = &profile->module[i];

		if (pc - 1 >= m->start && pc - 1 < m->end &&
		    m->first_node <= node && module_is_good(profile, i) &&
		    (last == NULL || m->first_node >= last->first_node))
			last = m;
	}
	return last;
}

/* --- a copy --------------------------------------------------------------- */

static int
write_all(int fd, const void *bytes, size_t n)
{
	while (n > 0) {
		ssize_t put = write(fd, bytes, n);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		bytes = (const char *)bytes + put;
		n -= (size_t)put;
	}
	return 0;
}

/* mkstemp() makes it private; a copy is as readable as the umask lets it. */
static int
set_mode(int fd)
{
	mode_t mask = umask(0);

	umask(mask);
	return fchmod(fd, 0666 & ~mask) == 0 ? 0 : -errno;
}

/* To a device or a pipe: there is nothing that could be renamed over it. */
static int
write_through(const struct profile *profile, const char *to)
{
	int fd, r;

	fd = open(to, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = write_all(fd, profile->segment, profile->bytes);
	if (close(fd) != 0 && r == 0)
		r = -errno;
	return r;
}

int
profile_compact(const struct profile *profile, const char *to)
{
	char *temporary = NULL;
	struct stat st;
	int fd, r = 0;

	if (stat(to, &st) == 0 && !S_ISREG(st.st_mode))
		return write_through(profile, to);
	if (asprintf(&temporary, "%s.XXXXXX", to) < 0)
		return -ENOMEM;
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0) {
		r = -errno;
		goto out;
	}
	r = write_all(fd, profile->segment, profile->bytes);
	if (r == 0)
		r = set_mode(fd);
	if (close(fd) != 0 && r == 0)
		r = -errno;
	if (r == 0 && rename(temporary, to) != 0)
		r = -errno;
	if (r < 0)
		unlink(temporary); /* the first error is the one to tell */
out:
	free(temporary);
	return r;
}
