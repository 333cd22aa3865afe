/*
 * need.h - memory, or the end: a command has nothing better to do without it
 *
 * Beside the house (tools/say).  May use: command.  Used by: all that print or
 * keep lists; not by what must go on, the program of a run at its side.
 */
#ifndef SAY_NEED_H
#define SAY_NEED_H

#include <stdarg.h>

/* @memory, as malloc() and its like gave it; without any, the command ends. */
void *need(void *memory);

/* A fresh text, to be freed. */
char *need_text(const char *format, ...)
    __attribute__((format(printf, 1, 2)));
char *need_text_list(const char *format, va_list args)
    __attribute__((format(printf, 1, 0)));

#endif
