/*
 * batch-done.c - which items are done, and what jobs wrote, in its turn
 */
#include <stdlib.h>

#include "base/base.h"
#include "batch.h"
#include "need.h"

/* A range of its own, or part of the one before. */
static void
insert(struct batch *b, struct done *d)
{
	struct done **at = &b->done;

	/* Most come at the end. */
	if (b->done_last != NULL && b->done_last->first < d->first)
		at = &b->done_last->next;
	while (*at != NULL && (*at)->first < d->first)
		at = &(*at)->next;
	d->next = *at;
	*at = d;
	if (d->next == NULL)
		b->done_last = d;
}

void
batch_done(struct batch *b, uint64_t first, uint64_t count,
    struct spool *spool)
{
	struct done *d;

	if (spool != NULL && !b->options->keep_order) {
		batch_spool_tell(b, spool, false);
		spool = NULL;
	}
	b->held += spool != NULL;
	d = need(malloc(sizeof(*d)));
	*d = (struct done){ NULL, first, count, spool };
	insert(b, d);
	while (b->done != NULL && b->done->first <= b->cursor) {
		d = b->done;
		b->done = d->next;
		if (b->done == NULL)
			b->done_last = NULL;
		b->cursor = max_u64(b->cursor, d->first + d->count);
		if (d->spool != NULL) {
			b->held--;
			batch_spool_tell(b, d->spool, false);
		}
		free(d);
	}
}

uint64_t
batch_done_before(struct batch *b, uint64_t first)
{
	struct done *d;

	while (b->past != NULL && b->past->first + b->past->count <= first) {
		d = b->past;
		b->past = d->next;
		free(d);
	}
	if (b->past == NULL || b->past->first > first)
		return 0;
	return b->past->first + b->past->count - first;
}

void
batch_done_free(struct batch *b)
{
	struct done *d;

	/* The batch was given up before these had their turn: they ran. */
	while ((d = b->done) != NULL) {
		b->done = d->next;
		if (d->spool != NULL)
			batch_spool_tell(b, d->spool, false);
		free(d);
	}
	while ((d = b->past) != NULL) {
		b->past = d->next;
		free(d);
	}
}
