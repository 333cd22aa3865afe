#include "config.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "need.h"

#define FILE_NAME "heaptide.conf"

extern char **environ;

/* --- values --------------------------------------------------------------- */

void
config_open(struct config *c)
{
	size_t i;

	*c = (struct config){ .value = NULL };
	c->value = need(calloc(settings_count(), sizeof(*c->value)));
	for (i = 0; i < settings_count(); i++)
		if (*settings[i].fallback != '\0')
			c->value[i][FROM_DEFAULT].text =
			    need_text("%s", settings[i].fallback);
}

static void
line_free(struct config_line *l)
{
	free(l->key);
	free(l->text);
	free(l->where);
}

void
config_close(struct config *c)
{
	size_t i, k;

	for (i = 0; i < settings_count(); i++) {
		for (k = 0; k < CONFIG_ORIGINS; k++) {
			free(c->value[i][k].text);
			free(c->value[i][k].where);
		}
	}
	free(c->value);
	for (i = 0; i < c->jobs; i++) {
		for (k = 0; k < c->job[i].count; k++)
			line_free(&c->job[i].line[k]);
		free(c->job[i].line);
		free(c->job[i].name);
	}
	free(c->job);
	free(c->file[0]);
	free(c->file[1]);
	*c = (struct config){ .value = NULL };
}

static int
refuse(char why[CONFIG_WHY_ROOM], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static int
refuse(char why[CONFIG_WHY_ROOM], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, CONFIG_WHY_ROOM, format, args);
	va_end(args);
	return -EINVAL;
}

/* @name is how the reader knows the setting: its key, variable or option. */
static int
refuse_value(const struct setting *s, const char *name, const char *value,
    char why[CONFIG_WHY_ROOM])
{
	char words[SETTING_WORDS_ROOM];

	return refuse(why, "%s '%.200s' is not accepted: give %s", name, value,
	    setting_accepted(s, words));
}

/* @where is given over. */
static void
store(struct config *c, const struct setting *s, enum config_origin origin,
    const char *value, char *where)
{
	struct config_value *v = &c->value[s - settings][origin];

	free(v->text);
	free(v->where);
	v->text = need_text("%s", value);
	v->where = where;
}

