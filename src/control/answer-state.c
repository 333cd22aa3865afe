/*
 * answer-state.c - how the process stands: numbers, and how they move
 */
#include "control/answer.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "control/mark.h"
#include "control/reply.h"
#include "control/seen.h"
#include "model/reconcile.h"
#include "model/trend.h"
#include "plan/message.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define TICKS_A_SECOND 100 /* USER_HZ, of every machine we know */
#define SERIES_MOST    600

static double
seconds_of(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

/* It is in the head of every answer. */
void
answer_version(struct control *c, const struct request *r, struct text *t)
{
	(void)c;
	(void)r;
	(void)t;
}

/* --- parts ---------------------------------------------------------------- */

/* One look at the process, for all of an answer. */
struct look {
	uint64_t now_ns;
	struct control_sums sums;
	struct proc_stat stat;
	int error; /* 0: there is a stat */
};

static void
look_at(const struct control *c, struct look *look)
{
	look->now_ns = sys_clock();
	control_sum(c, &look->sums);
}

static const char *
state_of(const struct control *c, const struct look *look)
{
	uint32_t how = atomic_load(&c->segment->end.how);

	if (how == END_EXEC)
		return "replaced";
	if (how != END_UNKNOWN || look->error < 0)
		return "ended";
	switch (look->stat.state) {
	case 'T':
	case 't':
		return "stopped";
	case 'Z':
	case 'X':
		return look->stat.threads > 1 ? "running" : "ended";
	default:
		return "running";
	}
}

/* Of one CPU, since the start. */
static double
cpu_percent(const struct control *c, const struct look *look)
{
	double age = seconds_of(above_u64(look->now_ns,
	    c->segment->identity.clock_ns));

	if (look->error < 0 || age <= 0)
		return 0;
	return (double)look->stat.cpu_ticks / TICKS_A_SECOND / age * 100;
}

static void
put_rate(struct text *t, const char *name, bool known,
    const struct trend_line *line)
{
	if (!known) {
		reply_null(t, name);
		return;
	}
	reply_open(t, name);
	reply_number(t, "bytes_per_second", line->rate);
	reply_number(t, "low", line->low);
	reply_number(t, "high", line->high);
	reply_close(t);
}

/* Since when, for growth; the newest epoch. */
static const struct mark *
last_epoch(const struct control *c)
{
	const struct mark *mark = control_rows(c, TABLE_MARKS);
	uint64_t n = control_count(c, TABLE_MARKS);

	while (n-- > 0)
		if (mark_is_epoch(atomic_load(&mark[n].kind)))
			return &mark[n];
	return NULL;
}

static void
put_growth(const struct control *c, uint64_t now_ns,
    const struct limit *limit, struct text *t)
{
	struct trend_line minute, hour, since;
	const struct mark *mark = last_epoch(c);
	bool is_minute = seen_growth(c, SEEN_MINUTE, 0, &minute);
	bool is_hour = seen_growth(c, SEEN_HOUR, 0, &hour);
	bool is_old = above_u64(now_ns, c->segment->identity.clock_ns) >
	    NS_PER_MINUTE;
	bool is_since = mark != NULL && seen_growth(c, SEEN_MARK,
	    mark->at_ns, &since);
	uint64_t left = UINT64_MAX;

	reply_open(t, "growth");
	put_rate(t, "minute", is_minute, &minute);
	put_rate(t, "hour", is_hour && is_old, &hour);
	put_rate(t, "mark", is_since, &since);
	reply_close(t);
	/* By the longest look back: a batch that fills is no leak yet. */
	if (is_hour && limit->available != LIMIT_NONE)
		left = trend_time_left(&hour, limit->available);
	if (left == UINT64_MAX)
		reply_null(t, "limit_in");
	else
		reply_u64(t, "limit_in", left);
}

static void
put_terms(const struct control *c, struct text *t)
{
	const struct segment_rss *rss = &c->segment->rss[RSS_LAST];
	int i;

	if (rss->at_ns == 0) {
		reply_null(t, "terms");
		return;
	}
	reply_open(t, "terms");
	for (i = 0; i < RSS_TERMS; i++)
		reply_u64(t, reconcile_names[i], rss->terms[i]);
	reply_close(t);
}

static void
put_limit(const struct limit *limit, struct text *t)
{
	if (limit->bytes == LIMIT_NONE) {
		reply_null(t, "limit");
		return;
	}
	reply_open(t, "limit");
	reply_u64(t, "bytes", limit->bytes);
	reply_u64(t, "used", limit->used);
	reply_u64(t, "available", limit->available);
	reply_text(t, "source", limit->source);
	reply_close(t);
}

/* As the program itself is told. */
static void
put_room(const struct control *c, struct text *t)
{
	const struct tide_room *room = control_room(c);

	if (room == NULL) {
		reply_null(t, "state");
		reply_null(t, "budget");
		reply_null(t, "used");
		return;
	}
	reply_text(t, "state", message_state(room->state));
	if (room->budget == TIDE_NONE)
		reply_null(t, "budget");
	else
		reply_u64(t, "budget", room->budget);
	reply_u64(t, "used", room->used);
	reply_u64(t, "used_peak", room->peak_used);
	reply_u64(t, "retained", room->retained);
	reply_u64(t, "cleanups", room->cleanups);
	reply_u64(t, "checkpoints_failed", room->checkpoints_failed);
	reply_u64(t, "quarantined", room->quarantined);
	reply_u64(t, "cleanup_bytes", room->cleanup_bytes);
}

/* What people know as such comes first. */
static void
put_memory(const struct control *c, const struct look *look, struct text *t)
{
	const struct control_sums *sums = &look->sums;
	struct limit limit = { LIMIT_NONE, 0, LIMIT_NONE, NULL };
	const struct tide_room *room = control_room(c);
	struct proc_status status = { 0 };

	(void)seen_status(c, &status);
	(void)seen_limit(c, &limit);
	reply_number(t, "memory_rss_mb", (double)status.resident / MIB);
	reply_number(t, "cpu_percent", cpu_percent(c, look));
	reply_number(t, "memory_usage_gb", (double)status.resident / GIB);
	reply_number(t, "peak_memory_gb", (double)status.peak / GIB);
	reply_u64(t, "memory_warnings", room != NULL ? room->warnings : 0);
	reply_u64(t, "resident", status.resident);
	reply_u64(t, "resident_peak", status.peak);
	reply_u64(t, "live_bytes", sums->live_bytes);
	reply_u64(t, "live_blocks", sums->live_blocks);
	reply_u64(t, "peak_bytes", sums->peak_bytes);
	put_terms(c, t);
	put_room(c, t);
	put_limit(&limit, t);
	put_growth(c, look->now_ns, &limit, t);
}

static void
put_progress(struct control *c, const struct look *look, struct text *t)
{
	const struct control_sums *sums = &look->sums;
	const struct segment *s = c->segment;
	const struct mark *mark = last_epoch(c);

	reply_number(t, "uptime", seconds_of(above_u64(look->now_ns,
	    s->identity.clock_ns)));
	reply_u64(t, "allocations", sums->allocations);
	reply_u64(t, "frees", sums->frees);
	reply_u64(t, "allocated_bytes", sums->allocated);
	reply_u64(t, "freed_bytes", sums->freed);
	reply_u64(t, "temporary", sums->temporary);
	reply_u64(t, "threads", s->live.threads);
	reply_u64(t, "epochs", s->watch.epochs);
	if (mark == NULL)
		reply_null(t, "mark");
	else
		reply_text_bytes(t, "mark", mark->name,
		    strnlen(mark->name, sizeof(mark->name)));
	answer_progress(c, t);
}

static void
put_share(struct text *t, const char *name, uint16_t mille)
{
	if (mille == 0)
		reply_null(t, name);
	else
		reply_number(t, name, (double)mille / 1000);
}

/* A profile may be damaged. */
static const char *
enforcement(uint8_t enforce)
{
	static const char *const words[] = {
		[ENFORCE_OFF] = "off",
		[ENFORCE_ENOMEM] = "enomem",
		[ENFORCE_ABORT] = "abort",
		[ENFORCE_EXIT85] = "exit85",
		[ENFORCE_STOP] = "stop",
	};

	return enforce < ARRAY_LENGTH(words) ? words[enforce] : "unknown";
}

/* A change that the program has not come by to take yet is told beside. */
static void
put_configuration(const struct control *c, struct text *t)
{
	const struct segment_config *config = &c->segment->config;
	uint32_t stacks = atomic_load(&config->stacks);
	uint32_t wanted = atomic_load(&config->stacks_wanted);
	uint64_t every = atomic_load(&config->epoch_ns);
	uint64_t budget = atomic_load(&config->budget_bytes);

	reply_text(t, "stacks", control_stacks(stacks));
	if (wanted != 0 && wanted - 1 != stacks)
		reply_text(t, "stacks_wanted", control_stacks(wanted - 1));
	reply_u64(t, "sample_bytes", atomic_load(&config->sample_bytes));
	reply_u64(t, "depth", config->depth);
	if (every == 0)
		reply_null(t, "epoch");
	else
		reply_number(t, "epoch", seconds_of(every));
	if (budget == 0)
		reply_null(t, "budget");
	else
		reply_u64(t, "budget", budget);
	put_share(t, "target", config->target_mille);
	put_share(t, "warn", config->warn_mille);
	put_share(t, "critical", config->critical_mille);
	reply_text(t, "enforce", enforcement(config->enforce));
}

/* --- answers -------------------------------------------------------------- */

void
answer_status(struct control *c, const struct request *r, struct text *t)
{
	struct look look;

	(void)r;
	look_at(c, &look);
	/* Whether it runs is never of a moment ago. */
	look.error = proc_stat_read(c->pid, &look.stat);
	reply_i64(t, "pid", c->pid != 0 ? c->pid : c->segment->identity.pid);
	reply_text(t, "status", state_of(c, &look));
	reply_open(t, "progress");
	put_progress(c, &look, t);
	reply_close(t);
	reply_open(t, "memory");
	put_memory(c, &look, t);
	reply_close(t);
	reply_open(t, "configuration");
	put_configuration(c, t);
	reply_close(t);
}

void
answer_memory(struct control *c, const struct request *r, struct text *t)
{
	struct look look;

	(void)r;
	look_at(c, &look);
	look.error = seen_stat(c, &look.stat);
	put_memory(c, &look, t);
}

/* Who serves sends it again and again; here is the first. */
void
answer_watch(struct control *c, const struct request *r, struct text *t)
{
	if (request_interval(r) == 0)
		request_refuse(t, -EINVAL, "'watch' takes an interval from "
		    "10ms on, as 500ms, 5s or 1m");
	else
		answer_status(c, r, t);
}

void
answer_series(struct control *c, const struct request *r, struct text *t)
{
	const struct point *row = control_rows(c, TABLE_SECONDS);
	uint64_t rows = control_count(c, TABLE_SECONDS);
	uint64_t start = c->segment->identity.clock_ns;
	uint64_t second = atomic_load(&c->segment->watch.second);
	uint64_t capacity = c->segment->table[TABLE_SECONDS].capacity;
	uint64_t n, i;

	if (!answer_count(r, 1, SERIES_MOST, 60, t, &n))
		return;
	n = min_u64(n, second);
	reply_open_list(t, "series");
	for (i = second - n + 1; n > 0 && i <= second; i++) {
		const struct point *p = &row[i % capacity];
		uint64_t at;

		if (i % capacity >= rows)
			continue;
		at = atomic_load(&p->at_ns);
		if (at == 0 || above_u64(at, start) / NS_PER_S != i)
			continue;
		reply_open_list(t, NULL);
		reply_number(t, NULL, seconds_of(at - start));
		reply_i64(t, NULL, atomic_load(&p->live_bytes));
		reply_u64(t, NULL, atomic_load(&p->resident));
		reply_close_list(t);
	}
	reply_close_list(t);
}
