/*
 * guard.h - stretches of a program that are watched, and parts of it that have
 * a budget of their own
 *
 * Floor (plan).  May use: base, model, sys, plan.h, op.h.  Used by: door, and
 * heaptide.h, of which it is a part.
 * Contexts: where a program calls tide_*(), never inside malloc or a handler.
 *
 * What a component holds is what its threads have allocated less freed while
 * they were inside of it, by their own counts; where the heap is not counted it
 * is not known.
 */
#ifndef PLAN_GUARD_H
#define PLAN_GUARD_H

#include <stdint.h>

#include "base/room.h"

int guard_begin(const char *op, uint64_t need);
void guard_end(int guard);

int component_open(const char *name, uint64_t max, unsigned weight);
void component_enter(int id);
void component_leave(int id);
uint64_t component_used(int id);
uint64_t component_budget(int id);

#endif
