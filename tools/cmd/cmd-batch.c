/*
 * cmd-batch.c - `heaptide batch`: items, in jobs that fit
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <sys/stat.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "batch/batch.h"
#include "batch/cluster.h"
#include "cmd/commands.h"
#include "run/run.h"
#include "say/option.h"
#include "say/print.h"

static const struct batch_options batch_defaults = {
	.jobs = BATCH_NOT_GIVEN,
	.retries = BATCH_NOT_GIVEN,
	.retry_delay = BATCH_NOT_GIVEN,
	.progress = RUN_NOT_GIVEN,
	.summary = RUN_NOT_GIVEN,
	.requeues = CLUSTER_REQUEUES,
};

/* The same words in settings.c. */
static const char *const progress_choices[] = {
	[PROGRESS_OFF] = "off",
	[PROGRESS_LINES] = "lines",
	[PROGRESS_BAR] = "bar",
	[PROGRESS_JSON] = "json",
	NULL
};

static const char *const summary_choices[] = {
	[SUMMARY_TEXT] = "text",
	[SUMMARY_JSON] = "json",
	[SUMMARY_OFF] = "off",
	NULL
};

static const char *const engine_choices[] = {
	[ENGINE_LOCAL] = "local",
	[ENGINE_SLURM] = "slurm",
	NULL
};

#define AT(member) .at = offsetof(struct batch_options, member)

