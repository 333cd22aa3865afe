/*
 * addon.c - heaptide.h for Node.js, by Node-API
 *
 * As thin as can be: arguments were looked at in index.js, which is the only
 * caller.  Everything is called in the thread of the environment (the main one
 * or a worker's), and nothing here waits: who has to, asks again by a timer.
 *
 * Bytes are doubles, which are exact to 2^53; TIDE_NONE is null.
 */
#define NAPI_VERSION 8

#include <node_api.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <heaptide.h>

#define ARGUMENTS 8

/* A cleanup or callback of the program's. */
struct callback {
	napi_env env;
	napi_ref fn;
	int id;                 /* of tide_on_pressure(); 0: a checkpoint's */
	struct callback *next;
};

/* What an environment has; it ends with it. */
struct own {
	struct callback *cleanups;
	struct callback checkpoint;
	tide_op *op[TIDE_OPS + 1]; /* by the number that JavaScript has */
	int ops;
};

/* No JavaScript may run in this thread now: a finalizer does. */
static _Thread_local int silent;

static struct own *
own_of(napi_env env)
{
	void *own = NULL;

	napi_get_instance_data(env, &own);
	return own;
}

/* --- values --------------------------------------------------------------- */

static int
arguments(napi_env env, napi_callback_info info, napi_value v[ARGUMENTS])
{
	size_t n = ARGUMENTS;

	/* What is not given is undefined. */
	return napi_get_cb_info(env, info, &n, v, NULL, NULL) == napi_ok;
}

static double
number_of(napi_env env, napi_value v)
{
	double d = 0;

	return napi_get_value_double(env, v, &d) == napi_ok ? d : 0;
}

/* Below 0 and what is no number: TIDE_NONE. */
static uint64_t
bytes_of(napi_env env, napi_value v)
{
	double d;

	if (napi_get_value_double(env, v, &d) != napi_ok || !(d >= 0) ||
	    d >= 18446744073709549568.0)
		return TIDE_NONE;
	return (uint64_t)d;
}

static bool
is_true(napi_env env, napi_value v)
{
	bool b = false;

	return napi_get_value_bool(env, v, &b) == napi_ok && b;
}

/* Text of at most 255 bytes, which is more than any name has; or NULL. */
static const char *
text_of(napi_env env, napi_value v, char room[256])
{
	size_t n;

	return napi_get_value_string_utf8(env, v, room, 256, &n) == napi_ok ?
	    room : NULL;
}

static napi_value
number(napi_env env, double d)
{
	napi_value v = NULL;

	napi_create_double(env, d, &v);
	return v;
}

static napi_value
bytes(napi_env env, uint64_t n)
{
	napi_value v = NULL;

	if (n != TIDE_NONE)
		return number(env, (double)n);
	napi_get_null(env, &v);
	return v;
}

static napi_value
text(napi_env env, const char *s)
{
	napi_value v = NULL;

	if (s == NULL)
		napi_get_null(env, &v);
	else
		napi_create_string_utf8(env, s, NAPI_AUTO_LENGTH, &v);
	return v;
}

static napi_value
object(napi_env env)
{
	napi_value v = NULL;

	napi_create_object(env, &v);
	return v;
}

static void
set(napi_env env, napi_value to, const char *name, napi_value v)
{
	napi_set_named_property(env, to, name, v);
}

static double
member(napi_env env, napi_value from, const char *name)
{
	napi_value v;

	return napi_get_named_property(env, from, name, &v) == napi_ok ?
	    number_of(env, v) : 0;
}

/* --- questions ------------------------------------------------------------ */

