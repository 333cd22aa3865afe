#include "batch/results.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/crc.h"
#include "base/text.h"
#include "say/need.h"

#define PIECE      65536
#define FILES_MOST 100000 /* of one directory */

struct head {
	uint64_t magic, first, count, bytes[2];
	uint32_t content, crc;
};

_Static_assert(sizeof(struct head) == 48, "as the table in results.h");

static uint32_t
sum_of(const struct head *head)
{
	return crc_32c(0, head, offsetof(struct head, crc));
}

/* --- writing -------------------------------------------------------------- */

int
results_create(struct results *r, const char *directory)
{
	char *path;
	int error;

	*r = (struct results){ .fd = -1 };
	if (mkdir(directory, 0777) < 0 && errno != EEXIST)
		return -errno;
	for (unsigned n = 0; n < FILES_MOST; n++) {
		path = need_text("%s/%u", directory, n);
		r->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		error = errno;
		free(path);
		if (r->fd >= 0 || error != EEXIST)
			break;
	}
	return r->fd < 0 ? -error : 0;
}

static int
write_at(int fd, const void *data, size_t bytes, uint64_t at)
{
	const char *from = data;
	ssize_t n;

	for (; bytes > 0; from += n, bytes -= (size_t)n, at += (size_t)n) {
		n = pwrite(fd, from, bytes, (off_t)at);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

void
results_begin(struct results *r)
{
	r->at = r->begin + sizeof(struct head);
	r->bytes[0] = r->bytes[1] = 0;
	r->crc = 0;
}

int
results_add(struct results *r, int which, const void *data, size_t bytes)
{
	int e = write_at(r->fd, data, bytes, r->at);

	if (e < 0)
		return e;
	r->crc = crc_32c(r->crc, data, bytes);
	r->at += bytes;
	r->bytes[which] += bytes;
	return 0;
}

int
results_end(struct results *r, uint64_t first, uint64_t count)
{
	struct head head = {
		.magic = RESULTS_MAGIC, .first = first, .count = count,
		.bytes = { r->bytes[0], r->bytes[1] }, .content = r->crc,
	};
	int e;

	head.crc = sum_of(&head);
	e = write_at(r->fd, &head, sizeof(head), r->begin);
	if (e == 0)
		r->begin = r->at;
	return e;
}

int
results_close(struct results *r)
{
	int e = fsync(r->fd) < 0 && errno != EINVAL ? -errno : 0;

	if (close(r->fd) < 0 && e == 0)
		e = -errno;
	r->fd = -1;
	return e;
}

/* --- reading -------------------------------------------------------------- */

/* How many there are; they are numbered without a gap. */
static int
open_files(struct results_set *s, const char *directory)
{
	struct stat st;
	char *path;
	int fd;

	if (stat(directory, &st) < 0)
		return -errno;
	for (size_t n = 0; n < FILES_MOST; n++) {
		path = need_text("%s/%zu", directory, n);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		free(path);
		if (fd < 0)
			return errno == ENOENT ? 0 : -errno;
		s->fd = need(realloc(s->fd, (n + 1) * sizeof(*s->fd)));
		s->fd[s->files++] = fd;
	}
	return 0;
}

static bool
is_whole(int fd, const struct head *head, uint64_t at)
{
	uint64_t left = head->bytes[0] + head->bytes[1];
	static char piece[PIECE];
	uint32_t crc = 0;
	ssize_t n;

	for (; left > 0; left -= (uint64_t)n, at += (uint64_t)n) {
		n = pread(fd, piece, min_u64(left, PIECE), (off_t)at);
		if (n <= 0)
			return false;
		crc = crc_32c(crc, piece, (size_t)n);
	}
	return crc == head->content;
}

/* A record that is none ends its file: nothing was written behind it. */
static bool
read_head(int fd, uint64_t at, uint64_t size, uint64_t items,
    struct head *head)
{
	return pread(fd, head, sizeof(*head), (off_t)at) ==
	    (ssize_t)sizeof(*head) && head->magic == RESULTS_MAGIC &&
	    head->crc == sum_of(head) && head->count > 0 &&
	    head->first < items && head->count <= items - head->first &&
	    head->bytes[0] <= size && head->bytes[1] <= size &&
	    at + sizeof(*head) + head->bytes[0] + head->bytes[1] <= size;
}

static void
add(struct results_set *s, const struct head *head, uint32_t file,
    uint64_t at)
{
	if ((s->count & (s->count - 1)) == 0)
		s->row = need(realloc(s->row, (s->count * 2 + 1) *
		    sizeof(*s->row)));
	s->row[s->count] = (struct result){ head->first, head->count,
		at + sizeof(*head), { head->bytes[0], head->bytes[1] }, file,
		s->count };
	s->count++;
}

static void
read_file(struct results_set *s, uint32_t file)
{
	int fd = s->fd[file];
	struct head head;
	uint64_t at = 0;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return;
	while (read_head(fd, at, (uint64_t)st.st_size, s->items, &head)) {
		if (is_whole(fd, &head, at + sizeof(head)))
			add(s, &head, file, at);
		at += sizeof(head) + head.bytes[0] + head.bytes[1];
	}
}

static bool
is_marked(const struct results_set *s, uint64_t item)
{
	return s->has[item / 8] >> item % 8 & 1;
}

/* From the newest on: what has an item that is there already is old. */
static void
settle(struct results_set *s)
{
	size_t kept = s->count, i;
	uint64_t k, end;

	for (i = s->count; i-- > 0;) {
		struct result *r = &s->row[i];

		end = r->first + r->count;
		for (k = r->first; k < end && !is_marked(s, k); k++)
			;
		if (k < end)
			continue;
		for (k = r->first; k < end; k++)
			s->has[k / 8] |= (uint8_t)(1u << k % 8);
		s->row[--kept] = *r;
	}
	s->count -= kept;
	if (s->count > 0)
		memmove(s->row, s->row + kept, s->count * sizeof(*s->row));
}

static int
by_first(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

int
results_open(struct results_set *s, const char *directory, uint64_t items)
{
	int r;

	*s = (struct results_set){ .items = items };
	s->has = need(calloc(items / 8 + 1, 1));
	r = open_files(s, directory);
	if (r < 0) {
		results_free(s);
		return r;
	}
	for (size_t i = 0; i < s->files; i++)
		read_file(s, (uint32_t)i);
	settle(s);
	if (s->count > 0)
		qsort(s->row, s->count, sizeof(*s->row), by_first);
	return 0;
}

void
results_free(struct results_set *s)
{
	for (size_t i = 0; i < s->files; i++)
		close(s->fd[i]);
	free(s->fd);
	free(s->row);
	free(s->has);
	*s = (struct results_set){ 0 };
}

bool
results_have(const struct results_set *s, uint64_t first, uint64_t count)
{
	if (first >= s->items || count > s->items - first)
		return false;
	for (uint64_t i = first; i < first + count; i++)
		if (!is_marked(s, i))
			return false;
	return true;
}
