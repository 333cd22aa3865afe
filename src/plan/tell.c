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

enum tell_mode
tell_mode(const struct tide_op_conf *conf)
{
	const char *progress = settings_find("PROGRESS");

	if (conf->monitor < 0)
		return TELL_OFF;
	if (progress != NULL && strcmp(progress, "bar") == 0)
		return TELL_BAR;
	if (progress != NULL && strcmp(progress, "json") == 0)
		return TELL_JSON;
	return conf->monitor > 0 || (progress != NULL &&
	    strcmp(progress, "lines") == 0) ? TELL_LINES : TELL_OFF;
}

bool
tell_items(const struct tide_op_conf *conf)
{
	return tell_mode(conf) == TELL_LINES;
}

static void
put(char *line)
{
	size_t bytes = strlen(line);

	line[bytes] = '\n';
	(void)sys_write(2, line, bytes + 1);
}

/* --- line by line --------------------------------------------------------- */

static void
put_begin(const struct tide_op_conf *conf, const struct tide_op_stats *row,
    uint64_t first, uint64_t n)
{
	char line[MESSAGE_ROOM + 1];

	if (row->batches == 0) {
		if (plan_room()->budget != TIDE_NONE)
			put(message_efficient(line, MESSAGE_ROOM, row->name));
		put(message_initial(line, MESSAGE_ROOM, plan_room()->used));
	}
	put(message_chunk(line, MESSAGE_ROOM, row->batches + 1,
	    tell_chunks(conf, row), first, n, row->unit));
	put(message_chunk_items(line, MESSAGE_ROOM, n, row->unit,
	    row->batches + 1));
}

void
tell_begin(const struct tide_op_conf *conf, const struct tide_op_stats *row,
    uint64_t first, uint64_t n)
{
	switch (tell_mode(conf)) {
	case TELL_LINES:
		put_begin(conf, row, first, n);
		break;
	case TELL_JSON:
		tell_json_begin(conf, row, first, n, plan_room()->used);
		break;
	default:
		break;
	}
}

void
tell_item(const struct tide_op_stats *row, uint64_t index)
{
	char line[MESSAGE_ROOM + 1];

	put(message_item(line, MESSAGE_ROOM, row->unit, index));
}

static void
put_time(const struct tide_op_stats *row)
{
	char line[MESSAGE_ROOM + 1];

	put(message_elapsed(line, MESSAGE_ROOM, row->ended_ns -
	    row->started_ns));
	if (row->total > row->done && row->done > 0)
		put(message_eta(line, MESSAGE_ROOM, tell_time_left(row)));
}

static void
put_end(const struct tide_op_conf *conf, const struct tide_op_stats *row,
    uint64_t time_ns, uint64_t used, uint64_t initial)
{
	uint64_t chunks = tell_chunks(conf, row);
	char line[MESSAGE_ROOM + 1];

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
	put_time(row);
}

void
tell_end(const struct tide_op_conf *conf, const struct tide_op_stats *row,
    uint64_t time_ns, uint64_t used, uint64_t initial)
{
	switch (tell_mode(conf)) {
	case TELL_LINES:
		put_end(conf, row, time_ns, used, initial);
		break;
	case TELL_BAR:
		tell_bar(conf, row, used);
		break;
	case TELL_JSON:
		tell_json_end(conf, row, time_ns, used, initial);
		break;
	default:
		break;
	}
}

void
tell_cleaned(const struct tide_op_conf *conf,
    const tide_reclaim_result *result, uint64_t used)
{
	char line[MESSAGE_ROOM + 1];

	telling.cleaned = used + 1;
	switch (tell_mode(conf)) {
	case TELL_LINES:
		put(message_between(line, MESSAGE_ROOM));
		put(message_freed(line, MESSAGE_ROOM, result->freed));
		break;
	case TELL_JSON:
		tell_json_cleaned(result, used);
		break;
	default:
		break;
	}
}
