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
#include "command.h"
#include "json.h"
#include "need.h"
#include "option.h"
#include "print.h"
#include "runs.h"

struct resume_options {
	bool show, failed, json;
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
	  .help = "with --show: print the items that failed as well" },
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

static bool
is_failure(const struct journal_record *record, struct journal_fail *fail)
{
	journal_take(record, fail, sizeof(*fail));
	return fail->reason != 0 && fail->count != 0;
}

static void
add_range(void *context, const struct journal_record *record)
{
	struct journal_fail fail;

	if (!is_failure(record, &fail))
		return;
	const struct json_member members[] = {
		{ "first", json_number(fail.first) },
		{ "count", json_number(fail.count) },
	};

	json_array_append_new(context, json_fill(json_object(), members,
	    ARRAY_LENGTH(members)));
}

static void
print_range(void *context, const struct journal_record *record)
{
	struct journal_fail fail;

	(void)context;
	if (is_failure(record, &fail))
		printf("  %llu-%llu\n", (unsigned long long)fail.first,
		    (unsigned long long)(fail.first + fail.count - 1));
}

static int
show_json(const struct resume_options *o, const struct run_file *file,
    const struct wanted *w)
{
	const struct run_look *look = &file->look;
	json_t *ranges = json_array();
	const struct json_member options[] = {
		{ "checkpoint", json_number(w->number) },
		{ "cursor", json_number(w->mark.cursor) },
		{ "remaining", remaining(file, w) },
		{ "last_n", json_number(look->last_n) },
		{ "failed", json_number(look->failed) },
		{ "command", json_boolean(look->command) },
	};
	json_t *object = json_head();

	if (o->failed)
		(void)runs_each(file, JOURNAL_FAIL, add_range, ranges);
	json_object_set_new(object, "success", json_true());
	json_object_set_new(object, "batchId", json_text(file->id));
	json_object_set_new(object, "availableOptions",
	    json_fill(json_object(), options, ARRAY_LENGTH(options)));
	if (o->failed)
		json_object_set(object, "failed", ranges);
	json_decref(ranges);
	return json_print(object);
}

static int
show(const struct resume_options *o, const struct run_file *file,
    const struct wanted *w)
{
	const struct run_look *look = &file->look;
	char age[TEXT_DURATION_ROOM];

	if (o->json)
		return show_json(o, file, w);
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
	if (o->failed)
		(void)runs_each(file, JOURNAL_FAIL, print_range, NULL);
	printf("- state: %s\n", runs_state(file));
	return COMMAND_DONE;
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

/* heaptide run -- ARGUMENTS: does not return where that works. */
static int
start(const struct resume_options *o, const struct run_file *file,
    const struct command_line *line, const char *name)
{
	char **argv = need(calloc(line->bytes + 8, sizeof(*argv)));
	char *at = line->text + strlen(line->text) + 1;
	size_t n = put_run(o, argv);
	const size_t options = n;

	for (; at < line->text + line->bytes; at += strlen(at) + 1)
		argv[n++] = at;
	if (n == options) {
		print_error("resume: the command of %s is damaged", file->id);
		return COMMAND_FAILED;
	}
	if (chdir(line->text) != 0) {
		print_error("resume: cannot go to %s, where %s was started: "
		    "%s", line->text, file->id, strerror(errno));
		return COMMAND_FAILED;
	}
	setenv("HEAPTIDE_RESUME", name, 1);
	execv("/proc/self/exe", argv);
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
	if (o->json && !o->show) {
		print_error("resume: --json goes with --show only");
		return COMMAND_USAGE;
	}
	if (o->failed && !o->show) {
		print_error("resume: --failed goes with --show only: how to do "
		    "these items again is for the program to know");
		return COMMAND_USAGE;
	}
	r = runs_find("resume", operand[0], &file, &number);
	if (r == COMMAND_DONE)
		r = find_mark(&file, number, &w);
	if (r != COMMAND_DONE)
		return r;
	if (o->show)
		return show(o, &file, &w);
	if (file.locked) {
		print_error("resume: process %d is at run %s",
		    file.look.holder.pid, file.id);
		return COMMAND_FAILED;
	}
	if (number == 0 && file.look.ended && file.look.ok) {
		print_error("resume: run %s is finished; %s@NUMBER goes on "
		    "from one of its checkpoints", file.id, file.id);
		return COMMAND_FAILED;
	}
	if (!file.look.command) {
		print_error("resume: how run %s was started is not kept "
		    "('heaptide run --keep-command' does); start it with "
		    "HEAPTIDE_RESUME=%s in its environment", file.id,
		    operand[0]);
		return COMMAND_FAILED;
	}
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
