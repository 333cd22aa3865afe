/*
 * batch-wait.c - jobs that are to be tried again
 *
 * Those whose time has come lie by their first items, so that output can go on
 * in order; the others by time.  There may be very many, and they come near
 * one end or the other: a place is looked for from both.
 */
#include <stdlib.h>

#include "base/base.h"
#include "batch/batch.h"

void
batch_job_free(struct job *job)
{
	for (size_t i = 0; i < job->count; i++)
		free(job->item[i]);
	kin_free(&job->kin);
	free(job->item);
	free(job);
}

static uint64_t
key_of(const struct job *job, bool by_time)
{
	return by_time ? job->ready_ns : job->first;
}

/* The last of those that go before @key; NULL: none does. */
static struct job *
find_before(const struct job_list *list, uint64_t key, bool by_time)
{
	struct job *low = list->first, *high = list->last;

	for (;;) {
		if (high == NULL || key_of(high, by_time) < key)
			return high;
		if (key_of(low, by_time) >= key)
			return low->before;
		high = high->before;
		low = low->next;
	}
}

static void
insert(struct job_list *list, struct job *job, bool by_time)
{
	job->before = find_before(list, key_of(job, by_time), by_time);
	job->next = job->before != NULL ? job->before->next : list->first;
	if (job->before != NULL)
		job->before->next = job;
	else
		list->first = job;
	if (job->next != NULL)
		job->next->before = job;
	else
		list->last = job;
}

static struct job *
take_first(struct job_list *list)
{
	struct job *job = list->first;

	list->first = job->next;
	if (job->next != NULL)
		job->next->before = NULL;
	else
		list->last = NULL;
	job->next = job->before = NULL;
	return job;
}

void
batch_wait_again(struct batch *b, struct job *job)
{
	bool later = job->ready_ns != 0;

	insert(later ? &b->later : &b->again, job, later);
}

struct job *
batch_wait_next(struct batch *b, uint64_t now_ns)
{
	struct job *job;

	while (b->later.first != NULL && b->later.first->ready_ns <= now_ns) {
		job = take_first(&b->later);
		job->ready_ns = 0;
		insert(&b->again, job, false);
	}
	return b->again.first != NULL ? take_first(&b->again) : NULL;
}

bool
batch_wait_any(const struct batch *b)
{
	return b->again.first != NULL || b->later.first != NULL;
}

void
batch_wait_free(struct batch *b)
{
	while (b->again.first != NULL)
		batch_job_free(take_first(&b->again));
	while (b->later.first != NULL)
		batch_job_free(take_first(&b->later));
}
