/*
 * batch-template.h - the command of a batch, with places for its items
 *
 * Beside the house (tools/batch).  May use: base, need.  Used by: batch-*.c.
 *
 *	{}  the item        {.}  without its extension    {/}   its last part
 *	{//} its directory  {/.} last part, no extension  {#}   number of the job
 *	{%} place of the job: 1 to as many as run at one time
 *
 *	{1} {2.} {3/} {-1} ...  the first five of one value: of the job's, in
 *	    their order, that one, or counted from the last
 *
 * They are GNU parallel's, to the letter.  A word that has one of the first
 * five comes once for each item of a job.  Where there is none at all, the
 * items come behind the command.  Items are arguments and never text of a
 * shell; for a shell they are quoted.
 *
 * Of several sources an item is a tuple (batch-tuples.h), with a value of each.
 * What stands for all of it is made of each value, and these are words of their
 * own, as a shell would split them.
 */
#ifndef BATCH_BATCH_TEMPLATE_H
#define BATCH_BATCH_TEMPLATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct template_word;

struct template {
	size_t count;
	struct template_word *word;
	bool has_item; /* there is a place for items, or was none at all */
	bool placed;   /* the user gave one */
	bool shell;    /* one text for /bin/sh -c */
	bool raw;      /* and the item is that text */
	unsigned columns; /* values of an item: 1 unless told */
};

/*
 * @word: what the user gave, @count of them; must outlive the template.
 * @shell: joined by blanks, for a shell.  No word at all: each item is a text
 * for the shell.
 */
void template_open(struct template *t, char *const *word, size_t count,
    bool shell);
void template_close(struct template *t);

/* What one job is made of. */
struct template_job {
	char *const *item;
	size_t count;
	uint64_t number; /* {#} */
	unsigned place;  /* {%} */
};

/* The arguments of a job, up to a NULL; given back with one free(). */
char **template_expand(const struct template *t,
    const struct template_job *job);

/* Bytes of argument that one more item takes, pointers and all. */
size_t template_item_bytes(const struct template *t, const char *item);

/* The same of all that is no item. */
size_t template_own_bytes(const struct template *t);

/* As one would type it; a fresh text. */
char *template_text(const struct template *t, char *const *argv);

/* An item, of a tuple all of its values; a fresh text. */
char *template_item_text(const struct template *t, const char *item);

/* @text as one word of a shell; a fresh text. */
char *template_quote(const char *text);

#endif
