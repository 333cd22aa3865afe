/*
 * run-state.h - what the parts of run have in common
 *
 * Floor (plan).  May use: as run.h.  Used by: run*.c.
 */
#ifndef PLAN_RUN_STATE_H
#define PLAN_RUN_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "plan/journal.h"
#include "plan/plan.h"
#include "plan/run-failed.h"
#include "plan/run-look.h"
#include "plan/run.h"
#include "sys/sys.h"

/* All zero but for a run; @pid says whether there is one. */
struct run_state {
	struct journal journal;   /* first: it is closed by itself */
	struct run_look look;     /* as it was found */
	uint32_t lock;            /* held while the file is written */
	int32_t pid;              /* of who has begun it; 0: nobody */
	uint32_t attempt;
	bool same_program;        /* as the one that learned */
	bool calling;             /* the hook */
	bool redo;                /* only what failed is done again */
	bool told;                /* that a checkpoint could not be written */
	struct run_failed parts;  /* what is left out; if @redo, what is done */
	struct spans failing;     /* what failed, in the file and since; not yet
	                           * done; stamps are of FAIL and QUAR */
	uint64_t between_ns;      /* from one crash to the next; 0: none yet */
	uint64_t cost_ns, costs;  /* of the hook, in all, and how often */
	int op;                   /* of the last batch */
	uint64_t batches, items;  /* from the start of the run */
	uint64_t cursor;          /* of the last mark, */
	uint64_t mark_number;     /* its number; 0: there is none */
	uint64_t since;           /* batches since then */
	uint64_t mark_ns, model_ns; /* CLOCK_MONOTONIC */
	struct journal_work work; /* of this process, before there was the run */
	tide_checkpoint_fn hook;
	void *hook_context;
};

struct run_state *run_state(void);

/* Nothing waits here but for a disk. */
void run_lock(void);
void run_unlock(void);

/* True: there is a run of this process, and it is locked. */
static inline bool
run_enter(void)
{
	struct run_state *run = run_state();

	if (__atomic_load_n(&run->pid, __ATOMIC_RELAXED) == 0)
		return false;
	(void)plan_visit(); /* sees whether this is a child */
	run_lock();
	if (run->pid == sys_pid())
		return true;
	run_unlock();
	return false;
}

/* What batches may have, with the run locked (run-part.c).  0, -EINVAL ... */
int run_part_open(bool with_quarantined);

/*
 * How the work goes (run-work.c): it begins now; it is written down, with the
 * run locked.
 */
void run_begin_work(void);
void run_put_work(void);

/* HEAPTIDE_@name, or NULL; and a line for people. */
const char *run_given(const char *name);
void run_say(const char *before, const char *id, const char *behind);

#endif
