/*
 * settings.h - what was set for this process: by itself, or by the host
 *
 * Floor (plan).  May use: base, model, host.h.  Used by: plan, and heaptide.h,
 * of which it is a part.
 * Contexts: no lock, nothing allocated; settings_take() in one thread.
 */
#ifndef PLAN_SETTINGS_H
#define PLAN_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

struct plan_host;

/* Read what the host has been given, once: an environment may change. */
void settings_read(const struct plan_host *host);

/*
 * `budget=512M target=80%`: what goes before the host's settings from now on.
 * NULL, "": nothing.  0; -EINVAL: a name or a value is not accepted, and all is
 * as it was.
 */
int settings_take(const char *conf);

/* How often they were taken: what was made of them before is not true now. */
uint32_t settings_taken(void);

/*
 * By name, as in HEAPTIDE_NAME.  NULL: not set.  Valid until the next
 * settings_take().
 */
const char *settings_find(const char *name);

/* The same of what settings_take() took alone. */
const char *settings_own(const char *name);

/* As a number, a share of 1, a time in ns; @otherwise if not set, or none. */
uint64_t settings_number(const char *name, uint64_t otherwise);
double settings_share(const char *name, double otherwise);
uint64_t settings_time(const char *name, uint64_t otherwise);
bool settings_is_on(const char *name, bool otherwise);

/* Is @word one of those of a list, `callbacks,purge`?  True if it is not set. */
bool settings_has(const char *name, const char *word);

/* The value of knob @name by `samples=6,recall=0.5`; false: it has none. */
bool settings_knob(const char *name, double *value);

#endif
