/*
 * batch-end.c - a job has ended: why, and what becomes of it
 *
 * Who was killed for lack of memory had too many items, or too many beside it:
 * it is taken in smaller parts, at last item by item, and an item is tried with
 * more room, at last with nothing beside it.  What then still fails is
 * reported.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/base.h"
#include "base/text.h"
#include "batch/batch.h"
#include "run/oom.h"
#include "say/command.h"
#include "say/need.h"
#include "sys/sys.h"

#define STARTS_MOST 3 /* of a job that ends with 85 and has hardly run */

/* --- it is over ----------------------------------------------------------- */

static void
log_row(struct batch *b, const struct joblog_row *row)
{
	int r;

	if (b->joblog_fd < 0)
		return;
	r = joblog_add(b->joblog_fd, row);
	if (r == 0)
		return;
	batch_say(b, "cannot write %s: %s; what is done is not noted any more",
	    b->options->joblog, strerror(-r));
	b->joblog_fd = -1;
	b->own = COMMAND_FAILED;
}

/* Once what its items, which end before @end, wrote has been told. */
static void
log_in_turn(struct batch *b, const struct joblog_row *row, uint64_t end)
{
	struct batch_row *r;

	if (b->joblog_fd < 0 || !b->options->keep_order || end <= b->cursor) {
		log_row(b, row);
		return;
	}
	r = need(malloc(sizeof(*r)));
	*r = (struct batch_row){ b->rows, end, *row };
	r->row.command = need_text("%s", row->command);
	b->rows = r;
}

void
batch_rows_log(struct batch *b, uint64_t cursor)
{
	struct batch_row **at = &b->rows, *r;

	while ((r = *at) != NULL) {
		if (r->end > cursor) {
			at = &r->next;
			continue;
		}
		*at = r->next;
		if (!b->deaf)
			log_row(b, &r->row);
		free(r->row.command);
		free(r);
	}
}

static void
count_job(struct batch *b, const struct joblog_row *row, uint64_t end)
{
	bool failed = row->status != 0 || row->signal != 0;

	log_in_turn(b, row, end);
	b->counts.done++;
	b->counts.failed += failed;
	if (b->halted || !halt_is_due(&b->halt, &b->counts))
		return;
	b->halted = true;
	b->last = row->signal != 0 ? 128 + row->signal : row->status;
	batch_say(b, "given up by --halt %s: %llu job%s ended, of which %llu "
	    "failed", b->options->halt, (unsigned long long)b->counts.done,
	    b->counts.done == 1 ? " has" : "s have",
	    (unsigned long long)b->counts.failed);
	batch_stop(b, b->halt.when == HALT_NOW);
}

/* The last part of a job ends it; of several statuses the worst counts. */
static void
count_part(struct batch *b, const struct job *job,
    const struct joblog_row *part)
{
	struct batch_whole *w = job->whole;
	struct joblog_row row;

	w->seconds += part->seconds;
	w->bytes += part->bytes;
	if (part->status > w->status)
		w->status = part->status;
	if (part->signal != 0)
		w->signal = part->signal;
	w->left -= job->count;
	if (w->left > 0)
		return;
	row = (struct joblog_row){ w->number, w->started, w->seconds, 0,
		w->bytes, w->status, w->signal, w->command };
	count_job(b, &row, w->end);
	free(w->command);
	free(w);
}

