/*
 * print.c - what a person or a program reads: lines, tables, bars, JSON
 */
#include "say/print.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "say/command.h"
#include "say/need.h"

#define WIDTH_LEAST   40 /* a narrower terminal gets lines of this width */
#define WIDTH_DEFAULT 80

static const char *const style_codes[] = {
	[PRINT_PLAIN] = "",
	[PRINT_STRONG] = "\033[1m",
	[PRINT_FAINT] = "\033[2m",
	[PRINT_GOOD] = "\033[32m",
	[PRINT_WARN] = "\033[33m",
	[PRINT_BAD] = "\033[31m",
};

/* --- text ----------------------------------------------------------------- */

char *
print_clean(char *text)
{
	for (unsigned char *c = (unsigned char *)text; *c != '\0'; c++) {
		/* C1 controls as UTF-8 are C2 80 to C2 9F */
		bool c1 = c[0] == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0;

		if (*c < ' ' || *c == 0x7f || c1)
			*c = '?';
		if (c1)
			*++c = '?';
	}
	return text;
}

/* True for the bytes of a character behind its first. */
static bool
is_continuation(char c)
{
	return ((unsigned char)c & 0xc0) == 0x80;
}

size_t
print_columns(const char *text)
{
	size_t columns = 0;

	for (; *text != '\0'; text++)
		columns += !is_continuation(*text);
	return columns;
}

/* Bytes of @text that fit @columns. */
static size_t
bytes_within(const char *text, size_t columns)
{
	size_t at = 0;

	for (; text[at] != '\0'; at++)
		if (!is_continuation(text[at]) && columns-- == 0)
			break;
	return at;
}

/* Cut @text to @columns; what is cut shows as three dots. */
static void
cut_text(char *text, size_t columns)
{
	if (columns < 4 || print_columns(text) <= columns)
		return;
	strcpy(text + bytes_within(text, columns - 3), "...");
}

void
print_error(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = need_text_list(format, args);
	va_end(args);
	fprintf(stderr, "heaptide: %s\n", print_clean(text));
	free(text);
}

/* --- lines ---------------------------------------------------------------- */

static unsigned
terminal_width(int fd)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	uint64_t n;

	if (columns != NULL && text_parse_u64(columns, 10000, &n) == 0 &&
	    n != 0)
		return (unsigned)max_u64(n, WIDTH_LEAST);
	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return WIDTH_DEFAULT;
	return (unsigned)max_u64(size.ws_col, WIDTH_LEAST);
}

struct print
print_open(FILE *to)
{
	const char *no_colour = getenv("NO_COLOR");
	const char *term = getenv("TERM");
	struct print p = { .to = to };

	if (!isatty(fileno(to)))
		return p;
	p.width = terminal_width(fileno(to));
	p.colour = (no_colour == NULL || *no_colour == '\0') &&
	    (term == NULL || strcmp(term, "dumb") != 0);
	return p;
}

static void
put_styled(const struct print *p, enum print_style style, const char *text)
{
	bool colour = p->colour && style != PRINT_PLAIN && *text != '\0';

	if (colour)
		fputs(style_codes[style], p->to);
	fputs(text, p->to);
	if (colour)
		fputs("\033[0m", p->to);
}

void
print_line(const struct print *p, enum print_style style,
    const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = need_text_list(format, args);
	va_end(args);
	print_clean(text);
	if (p->width != 0)
		cut_text(text, p->width);
	put_styled(p, style, text);
	fputc('\n', p->to);
	free(text);
}

/* Bytes of @text for a line of @columns: up to a blank, or a whole word. */
static size_t
bytes_of_line(const char *text, size_t columns)
{
	size_t most = bytes_within(text, columns), at = most;

	if (text[most] == '\0')
		return most;
	while (at > 0 && text[at] != ' ')
		at--;
	/* A word that is longer is broken by the terminal, if at all. */
	return at > strspn(text, " ") ? at :
	    strspn(text, " ") + strcspn(text + strspn(text, " "), " ");
}

void
print_sentence(const struct print *p, enum print_style style,
    unsigned indent, const char *format, ...)
{
	const char *rest;
	va_list args;
	char *text;

	va_start(args, format);
	text = need_text_list(format, args);
	va_end(args);
	rest = print_clean(text);
	for (size_t columns = p->width; ; columns = p->width - indent) {
		size_t bytes = p->width > indent ?
		    bytes_of_line(rest, columns) : strlen(rest);
		char *line = need(strndup(rest, bytes));

		put_styled(p, style, line);
		fputc('\n', p->to);
		free(line);
		rest += bytes + strspn(rest + bytes, " ");
		if (*rest == '\0')
			break;
		fprintf(p->to, "%*s", (int)indent, "");
	}
	free(text);
}

