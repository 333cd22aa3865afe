/*
 * gate.c - the expressions of `heaptide check`, read
 */
#include "check/gate.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"

const struct gate_figure_row gate_figures[GATE_FIGURES] = {
	[GATE_GROWTH] = { "growth", "growth of sites that surely grow",
	    .bytes = true, .sites = true, .leak = true, .rate = true,
	    .shares = true },
	[GATE_LEAKED] = { "leaked", "bytes that were never given back",
	    .bytes = true, .sites = true, .leak = true, .shares = true },
	[GATE_UNREACHABLE] = { "unreachable", "bytes that nothing points to",
	    .bytes = true, .sites = true, .leak = true, .shares = true },
	[GATE_SURVIVORS] = { "survivors", "bytes that are so many epochs old",
	    .bytes = true, .sites = true, .leak = true, .shares = true,
	    .age = true },
	[GATE_LEAKS] = { "leaks", "sites that surely grow",
	    .sites = true, .leak = true },
	[GATE_STEPS] = { "steps", "sites that rose at one moment, and stayed",
	    .sites = true, .leak = true },
	[GATE_PEAK] = { "peak", "the most that was live",
	    .bytes = true, .sites = true, .shares = true },
	[GATE_LIVE] = { "live", "what is live",
	    .bytes = true, .sites = true, .shares = true },
	[GATE_BLOCKS] = { "blocks", "how many blocks are live",
	    .sites = true, .shares = true },
	[GATE_RESIDENT] = { "resident", "the most that was resident",
	    .bytes = true, .shares = true },
	[GATE_ALLOCATIONS] = { "allocations", "how often it allocated",
	    .sites = true, .rate = true, .shares = true },
	[GATE_ALLOCATED] = { "allocated", "bytes that it allocated",
	    .bytes = true, .sites = true, .rate = true, .shares = true },
	[GATE_TEMPORARY] = { "temporary", "blocks freed at once",
	    .sites = true, .rate = true, .shares = true },
	[GATE_LOST] = { "lost", "what was not counted, or not exactly",
	    .bytes = false },
};

static const struct {
	const char *name;
	enum gate_figure figure;
} aliases[] = {
	{ "rss", GATE_RESIDENT },
	{ "slope", GATE_GROWTH },
	/* as report --json has them */
	{ "peak_bytes", GATE_PEAK },
	{ "live_bytes", GATE_LIVE },
	{ "live_blocks", GATE_BLOCKS },
	{ "allocated_bytes", GATE_ALLOCATED },
};

/* Two letters before one. */
static const char *const operators[] = {
	[GATE_AT_LEAST] = ">=",
	[GATE_AT_MOST] = "<=",
	[GATE_EQUAL] = "==",
	[GATE_UNEQUAL] = "!=",
	[GATE_ABOVE] = ">",
	[GATE_BELOW] = "<",
};

/* A minute and a day are told by the hour: so many of them are one. */
static const struct {
	const char *name;
	enum gate_unit unit;
	double times;
} units[] = {
	{ "batch", GATE_BATCH, 1 },
	{ "epoch", GATE_BATCH, 1 },
	{ "day", GATE_HOUR, 1.0 / 24 },
	{ "d", GATE_HOUR, 1.0 / 24 },
	{ "hour", GATE_HOUR, 1 },
	{ "h", GATE_HOUR, 1 },
	{ "minute", GATE_HOUR, 60 },
	{ "min", GATE_HOUR, 60 },
	{ "m", GATE_HOUR, 60 },
	{ "second", GATE_SECOND, 1 },
	{ "s", GATE_SECOND, 1 },
};

#define OPERATORS "<>=!"
#define BLANKS    " \t"
#define WORD_ROOM 64

/* --- an expression that is being read ------------------------------------- */

struct reading {
	const char *text;
	char *why;
};

__attribute__((format(printf, 2, 3)))
static bool
refuse(const struct reading *r, const char *format, ...)
{
	int used = snprintf(r->why, GATE_WHY_ROOM, "expression '%.160s' is "
	    "not accepted: ", r->text);
	va_list args;

	va_start(args, format);
	vsnprintf(r->why + used, GATE_WHY_ROOM - (size_t)used, format, args);
	va_end(args);
	return false;
}

