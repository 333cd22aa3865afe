/*
 * cmd-check.c - `heaptide check`: a gate for continuous integration
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/segment.h"
#include "check/check.h"
#include "cmd/commands.h"
#include "run/run.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"
#include "settings/config.h"

/* --- options -------------------------------------------------------------- */

#define AT(member) .at = offsetof(struct check_options, member)

static const struct option_row check_rows[] = {
	{ .name = "fail-if", .kind = OPTION_LIST, AT(fail_if), .word = "EXPR",
	  .help = "exit with 1 if it holds: 'growth>0/batch', 'peak>512M', "
	  "'leaked>0' ..." },
	{ .name = "only", .kind = OPTION_LIST, AT(only), .word = "PATTERN",
	  .help = "count sites that match, as in a suppression, alone" },
	{ .name = "ignore", .kind = OPTION_LIST, AT(ignore),
	  .word = "PATTERN", .help = "do not count sites that match" },
	{ .name = "baseline", .letter = 'b', .kind = OPTION_TEXT,
	  AT(baseline), .word = "FILE",
	  .help = "compare with another profile: 'peak>+10%'" },
	{ .name = "since", .kind = OPTION_TEXT, AT(since), .word = "MARK",
	  .help = "judge growth by what has happened since that mark" },
	{ .name = "warmup", .kind = OPTION_COUNT, AT(warmup), .word = "N",
	  .most = 1000000,
	  .help = "leave the first N epochs out (as many as it takes)" },
	{ .name = "suppressions", .kind = OPTION_LIST, AT(suppressions),
	  .word = "FILE",
	  .help = "leave out what matches a line of it, 'leak:PATTERN'" },
	{ .name = "no-built-in", .kind = OPTION_FLAG, AT(plain),
	  .help = "do not leave out what libc is known to take once" },
	{ .name = "junit", .kind = OPTION_TEXT, AT(junit), .word = "FILE",
	  .help = "write the answer as JUnit XML, too" },
	{ .name = "sarif", .kind = OPTION_TEXT, AT(sarif), .word = "FILE",
	  .help = "write the answer as SARIF 2.1.0, too" },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG, AT(json),
	  .help = "print JSON, all of it" },
	{ .name = "top", .letter = 'n', .kind = OPTION_COUNT, AT(top),
	  .word = "N", .least = 1, .most = 1000000,
	  .help = "show N sites of an expression in text (5)" },
	{ .name = "callers", .letter = 'c', .kind = OPTION_COUNT,
	  AT(callers), .word = "N", .most = 1000000,
	  .help = "show N callers of a site in text (5)" },
	{ .name = "debuginfod", .kind = OPTION_FLAG, AT(debuginfod),
	  .help = "ask DEBUGINFOD_URLS for debug files" },
	{ .name = "output", .letter = 'o', .kind = OPTION_TEXT, AT(file),
	  .word = "FILE", .help = "keep the profile of CMD, as with run" },
	{ .name = "epoch", .kind = OPTION_DURATION, AT(epoch),
	  .word = "TIME", .least = EPOCH_LEAST_NS,
	  .help = "set a mark so often while CMD runs" },
	{ .name = "children", .kind = OPTION_CHOICE, AT(children),
	  .choices = run_children_choices,
	  .help = "which child processes of CMD to follow (all)" },
	{ .name = NULL }
};

static const struct check_options check_defaults = {
	.warmup = UINT64_MAX,
	.top = 5,
	.callers = 5,
	.children = RUN_NOT_GIVEN,
};

/* What is about CMD means nothing without one. */
static bool
may_do_without(const struct check_options *o, int operands, char **operand)
{
	const char *idle = o->file != NULL ? "--output" :
	    o->epoch != 0 ? "--epoch" :
	    o->children != RUN_NOT_GIVEN ? "--children" : NULL;

	if (operands != 1) {
		print_error("check: '%s' is one operand too many; FILE, PID "
		    "or -- CMD is accepted", operand[operands - 1]);
		return false;
	}
	if (idle != NULL)
		print_error("check: %s is about a program to run; give it "
		    "behind --, or leave the option out", idle);
	return idle == NULL;
}

static bool
may_run(const struct check_options *o)
{
	const char *bad = o->file != NULL ? run_bad_percent(o->file) : NULL;

	if (bad != NULL) {
		print_error("check: --output '%s' is not accepted: '%.2s' "
		    "means nothing, give %%p, %%h, %%c, %%r or %%%%", o->file,
		    bad);
		return false;
	}
	if (o->file != NULL && *o->file == '\0') {
		print_error("check: --output '' is not accepted: give FILE");
		return false;
	}
	return true;
}

/* --- files of the answer -------------------------------------------------- */

/*
 * Before a program has run for hours, not after.  It stays empty if we come to
 * no end; who reads it then learns that there is no answer.
 */
static bool
may_write(const char *file, const char *option)
{
	FILE *to;

	if (file == NULL)
		return true;
	to = fopen(file, "we");
	if (to == NULL) {
		print_error("check: %s '%s' cannot be written: %s", option,
		    file, strerror(errno));
		return false;
	}
	fclose(to);
	return true;
}

static bool
write_answer(const struct check *c, const char *file,
    int (*put)(const struct check *c, FILE *to))
{
	FILE *to;
	bool good;

	if (file == NULL)
		return true;
	to = fopen(file, "we");
	good = to != NULL && put(c, to) == COMMAND_DONE && !ferror(to);
	if (to != NULL && fclose(to) != 0)
		good = false;
	if (!good)
		print_error("check: '%s' cannot be written: %s", file,
		    strerror(errno));
	return good;
}

