/*
 * batch-output.c - what jobs write: each in one piece, or in whole lines
 *
 * A job has a file for its output and one for its errors, without a name, and
 * when it has ended both are copied.  They are used again, so that a job that
 * writes nothing costs no file.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "batch.h"
#include "command.h"
#include "need.h"
#include "print.h"

#define PIECE 65536
#define SURE  4096 /* bytes that a pipe takes that poll() says is ready */

/* --- to whoever reads ----------------------------------------------------- */

/* Jobs go on meanwhile, and have to be looked after. */
static void
wait_for_reader(struct batch *b, int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };

	while (poll(&ready, 1, 20) == 0)
		batch_attend(b);
}

/* What is not there, the next who goes on does again. */
static void
cannot_keep(struct batch *b, int error)
{
	if (b->own == COMMAND_FAILED)
		return;
	batch_say(b, "cannot keep what jobs write in %s: %s",
	    b->options->results, strerror(-error));
	b->own = COMMAND_FAILED;
	batch_stop(b, true);
}

static void
keep(struct batch *b, int fd, const char *text, size_t bytes)
{
	int r = b->own != COMMAND_FAILED ? results_add(&b->results,
	    fd == STDERR_FILENO, text, bytes) : -EIO;

	if (r < 0)
		cannot_keep(b, r);
}

void
batch_write(struct batch *b, int fd, const char *text, size_t bytes)
{
	ssize_t n;

	if (b->keeping) {
		keep(b, fd, text, bytes);
		return;
	}
	for (; bytes > 0 && !(b->deaf && fd == STDOUT_FILENO);
	    text += n, bytes -= (size_t)n) {
		wait_for_reader(b, fd);
		n = write(fd, text, min_u64(bytes, SURE));
		if (n >= 0)
			continue;
		if (errno != EINTR && errno != EAGAIN) {
			if (fd != STDOUT_FILENO)
				return;
			b->deaf = true;
			b->own = errno;
			batch_stop(b, true);
			return;
		}
		n = 0;
	}
}

/* Each line of @text with a tag before it; @fresh: a line begins. */
static void
write_tagged(struct batch *b, int fd, const char *tag, const char *text,
    size_t bytes, bool *fresh)
{
	const char *end;
	size_t n;

	for (; bytes > 0; text += n, bytes -= n) {
		if (*fresh) {
			batch_write(b, fd, tag, strlen(tag));
			batch_write(b, fd, "\t", 1);
		}
		end = memchr(text, '\n', bytes);
		n = end != NULL ? (size_t)(end - text) + 1 : bytes;
		batch_write(b, fd, text, n);
		*fresh = end != NULL;
	}
}

/* --- files ---------------------------------------------------------------- */

static int
open_file(void)
{
	const char *directory = getenv("TMPDIR");
	char *path;
	int fd;

	if (directory == NULL || *directory == '\0')
		directory = "/tmp";
	fd = open(directory, O_TMPFILE | O_RDWR | O_APPEND | O_CLOEXEC, 0600);
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	path = need_text("%s/heaptide-batch.XXXXXX", directory);
	fd = mkostemp(path, O_APPEND | O_CLOEXEC);
	if (fd >= 0)
		unlink(path);
	free(path);
	return fd;
}

static void
close_all(struct spool *s)
{
	for (int i = 0; i < 2; i++) {
		if (s->fd[i] >= 0)
			close(s->fd[i]);
		if (s->to[i] >= 0)
			close(s->to[i]);
		free(s->line[i].text);
	}
	free(s->tag);
	free(s);
}

