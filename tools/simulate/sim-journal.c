/*
 * sim-journal.c - the batches that the file of a run tells of
 *
 * A run may have several operations; each is a workload of its own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "simulate/sim-journal.h"
#include "base/base.h"
#include "base/text.h"
#include "runs/runs.h"

#define OPS_ROOM 64

struct ops {
	char name[OPS_ROOM][TIDE_NAME_ROOM];
	uint64_t items[OPS_ROOM];
	size_t count;
};

struct reading {
	struct sim_journal *journal;
	size_t room;
	bool no_memory;
};

static const struct journal_batch *
batch_of(const struct journal_record *record)
{
	return record->bytes < sizeof(struct journal_batch) ? NULL :
	    (const struct journal_batch *)(const void *)record->payload;
}

static void
count_op(void *context, const struct journal_record *record)
{
	const struct journal_batch *b = batch_of(record);
	struct ops *ops = context;
	size_t i = 0;

	if (b == NULL)
		return;
	while (i < ops->count && strncmp(ops->name[i], b->op,
	    TIDE_NAME_ROOM) != 0)
		i++;
	if (i == OPS_ROOM)
		return;
	if (i == ops->count) {
		memcpy(ops->name[i], b->op, TIDE_NAME_ROOM);
		ops->name[i][TIDE_NAME_ROOM - 1] = '\0';
		ops->count++;
	}
	ops->items[i] += b->count;
}

static void
add_batch(void *context, const struct journal_record *record)
{
	const struct journal_batch *b = batch_of(record);
	struct reading *reading = context;
	struct sim_journal *j = reading->journal;
	struct sim_batch *more;

	if (b == NULL || b->count == 0 ||
	    strncmp(b->op, j->op, TIDE_NAME_ROOM) != 0)
		return;
	if (j->batches == reading->room) {
		reading->room = reading->room * 2 + 256;
		more = realloc(j->batch, reading->room * sizeof(*more));
		if (more == NULL) {
			reading->no_memory = true;
			return;
		}
		j->batch = more;
	}
	j->batch[j->batches++] = (struct sim_batch){
		.first = b->first, .count = b->count,
		.peak = (double)b->peak, .used = (double)b->used,
		.seconds = (double)b->time_ns / (double)NS_PER_S,
	};
	if (b->budget != 0 && b->budget != TIDE_NONE)
		j->budget = b->budget;
}

int
sim_journal_read(const struct run_file *file, const char *op,
    struct sim_journal *j)
{
	struct ops *ops = calloc(1, sizeof(*ops));
	struct reading reading = { .journal = j };
	struct text t;
	size_t i, most = 0;
	int r;

	memset(j, 0, sizeof(*j));
	if (ops == NULL)
		return -ENOMEM;
	r = runs_each(file, JOURNAL_BATCH, count_op, ops);
	text_open(&t, j->ops, sizeof(j->ops));
	for (i = 0; i < ops->count; i++) {
		text_put(&t, i > 0 ? ", " : "");
		text_put(&t, ops->name[i]);
		if (op != NULL ? strcmp(ops->name[i], op) == 0 :
		    ops->items[i] > ops->items[most])
			most = i;
	}
	if (r == 0 && (ops->count == 0 || (op != NULL &&
	    strcmp(ops->name[most], op) != 0)))
		r = -ENODATA;
	if (r == 0) {
		memcpy(j->op, ops->name[most], TIDE_NAME_ROOM);
		r = runs_each(file, JOURNAL_BATCH, add_batch, &reading);
	}
	free(ops);
	if (r == 0 && reading.no_memory)
		r = -ENOMEM;
	if (r < 0) {
		free(j->batch);
		j->batch = NULL;
	}
	return r;
}