/* Whatever it came to, it will not be tried again. */
static void
finish(struct batch *b, struct job *job, int status, int signal, uint64_t ns,
    const char *why)
{
	bool failed = status != 0 || signal != 0;
	struct joblog_row row = {
		.number = job->number,
		.started = (double)job->started_wall_ns / (double)NS_PER_S,
		.seconds = (double)ns / (double)NS_PER_S,
		.items = b->fixed == 0 ? job->count : 0,
		.bytes = job->bytes, .status = status, .signal = signal,
		.command = b->joblog_fd >= 0 ? batch_job_text(b, job) : NULL,
	};

	b->figures.items += job->count;
	b->figures.items_failed += failed ? job->count : 0;
	batch_progress_end(b, job, ns);
	if (b->results.fd >= 0) {
		batch_spool_keep(b, job->spool, job->first, job->count);
		job->spool = NULL;
	}
	if (batch_done(b, job->first, job->count, job->spool)) {
		batch_journal_job(b, job, ns, failed, why);
		if (job->whole != NULL)
			count_part(b, job, &row);
		else
			count_job(b, &row, job->first + job->count);
		batch_rows_log(b, b->cursor);
	} else {
		b->figures.items -= job->count;
		b->figures.items_failed -= failed ? job->count : 0;
	}
	free(row.command);
	batch_job_free(job);
}

void
batch_end_unstarted(struct batch *b, struct job *job, int error)
{
	int status = error == ENOENT ? COMMAND_NOT_FOUND :
	    COMMAND_NOT_EXECUTABLE;
	char *text = batch_job_text(b, job);

	if (error == E2BIG)
		batch_say(b, "item %llu is too long for an argument",
		    (unsigned long long)(b->before_items + job->first + 1));
	else
		batch_say(b, "cannot run %.200s: %s", text, strerror(error));
	free(text);
	finish(b, job, status, 0, 0, strerror(error));
}

void
batch_end_skipped(struct batch *b, struct job *job)
{
	b->figures.skipped += job->count;
	finish(b, job, COMMAND_NO_MEMORY, 0, 0, "Low memory, skipping");
}

/* --- it is tried again ---------------------------------------------------- */

static struct job *
part_of(struct job *job, size_t from, size_t count)
{
	struct job *part = need(calloc(1, sizeof(*part)));

	part->number = job->number;
	part->first = job->first + from;
	part->count = count;
	part->item = need(malloc(count * sizeof(*part->item)));
	memcpy(part->item, job->item + from, count * sizeof(*part->item));
	part->whole = job->whole;
	part->kills = job->kills;
	part->chunk = job->chunk;
	return part;
}

/* In parts of the fallback size, or item by item where that was too many. */
static void
split(struct batch *b, struct job *job)
{
	size_t each = job->count > b->fallback ? b->fallback : 1, n;
	struct job *part;

	b->figures.split++;
	if (b->fixed != 0 && job->whole == NULL) {
		job->whole = need(calloc(1, sizeof(*job->whole)));
		job->whole->left = job->count;
		job->whole->end = job->first + job->count;
		job->whole->number = job->number;
		job->whole->started = (double)job->started_wall_ns /
		    (double)NS_PER_S;
		job->whole->command = batch_job_text(b, job);
	}
	for (size_t i = 0; i < job->count; i += n) {
		n = min_u64(each, job->count - i);
		part = part_of(job, i, n);
		if (b->fixed == 0)
			part->number = b->before_items + part->first + 1;
		batch_wait_again(b, part);
	}
	job->count = 0; /* the items are theirs now */
	batch_job_free(job);
}

static void
drop_output(struct batch *b, struct job *job)
{
	if (job->spool != NULL)
		batch_spool_tell(b, job->spool, true);
	job->spool = NULL;
	job->bytes = 0;
}

static void
reset(struct job *job)
{
	job->suspended = job->preempted = job->late = job->killed = false;
	job->now = job->most = job->files = job->grown_ns = job->kill_ns = 0;
	job->stood_ns = 0;
	job->between = job->outgrown = false;
}

static void
tell_poison(struct batch *b, const struct job *job, uint64_t peak)
{
	char took[TEXT_BYTES_ROOM], limit[TEXT_BYTES_ROOM];
	char *item = template_item_text(&b->template, job->item[0]);

	b->figures.poison++;
	batch_say(b, "item %llu (%.100s) has no room even alone: it took %s "
	    "of %s, and was killed; it is left out",
	    (unsigned long long)(b->before_items + job->first + 1),
	    item, text_format_bytes(took, peak),
	    text_format_bytes(limit, b->limit));
	free(item);
}

