#include "settings/config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "say/need.h"
#include "settings/config-file.h"

#define FILE_NAME "heaptide.conf"

extern char **environ;

/* --- values --------------------------------------------------------------- */

int
config_set(struct config *c, const char *key, const char *option,
    const char *value, char why[CONFIG_WHY_ROOM])
{
	const struct setting *s = setting_find(key);

	if (setting_check(s, value) < 0)
		return config_refuse_value(s, option, value, why);
	config_store(c, s, FROM_COMMAND_LINE, value, need_text("%s", option));
	return 0;
}

int
config_set_given(struct config *c, const struct config_given *given,
    size_t count, char why[CONFIG_WHY_ROOM])
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < count; i++)
		if (given[i].value != NULL)
			r = config_set(c, given[i].key, given[i].option,
			    given[i].value, why);
	return r;
}

int
config_read_file(struct config *c, const char *file,
    char why[CONFIG_WHY_ROOM])
{
	c->file[0] = need_text("%s", file);
	return config_read_lines_of(c, file, true, FROM_FILE, why);
}

/* --- the whole ------------------------------------------------------------ */

/* What people write of some settings elsewhere: as we have it. */
static const struct {
	const char *variable, *value, *means;
} spellings[] = {
	{ "HEAPTIDE_SUMMARY", "1", "text" },
	{ "HEAPTIDE_SUMMARY", "on", "text" },
	{ "HEAPTIDE_SUMMARY", "0", "off" },
};

/* In the environment itself, so that the program finds them as well. */
static void
respell(void)
{
	if (text_log_debugs(environ)) {
		setenv("HEAPTIDE_LOG_DEBUG", "on", false);
		if (text_log(environ) == NULL)
			unsetenv("HEAPTIDE_LOG"); /* it names no file */
	}
	for (size_t i = 0; i < ARRAY_LENGTH(spellings); i++) {
		const char *value = getenv(spellings[i].variable);

		if (value != NULL && strcmp(value, spellings[i].value) == 0)
			setenv(spellings[i].variable, spellings[i].means,
			    true);
	}
}

static int
read_environment(struct config *c, char why[CONFIG_WHY_ROOM])
{
	char name[TEXT_SETTING_ROOM];
	const struct setting *s;
	const char *value;

	respell();
	for (s = settings; s->key != NULL; s++) {
		value = text_setting(environ, s->key);
		if (value == NULL)
			continue;
		text_setting_name(name, s->key);
		if (setting_check(s, value) < 0)
			return config_refuse_value(s, name, value, why);
		config_store(c, s, FROM_ENVIRONMENT, value, need_text("%s",
		    name));
	}
	return 0;
}

/* $XDG_CONFIG_HOME/heaptide/heaptide.conf; NULL: there is no such place. */
static char *
user_file(void)
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");

	/* What is not absolute is to be ignored, says the specification. */
	if (config != NULL && *config == '/')
		return need_text("%s/heaptide/" FILE_NAME, config);
	if (home != NULL && *home == '/')
		return need_text("%s/.config/heaptide/" FILE_NAME, home);
	return NULL;
}

static int
read_files(struct config *c, const char *named, char why[CONFIG_WHY_ROOM])
{
	const char *variable = getenv("HEAPTIDE_CONFIG");
	int r;

	if (named == NULL && variable != NULL && *variable != '\0')
		named = variable;
	if (named != NULL)
		return config_read_file(c, named, why);

	r = config_read_lines_of(c, "./" FILE_NAME, false, FROM_FILE, why);
	if (r < 0)
		return r;
	if (r == 0)
		c->file[0] = need_text("./" FILE_NAME);
	c->file[1] = user_file();
	if (c->file[1] == NULL)
		return 0;
	r = config_read_lines_of(c, c->file[1], false, FROM_USER_FILE, why);
	if (r > 0) {
		free(c->file[1]);
		c->file[1] = NULL;
	}
	return r < 0 ? r : 0;
}

void
config_use_preset(struct config *c, const struct preset *preset)
{
	const char *said = config_get(c, "preset");
	const struct preset_row *row;

	c->preset = preset;
	c->wants_budget = false;
	for (row = preset->row; row < preset->row + PRESET_ROWS &&
	    row->key != NULL; row++)
		config_store(c, setting_find(row->key), FROM_PRESET, row->value,
		    said != NULL && strcmp(said, preset->name) != 0 ?
		    need_text("preset %s: %s", said, preset->name) :
		    need_text("preset %s", preset->name));
}