/* An exit status. */
static int
answer(const struct check *c, FILE *to)
{
	bool good = true;

	if (c->options->json)
		good = check_print_json(c, to) == COMMAND_DONE;
	else
		check_print_text(c, to);
	good &= write_answer(c, c->options->junit, check_print_junit);
	good &= write_answer(c, c->options->sarif, check_print_sarif);
	return good ? check_status(c) : COMMAND_FAILED;
}

/* --- a program ------------------------------------------------------------ */

/* A directory of our own for what nobody wants to keep. */
struct shelter {
	char *directory; /* NULL: none */
	char *pattern;   /* of the profile, as run has it */
};

static bool
open_shelter(struct shelter *s)
{
	const char *where = getenv("TMPDIR");
	char *to;

	*s = (struct shelter){ .directory = need_text("%s/heaptide-check."
	    "XXXXXX", where != NULL && *where != '\0' ? where : "/tmp") };
	if (mkdtemp(s->directory) == NULL) {
		print_error("check: no directory for the profile can be made "
		    "as %s: %s; set TMPDIR, or give --output", s->directory,
		    strerror(errno));
		free(s->directory);
		return false;
	}
	to = s->pattern = need(malloc(strlen(s->directory) * 2 + 32));
	for (const char *c = s->directory; *c != '\0'; c++) {
		*to++ = *c;
		if (*c == '%') /* it has to be doubled */
			*to++ = '%';
	}
	strcpy(to, "/profile" SEGMENT_SUFFIX);
	return true;
}

static void
close_shelter(struct shelter *s, const struct run *run)
{
	if (s->directory != NULL && run->file != NULL) {
		unlink(run->file);
		gather_clear(run->folder);
	}
	if (s->directory != NULL)
		rmdir(s->directory);
	free(s->directory);
	free(s->pattern);
}

static char *
end_words(const struct run *run)
{
	int status = run->child.status;

	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return NULL;
	if (WIFEXITED(status))
		return need_text("exited with status %d",
		    WEXITSTATUS(status));
	return need_text("died of signal %d (%s)%s", WTERMSIG(status),
	    strsignal(WTERMSIG(status)), run->oom ?
	    ", for lack of memory" : "");
}

/* It ran, and heaptide has @status to say of that.  An exit status. */
static int
judge_run(struct check *c, const struct run *run, int status)
{
	c->end = end_words(run);
	if (run->file != NULL && check_judge(c, run->file, run->home)) {
		/* Standard output was the program's. */
		status = answer(c, stderr);
	} else {
		print_error("check: there is no profile of %s, so nothing "
		    "can be said of it", run->argv[0]);
		if (c->end != NULL)
			print_error("check: the program %s", c->end);
		status = COMMAND_FAILED;
	}
	return status;
}

/* Is it asked what nobody points to? */
static bool
wants_scan(const struct check *c)
{
	for (size_t i = 0; i < c->outcomes; i++)
		if (c->outcome[i].gate.figure == GATE_UNREACHABLE)
			return true;
	return false;
}

static int
check_program(struct check *c, char **argv)
{
	const struct check_options *o = c->options;
	struct run_options options = {
		.stacks = STACKS_ALL,
		.children = o->children,
		.summary = SUMMARY_OFF,
		.epoch = o->epoch,
		.grace = RUN_GRACE_NS,
		.file = o->file,
		.scan = wants_scan(c),
	};
	struct shelter shelter = { NULL, NULL };
	struct config config;
	struct run *run;
	int status, r;
	bool ran;

	config_open(&config);
	ran = run_configure("check", &options, &config);
	config_close(&config);
	if (!ran)
		return COMMAND_USAGE;
	if (o->file == NULL) {
		if (!open_shelter(&shelter))
			return COMMAND_FAILED;
		options.file = shelter.pattern;
	}
	run = need(run_create(&options, argv));
	ran = run_program(run, &status);
	if (ran)
		status = judge_run(c, run, status);
	close_shelter(&shelter, run);
	if (ran) {
		fflush(stderr);
		r = supervise_leave(&run->child);
		status = r != COMMAND_DONE ? r : status;
	}
	run_free(run);
	return status;
}

/* --- the whole ------------------------------------------------------------ */

static bool
prepare(struct check *c)
{
	return check_prepare(c) && may_write(c->options->junit, "--junit") &&
	    may_write(c->options->sarif, "--sarif");
}

static int
check(struct check *c, int operands, char **operand)
{
	/* Where options end is a word of argv, in front of the first. */
	bool program = strcmp(operand[-1], "--") == 0;

	if (program ? !may_run(c->options) :
	    !may_do_without(c->options, operands, operand))
		return COMMAND_USAGE;
	if (!prepare(c))
		return COMMAND_FAILED;
	if (program)
		return check_program(c, operand);
	if (!check_judge(c, operand[0], true))
		return COMMAND_FAILED;
	return answer(c, stdout);
}

static int
check_run(const void *options, int operands, char **operand)
{
	struct check *c = need(calloc(1, sizeof(*c)));
	int status = check_open(c, options);

	if (status == COMMAND_DONE)
		status = check(c, operands, operand);
	check_close(c);
	free(c);
	return status;
}

const struct command command_check = {
	.name = "check",
	.args = "FILE|PID|-- CMD...",
	.help = "exit with 1 if memory grows, leaks or is too much: for CI",
	.rows = check_rows,
	.defaults = &check_defaults,
	.options_bytes = sizeof(struct check_options),
	.operands_least = 1,
	.operands_most = -1,
	.run = check_run,
};
