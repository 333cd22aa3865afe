/*
 * commands.h - the commands there are, a cmd-*.c each
 *
 * Beside the house (tools/cmd).  May use: command.  Used by: heaptide.c, which
 * finds one by its name, and who defines one.
 */
#ifndef CMD_COMMANDS_H
#define CMD_COMMANDS_H

#include "say/command.h"

extern const struct command command_run;
extern const struct command command_batch;
extern const struct command command_report;
extern const struct command command_ps;
extern const struct command command_status;
extern const struct command command_ctl;
extern const struct command command_mark;
extern const struct command command_snapshot;
extern const struct command command_monitor;
extern const struct command command_diff;
extern const struct command command_leaks;
extern const struct command command_check;
extern const struct command command_top;
extern const struct command command_serve;
extern const struct command command_budget;
extern const struct command command_ops;
extern const struct command command_analyze;
extern const struct command command_recommend;
extern const struct command command_safe;
extern const struct command command_reclaim;
extern const struct command command_config;
extern const struct command command_preset;
extern const struct command command_simulate;
extern const struct command command_pool;
extern const struct command command_checkpoints;
extern const struct command command_resume;
extern const struct command command_selftest;
extern const struct command command_export;
extern const struct command command_import;
extern const struct command command_merge;
extern const struct command command_completion;

/* What `completion` tells of: all of them, a NULL behind the last. */
void completion_of(const struct command *const *all);

#endif
