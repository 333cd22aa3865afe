/*
 * addon-ask.c - questions, and cleanups
 */
#include "addon.h"

#include <stdlib.h>
#include <string.h>

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
status(napi_env env, const napi_value *v)
{
	tide_info i;

	(void)v;
	memset(&i, 0, sizeof(i));
	tide_status(&i);
	return info_value(env, &i);
}

static napi_value
safe(napi_env env, const napi_value *v)
{
	napi_value out;
	tide_info i;
	int r;

	memset(&i, 0, sizeof(i));
	r = tide_safe(bytes_of(env, v[0]), bytes_of(env, v[1]), &i);
	out = info_value(env, &i);
	set(env, out, "safe", number(env, r));
	return out;
}

static napi_value
level(napi_env env, const napi_value *v)
{
	(void)v;
	return number(env, tide_level());
}

static napi_value
state(napi_env env, const napi_value *v)
{
	(void)v;
	return number(env, tide_state());
}

static napi_value
should_stop(napi_env env, const napi_value *v)
{
	(void)v;
	return number(env, tide_should_stop());
}

static napi_value
version(napi_env env, const napi_value *v)
{
	(void)v;
	return text(env, tide_version());
}

static napi_value
init(napi_env env, const napi_value *v)
{
	char conf[256];

	return number(env, tide_init(text_of(env, v[0], conf)));
}

static napi_value
budget_set(napi_env env, const napi_value *v)
{
	return number(env, tide_budget_set(bytes_of(env, v[0])));
}

static napi_value
knob(napi_env env, const napi_value *v)
{
	char name[256];

	return number(env, tide_knob(text_of(env, v[0], name),
	    number_of(env, v[1]), number_of(env, v[2])));
}

static napi_value
mark(napi_env env, const napi_value *v)
{
	char name[256];

	return number(env, tide_mark(text_of(env, v[0], name)));
}

static napi_value
leak_scan(napi_env env, const napi_value *v)
{
	uint64_t blocks = 0, size = 0;
	napi_value out = object(env);

	(void)v;
	set(env, out, "result", number(env, tide_leak_scan(&blocks, &size)));
	set(env, out, "blocks", bytes(env, blocks));
	set(env, out, "bytes", bytes(env, size));
	return out;
}

/* --- cleanups ------------------------------------------------------------- */

static uint64_t
clean(void *ctx, int state_now, uint64_t want)
{
	double d = call_back(ctx, state_now, want == TIDE_NONE ? -1 :
	    (double)want);

	return d > 0 && d < 9e15 ? (uint64_t)d : 0;
}

static napi_value
on_pressure(napi_env env, const napi_value *v)
{
	struct own *own = own_of(env);
	struct callback *c;
	char name[256];
	int r;

	c = calloc(1, sizeof(*c));
	if (c == NULL)
		return number(env, -ENOMEM);
	c->env = env;
	c->thread = &silent;
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
off_pressure(napi_env env, const napi_value *v)
{
	struct callback *c;
	int id;

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
reclaim(napi_env env, const napi_value *v)
{
	tide_reclaim_result r;
	napi_value out = object(env);

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
poll_now(napi_env env, const napi_value *v)
{
	return number(env, tide_poll((unsigned)number_of(env, v[0])));
}

const struct function functions_ask[] = {
	{ "status", status },
	{ "safe", safe },
	{ "level", level },
	{ "state", state },
	{ "shouldStop", should_stop },
	{ "version", version },
	{ "init", init },
	{ "budgetSet", budget_set },
	{ "knob", knob },
	{ "mark", mark },
	{ "leakScan", leak_scan },
	{ "onPressure", on_pressure },
	{ "offPressure", off_pressure },
	{ "reclaim", reclaim },
	{ "poll", poll_now },
	{ NULL, NULL }
};
