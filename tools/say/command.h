/*
 * command.h - what a command is, and how one ends
 *
 * Beside the house (tools/say).  May use: option.  Used by: cmd/commands.h, and
 * all that have an exit status to tell.
 *
 * A command gives its name, its tables and a function.  The main program
 * prints help, reads the options, counts the operands and calls run() with
 * what it found; help, completion and the manual's check are made of this.
 *
 *	struct ps_options { bool json; };
 *
 *	static const struct option_row ps_rows[] = {
 *		{ .name = "json", .kind = OPTION_FLAG,
 *		  .at = offsetof(struct ps_options, json),
 *		  .help = "print JSON" },
 *		{ .name = NULL }
 *	};
 *
 *	const struct command command_ps = {
 *		.name = "ps",
 *		.help = "list the processes with heaptide inside",
 *		.rows = ps_rows,
 *		.options_bytes = sizeof(struct ps_options),
 *		.run = ps_run,
 *	};
 */
#ifndef SAY_COMMAND_H
#define SAY_COMMAND_H

#include <stdbool.h>
#include <stddef.h>

#include "say/option.h"

/* How heaptide ends when it does not end as CMD did. */
enum command_exit {
	COMMAND_DONE = 0,
	COMMAND_GATE = 1,         /* a gate said no */
	COMMAND_USAGE = 2,
	COMMAND_NO_MEMORY = 75,   /* gracefully */
	COMMAND_CHECKPOINT = 85,  /* start me again */
	COMMAND_TIMEOUT = 124,
	COMMAND_FAILED = 125,     /* heaptide itself failed */
	COMMAND_NOT_EXECUTABLE = 126,
	COMMAND_NOT_FOUND = 127
};

struct command {
	const char *name;
	const char *args;   /* operands in the usage line: "FILE|PID" */
	const char *help;   /* one line, lower case, no full stop */
	const struct option_row *rows;
	const void *defaults;    /* of the options; NULL: all zero */
	size_t options_bytes;
	int operands_least;
	int operands_most;       /* -1: any number */
	bool operands_end;       /* the first operand ends the options */

	/*
	 * @options: a structure of @options_bytes, defaults and then what the
	 * command line says.  @operand: @operands texts, then NULL.
	 * Return: the exit status, enum command_exit or CMD's.
	 */
	int (*run)(const void *options, int operands, char **operand);
};

#endif
