/*
 * batch-loop.c - jobs are started as there is room, and waited for
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "batch/batch.h"
#include "run/oom.h"
#include "say/command.h"
#include "say/need.h"
#include "sys/sys.h"

#define IDLE_NS (500 * NS_PER_MS) /* nothing is waited for longer */
#define HELD_MOST 64              /* outputs that wait for their turn */
#define SCARCE_NS (100 * NS_PER_MS) /* where no job can be had, another look */
#define SCARCE_MOST_NS (10 * NS_PER_S) /* with none of ours that could end */

/* --- the next job --------------------------------------------------------- */

/* The next item that was not done before; as items_take(). */
static int
next_item(struct batch *b, char **item)
{
	uint64_t before;
	int r;

	if (b->spare != NULL) {
		*item = b->spare;
		b->spare = NULL;
		return 1;
	}
	while ((r = items_take(&b->items, item)) > 0) {
		before = batch_done_before(b, b->items_begun);
		if (before == 0)
			break;
		free(*item);
		batch_done(b, b->items_begun, 1, NULL);
		b->items_begun++;
		b->figures.before++;
	}
	return r;
}

static void
add_item(struct job *job, char *item)
{
	if ((job->count & (job->count - 1)) == 0)
		job->item = need(realloc(job->item, (job->count * 2 + 1) *
		    sizeof(*job->item)));
	job->item[job->count++] = item;
}

/* As many items as it is to have, and an argument list takes. */
static bool
fill(struct batch *b, struct job *job, uint32_t n)
{
	size_t bytes = template_own_bytes(&b->template), more;
	char *item;
	int r = 1;

	while (job->count < n) {
		r = next_item(b, &item);
		if (r <= 0)
			break;
		if (job->count == 0)
			job->first = b->items_begun;
		more = template_item_bytes(&b->template, item);
		if (job->count > 0 && bytes + more > b->argument_bytes) {
			b->spare = item;
			break;
		}
		bytes += more;
		add_item(job, item);
		b->items_begun++;
		/* Behind a gap another job begins. */
		if (batch_done_before(b, b->items_begun) != 0)
			break;
	}
	b->starved = r == 0;
	b->exhausted = r < 0;
	return job->count > 0;
}

/* From those to be tried again, or of new items; NULL: none now. */
static struct job *
next_job(struct batch *b, uint64_t now_ns)
{
	struct job *job = batch_wait_next(b, now_ns);

	if (job != NULL)
		return job;
	if (b->exhausted || b->held > HELD_MOST)
		return NULL;
	job = need(calloc(1, sizeof(*job)));
	if (!fill(b, job, batch_size_next(b))) {
		batch_job_free(job);
		return NULL;
	}
	job->number = b->numbers != NULL ? b->numbers[job->first] :
	    b->fixed == 0 ? b->before_items + job->first + 1 :
	    b->before_jobs + job->first / b->fixed + 1;
	job->chunk = b->fixed == 0 ? ++b->chunks : job->number;
	return job;
}

/* --- starting ------------------------------------------------------------- */

static unsigned
free_place(const struct batch *b)
{
	unsigned i;

	for (i = 0; i < b->jobs && b->place[i] != NULL; i++)
		;
	return i;
}

/* Enough for its gate?  False: it has to wait, or is over. */
static bool
pass_gate(struct batch *b, struct job *job, uint64_t now_ns)
{
	uint64_t left;

	if (!b->gated)
		return true;
	batch_room_read(b, true);
	left = batch_room_left(b);
	if (left >= b->gate.need_bytes)
		return true;
	if (b->waiting_ns == 0)
		b->waiting_ns = now_ns;
	if (b->gate.policy == GATE_WAIT &&
	    now_ns - b->waiting_ns < b->gate.wait_ns) {
		batch_wait_again(b, job);
		return false;
	}
	b->waiting_ns = 0;
	batch_say(b, "Low memory (%lluMB), skipping",
	    (unsigned long long)(left / MIB));
	if (b->gate.policy == GATE_FAIL) {
		b->own = COMMAND_NO_MEMORY;
		batch_wait_again(b, job);
		batch_stop(b, false);
		return false;
	}
	batch_end_skipped(b, job);
	return false;
}

static void
note_wait(struct batch *b, uint64_t now_ns, bool begins)
{
	if (begins && b->waiting_ns == 0) {
		b->waiting_ns = now_ns;
		b->figures.waits++;
	} else if (!begins && b->waiting_ns != 0) {
		b->figures.wait_ns += now_ns - b->waiting_ns;
		b->waiting_ns = 0;
	}
}

