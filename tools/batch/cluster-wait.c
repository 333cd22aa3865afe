/*
 * cluster-wait.c - until the tasks of a run are over
 *
 * Files are looked at twice a second, Slurm is asked less and less often: it
 * has others to serve.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "batch/cluster.h"
#include "say/command.h"
#include "say/need.h"
#include "say/signals.h"
#include "sys/sys.h"

#define LOOK_NS      (500 * NS_PER_MS)
#define LOOK_MOST_NS (10 * NS_PER_S)

static uint64_t
ask_every(const struct cluster *c)
{
	uint64_t since_ns = sys_clock() - c->b->began_ns;

	return since_ns < NS_PER_MINUTE ? NS_PER_S :
	    since_ns < NS_PER_HOUR ? 5 * NS_PER_S : 30 * NS_PER_S;
}

/* --- progress ------------------------------------------------------------- */

/* What was done again counts once. */
static void
add_up(struct cluster *c)
{
	struct batch *b = c->b;

	b->figures.items = b->figures.items_failed = 0;
	b->counts.done = b->counts.failed = 0;
	for (uint64_t k = 0; k < c->shards; k++) {
		const struct cluster_task *t = &c->task[k];

		b->figures.items += min_u64(t->tail.items, t->count);
		b->figures.items_failed += min_u64(t->tail.items_failed,
		    t->count);
		b->counts.done += t->tail.jobs;
		b->counts.failed += t->tail.failed;
		if (t->tail.last != 0)
			b->last = t->tail.last;
	}
	b->running = (unsigned)cluster_count(c, TASK_RUNS);
}

static void
show(struct cluster *c)
{
	add_up(c);
	if (c->b->progress == PROGRESS_BAR)
		batch_progress_tick(c->b);
	else if (c->b->figures.items != c->shown)
		batch_progress_far(c->b);
	c->shown = c->b->figures.items;
}

/* --- giving up ------------------------------------------------------------ */

/* Who is told to leave by 85 is not to come back. */
static void
forbid_again(struct cluster *c)
{
	char *path = cluster_path(c, "stop");
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	free(path);
	c->b->stopping = true;
}

static void
look_for_halt(struct cluster *c)
{
	static const char *const all[] = { NULL };
	static const char *const waiting[] = { "--state=PENDING", NULL };
	static const char *const tell[] = { "--batch", "--signal=USR1",
		"--state=RUNNING", NULL };
	struct batch *b = c->b;

	if (b->halted || !halt_is_due(&b->halt, &b->counts))
		return;
	b->halted = true;
	batch_say(b, "given up by --halt %s: %llu jobs have ended, of which "
	    "%llu failed", c->halt, (unsigned long long)b->counts.done,
	    (unsigned long long)b->counts.failed);
	forbid_again(c);
	if (b->halt.when == HALT_NOW) {
		cluster_cancel(c, all);
		return;
	}
	cluster_cancel(c, waiting);
	cluster_cancel(c, tell);
}

/* True: it is ours to end. */
static bool
wait_a_while(struct cluster *c, const sigset_t *ours)
{
	static const char *const all[] = { NULL };
	/* Of thousands of tasks the files alone take a while. */
	uint64_t ns = min_u64(LOOK_NS + c->shards * NS_PER_MS, LOOK_MOST_NS);
	const struct timespec look = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};
	int signal = sigtimedwait(ours, NULL, &look);

	if (signal <= 0)
		return false;
	c->b->signal = signal;
	batch_say(c->b, "%s: the job array is cancelled; what is done is kept, "
	    "and 'heaptide resume %s' goes on", strsignal(signal), c->b->id);
	forbid_again(c);
	cluster_cancel(c, all);
	return true;
}

/* --- the whole ------------------------------------------------------------ */

static bool
is_over(const struct cluster *c)
{
	return cluster_count(c, TASK_OVER) + cluster_count(c, TASK_GIVEN_UP) ==
	    c->shards;
}

static int
wait_on(struct cluster *c, const sigset_t *ours)
{
	uint64_t asked_ns = 0;
	int r = COMMAND_DONE;
	bool due;

	for (;;) {
		due = sys_clock() - asked_ns >= ask_every(c);
		if (due)
			asked_ns = sys_clock();
		cluster_look(c, due);
		show(c);
		look_for_halt(c);
		r = cluster_again(c);
		if (r != COMMAND_DONE || is_over(c))
			return r;
		if (wait_a_while(c, ours))
			return COMMAND_DONE;
	}
}

int
cluster_wait(struct cluster *c)
{
	sigset_t ours, was;
	int r;

	sigemptyset(&ours);
	signals_add(&ours, SIGINT);
	sigaddset(&ours, SIGTERM);
	sigprocmask(SIG_BLOCK, &ours, &was);
	r = wait_on(c, &ours);
	add_up(c);
	batch_bar_clear(c->b);
	sigprocmask(SIG_SETMASK, &was, NULL);
	return r;
}
