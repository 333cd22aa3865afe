/*
 * api.h - epochs, scans, advice and the version, as a program asks for them
 *
 * Floor 8 (door), below cooperate.  May use: all floors.  Used by: cooperate, nested.
 * Contexts: where the program calls tide_*(); documented in heaptide.h.
 */
#ifndef DOOR_API_H
#define DOOR_API_H

#include <stdint.h>

#include "plan/client.h"

int api_mark(const char *name);
int api_leak_scan(uint64_t *blocks, uint64_t *bytes);
int api_analyze(tide_advice_fn fn, void *ctx);
const char *api_version(void);

/* In nested.c. */
struct tide_pool *nested_pool_create(const char *name);

#endif