static const struct option_row batch_rows[] = {
	{ .name = "arg-file", .letter = 'a', .kind = OPTION_LIST, AT(files),
	  .word = "FILE", .help = "read items from it (standard input); of "
	  "several, all that can be made of them" },
	{ .name = "null", .letter = '0', .kind = OPTION_FLAG, AT(null),
	  .help = "items have zero bytes between, not newlines" },
	{ .name = "delimiter", .letter = 'd', .kind = OPTION_TEXT,
	  AT(delimiter), .word = "C", .help = "or this character" },
	{ .name = "limit", .kind = OPTION_COUNT, AT(limit), .word = "N",
	  .least = 1, .help = "no more than so many items" },
	{ .name = "max-args", .letter = 'n', .kind = OPTION_COUNT, AT(fixed),
	  .word = "N", .least = 1, .most = UINT32_MAX,
	  .help = "so many items a job (with a place for them: 1, else "
	  "learned)" },
	{ .name = "chunk", .kind = OPTION_COUNT, AT(chunk), .word = "N",
	  .least = 1, .most = UINT32_MAX, .help = "the same" },
	{ .name = "context-replace", .letter = 'X', .kind = OPTION_FLAG,
	  AT(spread), .help = "as many items a job as fit, words with a "
	  "place for one repeated" },
	{ .name = "shell", .kind = OPTION_FLAG, AT(shell),
	  .help = "CMD is text for /bin/sh" },
	{ .name = "mode", .kind = OPTION_TEXT, AT(mode), .word = "NAME",
	  .help = "cmd, items and settings from [job.NAME] of a file" },
	{ .name = "jobs", .letter = 'j', .kind = OPTION_COUNT, AT(jobs),
	  .word = "N", .most = BATCH_PLACES,
	  .help = "jobs at one time, at most; 0: as fit (the processors)" },
	{ .name = "delay", .kind = OPTION_DURATION, AT(delay), .word = "TIME",
	  .help = "from one start to the next, at least" },
	{ .name = "timeout", .kind = OPTION_DURATION, AT(timeout),
	  .word = "TIME", .help = "end a job that takes longer" },
	{ .name = "retries", .kind = OPTION_COUNT, AT(retries), .word = "N",
	  .most = 1000000,
	  .help = "try a job that fails so many times more (0)" },
	{ .name = "retry-delay", .kind = OPTION_DURATION, AT(retry_delay),
	  .word = "TIME", .help = "after so long, doubled each time (5s)" },
	{ .name = "fallback", .kind = OPTION_COUNT, AT(fallback),
	  .word = "N", .least = 1, .most = UINT32_MAX,
	  .help = "items of a part, of a job that had no memory (2)" },
	{ .name = "halt", .kind = OPTION_TEXT, AT(halt), .word = "WHEN",
	  .help = "when to give up: never, soon,fail=1, now,fail=30%, "
	  "now,success=1, soon,done=3 (never)" },
	{ .name = "budget", .kind = OPTION_TEXT, AT(budget), .word = "SIZE",
	  .help = "how much all jobs may use together: 512M, 60% or "
	  "max-256M" },
	{ .name = "target", .kind = OPTION_TEXT, AT(target), .word = "PCT",
	  .help = "the share of it that is to be filled (90%)" },
	{ .name = "warn", .kind = OPTION_TEXT, AT(warn), .word = "PCT",
	  .help = "the share from which on starts are delayed (75%)" },
	{ .name = "critical", .kind = OPTION_TEXT, AT(critical),
	  .word = "PCT", .help = "the share at which they are most (88%)" },
	{ .name = "enforce", .kind = OPTION_TEXT, AT(enforce), .word = "HOW",
	  .help = "for jobs that ask: as in 'heaptide run' (off)" },
	{ .name = "gate", .kind = OPTION_TEXT, AT(gate), .word = "SIZE:HOW",
	  .help = "start a job only if so much is free, else skip, "
	  "wait[=TIME] or fail" },
	{ .name = "preset", .kind = OPTION_TEXT, AT(preset), .word = "NAME",
	  .help = "settings that go together; 'heaptide preset list'" },
	{ .name = "config", .kind = OPTION_TEXT, AT(config), .word = "FILE",
	  .help = "read settings from it instead of heaptide.conf" },
	{ .name = "no-preload", .kind = OPTION_FLAG, AT(no_preload),
	  .help = "no heaptide in jobs: what they use is seen from outside" },
	{ .name = "stacks", .kind = OPTION_TEXT, AT(stacks), .word = "HOW",
	  .help = "in jobs: none, sampled or all (none)" },
	{ .name = "profile", .kind = OPTION_TEXT, AT(profile), .word = "DIR",
	  .help = "keep a profile of each job there" },
	{ .name = "group", .kind = OPTION_FLAG, AT(group),
	  .help = "what a job writes comes in one piece (so it is)" },
	{ .name = "line-buffer", .kind = OPTION_FLAG, AT(lines),
	  .help = "or in whole lines, as they come" },
	{ .name = "ungroup", .letter = 'u', .kind = OPTION_FLAG, AT(ungroup),
	  .help = "or as it comes" },
	{ .name = "keep-order", .letter = 'k', .kind = OPTION_FLAG,
	  AT(keep_order), .help = "in the order of the items" },
	{ .name = "tag", .kind = OPTION_FLAG, AT(tag),
	  .help = "each line behind its items and a tab" },
	{ .name = "progress", .kind = OPTION_CHOICE, AT(progress),
	  .choices = progress_choices,
	  .help = "how far it is, on stderr (off)" },
	{ .name = "unit", .kind = OPTION_TEXT, AT(unit), .word = "NAME",
	  .help = "what an item is called (item)" },
	{ .name = "summary", .kind = OPTION_CHOICE, AT(summary),
	  .choices = summary_choices,
	  .help = "what to print on stderr at the end (text)" },
	{ .name = "quiet", .letter = 'q', .kind = OPTION_FLAG, AT(quiet),
	  .help = "print nothing unless something is wrong" },
	{ .name = "dry-run", .kind = OPTION_FLAG, AT(dry_run),
	  .help = "print the commands, and run none" },
	{ .name = "joblog", .kind = OPTION_TEXT, AT(joblog), .word = "FILE",
	  .help = "note each job there, as GNU parallel does" },
	{ .name = "resume", .kind = OPTION_FLAG, AT(resume),
	  .help = "pass over what the joblog has, or the last checkpoint" },
	{ .name = "resume-failed", .kind = OPTION_FLAG, AT(resume_failed),
	  .help = "the same, but not over jobs that failed" },
	{ .name = "retry-failed", .kind = OPTION_FLAG, AT(retry_failed),
	  .help = "run the commands of the joblog that failed, no others" },
	{ .name = "keep-command", .kind = OPTION_FLAG, AT(keep_command),
	  .help = "keep the arguments with the checkpoints, for 'heaptide "
	  "resume'" },
	{ .name = "engine", .kind = OPTION_CHOICE, AT(engine),
	  .choices = engine_choices,
	  .help = "where jobs run: here, or as tasks of a job array (local)" },
	{ .name = "shards", .kind = OPTION_COUNT, AT(shards), .word = "N",
	  .least = 1, .most = CLUSTER_SHARDS_MOST,
	  .help = "with slurm: tasks, each with its part of the items (16)" },
	{ .name = "sbatch-arg", .kind = OPTION_LIST, AT(sbatch),
	  .word = "ARG", .help = "with slurm: hand it to sbatch; may be given "
	  "many times" },
	{ .name = "requeues", .kind = OPTION_COUNT, AT(requeues),
	  .word = "N", .most = 1000000, .help = "with slurm: how often a task "
	  "may begin anew (10)" },
	{ .name = "no-wait", .kind = OPTION_FLAG, AT(no_wait),
	  .help = "with slurm: submit, and let 'heaptide resume' gather" },
	{ .name = "results", .kind = OPTION_TEXT, AT(results),
	  .word = "DIR", .help = "of a task: keep what jobs write there, for "
	  "who gathers it" },
	{ .name = "first", .kind = OPTION_COUNT, AT(first), .word = "N",
	  .least = 1, .most = UINT32_MAX, .help = "of a task: number of the "
	  "first item (1)" },
	{ .name = NULL }
};

