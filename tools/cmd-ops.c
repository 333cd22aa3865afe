/*
 * cmd-ops.c - `heaptide ops`: what the operations of a program did
 */
#include "command.h"
#include "json.h"
#include "ops.h"
#include "option.h"
#include "print.h"
#include "reader.h"

struct ops_options {
	bool json;
};

static const struct option_row ops_rows[] = {
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct ops_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

static int
ops_run(const void *options, int operands, char **operand)
{
	const struct ops_options *o = options;
	struct print out = print_open(stdout);
	struct tide_op_stats op[TIDE_OPS];
	struct profile profile;
	int status = COMMAND_DONE;
	char why[512];
	size_t count;

	(void)operands;
	if (profile_open(operand[0], &profile, why) < 0) {
		print_error("ops: %s", why);
		return COMMAND_FAILED;
	}
	count = ops_of(&profile, op);
	if (o->json) {
		json_t *object = json_head();

		json_object_set_new(object, "ops", ops_json(op, count));
		status = json_print(object);
	} else if (count == 0) {
		print_line(&out, PRINT_PLAIN, "it has no operations: "
		    "tide_op_open() of heaptide.h makes one");
	} else {
		ops_print_tables(&out, op, count);
	}
	profile_close(&profile);
	return status;
}

const struct command command_ops = {
	.name = "ops",
	.args = "FILE|PID",
	.help = "what the operations of a program did: batches, bytes, time",
	.rows = ops_rows,
	.options_bytes = sizeof(struct ops_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = ops_run,
};
