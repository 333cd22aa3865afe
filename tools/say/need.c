/*
 * need.c - memory, or the end: a command has nothing better to do without it
 */
#include "say/need.h"

#include <stdio.h>
#include <stdlib.h>

#include "say/command.h"

void *
need(void *memory)
{
	if (memory == NULL) {
		/* Not print_error(): that makes a text, and needs memory. */
		fputs("heaptide: no memory\n", stderr);
		exit(COMMAND_FAILED);
	}
	return memory;
}

char *
need_text(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = need_text_list(format, args);
	va_end(args);
	return text;
}

char *
need_text_list(const char *format, va_list args)
{
	char *text = NULL;

	return need(vasprintf(&text, format, args) < 0 ? NULL : text);
}
