/*
 * batch-settings.c - what a batch was told to do, and what contradicts itself
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "batch/batch.h"
#include "batch/cluster.h"
#include "run/room.h"
#include "run/run.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"

#define JOBS_ALL 256 /* -j 0 */

/* --- settings ------------------------------------------------------------- */

static uint64_t
number_of(const struct batch *b, const char *key)
{
	uint64_t n = 0;

	(void)text_parse_u64(config_get(&b->config, key), UINT64_MAX, &n);
	return n;
}

static uint64_t
time_of(const struct batch *b, const char *key)
{
	uint64_t ns = 0;

	(void)text_parse_duration(config_get(&b->config, key), &ns);
	return ns;
}

static double
share_of(const struct batch *b, const char *key)
{
	uint64_t share = 0;

	(void)text_parse_share(config_get(&b->config, key), &share);
	return (double)share / 1e6;
}

static int
word_of(const struct batch *b, const char *key)
{
	const struct setting *s = setting_find(key);
	int i;

	for (i = 0; strcmp(s->words[i], config_get(&b->config, key)) != 0; i++)
		;
	return i;
}

static bool
is_given(const struct batch *b, const char *key)
{
	return config_origin(&b->config, key) != FROM_DEFAULT;
}

/* The options whose values are settings. */
static int
set_given(struct batch *b, char why[CONFIG_WHY_ROOM])
{
	const struct batch_options *o = b->options;
	const struct config_given table[] = {
		{ "preset", "--preset", o->preset },
		{ "budget", "--budget", o->budget },
		{ "target", "--target", o->target },
		{ "warn", "--warn", o->warn },
		{ "critical", "--critical", o->critical },
		{ "enforce", "--enforce", o->enforce },
		{ "gate", "--gate", o->gate },
		{ "stacks", "--stacks", o->stacks },
		{ "progress.unit", "--unit", o->unit },
	};

	return config_set_given(&b->config, table, ARRAY_LENGTH(table), why);
}

static unsigned
processors(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set) == 0)
		return (unsigned)CPU_COUNT(&set);
	return (unsigned)max_u64((uint64_t)sysconf(_SC_NPROCESSORS_ONLN), 1);
}

static void
settle_jobs(struct batch *b)
{
	const struct batch_options *o = b->options;
	uint64_t jobs = number_of(b, "concurrency.max");

	if (o->jobs != BATCH_NOT_GIVEN)
		jobs = o->jobs == 0 ? JOBS_ALL : o->jobs;
	else if (jobs == 0)
		jobs = processors();
	b->jobs = (unsigned)min_u64(jobs, BATCH_PLACES);
}

static void
settle_retries(struct batch *b)
{
	const struct batch_options *o = b->options;

	b->memory_retries = number_of(b, "retry.max");
	/* What fails for itself is tried again only if somebody says so. */
	if (o->retries != BATCH_NOT_GIVEN)
		b->retries = o->retries;
	else if (is_given(b, "retry.max"))
		b->retries = b->memory_retries;
	b->retry_delay_ns = o->retry_delay != BATCH_NOT_GIVEN ?
	    o->retry_delay : time_of(b, "retry.delay");
	b->retry_cap_ns = time_of(b, "retry.cap");
	b->fallback = (uint32_t)(o->fallback != 0 ? o->fallback :
	    number_of(b, "retry.fallback"));
}

static void
settle_sizes(struct batch *b)
{
	const struct batch_options *o = b->options;

	b->conf = (struct sizing_conf){
		.policy = word_of(b, "policy"),
		.target = share_of(b, "target"),
		.initial = (uint32_t)number_of(b, "batch.initial"),
		.min = (uint32_t)number_of(b, "batch.min"),
		.max = (uint32_t)number_of(b, "batch.max"),
	};
	b->fixed = (uint32_t)(o->fixed != 0 ? o->fixed : o->chunk != 0 ?
	    o->chunk : number_of(b, "batch.fixed"));
	/* A place for the item is a place for one, unless they say else. */
	if (b->fixed == 0 && ((b->template.placed && !o->spread) ||
	    b->template.raw || b->template.columns > 1))
		b->fixed = 1;
}

static void
settle_delay(struct batch *b)
{
	const struct delay_conf conf = {
		.mode = word_of(b, "delay.mode"),
		.min_ns = time_of(b, "delay.min"),
		.max_ns = time_of(b, "delay.max"),
		.warn = share_of(b, "warn"),
		.critical = share_of(b, "critical"),
	};

	delay_open(&b->delay, &conf, (uint64_t)getpid());
}

