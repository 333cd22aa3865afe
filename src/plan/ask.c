/*
 * ask.c - what a program is told of its budget, and sets of it
 */
#include "plan/plan.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "model/knob.h"
#include "plan/cleanup.h"
#include "plan/message.h"
#include "plan/settings.h"
#include "sys/sys.h"

static void
fill_info(const struct tide_room *room, tide_info *info)
{
	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	info->version = TIDE_ROOM_VERSION;
	info->state = room->state;
	info->level = room->level;
	info->warnings = room->warnings;
	info->flags = (room->soft ? TIDE_INFO_SOFT : 0) |
	    (room->live != TIDE_NONE ? TIDE_INFO_EXACT : 0) |
	    (room->stop != 0 ? TIDE_INFO_STOP : 0);
	info->budget = room->budget;
	info->used = room->used;
	info->available = room->available;
	info->live = plan_live();
	info->blocks = room->blocks;
	info->resident = room->resident;
	info->retained = room->retained;
	info->peak_live = room->peak_live;
	info->peak_used = room->peak_used;
	info->lease = room->lease;
	info->rate = room->rate;
	memcpy(info->source, room->source, sizeof(info->source));
}

/* Of two who look at once, one waits for the other. */
static void
read_info(tide_info *info)
{
	plan_lock();
	fill_info(plan_room(), info);
	plan_unlock();
}

int
plan_status(tide_info *out)
{
	if (out == NULL)
		return -EINVAL;
	(void)plan_settle(sys_clock(), false);
	read_info(out);
	return 0;
}

int
plan_poll(unsigned flags)
{
	if (flags & ~(unsigned)(TIDE_FORCE_RECLAIM | TIDE_EMERGENCY |
	    TIDE_NO_CALLBACKS | TIDE_NO_PURGE))
		return -EINVAL;
	(void)plan_settle(sys_clock(), true);
	if (flags & (TIDE_FORCE_RECLAIM | TIDE_EMERGENCY)) {
		(void)cleanup_run(flags & TIDE_EMERGENCY ? TIDE_EXHAUSTED :
		    TIDE_CRITICAL, flags, 0, NULL);
		(void)plan_settle(sys_clock(), true);
	}
	return plan_room()->state;
}

/*
 * Is there room for @need more, and would the whole stay below @max_used?  The
 * line is where new batches are held back as well.
 */
int
plan_safe(uint64_t need, uint64_t max_used, tide_info *out)
{
	tide_info info;
	uint64_t line;

	(void)plan_settle(sys_clock(), true);
	read_info(&info);
	if (out != NULL)
		*out = info;
	if (max_used != 0 && (info.used > max_used ||
	    need > max_used - info.used))
		return 0;
	if (info.budget == TIDE_NONE)
		return 1;
	line = info.budget / 1000 * plan_room()->critical_mille +
	    info.budget % 1000 * plan_room()->critical_mille / 1000;
	return need <= above_u64(line, info.used) && need <= info.available;
}

int
plan_reclaim(unsigned flags, uint64_t want, tide_reclaim_result *out)
{
	tide_reclaim_result result;
	int r;

	(void)plan_visit();
	r = cleanup_run(flags & TIDE_EMERGENCY ? TIDE_EXHAUSTED :
	    TIDE_CRITICAL, flags | TIDE_FORCE_RECLAIM, want, &result);
	if (r < 0)
		return r;
	result.state = (uint32_t)plan_settle(sys_clock(), true);
	if (out != NULL)
		*out = result;
	return 0;
}

double
plan_knob(const char *name, double best, double cheapest)
{
	const struct tide_room *room = plan_room();

	(void)settings_knob(name, &best); /* somebody knows it better */
	/* Whatever it was that made it so: the kernel, the operator. */
	if (plan_visit() >= TIDE_CRITICAL)
		return knob_value(best, cheapest, 1);
	if (room->budget == TIDE_NONE || room->budget == 0)
		return best;
	return knob_value(best, cheapest, knob_pressure((double)room->used /
	    (double)room->budget, room->warn_mille / 1000.0,
	    room->critical_mille / 1000.0));
}

/* --- as text -------------------------------------------------------------- */

/* Gigabytes with two decimals, as people read them. */
static void
put_gigabytes(struct text *t, const char *name, uint64_t bytes)
{
	uint64_t hundredths = bytes / (GIB / 100);

	text_put(t, ",\"");
	text_put(t, name);
	text_put(t, "\":");
	text_put_u64(t, hundredths / 100);
	text_put(t, hundredths % 100 < 10 ? ".0" : ".");
	text_put_u64(t, hundredths % 100);
}

void
plan_put_number(struct text *t, const char *name, uint64_t n)
{
	text_put(t, ",\"");
	text_put(t, name);
	text_put(t, "\":");
	if (n == TIDE_NONE)
		text_put(t, "null");
	else
		text_put_u64(t, n);
}

int
plan_json(char *buf, size_t cap)
{
	static const char *const levels[3] = { "standalone", "page",
		"runtime" };
	tide_info info;
	struct text t;
	char line[1024];

	if (buf == NULL && cap != 0)
		return -EINVAL;
	(void)plan_settle(sys_clock(), false);
	read_info(&info);
	text_open(&t, line, sizeof(line));
	text_put(&t, "{\"status\":\"");
	text_put(&t, message_state(info.state));
	text_put(&t, "\"");
	put_gigabytes(&t, "memory_usage_gb", info.used);
	put_gigabytes(&t, "peak_memory_gb", info.peak_used);
	plan_put_number(&t, "memory_warnings", info.warnings);
	plan_put_number(&t, "memory_usage", info.used);
	plan_put_number(&t, "peak_memory", info.peak_used);
	plan_put_number(&t, "budget", info.budget);
	plan_put_number(&t, "available", info.available);
	plan_put_number(&t, "live", info.live);
	plan_put_number(&t, "resident", info.resident);
	text_put(&t, ",\"source\":\"");
	text_put(&t, info.source);
	text_put(&t, "\",\"level\":\"");
	text_put(&t, info.level >= 0 && info.level < 3 ? levels[info.level] :
	    "");
	text_put(&t, "\"}");
	if (cap > 0) {
		size_t n = min_u64(t.used, cap - 1);

		memcpy(buf, line, n);
		buf[n] = '\0';
	}
	return (int)t.used;
}
