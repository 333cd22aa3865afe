/*
 * cmd-status.c - `heaptide status`: one process, now
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "live/ask.h"
#include "model/reconcile.h"
#include "profile/reader.h"
#include "report/leaks.h"
#include "runs/runs.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"
#include "symbols/json.h"

struct status_options {
	bool json;
};

static const struct option_row status_rows[] = {
	{ .name = "json", .kind = OPTION_FLAG,
	  .at = offsetof(struct status_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

/* --- what an answer says -------------------------------------------------- */

static uint64_t
number(const json_t *object, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(object, name));

	return n > 0 ? (uint64_t)n : 0;
}

static double
real(const json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

static const char *
text(const json_t *object, const char *name)
{
	const char *value = json_string_value(json_object_get(object, name));

	return value != NULL ? value : "-";
}

/* --- lines ---------------------------------------------------------------- */

static void
print_heap(const struct print *out, const json_t *memory,
    const json_t *progress)
{
	char live[TEXT_BYTES_ROOM], peak[TEXT_BYTES_ROOM];
	char blocks[TEXT_COUNT_ROOM], resident[TEXT_BYTES_ROOM];
	char made[TEXT_COUNT_ROOM];

	print_line(out, PRINT_PLAIN, "  heap        %s in %s blocks, peak %s",
	    text_format_bytes(live, number(memory, "live_bytes")),
	    text_format_count(blocks, number(memory, "live_blocks")),
	    text_format_bytes(peak, number(memory, "peak_bytes")));
	print_line(out, PRINT_PLAIN, "  resident    %s, peak %s",
	    text_format_bytes(resident, number(memory, "resident")),
	    text_format_bytes(peak, number(memory, "resident_peak")));
	print_line(out, PRINT_PLAIN, "  allocated   %s in %s blocks so far",
	    text_format_bytes(live, number(progress, "allocated_bytes")),
	    text_format_count(made, number(progress, "allocations")));
}

static void
print_terms(const struct print *out, const json_t *memory)
{
	const json_t *terms = json_object_get(memory, "terms");
	char bytes[TEXT_BYTES_ROOM], line[256] = "";
	size_t used = 0;

	for (int i = 0; json_is_object(terms) && i < RSS_TERMS; i++) {
		uint64_t n = number(terms, reconcile_names[i]);

		if (n != 0 && used < sizeof(line))
			used += (size_t)snprintf(line + used,
			    sizeof(line) - used, "%s%s %s",
			    used != 0 ? ", " : "", reconcile_names[i],
			    text_format_bytes(bytes, n));
	}
	if (used != 0)
		print_line(out, PRINT_FAINT, "              %s", line);
}

static void
print_growth(const struct print *out, const json_t *memory)
{
	static const struct {
		const char *name, *since;
	} spans[] = {
		{ "minute", "over the last minute" },
		{ "hour", "over the last hour" },
		{ "mark", "since the last mark" },
	};
	const json_t *growth = json_object_get(memory, "growth");

	for (size_t i = 0; i < ARRAY_LENGTH(spans); i++) {
		const json_t *line = json_object_get(growth, spans[i].name);
		bool sure;
		char rate[TEXT_RATE_ROOM];

		if (!json_is_object(line))
			continue;
		sure = real(line, "low") > 0 || real(line, "high") < 0;
		print_line(out, sure ? PRINT_PLAIN : PRINT_FAINT,
		    "  growth      %s %s", sure ? text_format_rate(rate,
		    real(line, "bytes_per_second")) : "none that is sure",
		    spans[i].since);
	}
}

/* What the operation that was active last is at, if there is any. */
static void
print_operation(const struct print *out, const json_t *progress)
{
	const json_t *total = json_object_get(progress, "total");
	char done[TEXT_COUNT_ROOM], all[TEXT_COUNT_ROOM], words[128] = "";
	char time[TEXT_DURATION_ROOM];

	if (!json_is_string(json_object_get(progress, "operation")))
		return;
	if (json_is_integer(total))
		snprintf(words, sizeof(words), " of %s (%.1f %%)",
		    text_format_count(all, number(progress, "total")),
		    real(progress, "percent"));
	print_line(out, PRINT_PLAIN, "  operation   %s: %s%s %ss done, %s "
	    "left", text(progress, "operation"), text_format_count(done,
	    number(progress, "done")), words, text(progress, "unit"),
	    json_is_number(json_object_get(progress, "eta")) ?
	    text_format_duration(time, whole_u64(real(progress, "eta") *
	    (double)NS_PER_S)) : "it is not known how much");
}

/* As a program that asks for its budget is told. */
static void
print_budget(const struct print *out, const json_t *memory)
{
	char budget[TEXT_BYTES_ROOM], used[TEXT_BYTES_ROOM];

	if (!json_is_string(json_object_get(memory, "state")))
		return;
	print_line(out, strcmp(text(memory, "state"), "ok") == 0 ?
	    PRINT_PLAIN : PRINT_WARN, "  budget      %s, %s used: %s",
	    json_is_integer(json_object_get(memory, "budget")) ?
	    text_format_bytes(budget, number(memory, "budget")) : "none",
	    text_format_bytes(used, number(memory, "used")),
	    text(memory, "state"));
}

static void
print_limit(const struct print *out, const json_t *memory)
{
	const json_t *limit = json_object_get(memory, "limit");
	const json_t *left = json_object_get(memory, "limit_in");
	char bytes[TEXT_BYTES_ROOM], room[TEXT_BYTES_ROOM];
	char time[TEXT_DURATION_ROOM];

	if (!json_is_object(limit)) {
		print_line(out, PRINT_PLAIN, "  limit       none");
		return;
	}
	print_line(out, PRINT_PLAIN, "  limit       %s by %s, %s left",
	    text_format_bytes(bytes, number(limit, "bytes")),
	    text(limit, "source"),
	    text_format_bytes(room, number(limit, "available")));
	if (json_is_integer(left))
		print_line(out, PRINT_WARN, "              %s to the limit at "
		    "this rate", text_format_duration(time,
		    number(memory, "limit_in") * NS_PER_S));
}

/* @leaks: the answer to that request, or NULL. */
static void
print_leaks(const struct print *out, const json_t *leaks)
{
	const json_t *heap = json_object_get(leaks, "heap");
	struct judge_brief brief = {
		.growing = number(leaks, "growing"),
		.steps = number(leaks, "steps"),
		.per_second = real(leaks, "bytes_per_hour") / 3600,
	};
	char words[LEAKS_WORDS_ROOM];

	if (strcmp(text(heap, "verdict"), verdict_name(VERDICT_GROWING)) == 0)
		brief.heap = VERDICT_GROWING;
	if (leaks_brief_words(&brief, words))
		print_line(out, PRINT_WARN, "  leaks       %s", words);
}

static void
print_status(const json_t *answer, const json_t *leaks)
{
	struct print out = print_open(stdout);
	const json_t *memory = json_object_get(answer, "memory");
	const json_t *progress = json_object_get(answer, "progress");
	const json_t *configuration = json_object_get(answer, "configuration");
	char time[TEXT_DURATION_ROOM];

	print_line(&out, PRINT_STRONG, "process %lld, %s",
	    (long long)json_integer_value(json_object_get(answer, "pid")),
	    text(answer, "status"));
	print_line(&out, PRINT_PLAIN, "  running     %s, %.1f %% of a CPU",
	    text_format_duration(time, whole_u64(real(progress, "uptime") *
	    (double)NS_PER_S)), real(memory, "cpu_percent"));
	print_heap(&out, memory, progress);
	print_terms(&out, memory);
	print_growth(&out, memory);
	print_operation(&out, progress);
	print_budget(&out, memory);
	print_limit(&out, memory);
	print_leaks(&out, leaks);
	print_line(&out, PRINT_PLAIN, "  stacks      %s%s%s",
	    text(configuration, "stacks"),
	    json_object_get(configuration, "stacks_wanted") != NULL ?
	    ", and as soon as it takes it " : "",
	    json_object_get(configuration, "stacks_wanted") != NULL ?
	    text(configuration, "stacks_wanted") : "");
	if (json_is_string(json_object_get(progress, "mark")))
		print_line(&out, PRINT_PLAIN, "  last mark   '%s', of %llu",
		    text(progress, "mark"), (unsigned long long)
		    number(progress, "epochs"));
}

/* --- a run that no process has -------------------------------------------- */

static int
run_as_json(const struct run_file *file)
{
	const struct json_member members[] = {
		{ "status", json_string(runs_state(file)) },
		{ "progress", runs_json(file) },
		{ "memory", json_pack("{s:o}", "batch_most",
		    json_number(file->look.peak)) },
		{ "configuration", json_pack("{s:o, s:o}",
		    "name", json_text(file->look.begin.name),
		    "unit", json_text(file->look.begin.unit)) },
	};

	return json_print(json_fill(json_head(), members,
	    ARRAY_LENGTH(members)));
}

static int
run_as_text(const struct run_file *file)
{
	char progress[RUNS_PROGRESS_ROOM], bytes[TEXT_BYTES_ROOM];
	struct print out = print_open(stdout);

	print_line(&out, PRINT_STRONG, "run %s, %s", file->id,
	    runs_state(file));
	print_line(&out, PRINT_PLAIN, "  progress    %s %ss, %llu of them "
	    "failed", runs_progress(file, progress), file->look.begin.unit,
	    (unsigned long long)file->look.failed);
	print_line(&out, PRINT_PLAIN, "  batches     %llu, %s at most",
	    (unsigned long long)file->look.batches,
	    text_format_bytes(bytes, file->look.peak));
	print_line(&out, PRINT_PLAIN, "  checkpoint  %llu",
	    (unsigned long long)file->look.mark_number);
	return COMMAND_DONE;
}

/* Its process, if one has it: then that is asked; 0: all was told. */
static int
status_of_run(const char *name, bool json, uint64_t *pid)
{
	struct run_file *file = need(calloc(1, sizeof(*file)));
	char path[PLACE_ROOM], why[512];
	int status = COMMAND_DONE;

	*pid = 0;
	if (runs_look_up(name, file) < 0) {
		print_error("status: '%s' is no process and no run; a pid, or "
		    "a name that 'heaptide checkpoints list' has, is accepted",
		    name);
		status = COMMAND_USAGE;
	} else if (file->locked && profile_find((uint64_t)
	    file->look.holder.pid, path, why) == 0) {
		*pid = (uint64_t)file->look.holder.pid;
	} else {
		status = json ? run_as_json(file) : run_as_text(file);
	}
	free(file);
	return status;
}

static int
status_of(int pid, bool json)
{
	char why[ASK_WHY_ROOM];
	json_t *answer, *leaks;

	answer = ask(pid, "status", why);
	if (answer == NULL || ask_refusal(answer) != NULL) {
		print_error("status: %s", answer == NULL ? why :
		    ask_refusal(answer));
		json_decref(answer);
		return COMMAND_FAILED;
	}
	if (json) {
		json_object_del(answer, "ok");
		return json_print(answer);
	}
	leaks = ask(pid, "leaks 1", why);
	print_status(answer, leaks);
	json_decref(leaks);
	json_decref(answer);
	return COMMAND_DONE;
}

static int
status_run(const void *options, int operands, char **operand)
{
	const struct status_options *o = options;
	int status = COMMAND_DONE;
	uint64_t pid;

	(void)operands;
	if (text_parse_u64(operand[0], INT_MAX, &pid) < 0 || pid == 0)
		status = status_of_run(operand[0], o->json, &pid);
	return pid == 0 ? status : status_of((int)pid, o->json);
}

const struct command command_status = {
	.name = "status",
	.args = "PID|RUN",
	.help = "one process, now",
	.rows = status_rows,
	.options_bytes = sizeof(struct status_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = status_run,
};
