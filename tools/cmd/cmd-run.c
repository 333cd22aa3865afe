/*
 * cmd-run.c - `heaptide run`: a program with heaptide inside, and its end
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/segment.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "control/control.h"
#include "profile/reader.h"
#include "run/run.h"
#include "say/option.h"
#include "say/print.h"
#include "settings/config.h"

/* --- options -------------------------------------------------------------- */

static const struct run_options run_defaults = {
	.stacks = RUN_NOT_GIVEN,
	.children = RUN_NOT_GIVEN,
	.summary = RUN_NOT_GIVEN,
	.keeper = RUN_NOT_GIVEN,
	.grace = RUN_GRACE_NS,
	.file = RUN_FILE,
};

static const char *const summary_choices[] = {
	[SUMMARY_TEXT] = "text",
	[SUMMARY_JSON] = "json",
	[SUMMARY_OFF] = "off",
	NULL
};

/* The same words in settings.c. */
static const char *const keeper_choices[] = {
	[KEEPER_AUTO] = "auto",
	[KEEPER_ON] = "on",
	[KEEPER_OFF] = "off",
	NULL
};

#define AT(member) .at = offsetof(struct run_options, member)

static const struct option_row run_rows[] = {
	{ .name = "stacks", .kind = OPTION_CHOICE, AT(stacks),
	  .choices = control_stacks_words,
	  .help = "of which allocations to keep the call path (sampled)" },
	{ .name = "sample", .kind = OPTION_BYTES, AT(sample), .word = "SIZE",
	  .least = 1, .most = SEGMENT_SAMPLE_MOST,
	  .help = "bytes allocated for each block that is drawn (512K)" },
	{ .name = "depth", .kind = OPTION_COUNT, AT(depth), .word = "N",
	  .least = 1, .most = SEGMENT_DEPTH_MOST,
	  .help = "frames to keep of a call path (128)" },
	{ .name = "epoch", .kind = OPTION_DURATION, AT(epoch), .word = "TIME",
	  .least = EPOCH_LEAST_NS,
	  .help = "set a mark so often: growth is counted from mark to mark" },
	{ .name = "budget", .kind = OPTION_TEXT, AT(budget), .word = "SIZE",
	  .help = "how much it may use: 512M, 60% or max-256M" },
	{ .name = "target", .kind = OPTION_TEXT, AT(target), .word = "PCT",
	  .help = "the share of it that batches are to fill (90%)" },
	{ .name = "warn", .kind = OPTION_TEXT, AT(warn), .word = "PCT",
	  .help = "the share from which on it is a warning (75%)" },
	{ .name = "critical", .kind = OPTION_TEXT, AT(critical),
	  .word = "PCT",
	  .help = "the share from which on it is critical (88%)" },
	{ .name = "enforce", .kind = OPTION_TEXT, AT(enforce), .word = "HOW",
	  .help = "what becomes of who goes beyond: off, enomem, abort, "
	  "exit85 or stop (off)" },
	{ .name = "gate", .kind = OPTION_TEXT, AT(gate), .word = "SIZE:HOW",
	  .help = "start only if so much is free, else skip, wait[=TIME] or "
	  "fail" },
	{ .name = "progress", .kind = OPTION_TEXT, AT(progress),
	  .word = "HOW", .help = "how its batches are told on stderr: off, "
	  "lines, bar or json (off)" },
	{ .name = "retries", .kind = OPTION_TEXT, AT(retries), .word = "N",
	  .help = "start it again so often if it fails for lack of memory, "
	  "or wants it by status 85" },
	{ .name = "retry-delay", .kind = OPTION_TEXT, AT(retry_delay),
	  .word = "TIME",
	  .help = "wait so long before the first of these; longer each time "
	  "(5s)" },
	{ .name = "fallback", .kind = OPTION_TEXT, AT(fallback), .word = "N",
	  .help = "items of the batches in which a lost one is tried again "
	  "(2)" },
	{ .name = "retry-errors", .kind = OPTION_FLAG, AT(retry_errors),
	  .help = "start it again whatever it failed by" },
	{ .name = "timeout", .kind = OPTION_DURATION, AT(timeout),
	  .word = "TIME",
	  .help = "end it, and with it all tries, after so long: status 124" },
	{ .name = "grace", .kind = OPTION_DURATION, AT(grace),
	  .word = "TIME",
	  .help = "what it has between SIGTERM and the kill (10s)" },
	{ .name = "preset", .kind = OPTION_TEXT, AT(preset), .word = "NAME",
	  .help = "settings that go together; 'heaptide preset list'" },
	{ .name = "config", .kind = OPTION_TEXT, AT(config), .word = "FILE",
	  .help = "read settings from it instead of heaptide.conf" },
	{ .name = "on-growth", .kind = OPTION_TEXT, AT(on_growth),
	  .word = "RATE", .help = "keep all stacks once it grows faster: "
	  "512K/s, 10M/m, 1G/h" },
	{ .name = "scan-at-exit", .kind = OPTION_FLAG, AT(scan),
	  .help = "look at its end for blocks that nobody can reach" },
	{ .name = "keeper", .kind = OPTION_CHOICE, AT(keeper),
	  .choices = keeper_choices,
	  .help = "whether the control socket is served (auto: yes)" },
	{ .name = "output", .letter = 'o', .kind = OPTION_TEXT, AT(file),
	  .word = "FILE",
	  .help = "where the profile goes; %p pid, %h host, %c command, "
	  "%r rank (heaptide.%c.%p.tide)" },
	{ .name = "children", .kind = OPTION_CHOICE, AT(children),
	  .choices = run_children_choices,
	  .help = "which child processes to follow (all)" },
	{ .name = "summary", .kind = OPTION_CHOICE, AT(summary),
	  .choices = summary_choices,
	  .help = "what to print on stderr at the end (text)" },
	{ .name = "keep-command", .kind = OPTION_FLAG, AT(keep_command),
	  .help = "keep its arguments with its checkpoints, for 'heaptide "
	  "resume'" },
	{ .name = "quiet", .letter = 'q', .kind = OPTION_FLAG, AT(quiet),
	  .help = "print nothing unless something is wrong" },
	{ .name = NULL }
};

