/*
 * reader.c - open a profile, live or left behind, and believe none of it
 *
 * The file is not mapped but copied: the used rows of each table, one behind
 * the other, with a header that says so.  A copy holds still while it is
 * read, cannot raise SIGBUS when somebody truncates the file, and is at the
 * same time what profile_compact() writes.
 */
#include "reader.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/place.h"
#include "sys/proc.h"

/* More than the library ever makes: a file that claims more is damaged. */
#define IMAGE_MOST (1 * GIB)
#define WHY_ROOM   512
#define ROW_ALIGN  UINT64_C(64)

extern char **environ;

/* Where bytes come from: a file, or memory. */
struct source {
	const char *name;
	int fd;              /* -1: memory */
	const uint8_t *bytes;
	uint64_t size;
};

/*
 * The tables in the order in which they are copied.  A row may name rows of
 * tables that stand below it only, so that in a live profile, which grows
 * while we read, what a row names is always copied after the row.
 */
static const struct {
	enum segment_table_id id;
	uint32_t entry_bytes;
	const char *name;
} tables[] = {
	{ TABLE_TALLIES, sizeof(struct tally), "threads" },
	{ TABLE_MAPPINGS, sizeof(struct mapping), "mappings" },
	{ TABLE_SITES, sizeof(struct site), "sites" },
	{ TABLE_NODES, sizeof(struct node), "stacks" },
	{ TABLE_MODULES, sizeof(struct module), "modules" },
	{ TABLE_TEXT, 1, "texts" },
};

#define LOSS(member, withdraws, means) \
	{ #member, offsetof(struct segment_lost, member), withdraws, means }

const struct profile_loss profile_losses[PROFILE_LOSSES] = {
	LOSS(sites, true, "stacks not kept, a table was full"),
	LOSS(blocks, true, "allocations without a record"),
	LOSS(threads, true, "threads that had to share a counter"),
	LOSS(unknown_frees, true, "frees of blocks never seen"),
	LOSS(mappings, true, "mappings not followed"),
	LOSS(reused, true, "addresses given out twice, a free was missed"),
	LOSS(modules, true, "modules not recorded"),
	LOSS(text, true, "names not recorded"),
	LOSS(truncated, false, "stacks deeper than what is kept"),
	LOSS(nested, true, "allocations while heaptide was busy, no stack"),
	LOSS(early, false, "allocations before heaptide was ready"),
	LOSS(space, true, "times the disk or memory had no room"),
	LOSS(forks, true, "fork that was seen late"),
	LOSS(referred, false, "stacks walked by libunwind"),
	LOSS(differing, true, "stacks that libunwind sees otherwise"),
};

/* --- sentences ------------------------------------------------------------ */

__attribute__((format(printf, 3, 4)))
static int
refuse(char why[WHY_ROOM], int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WHY_ROOM, format, args);
	va_end(args);
	return error;
}

/* --- bytes ---------------------------------------------------------------- */