static napi_value
info_value(napi_env env, const tide_info *i)
{
	napi_value v = object(env);

	set(env, v, "state", number(env, i->state));
	set(env, v, "level", number(env, i->level));
	set(env, v, "warnings", number(env, i->warnings));
	set(env, v, "flags", number(env, i->flags));
	set(env, v, "budget", bytes(env, i->budget));
	set(env, v, "used", bytes(env, i->used));
	set(env, v, "available", bytes(env, i->available));
	set(env, v, "live", bytes(env, i->live));
	set(env, v, "blocks", bytes(env, i->blocks));
	set(env, v, "resident", bytes(env, i->resident));
	set(env, v, "retained", bytes(env, i->retained));
	set(env, v, "peakLive", bytes(env, i->peak_live));
	set(env, v, "peakUsed", bytes(env, i->peak_used));
	set(env, v, "lease", bytes(env, i->lease));
	set(env, v, "rate", bytes(env, i->rate));
	set(env, v, "source", text(env, i->source));
	return v;
}

static napi_value
status(napi_env env, napi_callback_info info)
{
	tide_info i;

	(void)info;
	memset(&i, 0, sizeof(i));
	tide_status(&i);
	return info_value(env, &i);
}

static napi_value
safe(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS], out;
	tide_info i;
	int r;

	if (!arguments(env, info, v))
		return NULL;
	memset(&i, 0, sizeof(i));
	r = tide_safe(bytes_of(env, v[0]), bytes_of(env, v[1]), &i);
	out = info_value(env, &i);
	set(env, out, "safe", number(env, r));
	return out;
}

static napi_value
level(napi_env env, napi_callback_info info)
{
	(void)info;
	return number(env, tide_level());
}

static napi_value
state(napi_env env, napi_callback_info info)
{
	(void)info;
	return number(env, tide_state());
}

static napi_value
should_stop(napi_env env, napi_callback_info info)
{
	(void)info;
	return number(env, tide_should_stop());
}

static napi_value
version(napi_env env, napi_callback_info info)
{
	(void)info;
	return text(env, tide_version());
}

static napi_value
init(napi_env env, napi_callback_info info)
{
	char conf[256];
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_init(text_of(env, v[0], conf)));
}

static napi_value
budget_set(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_budget_set(bytes_of(env, v[0])));
}

static napi_value
knob(napi_env env, napi_callback_info info)
{
	char name[256];
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_knob(text_of(env, v[0], name),
	    number_of(env, v[1]), number_of(env, v[2])));
}

static napi_value
mark(napi_env env, napi_callback_info info)
{
	char name[256];
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_mark(text_of(env, v[0], name)));
}

static napi_value
leak_scan(napi_env env, napi_callback_info info)
{
	uint64_t blocks = 0, size = 0;
	napi_value out = object(env);

	(void)info;
	set(env, out, "result", number(env, tide_leak_scan(&blocks, &size)));
	set(env, out, "blocks", bytes(env, blocks));
	set(env, out, "bytes", bytes(env, size));
	return out;
}

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
op_open(napi_env env, napi_callback_info info)
{
	struct own *own = own_of(env);
	char name[256], unit[256];
	napi_value v[ARGUMENTS];
	tide_op_conf conf;
	tide_op *op;
	int i;

	if (!arguments(env, info, v))
		return NULL;
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
batch_size(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
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
batch_new(napi_env env, napi_callback_info info)
{
	tide_batch *b = calloc(1, sizeof(*b));
	napi_value v = NULL;

	(void)info;
	if (b == NULL)
		napi_throw_error(env, "ENOMEM", "no room for a batch");
	else if (napi_create_external(env, b, batch_drop, NULL, &v) != napi_ok)
		free(b);
	return v;
}

static tide_batch *
batch_of(napi_env env, napi_value v)
{
	void *b = NULL;

	return napi_get_value_external(env, v, &b) == napi_ok ? b : NULL;
}

static napi_value
batch_begin(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_batch_begin(op_of(env, v[0]),
	    batch_of(env, v[1]), bytes_of(env, v[2]), bytes_of(env, v[3]), 0));
}

static napi_value
batch_more(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_batch_more(batch_of(env, v[0])));
}

static napi_value
item(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_item(batch_of(env, v[0]),
	    bytes_of(env, v[1])));
}

static napi_value
item_done(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (arguments(env, info, v))
		tide_item_done(batch_of(env, v[0]));
	return NULL;
}

