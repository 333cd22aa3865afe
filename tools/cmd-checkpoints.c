/*
 * cmd-checkpoints.c - `heaptide checkpoints`: what can be gone on with
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "command.h"
#include "json.h"
#include "need.h"
#include "option.h"
#include "plan/run-who.h"
#include "print.h"
#include "runs.h"
#include "sys/sys.h"

#define HOUR_NS (3600 * NS_PER_S)

struct checkpoints_options {
	uint64_t max_age; /* ns */
	bool keep_failed, dry_run, json;
};

static const struct checkpoints_options checkpoints_defaults = {
	.max_age = 24 * HOUR_NS,
};

#define AT(member) .at = offsetof(struct checkpoints_options, member)

static const struct option_row checkpoints_rows[] = {
	{ .name = "max-age", .kind = OPTION_DURATION, AT(max_age),
	  .word = "TIME", .help = "clean: what was not written to for longer "
	  "(24h)" },
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
	size_t count;
};

static void
add_failure(void *context, const struct journal_record *record)
{
	struct failures *f = context;
	struct journal_fail fail;

	journal_take(record, &fail, sizeof(fail));
	fail.why[sizeof(fail.why) - 1] = '\0';
	if (fail.reason == 0 || fail.count == 0)
		return;
	f->count++;
	if (f->list == NULL) {
		print_line(&f->print, PRINT_PLAIN, "%llu-%llu  attempt %u  %s",
		    (unsigned long long)fail.first,
		    (unsigned long long)(fail.first + fail.count - 1),
		    fail.attempt, fail.why);
		return;
	}
	const struct json_member members[] = {
		{ "first", json_number(fail.first) },
		{ "count", json_number(fail.count) },
		{ "attempt", json_integer(fail.attempt) },
		{ "reason", json_integer(fail.reason) },
		{ "why", json_text(fail.why) },
	};

	json_array_append_new(f->list, json_fill(json_object(), members,
	    ARRAY_LENGTH(members)));
}

static int
failed(const struct checkpoints_options *o, const struct run_file *file)
{
	struct failures f = { .print = print_open(stdout) };
	json_t *object;

	if (o->json)
		f.list = json_array();
	(void)runs_each(file, JOURNAL_FAIL, add_failure, &f);
	if (!o->json) {
		if (f.count == 0)
			print_line(&f.print, PRINT_GOOD, "nothing failed");
		return COMMAND_DONE;
	}
	object = json_head();
	json_object_set_new(object, "batchId", json_text(file->id));
	json_object_set_new(object, "failed", f.list);
	return json_print(object);
}

/* --- verify --------------------------------------------------------------- */

struct verdicts {
	json_t *list;
	struct print print;
	bool json, bad;
};

static void
put_verdict(struct verdicts *v, const char *what, const char *why)
{
	const struct json_member members[] = {
		{ "what", json_text(what) },
		{ "ok", json_boolean(why == NULL) },
		{ "why", why == NULL ? json_null() : json_text(why) },
	};

	v->bad |= why != NULL;
	json_array_append_new(v->list, json_fill(json_object(), members,
	    ARRAY_LENGTH(members)));
	if (!v->json)
		print_line(&v->print, why == NULL ? PRINT_GOOD : PRINT_BAD,
		    "%s: %s", what, why == NULL ? "as it was" : why);
}

static void
judge_file(struct verdicts *v, const struct journal_identity *was)
{
	struct journal_identity is, kept = *was;
	int r;

	kept.path[sizeof(kept.path) - 1] = '\0';
	if (kept.path[0] == '\0') {
		put_verdict(v, "(a file)", "its path was too long to keep");
		return;
	}
	r = run_who_file(kept.path, &is);
	put_verdict(v, kept.path, r == 0 ? run_who_differs(&kept, &is) :
	    r == -ENOENT ? "it is not there" : r == -EINVAL ?
	    "it is no regular file any more" : strerror(-r));
}

static void
add_input(void *context, const struct journal_record *record)
{
	struct journal_identity was;

	journal_take(record, &was, sizeof(was));
	judge_file(context, &was);
}

static int
verify(const struct checkpoints_options *o, const struct run_file *file)
{
	struct verdicts v = { .list = json_array(),
		.print = print_open(stdout), .json = o->json };
	char why[160];
	json_t *object;

	if (file->look.behind > 0 && !file->locked) {
		snprintf(why, sizeof(why), "%s, after %llu bytes; the %llu "
		    "behind do not count", file->look.why != NULL ?
		    file->look.why : "it is torn",
		    (unsigned long long)file->look.bytes,
		    (unsigned long long)file->look.behind);
		put_verdict(&v, file->path, why);
	} else {
		put_verdict(&v, file->path, NULL);
	}
	judge_file(&v, &file->look.begin.program);
	(void)runs_each(file, JOURNAL_INPUT, add_input, &v);
	if (o->json) {
		object = json_head();
		json_object_set_new(object, "batchId", json_text(file->id));
		json_object_set_new(object, "ok", json_boolean(!v.bad));
		json_object_set(object, "verified", v.list);
		(void)json_print(object);
	}
	json_decref(v.list);
	return v.bad ? COMMAND_GATE : COMMAND_DONE;
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
	if (ns >= HOUR_NS && ns % HOUR_NS == 0)
		snprintf(text, TEXT_DURATION_ROOM, "%llu hour%s",
		    (unsigned long long)(ns / HOUR_NS),
		    ns == HOUR_NS ? "" : "s");
	else
		text_format_duration(text, ns);
	return text;
}

static int
clean(const struct checkpoints_options *o)
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