/* Read exactly @n bytes; -EINVAL when they are not there. */
static int
source_read(const struct source *from, uint64_t offset, void *to, uint64_t n)
{
	if (offset > from->size || n > from->size - offset)
		return -EINVAL;
	if (from->fd < 0) {
		memcpy(to, from->bytes + offset, n);
		return 0;
	}
	while (n > 0) {
		ssize_t got = pread(from->fd, to, n, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (got == 0)
			return -EINVAL; /* truncated since we asked its size */
		to = (char *)to + got;
		offset += (uint64_t)got;
		n -= (uint64_t)got;
	}
	return 0;
}

/* --- the header ----------------------------------------------------------- */

static int
check_head(const struct source *from, const struct segment_head *h,
    char why[WHY_ROOM])
{
	if (memcmp(h->magic, SEGMENT_MAGIC, sizeof(h->magic)) != 0)
		return refuse(why, -EINVAL, "'%s' is not a heaptide profile",
		    from->name);
	if (h->byte_order != SEGMENT_BYTE_ORDER)
		return refuse(why, -EINVAL, "'%s' comes from a machine of the "
		    "other byte order, or is damaged", from->name);
	if (h->layout != SEGMENT_LAYOUT)
		return refuse(why, -EINVAL, "'%s' has profile layout %u, and "
		    "this heaptide reads layout %u", from->name, h->layout,
		    SEGMENT_LAYOUT);
	if (h->ready != 1)
		return refuse(why, -EINVAL, "'%s' was never completed: the "
		    "program ended while heaptide started in it", from->name);
	if (h->header_bytes < sizeof(struct segment) ||
	    h->header_bytes > h->bytes)
		return refuse(why, -EINVAL, "'%s' is damaged: its header "
		    "contradicts itself", from->name);
	if (h->bytes > from->size)
		return refuse(why, -EINVAL, "'%s' is cut off: %llu of %llu "
		    "bytes are there", from->name,
		    (unsigned long long)from->size,
		    (unsigned long long)h->bytes);
	return 0;
}

static int
check_table(const struct source *from, const struct segment *s, size_t i,
    char why[WHY_ROOM])
{
	const struct segment_table *t = &s->table[tables[i].id];
	uint64_t room = s->head.bytes;

	if (t->entry_bytes != tables[i].entry_bytes)
		return refuse(why, -EINVAL, "'%s' is damaged: rows of %s have "
		    "%u bytes, not %u", from->name, tables[i].name,
		    t->entry_bytes, tables[i].entry_bytes);
	if (t->offset < s->head.header_bytes || t->offset > room ||
	    t->offset % sizeof(uint64_t) != 0 ||
	    t->capacity > (room - t->offset) / t->entry_bytes)
		return refuse(why, -EINVAL, "'%s' is damaged: its table of %s "
		    "reaches outside of the file", from->name, tables[i].name);
	return 0;
}

static bool
tables_overlap(const struct segment_table *a, const struct segment_table *b)
{
	return a->offset < b->offset + b->capacity * b->entry_bytes &&
	    b->offset < a->offset + a->capacity * a->entry_bytes;
}

static int
check_tables(const struct source *from, const struct segment *s,
    char why[WHY_ROOM])
{
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
		int r = check_table(from, s, i, why);

		if (r < 0)
			return r;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++)
		for (size_t k = 0; k < i; k++)
			if (tables_overlap(&s->table[tables[i].id],
			    &s->table[tables[k].id]))
				return refuse(why, -EINVAL, "'%s' is damaged: "
				    "its tables of %s and %s overlap",
				    from->name, tables[k].name,
				    tables[i].name);
	return 0;
}

static int
read_header(const struct source *from, struct segment *s, char why[WHY_ROOM])
{
	int r;

	if (from->size == 0)
		return refuse(why, -EINVAL, "'%s' is empty, no profile",
		    from->name);
	memset(s, 0, sizeof(*s));
	r = source_read(from, 0, s, min_u64(sizeof(*s), from->size));
	if (r < 0)
		return refuse(why, r, "'%s' cannot be read: %s", from->name,
		    strerror(-r));
	if (from->size < sizeof(*s) &&
	    memcmp(s->head.magic, SEGMENT_MAGIC, sizeof(s->head.magic)) == 0)
		return refuse(why, -EINVAL, "'%s' is cut off: %llu bytes are "
		    "too few for a profile", from->name,
		    (unsigned long long)from->size);
	r = check_head(from, &s->head, why);
	return r < 0 ? r : check_tables(from, s, why);
}

/* --- the copy ------------------------------------------------------------- */

/* How many rows of a table are used by now. */
static int
read_used(const struct source *from, const struct segment *s,
    enum segment_table_id id, uint64_t *used)
{
	uint64_t now;
	int r;

	r = source_read(from, offsetof(struct segment, table) +
	    id * sizeof(struct segment_table) +
	    offsetof(struct segment_table, used), &now, sizeof(now));
	if (r < 0)
		return r;
	*used = min_u64(now, s->table[id].capacity);
	return 0;
}