static napi_value
item_fail(napi_env env, napi_callback_info info)
{
	char why[256];
	napi_value v[ARGUMENTS];

	if (arguments(env, info, v))
		tide_item_fail(batch_of(env, v[0]), bytes_of(env, v[1]),
		    text_of(env, v[2], why));
	return NULL;
}

static napi_value
batch_end(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_batch_end(batch_of(env, v[0]),
	    bytes_of(env, v[1])));
}

static napi_value
batch_abort(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (arguments(env, info, v))
		tide_batch_abort(batch_of(env, v[0]),
		    (int)number_of(env, v[1]));
	return NULL;
}

static const struct {
	const char *name;
	size_t at;
} stats_rows[] = {
#define ROW(js, field) { js, offsetof(struct tide_op_stats, field) }
	ROW("batches", batches), ROW("items", items),
	ROW("itemsFailed", items_failed), ROW("cuts", cuts),
	ROW("aborts", aborts), ROW("overruns", overruns),
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
op_stats(napi_env env, napi_callback_info info)
{
	struct tide_op_stats s;
	napi_value v[ARGUMENTS], out = object(env);
	size_t i;

	memset(&s, 0, sizeof(s));
	if (!arguments(env, info, v) ||
	    tide_op_stats(op_of(env, v[0]), &s) < 0)
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
guard_begin(napi_env env, napi_callback_info info)
{
	char name[256];
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_guard_begin(text_of(env, v[0], name),
	    bytes_of(env, v[1])));
}

static napi_value
guard_end(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (arguments(env, info, v))
		tide_guard_end((int)number_of(env, v[0]));
	return NULL;
}

static napi_value
component(napi_env env, napi_callback_info info)
{
	char name[256];
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_component(text_of(env, v[0], name),
	    bytes_of(env, v[1]), (unsigned)number_of(env, v[2])));
}

static napi_value
component_enter(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (arguments(env, info, v))
		tide_component_enter((int)number_of(env, v[0]));
	return NULL;
}

static napi_value
component_leave(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (arguments(env, info, v))
		tide_component_leave((int)number_of(env, v[0]));
	return NULL;
}

static napi_value
component_used(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return bytes(env, tide_component_used((int)number_of(env, v[0])));
}

static napi_value
cache_budget(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return bytes(env, tide_cache_budget((int)number_of(env, v[0])));
}

static napi_value
reserve(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS], out = object(env);
	uint64_t got = 0;

	if (!arguments(env, info, v))
		return NULL;
	set(env, out, "result", number(env, tide_reserve(
	    bytes_of(env, v[0]), bytes_of(env, v[1]), 0, &got)));
	set(env, out, "bytes", bytes(env, got));
	return out;
}

static napi_value
unreserve(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (arguments(env, info, v))
		tide_unreserve(bytes_of(env, v[0]));
	return NULL;
}

/* --- cleanups ------------------------------------------------------------- */

/*
 * index.js catches what the program's functions throw; what comes through
 * nevertheless (the environment ends) is let go.
 */
static double
call_back(const struct callback *c, double a, double b)
{
	napi_env env = c->env;
	napi_handle_scope scope;
	napi_value fn, that, result, v[2];
	bool pending = false;
	double d = 0;

	if (c->fn == NULL || silent > 0 ||
	    napi_open_handle_scope(env, &scope) != napi_ok)
		return 0;
	v[0] = number(env, a);
	v[1] = number(env, b);
	if (napi_get_reference_value(env, c->fn, &fn) == napi_ok &&
	    napi_get_undefined(env, &that) == napi_ok &&
	    napi_call_function(env, that, fn, 2, v, &result) == napi_ok)
		d = number_of(env, result);
	if (napi_is_exception_pending(env, &pending) == napi_ok && pending)
		napi_get_and_clear_last_exception(env, &result);
	napi_close_handle_scope(env, scope);
	return d;
}

static uint64_t
clean(void *ctx, int state_now, uint64_t want)
{
	double d = call_back(ctx, state_now, want == TIDE_NONE ? -1 :
	    (double)want);

	return d > 0 && d < 9e15 ? (uint64_t)d : 0;
}

