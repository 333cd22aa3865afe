/*
 * cmd-config.c - `heaptide config`: how everything is set, and why
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "run/room.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"
#include "settings/config.h"

/* Options of `heaptide run` that are settings, and the keys of these. */
#define RUN_OPTIONS(X) \
	X(PRESET, "preset", "preset", "NAME") \
	X(BUDGET, "budget", "budget", "SIZE") \
	X(TARGET, "target", "target", "PCT") \
	X(WARN, "warn", "warn", "PCT") \
	X(CRITICAL, "critical", "critical", "PCT") \
	X(ENFORCE, "enforce", "enforce", "HOW") \
	X(GATE, "gate", "gate", "SIZE:HOW") \
	X(STACKS, "stacks", "stacks", "HOW") \
	X(SAMPLE, "sample", "sample", "SIZE") \
	X(DEPTH, "depth", "depth", "N") \
	X(EPOCH, "epoch", "epoch", "TIME") \
	X(CHILDREN, "children", "children", "HOW") \
	X(KEEPER, "keeper", "keeper", "HOW") \
	X(SUMMARY, "summary", "summary", "HOW") \
	X(PROGRESS, "progress", "progress", "HOW") \
	X(RETRIES, "retries", "retry.max", "N") \
	X(RETRY_DELAY, "retry-delay", "retry.delay", "TIME") \
	X(FALLBACK, "fallback", "retry.fallback", "N")

#define AS_NUMBER(id, option, key, word) GIVEN_##id,
enum { RUN_OPTIONS(AS_NUMBER) GIVEN_COUNT };

struct config_options {
	bool explain;
	bool json;
	const char *file;
	const char *given[GIVEN_COUNT];
};