void
print_list_add(struct print_list *list, uint64_t count, const char *format,
    ...)
{
	size_t left = sizeof(list->text) - list->used;
	va_list args;
	int n;

	if (count == 0 || left < sizeof(", "))
		return;
	n = snprintf(list->text + list->used, left, "%s",
	    list->used != 0 ? ", " : "");
	list->used += (size_t)n;
	left -= (size_t)n;
	va_start(args, format);
	n = vsnprintf(list->text + list->used, left, format, args);
	va_end(args);
	list->used += n < 0 ? 0 : (size_t)n < left ? (size_t)n : left - 1;
}

char *
print_bar(char buffer[PRINT_BAR_ROOM], unsigned room, uint64_t part,
    uint64_t whole)
{
	double share = whole != 0 ? (double)part / (double)whole : 0;
	unsigned filled;

	room = (unsigned)min_u64(room, PRINT_BAR_ROOM - 1);
	filled = (unsigned)min_u64(room, whole_u64(share * room + 0.5));
	memset(buffer, '#', filled);
	memset(buffer + filled, '.', room - filled);
	buffer[room] = '\0';
	return buffer;
}

/* --- tables --------------------------------------------------------------- */

struct print_table {
	size_t columns;
	size_t cells, room;
	enum print_style *style; /* one a cell, that of its row */
	enum print_style row_style;
	char **cell;
	struct print_column column[];
};

static void
add_cell(struct print_table *t, char *text)
{
	if (t->cells == t->room) {
		t->room = t->room == 0 ? 64 : t->room * 2;
		t->cell = need(realloc(t->cell, t->room * sizeof(char *)));
		t->style = need(realloc(t->style,
		    t->room * sizeof(enum print_style)));
	}
	if (t->cells % t->columns == 0)
		t->row_style = PRINT_PLAIN;
	t->style[t->cells] = PRINT_PLAIN;
	t->cell[t->cells++] = print_clean(text);
}

struct print_table *
print_table_open(const struct print_column *columns, size_t count)
{
	struct print_table *t;

	t = need(calloc(1, sizeof(*t) + count * sizeof(*columns)));
	t->columns = count;
	memcpy(t->column, columns, count * sizeof(*columns));
	if (columns[0].head == NULL)
		return t;
	for (size_t i = 0; i < count; i++)
		add_cell(t, need(strdup(columns[i].head)));
	print_row_style(t, PRINT_FAINT);
	return t;
}

void
print_cell(struct print_table *t, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	add_cell(t, need_text_list(format, args));
	va_end(args);
}

void
print_row_style(struct print_table *t, enum print_style style)
{
	size_t row = t->cells == 0 ? 0 : (t->cells - 1) / t->columns;

	for (size_t i = row * t->columns; i < t->cells; i++)
		t->style[i] = style;
}

static void
print_table_cell(const struct print_table *t, const struct print *p,
    size_t at, unsigned width, unsigned *column)
{
	const struct print_column *c = &t->column[at % t->columns];
	bool last = (at + 1) % t->columns == 0;
	size_t columns = print_columns(t->cell[at]);
	int pad = columns < width ? (int)(width - columns) : 0;

	if (last && p->width > *column)
		cut_text(t->cell[at], p->width - *column);
	if (c->right)
		fprintf(p->to, "%*s", pad, "");
	put_styled(p, t->style[at], t->cell[at]);
	if (last)
		fputc('\n', p->to);
	else
		fprintf(p->to, "%*s", c->right ? 2 : pad + 2, "");
	*column += width + 2;
}

void
print_table_close(struct print_table *t, const struct print *p,
    unsigned indent)
{
	unsigned *width = need(calloc(t->columns, sizeof(unsigned)));
	unsigned column = 0;

	for (size_t i = 0; i < t->cells; i++) {
		unsigned *w = &width[i % t->columns];

		*w = (unsigned)max_u64(*w, print_columns(t->cell[i]));
	}
	for (size_t i = 0; i < t->cells; i++) {
		if (i % t->columns == 0) {
			fprintf(p->to, "%*s", (int)indent, "");
			column = indent;
		}
		print_table_cell(t, p, i, width[i % t->columns], &column);
		free(t->cell[i]);
	}
	free(width);
	free(t->cell);
	free(t->style);
	free(t);
}

/* --- how far a long work is ----------------------------------------------- */

#define PROGRESS_AFTER_NS (500 * NS_PER_MS)
#define PROGRESS_EVERY_NS (100 * NS_PER_MS)

