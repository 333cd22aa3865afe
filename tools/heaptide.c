/*
 * heaptide.c - the command: finds its part by name and reads the options
 *
 * Each part is a row of @commands; help is made of the rows.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "say/option.h"
#include "say/print.h"

/* In the order of help. */
static const struct command *const commands[] = {
	&command_run,
	&command_batch,
	&command_report,
	&command_diff,
	&command_leaks,
	&command_ops,
	&command_analyze,
	&command_recommend,
	&command_check,
	&command_export,
	&command_import,
	&command_merge,
	&command_ps,
	&command_status,
	&command_ctl,
	&command_mark,
	&command_snapshot,
	&command_monitor,
	&command_top,
	&command_serve,
	&command_budget,
	&command_safe,
	&command_reclaim,
	&command_config,
	&command_preset,
	&command_simulate,
	&command_pool,
	&command_checkpoints,
	&command_resume,
	&command_selftest,
	&command_completion,
	NULL
};

static const struct command *
find_command(const char *name)
{
	for (size_t i = 0; commands[i] != NULL; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

static void
print_overview(FILE *to)
{
	fputs("usage: heaptide COMMAND [options] [operands]\n\n", to);
	for (size_t i = 0; commands[i] != NULL; i++)
		fprintf(to, "  %-11s  %s\n", commands[i]->name,
		    commands[i]->help);
	fputs("\n"
	    "  heaptide COMMAND --help   the options of a command\n"
	    "  heaptide --version        which heaptide this is\n", to);
}

static void
print_usage(FILE *to, const struct command *c)
{
	fprintf(to, "usage: heaptide %s [options]%s%s\n", c->name,
	    c->args != NULL ? " " : "", c->args != NULL ? c->args : "");
	fprintf(to, "       %s\n\n", c->help);
	for (const struct option_row *row = c->rows;
	    row != NULL && row->name != NULL; row++) {
		char line[256];

		option_describe(row, line, sizeof(line));
		fprintf(to, "%s\n", line);
	}
	fprintf(to, "  %-28s  %s\n", "-h, --help", "print this");
}

/* A full disk or a closed pipe behind stdout must not pass for success. */
static int
finish(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	if (errno == EPIPE)
		return status == COMMAND_DONE ? COMMAND_FAILED : status;
	print_error("cannot write the output: %s", strerror(errno));
	return status == COMMAND_DONE ? COMMAND_FAILED : status;
}

static int
refuse_operands(const struct command *c, int count, const char *extra)
{
	if (count < c->operands_least)
		print_error("%s: %s is missing; --help shows the usage",
		    c->name, c->args);
	else
		print_error("%s: '%s' is one operand too many; %s is accepted",
		    c->name, extra, c->args != NULL ? c->args : "none");
	return COMMAND_USAGE;
}

static int
run_command(const struct command *c, int argc, char **argv)
{
	char why[OPTION_WHY_ROOM] = "";
	void *options;
	int first = 0, count, r;

	options = calloc(1, c->options_bytes + 1);
	if (options == NULL) {
		print_error("%s: no memory", c->name);
		return COMMAND_FAILED;
	}
	if (c->defaults != NULL)
		memcpy(options, c->defaults, c->options_bytes);

	r = option_parse(c->rows, options, argc, argv, c->operands_end, &first,
	    why);
	if (r < 0) {
		print_error("%s: %s", c->name, why);
		r = COMMAND_USAGE;
		goto out;
	}
	if (r > 0) {
		print_usage(stdout, c);
		r = COMMAND_DONE;
		goto out;
	}
	count = argc - first;
	if (count < c->operands_least ||
	    (c->operands_most >= 0 && count > c->operands_most)) {
		r = refuse_operands(c, count,
		    count > 0 ? argv[argc - 1] : "");
		goto out;
	}
	r = c->run(options, count, argv + first);
out:
	free(options);
	return finish(r);
}

static int
print_help(int argc, char **argv)
{
	const struct command *c;

	if (argc < 2) {
		print_overview(stdout);
		return finish(COMMAND_DONE);
	}
	c = find_command(argv[1]);
	if (c == NULL) {
		print_error("help: there is no command '%s'", argv[1]);
		return COMMAND_USAGE;
	}
	print_usage(stdout, c);
	return finish(COMMAND_DONE);
}

static bool
is_one_of(const char *word, const char *a, const char *b, const char *c)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0 ||
	    strcmp(word, c) == 0;
}

static int
print_version(int words, char **word)
{
	if (words > 1 || (words == 1 && !is_one_of(word[0], "--json", "-j",
	    "--json"))) {
		print_error("version: '%s' is not accepted; --json is",
		    word[words - 1]);
		return COMMAND_USAGE;
	}
	if (words == 1)
		return finish(json_print(json_head()));
	puts("heaptide " PACKAGE_VERSION);
	return finish(COMMAND_DONE);
}

int
main(int argc, char **argv)
{
	const struct command *c;
	const char *unit;

	completion_of(commands);
	if (argc < 2) {
		print_overview(stderr);
		return COMMAND_USAGE;
	}
	unit = getenv("HEAPTIDE_DISPLAY_UNIT");
	if (unit != NULL && *unit != '\0' && text_set_unit(unit) < 0) {
		print_error("HEAPTIDE_DISPLAY_UNIT: '%s' is not accepted; "
		    "give auto, B, KB, MB or GB", unit);
		return COMMAND_USAGE;
	}
	if (is_one_of(argv[1], "help", "--help", "-h"))
		return print_help(argc - 1, argv + 1);
	if (is_one_of(argv[1], "version", "--version", "-V"))
		return print_version(argc - 2, argv + 2);
	c = find_command(argv[1]);
	if (c == NULL) {
		print_error("there is no %s '%s'; 'heaptide help' lists the "
		    "commands", argv[1][0] == '-' ? "option" : "command",
		    argv[1]);
		return COMMAND_USAGE;
	}
	return run_command(c, argc - 1, argv + 1);
}