/* From @from to @to, without blanks around it.  False: it does not fit. */
static bool
copy_word(const char *from, const char *to, char *word, size_t room)
{
	while (from < to && strchr(BLANKS, *from) != NULL)
		from++;
	while (from < to && strchr(BLANKS, to[-1]) != NULL)
		to--;
	if ((size_t)(to - from) >= room)
		return false;
	memmove(word, from, (size_t)(to - from)); /* may be a part of it */
	word[to - from] = '\0';
	return true;
}

/* --- its parts ------------------------------------------------------------ */

/* Where the operator begins; NULL: there is none. */
static const char *
find_operator(const char *text, struct gate *g)
{
	const char *at = NULL;

	for (const char *c = text; *c != '\0'; c++)
		if (strchr(OPERATORS, *c) != NULL)
			at = c;
	if (at == NULL)
		return NULL;
	for (size_t i = 0; i < ARRAY_LENGTH(operators); i++) {
		size_t length = strlen(operators[i]);
		const char *from = at + 1 - length;

		if (from >= text && memcmp(from, operators[i], length) == 0) {
			g->operator = (enum gate_operator)i;
			return from;
		}
	}
	return NULL;
}

static bool
find_figure(const char *name, enum gate_figure *figure)
{
	for (size_t i = 0; i < GATE_FIGURES; i++)
		if (strcmp(gate_figures[i].name, name) == 0) {
			*figure = (enum gate_figure)i;
			return true;
		}
	for (size_t i = 0; i < ARRAY_LENGTH(aliases); i++)
		if (strcmp(aliases[i].name, name) == 0) {
			*figure = aliases[i].figure;
			return true;
		}
	return false;
}

static bool
refuse_figure(const struct reading *r, const char *name)
{
	char list[256];
	struct text t;

	text_open(&t, list, sizeof(list));
	for (size_t i = 0; i < GATE_FIGURES; i++) {
		text_put(&t, i == 0 ? "" : i + 1 < GATE_FIGURES ? ", " :
		    " or ");
		text_put(&t, gate_figures[i].name);
		text_put(&t, gate_figures[i].age ? "(AGE)" : "");
	}
	return refuse(r, "'%s' is no figure, give %s", name, list);
}

/* `batch,3` is 3: an age is one in batches in any case. */
static bool
read_epochs(const char *text, uint64_t *age)
{
	const char *comma = strchr(text, ',');
	char word[WORD_ROOM];

	if (comma == NULL)
		return text_parse_u64(text, UINT32_MAX, age) == 0;
	copy_word(text, comma, word, sizeof(word));
	if (strcmp(word, "batch") != 0 && strcmp(word, "epoch") != 0)
		return false;
	copy_word(comma + 1, comma + strlen(comma), word, sizeof(word));
	return text_parse_u64(word, UINT32_MAX, age) == 0;
}

/*
 * `(3)` behind the name; it is taken off @word.  `(site)` says what holds of a
 * figure of sites without it, and is no age.
 */
static bool
read_age(const struct reading *r, char *word, struct gate *g, bool *given,
    bool *by_site)
{
	char *open = strchr(word, '('), *close = strrchr(word, ')');

	*given = *by_site = false;
	if (open == NULL)
		return true;
	if (close == NULL || close < open || close[1] != '\0')
		return refuse(r, "its ( has no ) behind it");
	*close = '\0';
	*by_site = strcmp(open + 1, "site") == 0;
	*given = !*by_site;
	if (*given && !read_epochs(open + 1, &g->age))
		return refuse(r, "'%s' is no age, give a whole number of "
		    "epochs", open + 1);
	copy_word(word, open, word, WORD_ROOM);
	return true;
}

static bool
check_age(const struct reading *r, bool given, const struct gate *g)
{
	const struct gate_figure_row *f = &gate_figures[g->figure];

	if (given && !f->age)
		return refuse(r, "%s has no age", f->name);
	if (!given && f->age)
		return refuse(r, "%s needs an age in epochs, as in %s(3)>64K",
		    f->name, f->name);
	return true;
}

