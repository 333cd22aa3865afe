/*
 * batch-late.c - jobs that have to come to an end, and whom they have started
 *
 * A job is told by SIGTERM, and so is who descends from it or is of its process
 * group; two seconds later what is left of them is killed.  That holds for whom
 * it leaves behind, too, though it has ended itself: they use memory that
 * nobody counts any more.  Who has left the session, as daemons do, stays
 * (kin.h).
 */
#include <signal.h>
#include <stdlib.h>

#include "base/base.h"
#include "batch/batch.h"
#include "say/need.h"
#include "sys/sys.h"

#define GRACE_NS (2 * NS_PER_S)

struct rest {
	struct rest *next;
	struct kin kin;
	int group;
	uint64_t kill_ns;
};

void
batch_late_end(struct batch *b, struct job *job)
{
	job->kill_ns = sys_clock() + GRACE_NS;
	kin_find(&job->kin, job->pid, job->pid, NULL);
	(void)kill(job->pid, SIGTERM);
	kin_signal(&job->kin, SIGTERM);
	if (job->suspended)
		batch_watch_signal(b, job, SIGCONT);
}

/* It was not waited for yet: its group is its own still. */
void
batch_late_left(struct batch *b, struct job *job)
{
	struct rest *rest;

	if (!job->kin.asked)
		return;
	kin_find(&job->kin, job->pid, job->pid, NULL);
	if (kin_left(&job->kin) == 0) {
		kin_free(&job->kin);
		return;
	}
	rest = need(malloc(sizeof(*rest)));
	*rest = (struct rest){ b->rests, job->kin, job->pid, job->kill_ns };
	b->rests = rest;
	job->kin = (struct kin){ .count = 0 };
}

static void
look_at_rests(struct batch *b, uint64_t now_ns)
{
	struct rest **at = &b->rests, *rest;

	while ((rest = *at) != NULL) {
		if (kin_left(&rest->kin) > 0 && now_ns < rest->kill_ns) {
			at = &rest->next;
			continue;
		}
		kin_kill(&rest->kin, rest->group, NULL);
		*at = rest->next;
		free(rest);
	}
}

static bool
is_late(const struct batch *b, const struct job *job, uint64_t now_ns)
{
	return b->options->timeout != 0 && !job->late && !job->suspended &&
	    now_ns >= job->started_ns + job->stood_ns + b->options->timeout;
}

void
batch_late_look(struct batch *b)
{
	uint64_t now_ns = sys_clock();

	look_at_rests(b, now_ns);
	for (unsigned i = 0; i < b->jobs; i++) {
		struct job *job = b->place[i];

		if (job == NULL)
			continue;
		if (job->kill_ns != 0 && now_ns >= job->kill_ns) {
			kin_hold(&job->kin, job->pid, job->pid, NULL);
			kin_signal(&job->kin, SIGKILL);
			(void)kill(job->pid, SIGKILL);
			job->kill_ns = now_ns + NS_PER_S;
		}
		if (!is_late(b, job, now_ns))
			continue;
		job->late = true;
		batch_say(b, "job %llu took longer than --timeout, and is "
		    "ended", (unsigned long long)job->number);
		batch_late_end(b, job);
	}
}

uint64_t
batch_late_next(const struct batch *b, uint64_t until_ns)
{
	const struct rest *rest;

	for (unsigned i = 0; i < b->jobs; i++) {
		const struct job *job = b->place[i];

		if (job == NULL)
			continue;
		if (job->kill_ns != 0)
			until_ns = min_u64(until_ns, job->kill_ns);
		else if (b->options->timeout != 0 && !job->suspended)
			until_ns = min_u64(until_ns, job->started_ns +
			    job->stood_ns + b->options->timeout);
	}
	for (rest = b->rests; rest != NULL; rest = rest->next)
		until_ns = min_u64(until_ns, rest->kill_ns);
	return until_ns;
}

void
batch_late_wait(struct batch *b)
{
	while (b->rests != NULL) {
		look_at_rests(b, sys_clock());
		if (b->rests != NULL)
			sys_sleep(20 * NS_PER_MS);
	}
}

void
batch_stop(struct batch *b, bool now)
{
	b->stopping = true;
	for (unsigned i = 0; now && i < b->jobs; i++) {
		struct job *job = b->place[i];

		if (job == NULL || job->killed)
			continue;
		job->killed = true;
		batch_late_end(b, job);
	}
}

void
batch_attend(struct batch *b)
{
	batch_watch(b);
	batch_late_look(b);
}
