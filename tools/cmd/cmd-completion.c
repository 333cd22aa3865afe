/*
 * heaptide completion - what a shell needs to know to complete our command line
 *
 * Made of the commands' own tables, so that it tells every option there is.
 * What an option's value or an operand can be is taken from the word that
 * stands for it in the usage: FILE, PID, RUN, CMD, or words in lower case that
 * are meant as they stand.
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "say/print.h"

static const struct command *const *commands;

/* What stands at a place of the command line. */
enum place {
	PLACE_NOTHING = 0, /* something that nobody can know: a size, a name */
	PLACE_FILE = 1,
	PLACE_PID = 2,
	PLACE_RUN = 4,
	PLACE_COMMAND = 8
};

#define WORDS_ROOM 256

/* --- what there is -------------------------------------------------------- */

static bool
is_word(const char *at, size_t bytes, const char *word)
{
	return strlen(word) == bytes && strncmp(at, word, bytes) == 0;
}

/*
 * Read @usage, as `FILE|PID` or `list|show NAME`: the kinds of places are
 * returned, the words that stand for themselves go into @words.
 */
static unsigned
places_of(const char *usage, char words[WORDS_ROOM])
{
	const char *at = usage != NULL ? usage : "";
	unsigned places = PLACE_NOTHING;
	size_t bytes, used = 0;

	while (*at != '\0') {
		bytes = 0;
		while (isalnum((unsigned char)at[bytes]))
			bytes++;
		if (is_word(at, bytes, "FILE") || is_word(at, bytes, "DIR"))
			places |= PLACE_FILE;
		else if (is_word(at, bytes, "PID"))
			places |= PLACE_PID;
		else if (is_word(at, bytes, "RUN"))
			places |= PLACE_RUN;
		else if (is_word(at, bytes, "CMD"))
			places |= PLACE_COMMAND;
		else if (bytes > 0 && islower((unsigned char)*at) &&
		    used + bytes + 2 < WORDS_ROOM)
			used += (size_t)sprintf(words + used, "%s%.*s",
			    used > 0 ? " " : "", (int)bytes, at);
		at += bytes > 0 ? bytes : 1;
	}
	words[used] = '\0';
	return places;
}

/* The same of an option's value. */
static unsigned
places_of_value(const struct option_row *row, char words[WORDS_ROOM])
{
	size_t i, used = 0;

	words[0] = '\0';
	if (row->kind != OPTION_CHOICE)
		return places_of(row->word, words);
	for (i = 0; row->choices[i] != NULL; i++)
		if (used + strlen(row->choices[i]) + 2 < WORDS_ROOM)
			used += (size_t)sprintf(words + used, "%s%s",
			    used > 0 ? " " : "", row->choices[i]);
	return PLACE_NOTHING;
}

/* @text within '...' of a shell, without the characters in @less. */
static void
put_quoted(const char *text, const char *less)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			fputs("'\\''", stdout);
		else if (strchr(less, *text) == NULL)
			putchar(*text);
	}
}

/* --- bash ----------------------------------------------------------------- */