static int
make_profiles(const struct batch_options *o)
{
	struct stat st;

	if (o->profile == NULL)
		return COMMAND_DONE;
	(void)mkdir(o->profile, 0777);
	if (stat(o->profile, &st) == 0 && S_ISDIR(st.st_mode) &&
	    access(o->profile, W_OK | X_OK) == 0)
		return COMMAND_DONE;
	print_error("batch: --profile '%s' is no directory that can be "
	    "written to: %s", o->profile, strerror(errno));
	return COMMAND_USAGE;
}

static int
open_all(struct batch *b, struct batch_command *c)
{
	bool raw = b->template.raw;
	int r = make_profiles(b->options);

	if (r == COMMAND_DONE)
		r = batch_past_open(b);
	if (r == COMMAND_DONE && !b->options->dry_run)
		r = batch_journal_open(b, c);
	if (r != COMMAND_DONE)
		return r;
	r = batch_room_open(b);
	batch_size_open(b);
	if (r == COMMAND_DONE)
		r = batch_spawn_open(b, raw || c->shell ? NULL : c->word);
	return r;
}

/* As who called us would see it of a program that died by that signal. */
static void
die(int signal)
{
	struct sigaction by_default = { .sa_handler = SIG_DFL };
	sigset_t one;

	sigemptyset(&one);
	sigaddset(&one, signal);
	sigaction(signal, &by_default, NULL);
	raise(signal);
	sigprocmask(SIG_UNBLOCK, &one, NULL);
}

static int
run_all(struct batch *b)
{
	int status;

	if (!b->silent)
		fprintf(stderr, "Started batch: %s\n", b->id);
	status = batch_loop(b);
	batch_bar_clear(b);
	batch_journal_close(b, b->signal == 0 && b->exhausted &&
	    b->cursor == b->items_begun);
	batch_done_free(b);
	batch_report(b);
	if (b->results.fd >= 0 && results_close(&b->results) < 0)
		status = COMMAND_FAILED;
	if (b->joblog_fd >= 0)
		(void)fsync(b->joblog_fd);
	return status;
}

static int
run(struct batch *b, struct batch_command *command)
{
	int status;

	if (b->options->engine == ENGINE_SLURM && !b->options->dry_run) {
		status = make_profiles(b->options);
		return status == COMMAND_DONE ? cluster_run(b, command) :
		    status;
	}
	status = open_all(b, command);
	return status == COMMAND_DONE ? run_all(b) : status;
}

/* `batch --engine slurm --resume RUN`: it knows its command. */
static bool
is_resumed(const struct batch_options *o, int operands, char **operand)
{
	return o->engine == ENGINE_SLURM && o->resume && operands == 1 &&
	    cluster_is_run(operand[0]);
}

static int
batch_run(const void *options, int operands, char **operand)
{
	struct batch *b = calloc(1, sizeof(*b));
	struct batch_command command = { .of = &command_batch };
	int status, signal;

	if (b == NULL) {
		print_error("batch: no memory");
		return COMMAND_FAILED;
	}
	supervise_fill_descriptors();
	b->options = options;
	b->joblog_fd = b->null = b->results.fd = b->signal_fd = -1;
	b->items.fd = -1;
	if (is_resumed(options, operands, operand)) {
		status = cluster_resume(b, operand[0]);
		signal = b->signal;
		free(b);
		if (signal != 0)
			die(signal);
		return status;
	}
	status = batch_configure(b, operands, operand, &command);
	if (status == COMMAND_DONE)
		status = run(b, &command);
	signal = b->own == 128 + SIGPIPE ? SIGPIPE : b->signal;
	batch_spawn_close(b);
	if (b->pool.head != NULL)
		batch_room_close(b);
	items_close(&b->items);
	tuples_free(&b->tuples);
	template_close(&b->template);
	joblog_free(&b->joblog);
	config_close(&b->config);
	free(command.word);
	free(command.made);
	free(b);
	if (signal != 0)
		die(signal);
	return status;
}

const struct command command_batch = {
	.name = "batch",
	.args = "-- CMD... [::: ITEM...]... [:::: FILE...]...",
	.help = "run a program on many items, as many at a time as there is "
	"memory for",
	.rows = batch_rows,
	.defaults = &batch_defaults,
	.options_bytes = sizeof(struct batch_options),
	.operands_least = 0,
	.operands_most = -1,
	.operands_end = true,
	.run = batch_run,
};
