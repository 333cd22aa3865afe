/*
 * answer-runs.c - which runs there are to go on with, from where, and no more
 */
#include "control/answer.h"

#include <errno.h>

#include "base/base.h"
#include "base/text.h"
#include "control/reply.h"
#include "plan/run-list.h"
#include "plan/run-who.h"
#include "sys/sys.h"

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

/* --- resume --------------------------------------------------------------- */

void
answer_resume(struct control *c, const struct request *r, struct text *t)
{
	char id[JOURNAL_ID_ROOM], path[JOURNAL_PATH];
	struct run_look look;
	uint64_t number;
	int error;

	(void)c;
	error = run_who_parse(r->word[1], id, &number);
	if (error < 0 || number != 0) {
		request_refuse(t, -EINVAL, "'resume' takes the name of a run; "
		    "'checkpoints' has them");
		return;
	}
	error = run_who_path(environ, id, path);
	if (error == 0)
		error = run_look_read(&look, path);
	if (error < 0) {
		request_refuse(t, error, error == -ENOENT ?
		    "there is no such run" : "its file cannot be read");
		return;
	}
	reply_bool(t, "success", true);
	reply_text(t, "batchId", id);
	reply_open(t, "availableOptions");
	reply_u64(t, "checkpoint", look.mark_number);
	reply_u64(t, "cursor", look.mark.cursor);
	if (look.total == TIDE_NONE)
		reply_null(t, "remaining");
	else
		reply_u64(t, "remaining", above_u64(look.total,
		    look.mark.cursor));
	reply_u64(t, "last_n", look.last_n);
	reply_u64(t, "failed", look.failed);
	reply_u64(t, "quarantined", look.quarantined);
	reply_bool(t, "command", look.command);
	reply_close(t);
}

/* --- cleanup max_age=24h -------------------------------------------------- */


struct cleaning {
	struct text *t;
	uint64_t max_age_ns, now_ns, count;
};

static void
clean(void *context, const struct run_listed *run)
{
	struct cleaning *cleaning = context;
	char path[JOURNAL_PATH];

	if (run->locked || above_u64(cleaning->now_ns, run->look.last_ns) <=
	    cleaning->max_age_ns || run_who_path(environ, run->id, path) < 0 ||
	    journal_remove(path) < 0)
		return;
	if (cleaning->count++ < TOLD_MOST)
		reply_text(cleaning->t, NULL, run->id);
}

/* "24 hours", or "90 min". */
static void
put_message(struct text *t, uint64_t ns)
{
	char line[96], age[TEXT_DURATION_ROOM];
	struct text words;

	text_open(&words, line, sizeof(line));
	text_put(&words, "Cleaned up checkpoints older than ");
	if (ns >= NS_PER_HOUR && ns % NS_PER_HOUR == 0) {
		text_put_u64(&words, ns / NS_PER_HOUR);
		text_put(&words, ns == NS_PER_HOUR ? " hour" : " hours");
	} else {
		text_put(&words, text_format_duration(age, ns));
	}
	reply_text(t, "message", line);
}

bool
answer_is_max_age(const struct request *r)
{
	return request_starts(r, 1, "max_age=");
}

void
answer_clean_runs(const struct request *r, struct text *t)
{
	struct cleaning cleaning = { .t = t,
		.now_ns = (uint64_t)sys_clock_wall() };
	char path[JOURNAL_PATH];
	int error;

	if (text_parse_duration(r->word[1] + 8, &cleaning.max_age_ns) < 0) {
		request_refuse(t, -EINVAL, "'cleanup max_age=' takes a time: "
		    "24h, 90m, 30s");
		return;
	}
	error = run_who_directory(environ, path);
	reply_open_list(t, "removed");
	if (error == 0)
		error = run_list(path, clean, &cleaning);
	if (error < 0 && error != -ENOENT) {
		request_refuse(t, error, "the directory of runs cannot be "
		    "read");
		return;
	}
	reply_close_list(t);
	reply_u64(t, "count", cleaning.count);
	put_message(t, cleaning.max_age_ns);
}
