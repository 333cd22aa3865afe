/*
 * run-again.c - a program that failed is started again: what its user is told,
 * what becomes of its profile, and what the next one is given
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "run/run.h"
#include "say/print.h"
#include "settings/config.h"
#include "symbols/json.h"
#include "sys/sys.h"

/* For the library, see plan/again.h; and the items that are left out. */
#define BATCH_VARIABLE "HEAPTIDE_RETRY_BATCH"
#define ITEMS_VARIABLE "HEAPTIDE_QUARANTINE"

/* --- whether at all ------------------------------------------------------- */

/* A preset says how, but not that it is to be done: somebody has to want it. */
static bool
is_wanted(const struct run_options *o, const struct config *config)
{
	enum config_origin origin = config_origin(config, "retry.max");

	if (o->retry_errors || o->retry_delay != NULL ||
	    o->fallback != NULL || origin == FROM_COMMAND_LINE)
		return true;
	/* Within a run they say what that one does; twice is too often. */
	return getenv("HEAPTIDE_RUN") == NULL && (origin ==
	    FROM_ENVIRONMENT || origin == FROM_FILE ||
	    origin == FROM_USER_FILE);
}

/* The values were checked as they came in. */
static uint64_t
time_of(const struct config *config, const char *key)
{
	uint64_t ns = 0;

	(void)text_parse_duration(config_get(config, key), &ns);
	return ns;
}

static uint64_t
number_of(const struct config *config, const char *key)
{
	uint64_t n = 0;

	(void)text_parse_u64(config_get(config, key), UINT64_MAX, &n);
	return n;
}

void
run_set_policy(struct run *run, const struct config *config)
{
	struct retry_policy *p = &run->policy;

	p->most = is_wanted(run->options, config) ?
	    number_of(config, "retry.max") : 0;
	p->delay_ns = time_of(config, "retry.delay");
	p->cap_ns = time_of(config, "retry.cap");
	p->factor = strtod(config_get(config, "retry.factor"), NULL);
	p->spread = strcmp(config_get(config, "retry.jitter"), "none") != 0;
	p->errors = run->options->retry_errors;
	p->fallback = (uint32_t)number_of(config, "retry.fallback");
	run->supervised = p->most != 0;
	run->child.again = run->supervised;
}

/* --- what is told --------------------------------------------------------- */

/* Of an object of JSON on stderr nothing is to stand in front. */
static bool
may_tell(const struct run *run)
{
	return run->options->summary != SUMMARY_JSON;
}

static void
tell_next(const struct run *run)
{
	const struct retry_verdict *v = &run->verdict;
	char delay[TEXT_DURATION_ROOM], how[64] = "";

	if (v->leave_out)
		print_error("%s: item %llu is left out from now on: alone in a "
		    "batch it ended the program", run->argv[0],
		    (unsigned long long)v->item);
	if (v->n != 0)
		snprintf(how, sizeof(how), ", with batches of %u item%s up to "
		    "item %llu", v->n, v->n == 1 ? "" : "s",
		    (unsigned long long)v->end);
	if (v->delay_ns != 0)
		print_error("%s %s; it is started again in %s%s",
		    run->argv[0], run->words,
		    text_format_duration(delay, v->delay_ns), how);
	else
		print_error("%s %s; it is started again%s", run->argv[0],
		    run->words, how);
}

