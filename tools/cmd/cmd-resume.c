/*
 * cmd-resume.c - `heaptide resume`: go on with a run
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "batch/cluster.h"
#include "cmd/commands.h"
#include "runs/runs.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"
#include "symbols/json.h"

struct resume_options {
	bool show, failed, quarantined, json;
	const char *retries, *fallback, *retry_delay; /* for run */
};

/* It has failed before: in single items, and patiently. */
static const struct resume_options resume_defaults = {
	.retries = "5",
	.fallback = "1",
	.retry_delay = "10s",
};

static const struct option_row resume_rows[] = {
	{ .name = "show", .kind = OPTION_FLAG,
	  .at = offsetof(struct resume_options, show),
	  .help = "only print from where it would go on" },
	{ .name = "failed", .kind = OPTION_FLAG,
	  .at = offsetof(struct resume_options, failed),
	  .help = "do again only what failed and was not done since" },
	{ .name = "quarantined", .kind = OPTION_FLAG,
	  .at = offsetof(struct resume_options, quarantined),
	  .help = "with --failed: and what is left out" },
	{ .name = "json", .kind = OPTION_FLAG,
	  .at = offsetof(struct resume_options, json),
	  .help = "with --show: print JSON" },
	{ .name = "retries", .kind = OPTION_TEXT,
	  .at = offsetof(struct resume_options, retries), .word = "N",
	  .help = "as of run (5)" },
	{ .name = "fallback", .kind = OPTION_TEXT,
	  .at = offsetof(struct resume_options, fallback), .word = "N",
	  .help = "as of run (1)" },
	{ .name = "retry-delay", .kind = OPTION_TEXT,
	  .at = offsetof(struct resume_options, retry_delay), .word = "TIME",
	  .help = "as of run (10s)" },
	{ .name = NULL }
};

/* --- the mark that is asked for ------------------------------------------- */

struct wanted {
	uint64_t number;
	struct journal_mark mark;
	bool found;
};

static void
look_for(void *context, const struct journal_record *record)
{
	struct wanted *w = context;

	if (record->number != w->number)
		return;
	journal_take(record, &w->mark, sizeof(w->mark));
	w->found = true;
}

static int
find_mark(const struct run_file *file, uint64_t number, struct wanted *w)
{
	memset(w, 0, sizeof(*w));
	w->number = number != 0 ? number : file->look.mark_number;
	w->mark = file->look.mark;
	if (number == 0)
		return COMMAND_DONE;
	(void)runs_each(file, JOURNAL_MARK, look_for, w);
	if (w->found)
		return COMMAND_DONE;
	print_error("resume: run %s has no checkpoint %llu; 'heaptide "
	    "checkpoints show %s' has their numbers", file->id,
	    (unsigned long long)number, file->id);
	return COMMAND_FAILED;
}

/* --- show ----------------------------------------------------------------- */

static json_t *
remaining(const struct run_file *file, const struct wanted *w)
{
	return file->look.total == TIDE_NONE ? json_null() :
	    json_number(above_u64(file->look.total, w->mark.cursor));
}

/* What would be done again; in @failed, nothing else. */
static int
find_failed(const struct resume_options *o, const struct run_file *file,
    struct run_failed *failed)
{
	int r = runs_failed("resume", file, failed);

	if (r != COMMAND_DONE)
		return r;
	if (run_failed_to_redo(failed) < 0)
		exit(COMMAND_FAILED);
	for (size_t i = 0; o->quarantined && i < failed->quarantined.count;
	    i++)
		(void)spans_put(&failed->failed,
		    failed->quarantined.at[i].first,
		    failed->quarantined.at[i].end, 0);
	return COMMAND_DONE;
}

static json_t *
ranges_json(const struct spans *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->count; i++) {
		const struct json_member members[] = {
			{ "first", json_number(s->at[i].first) },
			{ "count", json_number(s->at[i].end -
			    s->at[i].first) },
		};

		json_array_append_new(list, json_fill(json_object(), members,
		    ARRAY_LENGTH(members)));
	}
	return list;
}

static int
show_json(const struct resume_options *o, const struct run_file *file,
    const struct wanted *w, const struct run_failed *failed)
{
	const struct run_look *look = &file->look;
	const struct json_member options[] = {
		{ "checkpoint", json_number(w->number) },
		{ "cursor", json_number(w->mark.cursor) },
		{ "remaining", remaining(file, w) },
		{ "last_n", json_number(look->last_n) },
		{ "failed", json_number(look->failed) },
		{ "quarantined", json_number(look->quarantined) },
		{ "command", json_boolean(look->command) },
	};
	json_t *object = json_head();

	json_object_set_new(object, "success", json_true());
	json_object_set_new(object, "batchId", json_text(file->id));
	json_object_set_new(object, "availableOptions",
	    json_fill(json_object(), options, ARRAY_LENGTH(options)));
	if (o->failed)
		json_object_set_new(object, "failed",
		    ranges_json(&failed->failed));
	return json_print(object);
}