static uint64_t
clock_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

void
progress_open(struct progress *p, const char *what, uint64_t whole)
{
	*p = (struct progress){
		.what = what,
		.whole = whole,
		.started_ns = clock_now(),
		.terminal = isatty(STDERR_FILENO),
	};
}

void
progress_set(struct progress *p, uint64_t done)
{
	char bar[PRINT_BAR_ROOM];
	uint64_t now;

	p->done = done;
	if (!p->terminal)
		return;
	now = clock_now();
	if (now - p->started_ns < PROGRESS_AFTER_NS ||
	    now - p->shown_ns < PROGRESS_EVERY_NS)
		return;
	p->shown_ns = now;
	p->visible = true;
	fprintf(stderr, "\r%s [%s] %3u %%", p->what,
	    print_bar(bar, 30, done, p->whole),
	    (unsigned)(p->whole != 0 ? done * 100 / p->whole : 100));
	fflush(stderr);
}

void
progress_close(struct progress *p)
{
	if (p->visible)
		fputs("\r\033[K", stderr);
	p->visible = false;
}

/* --- JSON ----------------------------------------------------------------- */

json_t *
json_head(void)
{
	return need(json_pack("{s:s, s:i}", "heaptide", PACKAGE_VERSION,
	    "schema", 1));
}

size_t
print_character(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	static const struct {
		unsigned char mask, value, bytes;
		uint32_t least; /* a shorter form exists below */
	} forms[] = {
		{ 0x80, 0x00, 1, 0 },
		{ 0xe0, 0xc0, 2, 0x80 },
		{ 0xf0, 0xe0, 3, 0x800 },
		{ 0xf8, 0xf0, 4, 0x10000 },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(forms); i++) {
		uint32_t point = s[0] & (unsigned char)~forms[i].mask;

		if ((s[0] & forms[i].mask) != forms[i].value)
			continue;
		for (size_t k = 1; k < forms[i].bytes; k++) {
			if (!is_continuation((char)s[k]))
				return 0;
			point = point << 6 | (s[k] & 0x3f);
		}
		if (point < forms[i].least || point > 0x10ffff ||
		    (point >= 0xd800 && point < 0xe000))
			return 0;
		return forms[i].bytes;
	}
	return 0;
}

json_t *
json_text(const char *text)
{
	static const char unknown[] = "\xef\xbf\xbd"; /* U+FFFD */
	size_t length = strlen(text), used = 0;
	char *clean = need(malloc(length * 3 + 1));
	json_t *json;

	for (size_t at = 0; at < length; ) {
		size_t n = print_character(text + at);

		memcpy(clean + used, n != 0 ? text + at : unknown,
		    n != 0 ? n : 3);
		used += n != 0 ? n : 3;
		at += n != 0 ? n : 1;
	}
	json = need(json_stringn(clean, used));
	free(clean);
	return json;
}

/* jansson hands over a few bytes at a time, and a profile has 100 000 000s. */
struct sink {
	FILE *to;
	size_t used;
	char bytes[1 << 16];
};

static int
empty_sink(struct sink *s)
{
	size_t n = s->used;

	s->used = 0;
	return fwrite(s->bytes, 1, n, s->to) == n ? 0 : -1;
}

static int
fill_sink(const char *bytes, size_t n, void *sink)
{
	struct sink *s = sink;

	if (n > sizeof(s->bytes) - s->used && empty_sink(s) != 0)
		return -1;
	if (n > sizeof(s->bytes))
		return fwrite(bytes, 1, n, s->to) == n ? 0 : -1;
	memcpy(s->bytes + s->used, bytes, n);
	s->used += n;
	return 0;
}

int
json_write(const json_t *object, FILE *to, size_t flags)
{
	struct sink *s = need(malloc(sizeof(*s)));
	int r;

	s->to = to;
	s->used = 0;
	r = json_dump_callback(object, fill_sink, s, flags);
	if (empty_sink(s) != 0)
		r = -1;
	free(s);
	return r;
}

int
json_print(json_t *object)
{
	/* Blanks are for people: a profile can have 10 000s of stacks. */
	size_t layout = isatty(STDOUT_FILENO) ? JSON_INDENT(1) : JSON_COMPACT;
	int r = json_write(object, stdout, layout | JSON_REAL_PRECISION(15));

	fputc('\n', stdout);
	json_decref(object);
	return r == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

void
json_say(json_t *object)
{
	(void)json_dumpf(object, stderr, JSON_INDENT(2) |
	    JSON_REAL_PRECISION(15));
	fputc('\n', stderr);
	json_decref(object);
}