/* Append the used rows of table @i to @image, and say where they are. */
static int
copy_table(const struct source *from, const struct segment *s, size_t i,
    char **image, uint64_t *bytes, struct segment_table *t)
{
	uint64_t used = 0, room;
	char *grown;
	int r;

	r = read_used(from, s, tables[i].id, &used);
	if (r < 0)
		return r;
	room = round_up(used * tables[i].entry_bytes, ROW_ALIGN);
	if (*bytes + room > IMAGE_MOST)
		return -EFBIG;
	grown = realloc(*image, *bytes + room);
	if (grown == NULL)
		return -ENOMEM;
	*image = grown;
	memset(grown + *bytes, 0, room);
	r = source_read(from, s->table[tables[i].id].offset, grown + *bytes,
	    used * tables[i].entry_bytes);
	if (r < 0)
		return r;
	*t = (struct segment_table){
		.offset = *bytes,
		.capacity = used,
		.used = used,
		.entry_bytes = tables[i].entry_bytes,
	};
	*bytes += room;
	return 0;
}

/* Make the private copy.  @image is to be freed on failure, too. */
static int
copy_segment(const struct source *from, const struct segment *s,
    char **image, uint64_t *bytes)
{
	struct segment_table table[TABLE_ROOM] = { 0 };
	struct segment *copy;
	int r;

	*bytes = SEGMENT_HEADER_BYTES;
	*image = calloc(1, *bytes);
	if (*image == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LENGTH(tables); i++) {
		r = copy_table(from, s, i, image, bytes,
		    &table[tables[i].id]);
		if (r < 0)
			return r;
	}
	/* The header once more: its sums shall not be older than the rows. */
	copy = (struct segment *)(void *)*image;
	r = source_read(from, 0, copy, sizeof(*copy));
	if (r < 0)
		return r;
	copy->head = s->head;
	memcpy(copy->table, table, sizeof(table));
	copy->head.bytes = *bytes;
	copy->head.header_bytes = SEGMENT_HEADER_BYTES;
	copy->head.compact = 1;
	return 0;
}

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
		id->directory, id->allocator,
	};
	size_t bad = 0;

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++)
		bad += !text_is_good(p, texts[i]);
	bad += count_bad(p, p->nodes, node_is_good);
	bad += count_bad(p, p->sites, site_is_good);
	bad += count_bad(p, p->modules, module_is_good);
	bad += count_bad(p, p->mappings, mapping_is_good);
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
	p->node = rows_of(s, TABLE_NODES, &p->nodes);
	p->module = rows_of(s, TABLE_MODULES, &p->modules);
	p->mapping = rows_of(s, TABLE_MAPPINGS, &p->mappings);
	p->text = rows_of(s, TABLE_TEXT, &p->text_bytes);
}

static uint64_t
monotonic_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* A copy stays what it was, whatever its process does now. */
static void
set_time(struct profile *p, bool copied)
{
	const struct segment *s = p->segment;
	uint64_t last = max_u64(s->end.at_ns, s->live.seen_ns);

	p->live = !copied && s->end.how == END_UNKNOWN &&
	    proc_is_alive(s->identity.pid, s->identity.start_ticks);
	if (p->live)
		last = monotonic_now();
	else if (s->end.at_ns != 0)
		last = s->end.at_ns;
	p->now_ns = max_u64(last, s->identity.clock_ns);
}

static int
open_source(const struct source *from, struct profile *profile,
    char why[WHY_ROOM])
{
	struct profile p = { 0 };
	struct segment header;
	uint64_t bytes = 0;
	char *image = NULL;
	int r;

	r = read_header(from, &header, why);
	if (r < 0)
		return r;
	r = copy_segment(from, &header, &image, &bytes);
	if (r == -EFBIG)
		refuse(why, r = -EINVAL, "'%s' is damaged: its tables claim "
		    "more than any profile has", from->name);
	else if (r == -EINVAL)
		refuse(why, r, "'%s' was cut off while it was read",
		    from->name);
	else if (r < 0)
		refuse(why, r, "'%s' cannot be read: %s", from->name,
		    strerror(-r));
	if (r < 0)
		goto out;

	p.path = strdup(from->name);
	if (p.path == NULL) {
		r = refuse(why, -ENOMEM, "'%s' cannot be read: no memory",
		    from->name);
		goto out;
	}
	p.segment = (const struct segment *)(const void *)image;
	p.bytes = bytes;
	set_rows(&p);
	set_time(&p, header.head.compact != 0);
	p.damaged = count_damaged(&p);
	*profile = p;
	return 0;
out:
	free(image);
	return r;
}

