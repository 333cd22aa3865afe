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
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/base.h"
#include "batch/batch.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"

#define PIECE 65536
#define PIECES 17 /* at one time: all that a pipe holds */
#define LINE_MOST (16 * MIB) /* of a line that is kept whole */
#define SURE  4096 /* bytes that a pipe takes that poll() says is ready */
#define PATIENCE 50 /* turns of 20 ms, once we are to end */

/* --- to whoever reads ----------------------------------------------------- */

/*
 * Jobs go on meanwhile, and have to be looked after.  False: who ends us does
 * not wait for a reader that takes nothing.
 */
static bool
wait_for_reader(struct batch *b, int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLOUT };
	unsigned turns = 0;

	while (poll(&ready, 1, 20) == 0) {
		batch_signals_take(b);
		if (b->signal != 0 && (b->signals > 1 || ++turns > PATIENCE))
			return false;
		batch_attend(b);
	}
	return true;
}

/* Nothing comes through any more, and it is given up. */
static void
give_up(struct batch *b, int error)
{
	b->deaf = true;
	b->own = b->signal != 0 ? 128 + b->signal : error == EPIPE ?
	    128 + SIGPIPE : COMMAND_FAILED;
	if (b->own == COMMAND_FAILED)
		batch_say(b, "cannot write what jobs wrote: %s; those that "
		    "were not told of are not done", strerror(error));
	batch_stop(b, true);
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

/* As write() fails. */
static ssize_t
unheard(void)
{
	errno = ETIMEDOUT;
	return -1;
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
		n = wait_for_reader(b, fd) ? write(fd, text,
		    min_u64(bytes, SURE)) : unheard();
		if (n >= 0)
			continue;
		if (errno != EINTR && errno != EAGAIN) {
			if (fd == STDOUT_FILENO)
				give_up(b, errno);
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
tag_of(const struct batch *b, const struct job *job)
{
	char **item = need(calloc(job->count, sizeof(*item)));
	size_t bytes = 0, i;
	char *tag, *at;

	for (i = 0; i < job->count; i++) {
		item[i] = template_item_text(&b->template, job->item[i]);
		bytes += strlen(item[i]) + 1;
	}
	at = tag = need(malloc(bytes));
	for (i = 0; i < job->count; i++) {
		at = stpcpy(at, item[i]);
		*at++ = ' ';
		free(item[i]);
	}
	at[-1] = '\0';
	free(item);
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
	if (s == NULL)
		return NULL;
	s->next = NULL;
	if (b->options->tag)
		s->tag = tag_of(b, job);
	return s;
}

uint64_t
batch_spool_end(struct batch *b, const struct job *job)
{
	struct spool *s = job->spool;
	struct stat st;
	uint64_t bytes = 0;

	if (s->pipes) {
		batch_spool_pump(b, s);
		return 0;
	}
	/* It is reaped, so this asks for what it left behind. */
	s->haunted = kill(-job->pid, 0) == 0;
	if (fstat(s->fd[0], &st) == 0)
		bytes = (uint64_t)st.st_size;
	return bytes;
}

/* As write() told the job; which may not have listened. */
static bool
is_full(int fd)
{
	static const char piece[SURE];
	struct statvfs fs;
	struct stat st;
	bool full;

	if (fstatvfs(fd, &fs) < 0 || fs.f_bavail > 0 || fstat(fd, &st) < 0)
		return false;
	full = write(fd, piece, sizeof(piece)) != (ssize_t)sizeof(piece);
	(void)!ftruncate(fd, st.st_size);
	return full;
}

bool
batch_spool_is_whole(struct batch *b, const struct job *job)
{
	const struct spool *s = job->spool;

	if (s == NULL || s->pipes || (!is_full(s->fd[0]) && !is_full(s->fd[1])))
		return true;
	if (b->own != COMMAND_FAILED)
		batch_say(b, "no room for what jobs write: TMPDIR names a "
		    "directory on another disk");
	b->own = COMMAND_FAILED;
	batch_stop(b, true);
	return false;
}

/* What a file has is written, and the file is empty. */
static void
copy(struct batch *b, struct spool *s, int i, bool drop)
{
	char piece[PIECE];
	bool fresh = true;
	struct stat st;
	off_t at = 0;
	ssize_t n;

	/* What comes later, by whom the job left behind, is for nobody. */
	if (fstat(s->fd[i], &st) < 0)
		st.st_size = 0;
	while (!drop && at < st.st_size && (n = pread(s->fd[i], piece,
	    min_u64(sizeof(piece), (uint64_t)(st.st_size - at)), at)) > 0) {
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
tell_part(struct batch *b, struct spool *s, int i)
{
	struct part_line *line = &s->line[i];
	bool fresh = !line->begun;

	if (s->tag != NULL)
		write_tagged(b, STDOUT_FILENO + i, s->tag, line->text,
		    line->used, &fresh);
	else
		batch_write(b, STDOUT_FILENO + i, line->text, line->used);
	line->begun = line->text[line->used - 1] != '\n';
	line->used = 0;
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
		tell_part(b, s, i);
	}
	keep_part(line, text + whole, bytes - whole);
	/* No memory has room for a line without an end. */
	if (line->used > LINE_MOST)
		tell_part(b, s, i);
}

/* Who writes faster than we read has others beside it. */
void
batch_spool_pump(struct batch *b, struct spool *s)
{
	char piece[PIECE];
	ssize_t n;

	for (int i = 0; i < 2; i++)
		for (int k = 0; s->fd[i] >= 0 && k < PIECES; k++) {
			n = read(s->fd[i], piece, sizeof(piece));
			if (n <= 0)
				break;
			take_piece(b, s, i, piece, (size_t)n);
		}
}

/* --- the end -------------------------------------------------------------- */

void
batch_spool_tell(struct batch *b, struct spool *s, bool drop)
{
	if (s->pipes) {
		for (int i = 0; i < 2; i++)
			if (s->line[i].used > 0)
				tell_part(b, s, i);
		close_all(s);
		return;
	}
	copy(b, s, 0, drop);
	copy(b, s, 1, drop);
	if (s->haunted) {
		close_all(s);
		return;
	}
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
