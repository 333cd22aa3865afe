#include "batch/batch-template.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "say/need.h"

enum part_kind {
	PART_TEXT,
	PART_ITEM,
	PART_STEM,      /* without its extension */
	PART_NAME,
	PART_DIRECTORY,
	PART_NAME_STEM,
	PART_NUMBER,
	PART_PLACE
};

static const struct {
	const char *text;
	enum part_kind kind;
} marks[] = {
	{ "{}", PART_ITEM },
	{ "{.}", PART_STEM },
	{ "{/}", PART_NAME },
	{ "{//}", PART_DIRECTORY },
	{ "{/.}", PART_NAME_STEM },
	{ "{#}", PART_NUMBER },
	{ "{%}", PART_PLACE },
};

struct part {
	enum part_kind kind;
	int position;     /* of a value: from 1, or -1 for the last; 0: all */
	const char *text; /* PART_TEXT */
	size_t bytes;
};

struct template_word {
	size_t count;
	struct part *part;
	bool repeats; /* once for each item */
	bool placed, has_item; /* there is a mark, one of an item */
};

/* --- reading -------------------------------------------------------------- */

static bool
is_of_item(enum part_kind kind)
{
	return kind >= PART_ITEM && kind <= PART_NAME_STEM;
}

#define POSITION_MOST 1000000

/*
 * The mark that @text begins with: how many bytes it has; 0: none.  A number
 * stands behind the bracket, as in `{2/.}`.
 */
static size_t
mark_at(const char *text, struct part *part)
{
	const char *rest = text + 1;
	char *end = NULL;
	long n = 0;

	if (*rest == '-' ? rest[1] >= '1' && rest[1] <= '9' :
	    *rest >= '1' && *rest <= '9')
		n = strtol(rest, &end, 10);
	if (n > POSITION_MOST || n < -POSITION_MOST)
		return 0;
	rest = end != NULL ? end : rest;
	for (size_t i = 0; i < ARRAY_LENGTH(marks); i++) {
		size_t bytes = strlen(marks[i].text + 1);

		if (strncmp(rest, marks[i].text + 1, bytes) != 0 ||
		    (n != 0 && !is_of_item(marks[i].kind)))
			continue;
		*part = (struct part){ .kind = marks[i].kind,
			.position = (int)n };
		return (size_t)(rest - text) + bytes;
	}
	return 0;
}

static void
add_part(struct template_word *w, const struct part *part)
{
	w->part = need(realloc(w->part, (w->count + 1) * sizeof(*w->part)));
	w->part[w->count++] = *part;
	w->repeats = w->repeats || (is_of_item(part->kind) &&
	    part->position == 0);
	w->placed = w->placed || part->kind != PART_TEXT;
	w->has_item = w->has_item || is_of_item(part->kind);
}

static void
add_text(struct template_word *w, const char *text, size_t bytes)
{
	add_part(w, &(struct part){ .text = text, .bytes = bytes });
}

static void
read_word(struct template_word *w, const char *text)
{
	const char *from = text;
	struct part part;
	size_t bytes;

	while (*text != '\0') {
		bytes = *text == '{' ? mark_at(text, &part) : 0;
		if (bytes == 0) {
			text++;
			continue;
		}
		if (text > from)
			add_text(w, from, (size_t)(text - from));
		add_part(w, &part);
		text += bytes;
		from = text;
	}
	if (text > from || w->count == 0)
		add_text(w, from, (size_t)(text - from));
}

void
template_open(struct template *t, char *const *word, size_t count,
    bool shell)
{
	size_t i;

	*t = (struct template){ .shell = shell || count == 0,
		.raw = count == 0, .columns = 1 };
	t->word = need(calloc(count + 1, sizeof(*t->word)));
	for (i = 0; i < count; i++) {
		read_word(&t->word[i], word[i]);
		t->placed = t->placed || t->word[i].placed;
		t->has_item = t->has_item || t->word[i].has_item;
	}
	t->count = count;
	if (t->placed)
		return;
	add_part(&t->word[t->count++], &(struct part){ .kind = PART_ITEM });
	t->has_item = true;
}

