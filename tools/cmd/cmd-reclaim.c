/*
 * cmd-reclaim.c - `heaptide reclaim`: have a process give memory back
 *
 * Two things may be had of it: the cleanups that it has registered, if it asks
 * for its budget, and with them its allocator's purge; else that purge alone.
 * The process does either when it comes by, which is waited for a while.
 */
#include <jansson.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "live/ask.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"
#include "symbols/json.h"
#include "sys/sys.h"

#define TRIM_WAIT_NS (2 * NS_PER_S)
#define TRIM_NAP_NS  (20 * NS_PER_MS)

struct reclaim_options {
	bool json;
	int level; /* of levels; -1: as its state is */
};

static const char *const levels[] = {
	"warning", "critical", "exhausted", NULL
};

static const struct reclaim_options reclaim_defaults = { .level = -1 };

static const struct option_row reclaim_rows[] = {
	{ .name = "level", .letter = 'l', .kind = OPTION_CHOICE,
	  .at = offsetof(struct reclaim_options, level), .choices = levels,
	  .help = "up to which class of cleanups; by default as its state "
	  "is, but at least critical" },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct reclaim_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

struct outcome {
	int pid;
	uint64_t before, after; /* resident */
	json_t *cleanup;        /* NULL: it does not ask for its budget */
	bool trimmed;           /* a trim was asked for */
	bool trim_waits;
};

/* The answer; NULL: there is none, and that was said. */
static json_t *
ask_or_say(int pid, const char *request)
{
	char why[ASK_WHY_ROOM];
	json_t *answer = ask(pid, request, why);

	if (answer == NULL)
		print_error("reclaim: %s", why);
	return answer;
}

static uint64_t
number_of(const json_t *answer, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(answer, name));

	return n > 0 ? (uint64_t)n : 0;
}

static bool
read_resident(int pid, uint64_t *resident)
{
	json_t *answer = ask_or_say(pid, "memory");

	if (answer == NULL)
		return false;
	*resident = number_of(answer, "resident");
	json_decref(answer);
	return true;
}

static bool
clean_up(struct outcome *o, int level)
{
	char *request = level < 0 ? need_text("cleanup") :
	    need_text("cleanup %s", levels[level]);
	const char *error;
	json_t *answer;

	answer = ask_or_say(o->pid, request);
	free(request);
	if (answer == NULL)
		return false;
	if (ask_refusal(answer) == NULL) {
		o->cleanup = answer;
		return true;
	}
	error = json_string_value(json_object_get(answer, "error"));
	if (error == NULL || strcmp(error, "ENODEV") != 0) {
		print_error("reclaim: process %d refuses: %s", o->pid,
		    ask_refusal(answer));
		json_decref(answer);
		return false;
	}
	json_decref(answer);
	return true;
}

static bool
waits(const struct outcome *o)
{
	return json_is_true(json_object_get(o->cleanup, "waits"));
}

/* Until it is done, or has been waited for long enough. */
static bool
trim(struct outcome *o)
{
	json_t *answer = ask_or_say(o->pid, "trim");
	uint64_t wanted = number_of(answer, "trims_wanted");
	uint64_t until_ns = sys_clock() + TRIM_WAIT_NS;

	o->trimmed = true;
	o->trim_waits = true;
	while (answer != NULL) {
		o->trim_waits = number_of(answer, "trims_done") < wanted;
		json_decref(answer);
		if (!o->trim_waits || sys_clock() >= until_ns)
			return true;
		sys_sleep(TRIM_NAP_NS);
		answer = ask_or_say(o->pid, "trim last");
	}
	return false;
}

