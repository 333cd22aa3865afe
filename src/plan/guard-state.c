/*
 * guard-state.c - the components of the program, and the guards under way
 */
#include "plan/guard-state.h"

#include <string.h>

#include "plan/plan.h"

static struct {
	struct guards state;
} guarding;

struct guards *
guard_state(void)
{
	return &guarding.state;
}

void
guard_in_child(void)
{
	struct guards *g = guard_state();

	memset(g->guard, 0, sizeof(g->guard));
	memset(g->taken, 0, sizeof(g->taken));
	memset(g->visit, 0, sizeof(g->visit));
	g->order = 0;
	memcpy(plan_room()->component, g->component,
	    sizeof(g->component));
}