static const char bash_head[] =
"# bash completion for heaptide; made by 'heaptide completion bash'\n"
"\n"
"_heaptide_pids()\n"
"{\n"
"	heaptide ps 2>/dev/null | awk '$1 ~ /^[0-9]+$/ { print $1 }'\n"
"}\n"
"\n"
"_heaptide_runs()\n"
"{\n"
"	heaptide checkpoints list 2>/dev/null |\n"
"		sed -n 's/^- \\([^:]*\\):.*/\\1/p'\n"
"}\n"
"\n"
"# _heaptide_offer FILES PIDS RUNS WORDS: what can stand at the cursor\n"
"_heaptide_offer()\n"
"{\n"
"	local words=$4\n"
"	[ -z \"$2\" ] || words=\"$words $(_heaptide_pids)\"\n"
"	[ -z \"$3\" ] || words=\"$words $(_heaptide_runs)\"\n"
"	COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
"	[ -z \"$1\" ] && return\n"
"	compopt -o filenames 2>/dev/null\n"
"	COMPREPLY+=($(compgen -f -- \"$cur\"))\n"
"}\n"
"\n"
"# What comes behind `--`, and there is one: a command line of its own.\n"
"_heaptide_behind()\n"
"{\n"
"	local i\n"
"	for ((i = 2; i < COMP_CWORD; i++)); do\n"
"		[ \"${COMP_WORDS[i]}\" = -- ] || continue\n"
"		if declare -F _command_offset >/dev/null; then\n"
"			_command_offset $((i + 1))\n"
"		elif [ $((i + 1)) -eq \"$COMP_CWORD\" ]; then\n"
"			COMPREPLY=($(compgen -c -- \"$cur\"))\n"
"		else\n"
"			_heaptide_offer 1 '' '' ''\n"
"		fi\n"
"		return 0\n"
"	done\n"
"	return 1\n"
"}\n"
"\n"
"_heaptide()\n"
"{\n"
"	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
"	local options\n"
"	COMPREPLY=()\n"
"	_heaptide_behind && return\n"
"	# `--stacks=no` comes as three words.\n"
"	if [ \"$cur\" = = ]; then\n"
"		cur=\n"
"	elif [ \"$prev\" = = ]; then\n"
"		prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
"	fi\n"
"	if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
"		_heaptide_offer '' '' '' \"$_heaptide_commands\"\n"
"		return\n"
"	fi\n"
"	case ${COMP_WORDS[1]} in\n";

static const char bash_tail[] =
"	help)\n"
"		_heaptide_offer '' '' '' \"$_heaptide_commands\"\n"
"		;;\n"
"	esac\n"
"}\n"
"\n"
"complete -F _heaptide heaptide\n";

static void
bash_offer(unsigned places)
{
	printf("_heaptide_offer '%s' '%s' '%s' ",
	    places & PLACE_FILE ? "1" : "", places & PLACE_PID ? "1" : "",
	    places & PLACE_RUN ? "1" : "");
}

static void
bash_values(const struct command *c)
{
	const struct option_row *row;
	char words[WORDS_ROOM];
	unsigned places;

	for (row = c->rows; row != NULL && row->name != NULL; row++) {
		if (row->kind == OPTION_FLAG)
			continue;
		places = places_of_value(row, words);
		printf("		--%s", row->name);
		if (row->letter != 0)
			printf("|-%c", row->letter);
		fputs(") ", stdout);
		bash_offer(places);
		printf("'%s'; return ;;\n", words);
	}
}

static void
bash_command(const struct command *c)
{
	const struct option_row *row;
	char words[WORDS_ROOM];
	unsigned places = places_of(c->args, words);

	printf("	%s)\n		options='", c->name);
	for (row = c->rows; row != NULL && row->name != NULL; row++)
		printf("--%s ", row->name);
	printf("--help'\n		case $prev in\n");
	bash_values(c);
	printf("		esac\n		case $cur in\n"
	    "		-*) _heaptide_offer '' '' '' \"$options%s\" ;;\n"
	    "		*) ", places & PLACE_COMMAND ? " --" : "");
	bash_offer(places);
	printf("'%s' ;;\n		esac\n		;;\n", words);
}

static void
bash(void)
{
	const struct command *const *c;

	fputs(bash_head, stdout);
	for (c = commands; *c != NULL; c++)
		bash_command(*c);
	fputs(bash_tail, stdout);
	fputs("_heaptide_commands='", stdout);
	for (c = commands; *c != NULL; c++)
		printf("%s ", (*c)->name);
	fputs("help version'\n", stdout);
}

/* --- zsh ------------------------------------------------------------------ */

