/*
 * batch-tuples.h - several sources of items, and all that can be made of them
 *
 * Beside the house (tools/batch).  May use: base, need, batch-items.  Used by:
 * batch.h, batch-items.c.
 *
 * GNU parallel's, to the letter: of sources that are not linked each value of
 * one goes with each of all others, those of the last one changing fastest; one
 * that is linked (`:::+`, `::::+`) goes with the one before value by value, as
 * long as both have one.  A source without any has one that is empty.
 *
 * What comes out is a tuple: a text for each source, one behind the other, each
 * with its zero byte.  All values are held in memory; what is made of them not.
 */
#ifndef BATCH_BATCH_TUPLES_H
#define BATCH_BATCH_TUPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct column {
	char **value;
	size_t values;
	bool linked; /* with the one before */
};

struct tuples {
	struct column *column;
	size_t count;
	uint64_t next; /* which tuple comes next */
};

/*
 * One more; the one with values that were read, or NULL for none, is to be
 * filled by tuples_add(), which takes @value over.
 */
void tuples_begin(struct tuples *s, bool linked);
void tuples_add(struct tuples *s, char *value);

/* How many tuples there are; UINT64_MAX: more than can be counted. */
uint64_t tuples_total(const struct tuples *s);

/* The next, to be freed; NULL: there is none. */
char *tuples_take(struct tuples *s);

void tuples_free(struct tuples *s);

#endif
