/*
 * addon-batch.c - operations, batches, guards, components and reservations
 */
#include "addon.h"

#include <stdlib.h>
#include <string.h>

/* --- operations and batches ----------------------------------------------- */

static void
conf_of(napi_env env, napi_value v, tide_op_conf *conf, char unit[256])
{
	napi_value name = NULL;

	memset(conf, 0, sizeof(*conf));
	conf->size = sizeof(*conf);
	conf->initial = (uint32_t)member(env, v, "initial");
	conf->min = (uint32_t)member(env, v, "min");
	conf->max = (uint32_t)member(env, v, "max");
	conf->fixed = (uint32_t)member(env, v, "fixed");
	conf->max_concurrent = (uint32_t)member(env, v, "maxConcurrent");
	conf->target = member(env, v, "target");
	conf->model = (int)member(env, v, "model");
	conf->policy = (int)member(env, v, "policy");
	conf->checkpoint_every = (uint32_t)member(env, v, "checkpointEvery");
	conf->timeout_ns = (uint64_t)(member(env, v, "timeout") * 1e6);
	conf->monitor = (int)member(env, v, "monitor");
	conf->detect = (int)member(env, v, "detect");
	conf->reclaim_before = (int)member(env, v, "reclaimBefore");
	conf->reclaim_after = (int)member(env, v, "reclaimAfter");
	if (napi_get_named_property(env, v, "unit", &name) == napi_ok)
		conf->unit = text_of(env, name, unit);
}

static napi_value
op_open(napi_env env, const napi_value *v)
{
	struct own *own = own_of(env);
	char name[256], unit[256];
	tide_op_conf conf;
	tide_op *op;
	int i;

	conf_of(env, v[1], &conf, unit);
	op = tide_op_open(text_of(env, v[0], name), &conf);
	for (i = 0; i < own->ops && own->op[i] != op; i++)
		;
	if (i == own->ops && i <= TIDE_OPS)
		own->op[own->ops++] = op;
	return number(env, i);
}

static tide_op *
op_of(napi_env env, napi_value v)
{
	struct own *own = own_of(env);
	double i = number_of(env, v);

	return i >= 0 && i < own->ops ? own->op[(int)i] : NULL;
}

static napi_value
batch_size(napi_env env, const napi_value *v)
{
	return number(env, tide_batch_size(op_of(env, v[0]),
	    bytes_of(env, v[1])));
}

/* One that was forgotten.  JavaScript cannot be called from here. */
static void
batch_drop(napi_env env, void *data, void *hint)
{
	(void)env;
	(void)hint;
	silent++;
	tide_batch_abort(data, TIDE_CANCEL);
	silent--;
	free(data);
}

static napi_value
batch_new(napi_env env, const napi_value *v)
{
	tide_batch *b = calloc(1, sizeof(*b));
	napi_value out = NULL;

	(void)v;
	if (b == NULL)
		napi_throw_error(env, "ENOMEM", "no room for a batch");
	else if (napi_create_external(env, b, batch_drop, NULL, &out) !=
	    napi_ok)
		free(b);
	return out;
}

static tide_batch *
batch_of(napi_env env, napi_value v)
{
	void *b = NULL;

	return napi_get_value_external(env, v, &b) == napi_ok ? b : NULL;
}

static napi_value
batch_begin(napi_env env, const napi_value *v)
{
	return number(env, tide_batch_begin(op_of(env, v[0]),
	    batch_of(env, v[1]), bytes_of(env, v[2]), bytes_of(env, v[3]), 0));
}

static napi_value
batch_more(napi_env env, const napi_value *v)
{
	return number(env, tide_batch_more(batch_of(env, v[0])));
}

static napi_value
item(napi_env env, const napi_value *v)
{
	return number(env, tide_item(batch_of(env, v[0]),
	    bytes_of(env, v[1])));
}

static napi_value
item_done(napi_env env, const napi_value *v)
{
	tide_item_done(batch_of(env, v[0]));
	return NULL;
}

static napi_value
item_fail(napi_env env, const napi_value *v)
{
	char why[256];

	tide_item_fail(batch_of(env, v[0]), bytes_of(env, v[1]),
	    text_of(env, v[2], why));
	return NULL;
}

static napi_value
batch_end(napi_env env, const napi_value *v)
{
	return number(env, tide_batch_end(batch_of(env, v[0]),
	    bytes_of(env, v[1])));
}

static napi_value
batch_abort(napi_env env, const napi_value *v)
{
	tide_batch_abort(batch_of(env, v[0]), (int)number_of(env, v[1]));
	return NULL;
}

