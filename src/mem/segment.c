#include "mem/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/base.h"
#include "base/text.h"
#include "mem/tables.h"
#include "sys/place.h"
#include "sys/sys.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define PAGE_BYTES     TABLES_PAGE_BYTES
#define STEP_LEAST     (4 * KIB)
#define STEP_DOUBLES   (32 * KIB)
#define STEP_MOST      (1 * MIB)
#define IMAGES_MOST    100000 /* names that are tried for an image */

/* Under a limit of address space the segment takes this share of it. */
#define SPACE_SHARE    32
#define GROWERS_NAP_NS (100 * UINT64_C(1000))
#define GROWERS_NAPS   1000

/* Without them nothing is lost that is counted. */
static const bool spare[TABLE_ROOM] = {
	[TABLE_TRENDS] = true,
	[TABLE_PASTS] = true,
	[TABLE_AGES] = true,
	[TABLE_TIMED] = true,
	[TABLE_LIVES] = true,
};

struct segment *segment_map;

static struct {
	uint64_t bytes;
	_Atomic uint64_t backed[TABLE_ROOM]; /* bytes of each table */
	_Atomic bool full[TABLE_ROOM];       /* no more room, ever */
	_Atomic uint32_t growers; /* threads that are backing something */
	bool narrowed;            /* between tables there may be others' pages */
	uint64_t device, inode; /* of the file, to know it again */
	char path[PLACE_ROOM];
} mine;

static struct segment *ancestor; /* its header, or NULL */

/* A write beyond the limit of file sizes would raise SIGXFSZ. */
static int
may_write(uint64_t end)
{
	return sys_limit(RLIMIT_FSIZE) < end ? -EFBIG : 0;
}

/* The kernels before 5.14: ask for blocks through the file itself. */
static int
back_by_file(uint64_t offset, uint64_t bytes)
{
	static const char zeros[4096];
	struct stat st;
	int fd;
	int r;

	fd = sys_open(mine.path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd < 0)
		return fd;
	r = sys_fstat(fd, &st);
	if (r == 0 && (st.st_dev != mine.device || st.st_ino != mine.inode))
		r = -ESTALE;
	if (r == 0)
		r = sys_fallocate(fd, offset, bytes);
	if (r == -EOPNOTSUPP) {
		/* Nobody has stored there yet: it was not handed out. */
		for (r = may_write(offset + bytes); r == 0 && bytes > 0; ) {
			ssize_t n = sys_pwrite(fd, zeros, min_u64(bytes,
			    sizeof(zeros)), offset);

			if (n <= 0) {
				r = n < 0 ? (int)n : -EIO;
			} else {
				offset += (uint64_t)n;
				bytes -= (uint64_t)n;
			}
		}
	}
	sys_close(fd);
	return r;
}

/* Make [offset, offset + bytes) safe to store into.  Whole pages. */
static int
back(uint64_t offset, uint64_t bytes)
{
	int r = sys_madvise((char *)segment_map + offset, bytes,
	    MADV_POPULATE_WRITE);

	if (r == -EINVAL)
		r = back_by_file(offset, bytes);
	return r == -EFAULT ? -ENOSPC : r;
}

/*
 * The image that left the file @fd is the how manieth of its process?  Its name
 * alone does not tell: those of earlier ones may have been collected by now.
 */
static uint32_t
image_of(int fd)
{
	uint32_t n;

	return sys_pread(fd, &n, sizeof(n), offsetof(struct segment,
	    identity.exec_count)) == (ssize_t)sizeof(n) ? n : 0;
}

/* Keep what an image of this pid left before it was exec'ed over. */
static int
set_aside(const char *path, uint32_t *exec_count)
{
	size_t stem = strlen(path) - strlen(SEGMENT_SUFFIX);
	uint32_t how = END_EXEC;
	static char aside[PLACE_ROOM]; /* stacks may be small */
	struct text name;
	struct stat st;
	uint32_t n = 0;
	uint32_t tries;
	int fd;

	fd = sys_open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0);
	if (fd >= 0) {
		if (may_write(SEGMENT_HEADER_BYTES) == 0)
			(void)sys_pwrite(fd, &how, sizeof(how),
			    offsetof(struct segment, end.how));
		n = image_of(fd);
		sys_close(fd);
	}
	for (tries = 0; tries < IMAGES_MOST; tries++, n++) {
		text_open(&name, aside, sizeof(aside));
		text_put_bytes(&name, path, stem);
		text_put(&name, ".");
		text_put_u64(&name, n);
		text_put(&name, SEGMENT_SUFFIX);
		if (name.cut)
			return -ENAMETOOLONG;
		if (sys_lstat(aside, &st) == -ENOENT) {
			*exec_count = n + 1;
			return sys_rename(path, aside);
		}
	}
	return -EEXIST;
}

