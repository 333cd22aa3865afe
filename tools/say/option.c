/*
 * option.c - options of a command, read by a table
 */
#include "say/option.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

/* An option as it was met on the command line. */
struct given {
	const struct option_row *row;
	char name[64];     /* as the user wrote it, dashes included */
	const char *value; /* NULL: none so far */
};

/* --- what is accepted, in words ------------------------------------------- */

static void
accept_choice(const struct option_row *row, char *words, size_t room)
{
	size_t used = 0;

	for (size_t i = 0; row->choices[i] != NULL && used < room; i++) {
		const char *between = i == 0 ? "" :
		    row->choices[i + 1] != NULL ? ", " : " or ";

		used += (size_t)snprintf(words + used, room - used, "%s%s",
		    between, row->choices[i]);
	}
}

static void
accept_count(const struct option_row *row, char *words, size_t room)
{
	if (row->most != 0)
		snprintf(words, room, "a whole number from %llu to %llu",
		    (unsigned long long)row->least,
		    (unsigned long long)row->most);
	else
		snprintf(words, room, "a whole number, at least %llu",
		    (unsigned long long)row->least);
}

/* Behind what stands in @words: the bounds, if there are, by @format. */
static void
add_bounds(const struct option_row *row, char *words, size_t room,
    char *(*format)(char *to, uint64_t n))
{
	char least[TEXT_BYTES_ROOM], most[TEXT_BYTES_ROOM]; /* the longer */
	size_t used = strlen(words);

	if (row->least != 0)
		used += (size_t)snprintf(words + used, room - used,
		    ", at least %s", format(least, row->least));
	if (row->most != 0)
		snprintf(words + used, room - used, ", at most %s",
		    format(most, row->most));
}

static void
accept_bytes(const struct option_row *row, char *words, size_t room)
{
	snprintf(words, room, "a size like 512K, 64M or 1.5G");
	add_bounds(row, words, room, text_format_bytes);
}

static void
accept_text(const struct option_row *row, char *words, size_t room)
{
	snprintf(words, room, "%s", row->word != NULL ? row->word : "a text");
}

static void
accept_share(const struct option_row *row, char *words, size_t room)
{
	(void)row;
	snprintf(words, room, "a share from 0%% to 100%%");
}

static void
accept_amount(const struct option_row *row, char *words, size_t room)
{
	(void)row;
	snprintf(words, room, "a size like 512M or 1.5G, or a share like 60%%");
}

static void
accept_duration(const struct option_row *row, char *words, size_t room)
{
	snprintf(words, room, "a duration like 500ms, 5s, 2m or 24h");
	add_bounds(row, words, room, text_format_duration);
}

/* --- values --------------------------------------------------------------- */

static int
read_text(const struct option_row *row, const char *value, void *member)
{
	(void)row;
	*(const char **)member = value;
	return 0;
}

static int
read_list(const struct option_row *row, const char *value, void *member)
{
	struct option_list *list = member;

	(void)row;
	if (list->count == OPTION_LIST_ROOM)
		return -E2BIG;
	list->value[list->count++] = value;
	return 0;
}

static int
read_choice(const struct option_row *row, const char *value, void *member)
{
	for (int i = 0; row->choices[i] != NULL; i++)
		if (strcmp(row->choices[i], value) == 0) {
			*(int *)member = i;
			return 0;
		}
	return -EINVAL;
}

static int
read_within(const struct option_row *row, uint64_t n, void *member)
{
	if (n < row->least || (row->most != 0 && n > row->most))
		return -ERANGE;
	*(uint64_t *)member = n;
	return 0;
}

static int
read_count(const struct option_row *row, const char *value, void *member)
{
	uint64_t n = 0;
	int r = text_parse_u64(value, UINT64_MAX, &n);

	return r < 0 ? r : read_within(row, n, member);
}

static int
read_bytes(const struct option_row *row, const char *value, void *member)
{
	uint64_t n = 0;
	int r = text_parse_bytes(value, &n);

	return r < 0 ? r : read_within(row, n, member);
}

static int
read_share(const struct option_row *row, const char *value, void *member)
{
	(void)row;
	return text_parse_share(value, member);
}

