/*
 * reader.c - open a profile, live or left behind, and believe none of it
 *
 * image.c has seen to it that the tables are where the header says;
 * reader-rows.c judges the rows, and asks whenever it follows an index or a
 * text.
 */
#include "profile/reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "profile/absent.h"
#include "profile/image.h"
#include "profile/seal.h"
#include "profile/shelf.h"
#include "say/command.h"
#include "say/output.h"
#include "say/print.h"
#include "sys/place.h"
#include "sys/proc.h"
#include "sys/sys.h"

extern char **environ;

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

/* By its own word, or that of who looked at its resident memory from outside. */
static uint64_t
last_seen(const struct segment *s)
{
	return max_u64(max_u64(s->end.at_ns, s->live.seen_ns),
	    s->rss[RSS_LAST].at_ns);
}

/* A copy stays what it was, whatever its process does now. */
static void
set_time(struct profile *p, bool copied)
{
	const struct segment *s = p->segment;
	uint64_t last = last_seen(s);

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
	p.changed = image.changed;
	set_rows(&p);
	set_time(&p, image.copied);
	if (p.live) /* said in what is written of this copy */
		image.segment->watch.taken_ns = p.now_ns;
	p.damaged = profile_count_damaged(&p);
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

/* The next of @fd; 0: there is no more. */
static ssize_t
read_some(int fd, char *bytes, size_t room)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t n;

	while ((n = read(fd, bytes, room)) < 0)
		if (errno == EAGAIN)
			(void)poll(&p, 1, -1);
		else if (errno != EINTR)
			break;
	return n;
}

/* All that comes through a pipe, as a file that has no name.  Or -errno. */
static int
spool(int fd)
{
	char bytes[64 * 1024];
	ssize_t n;
	int r, to = memfd_create("profile", MFD_CLOEXEC);

	if (to < 0)
		return -errno;
	do {
		n = read_some(fd, bytes, sizeof(bytes));
		r = n < 0 ? -errno : output_write(to, bytes, (size_t)n);
	} while (n > 0 && r == 0);
	if (r == 0)
		return to;
	close(to);
	return r;
}

/* `-`, or as a shell calls what is to be read from another command. */
static bool
is_handed(const char *path)
{
	return strcmp(path, "-") == 0 || strcmp(path, "/dev/stdin") == 0 ||
	    strncmp(path, "/dev/fd/", 8) == 0;
}

/*
 * Where @st says that @fd is a pipe, it becomes what came through it.  Not of
 * one with a name, which may lie among profiles and have a writer that waits.
 */
static int
take_pipe(const char *path, int *fd, struct stat *st)
{
	int to;

	if (!is_handed(path) ||
	    (!S_ISFIFO(st->st_mode) && !S_ISSOCK(st->st_mode)))
		return 0;
	to = spool(*fd);
	if (to < 0)
		return to;
	close(*fd);
	*fd = to;
	return fstat(to, st) == 0 ? 0 : -errno;
}

static int
open_to_read(const char *path)
{
	int fd = strcmp(path, "-") == 0 ?
	    fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1) :
	    /* A FIFO without a writer must not hold us up. */
	    open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : fd;
}

static int
open_file(const char *path, struct profile *profile, char why[WHY_ROOM])
{
	struct image_source from = { .name = path };
	struct stat st;
	int r;

	from.fd = open_to_read(path);
	if (from.fd < 0)
		return refuse(why, from.fd, "'%s' cannot be opened: %s", path,
		    strerror(-from.fd));
	r = fstat(from.fd, &st) != 0 ? -errno :
	    take_pipe(path, &from.fd, &st);
	if (r < 0)
		r = refuse(why, r, "'%s' cannot be read: %s", path,
		    strerror(-r));
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

/* --- changed since ------------------------------------------------------- */

#define CHANGED_NAMED 3

void
profile_describe_changed(const struct profile *profile,
    char where[PROFILE_CHANGED_ROOM])
{
	size_t used = 0, named = 0;

	where[0] = '\0';
	for (uint32_t i = 0; i < SEAL_PARTS; i++) {
		if ((profile->changed >> i & 1) == 0)
			continue;
		if (named++ == CHANGED_NAMED)
			used += (size_t)snprintf(where + used,
			    PROFILE_CHANGED_ROOM - used, " and others");
		if (named > CHANGED_NAMED)
			continue;
		used += (size_t)snprintf(where + used, PROFILE_CHANGED_ROOM -
		    used, "%sits %s", named == 1 ? "" : ", ",
		    image_part_name(i));
	}
}

int
profile_tell_changed(const struct profile *profile, const char *command,
    int status)
{
	char where[PROFILE_CHANGED_ROOM];

	if (profile->changed == 0 || status != COMMAND_DONE)
		return status;
	profile_describe_changed(profile, where);
	print_error("%s: '%s' was changed since heaptide wrote it, in %s; what "
	    "it says may be wrong", command, profile->path, where);
	return COMMAND_FAILED;
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
	char directory[PLACE_ROOM] = "", reason[ABSENT_ROOM];
	int r;

	r = place_look(environ, directory);
	if (r == -ENOENT)
		return refuse(why, r, "there is no profile of process %llu: "
		    "no program of yours ran under heaptide on this machine",
		    (unsigned long long)pid);
	if (r < 0)
		return refuse(why, r, "profiles cannot be looked for in "
		    "'%.300s': %s", directory, absent_place(directory, r));
	r = find_segment(directory, pid, path);
	if (r >= 0)
		return 0;
	if (r == -ENOENT)
		absent_reason(pid, reason, sizeof(reason));
	else
		snprintf(reason, sizeof(reason), ": %s", strerror(-r));
	return refuse(why, r, "there is no profile of process %llu in "
	    "'%.150s'%s", (unsigned long long)pid, directory, reason);
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

/* --- a copy --------------------------------------------------------------- */

int
profile_compact(const struct profile *profile, const char *to)
{
	uint8_t header[SEGMENT_HEADER_BYTES];
	struct seal seal[SEAL_PARTS];
	struct output out;
	size_t seals;
	bool good;
	int r;

	r = output_open(&out, strcmp(to, "-") == 0 ? "./-" : to);
	if (r < 0)
		return r;
	seals = seal_make(profile->segment, profile->changed, header, seal);
	good = fwrite(header, sizeof(header), 1, out.to) == 1 &&
	    fwrite((const char *)profile->segment + sizeof(header),
	    profile->bytes - sizeof(header), 1, out.to) == 1 &&
	    fwrite(seal, sizeof(*seal), seals, out.to) == seals;
	return output_close(&out, good);
}