static void
settle(struct batch *b)
{
	const struct batch_options *o = b->options;
	const char *gate = config_get(&b->config, "gate");
	long most = sysconf(_SC_ARG_MAX);

	settle_jobs(b);
	settle_retries(b);
	settle_sizes(b);
	settle_delay(b);
	b->progress = o->progress != RUN_NOT_GIVEN ? o->progress :
	    word_of(b, "progress");
	b->summary = o->summary != RUN_NOT_GIVEN ? o->summary :
	    word_of(b, "summary");
	b->silent = o->quiet || o->dry_run;
	b->unit = config_get(&b->config, "progress.unit");
	b->gated = gate != NULL && setting_gate_parse(gate, &b->gate) == 0;
	b->line_buffered = o->lines;
	b->ungrouped = o->ungroup;
	/* Half is for the environment; one argument of a shell has a limit. */
	b->argument_bytes = b->template.shell ? 128 * KIB - 1 :
	    (size_t)min_u64(most > 0 ? (uint64_t)most / 2 : 64 * KIB, MIB);
}

/* --- the command ---------------------------------------------------------- */

static bool
is_for_shell(const char *text)
{
	return strpbrk(text, "|&;<>()$`*?[]~#\n!") != NULL;
}

/* `"a b" c\ d 'e'` into words, in place; false: a quote is not closed. */
static bool
split(char *text, struct batch_command *c)
{
	char *from = text, *to = text, quote;

	for (;;) {
		from += strspn(from, " \t\n");
		if (*from == '\0')
			return true;
		c->word = need(realloc(c->word,
		    (c->count + 2) * sizeof(*c->word)));
		c->word[c->count++] = to;
		for (quote = '\0'; *from != '\0' && (quote != '\0' ||
		    strchr(" \t\n", *from) == NULL); from++) {
			if (quote == '\0' && (*from == '\'' || *from == '"'))
				quote = *from;
			else if (*from == quote)
				quote = '\0';
			else if (*from == '\\' && quote != '\'' &&
			    from[1] != '\0')
				*to++ = *++from;
			else
				*to++ = *from;
		}
		if (quote != '\0')
			return false;
		from += *from != '\0';
		*to++ = '\0';
	}
}

static int
take_job_command(struct batch_command *c, const struct config_line *line)
{
	if (is_for_shell(line->text)) {
		c->word = need(calloc(2, sizeof(*c->word)));
		c->word[c->count++] = line->text;
		c->shell = true;
		return COMMAND_DONE;
	}
	c->made = need_text("%s", line->text);
	if (split(c->made, c) && c->count > 0)
		return COMMAND_DONE;
	print_error("batch: %s: cmd '%s' has no closing quote", line->where,
	    line->text);
	return COMMAND_USAGE;
}

/* One word with blanks is a text for a shell, unless there is such a file. */
static void
take_operands(struct batch *b, struct batch_command *c, char **operand,
    size_t count)
{
	c->word = need(calloc(count + 1, sizeof(*c->word)));
	memcpy(c->word, operand, count * sizeof(*c->word));
	c->count = count;
	c->shell = b->options->shell || (count == 1 &&
	    strpbrk(operand[0], " \t") != NULL &&
	    access(operand[0], X_OK) != 0);
}

/* --- the job of a file ---------------------------------------------------- */

static const struct config_line *
job_line(const struct config_job *job, const char *key)
{
	for (size_t i = 0; job != NULL && i < job->count; i++)
		if (strcmp(job->line[i].key, key) == 0)
			return &job->line[i];
	return NULL;
}

static int
tell_no_job(const struct batch *b)
{
	char *names = need_text("%s", ""), *longer;

	for (size_t i = 0; i < b->config.jobs; i++) {
		longer = need_text("%s%s%s", names, i > 0 ? ", " : "",
		    b->config.job[i].name);
		free(names);
		names = longer;
	}
	print_error("batch: --mode '%s': there is no [job.%s]%s%s",
	    b->options->mode, b->options->mode, *names != '\0' ?
	    "; there are " : " in any file", names);
	free(names);
	return COMMAND_USAGE;
}

static int
take_job(struct batch *b, struct batch_command *c, const char **file,
    uint64_t *limit)
{
	const struct config_job *job = config_job(&b->config,
	    b->options->mode);
	const struct config_line *line;

	if (job == NULL)
		return tell_no_job(b);
	config_use_job(&b->config, job);
	line = job_line(job, "limit");
	if (line != NULL && *limit == 0 &&
	    (text_parse_u64(line->text, UINT64_MAX, limit) < 0 ||
	    *limit == 0)) {
		print_error("batch: %s: limit '%s' is not accepted: give a "
		    "number of items", line->where, line->text);
		return COMMAND_USAGE;
	}
	line = job_line(job, "items");
	if (line != NULL && *file == NULL)
		*file = line->text;
	line = job_line(job, "cmd");
	if (c->count > 0)
		return COMMAND_DONE;
	if (line == NULL) {
		print_error("batch: [job.%s] has no cmd, and no CMD is given",
		    b->options->mode);
		return COMMAND_USAGE;
	}
	return take_job_command(c, line);
}

/* --- all of it ------------------------------------------------------------ */

