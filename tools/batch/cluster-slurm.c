/*
 * cluster-slurm.c - sbatch, squeue and scancel, which speak to Slurm for us
 *
 * What sbatch answers goes straight into a file of the run: whatever becomes of
 * us meanwhile, the number of the array is not lost.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "batch/cluster.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"
#include "sys/sys.h"

extern char **environ;

/* --- programs ------------------------------------------------------------- */

/* In a group of its own: Ctrl-C is for us to act on. */
static int
start(const char *const *argv, int out, int err, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	sigset_t none;
	int r;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
	    O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK |
	    POSIX_SPAWN_SETPGROUP);
	r = posix_spawnp(pid, argv[0], &files, &attributes,
	    (char *const *)argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attributes);
	return r;
}

/* Its status, as a shell has it. */
static int
wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return COMMAND_FAILED;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
	    128 + WTERMSIG(status);
}

static int
tell_missing(const char *name, int error)
{
	if (error != ENOENT) {
		print_error("batch: cannot run %s: %s", name, strerror(error));
		return COMMAND_NOT_EXECUTABLE;
	}
	print_error("batch: --engine slurm needs %s, and there is none in "
	    "PATH: install Slurm's commands (slurm-client), or run it here "
	    "with --engine local", name);
	return COMMAND_NOT_FOUND;
}

/* What @argv says on both, to be freed; NULL: it could not be run. */
static char *
ask(const char *const *argv, int *status)
{
	char *text = NULL, piece[4096];
	size_t used = 0;
	int ends[2];
	pid_t pid;
	ssize_t n;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return NULL;
	if (start(argv, ends[1], ends[1], &pid) != 0) {
		close(ends[0]);
		close(ends[1]);
		return NULL;
	}
	close(ends[1]);
	while ((n = read(ends[0], piece, sizeof(piece))) > 0 ||
	    (n < 0 && errno == EINTR)) {
		if (n < 0)
			continue;
		text = need(realloc(text, used + (size_t)n + 1));
		memcpy(text + used, piece, (size_t)n);
		used += (size_t)n;
	}
	close(ends[0]);
	*status = wait_for(pid);
	text = need(realloc(text, used + 1));
	text[used] = '\0';
	return text;
}

/* --- sbatch --------------------------------------------------------------- */

/* `0-3,7`: as many as there are. */
static char *
list_of(const struct cluster *c, const bool *wanted)
{
	char *text = need_text("%s", ""), *longer;
	uint64_t k, end;

	for (k = 0; k < c->shards; k = end + 1) {
		for (end = k; end < c->shards && wanted[end]; end++)
			;
		if (end == k)
			continue;
		longer = end - k == 1 ? need_text("%s%s%llu", text,
		    *text != '\0' ? "," : "", (unsigned long long)k) :
		    need_text("%s%s%llu-%llu", text, *text != '\0' ? "," : "",
		    (unsigned long long)k, (unsigned long long)end - 1);
		free(text);
		text = longer;
	}
	return text;
}

/* A file of the run as a text, cut; empty: it is not there. */
static void
read_text(const struct cluster *c, const char *name, size_t n, char *text,
    size_t room)
{
	char *path = cluster_path(c, name[0] != '\0' ? "submitted.%zu.%s" :
	    "submitted.%zu%s", n, name);
	FILE *file = fopen(path, "re");
	size_t bytes = file != NULL ? fread(text, 1, room - 1, file) : 0;

	text[bytes] = '\0';
	if (file != NULL)
		fclose(file);
	free(path);
}

/* `17` or `17;cluster`; what has no digit in front is none. */
static bool
take_number(struct cluster_submission *s, const char *text)
{
	size_t n = strspn(text, "0123456789");

	if (n == 0 || n >= sizeof(s->job))
		return false;
	memcpy(s->job, text, n);
	s->job[n] = '\0';
	return true;
}

