#include "control/seen.h"

#include "base/base.h"
#include "control/series.h"
#include "sys/sys.h"

#define GOOD_NS    (20 * NS_PER_MS)
#define COST_SHARE 10

static bool
is_good(const struct seen_time *t, uint64_t now_ns)
{
	return now_ns >= t->at_ns && now_ns < t->until_ns;
}

/* Looked for since @began_ns; what could not be found out is not kept. */
static int
note(struct seen_time *t, uint64_t began_ns, int error)
{
	uint64_t now_ns = sys_clock();

	t->at_ns = began_ns;
	t->until_ns = error != 0 ? 0 : now_ns +
	    max_u64(GOOD_NS, (now_ns - began_ns) * (COST_SHARE - 1));
	return error;
}

int
seen_stat(const struct control *c, struct proc_stat *stat)
{
	struct seen *s = c->seen;
	uint64_t now_ns = sys_clock();
	int r = 0;

	if (s == NULL)
		return proc_stat_read(c->pid, stat);
	if (!is_good(&s->stat_time, now_ns))
		r = note(&s->stat_time, now_ns,
		    proc_stat_read(c->pid, &s->stat));
	if (r == 0)
		*stat = s->stat;
	return r;
}

int
seen_status(const struct control *c, struct proc_status *status)
{
	struct seen *s = c->seen;
	uint64_t now_ns = sys_clock();
	int r = 0;

	if (s == NULL)
		return proc_status_read(c->pid, status);
	if (!is_good(&s->status_time, now_ns))
		r = note(&s->status_time, now_ns,
		    proc_status_read(c->pid, &s->status));
	if (r == 0)
		*status = s->status;
	return r;
}

int
seen_limit(const struct control *c, struct limit *limit)
{
	uint64_t budget_bytes = atomic_load(&c->segment->config.budget_bytes);
	struct seen *s = c->seen;
	uint64_t now_ns = sys_clock();
	int r = 0;

	if (s == NULL)
		return limit_find(c, limit);
	if (!is_good(&s->limit_time, now_ns) ||
	    s->budget_bytes != budget_bytes) {
		s->budget_bytes = budget_bytes;
		r = note(&s->limit_time, now_ns,
		    limit_find(c, &s->limit));
	}
	if (r == 0)
		*limit = s->limit;
	return r;
}

static bool
find_growth(const struct control *c, enum seen_span span, uint64_t mark_ns,
    uint64_t now_ns, struct trend_line *line)
{
	static const uint64_t spans_ns[SEEN_SPANS] = {
		[SEEN_MINUTE] = NS_PER_MINUTE,
		[SEEN_HOUR] = NS_PER_HOUR,
	};

	return series_growth(c, now_ns, span == SEEN_MARK ?
	    above_u64(now_ns, mark_ns) : spans_ns[span], line);
}

bool
seen_growth(const struct control *c, enum seen_span span, uint64_t mark_ns,
    struct trend_line *line)
{
	struct seen_growth *g;
	uint64_t now_ns = sys_clock();

	if (c->seen == NULL)
		return find_growth(c, span, mark_ns, now_ns, line);
	g = &c->seen->growth[span];
	if (!is_good(&g->time, now_ns) || g->mark_ns != mark_ns) {
		g->mark_ns = mark_ns;
		g->known = find_growth(c, span, mark_ns, now_ns, &g->line);
		(void)note(&g->time, now_ns, 0);
	}
	if (g->known)
		*line = g->line;
	return g->known;
}

static int
judge(const struct control *c, uint64_t now_ns, struct judge_brief *brief)
{
	const struct judge_options options = {
		.now_ns = now_ns,
		.warmup = SIZE_MAX,
	};

	return judge_in_brief(c, &options, brief);
}

int
seen_brief(const struct control *c, struct judge_brief *brief)
{
	uint64_t moments = atomic_load(&c->segment->watch.trend_opened);
	struct seen *s = c->seen;
	uint64_t now_ns = sys_clock();
	int r = 0;

	if (s == NULL)
		return judge(c, now_ns, brief);
	if (!is_good(&s->brief_time, now_ns) || s->moments != moments) {
		s->moments = moments;
		r = note(&s->brief_time, now_ns, judge(c, now_ns, &s->brief));
	}
	if (r == 0)
		*brief = s->brief;
	return r;
}
