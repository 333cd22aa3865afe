/*
 * top-process.c - one process, as its profile and the kernel know it
 *
 * Its segment is opened anew at each look.  When there is none any more (it
 * has ended, and `heaptide run` has collected it) the last look stays.
 */
#include "top/top.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "control/census.h"
#include "live/gather.h"
#include "plan/message.h"
#include "say/need.h"
#include "sys/proc.h"
#include "sys/sys.h"

/*
 * Beside `heaptide run` somebody looks; else we do, but seldom: all of
 * /proc/PID/smaps is read for it.
 */
#define RSS_OLD_NS (5 * NS_PER_S)

#define SNAPSHOTS_MOST 10000 /* of one process in one directory */

const struct top_span top_spans[] = {
	{ "10 min", 600 * NS_PER_S },
	{ "1 h", NS_PER_HOUR },
	{ "12 h", 12 * NS_PER_HOUR },
	{ "3 d", 3 * NS_PER_DAY },
};
const unsigned top_span_count = ARRAY_LENGTH(top_spans);

void
top_process_open(struct top_process *p, const char *path)
{
	*p = (struct top_process){
		.path = need(strdup(path)),
		.limit = { .bytes = LIMIT_NONE, .available = LIMIT_NONE },
		.left_s = UINT64_MAX,
		.sites = { .order = p->sites.order },
		.span = p->span,
	};
	top_process_read(p);
}

void
top_process_close(struct top_process *p)
{
	if (p->is_open)
		profile_close(&p->profile);
	top_sites_free(&p->sites);
	free(p->command);
	free(p->path);
	p->is_open = false;
	p->command = p->path = NULL;
}

/* --- numbers -------------------------------------------------------------- */

/* Bytes allocated a second since the look before. */
static void
read_rate(struct top_process *p)
{
	uint64_t now_ns = p->profile.now_ns;

	if (now_ns <= p->at_before_ns) {
		p->rate_known = false;
		return;
	}
	p->rate_known = p->at_before_ns != 0;
	p->rate = (double)above_u64(p->totals.allocated_bytes,
	    p->allocated_before) / (double)(now_ns - p->at_before_ns) *
	    (double)NS_PER_S;
	p->allocated_before = p->totals.allocated_bytes;
	p->at_before_ns = now_ns;
}

static void
read_resident(struct top_process *p)
{
	const struct segment *s = p->profile.segment;
	const struct segment_rss *last = &s->rss[RSS_LAST];
	struct proc_status status;

	if (last->version % 2 == 0 && last->at_ns > p->rss.at_ns)
		p->rss = *last;
	if (p->pid != 0 && above_u64(p->profile.now_ns, p->rss.at_ns) >
	    RSS_OLD_NS && above_u64(p->profile.now_ns, p->looked_ns) >
	    RSS_OLD_NS) {
		p->looked_ns = p->profile.now_ns;
		(void)census_look(s, p->pid, &p->rss);
	}
	p->resident = p->rss.resident;
	if (p->pid != 0 && proc_status_read(p->pid, &status) == 0)
		p->resident = status.resident;
}

static void
read_limit(struct top_process *p)
{
	/* It is only read: budget_bytes of it, and what /proc says. */
	const struct control c = profile_control(&p->profile);

	p->left_s = UINT64_MAX;
	p->minute_known = profile_growth(&p->profile, NS_PER_MINUTE,
	    &p->minute);
	p->hour_known = profile_growth(&p->profile, NS_PER_HOUR,
	    &p->hour);
	if (p->pid == 0 || limit_find(&c, &p->limit) < 0) {
		p->limit.bytes = LIMIT_NONE;
		return;
	}
	if (p->hour_known && p->limit.available != LIMIT_NONE)
		p->left_s = trend_time_left(&p->hour, p->limit.available);
}

/* It takes some us a site, and moves slowly. */
#define LEAKS_OLD_NS (5 * NS_PER_S)