static int
show_text(const struct resume_options *o, const struct run_file *file,
    const struct wanted *w, const struct run_failed *failed)
{
	const struct run_look *look = &file->look;
	char age[TEXT_DURATION_ROOM];

	printf("Resume options:\n");
	if (w->number != 0)
		printf("- from: checkpoint %llu (%s@%llu)\n",
		    (unsigned long long)w->number, file->id,
		    (unsigned long long)w->number);
	else
		printf("- from: the start, as there is no checkpoint yet\n");
	printf("- cursor: %llu\n", (unsigned long long)w->mark.cursor);
	if (look->total != TIDE_NONE)
		printf("- remaining: %llu %s\n", (unsigned long long)above_u64(
		    look->total, w->mark.cursor), look->begin.unit);
	printf("- last batch: %llu %s\n", (unsigned long long)look->last_n,
	    look->begin.unit);
	if (look->model_ns != 0)
		printf("- model: learned until %s before the last word\n",
		    text_format_duration(age, above_u64(look->last_ns,
		    look->model_ns)));
	printf("- failed items: %llu ('heaptide checkpoints failed %s')\n",
	    (unsigned long long)look->failed, file->id);
	for (size_t i = 0; o->failed && i < failed->failed.count; i++)
		printf("  %llu-%llu\n",
		    (unsigned long long)failed->failed.at[i].first,
		    (unsigned long long)failed->failed.at[i].end - 1);
	if (look->quarantined > 0)
		printf("- left out: %llu %s\n",
		    (unsigned long long)look->quarantined, look->begin.unit);
	printf("- state: %s\n", runs_state(file));
	return COMMAND_DONE;
}

static int
show(const struct resume_options *o, const struct run_file *file,
    const struct wanted *w)
{
	struct run_failed failed;
	int r = find_failed(o, file, &failed);

	if (r == COMMAND_DONE)
		r = o->json ? show_json(o, file, w, &failed) :
		    show_text(o, file, w, &failed);
	run_failed_close(&failed);
	return r;
}

/* --- go on ---------------------------------------------------------------- */

struct command_line {
	char *text; /* the directory, and the arguments behind it */
	size_t bytes;
};

static void
take_command(void *context, const struct journal_record *record)
{
	struct command_line *line = context;

	free(line->text);
	line->bytes = record->bytes;
	line->text = need(malloc(line->bytes + 1));
	memcpy(line->text, record->payload, line->bytes);
	line->text[line->bytes] = '\0';
}

/* What the program finds in its environment. */
static void
set_wishes(const struct resume_options *o)
{
	if (o->failed)
		setenv("HEAPTIDE_RESUME_FAILED", o->quarantined ? "all" : "1",
		    1);
	else
		unsetenv("HEAPTIDE_RESUME_FAILED");
}

/* heaptide run [retries] -- */
static size_t
put_run(const struct resume_options *o, char **argv)
{
	size_t n = 0;

	argv[n++] = need_text("heaptide");
	argv[n++] = need_text("run");
	argv[n++] = need_text("--retries=%s", o->retries);
	argv[n++] = need_text("--fallback=%s", o->fallback);
	argv[n++] = need_text("--retry-delay=%s", o->retry_delay);
	argv[n++] = need_text("--");
	return n;
}

/* A batch is heaptide itself, and needs nobody around it. */
static bool
is_batch(const char *at, const char *end)
{
	const char *second = at + strlen(at) + 1;
	const char *name = strrchr(at, '/');

	return strcmp(name != NULL ? name + 1 : at, "heaptide") == 0 &&
	    second < end && strcmp(second, "batch") == 0;
}

