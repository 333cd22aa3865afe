/*
 * alone.c - the host of a program that has no library inside
 *
 * Part of heaptide.h only, behind all of plan; it is never compiled into ours.
 * The few things that are asked of sys/sys.h are here done by libc.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "plan/plan.h"
#include "plan/reserve.h"
#include "plan/cleanup.h"
#include "plan/common.h"
#include "plan/figures.h"
#include "plan/giveback.h"
#include "plan/guard.h"
#include "plan/op.h"
#include "plan/psi.h"
#include "plan/run.h"

#pragma weak dlsym /* a static program has none */

/* --- the host ------------------------------------------------------------- */

static struct {
	struct tide_room room;
	uint32_t begun; /* 0: no; 1: somebody is at it; 2: yes */
	/* In a page that the kernel empties in a child: 1; NULL: it cannot. */
	uint32_t *here;
	struct plan_host in_page; /* that of a page; its child has none */
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

/* Where sys/place.c puts them, without asking whether that is safe: who opens
 * it looks whose it is. */
static int
alone_pool_path(const char *name, char *path, size_t bytes)
{
	const char *directory = getenv("HEAPTIDE_DIR");
	const char *run = getenv("XDG_RUNTIME_DIR");
	struct text t;

	text_open(&t, path, bytes);
	if (directory != NULL && *directory != '\0') {
		text_put(&t, directory);
	} else if (run != NULL && *run != '\0') {
		text_put(&t, run);
		text_put(&t, "/heaptide");
	} else {
		text_put(&t, "/dev/shm/heaptide-");
		text_put_u64(&t, sys_uid());
	}
	text_put(&t, "/pools/");
	text_put(&t, name);
	return t.cut ? -ENAMETOOLONG : 0;
}

static struct tide_room *
alone_own_room(void)
{
	psi_in_child();
	memset(&alone.room, 0, sizeof(alone.room));
	alone.room.refresh_ns = PLAN_OLD_NS;
	return &alone.room;
}

/* False: there is no such function. */
static bool
alone_find(const char *name, void *to)
{
	void *found = dlsym != NULL ? dlsym(RTLD_DEFAULT, name) : NULL;

	memcpy(to, &found, sizeof(found));
	return found != NULL;
}

/*
 * By dlsym() as well: see discover.c.  Of those that are there but not in use
 * nothing is free.
 */
static bool
alone_purge(uint64_t want)
{
	extern int malloc_trim(size_t) __attribute__((weak));
	struct giveback by;
	void (*collect)(bool);

	memset(&by, 0, sizeof(by));
	by.malloc_trim = malloc_trim;
	(void)alone_find("mallinfo2", &by.mallinfo2);
	if (by.malloc_trim != NULL)
		giveback_glibc(&by, want);
	if (alone_find("mallctl", &by.mallctl)) {
		giveback_jemalloc(&by, want);
		return true;
	}
	(void)alone_find("MallocExtension_ReleaseToSystem", &by.release_some);
	if (alone_find("MallocExtension_ReleaseFreeMemory", &by.release_all)) {
		giveback_tcmalloc(&by, want);
		return true;
	}
	if (alone_find("mi_collect", &collect)) {
		collect(true);
		return true;
	}
	return by.malloc_trim != NULL;
}

static bool
alone_purges(void)
{
	struct giveback by;

	memset(&by, 0, sizeof(by));
	return alone_find("mallctl", &by.mallctl) && giveback_is_pending(&by);
}

static void
alone_say(const char *line)
{
	const char *path = text_log(environ);
	struct text t;
	char text[256];
	int fd;

	if (path == NULL)
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

#define ALONE_NAME(n)  #n
#define ALONE_NAMED(n) ALONE_NAME(n)

static const struct plan_host alone_host = {
	TIDE_STANDALONE,
	NULL,
	&alone_window_open,
	&alone_window_close,
	&common_memory,
	&common_glance,
	&common_limit,
	&psi_look,
	NULL,
	&alone_purge,
	&alone_purges,
	&alone_say,
	&common_setting,
	&alone_pool_path,
	&alone_own_room,
	NULL,
	ALONE_NAMED(TIDE_VERSION_MAJOR) "." ALONE_NAMED(TIDE_VERSION_MINOR),
};

/* --- under a supervisor that could not preload ----------------------------- */

/*
 * The page that $HEAPTIDE_PAGE names, if it is meant for this very process: a
 * child of fork() finds its parent's.
 */
static struct tide_room *
alone_page(void)
{
	const char *path = getenv("HEAPTIDE_PAGE");
	struct tide_room *room;
	struct proc_stat stat;
	int fd;

	if (path == NULL || *path == '\0' || proc_stat_read(0, &stat) < 0)
		return NULL;
	fd = sys_open(path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return NULL;
	room = (struct tide_room *)sys_mmap(NULL, sizeof(*room),
	    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	sys_close(fd);
	if (room == (struct tide_room *)MAP_FAILED)
		return NULL;
	if (room->magic == TIDE_ROOM_MAGIC && room->bytes == sizeof(*room) &&
	    room->version == TIDE_ROOM_VERSION && room->pid == sys_pid() &&
	    room->start_ticks == stat.ticks)
		return room;
	(void)sys_munmap(room, sizeof(*room));
	return NULL;
}

/* --- the runtime ---------------------------------------------------------- */

#ifndef MADV_WIPEONFORK
#define MADV_WIPEONFORK 18 /* Linux 4.14 */
#endif

static void
alone_stay_here(void)
{
	size_t bytes = sys_page_bytes();

	if (alone.here == NULL) {
		void *page = sys_mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (page == MAP_FAILED)
			return;
		if (sys_madvise(page, bytes, MADV_WIPEONFORK) < 0) {
			(void)sys_munmap(page, bytes);
			return;
		}
		alone.here = (uint32_t *)page;
	}
	*alone.here = 1;
}

/* To ask for the pid takes ten times as long as all else of a query. */
static bool
alone_is_here(void)
{
	return alone.here != NULL ? *alone.here != 0 :
	    plan_room()->pid == sys_pid();
}

/*
 * Made fresh: what is known of the resident memory is room->refresh_ns old at
 * most, see plan_look().  The coarse clock is a quarter of the cost, and may be
 * behind the other by one of its ticks, 1 to 10 ms.
 */
static struct tide_room *
alone_fresh(void)
{
	struct tide_room *room = plan_room();
	uint64_t old_ns = __atomic_load_n(&room->refresh_ns, __ATOMIC_RELAXED);
	uint64_t now_ns = old_ns < PLAN_CALM_NS ? sys_clock() :
	    sys_clock_coarse();

	if (!alone_is_here()) {
		plan_refresh(sys_clock());
		alone_stay_here();
	} else if (above_u64(now_ns, room->refreshed_ns) > old_ns) {
		plan_refresh(sys_clock());
	}
	return plan_room();
}

static int
alone_mark(const char *name)
{
	(void)name;
	return -ENODEV;
}

static int
alone_leak_scan(uint64_t *blocks, uint64_t *bytes)
{
	(void)blocks;
	(void)bytes;
	return -ENODEV;
}

/* What there is to say comes from a profile, which nobody makes here. */
static int
alone_analyze(tide_advice_fn fn, void *ctx)
{
	(void)ctx;
	return fn == NULL ? -EINVAL : -ENODEV;
}

static struct tide_pool *
alone_pool_create(const char *name)
{
	(void)name;
	return NULL;
}

static const char *
alone_version(void)
{
	return NULL;
}

static void
alone_release(void *p, size_t bytes)
{
	(void)release_pages(p, bytes);
}

static const struct tide_runtime alone_runtime = {
	sizeof(struct tide_runtime),
	TIDE_RUNTIME_VERSION,
	&alone_fresh,
	&plan_init,
	&plan_status,
	&plan_json,
	&plan_budget_set,
	&plan_safe,
	&plan_poll,
	&op_open,
	&op_batch_size,
	&batch_begin,
	&batch_more,
	&batch_item,
	&batch_item_done,
	&batch_item_fail,
	&batch_end,
	&batch_abort,
	&op_read,
	&guard_begin,
	&guard_end,
	&component_open,
	&component_enter,
	&component_leave,
	&component_used,
	&component_budget,
	&reserve_take,
	&reserve_give,
	&cleanup_add,
	&cleanup_drop,
	&plan_reclaim,
	&pressure_fd,
	&plan_knob,
	&alone_release,
	&alone_mark,
	&alone_leak_scan,
	&alone_pool_create,
	&alone_version,
	&run_begin,
	&run_input,
	&run_resume,
	&run_checkpoint,
	&run_on_checkpoint,
	&run_finish,
	&run_recycle,
	&figures_progress,
	&figures_trend,
	&figures_run_report,
	&alone_analyze,
	&figures_log,
	&page_next,
	&page_end,
};

/* Once a process; who comes meanwhile waits. */
static const struct tide_runtime *
alone_begin(void)
{
	const struct plan_host *host = &alone_host;
	uint64_t since = 0;
	uint32_t never = 0;
	struct tide_room *page;

	if (__atomic_compare_exchange_n(&alone.begun, &never, 1, false,
	    __ATOMIC_ACQUIRE, __ATOMIC_ACQUIRE)) {
		page = alone_page();
		if (page != NULL) {
			alone.in_page = alone_host;
			alone.in_page.level = TIDE_PAGE;
			alone.in_page.in_child = &alone_host;
			host = &alone.in_page;
		}
		plan_begin(host, page != NULL ? page : alone_own_room());
		plan_room()->refresh_ns = PLAN_OLD_NS;
		alone_stay_here();
		__atomic_store_n(&alone.begun, 2, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&alone.begun, __ATOMIC_ACQUIRE) == 1 &&
	    sys_give_way(&since))
		;
	return &alone_runtime;
}