static void
read_leaks(struct top_process *p)
{
	uint64_t now_ns = p->profile.now_ns;

	if (p->judged_ns != 0 && now_ns - p->judged_ns < LEAKS_OLD_NS)
		return;
	p->judged_ns = now_ns;
	leaks_brief(&p->profile, &p->leaks);
}

/* --- reading -------------------------------------------------------------- */

static bool
is_same_image(const struct profile *a, const struct profile *b)
{
	const struct segment_identity *x = &a->segment->identity;
	const struct segment_identity *y = &b->segment->identity;

	return x->exec_count == y->exec_count && x->clock_ns == y->clock_ns &&
	    x->start_ticks == y->start_ticks;
}

/* After an exec another program is at the same place, and all is new. */
static void
take(struct top_process *p, const struct profile *fresh)
{
	if (p->is_open && !is_same_image(&p->profile, fresh)) {
		top_sites_free(&p->sites);
		p->at_before_ns = 0;
		p->rss = (struct segment_rss){ .at_ns = 0 };
	}
	if (p->is_open)
		profile_close(&p->profile);
	p->profile = *fresh;
	p->is_open = true;
	free(p->command);
	p->command = profile_command(&p->profile);
}

void
top_process_read(struct top_process *p)
{
	struct profile fresh;
	int r = profile_open(p->path, &fresh, p->why);

	if (r == 0)
		take(p, &fresh);
	p->gone = r == -ENOENT;
	if (!p->is_open)
		return;
	p->pid = profile_pid(&p->profile);
	if (r < 0) {
		p->rate_known = false;
		p->left_s = UINT64_MAX;
		return;
	}
	profile_totals(&p->profile, &p->totals);
	read_rate(p);
	read_resident(p);
	read_limit(p);
	read_leaks(p);
	top_sites_read(&p->sites, &p->profile);
}

/* --- words ---------------------------------------------------------------- */

static const char *
living_state(const struct top_process *p)
{
	struct proc_stat stat;

	if (proc_stat_read(p->pid, &stat) == 0 &&
	    (stat.state == 'T' || stat.state == 't'))
		return "stopped";
	return p->gone ? "running, its profile is gone" : "running";
}

const char *
top_process_state(const struct top_process *p, char text[TOP_STATE_ROOM])
{
	const struct segment_end *end = &p->profile.segment->end;
	const struct control c = profile_control(&p->profile);
	const struct tide_room *room = control_room(&c);

	switch (atomic_load(&end->how)) {
	case END_EXEC:
		return "went on as another program";
	case END_SIGNALLED:
		snprintf(text, TOP_STATE_ROOM, "ended, %s %d",
		    end->out_of_memory ? "out of memory, signal" : "signal",
		    end->signal);
		return text;
	case END_EXITED:
		snprintf(text, TOP_STATE_ROOM, "ended, status %d",
		    end->status);
		return text;
	}
	if (p->pid != 0 && room != NULL && room->state > TIDE_OK) {
		snprintf(text, TOP_STATE_ROOM, "%s, %s", living_state(p),
		    message_state(room->state));
		return text;
	}
	if (p->pid != 0)
		return living_state(p);
	return p->gone ? "ended, collected" : "ended";
}

/* --- a snapshot ----------------------------------------------------------- */

int
top_process_save(const struct top_process *p, char *name, size_t room)
{
	char **arguments = profile_arguments(&p->profile);
	char command[GATHER_NAME_ROOM];
	int pid = p->pid != 0 ? p->pid : p->profile.segment->identity.pid;

	gather_name(arguments != NULL && arguments[0] != NULL &&
	    arguments[0][0] != '\0' ? arguments[0] : "unknown", command);
	free(arguments);
	for (int n = 1; n <= SNAPSHOTS_MOST; n++) {
		snprintf(name, room, "heaptide.%s.%d.%d" SEGMENT_SUFFIX,
		    command, pid, n);
		if (access(name, F_OK) != 0)
			return profile_compact(&p->profile, name);
	}
	return -EEXIST;
}