/* heaptide run -- ARGUMENTS: does not return where that works. */
static int
start(const struct resume_options *o, const struct run_file *file,
    const struct command_line *line, const char *name)
{
	char **argv = need(calloc(line->bytes + 8, sizeof(*argv)));
	char *at = line->text + strlen(line->text) + 1;
	char *end = line->text + line->bytes;
	size_t n = 0;

	if (at >= end) {
		print_error("resume: the command of %s is damaged", file->id);
		return COMMAND_FAILED;
	}
	if (!is_batch(at, end))
		n = put_run(o, argv);
	for (; at < end; at += strlen(at) + 1)
		argv[n++] = at;
	if (chdir(line->text) != 0) {
		print_error("resume: cannot go to %s, where %s was started: "
		    "%s", line->text, file->id, strerror(errno));
		return COMMAND_FAILED;
	}
	setenv("HEAPTIDE_RESUME", name, 1);
	set_wishes(o);
	execv("/proc/self/exe", argv);
	print_error("resume: cannot start heaptide: %s", strerror(errno));
	return COMMAND_FAILED;
}

/* Options that contradict each other; false: refused. */
static bool
check_options(const struct resume_options *o, uint64_t number)
{
	if (o->json && !o->show)
		print_error("resume: --json goes with --show only");
	else if (o->quarantined && !o->failed)
		print_error("resume: --quarantined goes with --failed only");
	else if (o->failed && number != 0)
		print_error("resume: --failed does again what failed of a "
		    "whole run: give RUN, and no checkpoint of it");
	else
		return true;
	return false;
}

/* True: there is something to do; else it was said why not, in @status. */
static bool
is_anything_to_do(const struct resume_options *o, const struct run_file *file,
    int *status)
{
	struct run_failed failed;
	uint64_t items;

	*status = find_failed(o, file, &failed);
	items = spans_items(&failed.failed);
	run_failed_close(&failed);
	if (*status != COMMAND_DONE)
		return false;
	if (items == 0 && file->look.failed > 0)
		printf("what failed of %s lies behind its last checkpoint: "
		    "'heaptide resume %s' does it again\n", file->id,
		    file->id);
	else if (items == 0)
		printf("nothing failed of %s\n", file->id);
	return items > 0;
}

/* May it be started, and is there a way?  An exit status. */
static int
check_state(const struct run_file *file, const char *name, bool over)
{
	if (file->locked)
		print_error("resume: process %d is at run %s",
		    file->look.holder.pid, file->id);
	else if (over)
		print_error("resume: run %s is finished; %s@NUMBER goes on "
		    "from one of its checkpoints", file->id, file->id);
	else if (!file->look.command)
		print_error("resume: how run %s was started is not kept "
		    "('heaptide run --keep-command' does); start it with "
		    "HEAPTIDE_RESUME=%s in its environment", file->id, name);
	else
		return COMMAND_DONE;
	return COMMAND_FAILED;
}

/* A batch whose jobs are tasks of a Slurm array. */
static int
resume_cluster(const struct resume_options *o, char *run)
{
	const char *const argv[] = { "heaptide", "batch", "--engine=slurm",
		"--resume", run, NULL };

	if (!check_options(o, 0))
		return COMMAND_USAGE;
	if (o->failed) {
		print_error("resume: --failed is not for %s, which runs on a "
		    "cluster: its joblog and 'heaptide batch --retry-failed' "
		    "do that", run);
		return COMMAND_USAGE;
	}
	if (o->show)
		return cluster_show(run, o->json);
	execv("/proc/self/exe", (char *const *)argv);
	print_error("resume: cannot start heaptide: %s", strerror(errno));
	return COMMAND_FAILED;
}

static int
resume_run(const void *options, int operands, char **operand)
{
	const struct resume_options *o = options;
	struct command_line line = { NULL, 0 };
	struct run_file file;
	struct wanted w;
	uint64_t number;
	int r;

	(void)operands;
	if (cluster_is_run(operand[0]))
		return resume_cluster(o, operand[0]);
	r = runs_find("resume", operand[0], &file, &number);
	if (r == COMMAND_USAGE || !check_options(o, number))
		return COMMAND_USAGE;
	if (r == COMMAND_DONE)
		r = find_mark(&file, number, &w);
	if (r != COMMAND_DONE)
		return r;
	if (o->show)
		return show(o, &file, &w);
	if (o->failed && !file.locked && !is_anything_to_do(o, &file, &r))
		return r;
	r = check_state(&file, operand[0], number == 0 && !o->failed &&
	    file.look.ended && file.look.ok);
	if (r != COMMAND_DONE)
		return r;
	(void)runs_each(&file, JOURNAL_COMMAND, take_command, &line);
	return start(o, &file, &line, operand[0]);
}

const struct command command_resume = {
	.name = "resume",
	.args = "RUN[@NUMBER]",
	.help = "go on with a run, from its last checkpoint or another",
	.rows = resume_rows,
	.defaults = &resume_defaults,
	.options_bytes = sizeof(struct resume_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = resume_run,
};
