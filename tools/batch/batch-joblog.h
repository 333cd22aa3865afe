/*
 * batch-joblog.h - what became of each job, in the file that GNU parallel has
 * for that
 *
 * Beside the house (tools/batch).  May use: base, need.  Used by: batch-*.c,
 * batch.h.
 *
 *	Seq Host Starttime JobRuntime Send Receive Exitval Signal Command
 *
 * with tabs between, and a line a job as it ends.  Of a Command newlines are
 * zero bytes there.  Send has bytes that went to another host, which are none;
 * of jobs whose number of items was learned it has that number, and Seq is then
 * the number of the first of them.  It is only ever added to; a last line that
 * is torn counts for nothing.
 */
#ifndef BATCH_BATCH_JOBLOG_H
#define BATCH_BATCH_JOBLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct joblog_row {
	uint64_t number;  /* Seq */
	double started;   /* seconds since 1970 */
	double seconds;
	uint64_t items;   /* Send */
	uint64_t bytes;   /* Receive: of its output */
	int status;       /* Exitval */
	int signal;
	char *command;
};

struct joblog {
	size_t count;
	struct joblog_row *row; /* by number; of each the last */
};

/* 0, or a negative errno; -EBADMSG: it is no such file, @line does not fit. */
int joblog_read(struct joblog *log, const char *path, size_t *line);
void joblog_free(struct joblog *log);

/* NULL: it is not in there. */
const struct joblog_row *joblog_find(const struct joblog *log,
    uint64_t number);

/* What came to a file that another process adds to. */
struct joblog_tail {
	uint64_t at;      /* bytes that were read */
	uint64_t jobs, failed, items_failed;
	uint64_t items;   /* of a job @fixed, or what Send says if that is 0 */
	int last;         /* status of the last that failed; else 0 */
};

/* Read on from @tail->at, whole lines only.  0 or a negative errno. */
int joblog_follow(struct joblog_tail *tail, const char *path,
    uint64_t fixed);

/*
 * Open for adding, with a head if it is new; @anew: what was there goes.  A
 * descriptor, or a negative errno.
 */
int joblog_open(const char *path, bool anew);

/* Add a line, whole.  0 or a negative errno. */
int joblog_add(int fd, const struct joblog_row *row);

#endif
