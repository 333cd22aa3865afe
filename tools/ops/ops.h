/*
 * ops.h - what the operations of a program did, as a table and in lines
 *
 * Beside the house (tools/ops).  May use: base, control, reader, print, json.
 * Used by: cmd-ops.c, cmd-recommend.c, summary.c, report, account.
 */
#ifndef OPS_OPS_H
#define OPS_OPS_H

#include <jansson.h>
#include <stddef.h>

#include "control/counsel.h"
#include "profile/reader.h"
#include "say/print.h"

/* Those of a profile; how many. */
size_t ops_of(const struct profile *profile,
    struct tide_op_stats op[TIDE_OPS]);

/* Two tables: what they did, and what was learned. */
void ops_print_tables(const struct print *out, const struct tide_op_stats *op,
    size_t count);

/* One line an operation, behind "ops" in @column columns; of none nothing. */
void ops_print_lines(const struct print *out, const struct profile *profile,
    unsigned column);

/* What cleanups freed, in one line; of none nothing. */
struct ops_cleanups {
	uint64_t count, freed, returned, ns, fault_ns;
};
void ops_print_cleanups(const struct print *out, const struct ops_cleanups *c,
    unsigned column);

/*
 * Checkpoints that were written and that were not, and items that are left out;
 * nothing where there are none.
 */
void ops_print_checkpoints(const struct print *out,
    const struct profile *profile, unsigned column);

/* The same; null where there are none. */
json_t *ops_json_checkpoints(const struct profile *profile);

/*
 * What batches of other sizes would take, and how fast they were where that
 * was seen: a table for each operation of which there is a law.
 */
void ops_print_curves(const struct print *out, const struct tide_op_stats *op,
    size_t count);

/* A list of objects, as the request `ops` has them; of the curves. */
json_t *ops_json(const struct tide_op_stats *op, size_t count);
json_t *ops_json_of(const struct profile *profile);
json_t *ops_json_curves(const struct tide_op_stats *op, size_t count);

#endif