int
config_read(struct config *c, const char *file, char why[CONFIG_WHY_ROOM])
{
	const char *name;
	int r = read_environment(c, why);

	if (r == 0)
		r = read_files(c, file, why);
	name = r == 0 ? config_get(c, "preset") : NULL;
	if (name == NULL)
		return r;
	if (strcmp(name, "auto") == 0)
		c->wants_budget = true;
	else
		config_use_preset(c, preset_find(name));
	return 0;
}

/* --- what has been set ---------------------------------------------------- */

const struct config_value *
config_values(const struct config *c, const char *key)
{
	return c->value[setting_find(key) - settings];
}

enum config_origin
config_origin(const struct config *c, const char *key)
{
	const struct config_value *v = config_values(c, key);
	int i;

	for (i = 0; i < FROM_DEFAULT && v[i].text == NULL; i++)
		;
	return (enum config_origin)i;
}

const char *
config_get(const struct config *c, const char *key)
{
	return config_values(c, key)[config_origin(c, key)].text;
}

const char *
config_where(const struct config *c, const char *key)
{
	const char *where = config_values(c, key)[config_origin(c, key)].where;

	return where != NULL ? where : "default";
}

const char *
config_origin_word(enum config_origin origin)
{
	static const char *const words[] = {
		[FROM_COMMAND_LINE] = "command line",
		[FROM_ENVIRONMENT] = "environment",
		[FROM_FILE] = "file",
		[FROM_USER_FILE] = "user file",
		[FROM_PRESET] = "preset",
		[FROM_DEFAULT] = "default",
	};

	return words[origin];
}

void
config_use_job(struct config *c, const struct config_job *job)
{
	const struct preset *preset;
	size_t i;

	for (i = 0; i < job->count; i++) {
		const struct config_line *line = &job->line[i];
		const struct setting *s = setting_find(line->key);

		if (s == NULL)
			continue;
		config_store(c, s, FROM_FILE, line->text, need_text("%s",
		    line->where));
		if (strcmp(s->key, "preset") != 0 ||
		    config_origin(c, s->key) != FROM_FILE)
			continue;
		preset = preset_find(line->text);
		c->wants_budget = strcmp(line->text, "auto") == 0;
		if (!c->wants_budget)
			config_use_preset(c, preset);
	}
}

/* Millionths; there is a default. */
static uint64_t
share_of(const struct config *c, const char *key)
{
	uint64_t share = 0;

	(void)text_parse_share(config_get(c, key), &share);
	return share;
}

static uint64_t
count_of(const struct config *c, const char *key)
{
	uint64_t n = 0;

	(void)text_parse_u64(config_get(c, key), UINT64_MAX, &n);
	return n;
}

int
config_check(const struct config *c, char why[CONFIG_WHY_ROOM])
{
	if (share_of(c, "warn") >= share_of(c, "critical"))
		return config_refuse(why,
		    "warn %s (%s) is not below critical %s "
		    "(%s)", config_get(c, "warn"), config_where(c, "warn"),
		    config_get(c, "critical"), config_where(c, "critical"));
	if (count_of(c, "batch.max") != 0 &&
	    count_of(c, "batch.min") > count_of(c, "batch.max"))
		return config_refuse(why,
		    "batch.min %s (%s) is above batch.max %s "
		    "(%s)", config_get(c, "batch.min"),
		    config_where(c, "batch.min"), config_get(c, "batch.max"),
		    config_where(c, "batch.max"));
	return 0;
}

int
config_least(struct control_least *least, char why[CONFIG_WHY_ROOM])
{
	const char *value;
	struct config c;
	int r;

	*least = (struct control_least){ 0, 0 };
	config_open(&c);
	r = config_read(&c, NULL, why);
	value = r == 0 ? config_get(&c, "leak.threshold_rate") : NULL;
	if (value != NULL && *value != '\0') /* it has been found to be good */
		(void)control_parse_least(value, least);
	config_close(&c);
	return r;
}
