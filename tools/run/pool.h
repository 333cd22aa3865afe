/*
 * pool.h - pools of this user: where they are, and who looks after one
 *
 * Beside the house (tools/run).  May use: base, sys, plan, need, print.  Used
 * by: cmd-pool.c.
 */
#ifndef RUN_POOL_H
#define RUN_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plan/shares.h"
#include "sys/place.h"

/* The path of pool @name; 0, or a sentence said and an exit status. */
int pool_path(const char *name, bool make, char path[PLACE_ROOM]);

/* The names of all pools, in order; count.  Each, and the list, to be freed. */
size_t pool_names(char ***names);

/*
 * What members can have together: the budget that was set, or what others leave
 * of the machine and of our control groups, whichever is less.
 *
 * @root: stands before /proc, "" but in tests
 */
uint64_t pool_room(const char *root, const struct shares *pool);

/*
 * Look after @pool until it is stopped, or a signal comes that ends us: the
 * dead ten times a second, the room once.  An exit status.
 */
int pool_look_after(const char *name, struct shares *pool);

#endif
