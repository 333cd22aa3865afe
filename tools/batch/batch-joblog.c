#include "batch/batch-joblog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "say/need.h"
#include "say/output.h"

#define COLUMNS 9

static const char head[] = "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive"
    "\tExitval\tSignal\tCommand\n";

/* --- reading -------------------------------------------------------------- */

/* Newlines are zero bytes there, and newlines again here. */
static char *
read_command(const char *from, const char *end)
{
	size_t bytes = (size_t)(end - from);
	char *text = memcpy(need(malloc(bytes + 1)), from, bytes);

	for (size_t i = 0; i < bytes; i++)
		if (text[i] == '\0')
			text[i] = '\n';
	text[bytes] = '\0';
	return text;
}

static bool
read_number(const char *text, uint64_t most, uint64_t *n)
{
	return text_parse_u64(text, most, n) == 0;
}

static bool
read_decimal(const char *text, double *n)
{
	char *end;

	*n = strtod(text, &end);
	return end != text && *end == '\0';
}

/* Cut into columns, in place; false: there are not enough. */
static bool
cut(char *line, const char *end, char *column[COLUMNS])
{
	size_t n;

	for (n = 0; n < COLUMNS - 1; n++) {
		column[n] = line;
		line = memchr(line, '\t', (size_t)(end - line));
		if (line == NULL)
			return false;
		*line++ = '\0';
	}
	column[n] = line;
	return true;
}

/* @line has @bytes without its newline. */
static bool
read_row(char *line, size_t bytes, struct joblog_row *row)
{
	char *column[COLUMNS], *end = line + bytes;
	uint64_t status, signal;

	if (!cut(line, end, column) ||
	    !read_number(column[0], UINT64_MAX, &row->number) ||
	    row->number == 0 ||
	    !read_decimal(column[2], &row->started) ||
	    !read_decimal(column[3], &row->seconds) ||
	    !read_number(column[4], UINT64_MAX, &row->items) ||
	    !read_number(column[5], UINT64_MAX, &row->bytes) ||
	    !read_number(column[7], 255, &signal))
		return false;
	/* -1: parallel's own, of a job that was killed for its time. */
	if (strcmp(column[6], "-1") == 0)
		status = 255;
	else if (!read_number(column[6], 255, &status))
		return false;
	row->status = (int)status;
	row->signal = (int)signal;
	row->command = read_command(column[COLUMNS - 1], end);
	return true;
}