/* True: it will be tried again, and @job is not ours any more. */
static bool
retry_memory(struct batch *b, struct job *job, enum job_end end,
    uint64_t peak)
{
	if (end == JOB_PREEMPTED) {
		job->need = max_u64(job->need, peak + peak / 3);
		job->alone = ++job->kills > 2;
	} else if (job->count > 1) {
		drop_output(b, job);
		job->kills++;
		split(b, job);
		return true;
	} else if (job->alone || job->kills > b->memory_retries) {
		tell_poison(b, job, peak);
		return false;
	} else {
		job->need = max_u64(job->need * 2, peak + peak / 2);
		job->alone = ++job->kills > 1;
	}
	drop_output(b, job);
	reset(job);
	batch_wait_again(b, job);
	return true;
}

static uint64_t
retry_delay(const struct batch *b, const struct job *job)
{
	uint64_t ns = b->retry_delay_ns;

	for (unsigned i = 1; i < job->errors && ns < b->retry_cap_ns; i++)
		ns *= 2;
	return min_u64(ns, b->retry_cap_ns);
}

static bool
retry_error(struct batch *b, struct job *job)
{
	if (job->errors >= b->retries || b->stopping)
		return false;
	job->errors++;
	b->figures.retried++;
	job->ready_ns = sys_clock() + retry_delay(b, job);
	drop_output(b, job);
	reset(job);
	batch_wait_again(b, job);
	return true;
}

/* --- why it ended --------------------------------------------------------- */

/* The kernel counts whom it kills, not who they were: one each. */
static bool
was_oom(struct batch *b)
{
	uint64_t kills = oom_kills();

	b->oom_open += above_u64(kills, b->oom_seen);
	b->oom_seen = kills;
	if (b->oom_open == 0)
		return false;
	b->oom_open--;
	return true;
}

static enum job_end
classify(struct batch *b, const struct job *job, int status, uint64_t peak)
{
	int code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
	int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

	if (code == 0 && signal == 0)
		return JOB_DONE;
	if (job->preempted && signal == SIGKILL)
		return JOB_PREEMPTED;
	if (job->late)
		return JOB_LATE;
	if (job->killed)
		return JOB_ABANDONED;
	if ((signal == SIGKILL || code == 128 + SIGKILL) && was_oom(b))
		return JOB_KILLED;
	if (code == COMMAND_CHECKPOINT)
		return JOB_AGAIN;
	if (code == COMMAND_NO_MEMORY)
		return JOB_NO_MEMORY;
	/* It ended badly, and had nearly all that there is. */
	if (peak > b->limit - b->limit / 10 && (signal == SIGABRT ||
	    signal == SIGSEGV || code != 0))
		return JOB_NO_MEMORY;
	return JOB_ERROR;
}

static void
count_end(struct batch *b, enum job_end end, const struct rusage *u)
{
	uint64_t us = (uint64_t)(u->ru_utime.tv_sec + u->ru_stime.tv_sec) *
	    1000000 + (uint64_t)(u->ru_utime.tv_usec + u->ru_stime.tv_usec);

	b->figures.tries++;
	b->figures.busy_us += us;
	b->figures.oom += end == JOB_KILLED;
	b->figures.no_memory += end == JOB_NO_MEMORY;
	b->figures.late += end == JOB_LATE;
	if (end == JOB_KILLED || end == JOB_NO_MEMORY || end == JOB_PREEMPTED)
		b->figures.wasted_us += us;
}

static void
count_peak(struct batch *b, const struct job *job, uint64_t peak)
{
	b->figures.peak_sum += peak;
	b->figures.peak_jobs++;
	b->figures.peak_items += job->count;
	b->figures.peak_job = max_u64(b->figures.peak_job, peak);
	batch_room_peak(b, peak);
}

