/*
 * cmd-ctl.c - `heaptide ctl` and `heaptide mark`: a request, and its answer
 */
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/commands.h"
#include "control/mark.h"
#include "live/ask.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"

struct ctl_options {
	bool json;
};

static const struct option_row ctl_rows[] = {
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct ctl_options, json),
	  .help = "print JSON, as it does in any case" },
	{ .name = NULL }
};

static const struct option_row mark_rows[] = {
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct ctl_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

/* 0: it is none, and that has been said. */
static int
read_pid(const char *command, const char *text)
{
	uint64_t pid;

	if (text_parse_u64(text, INT_MAX, &pid) == 0 && pid != 0)
		return (int)pid;
	print_error("%s: '%s' is no process; a pid is accepted", command,
	    text);
	return 0;
}

static char *
join(int words, char **word)
{
	char *line = need_text("%s", word[0]);

	for (int i = 1; i < words; i++) {
		char *longer = need_text("%s %s", line, word[i]);

		free(line);
		line = longer;
	}
	return line;
}

/* --- ctl ------------------------------------------------------------------ */

struct printing {
	bool refused;
};

static bool
print_answer(void *context, const char *line)
{
	struct printing *p = context;

	p->refused = strncmp(line, "{\"ok\":true", 10) != 0;
	fputs(line, stdout);
	return fflush(stdout) == 0;
}

static int
ctl_run(const void *options, int operands, char **operand)
{
	struct printing p = { .refused = true };
	char why[ASK_WHY_ROOM];
	char *line;
	int pid, r;

	(void)options;
	pid = read_pid("ctl", operand[0]);
	if (pid == 0)
		return COMMAND_USAGE;
	line = join(operands - 1, operand + 1);
	r = ask_on(pid, line, print_answer, &p, why);
	free(line);
	if (r < 0) {
		print_error("ctl: %s", why);
		return COMMAND_FAILED;
	}
	return p.refused ? COMMAND_GATE : COMMAND_DONE;
}

const struct command command_ctl = {
	.name = "ctl",
	.args = "PID REQUEST...",
	.help = "put a request to a process and print the answer; "
	"'ctl PID help'",
	.rows = ctl_rows,
	.options_bytes = sizeof(struct ctl_options),
	.operands_least = 2,
	.operands_most = -1,
	.operands_end = true,
	.run = ctl_run,
};

/* --- mark ----------------------------------------------------------------- */

/* @answer: to the request, on success. */
static int
print_mark(int pid, const char *name, const json_t *answer, bool json)
{
	json_t *number = json_object_get(answer, "number");
	struct print out = print_open(stdout);
	json_t *o;

	if (json) {
		o = json_head();
		json_object_set_new(o, "pid", json_integer(pid));
		json_object_set_new(o, "mark", json_text(name));
		json_object_set(o, "number", number);
		json_object_set(o, "epochs", json_object_get(answer,
		    "epochs"));
		return json_print(o);
	}
	print_line(&out, PRINT_PLAIN, "mark '%s' set, number %lld", name,
	    (long long)json_integer_value(number));
	return COMMAND_DONE;
}

static int
mark_run(const void *options, int operands, char **operand)
{
	const struct ctl_options *o = options;
	char why[ASK_WHY_ROOM];
	char *name, *request;
	json_t *answer;
	int pid, status = COMMAND_FAILED;

	pid = read_pid("mark", operand[0]);
	if (pid == 0)
		return COMMAND_USAGE;
	name = join(operands - 1, operand + 1);
	request = need_text("mark %s", name);
	answer = ask(pid, request, why);
	if (answer == NULL) {
		print_error("mark: %s", why);
	} else if (ask_refusal(answer) != NULL) {
		print_error("mark: '%s' is not accepted: %s", name,
		    ask_refusal(answer));
		status = COMMAND_USAGE;
	} else {
		status = print_mark(pid, name, answer, o->json);
	}
	json_decref(answer);
	free(request);
	free(name);
	return status;
}

const struct command command_mark = {
	.name = "mark",
	.args = "PID NAME",
	.help = "set a mark: from here on, growth is counted anew",
	.rows = mark_rows,
	.options_bytes = sizeof(struct ctl_options),
	.operands_least = 2,
	.operands_most = -1,
	.run = mark_run,
};
