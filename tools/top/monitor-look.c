/*
 * monitor-look.c - how a process stands now, and how that moves
 */
#include "top/monitor.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "sys/proc.h"
#include "sys/sys.h"

/* Parts of the limit; those of the states in doc/heaptide.1. */
#define WARNING_FROM   0.75
#define CRITICAL_FROM  0.88
#define EXHAUSTED_FROM 0.96

/* How far growth is looked back upon: a batch that fills is no leak yet. */
#define GROWTH_NS NS_PER_HOUR

static double
seconds_of(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* --- the CPU -------------------------------------------------------------- */

/* The start of a process is in ticks since the machine's. */
static double
age_of(const struct proc_stat *stat, double ticks_a_second)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / (double)NS_PER_S -
	    (double)stat->ticks / ticks_a_second;
}

static double
cpu_percent(struct watched *w, const struct proc_stat *stat, uint64_t now_ns)
{
	double ticks_a_second = (double)sysconf(_SC_CLK_TCK);
	double used = (double)(stat->cpu_ticks -
	    min_u64(w->cpu_ticks, stat->cpu_ticks)) / ticks_a_second;
	double time = w->looked_ns != 0 ?
	    seconds_of(above_u64(now_ns, w->looked_ns)) :
	    age_of(stat, ticks_a_second);

	w->cpu_ticks = stat->cpu_ticks;
	w->looked_ns = now_ns;
	return time > 0 ? used / time * 100 : 0;
}

/* --- growth --------------------------------------------------------------- */

static void
note_seen(struct seen *s, uint64_t now_ns, const struct look *look)
{
	if (s->of_heap != look->inside)
		*s = (struct seen){ .stride = 1, .of_heap = look->inside };
	if (s->skipped++ % s->stride != 0)
		return;
	if (s->count == SEEN_ROOM) {
		for (size_t i = 0; i < SEEN_ROOM / 2; i++)
			s->point[i] = s->point[2 * i];
		s->count = SEEN_ROOM / 2;
		s->stride *= 2;
	}
	s->point[s->count++] = (struct trend_point){
		.at = seconds_of(now_ns),
		.value = (double)(look->inside ? look->heap.live_bytes :
		    look->resident),
	};
}

/* By the profile, which knows what was before our first look, if it can. */
static void
find_growth(const struct watched *w, const struct profile *profile,
    struct look *look)
{
	look->growth_of = look->inside ? "heap" : "resident";
	look->grows_known = (profile != NULL &&
	    profile_growth(profile, GROWTH_NS, &look->growth)) ||
	    trend_of(w->seen.point, w->seen.count, &look->growth);
}

/* --- the limit ------------------------------------------------------------ */

static enum monitor_state
state_of(const struct limit *limit)
{
	double fill = (double)limit->used / (double)limit->bytes;

	if (limit->bytes == LIMIT_NONE || fill < WARNING_FROM)
		return MONITOR_OK;
	if (fill < CRITICAL_FROM)
		return MONITOR_WARNING;
	return fill < EXHAUSTED_FROM ? MONITOR_CRITICAL : MONITOR_EXHAUSTED;
}

static void
find_limit(const struct watched *w, const struct profile *profile,
    struct look *look)
{
	uint64_t budget = profile != NULL ?
	    profile->segment->config.budget_bytes : 0;

	look->limit = (struct limit){ LIMIT_NONE, 0, LIMIT_NONE, NULL };
	(void)limit_of_pid(w->pid, budget, &look->limit);
	look->state = state_of(&look->limit);
	look->limit_in = UINT64_MAX;
	if (look->grows_known && look->limit.available != LIMIT_NONE)
		look->limit_in = trend_time_left(&look->growth,
		    look->limit.available);
}

/* --- all of it ------------------------------------------------------------ */

/* False: heaptide is not inside, or its profile is of the past. */
static bool
open_inside(int pid, struct profile *profile)
{
	char text[16], why[512];

	snprintf(text, sizeof(text), "%d", pid);
	if (profile_open(text, profile, why) < 0)
		return false;
	if (profile->live)
		return true;
	profile_close(profile);
	return false;
}

int
monitor_look(struct watched *w, struct look *look)
{
	uint64_t now_ns = sys_clock();
	struct proc_status status;
	struct proc_stat stat;
	struct profile profile;
	int r = proc_stat_read(w->pid, &stat);

	if (r == 0)
		r = proc_status_read(w->pid, &status);
	if (r < 0)
		return r;
	*look = (struct look){
		.status = stat.state == 'T' || stat.state == 't' ? "stopped" :
		    "running",
		.resident = status.resident,
		.peak = status.peak,
		.swapped = status.swapped,
		.threads = stat.threads,
		.cpu_percent = cpu_percent(w, &stat, now_ns),
		.inside = open_inside(w->pid, &profile),
	};
	if (look->inside) {
		profile_totals(&profile, &look->heap);
		look->exact = profile_is_exact(&profile);
	}
	note_seen(&w->seen, now_ns, look);
	find_growth(w, look->inside ? &profile : NULL, look);
	find_limit(w, look->inside ? &profile : NULL, look);
	if (look->inside)
		profile_close(&profile);
	return 0;
}
