/*
 * config-file.c - a file of settings, line by line
 */
#include "settings/config-file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "say/need.h"

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
		return config_refuse(r->why,
		    "%s:%u: '%.200s' is no name of a job: "
		    "letters, digits and - _ . are accepted", IN_LINE(r),
		    name);
	if (config_job(c, name) != NULL)
		return config_refuse(r->why, "%s:%u: there is a job '%.200s' "
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
		return config_refuse(r->why, "%s:%u: '%.200s' is no section; "
		    "[batch] or [job.NAME] are", IN_LINE(r), line);
	*end = '\0';
	line = trim(line + 1);
	r->job = NULL;
	r->section[0] = '\0';
	if (strncmp(line, "job.", 4) == 0)
		return open_job(r, line + 4);
	if (!is_section(line))
		return config_refuse(r->why,
		    "%s:%u: there is no section '%.200s'; "
		    "'heaptide config' lists all settings", IN_LINE(r), line);
	snprintf(r->section, sizeof(r->section), "%s.", line);
	return 0;
}

static int
refuse_twice(struct reading *r, const char *key, const char *where)
{
	return config_refuse(r->why,
	    "%s:%u: %s was set before, at %s", IN_LINE(r),
	    key, where);
}

static int
refuse_line(struct reading *r, const struct setting *s, const char *value)
{
	char *name = need_text("%s:%u: %s", IN_LINE(r), s->key);
	int result = config_refuse_value(s, name, value, r->why);

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
		return config_refuse(r->why,
		    "%s:%u: a job has no '%.100s'; cmd, "
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
		return config_refuse(r->why, "%s:%u: there is no setting '%s'; "
		    "'heaptide config' lists them", IN_LINE(r), whole);
	if (setting_check(s, value) < 0)
		return refuse_line(r, s, value);
	v = &r->config->value[s - settings][r->origin];
	if (v->text != NULL)
		return refuse_twice(r, s->key, v->where);
	config_store(r->config, s, r->origin, value, where_of(r));
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
		return config_refuse(r->why, "%s:%u: '%.200s' is neither "
		    "'key = value' nor '[section]'", IN_LINE(r), line);
	*equal = '\0';
	key = trim(line);
	value = value_of(trim(equal + 1));
	if (value == NULL)
		return config_refuse(r->why,
		    "%s:%u: the value of %.100s has no "
		    "closing quote, or something behind it", IN_LINE(r), key);
	if (*value == '\0')
		return config_refuse(r->why,
		    "%s:%u: %.100s has no value; leave the "
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
			result = config_refuse(r->why,
			    "%s:%u: there is a zero byte "
			    "in it; it is no text", IN_LINE(r));
		else
			result = read_line(r, trim(line));
	}
	if (result == 0 && ferror(r->file))
		result = config_refuse(r->why, "%s cannot be read: %s", r->name,
		    strerror(errno));
	free(line);
	return result;
}

int
config_read_lines_of(struct config *c, const char *name, bool needed,
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
		return config_refuse(why, "%s cannot be read: %s", name,
		    strerror(errno));
	result = read_lines(&r);
	fclose(r.file);
	return result;
}
