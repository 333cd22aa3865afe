/*
 * cmd-ops.c - `heaptide ops`: what the operations of a program did
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/commands.h"
#include "ops/account.h"
#include "ops/ops.h"
#include "profile/reader.h"
#include "runs/runs.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"
#include "symbols/json.h"

struct ops_options {
	bool json;
};

static const struct option_row ops_rows[] = {
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct ops_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

/* @count: how many there are.  An exit status; what is wrong was said. */
/* @told: the exit status once they are shown. */
static int
of_profile(const char *what, struct tide_op_stats op[TIDE_OPS], size_t *count,
    int *told)
{
	struct profile profile;
	char why[512];

	if (profile_open(what, &profile, why) < 0) {
		print_error("ops: %s%s", why, runs_neither(what));
		return COMMAND_FAILED;
	}
	*count = ops_of(&profile, op);
	*told = profile_tell_changed(&profile, "ops", COMMAND_DONE);
	profile_close(&profile);
	return COMMAND_DONE;
}

/* Of the process that has it, which knows more; else what its file tells. */
static int
of_run(const char *what, struct tide_op_stats op[TIDE_OPS], size_t *count)
{
	struct run_file *file = need(malloc(sizeof(*file)));
	struct account *account = need(malloc(sizeof(*account)));
	int status = runs_open_meant("ops", what, file);
	char pid[16], not_this[512];
	struct profile profile;

	*count = 0;
	snprintf(pid, sizeof(pid), "%d", (int)file->look.holder.pid);
	if (status == COMMAND_DONE && file->locked &&
	    profile_open(pid, &profile, not_this) >= 0) {
		*count = ops_of(&profile, op);
		profile_close(&profile);
	}
	if (status == COMMAND_DONE && *count == 0) {
		status = account_open("ops", file, account);
		*count = status == COMMAND_DONE ? account->facts.ops : 0;
		memcpy(op, account->op, *count * sizeof(*op));
	}
	free(account);
	free(file);
	return status;
}

static int
ops_run(const void *options, int operands, char **operand)
{
	const struct ops_options *o = options;
	struct print out = print_open(stdout);
	struct tide_op_stats op[TIDE_OPS];
	int status, told = COMMAND_DONE;
	size_t count = 0;

	(void)operands;
	status = runs_meant(operand[0]) ? of_run(operand[0], op, &count) :
	    of_profile(operand[0], op, &count, &told);
	if (status != COMMAND_DONE)
		return status;
	if (o->json) {
		json_t *object = json_head();

		json_object_set_new(object, "ops", ops_json(op, count));
		status = json_print(object);
		return status != COMMAND_DONE ? status : told;
	}
	if (count == 0)
		print_line(&out, PRINT_PLAIN, "it has no operations: "
		    "tide_op_open() of heaptide.h makes one");
	else
		ops_print_tables(&out, op, count);
	return told;
}

const struct command command_ops = {
	.name = "ops",
	.args = "FILE|PID|RUN",
	.help = "what the operations of a program did: batches, bytes, time",
	.rows = ops_rows,
	.options_bytes = sizeof(struct ops_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = ops_run,
};