static struct spool *
make_spool(bool pipes)
{
	struct spool *s = need(calloc(1, sizeof(*s)));
	int ends[2], i;

	s->pipes = pipes;
	s->fd[0] = s->fd[1] = s->to[0] = s->to[1] = -1;
	for (i = 0; i < 2; i++) {
		if (!pipes) {
			s->fd[i] = open_file();
		} else if (pipe2(ends, O_CLOEXEC) == 0) {
			s->fd[i] = ends[0];
			s->to[i] = ends[1];
			(void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
		}
		if (s->fd[i] < 0) {
			i = errno;
			close_all(s);
			errno = i;
			return NULL;
		}
	}
	return s;
}

/* Its items, with blanks between. */
static char *
tag_of(const struct job *job)
{
	char *tag = need_text("%s", job->item[0]), *longer;

	for (size_t i = 1; i < job->count; i++) {
		longer = need_text("%s %s", tag, job->item[i]);
		free(tag);
		tag = longer;
	}
	return tag;
}

struct spool *
batch_spool(struct batch *b, const struct job *job)
{
	struct spool *s = b->spools;

	if (s != NULL)
		b->spools = s->next;
	else
		s = make_spool(b->line_buffered);
	if (s == NULL) {
		batch_say(b, "no file for the output of a job: %s; TMPDIR "
		    "names the directory", strerror(errno));
		return NULL;
	}
	s->next = NULL;
	if (b->options->tag)
		s->tag = tag_of(job);
	return s;
}

uint64_t
batch_spool_end(struct batch *b, struct spool *s)
{
	struct stat st;
	uint64_t bytes = 0;

	if (s->pipes) {
		batch_spool_pump(b, s);
		return 0;
	}
	if (fstat(s->fd[0], &st) == 0)
		bytes = (uint64_t)st.st_size;
	return bytes;
}

/* What a file has is written, and the file is empty. */
static void
copy(struct batch *b, struct spool *s, int i, bool drop)
{
	char piece[PIECE];
	bool fresh = true;
	off_t at = 0;
	ssize_t n;

	while (!drop && (n = pread(s->fd[i], piece, sizeof(piece), at)) > 0) {
		if (s->tag != NULL)
			write_tagged(b, STDOUT_FILENO + i, s->tag, piece,
			    (size_t)n, &fresh);
		else
			batch_write(b, STDOUT_FILENO + i, piece, (size_t)n);
		at += n;
	}
	if ((drop || at > 0) && ftruncate(s->fd[i], 0) < 0)
		batch_say(b, "cannot empty a file: %s", strerror(errno));
}

/* --- lines ---------------------------------------------------------------- */

static void
keep_part(struct part_line *line, const char *text, size_t bytes)
{
	if (line->used + bytes > line->room) {
		line->room = (line->used + bytes) * 2;
		line->text = need(realloc(line->text, line->room));
	}
	memcpy(line->text + line->used, text, bytes);
	line->used += bytes;
}

static void
tell_part(struct batch *b, struct spool *s, int i, const char *text,
    size_t bytes)
{
	bool fresh = true;

	if (s->tag != NULL)
		write_tagged(b, STDOUT_FILENO + i, s->tag, text, bytes,
		    &fresh);
	else
		batch_write(b, STDOUT_FILENO + i, text, bytes);
}

/* Whole lines go out, what is behind the last waits. */
static void
take_piece(struct batch *b, struct spool *s, int i, const char *text,
    size_t bytes)
{
	struct part_line *line = &s->line[i];
	const char *end = memrchr(text, '\n', bytes);
	size_t whole = end != NULL ? (size_t)(end - text) + 1 : 0;

	if (whole > 0) {
		keep_part(line, text, whole);
		tell_part(b, s, i, line->text, line->used);
		line->used = 0;
	}
	keep_part(line, text + whole, bytes - whole);
}

void
batch_spool_pump(struct batch *b, struct spool *s)
{
	char piece[PIECE];
	ssize_t n;

	for (int i = 0; i < 2; i++)
		while (s->fd[i] >= 0 &&
		    (n = read(s->fd[i], piece, sizeof(piece))) > 0)
			take_piece(b, s, i, piece, (size_t)n);
}

/* --- the end -------------------------------------------------------------- */

void
batch_spool_tell(struct batch *b, struct spool *s, bool drop)
{
	if (s->pipes) {
		for (int i = 0; i < 2; i++)
			if (s->line[i].used > 0)
				tell_part(b, s, i, s->line[i].text,
				    s->line[i].used);
		close_all(s);
		return;
	}
	copy(b, s, 0, drop);
	copy(b, s, 1, drop);
	free(s->tag);
	s->tag = NULL;
	s->next = b->spools;
	b->spools = s;
}

void
batch_spool_keep(struct batch *b, struct spool *s, uint64_t first,
    uint64_t count)
{
	bool failed = b->own == COMMAND_FAILED;
	int r;

	results_begin(&b->results);
	b->keeping = true;
	if (s != NULL)
		batch_spool_tell(b, s, failed);
	b->keeping = false;
	r = b->own == COMMAND_FAILED ? 0 : results_end(&b->results, first,
	    count);
	if (r < 0)
		cannot_keep(b, r);
}

void
batch_spools_close(struct batch *b)
{
	struct spool *s;

	while ((s = b->spools) != NULL) {
		b->spools = s->next;
		close_all(s);
	}
}
