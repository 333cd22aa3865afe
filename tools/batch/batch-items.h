/*
 * batch-items.h - the items of a batch, one after the other
 *
 * Beside the house (tools/batch).  May use: base, need.  Used by: batch-*.c,
 * batch.h.
 *
 * They come from a file, from standard input, from the command line, or from
 * several of these together (batch-tuples.h); an item is a tuple then.  What
 * was taken is forgotten: of an input of any length one buffer is held.
 * Where all must be counted before the first is taken, items_count() does; a
 * pipe is held in memory for that.
 */
#ifndef BATCH_BATCH_ITEMS_H
#define BATCH_BATCH_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tuples;

struct items {
	int fd;            /* -1: of the command line, or at its end */
	char *const *word; /* of the command line, NULL behind the last */
	struct tuples *tuples; /* NULL: there is one only */
	char delimiter;
	bool ended;
	char *buffer;
	size_t from, used, room; /* of the buffer: what is not taken yet */
	size_t looked;           /* up to here there is no delimiter */
	uint64_t taken, limit;   /* items */
	int error;         /* a negative errno that ended it: -EILSEQ: an item
	                    * with a zero byte in it */
};

void items_of_words(struct items *items, char *const *word);

/* @tuples must outlive it. */
void items_of_tuples(struct items *items, struct tuples *tuples);

/* @fd is closed in the end, unless it is standard input. */
void items_of_file(struct items *items, int fd, char delimiter);
void items_close(struct items *items);

/* No more than so many. */
void items_limit(struct items *items, uint64_t most);

/*
 * The next item, to be freed, in @item.  1; 0: none has come yet, @fd of items
 * can be waited for; -1: there is no more.
 */
int items_take(struct items *items, char **item);

/* How many there are, none having been taken.  It waits for the end. */
uint64_t items_count(struct items *items);

#endif