void
template_close(struct template *t)
{
	for (size_t i = 0; i < t->count; i++)
		free(t->word[i].part);
	free(t->word);
	*t = (struct template){ .count = 0 };
}

/* --- parts of an item ----------------------------------------------------- */

/* Without `.extension`, of which there is no slash in; either may be empty. */
static size_t
stem_bytes(const char *item)
{
	const char *dot = strrchr(basename(item), '.');

	return dot != NULL ? (size_t)(dot - item) : strlen(item);
}

/* As dirname(1): blanks of slashes at the end mean nothing. */
static struct part
directory_of(const char *item)
{
	size_t n = strlen(item);

	while (n > 1 && item[n - 1] == '/')
		n--;
	while (n > 0 && item[n - 1] != '/')
		n--;
	while (n > 1 && item[n - 1] == '/')
		n--;
	return n > 0 ? (struct part){ .text = item, .bytes = n } :
	    (struct part){ .text = ".", .bytes = 1 };
}

/* What @kind makes of @item. */
static struct part
of_item(enum part_kind kind, const char *item)
{
	const char *name = basename(item);

	switch (kind) {
	case PART_STEM:
		return (struct part){ .text = item,
			.bytes = stem_bytes(item) };
	case PART_NAME:
		return (struct part){ .text = name, .bytes = strlen(name) };
	case PART_DIRECTORY:
		return directory_of(item);
	case PART_NAME_STEM:
		return (struct part){ .text = name,
			.bytes = stem_bytes(name) };
	default:
		return (struct part){ .text = item, .bytes = strlen(item) };
	}
}

/* --- writing -------------------------------------------------------------- */

/* Text that grows; what it is made of comes last by realloc(). */
struct growing {
	char *start;
	size_t used, room;
};

static void
put(struct growing *g, const char *text, size_t bytes)
{
	if (g->used + bytes + 1 > g->room) {
		g->room = (g->used + bytes + 1) * 2;
		g->start = need(realloc(g->start, g->room));
	}
	memcpy(g->start + g->used, text, bytes);
	g->used += bytes;
	g->start[g->used] = '\0';
}

static void
put_number(struct growing *g, uint64_t n)
{
	char digits[24], *p = digits + sizeof(digits);

	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) != 0);
	put(g, p, (size_t)(digits + sizeof(digits) - p));
}

static bool
is_plain(const char *text, size_t bytes)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+:,./-";

	return bytes > 0 && strspn(text, plain) >= bytes;
}

static void
put_quoted(struct growing *g, const char *text, size_t bytes)
{
	if (is_plain(text, bytes)) {
		put(g, text, bytes);
		return;
	}
	put(g, "'", 1);
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] == '\'')
			put(g, "'\\''", 4);
		else
			put(g, &text[i], 1);
	}
	put(g, "'", 1);
}

/* What @kind makes of one value. */
static void
put_value(struct growing *g, const struct template *t, enum part_kind kind,
    const char *value)
{
	struct part made = of_item(kind, value);

	if (t->shell && !t->raw)
		put_quoted(g, made.text, made.bytes);
	else
		put(g, made.text, made.bytes);
}

static const char *
value_of(const char *tuple, size_t column)
{
	while (column-- > 0)
		tuple += strlen(tuple) + 1;
	return tuple;
}

/* Of all items of the job; false: there is none at that place. */
static bool
put_position(struct growing *g, const struct template *t,
    const struct part *p, const struct template_job *job)
{
	size_t all = job->count * t->columns, at;

	if ((size_t)(p->position < 0 ? -p->position : p->position) > all)
		return false;
	at = p->position > 0 ? (size_t)p->position - 1 :
	    all - (size_t)-p->position;
	put_value(g, t, p->kind, value_of(job->item[at / t->columns],
	    at % t->columns));
	return true;
}

/* False: nothing, not even an empty text. */
static bool
put_part(struct growing *g, const struct template *t, const struct part *p,
    const struct template_job *job, const char *item)
{
	switch (p->kind) {
	case PART_TEXT:
		put(g, p->text, p->bytes);
		return true;
	case PART_NUMBER:
		put_number(g, job->number);
		return true;
	case PART_PLACE:
		put_number(g, job->place);
		return true;
	default:
		break;
	}
	if (p->position != 0)
		return put_position(g, t, p, job);
	for (size_t i = 0; i < t->columns; i++) {
		if (i > 0)
			put(g, t->shell ? " " : "", 1);
		put_value(g, t, p->kind, value_of(item, i));
	}
	return true;
}