static const char *
reason(enum job_end end, int status, char text[48])
{
	if (end == JOB_LATE)
		return "timeout";
	if (end == JOB_KILLED)
		return "killed for lack of memory";
	if (WIFSIGNALED(status))
		snprintf(text, 48, "signal %d", WTERMSIG(status));
	else
		snprintf(text, 48, "exit status %d", WEXITSTATUS(status));
	return text;
}

/* @job has left its place. */
static void
settle(struct batch *b, struct job *job, int status, uint64_t peak,
    enum job_end end)
{
	uint64_t ns = sys_clock() - job->started_ns;
	char text[48];

	if (end == JOB_ABANDONED || (end != JOB_DONE && b->signal != 0)) {
		/* It is for the next who goes on with this batch. */
		drop_output(b, job);
		batch_job_free(job);
		return;
	}
	if (end == JOB_DONE || end == JOB_ERROR)
		batch_size_learn(b, job, peak, ns, false);
	else if (end == JOB_KILLED || end == JOB_NO_MEMORY)
		batch_size_learn(b, job, peak, ns, true);
	if ((end == JOB_KILLED || end == JOB_NO_MEMORY ||
	    end == JOB_PREEMPTED) && retry_memory(b, job, end, peak))
		return;
	if (end == JOB_AGAIN && b->options->results != NULL) {
		/* Elsewhere, or later: for who goes on with this shard. */
		b->own = b->own != 0 ? b->own : COMMAND_CHECKPOINT;
		drop_output(b, job);
		batch_job_free(job);
		return;
	}
	if (end == JOB_AGAIN && (ns >= NS_PER_S ||
	    ++job->errors <= STARTS_MOST)) {
		drop_output(b, job);
		reset(job);
		batch_wait_again(b, job);
		return;
	}
	if (end != JOB_DONE && retry_error(b, job))
		return;
	finish(b, job, end == JOB_LATE ? COMMAND_TIMEOUT : WIFEXITED(status) ?
	    WEXITSTATUS(status) : 0, end != JOB_LATE && WIFSIGNALED(status) ?
	    WTERMSIG(status) : 0, ns, end == JOB_DONE ? NULL :
	    reason(end, status, text));
}

/* --- all that have ended -------------------------------------------------- */

static void
end_job(struct batch *b, struct job *job)
{
	uint64_t heap = job->preloaded ? batch_spawn_heap(b, job) : 0, peak;
	struct rusage usage;
	enum job_end end;
	int status;

	batch_late_left(b, job);
	if (wait4(job->pid, &status, 0, &usage) != job->pid)
		return;
	peak = batch_watch_peak(b, job, &usage, heap);
	batch_room_give(b, job);
	b->place[job->place] = NULL;
	b->running--;
	b->standing -= job->suspended;
	b->used = above_u64(b->used, job->now);
	batch_room_leave(b, job->now);
	if (job->spool != NULL)
		job->bytes = batch_spool_end(b, job);
	if (b->results.fd >= 0 && status != 0 && !job->killed &&
	    !job->preempted)
		batch_signals_await(b, status);
	end = batch_spool_is_whole(b, job) ? classify(b, job, status, peak) :
	    JOB_ABANDONED;
	count_end(b, end, &usage);
	count_peak(b, job, peak);
	job->most = max_u64(job->most, peak);
	settle(b, job, status, peak, end);
}

void
batch_reap(struct batch *b)
{
	unsigned ended = 0, i;
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
		    info.si_pid == 0)
			break;
		for (i = 0; i < b->jobs; i++)
			if (b->place[i] != NULL &&
			    b->place[i]->pid == info.si_pid)
				break;
		if (i < b->jobs) {
			end_job(b, b->place[i]);
			ended++;
		} else {
			/* An orphan that became ours; or who started us. */
			(void)waitpid(info.si_pid, NULL, 0);
		}
	}
	if (ended > 0 && b->standing > 0)
		batch_watch_resume(b);
}