static int
create_file(const char *path, uint32_t *exec_count)
{
	const int flags = O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW;
	int fd;
	int r;

	*exec_count = 0;
	fd = sys_open(path, flags, 0600);
	if (fd != -EEXIST)
		return fd;
	r = set_aside(path, exec_count);
	return r < 0 ? r : sys_open(path, flags, 0600);
}

/*
 * A file has to stay below RLIMIT_FSIZE (to pass it would raise SIGXFSZ in
 * the program), and address space that is limited is not ours to take.
 */
static uint64_t
most_bytes(void)
{
	uint64_t space = sys_limit(RLIMIT_AS);
	uint64_t most = sys_limit(RLIMIT_FSIZE);

	return space == UINT64_MAX ? most : min_u64(most, space / SPACE_SHARE);
}

/* Where the pages of a table end: its capacity, by which everybody goes. */
static uint64_t
end_of(const struct segment_table *t)
{
	return t->offset + round_up(__atomic_load_n(&t->capacity,
	    __ATOMIC_SEQ_CST) * t->entry_bytes, PAGE_BYTES);
}

/* Where what lies at the start ends: all of it, or the header alone. */
static uint64_t
start_bytes(void)
{
	return mine.narrowed ? SEGMENT_HEADER_BYTES : mine.bytes;
}

size_t
segment_spans(struct segment_span spans[SEGMENT_OWN_SPANS])
{
	uintptr_t start = (uintptr_t)segment_map;
	size_t n = 0;
	int i;

	spans[n++] = (struct segment_span){ start, start + start_bytes() };
	for (i = 0; mine.narrowed && i < TABLE_ROOM; i++) {
		const struct segment_table *t = &segment_map->table[i];

		if (t->entry_bytes != 0)
			spans[n++] = (struct segment_span){ start + t->offset,
			    start + end_of(t) };
	}
	return n;
}

/* All of it but the first @kept bytes. */
static void
unmap(uint64_t kept)
{
	char *start = (char *)segment_map;
	int i;

	for (i = 0; mine.narrowed && i < TABLE_ROOM; i++) {
		const struct segment_table *t = &segment_map->table[i];

		if (t->entry_bytes != 0)
			(void)sys_munmap(start + t->offset,
			    end_of(t) - t->offset);
	}
	if (start_bytes() > kept)
		(void)sys_munmap(start + kept, start_bytes() - kept);
}

static void
forget(void)
{
	if (segment_map != NULL)
		unmap(0);
	segment_map = NULL;
}

int
segment_create(const char *path, uint32_t *exec_count)
{
	struct segment *s;
	struct stat st;
	uint64_t bytes;
	int shift;
	int fd;
	int r;

	shift = tables_shift(most_bytes(), &bytes);
	if (shift < 0)
		return shift;
	fd = create_file(path, exec_count);
	if (fd < 0)
		return fd;
	r = sys_ftruncate(fd, bytes);
	if (r == 0)
		r = sys_fstat(fd, &st);
	if (r < 0)
		goto out;
	s = sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	r = sys_error_of(s);
	if (r < 0)
		goto out;
	/*
	 * On a disk each first touch would read ahead, megabytes of holes: time,
	 * and memory that is charged to the program's control group.
	 */
	(void)sys_madvise(s, bytes, MADV_RANDOM);

	if (ancestor != NULL)
		(void)sys_munmap(ancestor, SEGMENT_HEADER_BYTES);
	ancestor = NULL;
	memset(&mine, 0, sizeof(mine));
	segment_map = s;
	mine.bytes = bytes;
	mine.device = st.st_dev;
	mine.inode = st.st_ino;
	memcpy(mine.path, path, strlen(path) + 1);
	r = back(0, SEGMENT_HEADER_BYTES);
	if (r < 0) {
		forget();
		goto out;
	}
	tables_lay_out(s, bytes, shift);
out:
	sys_close(fd);
	if (r < 0)
		(void)sys_unlink(path); /* the first error is the one to tell */
	return r;
}

