#include "run/kin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define ANCESTORS_MOST 256 /* generations to climb before giving up */
#define ROUNDS_MOST    8   /* who forks just then is met in the next one */
/* To end in, for who has been killed: in a disk, and in need of a CPU. */
#define DISK_NS        (2 * NS_PER_S)
#define GONE_NS        (10 * NS_PER_S)
#define STOP_NS        (200 * NS_PER_MS) /* to stand still in */
#define LOOK_NS        (2 * NS_PER_MS)

/* --- one of them ---------------------------------------------------------- */

static int
open_one(int pid)
{
#ifdef SYS_pidfd_open
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
	return fd;
#else
	(void)pid;
	return -1;
#endif
}

static bool
is_same(const struct kin_one *one, struct proc_stat *stat)
{
	return proc_stat_read(one->pid, stat) == 0 &&
	    stat->ticks == one->ticks;
}

/* A first thread that left before the others stands as a zombie. */
static bool
is_over(const struct proc_stat *stat)
{
	return stat->state == 'X' || (stat->state == 'Z' && stat->threads <= 1);
}

static bool
runs_still(const struct kin_one *one, struct proc_stat *stat)
{
	return is_same(one, stat) && !is_over(stat);
}

static void
signal_one(const struct kin_one *one, int signal)
{
	struct proc_stat stat;

#ifdef SYS_pidfd_send_signal
	if (one->fd >= 0 && syscall(SYS_pidfd_send_signal, one->fd, signal,
	    NULL, 0) == 0)
		return;
	if (one->fd >= 0 && errno != ENOSYS)
		return;
#endif
	if (is_same(one, &stat))
		(void)kill(one->pid, signal);
}

static bool
is_known(const struct kin *k, int pid, uint64_t ticks)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->one[i].pid == pid && k->one[i].ticks == ticks)
			return true;
	return false;
}

/* --- who is one ----------------------------------------------------------- */

static bool
descends(const struct kin *k, struct proc_stat stat, int pid)
{
	for (int i = 0; i < ANCESTORS_MOST && stat.parent > 1; i++) {
		if (stat.parent == pid) /* never 0 */
			return true;
		if (proc_stat_read(stat.parent, &stat) < 0)
			return false;
		if (is_known(k, stat.pid, stat.ticks))
			return true;
	}
	return false;
}

/* As it was when the process was executed; only of our own user's. */
static bool
has_mark(int pid, const char *mark)
{
	size_t n = strlen(mark) + 1, have = 0;
	char path[64], *text;
	bool found = false;
	ssize_t got = 1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	text = malloc(MIB + 1);
	while (text != NULL && have < MIB &&
	    (got = read(fd, text + have, MIB - have)) > 0)
		have += (size_t)got;
	close(fd);
	if (text != NULL)
		text[have] = '\0';
	for (size_t at = 0; !found && at < have; at += strlen(text + at) + 1)
		found = have - at >= n && memcmp(text + at, mark, n) == 0;
	free(text);
	return found;
}

static bool
is_kin(const struct kin *k, const struct proc_stat *stat, int pid, int group,
    const char *mark)
{
	if (stat->pid == pid || stat->pid == getpid() || is_over(stat) ||
	    getsid(stat->pid) != k->session)
		return false;
	return descends(k, *stat, pid) ||
	    (group != 0 && getpgid(stat->pid) == group) ||
	    (mark != NULL && has_mark(stat->pid, mark));
}

static void
add(struct kin *k, const struct proc_stat *stat)
{
	struct kin_one *one = realloc(k->one, (k->count + 1) * sizeof(*one));
	struct proc_stat now;

	if (one == NULL)
		return; /* we go on, as whom we stand beside does */
	k->one = one;
	one = &k->one[k->count];
	*one = (struct kin_one){ stat->pid, open_one(stat->pid),
		stat->ticks };
	/* Its number may have gone to another before we held it. */
	if (is_same(one, &now))
		k->count++;
	else if (one->fd >= 0)
		close(one->fd);
}

/* How many were new. */
static size_t
look(struct kin *k, int pid, int group, const char *mark)
{
	DIR *directory = opendir("/proc");
	size_t before = k->count;
	struct dirent *entry;
	struct proc_stat stat;
	uint64_t number;

	if (directory == NULL)
		return 0;
	while ((entry = readdir(directory)) != NULL)
		if (text_parse_u64(entry->d_name, INT32_MAX, &number) == 0 &&
		    proc_stat_read((int)number, &stat) == 0 &&
		    !is_known(k, stat.pid, stat.ticks) &&
		    is_kin(k, &stat, pid, group, mark))
			add(k, &stat);
	closedir(directory);
	return k->count - before;
}

void
kin_find(struct kin *k, int pid, int group, const char *mark)
{
	if (!k->asked) {
		k->session = getsid(pid);
		k->asked = k->session >= 0;
	}
	for (int i = 0; i < ROUNDS_MOST && k->asked &&
	    look(k, pid, group, mark) > 0; i++)
		;
}

/* --- all of them ---------------------------------------------------------- */

void
kin_signal(const struct kin *k, int signal)
{
	for (size_t i = 0; i < k->count; i++)
		signal_one(&k->one[i], signal);
}

size_t
kin_left(const struct kin *k)
{
	struct proc_stat stat;
	size_t left = 0;

	for (size_t i = 0; i < k->count; i++)
		left += runs_still(&k->one[i], &stat);
	return left;
}

/* One who waits for the child of a vfork() stands as well: state D. */
static bool
all_stand(const struct kin *k)
{
	struct proc_stat stat;

	for (size_t i = 0; i < k->count; i++)
		if (runs_still(&k->one[i], &stat) &&
		    strchr("TtD", stat.state) == NULL)
			return false;
	return true;
}

void
kin_hold(struct kin *k, int pid, int group, const char *mark)
{
	uint64_t until_ns = sys_clock() + STOP_NS;
	size_t before;
	int round = 0;

	do {
		before = k->count;
		if (pid != 0)
			(void)kill(pid, SIGSTOP);
		kin_signal(k, SIGSTOP);
		while (!all_stand(k) && sys_clock() < until_ns)
			sys_sleep(LOOK_NS);
		kin_find(k, pid, group, mark);
	} while (k->count > before && round++ < ROUNDS_MOST);
}

/* Is there one that needs nothing but a CPU to come to its end? */
static bool
some_run(const struct kin *k)
{
	struct proc_stat stat;

	for (size_t i = 0; i < k->count; i++)
		if (runs_still(&k->one[i], &stat) && stat.state != 'D')
			return true;
	return false;
}

/* Else the number of the group may be another's. */
static bool
has_group(const struct kin *k, int group)
{
	struct proc_stat stat;

	for (size_t i = 0; i < k->count; i++)
		if (getpgid(k->one[i].pid) == group &&
		    is_same(&k->one[i], &stat))
			return true;
	return false;
}

void
kin_kill(struct kin *k, int group, const char *mark)
{
	uint64_t from_ns;

	kin_hold(k, 0, has_group(k, group) ? group : 0, mark);
	kin_signal(k, SIGKILL);
	from_ns = sys_clock();
	while (kin_left(k) > 0 && (sys_clock() < from_ns + DISK_NS ||
	    (some_run(k) && sys_clock() < from_ns + GONE_NS)))
		sys_sleep(LOOK_NS);
	kin_free(k);
}

void
kin_free(struct kin *k)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->one[i].fd >= 0)
			close(k->one[i].fd);
	free(k->one);
	*k = (struct kin){ .count = 0 };
}