static const char zsh_head[] =
"#compdef heaptide\n"
"# zsh completion for heaptide; made by 'heaptide completion zsh'\n"
"\n"
"_heaptide_pids()\n"
"{\n"
"	compadd -- ${(f)\"$(heaptide ps 2>/dev/null |\n"
"	    awk '$1 ~ /^[0-9]+$/ { print $1 }')\"}\n"
"}\n"
"\n"
"_heaptide_runs()\n"
"{\n"
"	compadd -- ${(f)\"$(heaptide checkpoints list 2>/dev/null |\n"
"	    sed -n 's/^- \\([^:]*\\):.*/\\1/p')\"}\n"
"}\n"
"\n"
"_heaptide()\n"
"{\n"
"	local -a commands\n"
"	commands=(\n";

static const char zsh_tail[] =
"	help) compadd -- ${commands%%:*} ;;\n"
"	esac\n"
"}\n"
"\n"
"_heaptide \"$@\"\n";

/* What _arguments is to do at a place: an action behind its last colon. */
static void
zsh_action(unsigned places, const char *words)
{
	unsigned kinds = !!(places & PLACE_FILE) + !!(places & PLACE_PID) +
	    !!(places & PLACE_RUN) + (*words != '\0');

	if (kinds > 1)
		fputs("{", stdout);
	if (*words != '\0')
		printf(kinds > 1 ? "compadd -- %s;" : "(%s)", words);
	if (places & PLACE_PID)
		fputs(kinds > 1 ? "_heaptide_pids;" : "_heaptide_pids", stdout);
	if (places & PLACE_RUN)
		fputs(kinds > 1 ? "_heaptide_runs;" : "_heaptide_runs", stdout);
	if (places & PLACE_FILE)
		fputs("_files", stdout);
	if (kinds > 1)
		fputs("}", stdout);
	if (kinds == 0)
		fputs(" ", stdout);
}

static void
zsh_option(const struct option_row *row)
{
	char words[WORDS_ROOM];
	unsigned places = places_of_value(row, words);
	bool flag = row->kind == OPTION_FLAG;

	printf(" \\\n	    ");
	if (row->letter != 0)
		printf("'(-%c --%s)'{-%c%s,--%s%s}'[", row->letter, row->name,
		    row->letter, flag ? "" : "+", row->name, flag ? "" : "=");
	else
		printf("'%s--%s%s[", row->kind == OPTION_LIST ? "*" : "",
		    row->name, flag ? "" : "=");
	put_quoted(row->help, "[]:");
	putchar(']');
	if (!flag) {
		printf(":%s:", row->word != NULL ? "value" : row->name);
		zsh_action(places, words);
	}
	putchar('\'');
}

static void
zsh_command(const struct command *c)
{
	const struct option_row *row;
	char words[WORDS_ROOM];
	unsigned places = places_of(c->args, words);

	printf("	%s)\n		_arguments -s -S", c->name);
	for (row = c->rows; row != NULL && row->name != NULL; row++)
		zsh_option(row);
	printf(" \\\n	    '(- *)'{-h,--help}'[print this]'");
	if (places & PLACE_COMMAND)
		printf(" \\\n	    '*::command:{ (( CURRENT == 1 )) && "
		    "_command_names -e || _normal }'");
	else if (c->args != NULL) {
		printf(" \\\n	    '*:operand:");
		zsh_action(places, words);
		putchar('\'');
	}
	printf("\n		;;\n");
}

static void
zsh(void)
{
	const struct command *const *c;

	fputs(zsh_head, stdout);
	for (c = commands; *c != NULL; c++) {
		printf("	    '%s:", (*c)->name);
		put_quoted((*c)->help, ":");
		puts("'");
	}
	fputs("	)\n"
	    "	if (( CURRENT == 2 )); then\n"
	    "		_describe command commands\n"
	    "		return\n"
	    "	fi\n"
	    "	shift words\n"
	    "	(( CURRENT-- ))\n"
	    "	case $words[1] in\n", stdout);
	for (c = commands; *c != NULL; c++)
		zsh_command(*c);
	fputs(zsh_tail, stdout);
}