/* Between two starts, where waiting may bring something. */
static void
set_delay(struct batch *b, uint64_t now_ns)
{
	const struct delay_look look = {
		.budget = b->limit, .used = b->used,
		.critical = b->used > b->limit / 100 * 88,
		.others = b->running > 1,
	};
	uint64_t ns = delay_next(&b->delay, &look);

	b->delay_until_ns = ns > 0 ? now_ns + ns : 0;
	b->delay_since_ns = now_ns;
	b->delay_used = b->used;
}

/* A delay is over: so long it was, and that was given back meanwhile. */
static void
end_delay(struct batch *b, uint64_t now_ns)
{
	uint64_t freed = above_u64(b->delay_used, b->used);

	if (b->delay_until_ns == 0)
		return;
	delay_done(&b->delay, now_ns - b->delay_since_ns, freed);
	b->figures.delay_ns += now_ns - b->delay_since_ns;
	b->figures.delay_freed += freed;
	b->delay_until_ns = 0;
}

/* What is short now may be had when others have ended. */
static bool
is_scarce(int error)
{
	return error == EAGAIN || error == ENOMEM || error == EMFILE ||
	    error == ENFILE || error == ENOSPC;
}

/* Nothing of @job was lost: it is done later, or by who goes on. */
static void
hold_back(struct batch *b, struct job *job, int error)
{
	const char *what = job->spool == NULL && !b->ungrouped ?
	    "no file for the output of a job" : "cannot start a job";
	uint64_t now_ns = sys_clock();
	bool gives_up = !is_scarce(error);

	if (b->scarce_since_ns == 0)
		b->scarce_since_ns = now_ns;
	if (b->running == 0 && now_ns - b->scarce_since_ns > SCARCE_MOST_NS)
		gives_up = true;
	if (gives_up)
		batch_say(b, "%s: %s; %s", what, strerror(error),
		    job->spool == NULL ? "TMPDIR names the directory" :
		    "what is left is not done");
	else if (!b->scarce_told)
		batch_say(b, "%s: %s; fewer run at one time", what,
		    strerror(error));
	b->scarce_told = true;
	b->scarce_ns = now_ns + SCARCE_NS;
	if (job->spool != NULL)
		batch_spool_tell(b, job->spool, true);
	job->spool = NULL;
	batch_wait_again(b, job);
	if (!gives_up)
		return;
	b->own = COMMAND_FAILED;
	batch_stop(b, false);
}

static void
start(struct batch *b, struct job *job)
{
	bool spooled = b->ungrouped;
	int r = 0;

	b->place[job->place] = job;
	b->course[job->place] = (struct course){ .rows = 0 };
	b->running++;
	if (!b->ungrouped) {
		job->spool = batch_spool(b, job);
		spooled = job->spool != NULL;
		r = errno;
	}
	if (spooled) {
		batch_progress_begin(b, job);
		r = batch_spawn(b, job);
	}
	b->started_last_ns = sys_clock();
	if (spooled && r == 0) {
		b->scarce_since_ns = 0;
		return;
	}
	batch_room_give(b, job);
	b->place[job->place] = NULL;
	b->running--;
	if (!spooled || is_scarce(r))
		hold_back(b, job, r);
	else
		batch_end_unstarted(b, job, r);
}

static bool
dry_run(struct batch *b, struct job *job)
{
	char *text;

	if (!b->options->dry_run)
		return false;
	text = batch_job_text(b, job);
	batch_write(b, STDOUT_FILENO, text, strlen(text));
	batch_write(b, STDOUT_FILENO, "\n", 1);
	free(text);
	batch_done(b, job->first, job->count, NULL);
	batch_job_free(job);
	return true;
}

/* False: no further one can be started now. */
static bool
start_one(struct batch *b)
{
	uint64_t now_ns = sys_clock();
	unsigned place = free_place(b);
	struct job *job;

	if (b->stopping || place == b->jobs ||
	    now_ns < b->delay_until_ns || now_ns < b->scarce_ns ||
	    (b->options->delay != 0 &&
	    b->started_last_ns != 0 &&
	    now_ns < b->started_last_ns + b->options->delay))
		return false;
	end_delay(b, now_ns);
	job = next_job(b, now_ns);
	if (job == NULL)
		return false;
	job->place = place;
	if (dry_run(b, job))
		return true;
	if (!pass_gate(b, job, now_ns))
		return !b->stopping && b->waiting_ns == 0;
	if (!batch_room_take(b, job, place)) {
		batch_wait_again(b, job);
		note_wait(b, now_ns, true);
		return false;
	}
	note_wait(b, now_ns, false);
	start(b, job);
	set_delay(b, now_ns);
	return true;
}

