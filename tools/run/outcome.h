/*
 * outcome.h - how an attempt at running a program has come out
 *
 * Beside the house (tools/run).  May use: base.  Used by: retry.h, run-*.c.
 * No clock, no I/O, no state: what is to be known is given.
 *
 *   done         status 0
 *   recycle      status 85, or ended for its budget (--enforce exit85): it
 *                wants to be started again
 *   no-memory    status 75: it had too little, and said so
 *   oom          SIGKILL, and the OOM killer struck in its group, or it had
 *                used 0.90 of its budget
 *   nomem-crash  any other bad end, after allocations were refused or the
 *                budget was exhausted
 *   stalled      it was ended by us: a batch took longer than batch.timeout
 *   timeout      it was ended by us: all of it took longer than --timeout
 *   stopped      somebody wanted it to end: SIGINT, SIGTERM, SIGHUP, SIGQUIT
 *   error        anything else
 *
 * A shell says 128 + N of what signal N has ended; that is read as the signal.
 */
#ifndef RUN_OUTCOME_H
#define RUN_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

enum outcome {
	OUTCOME_DONE,
	OUTCOME_RECYCLE,
	OUTCOME_NO_MEMORY,
	OUTCOME_OOM,
	OUTCOME_NOMEM_CRASH,
	OUTCOME_STALLED,
	OUTCOME_TIMEOUT,
	OUTCOME_STOPPED,
	OUTCOME_ERROR,
	OUTCOMES
};

struct outcome_facts {
	int status;      /* of wait() */
	bool recycled;   /* by us, for its budget */
	bool aborted;    /* the same, by SIGABRT */
	bool stalled;    /* by us; and the next */
	bool timed_out;
	bool told;       /* to end, by a signal, not long before it did */
	bool struck;     /* the OOM killer, in its group, while it ran */
	int state;       /* TIDE_OK ..., as last known */
	uint64_t used, budget; /* bytes, as last known; budget 0: none */
	uint64_t refused;      /* allocations */
};

enum outcome outcome_of(const struct outcome_facts *facts);

/* The signal that has ended it, in a shell's words as well; 0: none has. */
int outcome_signal(int status);

/* Was it for want of memory? */
bool outcome_is_memory(enum outcome outcome);

/* "done", "recycle", "no-memory" ... */
const char *outcome_name(enum outcome outcome);

#endif
