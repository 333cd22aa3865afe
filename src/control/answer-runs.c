/*
 * answer-runs.c - which runs there are to go on with
 */
#include "control/answer.h"

#include <errno.h>

#include "base/base.h"
#include "control/reply.h"
#include "plan/run-list.h"
#include "plan/run-who.h"

extern char **environ;

#define TOLD_MOST 200 /* so that an answer has room for them */

struct telling {
	struct text *t;
	uint64_t count;
};

static const char *
state_of(const struct run_listed *run)
{
	return run->look.ended && run->look.ok ? "finished" :
	    run->locked ? "running" : "interrupted";
}

static void
tell(void *context, const struct run_listed *run)
{
	struct telling *telling = context;
	const struct run_look *look = &run->look;
	double percent = run_look_percent(look);
	struct text *t = telling->t, progress;
	char buffer[48];

	if (telling->count++ >= TOLD_MOST)
		return;
	text_open(&progress, buffer, sizeof(buffer));
	text_put_u64(&progress, look->mark.cursor);
	if (look->total != TIDE_NONE) {
		text_put(&progress, "/");
		text_put_u64(&progress, look->total);
	}
	reply_open(t, NULL);
	reply_text(t, "batchId", run->id);
	reply_text(t, "progress", buffer);
	if (percent < 0)
		reply_null(t, "completion");
	else
		reply_number(t, "completion", percent);
	reply_text(t, "state", state_of(run));
	reply_u64(t, "checkpoint", look->mark_number);
	reply_u64(t, "failed", look->failed);
	reply_close(t);
}

void
answer_checkpoints(struct control *c, const struct request *r, struct text *t)
{
	struct telling telling = { t, 0 };
	char path[JOURNAL_PATH];
	int error;

	(void)c;
	(void)r;
	error = run_who_directory(environ, path);
	reply_open_list(t, "data");
	if (error == 0)
		error = run_list(path, tell, &telling);
	if (error < 0 && error != -ENOENT) {
		request_refuse(t, error, "the directory of runs cannot be "
		    "read");
		return;
	}
	reply_close_list(t);
	reply_u64(t, "count", telling.count);
}
