/*
 * selftest.c - a place to test in, and programs that run there
 */
#include "selftest/selftest.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "profile/reader.h"
#include "say/need.h"
#include "say/signals.h"
#include "sys/sys.h"

#define ARGUMENTS_MOST 32
#define NAP_NS         (5 * NS_PER_MS)

extern char **environ;

/* Asked to end: what runs is ended, and what was made is removed. */
static volatile sig_atomic_t interrupted;

static void
interrupt(int signal)
{
	interrupted = signal;
}

int
selftest_interrupted(void)
{
	return interrupted;
}

static void
heed_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGTERM };
	struct sigaction act = { .sa_handler = interrupt };

	for (size_t i = 0; i < ARRAY_LENGTH(signals); i++)
		if (!signals_are_ignored(signals[i]))
			sigaction(signals[i], &act, NULL);
}

bool
selftest_fail(struct selftest *t, const char *format, ...)
{
	va_list args;

	if (t->why[0] != '\0')
		return false;
	va_start(args, format);
	vsnprintf(t->why, sizeof(t->why), format, args);
	va_end(args);
	return false;
}

/* --- a place -------------------------------------------------------------- */

/*
 * Whatever the user has set, and LD_PRELOAD, has no part in it; but for which
 * library it is that is to be tested.
 */
static void
clear_environment(const char *library)
{
	char **entry = environ;

	while (*entry != NULL) {
		char *name = *entry;
		size_t bytes = strcspn(name, "=");

		if (strncmp(name, "HEAPTIDE", 8) != 0) {
			entry++;
			continue;
		}
		name = need(strndup(name, bytes));
		unsetenv(name);
		free(name);
		entry = environ;
	}
	unsetenv("LD_PRELOAD");
	if (library != NULL)
		setenv("HEAPTIDE_LIBRARY", library, 1);
}

static void
set_place(const char *variable, const char *directory, const char *part)
{
	char *path = need_text("%s/%s", directory, part);

	(void)mkdir(path, 0700);
	setenv(variable, path, 1);
	free(path);
}

