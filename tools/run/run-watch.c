/*
 * run-watch.c - while a program runs: its processes are looked at, and it is
 * ended if it takes too long
 */
#include <string.h>

#include "base/base.h"
#include "run/run.h"
#include "say/print.h"
#include "settings/config.h"
#include "sys/sys.h"

/* Until the clock is so far there is nothing to do but to wait. */
static uint64_t
due(const struct run *run, uint64_t next_ns)
{
	return run->deadline_ns != 0 && !run->timed_out ?
	    min_u64(run->deadline_ns, next_ns) : next_ns;
}

static void
look_at_time(struct run *run)
{
	if (run->deadline_ns == 0 || run->timed_out ||
	    sys_clock() < run->deadline_ns)
		return;
	run->timed_out = true;
	supervise_end(&run->child, run->options->grace);
}

/* What the program itself says of its batches, if it does. */
static bool
read_box(const struct run *run, struct box *box)
{
	const struct tide_room *room;
	char path[PLACE_ROOM];
	struct control c;

	memset(box, 0, sizeof(*box));
	if (run->page != NULL && run->page->looks != 0) {
		box_read(box, run->page);
		return box->known;
	}
	if (gather_path(&run->gather, path) < 0 ||
	    control_open(&c, path, run->child.pid) < 0)
		return false;
	room = control_room(&c);
	if (room != NULL)
		box_read(box, room);
	control_close(&c);
	return box->known;
}

/*
 * A thread that hangs comes to no point at which it could be told; so it is
 * ended, and goes on from its last checkpoint.
 */
static void
look_at_batch(struct run *run)
{
	uint64_t now = sys_clock();
	struct box box;

	if (!run->supervised || run->stalled || run->timed_out ||
	    !read_box(run, &box) || !box.open || box.most_ns == 0 ||
	    now < box.open_ns || now - box.open_ns <= box.most_ns)
		return;
	run->stalled = true;
	run->stall = box;
	supervise_end(&run->child, run->options->grace);
}

static void
open_gather(struct run *run)
{
	char why[CONFIG_WHY_ROOM];

	run->gather = (struct gather){
		.directory = run->directory,
		.run = run->id,
		.folder = run->folder,
		.pid = run->child.pid,
		.ticks = run->child.ticks,
		.serve = run->serve,
		.growth = run->growth,
	};
	/* What is wrong with it has been said before anything was started. */
	(void)config_least(&run->gather.least, why);
	gather_open(&run->gather);
}

static void
watch_alone(struct run *run)
{
	oom_follow(&run->oom_groups, run->child.pid);
	while (!supervise_wait(&run->child, due(run, UINT64_MAX)))
		look_at_time(run);
}

void
run_watch(struct run *run)
{
	struct gather *g = &run->gather;
	uint64_t next;

	if (run->directory[0] == '\0' || !run_name_results(run)) {
		watch_alone(run);
		return;
	}
	open_gather(run);
	oom_follow(&run->oom_groups, run->child.pid);
	next = sys_clock() + g->interval_ns;
	while (!supervise_wait(&run->child, due(run, next))) {
		look_at_time(run);
		if (sys_clock() < next)
			continue;
		next = gather_look(g);
		oom_follow(&run->oom_groups, run->child.pid);
		run_look_at_pressure(run);
		look_at_batch(run);
	}
	gather_close(g);
	if (run->serve != NULL)
		serve_close(run->serve);
	run->serve = NULL;
}
