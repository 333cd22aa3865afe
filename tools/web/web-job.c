#include "web/web-job.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "say/need.h"
#include "web/web-child.h"

#define JOB_NS     NS_PER_MINUTE
#define NAP_NS     (5 * NS_PER_MS) /* output closed, and not yet ended */
#define OUT_MOST   (256 * MIB)
#define ERR_MOST   (64 * KIB)

/* --- a list of them ------------------------------------------------------- */

static char *
join(const char *const *argv)
{
	char *key = need_text("%s", argv[0]);

	while (*++argv != NULL) {
		char *longer = need_text("%s\n%s", key, *argv);

		free(key);
		key = longer;
	}
	return key;
}

/* One that has begun may have looked already: only who waits is shared. */
static struct web_job *
find_same(const struct web_jobs *j, const char *key)
{
	for (struct web_job *job = j->first; job != NULL; job = job->next)
		if (job->shared && job->begun_ns == 0 &&
		    job->end == JOB_GOES_ON && strcmp(job->key, key) == 0)
			return job;
	return NULL;
}

struct web_job *
web_jobs_start(struct web_jobs *j, const char *const *argv, bool shared)
{
	char *key = join(argv);
	struct web_job *job = shared ? find_same(j, key) : NULL;
	struct web_job **last = &j->first;

	if (job != NULL || j->count == JOBS_MOST) {
		free(key);
		if (job != NULL)
			job->users++;
		return job;
	}
	job = need(calloc(1, sizeof(*job)));
	job->key = key;
	job->shared = shared;
	job->users = 1;
	job->out.fd = job->err.fd = -1;
	while (*last != NULL)
		last = &(*last)->next;
	*last = job;
	j->count++;
	return job;
}

static void
close_output(struct web_output *o)
{
	if (o->fd >= 0)
		close(o->fd);
	o->fd = -1;
}

static void
take_away(struct web_jobs *j, struct web_job *job)
{
	struct web_job **at = &j->first;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	j->count--;
	free(job->key);
	free(job->out.bytes);
	free(job->err.bytes);
	free(job);
}

static void
reap(struct web_jobs *j, struct web_job *job, enum web_job_end end)
{
	if (job->child > 0) {
		(void)kill(job->child, SIGKILL);
		while (waitpid(job->child, NULL, 0) < 0 && errno == EINTR)
			;
		j->running--;
	}
	close_output(&job->out);
	close_output(&job->err);
	job->child = 0;
	job->end = end;
}

void
web_job_drop(struct web_jobs *j, struct web_job *job)
{
	if (--job->users > 0)
		return;
	/* What changes something is not stopped half-way. */
	if (job->end == JOB_GOES_ON && !job->shared)
		return;
	if (job->end == JOB_GOES_ON)
		reap(j, job, JOB_LOST);
	take_away(j, job);
}

/* --- one ------------------------------------------------------------------ */

static void
become(const char *key, int out, int err)
{
	char name[] = "heaptide", *argv[32] = { name };
	char *words = need_text("%s", key);
	size_t n = 1;

	for (char *at = words; at != NULL && n + 1 < ARRAY_LENGTH(argv); n++) {
		argv[n] = at;
		at = strchr(at, '\n');
		if (at != NULL)
			*at++ = '\0';
	}
	if (dup2(out, STDOUT_FILENO) < 0 || dup2(err, STDERR_FILENO) < 0)
		_exit(127);
	web_child_keep_only(-1, -1);
	execv("/proc/self/exe", argv);
	_exit(127);
}

static void
start(struct web_jobs *j, struct web_job *job, uint64_t now_ns)
{
	int out[2], err[2];

	job->begun_ns = now_ns;
	job->end = JOB_LOST;
	if (pipe2(out, O_CLOEXEC) < 0)
		return;
	if (pipe2(err, O_CLOEXEC) < 0) {
		close(out[0]);
		close(out[1]);
		return;
	}
	job->child = web_child_fork();
	if (job->child == 0)
		become(job->key, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	job->out.fd = out[0];
	job->err.fd = err[0];
	(void)fcntl(out[0], F_SETFL, O_NONBLOCK);
	(void)fcntl(err[0], F_SETFL, O_NONBLOCK);
	if (job->child < 0) {
		job->child = 0;
		close_output(&job->out);
		close_output(&job->err);
		return;
	}
	j->running++;
	job->end = JOB_GOES_ON;
}

/* False: it is more than @most. */
static bool
read_some(struct web_output *o, size_t most)
{
	ssize_t n;

	while (o->fd >= 0) {
		if (o->room - o->used < 16 * KIB) {
			o->room = o->room * 2 + 64 * KIB;
			o->bytes = need(realloc(o->bytes, o->room));
		}
		n = read(o->fd, o->bytes + o->used, o->room - o->used - 1);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0) {
			close_output(o);
			return true;
		}
		o->used += (size_t)n;
		o->bytes[o->used] = '\0';
		if (o->used > most)
			return false;
	}
	return true;
}

static void
follow(struct web_jobs *j, struct web_job *job, uint64_t now_ns)
{
	int status;

	if (!read_some(&job->out, OUT_MOST) ||
	    !read_some(&job->err, ERR_MOST)) {
		reap(j, job, JOB_TOO_MUCH);
		return;
	}
	if (now_ns - job->begun_ns > JOB_NS) {
		reap(j, job, JOB_TOO_LONG);
		return;
	}
	if (job->out.fd >= 0 || job->err.fd >= 0 ||
	    waitpid(job->child, &status, WNOHANG) != job->child)
		return;
	j->running--;
	job->child = 0;
	job->end = WIFEXITED(status) ? JOB_ENDED : JOB_LOST;
	job->status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
}

/* --- all of them ---------------------------------------------------------- */

void
web_jobs_begin(struct web_jobs *j, uint64_t now_ns)
{
	for (struct web_job *job = j->first; job != NULL; job = job->next)
		if (job->begun_ns == 0 && j->running < JOBS_RUN)
			start(j, job, now_ns);
}

void
web_jobs_read(struct web_jobs *j, uint64_t now_ns)
{
	struct web_job *next;

	for (struct web_job *job = j->first; job != NULL; job = next) {
		next = job->next;
		if (job->child > 0)
			follow(j, job, now_ns);
		if (job->end != JOB_GOES_ON && job->users == 0)
			take_away(j, job);
	}
}

size_t
web_jobs_poll(const struct web_jobs *j, struct pollfd *poll)
{
	size_t n = 0;

	for (const struct web_job *job = j->first; job != NULL;
	    job = job->next) {
		if (job->out.fd >= 0)
			poll[n++] = (struct pollfd){ job->out.fd, POLLIN, 0 };
		if (job->err.fd >= 0)
			poll[n++] = (struct pollfd){ job->err.fd, POLLIN, 0 };
	}
	return n;
}

uint64_t
web_jobs_deadline(const struct web_jobs *j, uint64_t now_ns)
{
	uint64_t next = UINT64_MAX;

	for (const struct web_job *job = j->first; job != NULL;
	    job = job->next) {
		if (job->child > 0)
			next = min_u64(next, job->out.fd < 0 &&
			    job->err.fd < 0 ? now_ns + NAP_NS :
			    job->begun_ns + JOB_NS);
		else if (job->end == JOB_LOST || (job->begun_ns == 0 &&
		    j->running < JOBS_RUN))
			next = now_ns;
	}
	return next;
}

void
web_jobs_close(struct web_jobs *j)
{
	while (j->first != NULL) {
		if (j->first->end == JOB_GOES_ON)
			reap(j, j->first, JOB_LOST);
		take_away(j, j->first);
	}
}