static const struct {
	const char *name;
	size_t at;
} stats_rows[] = {
#define ROW(js, field) { js, offsetof(struct tide_op_stats, field) }
	ROW("batches", batches), ROW("items", items),
	ROW("itemsFailed", items_failed), ROW("cuts", cuts),
	ROW("aborts", aborts), ROW("abortsMemory", aborts_memory),
	ROW("overruns", overruns),
	ROW("nLast", n_last), ROW("nLeast", n_least), ROW("nMost", n_most),
	ROW("nNext", n_next), ROW("growthLast", growth_last),
	ROW("growthMost", growth_most), ROW("growthSum", growth_sum),
	ROW("predictedLast", predicted_last),
	ROW("retainedSum", retained_sum), ROW("timeNs", time_ns),
	ROW("delayNs", delay_ns), ROW("waitNs", wait_ns),
	ROW("reclaimNs", reclaim_ns), ROW("first", first), ROW("done", done),
	ROW("total", total), ROW("one", one), ROW("fixed", fixed),
	ROW("knee", knee), ROW("weightMost", weight_most),
	ROW("weightSum", weight_sum), ROW("weights", weights),
	ROW("checkpoints", checkpoints), ROW("itemMost", item_most)
#undef ROW
};

static napi_value
op_stats(napi_env env, const napi_value *v)
{
	struct tide_op_stats s;
	napi_value out = object(env);
	size_t i;

	memset(&s, 0, sizeof(s));
	if (tide_op_stats(op_of(env, v[0]), &s) < 0)
		return out;
	set(env, out, "name", text(env, s.name));
	set(env, out, "unit", text(env, s.unit));
	for (i = 0; i < sizeof(stats_rows) / sizeof(stats_rows[0]); i++) {
		uint64_t n;

		memcpy(&n, (char *)&s + stats_rows[i].at, sizeof(n));
		set(env, out, stats_rows[i].name, bytes(env, n));
	}
	set(env, out, "retainedLast", number(env, (double)s.retained_last));
	set(env, out, "perItem", number(env, s.per_item));
	set(env, out, "active", number(env, s.active));
	set(env, out, "bound", number(env, s.bound));
	return out;
}

/* --- guards, components, reservations ------------------------------------- */

static napi_value
guard_begin(napi_env env, const napi_value *v)
{
	char name[256];

	return number(env, tide_guard_begin(text_of(env, v[0], name),
	    bytes_of(env, v[1])));
}

static napi_value
guard_end(napi_env env, const napi_value *v)
{
	tide_guard_end((int)number_of(env, v[0]));
	return NULL;
}

static napi_value
component(napi_env env, const napi_value *v)
{
	char name[256];

	return number(env, tide_component(text_of(env, v[0], name),
	    bytes_of(env, v[1]), (unsigned)number_of(env, v[2])));
}

static napi_value
component_enter(napi_env env, const napi_value *v)
{
	tide_component_enter((int)number_of(env, v[0]));
	return NULL;
}

static napi_value
component_leave(napi_env env, const napi_value *v)
{
	tide_component_leave((int)number_of(env, v[0]));
	return NULL;
}

static napi_value
component_used(napi_env env, const napi_value *v)
{
	return bytes(env, tide_component_used((int)number_of(env, v[0])));
}

static napi_value
cache_budget(napi_env env, const napi_value *v)
{
	return bytes(env, tide_cache_budget((int)number_of(env, v[0])));
}

static napi_value
reserve(napi_env env, const napi_value *v)
{
	napi_value out = object(env);
	uint64_t got = 0;

	set(env, out, "result", number(env, tide_reserve(
	    bytes_of(env, v[0]), bytes_of(env, v[1]), 0, &got)));
	set(env, out, "bytes", bytes(env, got));
	return out;
}

static napi_value
unreserve(napi_env env, const napi_value *v)
{
	tide_unreserve(bytes_of(env, v[0]));
	return NULL;
}

const struct function functions_batch[] = {
	{ "opOpen", op_open },
	{ "batchSize", batch_size },
	{ "batchNew", batch_new },
	{ "batchBegin", batch_begin },
	{ "batchMore", batch_more },
	{ "item", item },
	{ "itemDone", item_done },
	{ "itemFail", item_fail },
	{ "batchEnd", batch_end },
	{ "batchAbort", batch_abort },
	{ "opStats", op_stats },
	{ "guardBegin", guard_begin },
	{ "guardEnd", guard_end },
	{ "component", component },
	{ "componentEnter", component_enter },
	{ "componentLeave", component_leave },
	{ "componentUsed", component_used },
	{ "cacheBudget", cache_budget },
	{ "reserve", reserve },
	{ "unreserve", unreserve },
	{ NULL, NULL }
};
