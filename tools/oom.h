/*
 * oom.h - how often the OOM killer struck around us
 *
 * Beside the house (tools).  May use: base, sys.  Used by: cmd-run.c,
 * run-outcome.c.
 */
#ifndef TOOLS_OOM_H
#define TOOLS_OOM_H

#include <stdint.h>

/*
 * Processes killed for lack of memory so far: in our memory cgroup (version 2
 * or 1), or on the whole machine where no cgroup counts them; 0 if nobody
 * does.  Two answers are to be compared: has it risen between them?
 */
uint64_t oom_kills(void);

#endif
