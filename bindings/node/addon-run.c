/*
 * addon-run.c - runs and checkpoints
 */
#include "addon.h"

#include <errno.h>
#include <stdlib.h>

const struct callback *checkpoint_now;

static napi_value
run_begin(napi_env env, const napi_value *v)
{
	char name[256], unit[256], id[TIDE_RUN_ROOM] = "";
	napi_value out = object(env);

	set(env, out, "result", number(env, tide_run_begin(
	    text_of(env, v[0], name), bytes_of(env, v[1]),
	    text_of(env, v[2], unit), id)));
	set(env, out, "id", text(env, id));
	return out;
}

static napi_value
run_input(napi_env env, const napi_value *v)
{
	char path[4096];
	size_t n = 0;

	if (napi_get_value_string_utf8(env, v[0], path, sizeof(path), &n) !=
	    napi_ok || n >= sizeof(path) - 1)
		return number(env, -ENAMETOOLONG);
	return number(env, tide_input(path));
}

static napi_value
resume(napi_env env, const napi_value *v)
{
	static const size_t most = 65536;
	char *blob = malloc(most);
	napi_value out = object(env), copy = NULL;
	uint64_t cursor = 0;
	size_t n = most;
	int r = -ENOMEM;

	(void)v;
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
checkpoint(napi_env env, const napi_value *v)
{
	void *blob = NULL;
	size_t n = 0;

	if (napi_get_buffer_info(env, v[1], &blob, &n) != napi_ok)
		n = 0;
	return number(env, tide_checkpoint(bytes_of(env, v[0]),
	    n == 0 ? NULL : blob, n));
}

static int
checkpoint_due(void *ctx, uint64_t cursor)
{
	const struct callback *c = ctx;

	if (c->thread != &silent)
		return -EAGAIN; /* at the next batch of its own thread */
	return (int)call_back(c, (double)cursor, 0);
}

static napi_value
on_checkpoint(napi_env env, const napi_value *v)
{
	struct callback *c = &own_of(env)->checkpoint;
	napi_valuetype type = napi_undefined;

	(void)tide_on_checkpoint(NULL, NULL);
	__atomic_store_n(&checkpoint_now, NULL, __ATOMIC_RELEASE);
	if (c->fn != NULL)
		napi_delete_reference(env, c->fn);
	c->env = env;
	c->thread = &silent;
	c->fn = NULL;
	napi_typeof(env, v[0], &type);
	if (type != napi_function ||
	    napi_create_reference(env, v[0], 1, &c->fn) != napi_ok)
		return NULL;
	__atomic_store_n(&checkpoint_now, c, __ATOMIC_RELEASE);
	(void)tide_on_checkpoint(checkpoint_due, c);
	return NULL;
}

static napi_value
run_finish(napi_env env, const napi_value *v)
{
	return number(env, tide_run_finish(is_true(env, v[0])));
}

static napi_value
recycle(napi_env env, const napi_value *v)
{
	(void)env;
	(void)v;
	tide_recycle();
	return NULL;
}

const struct function functions_run[] = {
	{ "runBegin", run_begin },
	{ "input", run_input },
	{ "resume", resume },
	{ "checkpoint", checkpoint },
	{ "onCheckpoint", on_checkpoint },
	{ "runFinish", run_finish },
	{ "recycle", recycle },
	{ NULL, NULL }
};
