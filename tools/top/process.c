/*
 * process.c - one of the processes: its numbers as they move, and its words
 */
#include "top/processes.h"

#include <stdio.h>

#include "base/base.h"
#include "control/control.h"
#include "control/limit.h"
#include "control/series.h"
#include "plan/message.h"
#include "sys/sys.h"

const char *const process_state_names[PROCESS_STATES] = {
	[PROCESS_RUNNING] = "running",
	[PROCESS_STOPPED] = "stopped",
	[PROCESS_ZOMBIE] = "zombie",
	[PROCESS_DEAD] = "dead",
	[PROCESS_REPLACED] = "replaced",
	[PROCESS_ELSEWHERE] = "elsewhere",
};

bool
process_is_living(enum process_state state)
{
	return state == PROCESS_RUNNING || state == PROCESS_STOPPED;
}

/* --- measuring ------------------------------------------------------------ */

static void
measure_limit(struct process *p, const struct control *c, uint64_t now_ns)
{
	struct trend_line hour;
	struct limit limit;

	p->limit = p->left_s = UINT64_MAX;
	if (limit_find(c, &limit) < 0)
		return;
	p->limit = limit.bytes;
	if (limit.available != LIMIT_NONE &&
	    series_growth(c, now_ns, NS_PER_HOUR, &hour))
		p->left_s = trend_time_left(&hour, limit.available);
}

static void
measure_room(struct process *p, const struct control *c)
{
	const struct tide_room *room = control_room(c);
	uint64_t set = atomic_load(&c->segment->config.budget_bytes);

	p->asks = room != NULL;
	p->budget = set != 0 ? set : TIDE_NONE;
	if (room == NULL)
		return;
	p->memory = room->state;
	p->budget = room->budget;
	p->used = room->used;
}

void
process_measure(struct process *p)
{
	uint64_t now_ns = sys_clock();
	struct control_sums sums;
	struct control c;

	if (p->trouble != NULL || !process_is_living(p->state) ||
	    control_open(&c, p->path, p->pid) < 0)
		return;
	control_sum(&c, &sums);
	p->heap = sums.live_bytes;
	p->peak = max_u64(p->peak, sums.peak_bytes);
	p->stacks = control_stacks(atomic_load(&c.segment->config.stacks));
	if (atomic_load(&c.segment->end.how) == END_EXEC)
		p->state = PROCESS_REPLACED;
	p->moves = series_growth(&c, now_ns, NS_PER_MINUTE, &p->growth);
	measure_limit(p, &c, now_ns);
	measure_room(p, &c);
	control_close(&c);
}

void
process_judge(struct process *p)
{
	const struct judge_options options = {
		.now_ns = sys_clock(),
		.warmup = SIZE_MAX,
	};
	struct control c;

	if (p->trouble != NULL || !process_is_living(p->state) ||
	    control_open(&c, p->path, p->pid) < 0)
		return;
	p->judged = judge_in_brief(&c, &options, &p->leaks) == 0;
	p->judged_ns = options.now_ns;
	control_close(&c);
}

/* --- words ---------------------------------------------------------------- */

const char *
process_describe_state(const struct process *e, char text[PROCESS_STATE_ROOM])
{
	const char *name = process_state_names[e->state];

	if (process_is_living(e->state) && e->asks && e->memory > TIDE_OK)
		snprintf(text, PROCESS_STATE_ROOM, "%s, %s", name,
		    message_state(e->memory));
	else if (e->state != PROCESS_DEAD || e->end.how == END_UNKNOWN)
		snprintf(text, PROCESS_STATE_ROOM, "%s", name);
	else if (e->end.how == END_SIGNALLED)
		snprintf(text, PROCESS_STATE_ROOM, "%s, %s %d", name,
		    e->end.out_of_memory ? "out of memory, signal" :
		    "signal", e->end.signal);
	else
		snprintf(text, PROCESS_STATE_ROOM, "%s, status %d", name,
		    e->end.status);
	return text;
}

long long
process_shown_pid(const struct process *e)
{
	return e->pid != 0 ? e->pid : e->key.pid;
}