static bool
read_pattern(const struct reading *r, const char *at, const char *end,
    struct gate *g)
{
	if (at == NULL)
		return true;
	if (!gate_figures[g->figure].sites)
		return refuse(r, "%s is not told by site, so it takes no "
		    "pattern", gate_figures[g->figure].name);
	if (!copy_word(at + 1, end, g->pattern, sizeof(g->pattern)))
		return refuse(r, "its pattern is longer than %d bytes",
		    GATE_PATTERN_ROOM - 1);
	if (g->pattern[0] == '\0')
		return refuse(r, "there is no pattern behind its @");
	return true;
}

/* What stands before the operator, which is at @end. */
static bool
read_subject(const struct reading *r, const char *end, struct gate *g)
{
	const char *at = memchr(r->text, '@', (size_t)(end - r->text));
	char word[WORD_ROOM];
	bool aged, by_site;

	if (!copy_word(r->text, at != NULL ? at : end, word, sizeof(word)))
		return refuse(r, "no figure has so long a name");
	if (!read_age(r, word, g, &aged, &by_site))
		return false;
	if (!find_figure(word, &g->figure))
		return refuse_figure(r, word);
	if (by_site && !gate_figures[g->figure].sites)
		return refuse(r, "%s is not told by site",
		    gate_figures[g->figure].name);
	return check_age(r, aged, g) && read_pattern(r, at, end, g);
}

/* `12`, `0.5`: what is behind it, or NULL if there is none. */
static const char *
read_decimal(const char *s, double *value)
{
	double scale = 1;
	size_t digits = 0;

	*value = 0;
	for (; *s >= '0' && *s <= '9'; s++, digits++)
		*value = *value * 10 + (*s - '0');
	if (*s == '.')
		for (s++; *s >= '0' && *s <= '9'; s++, digits++)
			*value += (*s - '0') * (scale /= 10);
	return digits == 0 || digits > 18 ? NULL : s;
}

/* `12`, `1.5M`: counts have powers of 1000. */
static bool
read_count(const char *word, double *value)
{
	static const char letters[] = "KMGT";
	const char *rest = read_decimal(word, value);
	const char *letter;

	if (rest == NULL)
		return false;
	if (*rest == '\0')
		return true;
	letter = strchr(letters, *rest >= 'a' ? *rest - 'a' + 'A' : *rest);
	if (letter == NULL || rest[1] != '\0')
		return false;
	for (; letter >= letters; letter--)
		*value *= 1000;
	return true;
}

/* `+10%`, `-2.5%` */
static bool
read_relative(const struct reading *r, const char *word, struct gate *g)
{
	const struct gate_figure_row *f = &gate_figures[g->figure];
	const char *rest;

	if (!f->shares)
		return refuse(r, "%s cannot be compared with a baseline",
		    f->name);
	rest = read_decimal(word + 1, &g->value);
	if ((*word != '+' && *word != '-') || rest == NULL ||
	    strcmp(rest, "%") != 0)
		return refuse(r, "'%s' is no share of the baseline, give one "
		    "with its sign, like +10%%", word);
	g->value /= *word == '-' ? -100 : 100;
	g->relative = true;
	return true;
}

/* `64 KiB` as people write it. */
static void
join_unit(char *word)
{
	char *blank = strpbrk(word, BLANKS);
	char *rest = blank != NULL ? blank + strspn(blank, BLANKS) : NULL;

	if (blank != NULL && blank > word && blank[-1] >= '0' &&
	    blank[-1] <= '9' && (*rest < '0' || *rest > '9'))
		memmove(blank, rest, strlen(rest) + 1);
}

static bool
read_value(const struct reading *r, char *word, struct gate *g)
{
	uint64_t bytes;
	bool good;

	if (strchr(word, '%') != NULL || *word == '+' || *word == '-')
		return read_relative(r, word, g);
	join_unit(word);
	if (gate_figures[g->figure].bytes) {
		good = text_parse_bytes(word, &bytes) == 0;
		if (good)
			g->value = (double)bytes;
	} else {
		good = read_count(word, &g->value);
	}
	if (good)
		return true;
	return refuse(r, gate_figures[g->figure].bytes ?
	    "'%s' is no size, give one like 512K, 64M or 1.5G" :
	    "'%s' is no count, give one like 500, 20K or 1.5M (of 1000)",
	    word);
}