static bool
put_word(struct growing *g, const struct template *t,
    const struct template_word *w, const struct template_job *job,
    const char *item)
{
	bool any = false;

	for (size_t i = 0; i < w->count; i++)
		any = put_part(g, t, &w->part[i], job, item) || any;
	return any;
}

/* How often a word comes. */
static size_t
times(const struct template_word *w, const struct template_job *job)
{
	return w->repeats ? job->count : 1;
}

/* A word of which there is nothing is none, as a shell has it. */
static void
put_all(struct growing *g, const struct template *t,
    const struct template_job *job, char between)
{
	const size_t start = g->used;
	bool first = true;

	for (size_t i = 0; i < t->count; i++) {
		for (size_t k = 0; k < times(&t->word[i], job); k++) {
			size_t before = g->used;

			if (!first)
				put(g, &between, 1);
			if (put_word(g, t, &t->word[i], job,
			    t->word[i].repeats ? job->item[k] : NULL))
				first = false;
			else if (between == '\0')
				g->used = before;
		}
	}
	if (g->used == start)
		put(g, "", 0);
}

char **
template_expand(const struct template *t, const struct template_job *job)
{
	static const char shell[] = "/bin/sh\0-c"; /* and a 0 behind */
	struct growing g = { NULL, 0, 0 };
	size_t words = 1, i;
	char **argv, *at;

	if (t->shell) {
		put(&g, shell, sizeof(shell));
		put_all(&g, t, job, ' ');
	} else {
		put(&g, "", 0);
		put_all(&g, t, job, '\0');
	}
	for (i = 0; i < g.used; i++)
		words += g.start[i] == '\0';
	argv = need(malloc((words + 1) * sizeof(*argv) + g.used + 1));
	at = memcpy((char *)(argv + words + 1), g.start, g.used + 1);
	for (i = 0; i < words; i++) {
		argv[i] = at;
		at += strlen(at) + 1;
	}
	argv[words] = NULL;
	free(g.start);
	return argv;
}

/* One that stands for some value is taken to be the whole of each item. */
size_t
template_item_bytes(const struct template *t, const char *item)
{
	size_t all = 0, bytes = 0, i, k;

	for (i = 0; i < t->columns; i++)
		all += 1 + sizeof(char *) + strlen(value_of(item, i));
	for (i = 0; i < t->count; i++) {
		const struct template_word *w = &t->word[i];

		if (!w->has_item)
			continue;
		bytes += 1 + sizeof(char *);
		for (k = 0; k < w->count; k++)
			bytes += !is_of_item(w->part[k].kind) ? 20 +
			    w->part[k].bytes : t->shell ? 2 + 4 * all : all;
	}
	return bytes;
}

size_t
template_own_bytes(const struct template *t)
{
	size_t bytes = 64, i, k;

	for (i = 0; i < t->count; i++) {
		bytes += 1 + sizeof(char *);
		for (k = 0; k < t->word[i].count; k++)
			bytes += 20 + t->word[i].part[k].bytes;
	}
	return bytes;
}

char *
template_text(const struct template *t, char *const *argv)
{
	struct growing g = { NULL, 0, 0 };

	if (t->shell)
		return need_text("%s", argv[2]);
	for (; *argv != NULL; argv++) {
		if (g.used > 0)
			put(&g, " ", 1);
		put_quoted(&g, *argv, strlen(*argv));
	}
	return g.start != NULL ? g.start : need_text("%s", "");
}

char *
template_item_text(const struct template *t, const char *item)
{
	struct growing g = { NULL, 0, 0 };

	for (size_t i = 0; i < t->columns; i++) {
		const char *value = value_of(item, i);

		if (i > 0)
			put(&g, " ", 1);
		put(&g, value, strlen(value));
	}
	return g.start;
}

char *
template_quote(const char *text)
{
	struct growing g = { NULL, 0, 0 };

	put_quoted(&g, text, strlen(text));
	return g.start;
}
