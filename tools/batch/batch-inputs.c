/*
 * batch-inputs.c - where the items of a batch come from
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "batch/batch.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"

/* `:::`, `::::`, and with `+` for what is linked with the one before. */
static bool
is_source(const char *word)
{
	return strcmp(word, ":::") == 0 || strcmp(word, "::::") == 0 ||
	    strcmp(word, ":::+") == 0 || strcmp(word, "::::+") == 0;
}

size_t
batch_inputs_find(int operands, char **operand)
{
	int i;

	for (i = 0; i < operands && !is_source(operand[i]); i++)
		;
	return (size_t)i;
}

/* One that is told on the command line alone is read as it is. */
void
batch_inputs_several(const struct batch *b, struct batch_command *c,
    char **operand, size_t count)
{
	const struct batch_options *o = b->options;
	size_t i;

	c->several = o->files.count + (count > 0) > 1 ||
	    (count > 0 && strcmp(operand[0], ":::") != 0);
	for (i = 1; i < count; i++)
		c->several = c->several || is_source(operand[i]);
	if (count > 0)
		c->item = operand + !c->several;
}

/* `,`, `\t`, `\n`, `\0`, `\x1f`; false: it is none. */
static bool
read_delimiter(const char *text, char *delimiter)
{
	static const char escapes[] = "n\nt\tr\r0\0\\\\f\fv\v";
	char *end;

	if (text[0] != '\0' && text[1] == '\0') {
		*delimiter = text[0];
		return true;
	}
	if (text[0] != '\\' || text[1] == '\0')
		return false;
	for (size_t i = 0; i + 1 < sizeof(escapes) && text[2] == '\0'; i += 2)
		if (escapes[i] == text[1]) {
			*delimiter = escapes[i + 1];
			return true;
		}
	if (text[1] != 'x' || text[2] == '\0' || strlen(text) > 4)
		return false;
	*delimiter = (char)strtoul(text + 2, &end, 16);
	return *end == '\0';
}

/* A descriptor; below 0: it was said why there is none. */
static int
open_file(const char *file)
{
	int fd = strcmp(file, "-") == 0 ? STDIN_FILENO :
	    open(file, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		print_error("batch: cannot read %s: %s", file,
		    strerror(errno));
	return fd;
}

/* All of a file, as a source. */
static int
read_source(struct batch *b, const char *file, char delimiter, bool linked)
{
	struct items items;
	char *item;
	int fd = open_file(file), status = COMMAND_DONE;

	if (fd < 0)
		return COMMAND_USAGE;
	tuples_begin(&b->tuples, linked);
	items_of_file(&items, fd, delimiter);
	(void)items_count(&items);
	while (items_take(&items, &item) > 0)
		tuples_add(&b->tuples, item);
	if (items.error != 0) {
		print_error(items.error == -EILSEQ ? "batch: an item of %s "
		    "holds a zero byte: --null reads items with these between" :
		    "batch: cannot read %s to its end", file);
		status = COMMAND_USAGE;
	}
	items_close(&items);
	return status;
}

/* `::: A B :::: FILE ...`, behind those of --arg-file. */
static int
read_sources(struct batch *b, char delimiter, char **word)
{
	const struct option_list *files = &b->options->files;
	bool of_files = false, linked = false;
	int r = COMMAND_DONE;

	for (size_t i = 0; r == COMMAND_DONE && i < files->count; i++)
		r = read_source(b, files->value[i], delimiter, false);
	for (; r == COMMAND_DONE && word != NULL && *word != NULL; word++) {
		if (is_source(*word)) {
			of_files = strncmp(*word, "::::", 4) == 0;
			linked = (*word)[strlen(*word) - 1] == '+';
			if (!of_files)
				tuples_begin(&b->tuples, linked);
		} else if (of_files) {
			r = read_source(b, *word, delimiter, linked);
		} else {
			tuples_add(&b->tuples, need_text("%s", *word));
		}
	}
	if (r == COMMAND_DONE)
		items_of_tuples(&b->items, &b->tuples);
	return r;
}

int
batch_inputs_open(struct batch *b, const struct batch_command *c,
    const char *file)
{
	const struct batch_options *o = b->options;
	char delimiter = o->null ? '\0' : '\n';
	int fd = STDIN_FILENO;

	if (o->delimiter != NULL && !read_delimiter(o->delimiter,
	    &delimiter)) {
		print_error("batch: --delimiter '%s' is not accepted: give one "
		    "character, or \\n, \\t, \\0, \\x1f", o->delimiter);
		return COMMAND_USAGE;
	}
	if (c->several)
		return read_sources(b, delimiter, c->item);
	if (c->item != NULL) {
		items_of_words(&b->items, c->item);
		return COMMAND_DONE;
	}
	b->file = b->options->files.count > 0 ? file : NULL;
	if (file != NULL)
		fd = open_file(file);
	if (fd < 0)
		return COMMAND_USAGE;
	items_of_file(&b->items, fd, delimiter);
	return COMMAND_DONE;
}
