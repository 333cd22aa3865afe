#include "batch-template.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "need.h"

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
	const char *text; /* PART_TEXT */
	size_t bytes;
};

struct template_word {
	size_t count;
	struct part *part;
	bool repeats; /* once for each item */
};

/* --- reading -------------------------------------------------------------- */

static bool
is_of_item(enum part_kind kind)
{
	return kind >= PART_ITEM && kind <= PART_NAME_STEM;
}

/* The mark that @text begins with; -1: none. */
static int
mark_at(const char *text)
{
	for (size_t i = 0; i < ARRAY_LENGTH(marks); i++)
		if (strncmp(text, marks[i].text, strlen(marks[i].text)) == 0)
			return (int)i;
	return -1;
}

static void
add_part(struct template_word *w, enum part_kind kind, const char *text,
    size_t bytes)
{
	w->part = need(realloc(w->part, (w->count + 1) * sizeof(*w->part)));
	w->part[w->count++] = (struct part){ kind, text, bytes };
	w->repeats = w->repeats || is_of_item(kind);
}

/* True: there was a mark in it. */
static bool
read_word(struct template_word *w, const char *text)
{
	const char *from = text;
	bool found = false;
	int mark;

	for (; *text != '\0'; text++) {
		mark = *text == '{' ? mark_at(text) : -1;
		if (mark < 0)
			continue;
		if (text > from)
			add_part(w, PART_TEXT, from, (size_t)(text - from));
		add_part(w, marks[mark].kind, NULL, 0);
		text += strlen(marks[mark].text) - 1;
		from = text + 1;
		found = true;
	}
	if (text > from || w->count == 0)
		add_part(w, PART_TEXT, from, (size_t)(text - from));
	return found;
}

void
template_open(struct template *t, char *const *word, size_t count,
    bool shell)
{
	size_t i;

	*t = (struct template){ .shell = shell || count == 0,
		.raw = count == 0 };
	t->word = need(calloc(count + 1, sizeof(*t->word)));
	for (i = 0; i < count; i++) {
		t->placed = read_word(&t->word[i], word[i]) || t->placed;
		t->has_item = t->has_item || t->word[i].repeats;
	}
	t->count = count;
	if (t->placed)
		return;
	add_part(&t->word[t->count++], PART_ITEM, NULL, 0);
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
	return n > 0 ? (struct part){ PART_TEXT, item, n } :
	    (struct part){ PART_TEXT, ".", 1 };
}

/* What @kind makes of @item. */
static struct part
of_item(enum part_kind kind, const char *item)
{
	const char *name = basename(item);

	switch (kind) {
	case PART_STEM:
		return (struct part){ PART_TEXT, item, stem_bytes(item) };
	case PART_NAME:
		return (struct part){ PART_TEXT, name, strlen(name) };
	case PART_DIRECTORY:
		return directory_of(item);
	case PART_NAME_STEM:
		return (struct part){ PART_TEXT, name, stem_bytes(name) };
	default:
		return (struct part){ PART_TEXT, item, strlen(item) };
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

static void
put_part(struct growing *g, const struct template *t, const struct part *p,
    const struct template_job *job, const char *item)
{
	struct part made;

	switch (p->kind) {
	case PART_TEXT:
		put(g, p->text, p->bytes);
		break;
	case PART_NUMBER:
		put_number(g, job->number);
		break;
	case PART_PLACE:
		put_number(g, job->place);
		break;
	default:
		made = of_item(p->kind, item);
		if (t->shell && !t->raw)
			put_quoted(g, made.text, made.bytes);
		else
			put(g, made.text, made.bytes);
	}
}

static void
put_word(struct growing *g, const struct template *t,
    const struct template_word *w, const struct template_job *job,
    const char *item)
{
	for (size_t i = 0; i < w->count; i++)
		put_part(g, t, &w->part[i], job, item);
}

/* How often a word comes. */
static size_t
times(const struct template_word *w, const struct template_job *job)
{
	return w->repeats ? job->count : 1;
}

static void
put_all(struct growing *g, const struct template *t,
    const struct template_job *job, char between)
{
	bool first = true;

	for (size_t i = 0; i < t->count; i++) {
		for (size_t k = 0; k < times(&t->word[i], job); k++) {
			if (!first)
				put(g, &between, 1);
			first = false;
			put_word(g, t, &t->word[i], job, t->word[i].repeats ?
			    job->item[k] : NULL);
		}
	}
}

char **
template_expand(const struct template *t, const struct template_job *job)
{
	static const char shell[] = "/bin/sh\0-c"; /* and a 0 behind */
	struct growing g = { NULL, 0, 0 };
	size_t words = 0, i;
	char **argv, *at;

	if (t->shell) {
		put(&g, shell, sizeof(shell));
		put_all(&g, t, job, ' ');
		words = 3;
	} else {
		put(&g, "", 0);
		put_all(&g, t, job, '\0');
		for (i = 0; i < t->count; i++)
			words += times(&t->word[i], job);
	}
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

size_t
template_item_bytes(const struct template *t, const char *item)
{
	size_t bytes = 0, i, k;

	for (i = 0; i < t->count; i++) {
		const struct template_word *w = &t->word[i];

		if (!w->repeats)
			continue;
		bytes += 1 + sizeof(char *);
		for (k = 0; k < w->count; k++)
			bytes += !is_of_item(w->part[k].kind) ? 20 +
			    w->part[k].bytes : t->shell ?
			    2 + 4 * strlen(item) : strlen(item);
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
template_quote(const char *text)
{
	struct growing g = { NULL, 0, 0 };

	put_quoted(&g, text, strlen(text));
	return g.start;
}
