/*
 * cmd-report.c - `heaptide report`: who holds the memory
 *
 * Three forms of the same: text for a person, what is wanted first first; JSON,
 * where nothing is left out; and a page that a browser shows.  Of a run, which
 * may have had many processes: how its work went.
 */
#include <stdlib.h>

#include "cmd/commands.h"
#include "ops/account.h"
#include "profile/reader.h"
#include "report/page.h"
#include "report/report.h"
#include "runs/runs.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"

#define CALLERS_DEFAULT 8 /* of a site, in text */

/* What is of sites and threads only is not of a run. */
static int
refuse_of_run(const struct report_options *o)
{
	const char *option = o->html != NULL ? "--html" : o->page ? "--page" :
	    o->verify ? "--verify" : o->top != 0 ? "--top" :
	    o->threads ? "--threads" : o->full ? "--full" : NULL;

	if (option == NULL)
		return COMMAND_DONE;
	print_error("report: %s is for a profile; of a run --json is accepted",
	    option);
	return COMMAND_USAGE;
}

static int
report_of_run(const struct report_options *o, const char *name)
{
	struct run_file *file = need(malloc(sizeof(*file)));
	struct account *account = need(malloc(sizeof(*account)));
	int status = refuse_of_run(o);

	if (status == COMMAND_DONE)
		status = runs_open_meant("report", name, file);
	if (status == COMMAND_DONE)
		status = account_open("report", file, account);
	if (status == COMMAND_DONE && o->json)
		status = account_print_json(account);
	else if (status == COMMAND_DONE)
		account_print(account);
	free(account);
	free(file);
	return status;
}

static int
report_run(const void *options, int operands, char **operand)
{
	const struct report_options *o = options;
	int status = COMMAND_DONE;
	struct profile profile;
	struct report r;
	char why[512];

	(void)operands;
	if (runs_meant(operand[0]))
		return report_of_run(o, operand[0]);
	if (profile_open(operand[0], &profile, why) < 0) {
		print_error("report: %s%s", why, runs_neither(operand[0]));
		return COMMAND_FAILED;
	}
	report_open(&r, &profile, o);
	if (o->verify)
		status = report_verify(&r);
	else if (o->html != NULL)
		status = page_print(&r, o->html);
	else if (o->page)
		status = json_print(page_json(&r));
	else if (o->json)
		status = report_print_json(&r);
	else
		report_print_text(&r);
	report_close(&r);
	status = profile_tell_changed(&profile, "report", status);
	profile_close(&profile);
	return status;
}

static const char *const sort_names[] = {
	[KEY_LIVE] = "live",
	[KEY_PEAK] = "peak",
	[KEY_ALLOCATED] = "allocated",
	[KEY_ALLOCATIONS] = "allocations",
	[KEY_TEMPORARY] = "temporary",
	[KEYS] = NULL
};

static const struct option_row report_rows[] = {
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct report_options, json),
	  .help = "print JSON, all of it" },
	{ .name = "html", .kind = OPTION_TEXT, .word = "FILE",
	  .at = offsetof(struct report_options, html),
	  .help = "write one self-contained page for a browser" },
	{ .name = "page", .kind = OPTION_FLAG,
	  .at = offsetof(struct report_options, page),
	  .help = "print as JSON what that page is made of" },
	{ .name = "top", .letter = 'n', .kind = OPTION_COUNT, .word = "N",
	  .at = offsetof(struct report_options, top),
	  .least = 1, .most = 1000000,
	  .help = "show N sites (10; in JSON all)" },
	{ .name = "sort", .letter = 's', .kind = OPTION_CHOICE,
	  .choices = sort_names,
	  .at = offsetof(struct report_options, sort),
	  .help = "which sites come first (live)" },
	{ .name = "callers", .letter = 'c', .kind = OPTION_COUNT, .word = "N",
	  .at = offsetof(struct report_options, callers), .most = 1000000,
	  .help = "show N callers of a site in text (8)" },
	{ .name = "full", .letter = 'f', .kind = OPTION_FLAG,
	  .at = offsetof(struct report_options, full),
	  .help = "show every frame of a site in text" },
	{ .name = "threads", .letter = 't', .kind = OPTION_FLAG,
	  .at = offsetof(struct report_options, threads),
	  .help = "show all threads" },
	{ .name = "verify", .kind = OPTION_FLAG,
	  .at = offsetof(struct report_options, verify),
	  .help = "only find out whether it contradicts itself" },
	{ .name = "debuginfod", .kind = OPTION_FLAG,
	  .at = offsetof(struct report_options, debuginfod),
	  .help = "ask DEBUGINFOD_URLS for debug files" },
	{ .name = NULL }
};

static const struct report_options report_defaults = {
	.sort = KEY_LIVE,
	.callers = CALLERS_DEFAULT,
};

const struct command command_report = {
	.name = "report",
	.args = "FILE|PID|RUN",
	.help = "print who holds the memory, largest first",
	.rows = report_rows,
	.defaults = &report_defaults,
	.options_bytes = sizeof(struct report_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = report_run,
};
