/*
 * cmd-checkpoints.c - `heaptide checkpoints`: what can be gone on with
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "plan/run-who.h"
#include "runs/runs.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"
#include "settings/config.h"
#include "symbols/json.h"
#include "sys/sys.h"

#define NOT_GIVEN UINT64_MAX

struct checkpoints_options {
	uint64_t max_age; /* ns */
	bool keep_failed, dry_run, json;
};

static const struct checkpoints_options checkpoints_defaults = {
	.max_age = NOT_GIVEN,
};

#define AT(member) .at = offsetof(struct checkpoints_options, member)

static const struct option_row checkpoints_rows[] = {
	{ .name = "max-age", .kind = OPTION_DURATION, AT(max_age),
	  .word = "TIME", .help = "clean: what was not written to for longer "
	  "(checkpoint.max_age, 24h)" },
	{ .name = "keep-failed", .kind = OPTION_FLAG, AT(keep_failed),
	  .help = "clean: but for runs that are not finished, or with items "
	  "that failed" },
	{ .name = "dry-run", .kind = OPTION_FLAG, AT(dry_run),
	  .help = "clean: only tell what would go" },
	{ .name = "json", .kind = OPTION_FLAG, AT(json),
	  .help = "print JSON" },
	{ .name = NULL }
};

/* --- list ----------------------------------------------------------------- */

static int
list_json(const struct runs *runs)
{
	json_t *object = json_head(), *data = json_array();

	for (size_t i = 0; i < runs->count; i++)
		if (runs->file[i].error == 0)
			json_array_append_new(data, runs_json(&runs->file[i]));
	json_object_set_new(object, "count",
	    json_integer((json_int_t)json_array_size(data)));
	json_object_set_new(object, "data", data);
	return json_print(object);
}

static int
list(const struct checkpoints_options *o)
{
	const struct print p = print_open(stdout);
	char progress[RUNS_PROGRESS_ROOM];
	struct runs runs;
	size_t n = 0;
	int r = runs_open("checkpoints", &runs);

	if (r != COMMAND_DONE)
		return r;
	for (size_t i = 0; i < runs.count; i++)
		n += runs.file[i].error == 0;
	if (o->json) {
		r = list_json(&runs);
		runs_close(&runs);
		return r;
	}
	printf("Available checkpoints: %zu\n", n);
	for (size_t i = 0; i < runs.count; i++) {
		const struct run_file *file = &runs.file[i];
		double percent = run_look_percent(&file->look);

		if (file->error != 0)
			print_error("checkpoints: %s cannot be read: %s",
			    file->path, file->error == -EBADMSG ?
			    "it is damaged, or no file of checkpoints" :
			    strerror(-file->error));
		else if (percent < 0)
			print_line(&p, PRINT_PLAIN, "- %s: %s (-%%)", file->id,
			    runs_progress(file, progress));
		else
			print_line(&p, PRINT_PLAIN, "- %s: %s (%.0f%%)",
			    file->id, runs_progress(file, progress), percent);
	}
	runs_close(&runs);
	return COMMAND_DONE;
}

/* --- show, failed --------------------------------------------------------- */

#define SHOWN 20 /* marks */

struct marks {
	json_t *list;
	size_t count;
	uint64_t number[SHOWN], time_ns[SHOWN];
	struct journal_mark mark[SHOWN]; /* a ring: the newest */
};

static void
add_mark(void *context, const struct journal_record *record)
{
	struct marks *marks = context;
	size_t i = marks->count++ % SHOWN;
	struct journal_mark *m = &marks->mark[i];

	journal_take(record, m, sizeof(*m));
	marks->number[i] = record->number;
	marks->time_ns[i] = record->time_ns;
	if (marks->list == NULL)
		return;
	const struct json_member members[] = {
		{ "number", json_number(record->number) },
		{ "cursor", json_number(m->cursor) },
		{ "blob_bytes", json_integer(m->blob) },
		{ "written", json_real((double)record->time_ns /
		    (double)NS_PER_S) },
	};

	json_array_append_new(marks->list, json_fill(json_object(), members,
	    ARRAY_LENGTH(members)));
}

static int
show_json(const struct run_file *file)
{
	struct marks marks = { .list = json_array() };
	json_t *object = json_head(), *run = runs_json(file);

	(void)runs_each(file, JOURNAL_MARK, add_mark, &marks);
	json_object_update(object, run);
	json_decref(run);
	json_object_set_new(object, "marks", marks.list);
	return json_print(object);
}