/* --- fish ----------------------------------------------------------------- */

static const char fish_head[] =
"# fish completion for heaptide; made by 'heaptide completion fish'\n"
"\n"
"function __heaptide_pids\n"
"	heaptide ps 2>/dev/null | string match -r '^ *[0-9]+' | string trim\n"
"end\n"
"\n"
"function __heaptide_runs\n"
"	heaptide checkpoints list 2>/dev/null |\n"
"	    string replace -rf '^- ([^:]*):.*' '$1'\n"
"end\n"
"\n"
"function __heaptide_is\n"
"	set -l words (commandline -poc)\n"
"	test (count $words) -gt 1; and test $words[2] = $argv[1]\n"
"	and not contains -- -- $words\n"
"end\n"
"\n"
"function __heaptide_behind\n"
"	contains -- -- (commandline -poc)\n"
"end\n"
"\n"
"complete -c heaptide -f\n"
"complete -c heaptide -n __heaptide_behind -F \\\n"
"	-a '(__fish_complete_subcommand --fcs-skip=3)'\n";

/* `-a` for what can stand there. */
static void
fish_offer(unsigned places, const char *words)
{
	if (places & (PLACE_PID | PLACE_RUN) || *words != '\0')
		printf(" -a '%s%s%s'", words,
		    places & PLACE_PID ? " (__heaptide_pids)" : "",
		    places & PLACE_RUN ? " (__heaptide_runs)" : "");
}

static void
fish_command(const struct command *c)
{
	const struct option_row *row;
	char words[WORDS_ROOM];
	unsigned places;

	printf("\ncomplete -c heaptide -n __fish_use_subcommand -a %s -d '",
	    c->name);
	put_quoted(c->help, "");
	puts("'");
	for (row = c->rows; row != NULL && row->name != NULL; row++) {
		printf("complete -c heaptide -n '__heaptide_is %s' -l %s",
		    c->name, row->name);
		if (row->letter != 0)
			printf(" -s %c", row->letter);
		places = places_of_value(row, words);
		if (row->kind != OPTION_FLAG)
			fputs(places & PLACE_FILE ? " -r -F" : " -x", stdout);
		fish_offer(places, words);
		fputs(" -d '", stdout);
		put_quoted(row->help, "");
		puts("'");
	}
	places = places_of(c->args, words);
	if (places == PLACE_NOTHING && *words == '\0')
		return;
	printf("complete -c heaptide -n '__heaptide_is %s'%s", c->name,
	    places & PLACE_FILE ? " -F" : "");
	fish_offer(places, words);
	putchar('\n');
}

static void
fish(void)
{
	const struct command *const *c;

	fputs(fish_head, stdout);
	for (c = commands; *c != NULL; c++)
		fish_command(*c);
}

/* --- the command ---------------------------------------------------------- */

void
completion_of(const struct command *const *all)
{
	commands = all;
}

static int
completion_run(const void *options, int operands, char **operand)
{
	(void)options;
	(void)operands;
	if (strcmp(operand[0], "bash") == 0)
		bash();
	else if (strcmp(operand[0], "zsh") == 0)
		zsh();
	else if (strcmp(operand[0], "fish") == 0)
		fish();
	else {
		print_error("completion: '%s' is no shell that is known; "
		    "bash, zsh and fish are", operand[0]);
		return COMMAND_USAGE;
	}
	return COMMAND_DONE;
}

static const struct option_row completion_rows[] = {
	{ .name = NULL }
};

const struct command command_completion = {
	.name = "completion",
	.args = "bash|zsh|fish",
	.help = "print what a shell needs to complete this command",
	.rows = completion_rows,
	.options_bytes = 0,
	.operands_least = 1,
	.operands_most = 1,
	.run = completion_run,
};
