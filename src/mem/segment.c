#include "mem/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "base/base.h"
#include "base/room.h"
#include "base/text.h"
#include "sys/arch.h"
#include "sys/place.h"
#include "sys/sys.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define PAGE_BYTES     UINT64_C(4096)
#define STEP_LEAST     (4 * KIB)
#define STEP_DOUBLES   (32 * KIB)
#define STEP_MOST      (1 * MIB)
#define IMAGES_MOST    100000 /* names that are tried for an image */

/*
 * Rows there is address space for; a process short of it gets fewer.  And how
 * many are backed beforehand where nothing can grow any more: a large program
 * has some 10 000 sites.
 */
static const struct {
	uint32_t entry_bytes;
	uint64_t capacity;
	uint64_t reserve;
} plan[TABLE_ROOM] = {
	[TABLE_TALLIES] = { sizeof(struct tally), 16 * KIB, 1 * KIB },
	[TABLE_SITES] = { sizeof(struct site), SEGMENT_SITES, 16 * KIB },
	[TABLE_FIRST] = { sizeof(struct count), SEGMENT_SITES, 16 * KIB },
	[TABLE_COUNTS] = { sizeof(struct count), SEGMENT_SITES + 64 * KIB,
	    20 * KIB },
	[TABLE_ESTIMATES] = { sizeof(struct estimate), SEGMENT_SITES,
	    16 * KIB },
	[TABLE_NODES] = { sizeof(struct node), 2 * MIB, 64 * KIB },
	[TABLE_MODULES] = { sizeof(struct module), 4 * KIB, 256 },
	[TABLE_MAPPINGS] = { sizeof(struct mapping), 64 * KIB, 4 * KIB },
	[TABLE_TEXT] = { 1, 4 * MIB, 32 * KIB },
	[TABLE_SECONDS] = { sizeof(struct point), SERIES_SECONDS, 600 },
	[TABLE_MINUTES] = { sizeof(struct point), SERIES_MINUTES, 60 },
	[TABLE_MARKS] = { sizeof(struct mark), 32 * KIB, 64 },
	[TABLE_MOMENTS] = { sizeof(struct moment), TREND_COLUMNS,
	    TREND_COLUMNS },
	[TABLE_TRENDS] = { sizeof(struct trend), SEGMENT_SITES, 16 * KIB },
	[TABLE_AGES] = { sizeof(struct ages), 512 * KIB, 32 * KIB },
	[TABLE_FIRST_PASSED] = { sizeof(int64_t), SEGMENT_SITES, 16 * KIB },
	[TABLE_COUNTS_PASSED] = { sizeof(int64_t), SEGMENT_SITES + 64 * KIB,
	    20 * KIB },
	[TABLE_TIMED] = { sizeof(struct timed), SEGMENT_TIMED, 1 * KIB },
	[TABLE_LIVES] = { sizeof(struct life), 8 * KIB, 512 },
	[TABLE_REACH] = { sizeof(struct reach), SEGMENT_SITES, 1 * KIB },
	[TABLE_FINDINGS] = { sizeof(struct finding), FINDINGS, 64 },
	[TABLE_POOLS] = { sizeof(struct pool), POOL_NAMES, 64 },
	[TABLE_BUDGET] = { sizeof(struct tide_room), 1, 1 },
	[TABLE_PASTS] = { sizeof(struct past), 512 * KIB, 16 * KIB },
	[TABLE_NAMES] = { sizeof(struct named), 64 * KIB, 1 * KIB },
};

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
	uint64_t device, inode; /* of the file, to know it again */
	char path[PLACE_ROOM];
} mine;

static struct segment *ancestor; /* its header, or NULL */

/* How far all capacities are halved so that the file keeps below @most. */
static int
choose_shift(uint64_t most, uint64_t *bytes)
{
	int shift;
	size_t i;

	for (shift = 0; shift <= 8; shift++) {
		*bytes = SEGMENT_HEADER_BYTES;
		for (i = 0; i < TABLE_ROOM; i++)
			*bytes += round_up((plan[i].capacity >> shift) *
			    plan[i].entry_bytes, PAGE_BYTES);
		if (*bytes <= most)
			return shift;
	}
	return -EFBIG;
}

static void
lay_out(struct segment *s, uint64_t bytes, int shift)
{
	uint64_t offset = SEGMENT_HEADER_BYTES;
	size_t i;

	memcpy(s->head.magic, SEGMENT_MAGIC, sizeof(s->head.magic));
	s->head.layout = SEGMENT_LAYOUT;
	s->head.byte_order = SEGMENT_BYTE_ORDER;
	s->head.bytes = bytes;
	s->head.header_bytes = SEGMENT_HEADER_BYTES;
	s->head.page_bytes = PAGE_BYTES;
	s->head.machine = ARCH_ELF_MACHINE;
	memcpy(s->head.version, PACKAGE_VERSION, sizeof(PACKAGE_VERSION));
	for (i = 0; i < TABLE_ROOM; i++) {
		if (plan[i].entry_bytes == 0)
			continue; /* there is none of that number */
		s->table[i].offset = offset;
		s->table[i].capacity = plan[i].capacity >> shift;
		s->table[i].entry_bytes = plan[i].entry_bytes;
		offset += round_up(s->table[i].capacity * plan[i].entry_bytes,
		    PAGE_BYTES);
	}
	/* Row 0 means "none" where rows are named. */
	atomic_store(&s->table[TABLE_SITES].used, 1);
	atomic_store(&s->table[TABLE_COUNTS].used, 1);
	atomic_store(&s->table[TABLE_NODES].used, 1);
	atomic_store(&s->table[TABLE_AGES].used, 1);
	atomic_store(&s->table[TABLE_PASTS].used, 1);
}

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

	return space == UINT64_MAX ? most : min_u64(most, space / 32);
}

static void
forget(void)
{
	if (segment_map != NULL)
		(void)sys_munmap(segment_map, mine.bytes);
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

	shift = choose_shift(most_bytes(), &bytes);
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
	lay_out(s, bytes, shift);
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
		(void)sys_munmap((char *)segment_map + SEGMENT_HEADER_BYTES,
		    mine.bytes - SEGMENT_HEADER_BYTES);
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
	uint64_t room = round_up(t->capacity * t->entry_bytes, PAGE_BYTES);
	uint64_t have = atomic_load(&mine.backed[table]);
	uint64_t to = min_u64(round_up(max_u64(need, have + step_of(have)),
	    PAGE_BYTES), room);
	int r;

	r = extend(table, have, to);
	if (r < 0 && to > round_up(need, PAGE_BYTES)) /* the last bit of room */
		r = extend(table, have, round_up(need, PAGE_BYTES));
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

	for (i = 0; i < TABLE_ROOM; i++) {
		const struct segment_table *t = &segment_map->table[i];
		uint64_t have = atomic_load(&mine.backed[i]);
		uint64_t to = round_up(min_u64(t->capacity,
		    atomic_load(&t->used) + plan[i].reserve) * t->entry_bytes,
		    PAGE_BYTES);

		if (to > have)
			(void)extend(i, have, to);
	}
}

int
segment_room(enum segment_table_id table, uint64_t rows)
{
	const struct segment_table *t = &segment_map->table[table];
	uint64_t need = rows * t->entry_bytes;

	if (need <= atomic_load_explicit(&mine.backed[table],
	    memory_order_relaxed))
		return 0;
	if (rows > t->capacity || atomic_load(&mine.full[table]))
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
