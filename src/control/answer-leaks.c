/*
 * answer-leaks.c - which sites keep growing, as their process runs
 */
#include "control/answer.h"

#include <errno.h>

#include "base/base.h"
#include "control/judge.h"
#include "control/reply.h"
#include "control/seen.h"
#include "sys/sys.h"

#define LEAKS_MOST 100

/* --- which ---------------------------------------------------------------- */

static bool
is_told(const void *context, uint32_t site)
{
	const struct judge *j = context;

	return judge_is_told(&j->verdict[site]);
}

static bool
is_before(const void *context, uint32_t a, uint32_t b)
{
	const struct judge *j = context;
	int order = verdict_compare(&j->verdict[a], &j->verdict[b]);

	return order != 0 ? order < 0 : j->site[a].held > j->site[b].held;
}

/* --- what is told --------------------------------------------------------- */

static void
put_verdict(const struct judge *j, const struct verdict *v, struct text *t)
{
	reply_text(t, "verdict", verdict_name(v->kind));
	reply_number(t, "bytes_per_epoch", v->per_epoch);
	reply_number(t, "bytes_per_hour", v->per_second * 3600);
	reply_number(t, "low", v->low);
	reply_number(t, "high", v->high);
	reply_number(t, "p", v->p);
	reply_number(t, "since", v->since >= j->points ? 0 :
	    j->timed ? j->at[v->since] : j->epoch[v->since]);
}

static void
put_time_left(const struct verdict *v, uint64_t available, struct text *t)
{
	if (v->kind == VERDICT_GROWING && v->per_second > 0 &&
	    available != LIMIT_NONE)
		reply_u64(t, "limit_in",
		    whole_u64((double)available / v->per_second));
	else
		reply_null(t, "limit_in");
}

static void
put_site(const struct judge *j, uint32_t site, uint64_t available,
    struct text *t)
{
	reply_open(t, NULL);
	reply_u64(t, "site", site);
	put_verdict(j, &j->verdict[site], t);
	reply_bool(t, "minor", j->verdict[site].minor);
	reply_i64(t, "live_bytes", j->site[site].live_bytes);
	reply_i64(t, "live_blocks", j->site[site].live_blocks);
	put_time_left(&j->verdict[site], available, t);
	answer_stack(j->control, site, t);
	reply_close(t);
}

static void
put_all(const struct judge *j, size_t n, struct text *t)
{
	uint32_t best[LEAKS_MOST];
	const struct answer_order order = { is_told, is_before, j };
	size_t found = answer_choose(&order, j->sites, n, best), i;
	struct limit limit = { .available = LIMIT_NONE };
	struct judge_brief brief = judge_count(j);

	(void)seen_limit(j->control, &limit);
	reply_u64(t, "epochs", j->epochs);
	reply_text(t, "by", j->timed ? "time" : "epochs");
	reply_u64(t, "points", j->points);
	reply_u64(t, "growing", brief.growing);
	reply_u64(t, "steps", brief.steps);
	reply_number(t, "bytes_per_hour", brief.per_second * 3600);
	reply_open(t, "heap");
	put_verdict(j, &j->heap, t);
	put_time_left(&j->heap, limit.available, t);
	reply_close(t);
	reply_open_list(t, "leaks");
	for (i = 0; i < found; i++)
		put_site(j, best[i], limit.available, t);
	reply_close_list(t);
}

void
answer_leaks(struct control *c, const struct request *r, struct text *t)
{
	const struct judge_options options = {
		.now_ns = sys_clock(),
		.warmup = SIZE_MAX,
	};
	struct judge j;
	uint64_t n;

	if (!answer_count(r, 1, LEAKS_MOST, 10, t, &n))
		return;
	if (judge_open(&j, c, &options) < 0) {
		request_refuse(t, -ENOSPC, "there is no memory for it");
		return;
	}
	put_all(&j, n, t);
	judge_close(&j);
}
