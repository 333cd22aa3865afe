/*
 * cmd-recommend.c - `heaptide recommend`: what to change, with numbers; and
 * `heaptide analyze`, the same in two lists: what is wrong, what to set
 */
#include <stdlib.h>

#include "base/base.h"
#include "cmd/commands.h"
#include "ops/account.h"
#include "ops/advise.h"
#include "ops/ops.h"
#include "profile/reader.h"
#include "runs/runs.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"
#include "symbols/json.h"

struct recommend_options {
	bool json;
	const char *write; /* a file, or NULL */
};

#define AT(member) .at = offsetof(struct recommend_options, member)

static const struct option_row recommend_rows[] = {
	{ .name = "write", .kind = OPTION_TEXT, AT(write), .word = "FILE",
	  .help = "write a configuration, with the reason above each line" },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG, AT(json),
	  .help = "print JSON" },
	{ .name = NULL }
};

static const struct option_row analyze_rows[] = {
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG, AT(json),
	  .help = "print JSON" },
	{ .name = NULL }
};

static enum print_style
style_of(enum advice_severity severity)
{
	switch (severity) {
	case ADVICE_URGENT: return PRINT_BAD;
	case ADVICE_WARN: return PRINT_WARN;
	case ADVICE_FINE: return PRINT_GOOD;
	default: return PRINT_PLAIN;
	}
}

/* --- recommend ------------------------------------------------------------ */

static void
print_advice(const struct print *out, const struct advised *a,
    const struct advice *advice)
{
	char text[COUNSEL_TEXT_ROOM], setting[COUNSEL_SETTING_ROOM];

	print_sentence(out, style_of(advice->severity), 11, "%-10s %s: %s",
	    advice_name(advice->id), advice_severity_name(advice->severity),
	    advise_text(a, advice, text));
	if (*advise_setting(a, advice, setting) != '\0')
		print_sentence(out, PRINT_PLAIN, 15, "%-10s try %s", "",
		    setting);
}

/* What it is about: a process, or a run. */
struct subject {
	const struct profile *profile; /* or */
	const struct account *account;
	const char *words; /* its command, or the run's name and state */
};

static int
recommend_text(const struct advised *a, const struct subject *s)
{
	struct print out = print_open(stdout);

	print_line(&out, PRINT_STRONG, "%s", s->words);
	for (size_t i = 0; i < a->counsel->count; i++)
		print_advice(&out, a, &a->counsel->advice[i]);
	if (a->counsel->count == 0)
		print_line(&out, PRINT_PLAIN, "nothing to be changed is seen");
	if (a->counsel->facts.ops != 0)
		fputc('\n', out.to);
	ops_print_curves(&out, a->counsel->op, a->counsel->facts.ops);
	return COMMAND_DONE;
}

static json_t *
json_bytes(uint64_t bytes)
{
	return bytes == TIDE_NONE ? json_null() : json_number(bytes);
}

static void
json_process(json_t *object, const struct profile *profile)
{
	const struct json_member members[] = {
		{ "pid", json_integer(profile->segment->identity.pid) },
		{ "command", json_command(profile) },
		{ "running", json_boolean(profile->live) },
	};

	json_fill(object, members, ARRAY_LENGTH(members));
}

static void
json_run(json_t *object, const struct account *account)
{
	const struct json_member members[] = {
		{ "run", json_text(account->file->id) },
		{ "state", json_text(runs_state(account->file)) },
		{ "running", json_boolean(account->file->locked) },
	};

	json_fill(object, members, ARRAY_LENGTH(members));
}

static int
recommend_json(const struct advised *a, const struct subject *s)
{
	const struct advice_facts *f = &a->counsel->facts;
	json_t *object = json_head();

	if (s->profile != NULL)
		json_process(object, s->profile);
	else
		json_run(object, s->account);
	const struct json_member members[] = {
		{ "duration", json_real(f->seconds) },
		{ "budget", json_bytes(f->budget) },
		{ "source", a->counsel->source[0] == '\0' ? json_null() :
		    json_text(a->counsel->source) },
		{ "used", json_number(f->used) },
		{ "used_mean", json_number(f->used_mean) },
		{ "used_peak", json_number(f->used_peak) },
		{ "recommendations", advise_json_all(a) },
		{ "curves", ops_json_curves(a->counsel->op, f->ops) },
	};

	return json_print(json_fill(object, members, ARRAY_LENGTH(members)));
}

/* What to do with it: recommend, analyze. */
typedef int (*teller)(const struct advised *a, const struct subject *s,
    const struct recommend_options *o);

