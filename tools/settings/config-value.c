/*
 * config-value.c - what is set, by where it comes from, and what may not be
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "say/need.h"
#include "settings/config-file.h"
#include "settings/settings.h"

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

int
config_refuse(char why[CONFIG_WHY_ROOM], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, CONFIG_WHY_ROOM, format, args);
	va_end(args);
	return -EINVAL;
}

int
config_refuse_value(const struct setting *s, const char *name,
    const char *value, char why[CONFIG_WHY_ROOM])
{
	char words[SETTING_WORDS_ROOM];

	return config_refuse(why, "%s '%.200s' is not accepted: give %s",
	    name, value, setting_accepted(s, words));
}

void
config_store(struct config *c, const struct setting *s,
    enum config_origin origin, const char *value, char *where)
{
	struct config_value *v = &c->value[s - settings][origin];

	free(v->text);
	free(v->where);
	v->text = need_text("%s", value);
	v->where = where;
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