int
config_set(struct config *c, const char *key, const char *option,
    const char *value, char why[CONFIG_WHY_ROOM])
{
	const struct setting *s = setting_find(key);

	if (setting_check(s, value) < 0)
		return refuse_value(s, option, value, why);
	store(c, s, FROM_COMMAND_LINE, value, need_text("%s", option));
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

/* --- files ---------------------------------------------------------------- */

/* Where we are in a file. */
struct reading {
	struct config *config;
	FILE *file;
	const char *name;
	enum config_origin origin;
	unsigned line;
	char section[64]; /* "batch." before each key; "" */
	struct config_job *job; /* of a section [job.NAME]; NULL: else */
	char *why;
};

#define IN_LINE(r) (r)->name, (r)->line

static char *
where_of(const struct reading *r)
{
	return need_text("%s:%u", IN_LINE(r));
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cut blanks, and the end of a line as any system has it. */
static char *
trim(char *s)
{
	char *end = s + strlen(s);

	while (end > s && (is_blank(end[-1]) || end[-1] == '\n' ||
	    end[-1] == '\r'))
		*--end = '\0';
	while (is_blank(*s))
		s++;
	return s;
}

static bool
is_comment(char c)
{
	return c == '#' || c == ';';
}

/* Nothing, or a comment behind blanks. */
static bool
is_over(const char *s)
{
	while (is_blank(*s))
		s++;
	return *s == '\0' || is_comment(*s);
}

/* `"a \"b\" \\ c"  # comment`, in place; NULL: it is not closed. */
static char *
unquote(char *s)
{
	char *from = s + 1, *to = s;

	for (; *from != '"'; from++) {
		if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
			from++;
		if (*from == '\0')
			return NULL;
		*to++ = *from;
	}
	if (!is_over(from + 1))
		return NULL;
	*to = '\0';
	return s;
}

/* What is behind the `=`; NULL: it is not well made. */
static char *
value_of(char *s)
{
	char *p;

	if (*s == '"')
		return unquote(s);
	if (is_comment(*s))
		*s = '\0';
	for (p = s; *p != '\0'; p++)
		if (is_blank(p[0]) && is_comment(p[1]))
			*p = '\0';
	return trim(s);
}

static bool
is_section(const char *name)
{
	const struct setting *s;
	size_t length = strlen(name);

	for (s = settings; s->key != NULL; s++)
		if (strncmp(s->key, name, length) == 0 &&
		    s->key[length] == '.')
			return true;
	return false;
}

static int
open_job(struct reading *r, const char *name)
{
	struct config *c = r->config;

	if (*name == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != strlen(name))
		return refuse(r->why, "%s:%u: '%.200s' is no name of a job: "
		    "letters, digits and - _ . are accepted", IN_LINE(r),
		    name);
	if (config_job(c, name) != NULL)
		return refuse(r->why, "%s:%u: there is a job '%.200s' "
		    "already", IN_LINE(r), name);
	c->job = need(realloc(c->job, (c->jobs + 1) * sizeof(*c->job)));
	r->job = &c->job[c->jobs++];
	*r->job = (struct config_job){ .name = need_text("%s", name) };
	return 0;
}

static int
read_section(struct reading *r, char *line)
{
	char *end = strchr(line, ']');

	if (end == NULL || !is_over(end + 1))
		return refuse(r->why, "%s:%u: '%.200s' is no section; "
		    "[batch] or [job.NAME] are", IN_LINE(r), line);
	*end = '\0';
	line = trim(line + 1);
	r->job = NULL;
	r->section[0] = '\0';
	if (strncmp(line, "job.", 4) == 0)
		return open_job(r, line + 4);
	if (!is_section(line))
		return refuse(r->why, "%s:%u: there is no section '%.200s'; "
		    "'heaptide config' lists all settings", IN_LINE(r), line);
	snprintf(r->section, sizeof(r->section), "%s.", line);
	return 0;
}

static int
refuse_twice(struct reading *r, const char *key, const char *where)
{
	return refuse(r->why, "%s:%u: %s was set before, at %s", IN_LINE(r),
	    key, where);
}

static int
refuse_line(struct reading *r, const struct setting *s, const char *value)
{
	char *name = need_text("%s:%u: %s", IN_LINE(r), s->key);
	int result = refuse_value(s, name, value, r->why);

	free(name);
	return result;
}

static int
read_job_line(struct reading *r, const char *key, const char *value)
{
	static const char *const own[] = { "cmd", "items", "limit", NULL };
	const struct setting *s = setting_find(key);
	struct config_job *job = r->job;
	size_t i;

	for (i = 0; own[i] != NULL && strcmp(own[i], key) != 0; i++)
		;
	if (own[i] == NULL && s == NULL)
		return refuse(r->why, "%s:%u: a job has no '%.100s'; cmd, "
		    "items, limit and settings are accepted", IN_LINE(r),
		    key);
	if (s != NULL && setting_check(s, value) < 0)
		return refuse_line(r, s, value);
	for (i = 0; i < job->count; i++)
		if (strcmp(job->line[i].key, key) == 0)
			return refuse_twice(r, key, job->line[i].where);
	job->line = need(realloc(job->line,
	    (job->count + 1) * sizeof(*job->line)));
	job->line[job->count++] = (struct config_line){
		.key = need_text("%s", key),
		.text = need_text("%s", value),
		.where = where_of(r),
	};
	return 0;
}

static int
read_setting(struct reading *r, const char *key, const char *value)
{
	const struct config_value *v;
	const struct setting *s;
	char whole[128];

	snprintf(whole, sizeof(whole), "%s%.60s", r->section, key);
	s = setting_find(whole);
	if (s == NULL)
		return refuse(r->why, "%s:%u: there is no setting '%s'; "
		    "'heaptide config' lists them", IN_LINE(r), whole);
	if (setting_check(s, value) < 0)
		return refuse_line(r, s, value);
	v = &r->config->value[s - settings][r->origin];
	if (v->text != NULL)
		return refuse_twice(r, s->key, v->where);
	store(r->config, s, r->origin, value, where_of(r));
	return 0;
}

static int
read_line(struct reading *r, char *line)
{
	char *equal, *key, *value;

	if (*line == '\0' || is_comment(*line))
		return 0;
	if (*line == '[')
		return read_section(r, line);
	equal = strchr(line, '=');
	if (equal == NULL || equal == line)
		return refuse(r->why, "%s:%u: '%.200s' is neither "
		    "'key = value' nor '[section]'", IN_LINE(r), line);
	*equal = '\0';
	key = trim(line);
	value = value_of(trim(equal + 1));
	if (value == NULL)
		return refuse(r->why, "%s:%u: the value of %.100s has no "
		    "closing quote, or something behind it", IN_LINE(r), key);
	if (*value == '\0')
		return refuse(r->why, "%s:%u: %.100s has no value; leave the "
		    "line out to have the default", IN_LINE(r), key);
	return r->job != NULL ? read_job_line(r, key, value) :
	    read_setting(r, key, value);
}

static int
read_lines(struct reading *r)
{
	char *line = NULL;
	size_t room = 0;
	ssize_t n;
	int result = 0;

	while (result == 0 && (n = getline(&line, &room, r->file)) >= 0) {
		r->line++;
		if (strlen(line) != (size_t)n)
			result = refuse(r->why, "%s:%u: there is a zero byte "
			    "in it; it is no text", IN_LINE(r));
		else
			result = read_line(r, trim(line));
	}
	if (result == 0 && ferror(r->file))
		result = refuse(r->why, "%s cannot be read: %s", r->name,
		    strerror(errno));
	free(line);
	return result;
}

/* 1: it is not there, and need not be. */
static int
read_file(struct config *c, const char *name, bool needed,
    enum config_origin origin, char why[CONFIG_WHY_ROOM])
{
	struct reading r = { .config = c, .name = name, .origin = origin,
		.why = why };
	int result;

	r.file = fopen(name, "re");
	if (r.file == NULL && !needed && (errno == ENOENT ||
	    errno == ENOTDIR || (errno == EACCES && origin == FROM_USER_FILE)))
		return 1; /* HOME may be that of who became this user */
	if (r.file == NULL)
		return refuse(why, "%s cannot be read: %s", name,
		    strerror(errno));
	result = read_lines(&r);
	fclose(r.file);
	return result;
}

int
config_read_file(struct config *c, const char *file,
    char why[CONFIG_WHY_ROOM])
{
	c->file[0] = need_text("%s", file);
	return read_file(c, file, true, FROM_FILE, why);
}

/* --- the whole ------------------------------------------------------------ */

static int
read_environment(struct config *c, char why[CONFIG_WHY_ROOM])
{
	char name[TEXT_SETTING_ROOM];
	const struct setting *s;
	const char *value;

	for (s = settings; s->key != NULL; s++) {
		value = text_setting(environ, s->key);
		if (value == NULL)
			continue;
		text_setting_name(name, s->key);
		if (setting_check(s, value) < 0)
			return refuse_value(s, name, value, why);
		store(c, s, FROM_ENVIRONMENT, value, need_text("%s", name));
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

	r = read_file(c, "./" FILE_NAME, false, FROM_FILE, why);
	if (r < 0)
		return r;
	if (r == 0)
		c->file[0] = need_text("./" FILE_NAME);
	c->file[1] = user_file();
	if (c->file[1] == NULL)
		return 0;
	r = read_file(c, c->file[1], false, FROM_USER_FILE, why);
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
		store(c, setting_find(row->key), FROM_PRESET, row->value,
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

const struct config_job *
config_job(const struct config *c, const char *name)
{
	size_t i;

	for (i = 0; i < c->jobs; i++)
		if (strcmp(c->job[i].name, name) == 0)
			return &c->job[i];
	return NULL;
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
		store(c, s, FROM_FILE, line->text, need_text("%s",
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
		return refuse(why, "warn %s (%s) is not below critical %s "
		    "(%s)", config_get(c, "warn"), config_where(c, "warn"),
		    config_get(c, "critical"), config_where(c, "critical"));
	if (count_of(c, "batch.max") != 0 &&
	    count_of(c, "batch.min") > count_of(c, "batch.max"))
		return refuse(why, "batch.min %s (%s) is above batch.max %s "
		    "(%s)", config_get(c, "batch.min"),
		    config_where(c, "batch.min"), config_get(c, "batch.max"),
		    config_where(c, "batch.max"));
	return 0;
}