static napi_value
on_pressure(napi_env env, napi_callback_info info)
{
	struct own *own = own_of(env);
	struct callback *c;
	char name[256];
	napi_value v[ARGUMENTS];
	int r;

	if (!arguments(env, info, v))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return number(env, -ENOMEM);
	c->env = env;
	if (napi_create_reference(env, v[0], 1, &c->fn) != napi_ok) {
		free(c);
		return number(env, -EINVAL);
	}
	r = tide_on_pressure(clean, c, (int)number_of(env, v[1]),
	    (int)number_of(env, v[2]), 0, text_of(env, v[3], name));
	if (r < 0) {
		napi_delete_reference(env, c->fn);
		free(c);
		return number(env, r);
	}
	c->id = r;
	c->next = own->cleanups;
	own->cleanups = c;
	return number(env, r);
}

/* Itself may call this: its memory stays until the environment ends. */
static napi_value
off_pressure(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];
	struct callback *c;
	int id;

	if (!arguments(env, info, v))
		return NULL;
	id = (int)number_of(env, v[0]);
	for (c = own_of(env)->cleanups; c != NULL; c = c->next) {
		if (c->id != id || c->fn == NULL)
			continue;
		(void)tide_off_pressure(id);
		napi_delete_reference(env, c->fn);
		c->fn = NULL;
	}
	return NULL;
}

static napi_value
reclaim(napi_env env, napi_callback_info info)
{
	tide_reclaim_result r;
	napi_value v[ARGUMENTS], out = object(env);

	if (!arguments(env, info, v))
		return NULL;
	memset(&r, 0, sizeof(r));
	set(env, out, "result", number(env, tide_reclaim(
	    (unsigned)number_of(env, v[0]), bytes_of(env, v[1]), &r)));
	set(env, out, "freed", bytes(env, r.freed));
	set(env, out, "blocks", bytes(env, r.blocks));
	set(env, out, "returned", bytes(env, r.returned));
	set(env, out, "timeNs", bytes(env, r.time_ns));
	set(env, out, "callbacks", number(env, r.callbacks));
	set(env, out, "state", number(env, r.state));
	return out;
}

static napi_value
poll_now(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_poll((unsigned)number_of(env, v[0])));
}

/* --- runs ----------------------------------------------------------------- */

static napi_value
run_begin(napi_env env, napi_callback_info info)
{
	char name[256], unit[256], id[TIDE_RUN_ROOM] = "";
	napi_value v[ARGUMENTS], out = object(env);

	if (!arguments(env, info, v))
		return NULL;
	set(env, out, "result", number(env, tide_run_begin(
	    text_of(env, v[0], name), bytes_of(env, v[1]),
	    text_of(env, v[2], unit), id)));
	set(env, out, "id", text(env, id));
	return out;
}

static napi_value
run_input(napi_env env, napi_callback_info info)
{
	char path[4096];
	napi_value v[ARGUMENTS];
	size_t n = 0;

	if (!arguments(env, info, v) || napi_get_value_string_utf8(env, v[0],
	    path, sizeof(path), &n) != napi_ok || n >= sizeof(path) - 1)
		return number(env, -ENAMETOOLONG);
	return number(env, tide_input(path));
}

static napi_value
resume(napi_env env, napi_callback_info info)
{
	static const size_t most = 65536;
	char *blob = malloc(most);
	napi_value out = object(env), copy = NULL;
	uint64_t cursor = 0;
	size_t n = most;
	int r = -ENOMEM;

	(void)info;
	if (blob != NULL)
		r = tide_resume(&cursor, blob, &n);
	set(env, out, "result", number(env, r));
	set(env, out, "at", bytes(env, r == 1 ? cursor : 0));
	if (blob != NULL && napi_create_buffer_copy(env, r == 1 ? n : 0, blob,
	    NULL, &copy) == napi_ok)
		set(env, out, "blob", copy);
	free(blob);
	return out;
}

