/*
 * run-list.h - which runs there are, without malloc
 *
 * Floor (plan).  May use: base, sys, run-look.h.  Used by: control.
 * Contexts: as journal.h; no state of its own.
 */
#ifndef PLAN_RUN_LIST_H
#define PLAN_RUN_LIST_H

#include <stdint.h>

#include "plan/run-look.h"

/* A run, as it is told. */
struct run_listed {
	char id[JOURNAL_ID_ROOM];
	struct run_look look;
	int locked;       /* 1: a process has it */
};

/*
 * Tell each run in @directory, in no order; what cannot be read is left out.
 * 0, or a negative errno value; -ENOENT: there is no such directory.
 */
int run_list(const char *directory, void (*each)(void *context,
    const struct run_listed *run), void *context);

#endif
