/*
 * cmd-leaks.c - `heaptide leaks`: what keeps growing, since when, how sure
 */
#include "cmd/commands.h"
#include "report/leaks-scan.h"
#include "report/leaks.h"
#include "say/option.h"
#include "say/print.h"

#define AT(member) .at = offsetof(struct leaks_options, member)

static const struct option_row leaks_rows[] = {
	{ .name = "all", .letter = 'a', .kind = OPTION_FLAG, AT(all),
	  .help = "show all sites, those as well of which nothing can be "
	  "said" },
	{ .name = "top", .letter = 'n', .kind = OPTION_COUNT, AT(top),
	  .word = "N", .least = 1, .most = 1000000,
	  .help = "show N sites (10; in JSON all)" },
	{ .name = "callers", .letter = 'c', .kind = OPTION_COUNT,
	  AT(callers), .word = "N", .most = 1000000,
	  .help = "show N callers of a site in text (5)" },
	{ .name = "since", .kind = OPTION_TEXT, AT(since), .word = "MARK",
	  .help = "judge by what has happened since that mark" },
	{ .name = "warmup", .kind = OPTION_COUNT, AT(warmup), .word = "N",
	  .most = 1000000,
	  .help = "leave the first N epochs out (as many as it takes)" },
	{ .name = "effect", .kind = OPTION_SHARE, AT(effect), .word = "PCT",
	  .help = "tell what comes to less of a budget that is set later, as "
	  "too little to matter (2%)" },
	{ .name = "suppressions", .kind = OPTION_LIST, AT(suppressions),
	  .word = "FILE",
	  .help = "leave out what matches a line of it, 'leak:PATTERN'" },
	{ .name = "no-built-in", .kind = OPTION_FLAG, AT(plain),
	  .help = "do not leave out what libc is known to take once" },
	{ .name = "scan", .kind = OPTION_FLAG, AT(scan),
	  .help = "look for blocks that nobody can reach" },
	{ .name = "starts", .kind = OPTION_FLAG, AT(starts),
	  .help = "with --scan: count pointers to the start of a block "
	  "alone" },
	{ .name = "debuginfod", .kind = OPTION_FLAG, AT(debuginfod),
	  .help = "ask DEBUGINFOD_URLS for debug files" },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG, AT(json),
	  .help = "print JSON, with all sites that can be judged" },
	{ .name = NULL }
};

static const struct leaks_options leaks_defaults = {
	.callers = 5,
	.warmup = UINT64_MAX,
};

static int
scan(const struct leaks_options *o, const char *what)
{
	const struct leaks_scan_options of_scan = {
		.json = o->json,
		.starts = o->starts,
		.debuginfod = o->debuginfod,
		.top = o->top,
	};

	return leaks_scan(what, &of_scan);
}

static int
leaks_run(const void *options, int operands, char **operand)
{
	const struct leaks_options *o = options;
	int status = COMMAND_FAILED;
	struct profile profile;
	struct leaks l;
	char why[512];

	(void)operands;
	if (o->scan)
		return scan(o, operand[0]);
	if (profile_open(operand[0], &profile, why) < 0) {
		print_error("leaks: %s", why);
		return COMMAND_FAILED;
	}
	if (leaks_open(&l, &profile, o, "leaks")) {
		status = COMMAND_DONE;
		if (o->json)
			status = leaks_print_json(&l);
		else
			leaks_print_text(&l);
	}
	leaks_close(&l);
	status = profile_tell_changed(&profile, "leaks", status);
	profile_close(&profile);
	return status;
}

const struct command command_leaks = {
	.name = "leaks",
	.args = "FILE|PID",
	.help = "say what keeps growing, since when, and how sure that is",
	.rows = leaks_rows,
	.defaults = &leaks_defaults,
	.options_bytes = sizeof(struct leaks_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = leaks_run,
};
