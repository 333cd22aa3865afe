/*
 * addon.c - heaptide.h for Node.js, by Node-API
 *
 * As thin as can be: arguments were looked at in index.js, which is the only
 * caller.  Everything is called in the thread of the environment (the main one
 * or a worker's), and nothing here waits: who has to, asks again by a timer.
 *
 * Bytes are doubles, which are exact to 2^53; TIDE_NONE is null.
 */
#include "addon.h"

#include <stdlib.h>

_Thread_local int silent;

struct own *
own_of(napi_env env)
{
	void *own = NULL;

	napi_get_instance_data(env, &own);
	return own;
}

/* --- values --------------------------------------------------------------- */

double
number_of(napi_env env, napi_value v)
{
	double d = 0;

	return napi_get_value_double(env, v, &d) == napi_ok ? d : 0;
}

/* Below 0 and what is no number: TIDE_NONE. */
uint64_t
bytes_of(napi_env env, napi_value v)
{
	double d;

	if (napi_get_value_double(env, v, &d) != napi_ok || !(d >= 0) ||
	    d >= 18446744073709549568.0)
		return TIDE_NONE;
	return (uint64_t)d;
}

bool
is_true(napi_env env, napi_value v)
{
	bool b = false;

	return napi_get_value_bool(env, v, &b) == napi_ok && b;
}

/* Text of at most 255 bytes, which is more than any name has; or NULL. */
const char *
text_of(napi_env env, napi_value v, char room[256])
{
	size_t n;

	return napi_get_value_string_utf8(env, v, room, 256, &n) == napi_ok ?
	    room : NULL;
}

napi_value
number(napi_env env, double d)
{
	napi_value v = NULL;

	napi_create_double(env, d, &v);
	return v;
}

napi_value
bytes(napi_env env, uint64_t n)
{
	napi_value v = NULL;

	if (n != TIDE_NONE)
		return number(env, (double)n);
	napi_get_null(env, &v);
	return v;
}

napi_value
text(napi_env env, const char *s)
{
	napi_value v = NULL;

	if (s == NULL)
		napi_get_null(env, &v);
	else
		napi_create_string_utf8(env, s, NAPI_AUTO_LENGTH, &v);
	return v;
}

napi_value
object(napi_env env)
{
	napi_value v = NULL;

	napi_create_object(env, &v);
	return v;
}

void
set(napi_env env, napi_value to, const char *name, napi_value v)
{
	napi_set_named_property(env, to, name, v);
}

double
member(napi_env env, napi_value from, const char *name)
{
	napi_value v;

	return napi_get_named_property(env, from, name, &v) == napi_ok ?
	    number_of(env, v) : 0;
}

/* --- callbacks ------------------------------------------------------------ */

/*
 * index.js catches what the program's functions throw; what comes through
 * nevertheless (the environment ends) is let go.
 */
double
call_back(const struct callback *c, double a, double b)
{
	napi_env env = c->env;
	napi_handle_scope scope;
	napi_value fn, that, result, v[2];
	bool pending = false;
	double d = 0;

	/* A checkpoint may be due in another thread than the environment's. */
	if (c->fn == NULL || c->thread != &silent || silent > 0 ||
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
	if (__atomic_load_n(&checkpoint_now, __ATOMIC_ACQUIRE) ==
	    &own->checkpoint)
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

/* Every call of the module.  An argument that is not given is undefined. */
static napi_value
enter(napi_env env, napi_callback_info info)
{
	napi_value v[ARGUMENTS];
	size_t n = ARGUMENTS;
	void *f = NULL;

	if (napi_get_cb_info(env, info, &n, v, NULL, &f) != napi_ok)
		return NULL;
	return ((const struct function *)f)->call(env, v);
}

static void
put_all(napi_env env, napi_value exports, const struct function *f)
{
	napi_value fn;

	for (; f->name != NULL; f++) {
		napi_create_function(env, f->name, NAPI_AUTO_LENGTH, enter,
		    (void *)f, &fn);
		set(env, exports, f->name, fn);
	}
}

NAPI_MODULE_INIT()
{
	struct own *own = calloc(1, sizeof(*own));

	if (own == NULL || napi_set_instance_data(env, own, own_end, NULL) !=
	    napi_ok) {
		free(own);
		napi_throw_error(env, "ENOMEM", "no room for heaptide");
		return NULL;
	}
	put_all(env, exports, functions_ask);
	put_all(env, exports, functions_batch);
	put_all(env, exports, functions_run);
	return exports;
}
