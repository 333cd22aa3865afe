/*
 * batch-past.c - what another batch has done before, by its joblog
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "batch/batch.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"

static bool
has_failed(const struct joblog_row *row)
{
	return row->status != 0 || row->signal != 0;
}

/* Items of a row: from the first on, so many. */
static void
items_of(const struct batch *b, const struct joblog_row *row,
    uint64_t *first, uint64_t *count)
{
	uint64_t before = b->fixed == 0 ? b->before_items : b->before_jobs;
	uint64_t number = above_u64(row->number, before + 1);

	if (b->fixed == 0) {
		*first = number;
		*count = max_u64(row->items, 1);
	} else {
		*first = number * b->fixed;
		*count = b->fixed;
	}
}

/* The last job of all may have fewer items than a job has. */
static bool
is_kept(const struct batch *b, const struct results_set *kept,
    uint64_t first, uint64_t count)
{
	return b->options->results == NULL || results_have(kept, first,
	    min_u64(count, above_u64(b->total, first)));
}

static void
pass_over(struct batch *b, const struct results_set *kept)
{
	struct done **at = &b->past, *d;
	uint64_t first, count;

	for (size_t i = 0; i < b->joblog.count; i++) {
		const struct joblog_row *row = &b->joblog.row[i];

		if (b->options->resume_failed && has_failed(row))
			continue;
		items_of(b, row, &first, &count);
		if (!is_kept(b, kept, first, count))
			continue;
		d = need(calloc(1, sizeof(*d)));
		d->first = first;
		d->count = count;
		*at = d;
		at = &d->next;
	}
}

/* Those that failed, by the commands that are in the file. */
static void
do_again(struct batch *b)
{
	uint64_t *numbers = need(calloc(b->joblog.count + 1,
	    sizeof(*numbers)));
	char **command = need(calloc(b->joblog.count + 1, sizeof(*command)));
	size_t n = 0;

	for (size_t i = 0; i < b->joblog.count; i++) {
		const struct joblog_row *row = &b->joblog.row[i];

		if (!has_failed(row))
			continue;
		numbers[n] = row->number;
		command[n++] = row->command;
	}
	items_close(&b->items);
	items_of_words(&b->items, command);
	template_close(&b->template);
	template_open(&b->template, NULL, 0, true);
	b->fixed = 1;
	b->total = b->counts.whole = n;
	b->numbers = numbers;
}

static int
read_log(struct batch *b)
{
	const char *path = b->options->joblog;
	size_t line = 0;
	int r = joblog_read(&b->joblog, path, &line);

	if (r == 0 || (r == -ENOENT && !b->options->retry_failed))
		return COMMAND_DONE;
	if (r == -EBADMSG)
		print_error("batch: %s:%zu: this is no line of a joblog",
		    path, line);
	else
		print_error("batch: cannot read %s: %s", path, strerror(-r));
	return r == -EBADMSG ? COMMAND_USAGE : COMMAND_FAILED;
}

/* What jobs wrote is kept: what of it is there, and where the rest goes. */
static int
open_results(struct batch *b, struct results_set *kept)
{
	const char *path = b->options->results;
	int r;

	if (path == NULL)
		return COMMAND_DONE;
	r = results_open(kept, path, b->total);
	if (r == 0 || r == -ENOENT)
		r = results_create(&b->results, path);
	if (r == 0)
		return COMMAND_DONE;
	print_error("batch: cannot write in %s: %s", path, strerror(-r));
	return COMMAND_FAILED;
}

int
batch_past_open(struct batch *b)
{
	const struct batch_options *o = b->options;
	bool on = o->resume || o->resume_failed || o->retry_failed;
	struct results_set kept = { 0 };
	int r = COMMAND_DONE;

	b->joblog_fd = -1;
	if (o->joblog == NULL)
		return r;
	if (on)
		r = read_log(b);
	if (r == COMMAND_DONE)
		r = open_results(b, &kept);
	if (r != COMMAND_DONE)
		return r;
	if (o->retry_failed)
		do_again(b);
	else
		pass_over(b, &kept);
	results_free(&kept);
	if (o->dry_run)
		return COMMAND_DONE;
	b->joblog_fd = joblog_open(o->joblog, !on);
	if (b->joblog_fd >= 0)
		return COMMAND_DONE;
	print_error("batch: cannot write %s: %s", o->joblog,
	    strerror(-b->joblog_fd));
	return COMMAND_FAILED;
}