static struct cluster_submission *
add_submission(struct cluster *c)
{
	c->submission = need(realloc(c->submission, (c->submissions + 1) *
	    sizeof(*c->submission)));
	c->submission[c->submissions] = (struct cluster_submission){
		.at_ns = sys_clock() };
	return &c->submission[c->submissions++];
}

static char **
sbatch_words(const struct cluster *c, const char *list)
{
	char **argv = need(calloc(c->sbatches + 10, sizeof(*argv)));
	char *escaped = need(malloc(2 * strlen(c->directory) + 1));
	const char *from = c->directory;
	char *to = escaped;
	size_t n = 0;

	/* In a name of an output file `%` begins something. */
	for (; *from != '\0'; *to++ = *from++)
		if (*from == '%')
			*to++ = '%';
	*to = '\0';
	argv[n++] = need_text("sbatch");
	argv[n++] = need_text("--parsable");
	argv[n++] = need_text("--job-name=heaptide-%s", c->b->id);
	argv[n++] = need_text("--array=%s", list);
	argv[n++] = need_text("--requeue");
	argv[n++] = need_text("--open-mode=append");
	argv[n++] = need_text("--output=%s/task.%%a/log", escaped);
	for (size_t i = 0; i < c->sbatches; i++)
		argv[n++] = need_text("%s", c->sbatch[i]);
	argv[n++] = cluster_path(c, "script");
	free(escaped);
	return argv;
}

static void
free_words(char **argv)
{
	for (size_t i = 0; argv[i] != NULL; i++)
		free(argv[i]);
	free(argv);
}

static int
open_answer(const struct cluster *c, size_t n, const char *suffix)
{
	char *path = cluster_path(c, "submitted.%zu%s", n, suffix);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	free(path);
	return fd;
}

static int
run_sbatch(const struct cluster *c, size_t n, const char *list)
{
	int list_fd = open_answer(c, n, ".tasks");
	int out = open_answer(c, n, ""), err = open_answer(c, n, ".err");
	char **argv = sbatch_words(c, list);
	int r = COMMAND_FAILED;
	pid_t pid;

	if (list_fd < 0 || out < 0 || err < 0 ||
	    write(list_fd, list, strlen(list)) != (ssize_t)strlen(list)) {
		print_error("batch: cannot write in %s: %s", c->directory,
		    strerror(errno));
	} else {
		r = start((const char *const *)argv, out, err, &pid);
		r = r != 0 ? tell_missing("sbatch", r) : wait_for(pid) == 0 ?
		    COMMAND_DONE : COMMAND_GATE;
	}
	close(list_fd);
	close(out);
	close(err);
	free_words(argv);
	return r;
}

static int
tell_refused(const struct cluster *c, size_t n)
{
	char why[1024];

	read_text(c, "err", n, why, sizeof(why));
	why[strcspn(why, "\n")] = '\0';
	print_error("batch: sbatch takes no array of it: %s",
	    why[0] != '\0' ? print_clean(why) : "it does not say why");
	return COMMAND_FAILED;
}

int
cluster_submit(struct cluster *c, const bool *wanted)
{
	char *list = list_of(c, wanted), text[128];
	size_t n = c->submissions;
	int r = run_sbatch(c, n, list);

	free(list);
	if (r == COMMAND_GATE)
		return tell_refused(c, n);
	if (r != COMMAND_DONE)
		return r;
	read_text(c, "", n, text, sizeof(text));
	if (!take_number(add_submission(c), text))
		return tell_refused(c, n);
	for (uint64_t k = 0; k < c->shards; k++) {
		struct cluster_task *t = &c->task[k];

		if (!wanted[k])
			continue;
		t->state = TASK_WAITS;
		t->submission = n;
		t->gone_ns = 0;
		t->tries++;
	}
	return COMMAND_DONE;
}

/* --- what was submitted before -------------------------------------------- */

