/*
 * web-job.h - what takes longer than a look: `heaptide` itself, in a child
 *
 * Beside the house (tools/web).  May use: base, web-child.  Used by: web-*.c.
 *
 * A report names thousands of functions, and a request may wait for a process
 * that does not answer: neither may hold up the others.  A few run at once, the
 * rest waits in line, and each has its time.
 */
#ifndef WEB_WEB_JOB_H
#define WEB_WEB_JOB_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define JOBS_RUN 4    /* at once */
#define JOBS_MOST 256 /* with those that wait */

struct web_output {
	int fd; /* -1: closed */
	char *bytes; /* a zero byte behind them, which is not counted */
	size_t used, room;
};

enum web_job_end {
	JOB_GOES_ON,
	JOB_ENDED,   /* .status is what it returned */
	JOB_LOST,    /* it could not be started, or was killed */
	JOB_TOO_LONG, /* it took more than its time */
	JOB_TOO_MUCH /* it wrote more than is kept */
};

struct web_job {
	struct web_job *next;
	char *key;       /* its words, a line each */
	bool shared;     /* changes nothing: one for all who ask the same */
	unsigned users;
	pid_t child;     /* 0: not begun, or reaped */
	uint64_t begun_ns;
	struct web_output out, err;
	enum web_job_end end;
	int status;
};

struct web_jobs {
	struct web_job *first;
	size_t count, running;
};

/*
 * Have `heaptide` do what @argv says.  NULL: too much is waiting already.  To
 * be given back with web_job_drop(); who is dropped without having ended, and
 * is shared, is ended.
 */
struct web_job *web_jobs_start(struct web_jobs *j, const char *const *argv,
    bool shared);
void web_job_drop(struct web_jobs *j, struct web_job *job);

/*
 * Read, reap, and end what has run for too long; and later in a turn, start
 * who waits.
 */
void web_jobs_read(struct web_jobs *j, uint64_t now_ns);
void web_jobs_begin(struct web_jobs *j, uint64_t now_ns);

/* What to wait for: to @poll, of room for 2 * JOBS_RUN; returns how many. */
size_t web_jobs_poll(const struct web_jobs *j, struct pollfd *poll);
uint64_t web_jobs_deadline(const struct web_jobs *j, uint64_t now_ns);

void web_jobs_close(struct web_jobs *j);

#endif