int
profile_open_bytes(const void *bytes, size_t size, const char *name,
    struct profile *profile, char why[WHY_ROOM])
{
	const struct source from = {
		.name = name, .fd = -1, .bytes = bytes, .size = size,
	};

	return open_source(&from, profile, why);
}

static int
open_file(const char *path, struct profile *profile, char why[WHY_ROOM])
{
	struct source from = { .name = path };
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

/*
 * Start time from `<pid>.<ticks>.tide`; false for any other name, that of an
 * earlier image (`<pid>.<ticks>.<n>.tide`) included.
 */
static bool
parse_name(const char *name, uint64_t pid, uint64_t *ticks)
{
	unsigned long long p, t;
	int length = 0;

	if (sscanf(name, "%20llu.%20llu" SEGMENT_SUFFIX "%n", &p, &t,
	    &length) != 2 || length == 0 || name[length] != '\0' || p != pid)
		return false;
	*ticks = t;
	return true;
}

/* The newest segment of @pid in @directory: that of the one alive, if any. */
static int
find_segment(const char *directory, uint64_t pid, char path[PLACE_ROOM])
{
	struct proc_stat stat = { 0 };
	bool alive = proc_stat_read((int)pid, &stat) == 0;
	int64_t best_time = -1;
	uint64_t best = 0, ticks;
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	dir = opendir(directory);
	if (dir == NULL)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		int64_t time;

		if (!parse_name(entry->d_name, pid, &ticks) ||
		    fstatat(dirfd(dir), entry->d_name, &st,
		    AT_SYMLINK_NOFOLLOW) != 0)
			continue;
		time = alive && ticks == stat.ticks ? INT64_MAX :
		    (int64_t)st.st_mtime;
		if (time > best_time || (time == best_time && ticks > best)) {
			best_time = time;
			best = ticks;
		}
	}
	closedir(dir);
	if (best_time < 0)
		return -ENOENT;
	return place_segment(directory, (int)pid, best, path);
}

static int
open_pid(uint64_t pid, struct profile *profile, char why[WHY_ROOM])
{
	char directory[PLACE_ROOM] = "", path[PLACE_ROOM];
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
	return open_file(path, profile, why);
}

int
profile_open(const char *what, struct profile *profile, char why[WHY_ROOM])
{
	uint64_t pid;

	if (text_parse_u64(what, INT32_MAX, &pid) == 0)
		return open_pid(pid, profile, why);
	return open_file(what, profile, why);
}