void
segment_publish(void)
{
	atomic_store_explicit(&segment_map->head.ready, 1, memory_order_release);
}

void
segment_leave(void)
{
	if (segment_map != NULL) {
		ancestor = segment_map;
		unmap(SEGMENT_HEADER_BYTES);
	}
	segment_map = NULL;
}

void
segment_discard(void)
{
	if (segment_map != NULL)
		(void)sys_unlink(mine.path);
	forget();
}

struct segment *
segment_nearest(void)
{
	return segment_map != NULL ? segment_map : ancestor;
}

bool
segment_is_in_reach(void)
{
	struct stat st;
	int r;

	if (mine.path[0] == '\0')
		return true;
	r = sys_stat(mine.path, &st);
	if (r == 0)
		return st.st_dev == mine.device && st.st_ino == mine.inode;
	return r != -ENOENT && r != -ENOTDIR;
}

/* Back a table up to @to bytes, whole pages; it has been up to @have. */
static int
extend(enum segment_table_id table, uint64_t have, uint64_t to)
{
	int r = back(segment_map->table[table].offset + have, to - have);

	while (r == 0 && have < to && !atomic_compare_exchange_weak(
	    &mine.backed[table], &have, to))
		;
	return r;
}

/* A small profile is small, a large one grows in few calls, with little spare. */
static uint64_t
step_of(uint64_t have)
{
	return min_u64(max_u64(have < STEP_DOUBLES ? have : have / 4,
	    STEP_LEAST), STEP_MOST);
}

/*
 * Back a table up to @need bytes, and some more.  Two threads may do the same
 * step at once: that is harmless, and neither waits.
 */
static COLD int
grow(enum segment_table_id table, uint64_t need)
{
	const struct segment_table *t = &segment_map->table[table];
	uint64_t have = atomic_load(&mine.backed[table]);
	uint64_t room, to;
	int r = -ENOSPC;

	/* Before the capacity is read: see segment_narrow(). */
	atomic_fetch_add(&mine.growers, 1);
	room = end_of(t) - t->offset;
	to = min_u64(round_up(max_u64(need, have + step_of(have)), PAGE_BYTES),
	    room);
	if (need <= room)
		r = extend(table, have, to);
	if (r < 0 && to > round_up(need, PAGE_BYTES)) /* the last bit of room */
		r = extend(table, have, round_up(need, PAGE_BYTES));
	atomic_fetch_sub(&mine.growers, 1);
	if (r < 0) {
		atomic_store(&mine.full[table], true);
		if (!spare[table])
			atomic_fetch_add(&segment_map->lost.space, 1);
		return -ENOSPC;
	}
	return 0;
}

void
segment_reserve(void)
{
	int i;

	atomic_fetch_add(&mine.growers, 1);
	for (i = 0; i < TABLE_ROOM; i++) {
		const struct segment_table *t = &segment_map->table[i];
		uint64_t have = atomic_load(&mine.backed[i]);
		uint64_t to = min_u64(end_of(t) - t->offset, round_up(
		    (atomic_load(&t->used) + tables_reserve(i)) *
		    t->entry_bytes, PAGE_BYTES));

		if (to > have)
			(void)extend(i, have, to);
	}
	atomic_fetch_sub(&mine.growers, 1);
}

/* Rows a table keeps: halved @shift times, but twice those that are taken. */
static uint64_t
rows_kept(enum segment_table_id table, int shift)
{
	uint64_t rows = 0;
	int i;

	for (i = 0; i < TABLE_ROOM; i++) {
		const struct segment_table *kin = &segment_map->table[i];

		if (kin->entry_bytes == 0 ||
		    tables_kin(i) != tables_kin(table))
			continue;
		rows = max_u64(rows, tables_rows(i, shift));
		rows = max_u64(rows, 2 * atomic_load(&kin->used));
		rows = max_u64(rows, atomic_load(&mine.backed[i]) /
		    kin->entry_bytes);
	}
	/* Of these as many as there may be sites are never somebody's own. */
	if (tables_kin(table) == TABLE_COUNTS)
		rows += rows_kept(TABLE_SITES, shift);
	/* Rows of any size that fill their pages: no room goes beyond. */
	return tables_is_fixed(table) ? UINT64_MAX :
	    round_up(rows, PAGE_BYTES / (tables_kin(table) == TABLE_TEXT ?
	    1 : 8));
}