/* What came out of a pipe is gone; a file can be read from where it began. */
static void
tell_input(struct run *run)
{
	struct stat st;

	if (run->input_told || run->outcome == OUTCOME_RECYCLE ||
	    fstat(STDIN_FILENO, &st) != 0 ||
	    !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return;
	run->input_told = true;
	print_error("%s: standard input is a pipe: what one attempt has read "
	    "of it, the next does not see", run->argv[0]);
}

/* It ends with this attempt, and somebody had hoped for more. */
static const char *
why_not(const struct run *run)
{
	if (run->late)
		return "--timeout leaves no time for another attempt";
	switch (run->verdict.why) {
	case RETRY_USED_UP:
		return "all tries are used up";
	case RETRY_STUCK:
		return "started again three times, its run did not get on";
	case RETRY_NO_WAY_ROUND:
		return "the item that was left out came again: the program "
		    "cannot leave it out";
	default:
		return NULL;
	}
}

void
run_tell_end(const struct run *run)
{
	const char *why = why_not(run);
	bool short_of = outcome_is_memory(run->outcome);

	if (!may_tell(run) || run->outcome == OUTCOME_DONE)
		return;
	if (why != NULL)
		print_error("%s %s; it is not started again: %s",
		    run->argv[0], run->words, why);
	else if ((short_of || run->timed_out || run->attempts > 1) &&
	    !run->options->quiet && run->options->summary == SUMMARY_TEXT)
		print_error("%s %s", run->argv[0], run->words);
	else if (run->timed_out)
		print_error("%s %s", run->argv[0], run->words);
}

/* --- its profile ---------------------------------------------------------- */

/* FILE without its suffix, and another one. */
static char *
name_failed(const char *file)
{
	size_t n = strlen(file), end = strlen(SEGMENT_SUFFIX);
	char *name;

	if (n > end && strcmp(file + n - end, SEGMENT_SUFFIX) == 0)
		n -= end;
	return asprintf(&name, "%.*s.failed" SEGMENT_SUFFIX, (int)n, file) < 0 ?
	    NULL : name;
}

static void
drop_folder(const char *file)
{
	char *folder;

	if (asprintf(&folder, "%s.d", file) < 0)
		return;
	gather_clear(folder);
	free(folder);
}

/* Of those that failed the last is worth a look. */
static void
keep_failed(struct run *run)
{
	char *name = name_failed(run->file), *folder = NULL;

	if (name == NULL)
		return;
	if (run->failed_file != NULL) {
		(void)unlink(run->failed_file);
		drop_folder(run->failed_file);
	}
	free(run->failed_file);
	run->failed_file = NULL;
	drop_folder(name);
	if (rename(run->file, name) != 0) {
		free(name);
		return;
	}
	if (asprintf(&folder, "%s.d", name) >= 0)
		(void)rename(run->folder, folder);
	free(folder);
	run->failed_file = name;
}

static void
put_away(struct run *run)
{
	if (run->home && run->outcome != OUTCOME_RECYCLE) {
		keep_failed(run);
	} else if (run->home) {
		(void)unlink(run->file);
		gather_clear(run->folder);
	}
	free(run->file);
	free(run->folder);
	run->file = run->folder = NULL;
	run->home = false;
}

/* --- the next ------------------------------------------------------------- */

static void
export_batch(const struct run *run)
{
	const struct retry_verdict *v = &run->verdict;
	const struct box *box = &run->box;
	bool lost = box->open && outcome_is_memory(run->outcome);
	char text[256];

	if (v->n == 0) {
		unsetenv(BATCH_VARIABLE);
		return;
	}
	snprintf(text, sizeof(text), "%u %llu %llu %llu %s", v->n,
	    (unsigned long long)v->end,
	    (unsigned long long)(lost ? box->n : 0),
	    (unsigned long long)(lost ? box->grew : 0), box->op);
	setenv(BATCH_VARIABLE, text, 1);
}

static void
export_left_out(struct run *run)
{
	const char *before = getenv(ITEMS_VARIABLE);
	unsigned long long item = run->verdict.item;
	char *list = NULL;

	if (!run->verdict.leave_out)
		return;
	run->left_out++;
	if (before != NULL && *before == '\0')
		before = NULL;
	if (asprintf(&list, "%s%s%llu-%llu", before != NULL ? before : "",
	    before != NULL ? "," : "", item, item) >= 0)
		setenv(ITEMS_VARIABLE, list, 1);
	free(list);
}

static void
note_attempt(struct run *run)
{
	const struct run_attempt a = {
		.outcome = run->outcome,
		.status = run->child.status,
		.pid = run->child.pid,
		.lived_ns = sys_clock() - run->started_ns,
		.delay_ns = run->verdict.delay_ns,
		.n = run->verdict.n,
	};

	run->last[(run->attempts - 1) % RUN_LAST] = a;
}

bool
run_again(struct run *run)
{
	note_attempt(run);
	if (!run->once_more)
		return false;
	if (may_tell(run) && run->outcome != OUTCOME_RECYCLE) {
		tell_next(run);
		tell_input(run);
	}
	put_away(run);
	export_batch(run);
	export_left_out(run);
	supervise_pause(sys_clock() + run->verdict.delay_ns);
	run->terminated = run->stalled = run->judged = run->oom = false;
	memset(&run->oom_groups, 0, sizeof(run->oom_groups));
	memset(&run->limit, 0, sizeof(run->limit));
	return true;
}

/* --- JSON ----------------------------------------------------------------- */

static json_t *
json_attempt(const struct run_attempt *a)
{
	const struct json_member members[] = {
		{ "outcome", json_string(outcome_name(a->outcome)) },
		{ "pid", json_integer(a->pid) },
		{ "status", WIFEXITED(a->status) ?
		    json_integer(WEXITSTATUS(a->status)) : json_null() },
		{ "signal", outcome_signal(a->status) != 0 ?
		    json_integer(outcome_signal(a->status)) : json_null() },
		{ "duration", json_real((double)a->lived_ns / NS_PER_S) },
		{ "delay", json_real((double)a->delay_ns / NS_PER_S) },
		{ "batch", a->n != 0 ? json_integer(a->n) : json_null() },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

/* The last of them, in their order; this one included. */
static json_t *
json_last(struct run *run)
{
	uint64_t first = run->attempts > RUN_LAST ? run->attempts - RUN_LAST :
	    0;
	json_t *list = json_array();

	note_attempt(run);
	for (uint64_t i = first; i < run->attempts; i++)
		json_array_append_new(list,
		    json_attempt(&run->last[i % RUN_LAST]));
	return list;
}

static json_t *
json_outcomes(const struct run *run)
{
	json_t *o = json_object();

	for (int i = 0; i < OUTCOMES; i++)
		json_object_set_new(o, outcome_name((enum outcome)i),
		    json_number(run->outcomes[i]));
	return o;
}

json_t *
run_json_outcome(struct run *run)
{
	const struct run_standing *at = &run->standing;
	const char *why = why_not(run);
	const struct json_member members[] = {
		{ "outcome", json_string(outcome_name(run->outcome)) },
		{ "post_mortem", run->outcome != OUTCOME_DONE ?
		    json_text(run->words) : json_null() },
		{ "given_up", why != NULL ? json_string(why) : json_null() },
		{ "run", at->known ? json_text(at->id) : json_null() },
		{ "attempts", json_number(run->attempts) },
		{ "outcomes", json_outcomes(run) },
		{ "last_attempts", json_last(run) },
		{ "left_out", json_number(run->left_out) },
		{ "failed_file", run->failed_file != NULL ?
		    json_text(run->failed_file) : json_null() },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

/* In place of a summary, where there is no profile. */
void
run_print_outcome(struct run *run)
{
	const struct json_member members[] = {
		{ "command", json_text(run->argv[0]) },
		{ "pid", json_integer(run->child.pid) },
	};
	json_t *more = run_json_outcome(run);
	json_t *o = json_fill(json_head(), members, ARRAY_LENGTH(members));

	json_object_update(o, more);
	json_decref(more);
	json_dumpf(o, stderr, JSON_COMPACT | JSON_REAL_PRECISION(15));
	fputc('\n', stderr);
	json_decref(o);
}

/* --- text ----------------------------------------------------------------- */

/* `12: 10 recycle, 1 oom, 1 done`; empty of one that was started once. */
char *
run_attempts_words(const struct run *run, char words[RUN_ATTEMPTS_ROOM])
{
	size_t used;

	words[0] = '\0';
	if (run->attempts < 2)
		return words;
	used = (size_t)snprintf(words, RUN_ATTEMPTS_ROOM, "%10llu:",
	    (unsigned long long)run->attempts);
	for (int i = 0; i < OUTCOMES; i++)
		if (run->outcomes[i] != 0 && used < RUN_ATTEMPTS_ROOM)
			used += (size_t)snprintf(words + used,
			    RUN_ATTEMPTS_ROOM - used, " %llu %s,",
			    (unsigned long long)run->outcomes[i],
			    outcome_name((enum outcome)i));
	words[strlen(words) - 1] = '\0';
	if (run->failed_file != NULL && used < RUN_ATTEMPTS_ROOM)
		snprintf(words + used - 1, RUN_ATTEMPTS_ROOM - used + 1,
		    "; the last that failed is in %s", run->failed_file);
	return words;
}

char *
run_left_out_words(const struct run *run, char words[RUN_ATTEMPTS_ROOM])
{
	words[0] = '\0';
	if (run->left_out != 0)
		snprintf(words, RUN_ATTEMPTS_ROOM, "%10llu item%s that ended "
		    "the program; 'heaptide checkpoints failed %s' has "
		    "them", (unsigned long long)run->left_out,
		    run->left_out == 1 ? "" : "s", run->standing.known ?
		    run->standing.id : "RUN");
	return words;
}
