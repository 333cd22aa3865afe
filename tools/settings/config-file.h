/*
 * config-file.h - a file of settings, line by line
 *
 * Beside the house (tools/settings).  May use: base, config, settings, need.
 * Used by: config.c, config-value.c.
 */
#ifndef SETTINGS_CONFIG_FILE_H
#define SETTINGS_CONFIG_FILE_H

#include "settings/config.h"

/* --- config-file.c -------------------------------------------------------- */

/*
 * Read what @name sets, as of @origin.  1: it is not there, and need not be;
 * -EINVAL: @why is the sentence, with the line.
 */
int config_read_lines_of(struct config *c, const char *name, bool needed,
    enum config_origin origin, char why[CONFIG_WHY_ROOM]);

/* --- config-value.c ------------------------------------------------------- */

/* Write the sentence; returns -EINVAL. */
int config_refuse(char why[CONFIG_WHY_ROOM], const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* @name is how the reader knows the setting: its key, variable or option. */
int config_refuse_value(const struct setting *s, const char *name,
    const char *value, char why[CONFIG_WHY_ROOM]);

/* @where is given over. */
void config_store(struct config *c, const struct setting *s,
    enum config_origin origin, const char *value, char *where);

#endif
