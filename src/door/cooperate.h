/*
 * cooperate.h - a program that asks how much room is left (heaptide.h)
 *
 * Floor 8 (door), above boot, api and nested.  May use: all floors.
 * Used by: enforce.
 * Contexts: where the program calls tide_*().
 */
#ifndef DOOR_COOPERATE_H
#define DOOR_COOPERATE_H

#include "base/base.h"
#include "plan/client.h"

/*
 * What the program is given (plan/client.h); NULL: nothing is counted here, so
 * it has to look by itself.
 */
EXPORT const struct tide_runtime *heaptide_runtime(void);

#endif
