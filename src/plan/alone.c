/*
 * alone.c - the host of a program that has no library inside
 *
 * Part of heaptide.h only, behind all of plan; it is never compiled into ours.
 * The few things that are asked of sys/sys.h are here done by libc.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "plan/plan.h"
#include "plan/cleanup.h"
#include "plan/common.h"
#include "plan/guard.h"
#include "plan/op.h"

/* --- the host ------------------------------------------------------------- */

static struct {
	struct tide_room room;
	uint32_t begun; /* 0: no; 1: somebody is at it; 2: yes */
	const char *conf;
} alone;

/*
 * The highest the resident memory has been since a batch began: the kernel
 * keeps it, and forgets it on demand (proc_pid_clear_refs(5), value 5).
 */
static void
alone_window_open(struct host_window *w)
{
	struct proc_status status;
	int fd = sys_open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC, 0);

	memset(w, 0, sizeof(*w));
	if (fd >= 0) {
		w->p[0] = sys_write(fd, "5", 1) == 1;
		sys_close(fd);
	}
	if (proc_status_read(0, &status) == 0)
		w->base = (int64_t)status.resident;
}

static void
alone_window_close(struct host_window *w)
{
	struct proc_status status;

	if (w->p[0] == 0 || proc_status_read(0, &status) != 0)
		return;
	w->high = (int64_t)status.peak - w->base;
	w->thread_high = w->high;
}

static const char *
alone_setting(const char *name)
{
	char variable[64];
	struct text t;

	text_open(&t, variable, sizeof(variable));
	text_put(&t, "HEAPTIDE_");
	text_put(&t, name);
	return t.cut ? NULL : getenv(variable);
}

static int alone_limit(uint64_t set_bytes, struct host_limit *limit);

static struct tide_room *
alone_own_room(void)
{
	return &alone.room;
}

static bool
alone_purge(void)
{
	extern int malloc_trim(size_t) __attribute__((weak));

	if (malloc_trim == NULL)
		return false;
	(void)malloc_trim(0);
	return true;
}

static void
alone_say(const char *line)
{
	const char *path = getenv("HEAPTIDE_LOG");
	struct text t;
	char text[256];
	int fd;

	if (path == NULL || *path == '\0')
		return;
	fd = sys_open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	text_open(&t, text, sizeof(text) - 1);
	text_put(&t, line);
	text[t.used] = '\n';
	(void)sys_write(fd, text, t.used + 1);
	sys_close(fd);
}

static const struct plan_host alone_host = {
	TIDE_STANDALONE,
	NULL,
	&alone_window_open,
	&alone_window_close,
	&common_memory,
	&alone_limit,
	NULL,
	NULL,
	&alone_purge,
	&alone_say,
	&alone_setting,
	&alone_own_room,
};

static int
alone_limit(uint64_t set_bytes, struct host_limit *limit)
{
	return common_limit(&alone_host, set_bytes, limit);
}
