/*
 * run-settings.c - what files, presets and the environment say of a run
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "run/room.h"
#include "run/run.h"
#include "say/print.h"
#include "settings/config.h"

/* The options whose values are settings. */
static int
set_given(const struct run_options *o, struct config *config,
    char why[CONFIG_WHY_ROOM])
{
	const struct config_given table[] = {
		{ "preset", "--preset", o->preset },
		{ "budget", "--budget", o->budget },
		{ "target", "--target", o->target },
		{ "warn", "--warn", o->warn },
		{ "critical", "--critical", o->critical },
		{ "enforce", "--enforce", o->enforce },
		{ "gate", "--gate", o->gate },
		{ "progress", "--progress", o->progress },
		{ "retry.max", "--retries", o->retries },
		{ "retry.delay", "--retry-delay", o->retry_delay },
		{ "retry.fallback", "--fallback", o->fallback },
	};

	return config_set_given(config, table, ARRAY_LENGTH(table), why);
}

/*
 * A run within a run finds what the outer one has set for its program: that
 * nobody but us is to serve the socket is no wish of the user's.
 */
static void
choose(const struct config *config, const char *key, int *choice)
{
	const struct setting *s = setting_find(key);
	const char *value = config_get(config, key);
	int i;

	if (*choice != RUN_NOT_GIVEN)
		return;
	if (strcmp(key, "keeper") == 0 &&
	    config_origin(config, key) == FROM_ENVIRONMENT)
		value = s->fallback;
	for (i = 0; strcmp(s->words[i], value) != 0; i++)
		;
	*choice = i;
}

/* The program gets bytes: what 60 % is of, it does not see as we do. */
static int
export_budget(const struct config *config, char why[CONFIG_WHY_ROOM])
{
	char bytes[24];
	struct room room;
	int r;

	if (config_get(config, "budget") == NULL)
		return 0;
	(void)room_find(&room, "run", NULL);
	room_read(&room, config);
	r = room_check(&room, config, why);
	if (r == 0) {
		/* The nearest wish stands first. */
		snprintf(bytes, sizeof(bytes), "%llu",
		    (unsigned long long)room.chain.source[0].bytes);
		setenv("HEAPTIDE_BUDGET", bytes, 1);
	}
	room_close(&room);
	return r;
}

/* Done with when the program runs, or exported in another way. */
static bool
is_for_us(const struct setting *s)
{
	static const char *const keys[] = { "budget", "gate", "keeper",
		"summary" };
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(keys); i++)
		if (strcmp(s->key, keys[i]) == 0)
			return true;
	return false;
}

/* What stands in the environment is there, and defaults need not be told. */
static void
export_settings(const struct config *config)
{
	char name[TEXT_SETTING_ROOM];
	const struct setting *s;
	enum config_origin origin;

	for (s = settings; s->key != NULL; s++) {
		origin = config_origin(config, s->key);
		if (is_for_us(s) || origin == FROM_ENVIRONMENT ||
		    origin == FROM_DEFAULT)
			continue;
		setenv(text_setting_name(name, s->key),
		    config_get(config, s->key), 1);
	}
}

bool
run_configure(const char *command, struct run_options *options,
    struct config *config)
{
	char why[CONFIG_WHY_ROOM];
	int r = set_given(options, config, why);

	if (r == 0)
		r = config_read(config, options->config, why);
	if (r == 0) {
		room_settle_preset(config);
		r = config_check(config, why);
	}
	if (r == 0)
		r = export_budget(config, why);
	if (r < 0) {
		print_error("%s: %s", command, why);
		return false;
	}
	export_settings(config);
	(void)text_set_unit(config_get(config, "display.unit"));
	choose(config, "keeper", &options->keeper);
	choose(config, "summary", &options->summary);
	return true;
}
