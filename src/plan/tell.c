#include "plan/tell.h"

#include <string.h>

#include "base/base.h"
#include "plan/message.h"
#include "plan/plan.h"
#include "plan/settings.h"
#include "sys/sys.h"

static struct {
	uint64_t cleaned; /* used after the last cleanup, 1 added; 0: none */
} telling;

bool
tell_is_on(const struct tide_op_conf *conf)
{
	const char *progress = settings_find("PROGRESS");

	if (conf->monitor != 0)
		return conf->monitor > 0;
	return progress != NULL && strcmp(progress, "lines") == 0;
}

static void
put(char *line)
{
	size_t bytes = strlen(line);

	line[bytes] = '\n';
	(void)sys_write(2, line, bytes + 1);
}

/* How many there will be, if all are of one size; 0: nobody knows. */
static uint64_t
chunks_of(const struct tide_op_conf *conf, const struct tide_op_stats *row)
{
	if (conf->fixed == 0 || row->total == 0)
		return 0;
	return (row->total + conf->fixed - 1) / conf->fixed;
}

void
tell_begin(const struct tide_op_conf *conf, const struct tide_op_stats *row,
    uint64_t first, uint64_t n)
{
	char line[MESSAGE_ROOM + 1];

	if (!tell_is_on(conf))
		return;
	if (row->batches == 0)
		put(message_initial(line, MESSAGE_ROOM, plan_room()->used));
	put(message_chunk(line, MESSAGE_ROOM, row->batches + 1,
	    chunks_of(conf, row), first, n, row->unit));
	put(message_chunk_items(line, MESSAGE_ROOM, n, row->unit,
	    row->batches + 1));
}

static void
tell_time(const struct tide_op_stats *row)
{
	uint64_t spent = row->ended_ns - row->started_ns;
	char line[MESSAGE_ROOM + 1];

	put(message_elapsed(line, MESSAGE_ROOM, spent));
	if (row->total > row->done && row->done > 0)
		put(message_eta(line, MESSAGE_ROOM, (uint64_t)((double)spent *
		    (double)(row->total - row->done) / (double)row->done)));
}

void
tell_end(const struct tide_op_conf *conf, const struct tide_op_stats *row,
    uint64_t time_ns, uint64_t used, uint64_t initial)
{
	uint64_t chunks = chunks_of(conf, row);
	char line[MESSAGE_ROOM + 1];

	if (!tell_is_on(conf))
		return;
	put(message_chunk_done(line, MESSAGE_ROOM, row->batches, time_ns));
	put(message_after_chunk(line, MESSAGE_ROOM, row->batches, used,
	    initial, telling.cleaned == 0 ? UINT64_MAX :
	    telling.cleaned - 1));
	if (chunks != 0)
		put(message_progress(line, MESSAGE_ROOM, row->batches, chunks,
		    "chunk"));
	else if (row->total != 0)
		put(message_progress(line, MESSAGE_ROOM, row->done, row->total,
		    row->unit));
	tell_time(row);
}

void
tell_cleaned(const struct tide_op_conf *conf,
    const tide_reclaim_result *result, uint64_t used)
{
	char line[MESSAGE_ROOM + 1];

	telling.cleaned = used + 1;
	if (!tell_is_on(conf))
		return;
	put(message_between(line, MESSAGE_ROOM));
	put(message_freed(line, MESSAGE_ROOM, result->freed));
}