/* Tasks of `0-3,7` have been submitted with it. */
static void
take_list(struct cluster *c, size_t n, const char *list)
{
	unsigned long long first, last;
	char *end;

	for (; isdigit((unsigned char)*list); list = *end == ',' ? end + 1 :
	    end) {
		first = last = strtoull(list, &end, 10);
		if (*end == '-')
			last = strtoull(end + 1, &end, 10);
		for (; first <= last && first < c->shards; first++) {
			c->task[first].submission = n;
			c->task[first].tries++;
		}
	}
}

/* sbatch was ended between its work and its answer: is there such an array? */
static bool
find_number(struct cluster *c, struct cluster_submission *s)
{
	char *name = need_text("--name=heaptide-%s", c->b->id), *text, *at;
	const char *const argv[] = { "squeue", "-h", "-t", "all", "-o", "%F",
		name, NULL };
	int status;
	size_t i;

	text = ask(argv, &status);
	for (at = text; at != NULL && status == 0 && s->job[0] == '\0';
	    at = strchr(at, '\n') != NULL ? strchr(at, '\n') + 1 : NULL) {
		if (!take_number(s, at))
			break;
		for (i = 0; i + 1 < c->submissions; i++)
			if (strcmp(c->submission[i].job, s->job) == 0)
				s->job[0] = '\0';
	}
	free(text);
	free(name);
	return s->job[0] != '\0';
}

void
cluster_submissions_read(struct cluster *c)
{
	struct cluster_submission *s;
	char *list, text[128];

	list = need(malloc(MIB));
	for (size_t n = 0;; n++) {
		read_text(c, "tasks", n, list, MIB);
		if (list[0] == '\0')
			break;
		read_text(c, "", n, text, sizeof(text));
		s = add_submission(c);
		if (!take_number(s, text))
			(void)find_number(c, s);
		take_list(c, n, list);
	}
	free(list);
}

/* --- squeue --------------------------------------------------------------- */

static char *
numbers(const struct cluster *c)
{
	char *text = need_text("%s", ""), *longer;

	for (size_t i = 0; i < c->submissions; i++) {
		if (c->submission[i].job[0] == '\0')
			continue;
		longer = need_text("%s%s%s", text, *text != '\0' ? "," : "",
		    c->submission[i].job);
		free(text);
		text = longer;
	}
	return text;
}

static void
read_rows(struct cluster *c, const char *text, void (*tell)(struct cluster *,
    const char *, uint64_t, const char *))
{
	char job[32], state[24];
	unsigned long long task;

	for (; text != NULL && *text != '\0'; text = strchr(text, '\n'),
	    text += text != NULL) {
		if (sscanf(text, "%31[0-9] %llu %23[A-Z_]", job, &task,
		    state) == 3 && task < c->shards)
			tell(c, job, task, state);
	}
}

bool
cluster_ask(struct cluster *c, void (*tell)(struct cluster *c,
    const char *job, uint64_t task, const char *state))
{
	char *list = numbers(c), *text;
	const char *const argv[] = { "squeue", "-h", "-r", "-t", "all",
		"-o", "%F %K %T", "-j", list, NULL };
	int status = 0;
	bool good;

	if (list[0] == '\0') {
		free(list);
		return true;
	}
	text = ask(argv, &status);
	/* Some time after its end Slurm does not know a job any more. */
	good = text != NULL && (status == 0 ||
	    strstr(text, "Invalid job id") != NULL);
	if (good)
		read_rows(c, text, tell);
	else if (!c->deaf)
		batch_say(c->b, "squeue does not answer, and is asked again: "
		    "%.200s", text != NULL ? print_clean(text) :
		    "it cannot be run");
	c->deaf = !good;
	free(text);
	free(list);
	return good;
}

/* --- scancel -------------------------------------------------------------- */

void
cluster_cancel(const struct cluster *c, const char *const *options)
{
	const char *argv[8] = { "scancel" };
	size_t n = 1;
	int status;

	for (; *options != NULL && n < 6; options++)
		argv[n++] = *options;
	for (size_t i = 0; i < c->submissions; i++) {
		if (c->submission[i].job[0] == '\0')
			continue;
		argv[n] = c->submission[i].job;
		free(ask(argv, &status));
	}
}
