/*
 * batch-say.c - a sentence of ours, past the bar of progress
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch/batch.h"
#include "say/need.h"
#include "say/print.h"

void
batch_bar_clear(struct batch *b)
{
	if (b->shown)
		(void)!write(STDERR_FILENO, "\r\033[K", 4);
	b->shown = false;
}

void
batch_say(struct batch *b, const char *format, ...)
{
	va_list args;
	char *text;

	batch_bar_clear(b);
	va_start(args, format);
	text = need_text_list(format, args);
	va_end(args);
	/* These words are looked for in logs. */
	if (strncmp(text, "Low memory", 10) == 0)
		fprintf(stderr, "%s\n", text);
	else
		print_error("batch: %s", text);
	free(text);
}
