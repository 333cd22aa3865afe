/*
 * reply.h - one line of JSON, written into a text
 *
 * Floor 7 (control).  May use: base.  Used by: control.
 * Contexts: anywhere; allocates nothing.
 *
 *	reply_head(t, true);
 *	reply_u64(t, "pid", 7);
 *	reply_open_list(t, "sites");
 *	...
 *	reply_close_list(t);
 *	reply_close(t);
 *
 * A NULL name is for what has none: the whole, and what is in a list.  Text may
 * be of any bytes: what is no UTF-8 comes out as U+FFFD.
 */
#ifndef CONTROL_REPLY_H
#define CONTROL_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Open the whole, which begins as every answer does. */
void reply_head(struct text *t, bool ok);

void reply_open(struct text *t, const char *name);
void reply_close(struct text *t);
void reply_open_list(struct text *t, const char *name);
void reply_close_list(struct text *t);

void reply_text(struct text *t, const char *name, const char *value);
void reply_text_bytes(struct text *t, const char *name, const char *value,
    size_t bytes);
void reply_u64(struct text *t, const char *name, uint64_t value);
void reply_i64(struct text *t, const char *name, int64_t value);
void reply_bool(struct text *t, const char *name, bool value);
void reply_null(struct text *t, const char *name);

/* Bytes of the UTF-8 character at @text, of @bytes; 0: it is none. */
size_t reply_character(const char *text, size_t bytes);

/* With three decimals. */
void reply_number(struct text *t, const char *name, double value);

#endif