static int
by_number(const void *a, const void *b)
{
	const struct joblog_row *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* Of one number the later comes later. */
static int
by_time(const void *a, const void *b)
{
	const struct joblog_row *x = a, *y = b;
	int order = by_number(a, b);

	return order != 0 ? order : (x->started > y->started) -
	    (x->started < y->started);
}

/* Of rows of one number the last stays. */
static void
settle(struct joblog *log)
{
	size_t used = 0, i;

	for (i = 1; i < log->count; i++)
		if (log->row[i - 1].number > log->row[i].number)
			break;
	if (i < log->count)
		qsort(log->row, log->count, sizeof(*log->row), by_time);
	for (i = 0; i < log->count; i++) {
		if (used > 0 && log->row[used - 1].number ==
		    log->row[i].number)
			free(log->row[--used].command);
		log->row[used++] = log->row[i];
	}
	log->count = used;
}

static int
read_rows(struct joblog *log, FILE *file, size_t *at)
{
	struct joblog_row row;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int r = 0;

	for (*at = 1; r == 0 && (n = getline(&line, &room, file)) > 0; ++*at) {
		if (line[n - 1] != '\n')
			break; /* torn */
		if (*at == 1 && strcmp(line, head) == 0)
			continue;
		if (*at == 1 || !read_row(line, (size_t)n - 1, &row)) {
			r = -EBADMSG;
			break;
		}
		if ((log->count & (log->count - 1)) == 0)
			log->row = need(realloc(log->row, (log->count * 2 + 1) *
			    sizeof(*log->row)));
		log->row[log->count++] = row;
	}
	free(line);
	return r == 0 && ferror(file) ? -EIO : r;
}

int
joblog_read(struct joblog *log, const char *path, size_t *line)
{
	FILE *file = fopen(path, "re");
	int r;

	*log = (struct joblog){ 0, NULL };
	if (file == NULL)
		return -errno;
	r = read_rows(log, file, line);
	fclose(file);
	if (r < 0)
		joblog_free(log);
	else
		settle(log);
	return r;
}

static void
count_row(struct joblog_tail *tail, const struct joblog_row *row,
    uint64_t fixed)
{
	uint64_t items = fixed != 0 ? fixed : max_u64(row->items, 1);

	tail->jobs++;
	tail->items += items;
	if (row->status == 0 && row->signal == 0)
		return;
	tail->failed++;
	tail->items_failed += items;
	tail->last = row->signal != 0 ? 128 + row->signal : row->status;
}

int
joblog_follow(struct joblog_tail *tail, const char *path, uint64_t fixed)
{
	FILE *file = fopen(path, "re");
	struct joblog_row row;
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int r = 0;

	if (file == NULL)
		return -errno;
	if (fseeko(file, (off_t)tail->at, SEEK_SET) < 0)
		r = -errno;
	while (r == 0 && (n = getline(&line, &room, file)) > 0 &&
	    line[n - 1] == '\n') {
		tail->at += (uint64_t)n;
		if (!read_row(line, (size_t)n - 1, &row))
			continue; /* the head, as a rule */
		count_row(tail, &row, fixed);
		free(row.command);
	}
	free(line);
	fclose(file);
	return r;
}

void
joblog_free(struct joblog *log)
{
	for (size_t i = 0; i < log->count; i++)
		free(log->row[i].command);
	free(log->row);
	*log = (struct joblog){ 0, NULL };
}

const struct joblog_row *
joblog_find(const struct joblog *log, uint64_t number)
{
	const struct joblog_row wanted = { .number = number };

	if (log->count == 0)
		return NULL;
	return bsearch(&wanted, log->row, log->count, sizeof(*log->row),
	    by_number);
}

/* --- writing -------------------------------------------------------------- */

/* A last line that is torn is ended, or the next would be a part of it. */
static int
mend(int fd, off_t bytes)
{
	char last = '\n';

	if (bytes == 0)
		return output_write(fd, head, sizeof(head) - 1);
	if (pread(fd, &last, 1, bytes - 1) != 1 || last == '\n')
		return 0;
	while (bytes > 0 && pread(fd, &last, 1, bytes - 1) == 1 &&
	    last != '\n')
		bytes--;
	return ftruncate(fd, bytes) < 0 ? -errno : 0;
}

int
joblog_open(const char *path, bool anew)
{
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC |
	    (anew ? O_TRUNC : 0), 0666);
	struct stat st;
	int r;

	if (fd < 0)
		return -errno;
	r = fstat(fd, &st) < 0 ? -errno : !S_ISREG(st.st_mode) ?
	    output_write(fd, head, sizeof(head) - 1) : mend(fd, st.st_size);
	if (r < 0) {
		close(fd);
		return r;
	}
	return fd;
}

int
joblog_add(int fd, const struct joblog_row *row)
{
	char *text = need_text("%llu\t:\t%.3f\t%10.3f\t%llu\t%llu\t%d\t%d\t%s\n",
	    (unsigned long long)row->number, row->started, row->seconds,
	    (unsigned long long)row->items, (unsigned long long)row->bytes,
	    row->status, row->signal,
	    row->command);
	size_t bytes = strlen(text);
	int r;

	for (size_t i = 0; i + 1 < bytes; i++)
		if (text[i] == '\n')
			text[i] = '\0';
	r = output_write(fd, text, bytes);
	free(text);
	return r;
}