static int
refuse_contradictions(const struct batch *b, const struct batch_command *c)
{
	const struct batch_options *o = b->options;
	const char *why = NULL;

	if (o->null && o->delimiter != NULL)
		why = "--null and --delimiter do not go together";
	else if (o->fixed != 0 && o->chunk != 0)
		why = "--max-args and --chunk are the same: give one";
	else if ((o->fixed != 0 || o->chunk != 0) && o->spread)
		why = "--max-args and --context-replace do not go together: "
		    "the one says how many items, the other has it learned";
	else if (o->group + o->lines + o->ungroup > 1)
		why = "of --group, --line-buffer and --ungroup give one";
	else if (o->ungroup && (o->keep_order || o->tag))
		why = "--ungroup goes with neither --keep-order nor --tag: "
		    "what jobs write is not looked at";
	else if (o->lines && o->keep_order)
		why = "--line-buffer and --keep-order do not go together";
	else if (c->several && o->engine == ENGINE_SLURM)
		why = "--engine slurm takes items from one source: of several "
		    "make a file, and give that";
	else if (o->resume + o->resume_failed + o->retry_failed > 1)
		why = "of --resume, --resume-failed and --retry-failed give "
		    "one";
	else if ((o->resume_failed || o->retry_failed) && o->joblog == NULL)
		why = "--resume-failed and --retry-failed need --joblog";
	else if (o->results != NULL && (o->joblog == NULL || o->lines ||
	    o->ungroup || o->keep_order || o->retry_failed))
		why = "--results needs --joblog, and goes with none of "
		    "--line-buffer, --ungroup, --keep-order and "
		    "--retry-failed";
	else
		why = cluster_refuses(o, c);
	if (why == NULL)
		return COMMAND_DONE;
	print_error("batch: %s", why);
	return COMMAND_USAGE;
}

static int
read_settings(struct batch *b)
{
	char why[CONFIG_WHY_ROOM];
	int r;

	config_open(&b->config);
	r = set_given(b, why);
	if (r == 0)
		r = config_read(&b->config, b->options->config, why);
	if (r == 0)
		return COMMAND_DONE;
	print_error("batch: %s", why);
	return COMMAND_USAGE;
}

static int
check_settings(struct batch *b)
{
	const char *halt = b->options->halt;
	char why[CONFIG_WHY_ROOM];
	struct room room;
	int r;

	if (halt != NULL && halt_parse(halt, &b->halt) < 0) {
		print_error("batch: --halt '%s' is not accepted: give "
		    HALT_ACCEPTED, halt);
		return COMMAND_USAGE;
	}
	room_settle_preset(&b->config);
	r = config_check(&b->config, why);
	if (r == 0) {
		(void)room_find(&room, "batch", NULL);
		room_read(&room, &b->config);
		r = room_check(&room, &b->config, why);
		room_close(&room);
	}
	if (r == 0)
		return COMMAND_DONE;
	print_error("batch: %s", why);
	return COMMAND_USAGE;
}

static bool
must_be_counted(const struct batch *b)
{
	return b->progress != PROGRESS_OFF || b->halt.percent ||
	    b->options->results != NULL ||
	    b->items.word != NULL || b->items.tuples != NULL;
}

static void
count_all(struct batch *b)
{
	b->total = must_be_counted(b) ? items_count(&b->items) : UINT64_MAX;
	if (b->total != UINT64_MAX && b->fixed != 0)
		b->counts.whole = (b->total + b->fixed - 1) / b->fixed;
}

/* Numbers go on from those of the shards before. */
static bool
settle_first(struct batch *b)
{
	b->before_items = above_u64(b->options->first, 1);
	if (b->fixed == 0)
		return true;
	b->before_jobs = b->before_items / b->fixed;
	if (b->before_items % b->fixed == 0)
		return true;
	print_error("batch: --first %llu is not the first item of a job: with "
	    "%u items a job give one more than a multiple of that",
	    (unsigned long long)b->options->first, b->fixed);
	return false;
}

int
batch_configure(struct batch *b, int operands, char **operand,
    struct batch_command *c)
{
	size_t words = batch_inputs_find(operands, operand);
	const char *file = b->options->files.count > 0 ?
	    b->options->files.value[0] : NULL;
	uint64_t limit = b->options->limit;
	int r = read_settings(b);

	batch_inputs_several(b, c, operand + words, (size_t)operands - words);
	if (words > 0)
		take_operands(b, c, operand, words);
	if (r == COMMAND_DONE)
		r = refuse_contradictions(b, c);
	if (r == COMMAND_DONE && b->options->mode != NULL)
		r = take_job(b, c, &file, &limit);
	if (r == COMMAND_DONE)
		r = check_settings(b);
	if (r == COMMAND_DONE)
		r = batch_inputs_open(b, c, file);
	if (r != COMMAND_DONE)
		return r;
	if (limit != 0)
		items_limit(&b->items, limit);
	template_open(&b->template, c->word, c->count, c->shell);
	if (c->several)
		b->template.columns = (unsigned)b->tuples.count;
	settle(b);
	if (!settle_first(b))
		return COMMAND_USAGE;
	if (b->halt.percent && b->fixed == 0) {
		print_error("batch: --halt '%s' is a share of all jobs, and "
		    "how many there will be is learned: give --max-args",
		    b->options->halt);
		return COMMAND_USAGE;
	}
	count_all(b);
	return COMMAND_DONE;
}
