/*
 * config.h - how everything is set, and where each value came from
 *
 * Beside the house (tools/settings).  May use: base, model, settings, need.
 * Used by: cmd-run.c, cmd-config.c, room.h and who else acts on a setting.
 *
 * Of a setting the nearest counts: what the command line says before the
 * environment, that before a file, that before a preset, that before the
 * default.  Files are ./heaptide.conf and $XDG_CONFIG_HOME/heaptide/
 * heaptide.conf (the first is nearer), or the one that --config or
 * HEAPTIDE_CONFIG names, alone.
 *
 *	# lines of blanks, comments, sections and values
 *	budget = 512M
 *	[batch]
 *	initial = 3           # the same as batch.initial = 3 above
 *	[job.nightly]
 *	cmd = "./crunch {}"   # a job has what it runs, and settings of its own
 *
 * What is not understood is refused, with file and line; nothing is ignored.
 */
#ifndef SETTINGS_CONFIG_H
#define SETTINGS_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "control/control.h"
#include "settings/settings.h"

enum config_origin {
	FROM_COMMAND_LINE,
	FROM_ENVIRONMENT,
	FROM_FILE,
	FROM_USER_FILE,
	FROM_PRESET,
	FROM_DEFAULT,
	CONFIG_ORIGINS
};

struct config_value {
	char *text;  /* NULL: not set there */
	char *where; /* "./heaptide.conf:3", "HEAPTIDE_BUDGET" ... */
};

/* A line of a job: key and value, with where it stands. */
struct config_line {
	char *key, *text, *where;
};

struct config_job {
	char *name;
	size_t count;
	struct config_line *line;
};

struct config {
	/* By setting, in the order of the table, and by origin. */
	struct config_value (*value)[CONFIG_ORIGINS];
	char *file[2];       /* that were read; NULL: was not there */
	size_t jobs;
	struct config_job *job;
	const struct preset *preset; /* in force, NULL: none; never `auto` */
	bool wants_budget;   /* the preset is `auto`: config_use_preset() */
};

#define CONFIG_WHY_ROOM 1024

/* --- config-value.c ------------------------------------------------------- */

/* Begin with the defaults. */
void config_open(struct config *c);
void config_close(struct config *c);

/* NULL: there is no such job. */
const struct config_job *config_job(const struct config *c,
    const char *name);

/* --- config.c ------------------------------------------------------------- */

/*
 * An option of the command line.  -EINVAL: @why is the sentence to say; it
 * names @option, the value and what is accepted.
 */
int config_set(struct config *c, const char *key, const char *option,
    const char *value, char why[CONFIG_WHY_ROOM]);

/* The same of those that were given, up to the first that is refused. */
struct config_given {
	const char *key, *option;
	const char *value; /* NULL: it was not */
};
int config_set_given(struct config *c, const struct config_given *given,
    size_t count, char why[CONFIG_WHY_ROOM]);

/*
 * Read the environment, the files (@file, if not NULL, instead of them) and the
 * preset.  -EINVAL with @why; a file that was named and is not there is that
 * too.
 */
int config_read(struct config *c, const char *file,
    char why[CONFIG_WHY_ROOM]);

/* Read one file and nothing else, to see whether it is good. */
int config_read_file(struct config *c, const char *file,
    char why[CONFIG_WHY_ROOM]);

/* The preset that `auto` has come to. */
void config_use_preset(struct config *c, const struct preset *preset);

/* The value that counts; NULL: none is set, and there is no default. */
const char *config_get(const struct config *c, const char *key);

/* Which it is, and where it was read; FROM_DEFAULT also if there is none. */
enum config_origin config_origin(const struct config *c, const char *key);
const char *config_where(const struct config *c, const char *key);

/* All that is set of it, nearest first, by origin. */
const struct config_value *config_values(const struct config *c,
    const char *key);

/* "command line", "environment", "file" ... */
const char *config_origin_word(enum config_origin origin);

/* The settings of a job go before those of its file, and others. */
void config_use_job(struct config *c, const struct config_job *job);

/*
 * What leak.threshold_rate is, by the environment and the files; zero: not set.
 * -EINVAL with @why.
 */
int config_least(struct control_least *least, char why[CONFIG_WHY_ROOM]);

/* What contradicts each other.  -EINVAL with @why. */
int config_check(const struct config *c, char why[CONFIG_WHY_ROOM]);

#endif
