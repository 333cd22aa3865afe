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
 * Look now: sample what is due, or, with @sample, in any case; judge the state.
 * Some us with a sample.  Inside malloc; of two threads at once one looks.
 */
void plan_look(uint64_t now_ns, bool sample);

/*
 * At a safe point, which is any tide_*() call that is no query: messages,
 * cleanups, what a new state asks for.  Return: the state.
 */
int plan_settle(uint64_t now_ns, unsigned flags);

/* An allocation of @bytes was refused. */
void plan_refused(uint64_t bytes);

/* A child that was forked: no batch, no lease, a room of its own. */
void plan_in_child(void);

/* Hold what all threads of the process share; short, no callbacks within. */
void plan_lock(void);
void plan_unlock(void);

/* A message for people, and for who reads the room: as printf, a few %. */
void plan_say(const char *line);

/* --- as the header has them (plan/client.h) ------------------------------- */

int plan_status(tide_info *out);
int plan_json(char *buf, size_t cap);
int plan_budget_set(uint64_t bytes);
int plan_safe(uint64_t need, uint64_t max_used, tide_info *out);
int plan_poll(unsigned flags);

#endif