/* --- waiting -------------------------------------------------------------- */

static uint64_t
next_time(const struct batch *b)
{
	uint64_t now_ns = sys_clock(), until = now_ns + IDLE_NS;

	if (b->running > 0)
		until = min_u64(until, b->look_ns);
	if (b->later.first != NULL && b->later.first->ready_ns > now_ns)
		until = min_u64(until, b->later.first->ready_ns);
	if (b->delay_until_ns > now_ns)
		until = min_u64(until, b->delay_until_ns);
	if (b->scarce_ns > now_ns)
		until = min_u64(until, b->scarce_ns);
	if (b->options->delay != 0 && !b->exhausted)
		until = min_u64(until, max_u64(b->started_last_ns +
		    b->options->delay, now_ns));
	if (b->waiting_ns != 0)
		until = min_u64(until, now_ns + 20 * NS_PER_MS);
	until = batch_late_next(b, until);
	return until > now_ns ? until - now_ns : 0;
}

static size_t
poll_all(struct batch *b, struct pollfd *fds)
{
	size_t n = 0;

	fds[n++] = (struct pollfd){ .fd = b->signal_fd, .events = POLLIN };
	if (b->starved && !b->stopping && b->running < b->jobs)
		fds[n++] = (struct pollfd){ .fd = b->items.fd,
			.events = POLLIN };
	for (unsigned i = 0; b->line_buffered && i < b->jobs; i++)
		for (int k = 0; b->place[i] != NULL && k < 2; k++)
			fds[n++] = (struct pollfd){ .events = POLLIN,
				.fd = b->place[i]->spool->fd[k] };
	return n;
}

/* A pipe whose writers have gone is ready for ever. */
static void
pump(struct batch *b, const struct pollfd *fds, size_t n)
{
	for (unsigned i = 0; b->line_buffered && i < b->jobs; i++) {
		struct spool *s = b->place[i] != NULL ? b->place[i]->spool :
		    NULL;

		if (s == NULL)
			continue;
		batch_spool_pump(b, s);
		for (size_t k = 0; k < n; k++) {
			if ((fds[k].revents & (POLLHUP | POLLIN)) != POLLHUP)
				continue;
			for (int e = 0; e < 2; e++) {
				if (s->fd[e] != fds[k].fd)
					continue;
				close(s->fd[e]);
				s->fd[e] = -1;
			}
		}
	}
}

/* --- the whole ------------------------------------------------------------ */

static void
wait_a_while(struct batch *b)
{
	static struct pollfd fds[2 + 2 * BATCH_PLACES];
	size_t n = poll_all(b, fds);
	uint64_t ns = next_time(b);
	const struct timespec timeout = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};

	(void)ppoll(fds, n, &timeout, NULL);
	batch_signals_take(b);
	pump(b, fds, n);
}

/* Nothing is left that could be started. */
static bool
is_used_up(const struct batch *b)
{
	return b->exhausted && b->spare == NULL && !batch_wait_any(b);
}

static bool
is_over(const struct batch *b)
{
	return b->running == 0 && (b->stopping || is_used_up(b));
}

static void
tell_error(struct batch *b)
{
	bool zero = b->items.error == -EILSEQ;

	if (b->items.error == 0 || b->own != 0)
		return;
	if (zero)
		batch_say(b, "item %llu holds a zero byte: --null reads items "
		    "with these between",
		    (unsigned long long)b->items.taken + 1);
	else
		batch_say(b, "items cannot be read beyond %llu: %s",
		    (unsigned long long)b->items.taken + 1,
		    strerror(-b->items.error));
	b->own = zero ? COMMAND_USAGE : COMMAND_FAILED;
}

int
batch_loop(struct batch *b)
{
	sigset_t was;

	batch_signals_open(b, &was);
	b->began_ns = sys_clock();
	b->oom_seen = oom_kills();
	while (!is_over(b)) {
		while (start_one(b))
			;
		if (is_over(b))
			break;
		wait_a_while(b);
		batch_reap(b);
		batch_attend(b);
		batch_journal_tick(b);
		batch_progress_tick(b);
	}
	tell_error(b);
	if (b->leaves && b->own == 0 && !is_used_up(b))
		b->own = COMMAND_CHECKPOINT;
	batch_late_wait(b);
	batch_wait_free(b);
	free(b->spare);
	batch_done_flush(b);
	batch_rows_log(b, UINT64_MAX);
	batch_spools_close(b);
	batch_signals_close(b, &was);
	if (b->own != 0)
		return b->own;
	return halt_status(&b->halt, &b->counts, b->halted, b->last);
}
