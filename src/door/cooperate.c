#include "door/cooperate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "door/api.h"
#include "door/boot.h"
#include "door/cooperate-room.h"
#include "door/purge.h"
#include "mem/segment.h"
#include "plan/cleanup.h"
#include "plan/common.h"
#include "plan/figures.h"
#include "plan/guard.h"
#include "plan/op.h"
#include "plan/reserve.h"
#include "plan/pressure.h"
#include "plan/psi.h"
#include "plan/run.h"
#include "sys/place.h"
#include "sys/say.h"
#include "sys/sys.h"

/* 0: no; 1: somebody is at it; 2: yes. */
static _Atomic uint32_t begun;

/* The calling thread's row, or NULL: it has none, or nothing is counted. */
static struct tally *
mine(void)
{
	if (self.tally == NULL)
		(void)boot_enter();
	return self.tally;
}

/* --- the host ------------------------------------------------------------- */

static bool
heap(struct host_heap *h)
{
	struct segment *s;
	struct tally *t = mine();
	int64_t live, requested;

	if (t == NULL)
		return false;
	s = segment_mine();
	tally_sum(&h->blocks, &live, &requested);
	live += s->live.inherited_bytes -
	    (int64_t)s->live.inherited_freed_bytes;
	h->bytes = live > 0 ? (uint64_t)live : 0;
	h->blocks += s->live.inherited_blocks - s->live.inherited_frees;
	h->allocated = tally_allocated();
	h->thread = tally_net(t);
	h->failed = atomic_load(&cooperate_room.refused);
	h->threads = atomic_load(&s->live.threads);
	return true;
}

/*
 * Others have windows as well, and each begins the process' anew: it is good
 * only for who is alone (see plan/batch-close.c).
 */
static void
window_open(struct host_window *w)
{
	struct tally *t = mine();
	struct tally_window now;

	memset(w, 0, sizeof(*w));
	if (t == NULL)
		return;
	tally_window_open(t, &now);
	w->base = now.now;
	w->thread_base = now.thread_now;
	w->p[0] = (uintptr_t)t;
}

static void
window_close(struct host_window *w)
{
	struct tally *t = mine();
	struct tally_window now;

	if (t == NULL)
		return;
	tally_window_read(t, &now);
	w->high = now.high - w->base;
	/* Ended by another thread: of that one's, nothing is known. */
	w->thread_high = w->p[0] == (uintptr_t)t ?
	    now.thread_high - w->thread_base : 0;
}

static void
epoch(const char *name)
{
	(void)api_mark(name);
}

static int
pool_path(const char *name, char *path, size_t bytes)
{
	char directory[PLACE_ROOM], full[PLACE_ROOM];
	struct text t;
	int r = place_find(environ, directory);

	if (r == 0)
		r = place_pool(directory, name, 0, full);
	if (r < 0)
		return r;
	text_open(&t, path, bytes);
	text_put(&t, full);
	return t.cut ? -ENAMETOOLONG : 0;
}

/*
 * The room is a part of the segment and of our own data at once: the same pages
 * mapped twice.  Where that is refused, nobody outside sees what is in it.
 */
static void
share_room(void)
{
	void *from;

	if (segment_reach(TABLE_BUDGET, 1) < 0)
		return;
	from = segment_rows(TABLE_BUDGET);
	(void)sys_map_again(from, COOPERATE_BYTES, &cooperate_room.page);
}

static struct tide_room *
own_room(void)
{
	struct tide_room *room = &cooperate_room.page.room;

	memset(room, 0, sizeof(*room));
	if (mine() != NULL) {
		share_room();
		memset(room, 0, sizeof(*room));
	}
	atomic_store(&cooperate_is_on, mine() != NULL);
	return room;
}

/* A request may have set another budget since the start. */
static int
limit(uint64_t set_bytes, struct host_limit *l)
{
	uint64_t given = mine() == NULL ? boot_budget() :
	    atomic_load(&segment_mine()->config.budget_bytes);

	return common_limit_given(set_bytes,
	    given == boot_budget() ? TIDE_NONE : given, l);
}

static const struct plan_host host = {
	.level = TIDE_RUNTIME,
	.heap = heap,
	.window_open = window_open,
	.window_close = window_close,
	.memory = common_memory,
	.limit = limit,
	.pressure = psi_look,
	.epoch = epoch,
	.purge = purge_here,
	.purges = real_purges,
	.say = say_line,
	.setting = common_setting,
	.pool_path = pool_path,
	.own_room = own_room,
	.version = PACKAGE_VERSION,
};

/* --- the runtime ---------------------------------------------------------- */

static struct tide_room *
room(void)
{
	(void)plan_visit();
	return &cooperate_room.page.room;
}

static void
release(void *p, size_t bytes)
{
	(void)release_pages(p, bytes);
}

static const struct tide_runtime runtime = {
	.bytes = sizeof(struct tide_runtime),
	.version = TIDE_RUNTIME_VERSION,
	.room = room,
	.init = plan_init,
	.status = plan_status,
	.json = plan_json,
	.budget_set = plan_budget_set,
	.safe = plan_safe,
	.poll = plan_poll,
	.op_open = op_open,
	.batch_size = op_batch_size,
	.batch_begin = batch_begin,
	.batch_more = batch_more,
	.item = batch_item,
	.item_done = batch_item_done,
	.item_fail = batch_item_fail,
	.batch_end = batch_end,
	.batch_abort = batch_abort,
	.op_stats = op_read,
	.guard_begin = guard_begin,
	.guard_end = guard_end,
	.component = component_open,
	.component_enter = component_enter,
	.component_leave = component_leave,
	.component_used = component_used,
	.component_budget = component_budget,
	.reserve = reserve_take,
	.unreserve = reserve_give,
	.on_pressure = cleanup_add,
	.off_pressure = cleanup_drop,
	.reclaim = plan_reclaim,
	.pressure_fd = pressure_fd,
	.knob = plan_knob,
	.release = release,
	.mark = api_mark,
	.leak_scan = api_leak_scan,
	.pool_create = nested_pool_create,
	.version_text = api_version,
	.run_begin = run_begin,
	.input = run_input,
	.resume = run_resume,
	.checkpoint = run_checkpoint,
	.on_checkpoint = run_on_checkpoint,
	.run_finish = run_finish,
	.recycle = run_recycle,
	.progress = figures_progress,
	.trend = figures_trend,
	.run_report = figures_run_report,
	.analyze = api_analyze,
	.log = figures_log,
	.page = page_next,
	.page_end = page_end,
};

static void
begin(void)
{
	uint32_t never = 0;
	uint64_t since = 0;

	if (atomic_compare_exchange_strong(&begun, &never, 1)) {
		plan_begin(&host, own_room());
		atomic_store(&begun, 2);
	}
	while (atomic_load(&begun) == 1 && sys_give_way(&since))
		;
}

const struct tide_runtime *
heaptide_runtime(void)
{
	if (mine() == NULL)
		return NULL;
	if (atomic_load(&begun) != 2)
		begin();
	return &runtime;
}
