/*
 * screen.h - the whole terminal as a page that is drawn again and again
 *
 * Beside the house (tools/top).  May use: base, print; ncurses, which nobody
 * else needs to know.  Used by: top.h, top-*.c.
 *
 * Whatever is put on it is cleaned, and cut where its room ends: a terminal of
 * one cell is no trouble.  While it is open standard error is closed to all:
 * what libraries say there would stand in the middle of the picture.
 */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

enum screen_style {
	SCREEN_PLAIN,
	SCREEN_STRONG,
	SCREEN_FAINT,
	SCREEN_GOOD,  /* green */
	SCREEN_WARN,  /* yellow */
	SCREEN_BAD,   /* red */
	SCREEN_TITLE, /* light on dark, or the other way about */
	SCREEN_HEAD,  /* of a table, or of a part of the page */
	SCREEN_STYLES
};

/* Keys that are no character; characters are themselves, UTF-8 by bytes. */
enum screen_key {
	SCREEN_KEY_NONE = 0x200, /* the time is over, or the size has changed */
	SCREEN_KEY_STOP,            /* a signal, or the terminal is gone */
	SCREEN_KEY_UP,
	SCREEN_KEY_DOWN,
	SCREEN_KEY_PAGE_UP,
	SCREEN_KEY_PAGE_DOWN,
	SCREEN_KEY_FIRST,
	SCREEN_KEY_LAST,
	SCREEN_KEY_RETURN,
	SCREEN_KEY_ERASE,   /* backspace */
	SCREEN_KEY_BACK,    /* left */
	SCREEN_KEY_ESCAPE,
	SCREEN_KEY_REDRAW   /* ^L */
};

/* 0; -1 with a sentence in @why: this terminal cannot be drawn on. */
#define SCREEN_WHY_ROOM 256
int screen_open(char why[SCREEN_WHY_ROOM]);

/* The terminal is as it was before; may be called again. */
void screen_close(void);

/* The signal that ended it, or 0. */
int screen_signal(void);

/* The next key, waiting for at most @wait_ns. */
int screen_key(uint64_t wait_ns);

unsigned screen_rows(void);
unsigned screen_columns(void);

/* Blocks and arrows may be used. */
bool screen_is_utf8(void);

void screen_clear(void);
void screen_show(void);

/* Draw all of it, as another program may have written over it. */
void screen_redraw(void);

/* What is put from here on stands on the line under the cursor, marked. */
void screen_select(bool selected);

/*
 * Put a text at row @y, column @x, in at most @room columns.  Returns the
 * column behind it.
 */
unsigned screen_put(unsigned y, unsigned x, unsigned room,
    enum screen_style style, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* The same, at the right end of the room; returns @x + @room. */
unsigned screen_put_right(unsigned y, unsigned x, unsigned room,
    enum screen_style style, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* Make the whole row blank, in this style. */
void screen_fill(unsigned y, enum screen_style style);

#endif