/* `512K/s`, `10M/m`, `1G/h`: bytes a second.  False: it is none. */
static bool
read_rate(const char *text, double *rate)
{
	const char *slash = strchr(text, '/');
	char size[32];
	uint64_t bytes;
	double seconds;

	if (slash == NULL || (size_t)(slash - text) >= sizeof(size) ||
	    slash[1] == '\0' || slash[2] != '\0')
		return false;
	memcpy(size, text, (size_t)(slash - text));
	size[slash - text] = '\0';
	switch (slash[1]) {
	case 's': seconds = 1; break;
	case 'm': seconds = 60; break;
	case 'h': seconds = 3600; break;
	default: return false;
	}
	if (text_parse_bytes(size, &bytes) < 0 || bytes == 0)
		return false;
	*rate = (double)bytes / seconds;
	return true;
}

/* Options and variables that contradict what there is; false: refused. */
static bool
check_options(struct run *run)
{
	const struct run_options *o = run->options;
	const char *bad = run_bad_percent(o->file);
	const char *given = getenv("HEAPTIDE_STACKS");

	if (bad != NULL) {
		print_error("run: --output '%s' is not accepted: '%.2s' means "
		    "nothing, give %%p, %%h, %%c, %%r or %%%%", o->file, bad);
		return false;
	}
	if (*o->file == '\0') {
		print_error("run: --output '' is not accepted: give FILE");
		return false;
	}
	if (o->on_growth != NULL && !read_rate(o->on_growth, &run->growth)) {
		print_error("run: --on-growth '%s' is no rate; 512K/s, 10M/m "
		    "or 1G/h are accepted", o->on_growth);
		return false;
	}
	run->stacks = o->stacks;
	if (run->stacks == RUN_NOT_GIVEN) {
		run->stacks = STACKS_SAMPLED;
		for (int i = 0; given != NULL && *given != '\0'; i++) {
			if (control_stacks_words[i] == NULL) {
				print_error("run: HEAPTIDE_STACKS '%s' is not "
				    "accepted: give none, sampled or all",
				    given);
				return false;
			}
			if (strcmp(given, control_stacks_words[i]) == 0) {
				run->stacks = i;
				break;
			}
		}
	}
	return true;
}

/* As the program ended, if nothing went wrong on our side. */
static int
end_as_it_did(struct run *run, int ours)
{
	int status = run->recycled ? COMMAND_CHECKPOINT :
	    run->timed_out || run->stalled ? COMMAND_TIMEOUT :
	    supervise_leave(&run->child);

	return status == COMMAND_DONE ? ours : status;
}

static int
run_run(const void *options, int operands, char **operand)
{
	struct run_options chosen = *(const struct run_options *)options;
	struct config config;
	struct run *run;
	int status = COMMAND_USAGE;

	(void)operands;
	run = run_create(&chosen, operand);
	if (run == NULL)
		return COMMAND_FAILED;
	config_open(&config);
	if (run_configure("run", &chosen, &config) && check_options(run)) {
		run_set_policy(run, &config);
		status = run_gate(&config);
	}
	config_close(&config);
	if (status == COMMAND_DONE && run_program(run, &status))
		status = end_as_it_did(run, status);
	run_free(run);
	return status;
}

const struct command command_run = {
	.name = "run",
	.args = "-- CMD...",
	.help = "run a program with heaptide inside, and sum up at its end",
	.rows = run_rows,
	.defaults = &run_defaults,
	.options_bytes = sizeof(struct run_options),
	.operands_least = 1,
	.operands_most = -1,
	.operands_end = true,
	.run = run_run,
};
