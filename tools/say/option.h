/*
 * option.h - options of a command, read by a table
 *
 * Beside the house (tools/say).  May use: base.  Used by: the main program,
 * which parses for every command; a command only gives its table (see
 * command.h).
 *
 * Accepted: `--name value`, `--name=value`, `--flag`, `-n value`, `-nvalue`,
 * `-abc` for flags, `--` ends the options.  Nothing is guessed, abbreviated
 * or clamped: what is wrong is refused with one sentence that names the
 * option, the value and what is accepted.
 */
#ifndef SAY_OPTION_H
#define SAY_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a value is, and the type of the member that it goes to. */
enum option_kind {
	OPTION_FLAG,     /* bool: no value; given means true */
	OPTION_TEXT,     /* const char *: as it stands in argv */
	OPTION_LIST,     /* struct option_list: may be given many times */
	OPTION_CHOICE,   /* int: index into .choices */
	OPTION_COUNT,    /* uint64_t: a whole number, .least to .most */
	OPTION_BYTES,    /* uint64_t: a size, .least to .most */
	OPTION_SHARE,    /* uint64_t: millionths of a whole, from `60%` */
	OPTION_AMOUNT,   /* struct option_amount: a size or a share */
	OPTION_DURATION  /* uint64_t: nanoseconds, .least to .most */
};

struct option_amount {
	bool given;
	bool is_share;
	uint64_t value; /* millionths if is_share, else bytes */
};

#define OPTION_LIST_ROOM 64

struct option_list {
	size_t count;
	const char *value[OPTION_LIST_ROOM];
};

/* A table of these ends with a row that has no name. */
struct option_row {
	const char *name;  /* long name, without the dashes */
	char letter;       /* short name, 0: none */
	enum option_kind kind;
	size_t at;         /* offsetof() the member in the command's options */
	const char *word;  /* the value in help: "FILE"; NULL for a flag and
			    * for a choice, where the choices say it */
	const char *help;  /* one line, lower case, no full stop */
	const char *const *choices; /* OPTION_CHOICE: ends with NULL */
	/* OPTION_COUNT, OPTION_BYTES, OPTION_DURATION */
	uint64_t least;
	uint64_t most;     /* 0: no limit */
};

/*
 * Read the options in @argv (argv[0] is the command's name) into @into by
 * @rows.  Afterwards the operands stand at the end of @argv, in their order.
 *
 * @operands_end: true: the first operand ends the options (`run CMD -x`)
 * @first: where the index of the first operand goes
 * @why: on failure, the sentence to say after "heaptide COMMAND: "
 *
 * Return: 0; -EINVAL with @why written; 1 if `--help` or `-h` was met, which
 * every command has beside its rows.
 */
#define OPTION_WHY_ROOM 512
int option_parse(const struct option_row *rows, void *into, int argc,
    char **argv, bool operands_end, int *first, char why[OPTION_WHY_ROOM]);

/* Write one line a row, as help shows them, to @room bytes of @line. */
void option_describe(const struct option_row *row, char *line, size_t room);

#endif
