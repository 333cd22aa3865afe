/*
 * batch-progress.c - how far a batch is, while it runs
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "batch/batch.h"
#include "plan/message.h"
#include "say/need.h"
#include "say/print.h"
#include "sys/sys.h"

#define SHOWN_NS (200 * NS_PER_MS)
#define BAR      30 /* columns */

/* --- lines ---------------------------------------------------------------- */

static void
put(struct batch *b, char *line)
{
	strcat(line, "\n");
	batch_write(b, STDERR_FILENO, line, strlen(line));
}

static uint64_t
chunks(const struct batch *b)
{
	return b->fixed == 0 || b->total == UINT64_MAX ? 0 :
	    (b->total + b->fixed - 1) / b->fixed;
}

/* 0: nobody knows. */
static uint64_t
left_ns(const struct batch *b, uint64_t spent)
{
	uint64_t done = b->figures.items;

	if (b->total == UINT64_MAX || done == 0)
		return 0;
	return whole_u64((double)spent / (double)done * (double)above_u64(
	    b->total, done + b->figures.before));
}

static void
begin_lines(struct batch *b, const struct job *job)
{
	char line[MESSAGE_ROOM + 2];

	put(b, message_chunk(line, MESSAGE_ROOM, job->chunk, chunks(b),
	    job->first, job->count, b->unit));
	put(b, message_chunk_items(line, MESSAGE_ROOM, job->count, b->unit,
	    job->chunk));
	for (size_t i = 0; i < job->count; i++)
		put(b, message_item(line, MESSAGE_ROOM, b->unit,
		    job->first + i));
}

static void
end_lines(struct batch *b, const struct job *job, uint64_t ns)
{
	uint64_t spent = sys_clock() - b->began_ns, left = left_ns(b, spent);
	uint64_t whole = chunks(b);
	char line[MESSAGE_ROOM + 2];

	put(b, message_chunk_done(line, MESSAGE_ROOM, job->chunk, ns));
	if (whole != 0)
		put(b, message_progress(line, MESSAGE_ROOM,
		    (b->figures.items + b->figures.before + b->fixed - 1) /
		    b->fixed, whole, "chunk"));
	else if (b->total != UINT64_MAX)
		put(b, message_progress(line, MESSAGE_ROOM,
		    b->figures.items + b->figures.before, b->total, b->unit));
	put(b, message_elapsed(line, MESSAGE_ROOM, spent));
	if (left > 0)
		put(b, message_eta(line, MESSAGE_ROOM, left));
}

/* --- the bar -------------------------------------------------------------- */

static void
show_bar(struct batch *b)
{
	uint64_t done = b->figures.items + b->figures.before;
	uint64_t spent = sys_clock() - b->began_ns, left = left_ns(b, spent);
	char bar[PRINT_BAR_ROOM], eta[TEXT_DURATION_ROOM] = "";
	char used[TEXT_BYTES_ROOM], *line;

	if (b->total != UINT64_MAX)
		line = need_text("\r\033[K%s %3.0f%%  %llu/%llu %ss, %u "
		    "running, %s%s%s%s", print_bar(bar, BAR, done,
		    max_u64(b->total, 1)), 100.0 * (double)done /
		    (double)max_u64(b->total, 1), (unsigned long long)done,
		    (unsigned long long)b->total, b->unit, b->running,
		    text_format_bytes(used, b->used),
		    b->counts.failed != 0 ? ", some failed" : "",
		    left != 0 ? ", ETA " : "", left != 0 ?
		    text_format_duration(eta, left) : "");
	else
		line = need_text("\r\033[K%llu %ss, %u running, %s%s",
		    (unsigned long long)done, b->unit, b->running,
		    text_format_bytes(used, b->used),
		    b->counts.failed != 0 ? ", some failed" : "");
	(void)!write(STDERR_FILENO, line, strlen(line));
	free(line);
	b->shown = true;
}

/* --- JSON ----------------------------------------------------------------- */

static void
say_json(struct batch *b, const char *event, const struct job *job,
    uint64_t ns)
{
	json_t *o = json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, "
	    "s:I, s:f}", "event", event, "id", b->id,
	    "job", (json_int_t)(job != NULL ? job->number : 0),
	    "first", (json_int_t)(job != NULL ? job->first + 1 : 0),
	    "count", (json_int_t)(job != NULL ? job->count : 0),
	    "done", (json_int_t)(b->figures.items + b->figures.before),
	    "failed", (json_int_t)b->figures.items_failed,
	    "running", (json_int_t)b->running,
	    "used", (json_int_t)b->used, "budget", (json_int_t)b->limit,
	    "seconds", (double)ns / (double)NS_PER_S);
	uint64_t left = left_ns(b, sys_clock() - b->began_ns);
	char *text;

	json_object_set_new(o, "total", b->total == UINT64_MAX ? json_null() :
	    json_integer((json_int_t)b->total));
	json_object_set_new(o, "eta", left == 0 ? json_null() :
	    json_real((double)left / (double)NS_PER_S));
	text = json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(15));
	json_decref(o);
	if (text == NULL)
		return;
	batch_write(b, STDERR_FILENO, text, strlen(text));
	batch_write(b, STDERR_FILENO, "\n", 1);
	free(text);
}

/* --- called --------------------------------------------------------------- */

void
batch_progress_begin(struct batch *b, const struct job *job)
{
	if (b->progress == PROGRESS_LINES)
		begin_lines(b, job);
	else if (b->progress == PROGRESS_JSON)
		say_json(b, "begin", job, 0);
}

void
batch_progress_end(struct batch *b, const struct job *job, uint64_t ns)
{
	batch_bar_clear(b);
	if (b->progress == PROGRESS_LINES)
		end_lines(b, job, ns);
	else if (b->progress == PROGRESS_JSON)
		say_json(b, "end", job, ns);
}

void
batch_progress_tick(struct batch *b)
{
	uint64_t now_ns = sys_clock();

	if (b->progress != PROGRESS_BAR || (b->shown &&
	    now_ns < b->shown_ns + SHOWN_NS))
		return;
	b->shown_ns = now_ns;
	show_bar(b);
}

void
batch_progress_far(struct batch *b)
{
	uint64_t spent = sys_clock() - b->began_ns, left = left_ns(b, spent);
	char line[MESSAGE_ROOM + 2];

	if (b->progress == PROGRESS_JSON)
		say_json(b, "progress", NULL, 0);
	if (b->progress != PROGRESS_LINES)
		return;
	put(b, message_progress(line, MESSAGE_ROOM, b->figures.items,
	    b->total, b->unit));
	put(b, message_elapsed(line, MESSAGE_ROOM, spent));
	if (left > 0)
		put(b, message_eta(line, MESSAGE_ROOM, left));
}
