/*
 * cmd-leaks.c - `heaptide leaks`: what can be reached by nobody
 */
#include "command.h"
#include "leaks-scan.h"
#include "option.h"
#include "print.h"

struct leaks_options {
	bool scan;
	struct leaks_scan_options of_scan;
};

static const struct option_row leaks_rows[] = {
	{ .name = "scan", .kind = OPTION_FLAG,
	  .at = offsetof(struct leaks_options, scan),
	  .help = "look for blocks that nobody can reach" },
	{ .name = "starts", .kind = OPTION_FLAG,
	  .at = offsetof(struct leaks_options, of_scan.starts),
	  .help = "count pointers to the start of a block alone" },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct leaks_options, of_scan.json),
	  .help = "print JSON, all of it" },
	{ .name = "top", .letter = 'n', .kind = OPTION_COUNT, .word = "N",
	  .at = offsetof(struct leaks_options, of_scan.top),
	  .least = 1, .most = 1000000, .help = "show N sites (10)" },
	{ .name = "debuginfod", .kind = OPTION_FLAG,
	  .at = offsetof(struct leaks_options, of_scan.debuginfod),
	  .help = "ask the servers in DEBUGINFOD_URLS for names" },
	{ .name = NULL }
};

static int
leaks_run(const void *options, int operands, char **operand)
{
	const struct leaks_options *o = options;

	(void)operands;
	if (!o->scan) {
		print_error("leaks: only --scan is known so far");
		return COMMAND_USAGE;
	}
	return leaks_scan(operand[0], &o->of_scan);
}

const struct command command_leaks = {
	.name = "leaks",
	.args = "FILE|PID",
	.help = "what can be reached by nobody any more",
	.rows = leaks_rows,
	.options_bytes = sizeof(struct leaks_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = leaks_run,
};
