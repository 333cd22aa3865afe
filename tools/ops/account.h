/*
 * account.h - how a run went, all of its processes together, by its file
 *
 * Beside the house (tools/ops).  May use: base, model, plan, control, runs,
 * tale, work, ops, advise, print, json.  Used by: cmd-ops.c, cmd-report.c,
 * cmd-recommend.c.
 *
 * A run writes down now and then what it came to (JOURNAL_WORK), and each batch
 * as it ends.  What a process did after the last such record, and was killed,
 * its batches tell (tale.h); of its delays and cleanups then nobody knows.
 */
#ifndef OPS_ACCOUNT_H
#define OPS_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/room.h"
#include "model/advice.h"
#include "ops/advise.h"
#include "ops/work.h"
#include "runs/runs.h"

struct account {
	const struct run_file *file;
	const struct journal_work *told; /* zero: by batches alone */
	struct work work;
	double seconds;        /* that its processes took */
	uint64_t refused;      /* allocations */
	struct advice_facts facts; /* .op is @op */
	/* Of the last process, or by batches: whoever knows of more. */
	struct tide_op_stats op[TIDE_OPS];
	char source[32];       /* of the budget; "" */
	bool jobs;             /* of `heaptide batch`: its batches are jobs */
};

/* An exit status; what is wrong was said for @command.  @file must outlive
 * it. */
int account_open(const char *command, const struct run_file *file,
    struct account *a);

/* Advice of it; to be closed by advise_close(). */
void account_advise(const struct account *a, struct advised *advised);

/* --- account-say.c -------------------------------------------------------- */

void account_print(const struct account *a);
int account_print_json(const struct account *a);

#endif