#define AS_ROW(id, option, key, value) \
	{ .name = option, .kind = OPTION_TEXT, \
	  .at = offsetof(struct config_options, given[GIVEN_##id]), \
	  .word = value, .help = "as it would be with this, of run" },

static const struct option_row config_rows[] = {
	{ .name = "explain", .kind = OPTION_FLAG,
	  .at = offsetof(struct config_options, explain),
	  .help = "tell where each value comes from, and who reads it" },
	{ .name = "config", .kind = OPTION_TEXT,
	  .at = offsetof(struct config_options, file), .word = "FILE",
	  .help = "read this file instead of the usual ones" },
	RUN_OPTIONS(AS_ROW)
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct config_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

/* --- text ----------------------------------------------------------------- */

static const char *
or_dash(const char *text)
{
	return text != NULL ? text : "-";
}

static void
print_explained(const struct config *c)
{
	static const struct print_column columns[] = {
		{ "setting", false }, { "value", false }, { "from", false },
		{ "read by", false },
	};
	struct print p = print_open(stdout);
	struct print_table *t;
	const struct setting *s;
	enum config_origin origin;

	t = print_table_open(columns, ARRAY_LENGTH(columns));
	for (s = settings; s->key != NULL; s++) {
		origin = config_origin(c, s->key);
		print_cell(t, "%s", s->key);
		print_cell(t, "%s", or_dash(config_get(c, s->key)));
		if (origin == FROM_DEFAULT || origin == FROM_PRESET)
			print_cell(t, "%s", config_where(c, s->key));
		else
			print_cell(t, "%s: %s", config_origin_word(origin),
			    config_where(c, s->key));
		print_cell(t, "%s", setting_reader_word(s->reader));
		print_row_style(t, origin == FROM_DEFAULT ? PRINT_FAINT :
		    PRINT_STRONG);
	}
	print_table_close(t, &p, 0);
}

/* With quotes, if a file would have to have them. */
static void
print_line_of(const struct print *p, const char *key, const char *value)
{
	char *quoted, *to;

	if (strpbrk(value, " \t#;\"\\") == NULL) {
		print_line(p, PRINT_PLAIN, "%s = %s", key, value);
		return;
	}
	to = quoted = need(malloc(2 * strlen(value) + 1));
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			*to++ = '\\';
		*to++ = *value;
	}
	*to = '\0';
	print_line(p, PRINT_PLAIN, "%s = \"%s\"", key, quoted);
	free(quoted);
}

/* As a file would have them; what is unset, as a comment. */
static void
print_settings(const struct config *c)
{
	struct print p = print_open(stdout);
	const struct setting *s;

	for (s = settings; s->key != NULL; s++) {
		if (config_get(c, s->key) == NULL)
			print_line(&p, PRINT_FAINT, "# %s is not set", s->key);
		else
			print_line_of(&p, s->key, config_get(c, s->key));
	}
}

/* --- JSON ----------------------------------------------------------------- */

static json_t *
json_or_null(const char *text)
{
	return text != NULL ? json_text(text) : json_null();
}

static json_t *
json_setting(const struct config *c, const struct setting *s)
{
	const char *value = config_get(c, s->key);
	char name[TEXT_SETTING_ROOM];

	return json_pack("{s:s, s:o, s:s, s:o, s:s, s:o, s:s, s:o, s:s}",
	    "name", s->key, "value", json_or_null(value),
	    "origin", config_origin_word(config_origin(c, s->key)),
	    "from", json_text(config_where(c, s->key)),
	    "variable", text_setting_name(name, s->key),
	    "option", json_or_null(s->option),
	    "read_by", setting_reader_word(s->reader),
	    "default", json_or_null(*s->fallback != '\0' ? s->fallback :
	    NULL), "help", s->help);
}

static json_t *
json_job(const struct config_job *job)
{
	json_t *lines = json_object();
	size_t i;

	for (i = 0; i < job->count; i++)
		json_object_set_new(lines, job->line[i].key,
		    json_text(job->line[i].text));
	return lines;
}

static int
print_as_json(const struct config *c)
{
	json_t *o = json_head(), *list = json_array(), *jobs = json_object();
	json_t *files = json_array();
	const struct setting *s;
	size_t i;

	for (s = settings; s->key != NULL; s++)
		json_array_append_new(list, json_setting(c, s));
	for (i = 0; i < c->jobs; i++)
		json_object_set_new(jobs, c->job[i].name,
		    json_job(&c->job[i]));
	for (i = 0; i < ARRAY_LENGTH(c->file); i++)
		if (c->file[i] != NULL)
			json_array_append_new(files, json_text(c->file[i]));
	json_object_set_new(o, "files", files);
	json_object_set_new(o, "preset", c->preset != NULL ?
	    json_string(c->preset->name) : json_null());
	json_object_set_new(o, "settings", list);
	json_object_set_new(o, "jobs", jobs);
	return json_print(o);
}

/* --- what is asked -------------------------------------------------------- */

/* `config check FILE`. */
static int
check_file(const char *file)
{
	struct print p = print_open(stdout);
	char why[CONFIG_WHY_ROOM];
	struct config c;
	size_t i, set = 0;
	int r;

	config_open(&c);
	r = config_read_file(&c, file, why);
	if (r == 0)
		r = config_check(&c, why);
	if (r < 0) {
		print_error("config: %s", why);
	} else {
		for (i = 0; i < settings_count(); i++)
			set += c.value[i][FROM_FILE].text != NULL;
		print_line(&p, PRINT_PLAIN, "%s is good: %zu setting%s, "
		    "%zu job%s", file, set, set == 1 ? "" : "s", c.jobs,
		    c.jobs == 1 ? "" : "s");
	}
	config_close(&c);
	return r < 0 ? COMMAND_USAGE : COMMAND_DONE;
}

static int
refuse_operands(int operands, char **operand)
{
	bool check = strcmp(operand[0], "check") == 0;

	if (check && operands == 1)
		print_error("config: check needs a FILE");
	else
		print_error("config: '%s' is not accepted; 'check FILE' is",
		    operand[check ? 2 : 0]);
	return COMMAND_USAGE;
}

#define AS_GIVEN(id, option, key, word) \
	{ key, "--" option, o->given[GIVEN_##id] },

static int
set_given(const struct config_options *o, struct config *c,
    char why[CONFIG_WHY_ROOM])
{
	const struct config_given table[] = { RUN_OPTIONS(AS_GIVEN) };

	return config_set_given(c, table, ARRAY_LENGTH(table), why);
}

static int
config_run(const void *options, int operands, char **operand)
{
	const struct config_options *o = options;
	char why[CONFIG_WHY_ROOM];
	struct config c;
	int r;

	if (operands > 0) {
		if (operands != 2 || strcmp(operand[0], "check") != 0)
			return refuse_operands(operands, operand);
		return check_file(operand[1]);
	}
	config_open(&c);
	r = set_given(o, &c, why);
	if (r == 0)
		r = config_read(&c, o->file, why);
	if (r == 0) {
		room_settle_preset(&c);
		r = config_check(&c, why);
	}
	if (r < 0) {
		print_error("config: %s", why);
		r = COMMAND_USAGE;
	} else if (o->json) {
		r = print_as_json(&c);
	} else if (o->explain) {
		print_explained(&c);
	} else {
		print_settings(&c);
	}
	config_close(&c);
	return r;
}

const struct command command_config = {
	.name = "config",
	.args = "[check FILE]",
	.help = "show how everything is set, and where each value comes from",
	.rows = config_rows,
	.options_bytes = sizeof(struct config_options),
	.operands_most = 3,
	.run = config_run,
};
