/*
 * cmd-diff.c - `heaptide diff`: what grew from one profile to another
 */
#include "cmd/commands.h"
#include "diff/diff.h"
#include "say/option.h"

#define CALLERS_DEFAULT 3

#define AT(member) .at = offsetof(struct diff_options, member)

static const struct option_row diff_rows[] = {
	{ .name = "top", .letter = 'n', .kind = OPTION_COUNT, AT(top),
	  .word = "N", .least = 1, .most = 1000000,
	  .help = "show N sites (10; in JSON all)" },
	{ .name = "shrunk", .kind = OPTION_FLAG, AT(shrunk),
	  .help = "show what shrank, not what grew" },
	{ .name = "per", .kind = OPTION_COUNT, AT(per), .word = "N",
	  .least = 1,
	  .help = "N batches lie between A and B (as many as marks)" },
	{ .name = "callers", .letter = 'c', .kind = OPTION_COUNT,
	  AT(callers), .word = "N", .most = 1000000,
	  .help = "show N callers of a site in text (3)" },
	{ .name = "debuginfod", .kind = OPTION_FLAG, AT(debuginfod),
	  .help = "ask DEBUGINFOD_URLS for debug files" },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG, AT(json),
	  .help = "print JSON, all of it" },
	{ .name = NULL }
};

static const struct diff_options diff_defaults = {
	.callers = CALLERS_DEFAULT,
};

static int
diff_run(const void *options, int operands, char **operand)
{
	const struct diff_options *o = options;
	int status = COMMAND_FAILED;
	struct diff d;

	(void)operands;
	if (diff_open(&d, o, operand)) {
		status = COMMAND_DONE;
		if (o->json)
			status = diff_print_json(&d);
		else
			diff_print_text(&d);
		for (int i = 0; i < 2; i++)
			status = profile_tell_changed(&d.side[i].profile,
			    "diff", status);
	}
	diff_close(&d);
	return status;
}

const struct command command_diff = {
	.name = "diff",
	.args = "FILE|PID[@MARK] FILE|PID[@MARK]",
	.help = "print what grew between two profiles or marks",
	.rows = diff_rows,
	.defaults = &diff_defaults,
	.options_bytes = sizeof(struct diff_options),
	.operands_least = 2,
	.operands_most = 2,
	.run = diff_run,
};
