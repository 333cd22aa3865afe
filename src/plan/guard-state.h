/*
 * guard-state.h - what guard.c keeps, and a child has of its parent
 *
 * Floor (plan).  May use: as guard.h.  Used by: guard.c, plan.c.
 */
#ifndef PLAN_GUARD_STATE_H
#define PLAN_GUARD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/client.h"

#define GUARDS 64
#define VISITS 256

/* A thread inside of a component. */
struct visit {
	int32_t tid;  /* 0: the place is free */
	int32_t component;
	int64_t base; /* what the thread held when it came in */
	int64_t inner; /* of that since, what belongs to others inside */
	uint32_t order; /* the later the further in */
};

struct guards {
	/* As in the room; for that of a child. */
	struct tide_component_stats component[TIDE_COMPONENTS];
	struct tide_batch guard[GUARDS];
	bool taken[GUARDS];
	struct visit visit[VISITS];
	uint32_t order;
};

struct guards *guard_state(void);

/* Its components are those of its parent, and what they hold it has as well. */
void guard_in_child(void);

#endif
