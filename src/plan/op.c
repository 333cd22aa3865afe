/*
 * op.c - operations: one name, one way of using memory
 */
#include "plan/op.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/op-state.h"
#include "plan/learned.h"
#include "plan/plan.h"
#include "plan/run.h"
#include "plan/settings.h"
#include "sys/sys.h"

/* --- settings ------------------------------------------------------------- */

/* A number that a setting may be, where the program has none. */
static uint32_t
number(uint32_t given, const char *name, uint32_t otherwise)
{
	if (given != 0)
		return given;
	return (uint32_t)min_u64(settings_number(name, otherwise),
	    UINT32_MAX);
}

static int
policy_of(int given)
{
	const char *value = settings_find("POLICY");

	if (given != TIDE_POLICY_LEARN || value == NULL)
		return given;
	return strcmp(value, "seed") == 0 ? TIDE_POLICY_SEED :
	    strcmp(value, "mean") == 0 ? TIDE_POLICY_MEAN :
	    strcmp(value, "fixed") == 0 ? TIDE_POLICY_FIXED :
	    TIDE_POLICY_LEARN;
}

/* A switch that a setting may be, where the program says nothing. */
static int
chosen(int given, const char *name)
{
	return given != 0 ? given : settings_is_on(name, false);
}

static void
set_delay(struct tide_op *op)
{
	const char *mode = settings_find("DELAY_MODE");
	struct delay_conf conf;

	memset(&conf, 0, sizeof(conf));
	conf.mode = mode == NULL ? DELAY_AUTO :
	    strcmp(mode, "off") == 0 ? DELAY_OFF :
	    strcmp(mode, "always") == 0 ? DELAY_ALWAYS : DELAY_AUTO;
	conf.max_ns = settings_time("DELAY_MAX", 0);
	conf.min_ns = settings_time("DELAY_MIN", 0);
	conf.warn = plan_room()->warn_mille / 1000.0;
	conf.critical = plan_room()->critical_mille / 1000.0;
	delay_open(&op->delay, &conf, mix_u64((uint64_t)sys_pid() +
	    (uint64_t)(op - op_state()->op)));
}

/* Of what the program says, as much as it knows of; the rest is zero. */
static void
copy_conf(struct tide_op_conf *to, const tide_op_conf *from)
{
	size_t bytes = sizeof(*to);

	memset(to, 0, sizeof(*to));
	if (from == NULL)
		return;
	if (from->size != 0 && from->size < bytes)
		bytes = from->size;
	memcpy(to, from, bytes);
}

static void
set_up(struct tide_op *op, const tide_op_conf *given)
{
	struct tide_op_conf *c = &op->conf;
	const char *between = settings_find("RECLAIM_BETWEEN");
	struct sizing_conf conf;

	copy_conf(c, given);
	c->initial = number(c->initial, "BATCH_INITIAL", 0);
	c->min = number(c->min, "BATCH_MIN", 0);
	c->max = number(c->max, "BATCH_MAX", 0);
	c->fixed = number(c->fixed, "BATCH_FIXED", 0);
	op->poll_every = number(0, "POLL_EVERY", 1);
	op->clean_each = between != NULL && strcmp(between, "always") == 0;
	op->clean_last = settings_is_on("RECLAIM_AFTER", false);
	c->page = number(c->page, "PAGE_SIZE", 20);
	c->max_pages = number(c->max_pages, "MAX_PAGES", 3);
	c->reclaim_before = chosen(c->reclaim_before, "RECLAIM_BEFORE");
	if (c->timeout_ns == 0)
		c->timeout_ns = settings_time("BATCH_TIMEOUT", 0);
	c->max_concurrent = number(c->max_concurrent, "CONCURRENCY_MAX", 0);
	c->policy = policy_of(c->policy >= TIDE_POLICY_LEARN &&
	    c->policy <= TIDE_POLICY_FIXED ? c->policy : TIDE_POLICY_LEARN);
	if (c->model < TIDE_MODEL_AUTO || c->model > TIDE_MODEL_VECTOR)
		c->model = TIDE_MODEL_AUTO;
	memset(&conf, 0, sizeof(conf));
	conf.target = c->target > 0 && c->target < 1 ? c->target :
	    plan_room()->target_mille / 1000.0;
	conf.initial = c->initial;
	conf.min = c->min;
	conf.max = c->max;
	conf.fixed = c->fixed;
	conf.policy = c->policy;
	conf.model = c->model;
	conf.kill_cost_ns = settings_time("KILL_COST", 0);
	sizing_open(&op->sizing, &conf);
	knee_open(&op->knee);
	set_delay(op);
}

/* --- the table ------------------------------------------------------------ */

static bool
has_name(const struct tide_op_stats *row, const char *name)
{
	return strncmp(row->name, name, sizeof(row->name) - 1) == 0;
}

static tide_op *
find(const char *name)
{
	struct tide_op *op;

	for (op = op_state()->op; op < op_state()->op + TIDE_OPS; op++)
		if (op->taken && has_name(op_row(op), name))
			return op;
	return NULL;
}

/* The last place is for all that found none. */
static tide_op *
make(const char *name, const tide_op_conf *conf)
{
	const char *unit = settings_find("PROGRESS_UNIT");
	struct tide_op *op = op_state()->op;

	while (op->taken && op < op_state()->op + TIDE_OPS - 1)
		op++;
	if (op->taken)
		return op;
	op->taken = true;
	set_up(op, conf);
	text_field(op->unit, sizeof(op->unit), op->conf.unit != NULL ?
	    op->conf.unit : unit != NULL ? unit : "item");
	op->conf.unit = NULL; /* the program's, which may go */
	text_field(op->name, sizeof(op->name),
	    op == op_state()->op + TIDE_OPS - 1 ? "(others)" : name);
	op_make_row(op);
	return op;
}

tide_op *
op_open(const char *name, const tide_op_conf *conf)
{
	tide_op *op;
	bool known;

	if (name == NULL || *name == '\0')
		name = "(unnamed)";
	(void)plan_visit();
	plan_lock();
	op = find(name);
	known = op != NULL;
	if (!known)
		op = make(name, conf);
	plan_unlock();
	if (!known) {
		run_warm(op);
		learned_take(op);
	}
	return op;
}

int
op_read(tide_op *op, struct tide_op_stats *out)
{
	if (!op_is(op) || out == NULL)
		return -EINVAL;
	(void)plan_visit();
	plan_lock();
	*out = *op_row(op);
	plan_unlock();
	return 0;
}
