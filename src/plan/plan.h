/*
 * plan.h - how this process stands against its budget
 *
 * Floor (plan).  May use: base, model, sys.  Used by: all of plan, door, and
 * heaptide.h, of which it is a part.
 * Contexts: as told with each function.  Nothing allocates.
 *
 * The room (base/room.h) is what is known; plan_look() brings it up to date
 * by the laws in model/sensor.h and model/states.h, and says what is due.  It
 * does nothing about it: who is at a safe point does, see plan_settle().
 */
#ifndef PLAN_PLAN_H
#define PLAN_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/room.h"
#include "plan/client.h"
#include "plan/host.h"

/*
 * Begin with @host; @room is zero, or what a supervisor has prepared.  Called
 * once a process, and in a child that goes on with its parent's memory.
 */
void plan_begin(const struct plan_host *host, struct tide_room *room);
bool plan_has_begun(void);

/* The room; NULL before plan_begin(). */
struct tide_room *plan_room(void);
const struct plan_host *plan_host(void);

/*
 * The heap stands at @live bytes, as published: keeps used, live and gate
 * up.  True: plan_look() is due.  A few ns; inside malloc.
 */
bool plan_note(uint64_t live, uint64_t now_ns);

/* How far a thread may move before it publishes, bytes. */
uint64_t plan_quantum(void);

/*
 * At a safe point, which is any tide_*() call that is no query: limits are read
 * anew if they are old, and what a new state asks for is done: messages,
 * cleanups.  @sample: look at the kernel's figures in any case.  The state.
 */
int plan_settle(uint64_t now_ns, bool sample);

/* The same, but for a few loads where there is nothing to do. */
int plan_visit(void);

/* Figures only, and only if nobody is at it: even in a signal handler. */
void plan_refresh(uint64_t now_ns);

/* An allocation was refused.  Inside malloc. */
void plan_refused(void);

/* A child that was forked: no batch, no lease, a room of its own. */
void plan_in_child(void);

/* Hold what all threads of the process share; short, no callbacks within. */
void plan_lock(void);
void plan_unlock(void);

/*
 * The laws that hold for the whole process; with plan_lock() held.  Bytes that
 * were used when it began.
 */
struct states *plan_states(void);
uint64_t plan_start_used(void);

/*
 * What is live, exactly, as of the last look; with plan_lock() held.  What is in
 * the room may be a later figure, of what threads have published.
 */
uint64_t plan_live(void);

/* What is used now, with all that threads have counted; bytes. */
uint64_t plan_used_now(void);

/*
 * The same without what the allocator holds free: a batch takes that first, so
 * it begins from there.  With plan_lock() held.
 */
uint64_t plan_held(void);

/* The most that was used since plan_high_reset(), bytes. */
uint64_t plan_high(void);
void plan_high_reset(void);

/* So much was used at some time, as is known now. */
void plan_saw(uint64_t used);

/* A message for people, and for who reads the room. */
void plan_say(const char *line);

/* Is every decision to be told?  log.debug. */
bool plan_debugs(void);

/* --- as the header has them (plan/client.h) ------------------------------- */

int plan_init(const char *conf);
int plan_status(tide_info *out);
int plan_json(char *buf, size_t cap);
int plan_budget_set(uint64_t bytes);
int plan_safe(uint64_t need, uint64_t max_used, tide_info *out);
int plan_poll(unsigned flags);
int plan_reclaim(unsigned flags, uint64_t want, tide_reclaim_result *out);
double plan_knob(const char *name, double best, double cheapest);

#endif