static napi_value
checkpoint(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];
	void *blob = NULL;
	size_t n = 0;

	if (!arguments(env, info, v))
		return NULL;
	if (napi_get_buffer_info(env, v[1], &blob, &n) != napi_ok)
		n = 0;
	return number(env, tide_checkpoint(bytes_of(env, v[0]),
	    n == 0 ? NULL : blob, n));
}

static int
checkpoint_due(void *ctx, uint64_t cursor)
{
	return (int)call_back(ctx, (double)cursor, 0);
}

static napi_value
on_checkpoint(napi_env env, napi_callback_info info)
{
	struct callback *c = &own_of(env)->checkpoint;
	napi_valuetype type = napi_undefined;
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	(void)tide_on_checkpoint(NULL, NULL);
	if (c->fn != NULL)
		napi_delete_reference(env, c->fn);
	c->env = env;
	c->fn = NULL;
	napi_typeof(env, v[0], &type);
	if (type != napi_function ||
	    napi_create_reference(env, v[0], 1, &c->fn) != napi_ok)
		return NULL;
	(void)tide_on_checkpoint(checkpoint_due, c);
	return NULL;
}

static napi_value
run_finish(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];

	if (!arguments(env, info, v))
		return NULL;
	return number(env, tide_run_finish(is_true(env, v[0])));
}

static napi_value
recycle(napi_env env, napi_callback_info info)
{
	(void)env;
	(void)info;
	tide_recycle();
	return NULL;
}

/* --- the module ----------------------------------------------------------- */

/* The environment ends; of the program's functions none is called any more. */
static void
own_end(napi_env env, void *data, void *hint)
{
	struct own *own = data;
	struct callback *c;

	(void)env;
	(void)hint;
	silent++;
	if (own->checkpoint.fn != NULL)
		(void)tide_on_checkpoint(NULL, NULL);
	while ((c = own->cleanups) != NULL) {
		own->cleanups = c->next;
		if (c->fn != NULL)
			(void)tide_off_pressure(c->id);
		free(c);
	}
	silent--;
	free(own);
}

static const struct {
	const char *name;
	napi_callback call;
} functions[] = {
	{ "status", status }, { "safe", safe }, { "level", level },
	{ "state", state }, { "shouldStop", should_stop },
	{ "version", version }, { "init", init },
	{ "budgetSet", budget_set }, { "knob", knob }, { "mark", mark },
	{ "leakScan", leak_scan }, { "opOpen", op_open },
	{ "batchSize", batch_size }, { "batchNew", batch_new },
	{ "batchBegin", batch_begin }, { "batchMore", batch_more },
	{ "item", item }, { "itemDone", item_done }, { "itemFail", item_fail },
	{ "batchEnd", batch_end }, { "batchAbort", batch_abort },
	{ "opStats", op_stats }, { "guardBegin", guard_begin },
	{ "guardEnd", guard_end }, { "component", component },
	{ "componentEnter", component_enter },
	{ "componentLeave", component_leave },
	{ "componentUsed", component_used }, { "cacheBudget", cache_budget },
	{ "reserve", reserve }, { "unreserve", unreserve },
	{ "onPressure", on_pressure }, { "offPressure", off_pressure },
	{ "reclaim", reclaim }, { "poll", poll_now },
	{ "runBegin", run_begin }, { "input", run_input },
	{ "resume", resume }, { "checkpoint", checkpoint },
	{ "onCheckpoint", on_checkpoint }, { "runFinish", run_finish },
	{ "recycle", recycle }
};

NAPI_MODULE_INIT()
{
	struct own *own = calloc(1, sizeof(*own));
	napi_value fn;
	size_t i;

	if (own == NULL || napi_set_instance_data(env, own, own_end, NULL) !=
	    napi_ok) {
		free(own);
		napi_throw_error(env, "ENOMEM", "no room for heaptide");
		return NULL;
	}
	for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH,
		    functions[i].call, NULL, &fn);
		set(env, exports, functions[i].name, fn);
	}
	return exports;
}