static int
show(const struct checkpoints_options *o, const struct run_file *file)
{
	const struct print p = print_open(stdout);
	const struct run_look *look = &file->look;
	char progress[RUNS_PROGRESS_ROOM], age[TEXT_DURATION_ROOM];
	struct marks marks = { .list = NULL };

	if (o->json)
		return show_json(file);
	(void)runs_each(file, JOURNAL_MARK, add_mark, &marks);
	print_line(&p, PRINT_STRONG, "%s: %s, %s %s done, %u process(es), "
	    "last written to %s ago", file->id, runs_state(file),
	    runs_progress(file, progress), look->begin.unit, look->attempts,
	    text_format_duration(age, runs_age(file)));
	print_line(&p, PRINT_PLAIN, "program  %s", look->begin.program.path);
	if (look->begin.conf[0] != '\0')
		print_line(&p, PRINT_PLAIN, "set      %s", look->begin.conf);
	print_line(&p, PRINT_PLAIN, "batches  %llu of %llu items, last of "
	    "%llu; items that failed: %llu",
	    (unsigned long long)look->batches,
	    (unsigned long long)look->items,
	    (unsigned long long)look->last_n,
	    (unsigned long long)look->failed);
	print_line(&p, PRINT_PLAIN, "checkpoints: %llu%s",
	    (unsigned long long)look->marks, marks.count > SHOWN ?
	    "; the last of them:" : "");
	for (size_t i = marks.count > SHOWN ? marks.count - SHOWN : 0;
	    i < marks.count; i++) {
		size_t k = i % SHOWN;

		print_line(&p, marks.number[k] == look->mark_number ?
		    PRINT_STRONG : PRINT_PLAIN,
		    "  %s@%llu  at %llu, %u bytes with it, %s ago%s", file->id,
		    (unsigned long long)marks.number[k],
		    (unsigned long long)marks.mark[k].cursor,
		    marks.mark[k].blob, text_format_duration(age, above_u64(
		    (uint64_t)sys_clock_wall(), marks.time_ns[k])),
		    marks.number[k] == look->mark_number ? "  <- goes on from "
		    "here" : "");
	}
	return COMMAND_DONE;
}

struct failures {
	json_t *list;
	struct print print;
	struct run_failed is;
	size_t count;
};

static void
put_failure(struct failures *f, const struct span *span,
    const struct journal_fail *fail, bool left_out)
{
	const struct json_member members[] = {
		{ "first", json_number(span->first) },
		{ "count", json_number(span->end - span->first) },
		{ "attempt", json_integer(fail->attempt) },
		{ "reason", json_integer(fail->reason) },
		{ "why", json_text(fail->why) },
		{ "quarantined", json_boolean(left_out) },
	};

	f->count++;
	json_array_append_new(f->list, json_fill(json_object(), members,
	    ARRAY_LENGTH(members)));
	if (f->print.to != NULL)
		print_line(&f->print, PRINT_PLAIN, "%llu-%llu  attempt %u  "
		    "%s%s", (unsigned long long)span->first,
		    (unsigned long long)span->end - 1, fail->attempt,
		    left_out ? "left out: " : "", fail->why);
}

/* Those of its items that were not done since. */
static void
add_failure(void *context, const struct journal_record *record)
{
	struct failures *f = context;
	const bool left_out = record->type == JOURNAL_QUAR;
	const struct spans *s = left_out ? &f->is.quarantined : &f->is.failed;
	struct journal_fail fail;

	journal_take(record, &fail, sizeof(fail));
	fail.why[sizeof(fail.why) - 1] = '\0';
	for (size_t i = 0; i < s->count; i++)
		if (s->at[i].stamp == record->number)
			put_failure(f, &s->at[i], &fail, left_out);
}

static int
failed(const struct checkpoints_options *o, const struct run_file *file)
{
	struct failures f = { .list = json_array() };
	json_t *object;
	int r = runs_failed("checkpoints", file, &f.is);

	if (r == COMMAND_DONE && !o->json)
		f.print = print_open(stdout);
	if (r == COMMAND_DONE) {
		(void)runs_each(file, JOURNAL_FAIL, add_failure, &f);
		(void)runs_each(file, JOURNAL_QUAR, add_failure, &f);
	}
	run_failed_close(&f.is);
	if (r == COMMAND_DONE && o->json) {
		object = json_head();
		json_object_set_new(object, "batchId", json_text(file->id));
		json_object_set(object, "failed", f.list);
		r = json_print(object);
	} else if (r == COMMAND_DONE && f.count == 0) {
		print_line(&f.print, PRINT_GOOD, "nothing failed");
	}
	json_decref(f.list);
	return r;
}

static int
verify(const struct checkpoints_options *o, const struct run_file *file)
{
	return runs_verify(file, o->json);
}

/* --- clean ---------------------------------------------------------------- */

static bool
is_to_go(const struct checkpoints_options *o, const struct run_file *file)
{
	if (file->error != 0 || file->locked || runs_age(file) <= o->max_age)
		return false;
	return !o->keep_failed || (file->look.ended && file->look.ok &&
	    file->look.failed == 0 && file->look.quarantined == 0);
}