static int
read_amount(const struct option_row *row, const char *value, void *member)
{
	struct option_amount *amount = member;
	bool share = strchr(value, '%') != NULL;
	uint64_t n;
	int r;

	(void)row;
	r = share ? text_parse_share(value, &n) : text_parse_bytes(value, &n);
	if (r < 0)
		return r;
	*amount = (struct option_amount){ true, share, n };
	return 0;
}

static int
read_duration(const struct option_row *row, const char *value, void *member)
{
	uint64_t ns = 0;
	int r = text_parse_duration(value, &ns);

	return r < 0 ? r : read_within(row, ns, member);
}

static const struct {
	int (*read)(const struct option_row *row, const char *value,
	    void *member);
	void (*accept)(const struct option_row *row, char *words, size_t room);
} kinds[] = {
	[OPTION_FLAG] = { NULL, NULL },
	[OPTION_TEXT] = { read_text, accept_text },
	[OPTION_LIST] = { read_list, accept_text },
	[OPTION_CHOICE] = { read_choice, accept_choice },
	[OPTION_COUNT] = { read_count, accept_count },
	[OPTION_BYTES] = { read_bytes, accept_bytes },
	[OPTION_SHARE] = { read_share, accept_share },
	[OPTION_AMOUNT] = { read_amount, accept_amount },
	[OPTION_DURATION] = { read_duration, accept_duration },
};

/* --- what is wrong, in one sentence --------------------------------------- */

static int
refuse_missing(const struct given *g, char why[OPTION_WHY_ROOM])
{
	char words[256] = "";

	kinds[g->row->kind].accept(g->row, words, sizeof(words));
	snprintf(why, OPTION_WHY_ROOM, "%s needs a value: %s", g->name, words);
	return -EINVAL;
}

static int
refuse_value(const struct given *g, int r, char why[OPTION_WHY_ROOM])
{
	char words[200] = "";

	kinds[g->row->kind].accept(g->row, words, sizeof(words));
	if (r == -E2BIG)
		snprintf(why, OPTION_WHY_ROOM,
		    "%s '%s' is one too many: %d are accepted", g->name,
		    g->value, OPTION_LIST_ROOM);
	else
		snprintf(why, OPTION_WHY_ROOM,
		    "%s '%.200s' is not accepted: give %s", g->name, g->value,
		    words);
	return -EINVAL;
}

static int
refuse_flag_value(const struct given *g, char why[OPTION_WHY_ROOM])
{
	snprintf(why, OPTION_WHY_ROOM,
	    "%s takes no value, but '%.200s' was given", g->name, g->value);
	return -EINVAL;
}

static int
refuse_name(const char *name, char why[OPTION_WHY_ROOM])
{
	snprintf(why, OPTION_WHY_ROOM,
	    "there is no option '%.200s'; --help lists what is accepted", name);
	return -EINVAL;
}

/* --- reading -------------------------------------------------------------- */

static const struct option_row *
find_name(const struct option_row *rows, const char *name, size_t length)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (strncmp(rows->name, name, length) == 0 &&
		    rows->name[length] == '\0')
			return rows;
	return NULL;
}

static const struct option_row *
find_letter(const struct option_row *rows, char letter)
{
	for (; rows != NULL && rows->name != NULL; rows++)
		if (rows->letter == letter)
			return rows;
	return NULL;
}

static int
store(const struct given *g, void *into, char why[OPTION_WHY_ROOM])
{
	void *member = (char *)into + g->row->at;
	int r;

	if (g->row->kind == OPTION_FLAG) {
		*(bool *)member = true;
		return 0;
	}
	r = kinds[g->row->kind].read(g->row, g->value, member);
	return r < 0 ? refuse_value(g, r, why) : 0;
}