bool
selftest_open(struct selftest *t)
{
	const char *base = getenv("TMPDIR");
	const char *library;
	char self[4096], path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	*t = (struct selftest){ .directory = need_text(
	    "%s/heaptide-selftest.XXXXXX", base != NULL && *base == '/' ?
	    base : "/tmp") };
	if (n < 0) {
		free(t->directory);
		t->directory = NULL;
		return selftest_fail(t, "/proc/self/exe cannot be read: %s",
		    strerror(errno));
	}
	self[n] = '\0';
	t->self = need(strdup(self));
	library = getenv("HEAPTIDE_LIBRARY");
	if (library != NULL && realpath(library, path) != NULL)
		library = path;
	if (mkdtemp(t->directory) == NULL || chdir(t->directory) != 0) {
		selftest_fail(t, "no directory can be made by the name of "
		    "%s: %s", t->directory, strerror(errno));
		free(t->directory);
		t->directory = NULL;
		return false;
	}
	heed_signals();
	clear_environment(library);
	set_place("HEAPTIDE_DIR", t->directory, "segments");
	set_place("HEAPTIDE_STATE", t->directory, "state");
	set_place("XDG_CONFIG_HOME", t->directory, "config");
	set_place("XDG_CACHE_HOME", t->directory, "cache");
	return true;
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

void
selftest_close(struct selftest *t)
{
	if (t->directory != NULL && chdir("/") == 0)
		(void)nftw(t->directory, remove_one, 16, FTW_DEPTH |
		    FTW_PHYS);
	free(t->directory);
	free(t->self);
}

/* --- programs ------------------------------------------------------------- */

static int
open_output(const char *name, const char *suffix)
{
	char *path = need_text("%s.%s", name, suffix);
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	free(path);
	return fd;
}

/* In the child: from here on nothing comes back. */
static void
become(const char *self, char *const *arguments, int in, int out, int err)
{
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || dup2(in, 0) < 0 ||
	    dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(125);
	execv(self, arguments);
	_exit(127);
}

/* Its pid, or -1 with @t->why. */
static int
start(struct selftest *t, const char *name, char *const *arguments, int in)
{
	int none = in >= 0 ? -1 : open("/dev/null", O_RDONLY | O_CLOEXEC);
	int out = open_output(name, "out"), err = open_output(name, "err");
	int pid = -1;

	if (out >= 0 && err >= 0 && (in >= 0 || none >= 0)) {
		pid = fork();
		if (pid == 0)
			become(t->self, arguments, in >= 0 ? in : none, out,
			    err);
	}
	if (pid < 0)
		selftest_fail(t, "no program can be started: %s",
		    strerror(errno));
	if (none >= 0)
		close(none);
	if (out >= 0)
		close(out);
	if (err >= 0)
		close(err);
	return pid;
}

bool
selftest_start(struct selftest *t, struct selftest_program *p,
    const char *work, bool waits, const char *const *options)
{
	char *file = need_text("%s.tide", work);
	char *inside = need_text("@%s", work);
	const char *argv[ARGUMENTS_MOST] = { "heaptide", "run", "--stacks",
		"none", "--summary", "off", "-o", file };
	int ends[2] = { -1, -1 };
	size_t n = 8;

	*p = (struct selftest_program){ .input = -1,
		.name = need(strdup(work)) };
	while (*options != NULL && n < ARGUMENTS_MOST - 5)
		argv[n++] = *options++;
	argv[n++] = "--";
	argv[n++] = t->self;
	argv[n++] = "selftest";
	argv[n] = inside;
	if (waits && pipe2(ends, O_CLOEXEC) < 0) {
		selftest_fail(t, "there is no pipe: %s", strerror(errno));
	} else {
		p->pid = start(t, work, (char *const *)argv, ends[0]);
		p->input = ends[1];
		if (ends[0] >= 0)
			close(ends[0]);
	}
	free(file);
	free(inside);
	return p->pid > 0;
}

/* True: it has ended by itself. */
static bool
wait_for(int pid, int *status)
{
	const struct timespec nap = { .tv_nsec = NAP_NS };
	uint64_t since = sys_clock();
	uint64_t limit_ns = SELFTEST_WAIT_NS;
	bool asked = false;

	for (;;) {
		int r = waitpid(pid, status, WNOHANG);

		if (r == pid || (r < 0 && errno != EINTR))
			return r == pid && !asked;
		if (!asked && (interrupted ||
		    sys_clock() - since > limit_ns)) {
			asked = true;
			limit_ns = sys_clock() - since + 5 * NS_PER_S;
			kill(pid, SIGTERM);
		} else if (asked && sys_clock() - since > limit_ns) {
			kill(pid, SIGKILL);
		}
		nanosleep(&nap, NULL);
	}
}

bool
selftest_wait(struct selftest *t, struct selftest_program *p)
{
	bool ended;

	if (p->input >= 0)
		close(p->input);
	p->input = -1;
	if (p->pid <= 0) {
		free(p->name);
		return false;
	}
	ended = wait_for(p->pid, &p->status);
	if (!ended)
		selftest_fail(t, "the program of %s did not end%s", p->name,
		    interrupted ? "" : " within a minute");
	p->pid = 0;
	free(p->name);
	return ended;
}

int
selftest_command(struct selftest *t, const char *name,
    const char *const *arguments)
{
	const char *argv[ARGUMENTS_MOST] = { "heaptide" };
	int pid, status;
	size_t n = 1;

	while (*arguments != NULL && n < ARGUMENTS_MOST - 1)
		argv[n++] = *arguments++;
	pid = start(t, name, (char *const *)argv, -1);
	if (pid < 0 || !wait_for(pid, &status) || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

char *
selftest_text(const struct selftest *t, const char *name, const char *suffix)
{
	char *path = need_text("%s/%s.%s", t->directory, name, suffix);
	char *text = need(calloc(1, 65536));
	FILE *f = fopen(path, "re");

	if (f != NULL) {
		text[fread(text, 1, 65535, f)] = '\0';
		fclose(f);
	}
	free(path);
	return text;
}

bool
selftest_profile(struct selftest *t, const char *name,
    struct profile *profile)
{
	char *path = need_text("%s.tide", name);
	char why[512] = "";
	int r = profile_open(path, profile, why);

	free(path);
	if (r < 0)
		return selftest_fail(t, "there is no profile: %s", why);
	if (profile->rooms == 0) {
		profile_close(profile);
		return selftest_fail(t, "the program of %s did not come to "
		    "ask for its budget", name);
	}
	if (profile->room->used_mean > 0) {
		t->used_sum += profile->room->used_mean;
		t->used_count++;
	}
	return true;
}
