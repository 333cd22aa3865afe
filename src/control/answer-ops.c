/*
 * answer-ops.c - what the operations of a program did, and what to change
 */
#include "control/answer.h"

#include <errno.h>

#include "base/base.h"
#include "control/counsel.h"
#include "control/reply.h"
#include "sys/sys.h"

/* --- operations ----------------------------------------------------------- */

static void
put_value(struct text *t, const struct counsel_value *v)
{
	if (v->kind == COUNSEL_COUNT)
		reply_u64(t, v->name, v->count);
	else if (v->kind == COUNSEL_SIGNED)
		reply_i64(t, v->name, v->signed_count);
	else
		reply_number(t, v->name, v->real);
}

static void
put_op(const struct tide_op_stats *op, struct text *t)
{
	struct counsel_value value;
	size_t i;

	reply_open(t, NULL);
	reply_text(t, "name", op->name);
	reply_text(t, "unit", op->unit);
	for (i = 0; counsel_member(op, i, &value); i++)
		put_value(t, &value);
	reply_text(t, "bound", counsel_bound(op->bound));
	reply_text(t, "policy", counsel_policy(op->policy));
	reply_bool(t, "active", op->active != 0);
	reply_u64(t, "active_most", op->active_most);
	reply_close(t);
}

void
answer_ops(struct control *c, const struct request *r, struct text *t)
{
	struct tide_op_stats op[TIDE_OPS];
	size_t n = counsel_ops(c, op), i;

	(void)r;
	reply_open_list(t, "ops");
	for (i = 0; i < n; i++)
		put_op(&op[i], t);
	reply_close_list(t);
}

void
answer_progress(struct control *c, struct text *t)
{
	struct tide_op_stats op[TIDE_OPS];
	const struct tide_op_stats *last = counsel_last_op(op,
	    counsel_ops(c, op));
	double left;

	if (last == NULL)
		return;
	left = counsel_time_left(last);
	reply_text(t, "operation", last->name);
	reply_text(t, "unit", last->unit);
	reply_u64(t, "done", last->done);
	if (last->total == 0) {
		reply_null(t, "total");
		reply_null(t, "percent");
	} else {
		reply_u64(t, "total", last->total);
		reply_number(t, "percent", 100 * (double)last->done /
		    (double)last->total);
	}
	if (left < 0)
		reply_null(t, "eta");
	else
		reply_number(t, "eta", left);
	reply_u64(t, "batches", last->batches);
	reply_u64(t, "n_next", last->n_next);
}

/* --- advice --------------------------------------------------------------- */

static void
put_head(const struct counsel *k, const struct advice *a, struct text *t)
{
	reply_open(t, NULL);
	reply_text(t, "id", advice_name(a->id));
	reply_text(t, "severity", advice_severity_name(a->severity));
	if (a->op >= 0)
		reply_text(t, "operation", k->op[a->op].name);
}

static void
put_issue(const struct control *c, const struct counsel *k,
    const struct advice *a, struct text *t)
{
	char text[COUNSEL_TEXT_ROOM];
	const char *name;
	size_t i;

	put_head(k, a, t);
	reply_text(t, "text", counsel_text(k, a, NULL, text));
	reply_open(t, "numbers");
	for (i = 0; (name = advice_number(a->id, i)) != NULL; i++)
		reply_number(t, name, a->number[i]);
	reply_close(t);
	if (a->site != 0) {
		reply_u64(t, "site", a->site);
		answer_stack(c, a->site, t);
	}
	reply_close(t);
}

static void
put_recommend(const struct counsel *k, const struct advice *a,
    const char *setting, struct text *t)
{
	char value[COUNSEL_VALUE_ROOM];
	const char *key = counsel_key(k, a, value);

	put_head(k, a, t);
	reply_text(t, "setting", setting);
	if (key != NULL) {
		reply_text(t, "key", key);
		reply_text(t, "value", value);
	}
	reply_close(t);
}

void
answer_analyze(struct control *c, const struct request *r, struct text *t)
{
	const struct counsel_options options = { .now_ns = sys_clock() };
	char setting[COUNSEL_SETTING_ROOM];
	struct counsel *k;
	size_t i;

	(void)r;
	if (counsel_open(&k, c, &options) < 0) {
		request_refuse(t, -ENOSPC, "there is no memory for it");
		return;
	}
	reply_open_list(t, "issues");
	for (i = 0; i < k->count; i++)
		if (k->advice[i].severity > ADVICE_FINE)
			put_issue(c, k, &k->advice[i], t);
	reply_close_list(t);
	reply_open_list(t, "recommends");
	for (i = 0; i < k->count; i++)
		if (*counsel_setting(k, &k->advice[i], setting) != '\0')
			put_recommend(k, &k->advice[i], setting, t);
	reply_close_list(t);
	counsel_close(k);
}