/* `--name`, `--name=value`; @next is the word behind.  Words taken, or <0. */
static int
take_long(const struct option_row *rows, void *into, const char *word,
    const char *next, char why[OPTION_WHY_ROOM])
{
	size_t length = strcspn(word + 2, "=");
	struct given g = { .row = find_name(rows, word + 2, length) };
	bool joined = word[2 + length] == '=';
	int r;

	if (g.row == NULL)
		return refuse_name(word, why);
	snprintf(g.name, sizeof(g.name), "--%s", g.row->name);
	g.value = joined ? word + 2 + length + 1 : NULL;
	if (g.row->kind == OPTION_FLAG && joined)
		return refuse_flag_value(&g, why);
	if (g.row->kind != OPTION_FLAG && !joined)
		g.value = next;
	if (g.row->kind != OPTION_FLAG && g.value == NULL)
		return refuse_missing(&g, why);
	r = store(&g, into, why);
	if (r < 0)
		return r;
	return g.row->kind == OPTION_FLAG || joined ? 1 : 2;
}

/* `-a`, `-abc`, `-nvalue`, `-n value`.  Words taken, 0 for -h, or <0. */
static int
take_short(const struct option_row *rows, void *into, const char *word,
    const char *next, char why[OPTION_WHY_ROOM])
{
	for (const char *c = word + 1; *c != '\0'; c++) {
		struct given g = { .row = find_letter(rows, *c) };
		int r;

		if (g.row == NULL && *c == 'h')
			return 0;
		if (g.row == NULL)
			return refuse_name(word, why);
		snprintf(g.name, sizeof(g.name), "-%c", *c);
		if (g.row->kind == OPTION_FLAG) {
			r = store(&g, into, why);
			if (r < 0)
				return r;
			continue;
		}
		g.value = c[1] != '\0' ? c + 1 : next;
		if (g.value == NULL)
			return refuse_missing(&g, why);
		r = store(&g, into, why);
		if (r < 0)
			return r;
		return c[1] != '\0' ? 1 : 2;
	}
	return 1;
}

/* Move the @count words at @at in front of the operands that begin at @to. */
static void
move_ahead(char **argv, int to, int at, int count)
{
	for (; count > 0; count--, to++, at++) {
		char *word = argv[at];

		memmove(&argv[to + 1], &argv[to],
		    (size_t)(at - to) * sizeof(argv[0]));
		argv[to] = word;
	}
}

int
option_parse(const struct option_row *rows, void *into, int argc, char **argv,
    bool operands_end, int *first, char why[OPTION_WHY_ROOM])
{
	int options = 1; /* words in front that are done with */
	int at = 1;

	while (at < argc) {
		const char *word = argv[at];
		const char *next = at + 1 < argc ? argv[at + 1] : NULL;
		int taken;

		if (strcmp(word, "--") == 0) {
			move_ahead(argv, options, at, 1);
			options++;
			break;
		}
		if (word[0] != '-' || word[1] == '\0') {
			if (operands_end)
				break;
			at++;
			continue;
		}
		if (strcmp(word, "--help") == 0)
			return 1;
		taken = word[1] == '-' ?
		    take_long(rows, into, word, next, why) :
		    take_short(rows, into, word, next, why);
		if (taken < 0)
			return taken;
		if (taken == 0)
			return 1;
		move_ahead(argv, options, at, taken);
		options += taken;
		at += taken;
	}
	*first = options;
	return 0;
}

/* --- help ----------------------------------------------------------------- */

void
option_describe(const struct option_row *row, char *line, size_t room)
{
	char left[128], value[96] = "", letter[8] = "    ";

	if (row->letter != 0)
		snprintf(letter, sizeof(letter), "-%c, ", row->letter);
	if (row->kind == OPTION_CHOICE) {
		size_t used = 0;

		for (size_t i = 0; row->choices[i] != NULL &&
		    used < sizeof(value); i++)
			used += (size_t)snprintf(value + used,
			    sizeof(value) - used, "%c%s", i == 0 ? ' ' : '|',
			    row->choices[i]);
	} else if (row->kind != OPTION_FLAG) {
		snprintf(value, sizeof(value), " %s",
		    row->word != NULL ? row->word : "VALUE");
	}
	snprintf(left, sizeof(left), "%s--%s%s", letter, row->name, value);
	if (strlen(left) <= 28)
		snprintf(line, room, "  %-28s  %s", left, row->help);
	else
		snprintf(line, room, "  %s\n%34s%s", left, "", row->help);
}