static int
print_as_json(const struct outcome *o)
{
	static const char *const members[] = { "waits", "callbacks", "blocks",
		"freed", "returned", "seconds" };
	json_t *root = json_head(), *cleanup = json_null();
	size_t i;

	if (o->cleanup != NULL)
		cleanup = json_object();
	for (i = 0; o->cleanup != NULL && i < ARRAY_LENGTH(members); i++)
		/* What waits has brought nothing yet. */
		if (i == 0 || !waits(o))
			json_object_set(cleanup, members[i],
			    json_object_get(o->cleanup, members[i]));
	json_object_set_new(root, "pid", json_integer(o->pid));
	json_object_set_new(root, "cleanup", cleanup);
	json_object_set_new(root, "trim", !o->trimmed ? json_null() :
	    json_pack("{s:b}", "waits", o->trim_waits));
	json_object_set_new(root, "resident_before", json_number(o->before));
	json_object_set_new(root, "resident", json_number(o->after));
	json_object_set_new(root, "returned",
	    json_number(above_u64(o->before, o->after)));
	return json_print(root);
}

static void
print_cleanup(const struct print *p, const struct outcome *o)
{
	char freed[TEXT_BYTES_ROOM], blocks[TEXT_COUNT_ROOM];

	if (o->cleanup == NULL)
		print_line(p, PRINT_FAINT, "%s",
		    "cleanup   none: it does not ask for its budget");
	else if (waits(o))
		print_line(p, PRINT_WARN, "%s", "cleanup   waits for its next "
		    "call of tide_*()");
	else
		print_line(p, PRINT_PLAIN, "cleanup   %s in %s blocks freed "
		    "by %llu callbacks, %.1f ms",
		    text_format_bytes(freed, number_of(o->cleanup, "freed")),
		    text_format_count(blocks, number_of(o->cleanup, "blocks")),
		    (unsigned long long)number_of(o->cleanup, "callbacks"),
		    1000 * json_number_value(json_object_get(o->cleanup,
		    "seconds")));
}

static int
print_as_text(const struct outcome *o)
{
	char before[TEXT_BYTES_ROOM], after[TEXT_BYTES_ROOM];
	char returned[TEXT_BYTES_ROOM];
	struct print p = print_open(stdout);

	print_cleanup(&p, o);
	if (o->trimmed)
		print_line(&p, o->trim_waits ? PRINT_WARN : PRINT_PLAIN, "%s",
		    o->trim_waits ? "trim      waits for its next allocation" :
		    "trim      done, or its allocator cannot");
	print_line(&p, PRINT_STRONG, "resident  %s, was %s: %s returned",
	    text_format_bytes(after, o->after),
	    text_format_bytes(before, o->before),
	    text_format_bytes(returned, above_u64(o->before, o->after)));
	return COMMAND_DONE;
}

static int
reclaim_run(const void *options, int operands, char **operand)
{
	const struct reclaim_options *opt = options;
	struct outcome o = { .pid = 0 };
	int status = COMMAND_FAILED;
	bool carried_out;
	uint64_t pid;

	(void)operands;
	if (text_parse_u64(operand[0], INT_MAX, &pid) < 0 || pid == 0) {
		print_error("reclaim: '%s' is no process; a pid is accepted",
		    operand[0]);
		return COMMAND_USAGE;
	}
	o.pid = (int)pid;
	if (!read_resident(o.pid, &o.before) || !clean_up(&o, opt->level))
		goto out;
	/* What cleans up purges as well. */
	carried_out = o.cleanup != NULL && !waits(&o);
	if (!carried_out && !trim(&o))
		goto out;
	if (!read_resident(o.pid, &o.after))
		goto out;
	status = opt->json ? print_as_json(&o) : print_as_text(&o);
	if (status == COMMAND_DONE && !carried_out && o.trim_waits)
		status = COMMAND_GATE;
out:
	json_decref(o.cleanup);
	return status;
}

const struct command command_reclaim = {
	.name = "reclaim",
	.args = "PID",
	.help = "have a process give up what it can, and its allocator give "
	"back",
	.rows = reclaim_rows,
	.defaults = &reclaim_defaults,
	.options_bytes = sizeof(struct reclaim_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = reclaim_run,
};
