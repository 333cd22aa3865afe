/*
 * sim-journal.h - the batches that the file of a run tells of
 *
 * Beside the house (tools/simulate).  May use: base, plan, runs, simulate.
 * Used by: cmd-simulate.c.
 */
#ifndef SIMULATE_SIM_JOURNAL_H
#define SIMULATE_SIM_JOURNAL_H

#include "base/room.h"
#include "runs/runs.h"
#include "simulate/simulate.h"

struct sim_journal {
	char op[TIDE_NAME_ROOM];
	char ops[512];           /* the names of all there are */
	struct sim_batch *batch; /* to be freed */
	size_t batches;
	uint64_t budget;         /* of the last batch; 0: not known */
};

/*
 * Those of @op; NULL: of the one with most items.  0; -ENODATA: there is no
 * such; or as runs_each().
 */
int sim_journal_read(const struct run_file *file, const char *op,
    struct sim_journal *journal);

#endif
