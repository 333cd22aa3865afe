/*
 * cluster-tasks.c - how far the tasks of a run are
 *
 * What a task says itself counts: its status, its joblog.  Slurm is asked for
 * those that say nothing any more: who is in no queue and did not come to its
 * end is lost, and is submitted again, unless somebody cancelled it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "batch/cluster.h"
#include "say/command.h"
#include "say/need.h"
#include "sys/sys.h"

/* So long a last word may be on its way, over a network's files. */
#define GRACE_NS (3 * NS_PER_S)

/* --- what Slurm says ------------------------------------------------------ */

enum { QUEUED, AT_WORK, GONE, CANCELLED };

static int
kind_of(const char *state)
{
	static const struct {
		const char *word;
		int kind;
	} words[] = {
		{ "RUNNING", AT_WORK }, { "COMPLETING", AT_WORK },
		{ "SUSPENDED", AT_WORK }, { "STOPPED", AT_WORK },
		{ "SIGNALING", AT_WORK }, { "STAGE_OUT", AT_WORK },
		{ "COMPLETED", GONE }, { "FAILED", GONE }, { "TIMEOUT", GONE },
		{ "NODE_FAIL", GONE }, { "PREEMPTED", GONE },
		{ "BOOT_FAIL", GONE }, { "OUT_OF_MEMORY", GONE },
		{ "LAUNCH_FAILED", GONE }, { "RECONFIG_FAIL", GONE },
		{ "DEADLINE", CANCELLED }, { "REVOKED", CANCELLED },
		{ "CANCELLED", CANCELLED },
	};

	for (size_t i = 0; i < ARRAY_LENGTH(words); i++)
		if (strcmp(words[i].word, state) == 0)
			return words[i].kind;
	return QUEUED;
}

/* Of a task that was submitted again, the last submission counts. */
static void
take_state(struct cluster *c, const char *job, uint64_t k, const char *state)
{
	struct cluster_task *t = &c->task[k];
	int kind = kind_of(state);

	if (t->state == TASK_OVER || t->state == TASK_GIVEN_UP ||
	    t->tries == 0 ||
	    strcmp(c->submission[t->submission].job, job) != 0)
		return;
	snprintf(t->word, sizeof(t->word), "%s", state);
	/* Who goes on takes up what was cancelled before. */
	t->cancelled = kind == CANCELLED &&
	    t->submission >= c->submitted_before;
	if (kind == GONE || kind == CANCELLED)
		return;
	t->state = kind == AT_WORK ? TASK_RUNS : TASK_WAITS;
	t->gone_ns = UINT64_MAX; /* it was seen */
}

/* Whoever was not seen alive is gone, since the first time. */
static void
ask(struct cluster *c)
{
	uint64_t now_ns = sys_clock();
	struct cluster_task *t;

	for (t = c->task; t < c->task + c->shards; t++)
		if (t->gone_ns == 0 && t->tries > 0)
			t->gone_ns = now_ns;
	if (!cluster_ask(c, take_state)) {
		for (t = c->task; t < c->task + c->shards; t++)
			if (t->gone_ns == now_ns)
				t->gone_ns = 0;
		return;
	}
	for (t = c->task; t < c->task + c->shards; t++) {
		if (t->gone_ns == UINT64_MAX)
			t->gone_ns = 0;
		else if (t->gone_ns != 0 && now_ns - t->gone_ns >= GRACE_NS &&
		    (t->state == TASK_WAITS || t->state == TASK_RUNS))
			t->state = TASK_LOST;
	}
}

/* --- what they say themselves --------------------------------------------- */

static void
read_status(struct cluster *c, uint64_t k)
{
	char *path = cluster_path(c, "task.%llu/status",
	    (unsigned long long)k);
	FILE *file = fopen(path, "re");
	int status;

	free(path);
	if (file == NULL)
		return;
	if (fscanf(file, "done %d", &status) == 1) {
		c->task[k].state = TASK_OVER;
		c->task[k].status = status;
	}
	fclose(file);
}

static void
read_log(struct cluster *c, uint64_t k)
{
	char *path = cluster_path(c, "task.%llu/joblog",
	    (unsigned long long)k);

	(void)joblog_follow(&c->task[k].tail, path, c->fixed);
	free(path);
}

void
cluster_look(struct cluster *c, bool whether)
{
	for (uint64_t k = 0; k < c->shards; k++) {
		if (c->task[k].state == TASK_OVER)
			continue;
		read_status(c, k);
		read_log(c, k);
	}
	if (whether)
		ask(c);
}

uint64_t
cluster_count(const struct cluster *c, enum task_state state)
{
	uint64_t n = 0;

	for (uint64_t k = 0; k < c->shards; k++)
		n += c->task[k].state == state;
	return n;
}

/* --- again ---------------------------------------------------------------- */

static void
give_up(struct cluster *c, uint64_t k)
{
	struct cluster_task *t = &c->task[k];

	t->state = TASK_GIVEN_UP;
	if (c->b->stopping)
		return;
	if (t->cancelled)
		batch_say(c->b, "task %llu was cancelled (%s)",
		    (unsigned long long)k, t->word);
	else
		batch_say(c->b, "task %llu began %u times and did not come to "
		    "its end, the last time %s; --requeues allows more",
		    (unsigned long long)k, t->tries,
		    t->word[0] != '\0' ? t->word : "unknown to Slurm");
}

int
cluster_again(struct cluster *c)
{
	bool *wanted = need(calloc(c->shards, sizeof(*wanted)));
	uint64_t n = 0, k;
	int r = COMMAND_DONE;

	for (k = 0; k < c->shards; k++) {
		struct cluster_task *t = &c->task[k];

		if (t->state != TASK_LOST)
			continue;
		if (t->cancelled || c->b->stopping ||
		    t->tries > c->requeues) {
			give_up(c, k);
			continue;
		}
		if (!c->quiet && t->tries > 0)
			batch_say(c->b, "task %llu is gone before its end "
			    "(%s), and is submitted again",
			    (unsigned long long)k, t->word[0] != '\0' ?
			    t->word : "unknown to Slurm");
		c->again += t->tries > 0;
		wanted[k] = true;
		n++;
	}
	if (n > 0)
		r = cluster_submit(c, wanted);
	free(wanted);
	return r;
}
