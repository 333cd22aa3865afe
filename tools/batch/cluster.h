/*
 * cluster.h - a batch whose jobs run elsewhere: as tasks of a Slurm job array
 *
 * Beside the house (tools/batch).  May use: batch.h and all that it may,
 * merge.  Used by: cmd-batch.c, cmd-resume.c, batch-settings.c, cluster-*.c.
 *
 *   cluster-plan.c    the run's directory: what is to be done, and by whom
 *   cluster-script.c  what a task does, as a script
 *   cluster-slurm.c   sbatch, squeue, scancel
 *   cluster-tasks.c   how far tasks are, by their files and by squeue
 *   cluster-wait.c    waiting for them, progress, signals
 *   cluster-gather.c  what they wrote, joblogs, profiles, in one
 *   cluster.c         all of it, in turn
 *
 * The items are cut into shards, and each is a task of one array: a `heaptide
 * batch` of its own, which keeps what jobs write (results.h) and a joblog, so
 * whoever begins it again goes on where it was.  All that is known of a run is
 * in its directory, $HEAPTIDE_STATE/slurm/RUN, which the nodes see as well:
 *
 *	plan              what was asked for: `key=value`, zero bytes between
 *	script            what sbatch is given
 *	items.K           of task K, zero bytes between
 *	submitted.N       what sbatch answered; submitted.N.tasks: for which
 *	task.K/status     `running`, `again`, `ended N` (to be gone on with) or
 *	                  `done N`
 *	task.K/joblog, results/, profiles/, log
 *	stop              nobody is to begin anew
 *
 * So the command that waits may be killed at any time, and another goes on.
 */
#ifndef BATCH_CLUSTER_H
#define BATCH_CLUSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "batch/batch.h"

#define CLUSTER_SHARDS      16
#define CLUSTER_SHARDS_MOST 100000
#define CLUSTER_REQUEUES    10

enum task_state {
	TASK_WAITS, /* in the queue */
	TASK_RUNS,
	TASK_OVER,  /* it came to its end, with a status */
	TASK_LOST,  /* it is gone, and did not */
	TASK_GIVEN_UP
};

struct cluster_task {
	uint64_t first, count;  /* items */
	enum task_state state;
	size_t submission;      /* the last one */
	unsigned tries;         /* how often it was submitted */
	int status;             /* of what is over */
	bool cancelled;
	char word[24];          /* Slurm's, of its state */
	uint64_t gone_ns;       /* since when it is not in the queue; or 0 */
	struct joblog_tail tail;
};

struct cluster_submission {
	char job[32];           /* Slurm's number; empty: not known */
	uint64_t at_ns;
};

struct cluster {
	struct batch *b;        /* for progress */
	char *directory;
	int lock;

	/* the plan */
	char *where, *joblog, *profile, *halt, *unit;
	uint64_t fixed, total, shards, requeues, hash;
	bool keep_order, quiet;
	int progress, summary;
	char **sbatch;
	size_t sbatches;

	struct cluster_task *task; /* shards of them */
	struct cluster_submission *submission;
	size_t submissions, submitted_before;
	bool alive;             /* there are tasks in a queue */
	bool deaf;              /* squeue does not answer, and it was said */
	uint64_t shown;         /* items, when progress was last told */
	uint64_t again;         /* how often a task began anew */
};

/* --- cluster.c ------------------------------------------------------------ */

/* Why these options do not go together; NULL: they do. */
const char *cluster_refuses(const struct batch_options *o,
    const struct batch_command *c);

/* Submit, wait and gather, or go on with that.  An exit status. */
int cluster_run(struct batch *b, const struct batch_command *command);

/* Is @id the name of a run on a cluster? */
bool cluster_is_run(const char *id);

/* Go on with it; @b has options and no command. */
int cluster_resume(struct batch *b, const char *id);

/* How far it is. */
int cluster_show(const char *id, bool json);

/* --- cluster-where.c ------------------------------------------------------ */

/* The directory of run @id; NULL: there is no place for runs. */
char *cluster_directory(const char *id);
/* A path in it, to be freed. */
char *cluster_path(const struct cluster *c, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* --- cluster-plan.c ------------------------------------------------------- */

/* All return an exit status, and have said what is wrong. */
int cluster_lock(struct cluster *c, bool make);
int cluster_make(struct cluster *c, const struct batch_command *command);
int cluster_read(struct cluster *c);
/* Are the items of this command those of the plan? */
int cluster_compare(struct cluster *c);
void cluster_remove(struct cluster *c);
void cluster_free(struct cluster *c);

/* --- cluster-script.c ----------------------------------------------------- */

int cluster_script(const struct cluster *c,
    const struct batch_command *command);

/* --- cluster-slurm.c ------------------------------------------------------ */

/* The tasks with @wanted set, as an array.  An exit status. */
int cluster_submit(struct cluster *c, const bool *wanted);
/* What was submitted before; who cannot be asked for it is unknown. */
void cluster_submissions_read(struct cluster *c);
/* Ask for the states of all tasks; false: there was no answer. */
bool cluster_ask(struct cluster *c, void (*tell)(struct cluster *c,
    const char *job, uint64_t task, const char *state));
/* @options: of scancel, up to a NULL. */
void cluster_cancel(const struct cluster *c, const char *const *options);

/* --- cluster-tasks.c ------------------------------------------------------ */

void cluster_look(struct cluster *c, bool ask);
uint64_t cluster_count(const struct cluster *c, enum task_state state);
/* Submit again what is lost, as often as may be.  An exit status. */
int cluster_again(struct cluster *c);

/* --- cluster-wait.c ------------------------------------------------------- */

/* Until all are over or given up.  An exit status; c->b->signal: a signal. */
int cluster_wait(struct cluster *c);

/* --- cluster-gather.c ----------------------------------------------------- */

/* Are all items of task @k done, and is what they wrote there? */
bool cluster_is_whole(const struct cluster *c, uint64_t k);
/* What heaptide itself said in task @k; what Slurm said is there as well. */
void cluster_tell_log(const struct cluster *c, uint64_t k);
/* Of what is done.  An exit status of ours; c->b->counts is exact then. */
int cluster_gather(struct cluster *c);
void cluster_report(const struct cluster *c);

#endif