/* Until nobody backs a table who may have read its capacity of before. */
static bool
await_growers(void)
{
	int naps;

	for (naps = 0; atomic_load(&mine.growers) != 0; naps++) {
		if (naps == GROWERS_NAPS)
			return false;
		sys_sleep(GROWERS_NAP_NS);
	}
	return true;
}

static void
set_capacities(const uint64_t most[TABLE_ROOM], int shift)
{
	uint64_t rows[TABLE_ROOM];
	int i;

	for (i = 0; i < TABLE_ROOM; i++)
		rows[i] = min_u64(most[i], rows_kept(i, shift));
	for (i = 0; i < TABLE_ROOM; i++)
		__atomic_store_n(&segment_map->table[i].capacity, rows[i],
		    __ATOMIC_SEQ_CST);
}

/* What a table no longer has of the @rows it had. */
static void
unmap_behind(const struct segment_table *t, uint64_t rows)
{
	uint64_t end = t->offset + round_up(rows * t->entry_bytes, PAGE_BYTES);

	if (end > end_of(t))
		(void)sys_munmap((char *)segment_map + end_of(t),
		    end - end_of(t));
}

void
segment_narrow(uint64_t space)
{
	uint64_t was[TABLE_ROOM], bytes;
	int shift = tables_shift(space / SPACE_SHARE, &bytes);
	int i;

	if (shift < 0)
		shift = TABLES_SHIFT_MOST;
	for (i = 0; i < TABLE_ROOM; i++)
		was[i] = segment_capacity(i);
	set_capacities(was, shift);
	if (!await_growers())
		return;
	/* Some may have been backed meanwhile: from here on they go by less. */
	set_capacities(was, shift);
	mine.narrowed = true;
	for (i = 0; i < TABLE_ROOM; i++)
		unmap_behind(&segment_map->table[i], was[i]);
}

int
segment_room(enum segment_table_id table, uint64_t rows)
{
	const struct segment_table *t = &segment_map->table[table];
	uint64_t need = rows * t->entry_bytes;

	if (need <= atomic_load_explicit(&mine.backed[table],
	    memory_order_relaxed))
		return 0;
	if (rows > segment_capacity(table) || atomic_load(&mine.full[table]))
		return -ENOSPC;
	return grow(table, need);
}

int
segment_reach(enum segment_table_id table, uint64_t rows)
{
	_Atomic uint64_t *used = &segment_map->table[table].used;
	uint64_t now = atomic_load_explicit(used, memory_order_relaxed);
	int r = segment_room(table, rows);

	while (r == 0 && now < rows &&
	    !atomic_compare_exchange_weak(used, &now, rows))
		;
	return r;
}

int64_t
segment_take(enum segment_table_id table, uint64_t n)
{
	struct segment_table *t = &segment_map->table[table];
	uint64_t first = atomic_load_explicit(&t->used, memory_order_relaxed);

	/* Backed first, taken then: a row that is taken may be touched. */
	do {
		if (segment_room(table, first + n) < 0)
			return -ENOSPC;
	} while (!atomic_compare_exchange_weak(&t->used, &first, first + n));
	return (int64_t)first;
}

struct segment_text
segment_text(const char *s, size_t bytes)
{
	struct segment_text text = { 0, 0 };
	int64_t at;

	if (bytes == 0)
		return text;
	at = segment_take(TABLE_TEXT, bytes);
	if (at < 0) {
		atomic_fetch_add(&segment_map->lost.text, 1);
		return text;
	}
	memcpy((char *)segment_rows(TABLE_TEXT) + at, s, bytes);
	text.offset = (uint32_t)at;
	text.bytes = (uint32_t)bytes;
	return text;
}
