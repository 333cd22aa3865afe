/*
 * print.h - what a person or a program reads: lines, tables, bars, JSON
 *
 * Beside the house (tools/say).  May use: base, jansson.  Used by: cmd-*.c,
 * heaptide.c, symbol.c.
 *
 * Colour and cutting to width are for terminals only: a pipe or a file gets
 * whole lines and plain text.  NO_COLOR, set and not empty, forbids colour.
 * Text that comes from a profile may be an attempt on the terminal: whatever
 * passes through here has its control characters replaced.
 */
#ifndef SAY_PRINT_H
#define SAY_PRINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* --- to stderr: one sentence, `heaptide: ...` and a newline --------------- */

/* Hidden, or cmocka, which has this name as well, would speak through ours. */
void print_error(const char *format, ...)
    __attribute__((format(printf, 1, 2), visibility("hidden")));

/* --- where text goes ------------------------------------------------------ */

struct print {
	FILE *to;
	unsigned width; /* columns of the terminal; 0: no terminal, no limit */
	bool colour;
};

enum print_style {
	PRINT_PLAIN,
	PRINT_STRONG, /* bold */
	PRINT_FAINT,
	PRINT_GOOD,   /* green */
	PRINT_WARN,   /* yellow */
	PRINT_BAD     /* red */
};

struct print print_open(FILE *to);

/* Print a whole line: cleaned, cut to the width with `...` if need be. */
void print_line(const struct print *p, enum print_style style,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * The same of what must not be cut, as somebody is to do it: broken at blanks,
 * what follows stands behind @indent blanks.
 */
void print_sentence(const struct print *p, enum print_style style,
    unsigned indent, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* What is to be said in one line, with commas between.  Zeroed: nothing. */
struct print_list {
	char text[512];
	size_t used;
};

/* One more of it; of no @count of them nothing. */
void print_list_add(struct print_list *list, uint64_t count,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Columns that @text takes; UTF-8 counts by characters. */
size_t print_columns(const char *text);

/* Bytes of the valid UTF-8 character at @text; 0: it is none. */
size_t print_character(const char *text);

/* Replace control characters in @text, in place; returns @text. */
char *print_clean(char *text);

/* A bar of @room columns, @part of @whole filled; returns @buffer. */
#define PRINT_BAR_ROOM 256
char *print_bar(char buffer[PRINT_BAR_ROOM], unsigned room, uint64_t part,
    uint64_t whole);

/* --- tables --------------------------------------------------------------- */

struct print_column {
	const char *head; /* NULL: the table has no line of heads */
	bool right;       /* numbers stand to the right */
};

/*
 * Cells are collected, and printed in columns as wide as their widest cell by
 * print_table_close().  The last column is cut at the terminal's width.
 */
struct print_table;

struct print_table *print_table_open(const struct print_column *columns,
    size_t count);

/* The next cell, row by row. */
void print_cell(struct print_table *t, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Style of the row that is being filled. */
void print_row_style(struct print_table *t, enum print_style style);

/* Print all rows, each behind @indent blanks, and free the table. */
void print_table_close(struct print_table *t, const struct print *p,
    unsigned indent);

/* --- how far a long work is ----------------------------------------------- */

/* Shown on stderr if that is a terminal, after half a second; else silent. */
struct progress {
	const char *what;
	uint64_t whole, done;
	uint64_t started_ns, shown_ns;
	bool terminal, visible;
};

void progress_open(struct progress *p, const char *what, uint64_t whole);
void progress_set(struct progress *p, uint64_t done);
void progress_close(struct progress *p);

/* --- JSON ----------------------------------------------------------------- */

/* An object with "heaptide": version and "schema": 1, to be filled. */
json_t *json_head(void);

/* A string of any bytes: what is no UTF-8 becomes U+FFFD. */
json_t *json_text(const char *text);

/* Write @object with jansson's @flags; 0, or -1 and errno says why. */
int json_write(const json_t *object, FILE *to, size_t flags);

/* Print @object on stdout and give it back; an exit status. */
int json_print(json_t *object);

/* The same on stderr, for people as well. */
void json_say(json_t *object);

#endif