static int
with_run(const char *name, const char *what,
    const struct recommend_options *o, teller tell)
{
	struct run_file *file = need(malloc(sizeof(*file)));
	struct account *account = need(malloc(sizeof(*account)));
	struct subject s = { .account = account };
	struct advised a;
	char *words = NULL;
	int status = runs_open_meant(name, what, file);

	if (status == COMMAND_DONE)
		status = account_open(name, file, account);
	if (status == COMMAND_DONE) {
		words = need_text("the run %s, %s", file->id,
		    runs_state(file));
		s.words = words;
		account_advise(account, &a);
		status = tell(&a, &s, o);
		advise_close(&a);
	}
	free(words);
	free(account);
	free(file);
	return status;
}

static int
with_profile(const char *name, const char *what,
    const struct recommend_options *o, teller tell)
{
	struct subject s = { .account = NULL };
	struct profile profile;
	struct advised a;
	char why[512], *words;
	int status;

	if (runs_meant(what))
		return with_run(name, what, o, tell);
	if (profile_open(what, &profile, why) < 0) {
		print_error("%s: %s%s", name, why, runs_neither(what));
		return COMMAND_FAILED;
	}
	words = profile_command(&profile);
	s.profile = &profile;
	s.words = words;
	advise_open(&a, &profile, what);
	status = tell(&a, &s, o);
	advise_close(&a);
	free(words);
	status = profile_tell_changed(&profile, name, status);
	profile_close(&profile);
	return status;
}

static int
write_settings(const struct advised *a, const struct subject *s,
    const char *path)
{
	char *whom = s->profile == NULL ? need_text("%s", s->words) :
	    need_text("the process %d: %s",
	    s->profile->segment->identity.pid, s->words);
	int status = advise_write(a, path, print_clean(whom));

	free(whom);
	return status;
}

static int
recommend(const struct advised *a, const struct subject *s,
    const struct recommend_options *o)
{
	int status = o->write != NULL ? write_settings(a, s, o->write) :
	    COMMAND_DONE;

	if (status != COMMAND_DONE)
		return status;
	return o->json ? recommend_json(a, s) : recommend_text(a, s);
}

static int
recommend_run(const void *options, int operands, char **operand)
{
	(void)operands;
	return with_profile("recommend", operand[0], options, recommend);
}

/* --- analyze -------------------------------------------------------------- */

static int
analyze_json(const struct advised *a)
{
	json_t *issues = json_array(), *recommends = json_array();
	json_t *object = json_head();
	char setting[COUNSEL_SETTING_ROOM];

	for (size_t i = 0; i < a->counsel->count; i++) {
		const struct advice *advice = &a->counsel->advice[i];

		if (advice->severity > ADVICE_FINE)
			json_array_append_new(issues, advise_json(a, advice));
		if (*advise_setting(a, advice, setting) != '\0')
			json_array_append_new(recommends,
			    advise_json(a, advice));
	}
	json_object_set_new(object, "issues", issues);
	json_object_set_new(object, "recommends", recommends);
	return json_print(object);
}

static int
analyze(const struct advised *a, const struct subject *s,
    const struct recommend_options *o)
{
	struct print out = print_open(stdout);
	char text[COUNSEL_TEXT_ROOM], setting[COUNSEL_SETTING_ROOM];
	size_t issues = 0;

	(void)s;
	if (o->json)
		return analyze_json(a);
	print_line(&out, PRINT_STRONG, "issues");
	for (size_t i = 0; i < a->counsel->count; i++) {
		const struct advice *advice = &a->counsel->advice[i];

		if (advice->severity == ADVICE_FINE)
			continue;
		issues++;
		print_sentence(&out, style_of(advice->severity), 13,
		    "  %-10s %s: %s", advice_name(advice->id),
		    advice_severity_name(advice->severity),
		    advise_text(a, advice, text));
	}
	if (issues == 0)
		print_line(&out, PRINT_PLAIN, "  none");
	print_line(&out, PRINT_STRONG, "recommends");
	for (size_t i = 0; i < a->counsel->count; i++) {
		const struct advice *advice = &a->counsel->advice[i];

		if (*advise_setting(a, advice, setting) != '\0')
			print_sentence(&out, PRINT_PLAIN, 13, "  %-10s %s",
			    advice_name(advice->id), setting);
	}
	return COMMAND_DONE;
}

static int
analyze_run(const void *options, int operands, char **operand)
{
	(void)operands;
	return with_profile("analyze", operand[0], options, analyze);
}

const struct command command_recommend = {
	.name = "recommend",
	.args = "FILE|PID|RUN",
	.help = "say what to change, by how much, and what that brings",
	.rows = recommend_rows,
	.options_bytes = sizeof(struct recommend_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = recommend_run,
};

const struct command command_analyze = {
	.name = "analyze",
	.args = "FILE|PID|RUN",
	.help = "say what is wrong about its memory, and what to set",
	.rows = analyze_rows,
	.options_bytes = sizeof(struct recommend_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = analyze_run,
};
