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

/* It is, too, once so much is live; TIDE_NONE: however much. */
void plan_set_live_line(uint64_t live);

/* How far a thread may move before it publishes, bytes. */
uint64_t plan_quantum(void);

/*
 * Where the heap is not counted, what is known of the resident memory is at
 * most so old when somebody asks: without a budget, and with one; less so where
 * it moves.  All that is known is looked at anew after the former.
 */
#define PLAN_OLD_NS  (20 * NS_PER_MS)
#define PLAN_CALM_NS (5 * NS_PER_MS)

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

/*
 * The line that batches may fill: @share of @budget, or as it is set for the
 * process where @share is 0.  TIDE_NONE: there is no budget.
 */
uint64_t plan_line(uint64_t budget, double share);

/* What is used now, with all that threads have counted; bytes. */
uint64_t plan_used_now(void);

/*
 * The same without what the allocator holds free: a batch takes that first, so
 * it begins from there.  With plan_lock() held.
 */
uint64_t plan_held(void);

/*
 * May a batch that began at @stood go on beyond its line, into what is free in
 * the allocator (sensor_may_grow())?  Not where memory is critical: what is free
 * need not be what is wanted next.  False as well where the heap is not counted.
 * It may look at the kernel.
 */
bool plan_may_grow(uint64_t line, uint64_t last, uint64_t stood);

/* The most that was used since plan_high_reset(), bytes. */
uint64_t plan_high(void);
void plan_high_reset(void);

/*
 * As plan_held() has it, of the looks since then: what live blocks cost with
 * all that the allocator needs for them.  With plan_lock() held.
 */
uint64_t plan_high_held(void);

/*
 * A batch has added @live bytes at its height since plan_high_reset(), when
 * @stood were used, and @held of them not free in the allocator; no other was
 * under way.  And what the next may grow by if that is no better (sensor_fits());
 * 0: not known.  With plan_lock() held.
 */
void plan_reused(uint64_t stood, uint64_t held, uint64_t live);
uint64_t plan_fits(void);

/* The share of the last two seconds that some task waited for memory. */
double plan_stalled(void);

/* So much was used at some time, as is known now. */
void plan_saw(uint64_t used);

/* A message for people, and for who reads the room. */
void plan_say(const char *line);

/* Is every decision to be told?  log.debug. */
bool plan_debugs(void);

/* A member of JSON, with a comma before it; TIDE_NONE is null. */
struct text;
void plan_put_number(struct text *t, const char *name, uint64_t n);

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