/* "24 hours", or "90 min". */
static char *
age_words(char text[TEXT_DURATION_ROOM], uint64_t ns)
{
	if (ns >= NS_PER_HOUR && ns % NS_PER_HOUR == 0)
		snprintf(text, TEXT_DURATION_ROOM, "%llu hour%s",
		    (unsigned long long)(ns / NS_PER_HOUR),
		    ns == NS_PER_HOUR ? "" : "s");
	else
		text_format_duration(text, ns);
	return text;
}

/* As it is configured. */
static int
find_max_age(uint64_t *ns)
{
	char why[CONFIG_WHY_ROOM];
	struct config config;
	int r;

	config_open(&config);
	r = config_read(&config, NULL, why);
	if (r < 0)
		print_error("checkpoints: %s", why);
	else
		r = text_parse_duration(config_get(&config,
		    "checkpoint.max_age"), ns);
	config_close(&config);
	return r < 0 ? COMMAND_USAGE : COMMAND_DONE;
}

static int
clean_older(const struct checkpoints_options *o)
{
	json_t *object = json_head(), *gone = json_array();
	char age[TEXT_DURATION_ROOM];
	struct runs runs;
	int r = runs_open("checkpoints", &runs), status = r;

	for (size_t i = 0; r == COMMAND_DONE && i < runs.count; i++) {
		const struct run_file *file = &runs.file[i];
		int error = 0;

		if (!is_to_go(o, file))
			continue;
		if (!o->dry_run)
			error = journal_remove(file->path);
		/* Somebody has gone on with it just now. */
		if (error == -EBUSY || error == -ENOENT)
			continue;
		if (error < 0) {
			print_error("checkpoints: cannot remove %s: %s",
			    file->path, strerror(-error));
			status = COMMAND_FAILED;
			continue;
		}
		json_array_append_new(gone, json_text(file->id));
		if (o->dry_run && !o->json)
			printf("- %s\n", file->id);
	}
	runs_close(&runs);
	if (r == COMMAND_DONE && o->json) {
		json_object_set_new(object, "removed", gone);
		json_object_set_new(object, "dry_run",
		    json_boolean(o->dry_run));
		r = json_print(object);
		return status != COMMAND_DONE ? status : r;
	}
	if (r == COMMAND_DONE && o->dry_run)
		printf("Would clean up %zu, older than %s\n",
		    json_array_size(gone), age_words(age, o->max_age));
	else if (r == COMMAND_DONE)
		printf("Cleaned up checkpoints older than %s\n",
		    age_words(age, o->max_age));
	json_decref(object);
	json_decref(gone);
	return status;
}

static int
clean(const struct checkpoints_options *o)
{
	struct checkpoints_options is = *o;
	int r = COMMAND_DONE;

	if (is.max_age == NOT_GIVEN)
		r = find_max_age(&is.max_age);
	return r != COMMAND_DONE ? r : clean_older(&is);
}

/* --- which of them -------------------------------------------------------- */

static const struct {
	const char *name;
	int operands;
	int (*all)(const struct checkpoints_options *o);
	int (*one)(const struct checkpoints_options *o,
	    const struct run_file *file);
} actions[] = {
	{ "list", 1, list, NULL },
	{ "show", 2, NULL, show },
	{ "failed", 2, NULL, failed },
	{ "verify", 2, NULL, verify },
	{ "clean", 1, clean, NULL },
};

static int
checkpoints_run(const void *options, int operands, char **operand)
{
	const struct checkpoints_options *o = options;
	struct run_file file;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_LENGTH(actions); i++)
		if (strcmp(actions[i].name, operand[0]) == 0)
			break;
	if (i == ARRAY_LENGTH(actions)) {
		print_error("checkpoints: '%s' is not accepted; list, show, "
		    "failed, verify or clean is", operand[0]);
		return COMMAND_USAGE;
	}
	if (operands != actions[i].operands) {
		print_error(operands < 2 ? "checkpoints: %s needs the name of "
		    "a run; 'heaptide checkpoints list' has them" :
		    "checkpoints: %s takes no operand", operand[0]);
		return COMMAND_USAGE;
	}
	if (actions[i].all != NULL)
		return actions[i].all(o);
	r = runs_find("checkpoints", operand[1], &file, NULL);
	return r != COMMAND_DONE ? r : actions[i].one(o, &file);
}

const struct command command_checkpoints = {
	.name = "checkpoints",
	.args = "list|show|failed|verify|clean [RUN]",
	.help = "runs that can be gone on with, and their checkpoints",
	.rows = checkpoints_rows,
	.defaults = &checkpoints_defaults,
	.options_bytes = sizeof(struct checkpoints_options),
	.operands_least = 1,
	.operands_most = 2,
	.run = checkpoints_run,
};
