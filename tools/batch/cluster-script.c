/*
 * cluster-script.c - what a task of a batch on a cluster does
 *
 * It is text for any shell that a node has: that of the batch, of which a task
 * is one shard.  Who ends with 85 wants to be started again, elsewhere or
 * later; who ends by a signal did not come to its end, and whoever waits for it
 * submits it again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "batch/cluster.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"

/* A task has its own of these, or they are for who waits. */
static const char *const not_for_tasks[] = {
	"arg-file", "null", "delimiter", "limit", "keep-order", "group",
	"line-buffer", "ungroup", "progress", "unit", "summary", "quiet",
	"dry-run", "joblog", "resume", "resume-failed", "retry-failed",
	"keep-command", "engine", "shards", "sbatch-arg", "requeues",
	"no-wait", "results", "first", "jobs", "shell", "halt", "profile",
};

static bool
is_for_tasks(const char *name)
{
	for (size_t i = 0; i < ARRAY_LENGTH(not_for_tasks); i++)
		if (strcmp(not_for_tasks[i], name) == 0)
			return false;
	return true;
}

static void
put_word(FILE *file, const char *text)
{
	char *quoted = template_quote(text);

	fprintf(file, " %s", quoted);
	free(quoted);
}

/* `--name=value`, as it was given; NULL: it was not. */
static char *
option_text(const struct option_row *row, const void *at, const void *usual)
{
	uint64_t n;

	switch (row->kind) {
	case OPTION_FLAG:
		return *(const bool *)at ? need_text("--%s", row->name) : NULL;
	case OPTION_TEXT:
		return *(char *const *)at != NULL ? need_text("--%s=%s",
		    row->name, *(char *const *)at) : NULL;
	case OPTION_CHOICE:
		if (*(const int *)at == *(const int *)usual)
			return NULL;
		return need_text("--%s=%s", row->name,
		    row->choices[*(const int *)at]);
	case OPTION_COUNT:
	case OPTION_DURATION:
		n = *(const uint64_t *)at;
		if (n == *(const uint64_t *)usual)
			return NULL;
		if (row->kind == OPTION_COUNT)
			return need_text("--%s=%llu", row->name,
			    (unsigned long long)n);
		return need_text("--%s=%llu.%09llus", row->name,
		    (unsigned long long)(n / NS_PER_S),
		    (unsigned long long)(n % NS_PER_S));
	default:
		return NULL;
	}
}

static void
put_options(FILE *file, const struct batch_options *o,
    const struct command *of)
{
	const char *usual = of->defaults, *at = (const char *)o;
	const struct option_row *row;
	char *text;

	for (row = of->rows; row->name != NULL; row++) {
		if (!is_for_tasks(row->name))
			continue;
		text = option_text(row, at + row->at, usual + row->at);
		if (text != NULL)
			put_word(file, text);
		free(text);
	}
}

static void
put_variable(FILE *file, const char *name, const char *text)
{
	char *quoted = template_quote(text);

	fprintf(file, "%s=%s\n", name, quoted);
	free(quoted);
}

static const char head[] =
    "#!/bin/sh\n"
    "# One shard of a batch, as a task of a Slurm job array.\n";

static const char before[] =
    "k=$SLURM_ARRAY_TASK_ID\n"
    "task=$run/task.$k\n"
    "\n"
    "# Whoever waits reads it: it is there whole.\n"
    "say()\n"
    "{\n"
    "	echo \"$*\" >\"$task/status.$$\" &&\n"
    "		mv \"$task/status.$$\" \"$task/status\"\n"
    "}\n"
    "\n"
    "cd \"$where\" || {\n"
    "	say done 125\n"
    "	exit 125\n"
    "}\n"
    "[ -x \"$heaptide\" ] || heaptide=heaptide\n"
    "unset HEAPTIDE_RESUME HEAPTIDE_POOL HEAPTIDE_RUN\n"
    "export HEAPTIDE_STATE=\"$task\"\n"
    "jobs=${SLURM_CPUS_ON_NODE:-1}\n"
    "first=$(sed -n \"$((k + 1))p\" \"$run/firsts\")\n"
    "child=\n"
    "# The time is nearly over: sbatch --signal=B:USR1@120\n"
    "trap 'kill -USR1 $child 2>/dev/null' USR1\n"
    "trap 'kill -TERM $child 2>/dev/null' TERM INT\n"
    "echo \"$SLURM_JOB_ID ${SLURM_RESTART_COUNT:-0} $(uname -n)\" "
    ">>\"$task/begun\"\n"
    "say running\n";