static bool
read_unit(const struct reading *r, const char *word, struct gate *g)
{
	for (size_t i = 0; i < ARRAY_LENGTH(units); i++)
		if (strcmp(units[i].name, word) == 0) {
			g->unit = units[i].unit;
			if (!g->relative)
				g->value *= units[i].times;
		}
	if (g->unit == GATE_WHOLE)
		return refuse(r, "'/%s' is no unit, give /batch, /epoch, "
		    "/day, /hour, /min or /s", word);
	if (!gate_figures[g->figure].rate)
		return refuse(r, "%s is no rate, so it takes no unit",
		    gate_figures[g->figure].name);
	return true;
}

/* What stands behind the operator. */
static bool
read_threshold(const struct reading *r, const char *from, struct gate *g)
{
	const char *end = from + strlen(from);
	const char *slash = strchr(from, '/');
	char word[WORD_ROOM];

	if (!copy_word(from, slash != NULL ? slash : end, word, sizeof(word)))
		return refuse(r, "no value is so long");
	if (word[0] == '\0')
		return refuse(r, "there is no value behind %s",
		    operators[g->operator]);
	if (!read_value(r, word, g))
		return false;
	if (slash == NULL)
		return true;
	if (!copy_word(slash + 1, end, word, sizeof(word)))
		return refuse(r, "no unit has so long a name");
	return read_unit(r, word, g);
}

bool
gate_parse(const char *text, struct gate *gate, char why[GATE_WHY_ROOM])
{
	const struct reading r = { text, why };
	struct gate g = { .text = text };
	const char *operator = find_operator(text, &g);

	if (operator == NULL)
		return refuse(&r, "it compares nothing, give one like "
		    "growth>0/batch or peak>512M (>, >=, <, <=, ==, !=)");
	if (!read_subject(&r, operator, &g) ||
	    !read_threshold(&r, operator + strlen(operators[g.operator]), &g))
		return false;
	*gate = g;
	return true;
}

/* --- what it says --------------------------------------------------------- */

bool
gate_holds(const struct gate *gate, double value, double base)
{
	double than = gate->relative ? base + base * gate->value :
	    gate->value;

	switch (gate->operator) {
	case GATE_AT_LEAST: return value >= than;
	case GATE_AT_MOST: return value <= than;
	case GATE_EQUAL: return value <= than && value >= than;
	case GATE_UNEQUAL: return value < than || value > than;
	case GATE_ABOVE: return value > than;
	case GATE_BELOW: return value < than;
	}
	return false;
}

static double
distance(double a, double b)
{
	return a > b ? a - b : b - a;
}

bool
gate_is_worse(const struct gate *gate, double a, double b)
{
	switch (gate->operator) {
	case GATE_AT_LEAST:
	case GATE_ABOVE:
		return a > b;
	case GATE_AT_MOST:
	case GATE_BELOW:
		return a < b;
	case GATE_EQUAL:
		return distance(a, gate->value) < distance(b, gate->value);
	case GATE_UNEQUAL:
		return distance(a, gate->value) > distance(b, gate->value);
	}
	return false;
}

const char *
gate_unit_words(enum gate_unit unit)
{
	static const char *const words[] = {
		[GATE_WHOLE] = "",
		[GATE_BATCH] = " a batch",
		[GATE_HOUR] = " an hour",
		[GATE_SECOND] = " a second",
	};

	return words[unit];
}

/* More than there is, but a damaged profile may say so. */
static uint64_t
whole(double value)
{
	return min_u64(whole_u64(value + 0.5),
	    UINT64_C(9000000000000000000));
}

char *
gate_format(enum gate_figure figure, double value, enum gate_unit unit,
    char words[GATE_VALUE_ROOM])
{
	char number[TEXT_COUNT_ROOM + TEXT_BYTES_ROOM];

	if (value > 0 && value < 10 && unit != GATE_WHOLE)
		snprintf(number, sizeof(number), "%.2f%s", value,
		    gate_figures[figure].bytes ? " B" : "");
	else if (gate_figures[figure].bytes)
		text_format_bytes(number, whole(value));
	else
		text_format_count(number, whole(value));
	snprintf(words, GATE_VALUE_ROOM, "%s%s", number,
	    gate_unit_words(unit));
	return words;
}
