/*
 * addon.h - what the parts of the addon share
 */
#ifndef ADDON_H
#define ADDON_H

#define NAPI_VERSION 8

#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <heaptide.h>

#define ARGUMENTS 8

/* A cleanup or callback of the program's. */
struct callback {
	napi_env env;
	napi_ref fn;
	const int *thread;      /* &silent of the one that JavaScript is in */
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

struct own *own_of(napi_env env);

/* No JavaScript may run in this thread now: a finalizer does. */
extern _Thread_local int silent;

/* The one that tide_on_checkpoint() has, of all environments; or NULL. */
extern const struct callback *checkpoint_now;

/* The program's function, of two numbers; 0 where it cannot be called. */
double call_back(const struct callback *c, double a, double b);

/* --- values: an argument that is not what it should be is 0, NULL or none --- */

double number_of(napi_env env, napi_value v);
/* Below 0 and what is no number: TIDE_NONE. */
uint64_t bytes_of(napi_env env, napi_value v);
bool is_true(napi_env env, napi_value v);
/* Of at most 255 bytes, which is more than any name has; or NULL. */
const char *text_of(napi_env env, napi_value v, char room[256]);
double member(napi_env env, napi_value from, const char *name);

napi_value number(napi_env env, double d);
napi_value bytes(napi_env env, uint64_t n);
napi_value text(napi_env env, const char *s);
napi_value object(napi_env env);
void set(napi_env env, napi_value to, const char *name, napi_value v);

/* --- functions of the module --- */

struct function {
	const char *name;
	/* Of ARGUMENTS values; NULL: undefined. */
	napi_value (*call)(napi_env env, const napi_value *v);
};

/* Each ends with a row without a name. */
extern const struct function functions_ask[], functions_batch[],
    functions_run[];

#endif