static const char after[] =
    "child=$!\n"
    "# A signal ends the wait, not the child.\n"
    "while :; do\n"
    "	wait $child\n"
    "	status=$?\n"
    "	kill -0 $child 2>/dev/null || break\n"
    "done\n"
    "case $status in\n"
    "85)\n"
    "	[ -e \"$task/again\" ] || : >\"$task/again\"\n"
    "	if [ -e \"$run/stop\" ] ||\n"
    "		[ \"$(wc -l <\"$task/again\")\" -ge \"$requeues\" ]; then\n"
    "		say done 85\n"
    "	else\n"
    "		echo >>\"$task/again\"\n"
    "		say again\n"
    "		scontrol requeue \"$SLURM_JOB_ID\"\n"
    "	fi\n"
    "	;;\n"
    "12[89] | 1[3-9][0-9] | 2[0-9][0-9])\n"
    "	say ended $status\n"
    "	;;\n"
    "*)\n"
    "	say done $status\n"
    "	;;\n"
    "esac\n"
    "exit $status\n";

static void
put_command(FILE *file, const struct cluster *c,
    const struct batch_command *command)
{
	const struct batch *b = c->b;

	fputs("\"$heaptide\" batch -q --summary=off", file);
	if (b->options->jobs != BATCH_NOT_GIVEN)
		fprintf(file, " --jobs=%llu",
		    (unsigned long long)b->options->jobs);
	else if (config_origin(&b->config, "concurrency.max") == FROM_DEFAULT)
		fputs(" --jobs=\"$jobs\"", file);
	put_options(file, b->options, command->of);
	if (c->profile != NULL)
		fputs(" --profile=\"$task/profiles\"", file);
	if (command->shell && !b->template.raw)
		fputs(" --shell", file);
	fputs(" \\\n	--joblog=\"$task/joblog\" --resume "
	    "--results=\"$task/results\" \\\n"
	    "	--first=\"$first\" -0 -a \"$run/items.$k\" --", file);
	for (size_t i = 0; i < command->count; i++)
		put_word(file, command->word[i]);
	fputs(" \\\n	</dev/null &\n", file);
}

/* In a line each, number of the first item of a task. */
static bool
write_firsts(const struct cluster *c)
{
	char *path = cluster_path(c, "firsts");
	FILE *file = fopen(path, "we");

	for (uint64_t k = 0; file != NULL && k < c->shards; k++)
		fprintf(file, "%llu\n",
		    (unsigned long long)c->task[k].first + 1);
	free(path);
	return file != NULL && fclose(file) == 0;
}

int
cluster_script(const struct cluster *c, const struct batch_command *command)
{
	char *path = cluster_path(c, "script"), self[4096];
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	FILE *file = fopen(path, "we");
	bool good = file != NULL && write_firsts(c);

	self[n > 0 ? n : 0] = '\0';
	if (good) {
		fputs(head, file);
		put_variable(file, "run", c->directory);
		put_variable(file, "where", c->where);
		put_variable(file, "heaptide", self);
		fprintf(file, "requeues=%llu\n",
		    (unsigned long long)c->requeues);
		fputs(before, file);
		put_command(file, c, command);
		fputs(after, file);
	}
	if (file != NULL && fclose(file) != 0)
		good = false;
	if (!good)
		print_error("batch: cannot write %s: %s", path,
		    strerror(errno));
	free(path);
	return good ? COMMAND_DONE : COMMAND_FAILED;
}