void
profile_close(struct profile *profile)
{
	free((void *)(uintptr_t)profile->segment);
	free(profile->path);
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

/* --- totals --------------------------------------------------------------- */

static uint64_t
positive(int64_t n)
{
	return n > 0 ? (uint64_t)n : 0;
}

/* Live and peak of one kind of bytes, usable or requested. */
struct level {
	int64_t live;
	int64_t peak;
};

/*
 * The published peak is behind by what each thread has moved since it last
 * published: its own highest stand since then is in its row.
 */
static void
lift_peak(struct level *level, int64_t published_sum, int64_t high,
    int64_t published)
{
	int64_t stand;

	if (__builtin_sub_overflow(high, published, &stand) ||
	    __builtin_add_overflow(stand, published_sum, &stand))
		return; /* damaged */
	if (stand > level->peak)
		level->peak = stand;
}

static bool
tally_was_owned(const struct tally *t)
{
	return t->tid != 0 || t->born_ns != 0 || t->allocations != 0 ||
	    t->frees != 0;
}

/* Wraps like the counts themselves: the sum over all threads is what counts. */
static int64_t
difference(uint64_t a, uint64_t b)
{
	return (int64_t)(a - b);
}

static int64_t
sum(int64_t a, int64_t b)
{
	return (int64_t)((uint64_t)a + (uint64_t)b);
}

static double
seconds_since_start(const struct profile *p, uint64_t ns)
{
	uint64_t start = p->segment->identity.clock_ns;

	return ns > start ? (double)(ns - start) / (double)NS_PER_S : 0;
}

void
profile_totals(const struct profile *profile, struct totals *totals)
{
	const struct segment_live *live = &profile->segment->live;
	const struct segment_config *config = &profile->segment->config;
	struct level usable = { 0, live->peak_bytes };
	struct level requested = { 0, live->peak_requested_bytes };
	uint64_t requested_freed = 0;
	size_t owned = 0;
	struct totals t = { .requested_known = config->stacks == STACKS_ALL };

	for (size_t i = 0; i < profile->tallies; i++) {
		const struct tally *row = &profile->tally[i];

		if (!tally_was_owned(row))
			continue;
		owned += row->state != TALLY_SHARED; /* that one is exact */
		t.allocations += row->allocations;
		t.frees += row->frees;
		t.allocated_bytes += row->allocated;
		t.requested_bytes += row->requested;
		t.temporary += row->temporary;
		requested_freed += row->requested_freed;
		usable.live = sum(usable.live,
		    difference(row->allocated, row->freed));
		lift_peak(&usable, live->bytes, row->high, row->published);
		lift_peak(&requested, live->requested_bytes,
		    row->requested_high, row->requested_published);
	}
	requested.live = difference(t.requested_bytes, requested_freed);
	t.live_blocks = t.allocations - t.frees;
	if (profile->segment->identity.inherits == 1) {
		t.live_blocks += live->inherited_blocks - live->inherited_frees;
		usable.live = sum(usable.live, difference(
		    (uint64_t)live->inherited_bytes,
		    live->inherited_freed_bytes));
		requested.live = sum(requested.live, difference(
		    (uint64_t)live->inherited_requested_bytes,
		    live->inherited_freed_requested_bytes));
		t.inherited_bytes = positive(difference(
		    (uint64_t)live->inherited_bytes,
		    live->inherited_freed_bytes));
	}
	t.live_blocks = positive((int64_t)t.live_blocks);
	t.live_bytes = positive(usable.live);
	t.peak_bytes = max_u64(positive(usable.peak), t.live_bytes);
	if (t.requested_known) {
		t.live_requested_bytes = positive(requested.live);
		t.peak_requested_bytes = max_u64(positive(requested.peak),
		    t.live_requested_bytes);
	}
	if (owned > 1)
		t.peak_error_bytes = ((uint64_t)live->threads_most + 1) *
		    config->drift_bytes;
	t.peak_at = seconds_since_start(profile,
	    t.peak_bytes > positive(live->peak_bytes) ? profile->now_ns :
	    live->peak_at_ns);
	*totals = t;
}

/* --- sites and stacks ----------------------------------------------------- */

uint64_t
profile_site_at_peak(const struct profile *profile, const struct site *site)
{
	const struct segment_live *live = &profile->segment->live;

	if (!live->rising && site->epoch == live->peak_epoch)
		return positive(site->at_peak_bytes);
	return positive(difference(site->allocated_bytes, site->freed_bytes));
}

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

/* --- exactness ------------------------------------------------------------ */

uint64_t
profile_lost(const struct profile *profile, const struct profile_loss *loss)
{
	uint64_t count;

	memcpy(&count, (const char *)&profile->segment->lost + loss->at,
	    sizeof(count));
	return count;
}

bool
profile_is_exact(const struct profile *profile)
{
	if (profile->damaged != 0 ||
	    profile->segment->config.stacks == STACKS_SAMPLED)
		return false;
	for (size_t i = 0; i < PROFILE_LOSSES; i++)
		if (profile_losses[i].withdraws &&
		    profile_lost(profile, &profile_losses[i]) != 0)
			return false;
	return true;
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
