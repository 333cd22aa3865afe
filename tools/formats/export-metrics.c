/*
 * export-metrics.c - a profile's figures as the text that Prometheus reads, of
 * OpenMetrics 1.0 or as it was before that
 *
 * The families are those of `heaptide serve` and of the request `metrics`.
 * What cannot be known of a process that is gone is left out, as it is there.
 */
#include <stdlib.h>

#include "base/base.h"
#include "control/judge.h"
#include "control/metrics.h"
#include "formats/export.h"
#include "say/need.h"

static void
put(void *context, const char *text, size_t bytes)
{
	(void)fwrite(text, 1, bytes, context);
}

/* How it stood when it was last looked at. */
static void
read_last(const struct report *r, struct metrics_facts *f)
{
	struct trend_line minute;

	f->pid = r->profile->segment->identity.pid;
	f->grows = profile_growth(r->profile, NS_PER_MINUTE, &minute) &&
	    minute.rate > -9e18 && minute.rate < 9e18;
	f->growth = f->grows ? (int64_t)minute.rate : 0;
	if (r->rss.at_ns == 0)
		return;
	f->resident = r->rss.resident;
	f->resident_peak = r->rss.peak;
}

/* 0 is no figure where whoever made the profile did not count it. */
static void
leave_out(const struct profile *p, struct metrics_facts *f)
{
	if (profile_lacks(p, UNKNOWN_ALLOCATIONS))
		f->allocated = f->freed = f->allocations = f->frees =
		    METRICS_UNKNOWN;
	if (profile_lacks(p, UNKNOWN_BLOCKS))
		f->live_blocks = METRICS_UNKNOWN;
	if (profile_lacks(p, UNKNOWN_PEAK))
		f->peak_bytes = METRICS_UNKNOWN;
	if (profile_lacks(p, UNKNOWN_TEMPORARY))
		f->temporary = METRICS_UNKNOWN;
	if (profile_lacks(p, UNKNOWN_STARTED))
		f->started = METRICS_UNKNOWN;
}

static bool
write_as(const struct export *e, enum metrics_format format)
{
	const struct metrics_out out = { put, e->to };
	const struct report *r = e->report;
	struct control c = profile_control(r->profile);
	struct metrics_facts *f = need(malloc(sizeof(*f)));
	const struct metrics_facts *all[] = { f };
	/* By the judge alone, as those who answer while it runs name nothing. */
	const struct judge_options options = {
		.now_ns = r->profile->now_ns,
		.warmup = SIZE_MAX,
		.ended = !r->profile->live,
	};
	struct judge_brief brief;

	if (judge_in_brief(&c, &options, &brief) < 0)
		need(NULL);
	if (!r->profile->live)
		c.pid = -1; /* nobody's, where 0 would be ours */
	metrics_read(&c, f);
	if (!r->profile->live)
		read_last(r, f);
	leave_out(r->profile, f);
	f->leaks[0] = brief.growing;
	f->leaks[1] = brief.steps;
	metrics_write(&out, format, all, ARRAY_LENGTH(all));
	metrics_write_end(&out, format);
	free(f);
	return true;
}

bool
export_openmetrics(const struct export *e)
{
	return write_as(e, METRICS_OPENMETRICS);
}

bool
export_prometheus(const struct export *e)
{
	return write_as(e, METRICS_PROMETHEUS);
}
