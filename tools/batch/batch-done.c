/*
 * batch-done.c - which items are done, and what jobs wrote, in its turn
 */
#include <stdlib.h>

#include "base/base.h"
#include "batch/batch.h"
#include "say/need.h"

/*
 * The last that begins before @first; NULL: none does.  Jobs end near one end
 * or the other: looked for from both.
 */
static struct done *
find_before(const struct batch *b, uint64_t first)
{
	struct done *low = b->done, *high = b->done_last;

	for (;;) {
		if (high == NULL || high->first < first)
			return high;
		if (low->first >= first)
			return low->before;
		high = high->before;
		low = low->next;
	}
}

/* Nothing of either is still to be told, and there is nothing between. */
static bool
is_one(const struct done *a, const struct done *b)
{
	return a != NULL && b != NULL && a->spool == NULL &&
	    b->spool == NULL && a->first + a->count == b->first;
}

static void
take_out(struct batch *b, struct done *d)
{
	if (d->before != NULL)
		d->before->next = d->next;
	else
		b->done = d->next;
	if (d->next != NULL)
		d->next->before = d->before;
	else
		b->done_last = d->before;
	free(d);
}

/* A range of its own, or part of those beside: where one job stands for an
 * hour, a million others may come behind it. */
static void
insert(struct batch *b, struct done *d)
{
	d->before = find_before(b, d->first);
	d->next = d->before != NULL ? d->before->next : b->done;
	if (d->before != NULL)
		d->before->next = d;
	else
		b->done = d;
	if (d->next != NULL)
		d->next->before = d;
	else
		b->done_last = d;
	if (is_one(d, d->next)) {
		d->count += d->next->count;
		take_out(b, d->next);
	}
	if (is_one(d->before, d)) {
		d->before->count += d->count;
		take_out(b, d);
	}
}

/* False: somebody was to read it, and could not. */
static bool
tell(struct batch *b, struct spool *spool)
{
	if (spool != NULL)
		batch_spool_tell(b, spool, false);
	return spool == NULL || !b->deaf;
}

bool
batch_done(struct batch *b, uint64_t first, uint64_t count,
    struct spool *spool)
{
	bool told = true;
	struct done *d;

	if (!b->options->keep_order) {
		told = tell(b, spool);
		spool = NULL;
	}
	if (!told)
		return false;
	b->held += spool != NULL;
	d = need(malloc(sizeof(*d)));
	*d = (struct done){ .first = first, .count = count, .spool = spool };
	insert(b, d);
	while (b->done != NULL && b->done->first <= b->cursor && told) {
		d = b->done;
		b->held -= d->spool != NULL;
		told = tell(b, d->spool);
		if (told)
			b->cursor = max_u64(b->cursor, d->first + d->count);
		take_out(b, d);
	}
	return true;
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

/* The batch ends before these had their turn: they ran. */
void
batch_done_flush(struct batch *b)
{
	struct done *d, *next;

	for (d = b->done; d != NULL; d = next) {
		next = d->next;
		if (!tell(b, d->spool))
			take_out(b, d);
		else
			d->spool = NULL;
	}
	b->held = 0;
}

void
batch_done_free(struct batch *b)
{
	struct done *d;

	while (b->done != NULL)
		take_out(b, b->done);
	while ((d = b->past) != NULL) {
		b->past = d->next;
		free(d);
	}
}
