/*
 * cluster.c - a batch on a cluster, from its submission to its end
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch/cluster.h"
#include "base/base.h"
#include "plan/run-who.h"
#include "run/run.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"
#include "symbols/json.h"
#include "sys/sys.h"

const char *
cluster_refuses(const struct batch_options *o, const struct batch_command *c)
{
	(void)c;
	if (o->engine != ENGINE_SLURM)
		return o->shards != 0 || o->sbatch.count != 0 || o->no_wait ?
		    "--shards, --sbatch-arg and --no-wait go with --engine "
		    "slurm only" : NULL;
	if (o->lines || o->ungroup)
		return "--engine slurm gathers what jobs write, so it goes "
		    "with neither --line-buffer nor --ungroup";
	if (o->resume_failed || o->retry_failed)
		return "--engine slurm goes on by --resume; --resume-failed "
		    "and --retry-failed are for a joblog, with --engine local";
	if (o->results != NULL || o->first != 0)
		return "--results and --first are for a task of --engine "
		    "slurm, not for who submits it";
	return NULL;
}

/* --- which run ------------------------------------------------------------ */

static bool
has_plan(const struct cluster *c)
{
	char *path = cluster_path(c, "plan");
	bool is = access(path, F_OK) == 0;

	free(path);
	return is;
}

static int
open_run(struct cluster *c, struct batch *b)
{
	*c = (struct cluster){ .b = b, .lock = -1 };
	c->directory = cluster_directory(b->id);
	b->jobs = 0; /* none is ours */
	b->began_ns = sys_clock();
	if (c->directory != NULL)
		return COMMAND_DONE;
	print_error("batch: --engine slurm needs a directory that all nodes "
	    "see: HEAPTIDE_STATE, XDG_STATE_HOME and HOME name none that can "
	    "be used");
	return COMMAND_FAILED;
}

bool
cluster_is_run(const char *id)
{
	struct batch b = { .own = 0 };
	struct cluster c = { .b = &b, .lock = -1 };
	char name[JOURNAL_ID_ROOM];
	uint64_t number = 0;
	bool is;

	if (run_who_parse(id, name, &number) < 0 || number != 0)
		return false;
	c.directory = cluster_directory(name);
	is = c.directory != NULL && has_plan(&c);
	free(c.directory);
	return is;
}

/* --- going on ------------------------------------------------------------- */

/* What did not come to its end may begin as often as at first. */
static void
take_up(struct cluster *c)
{
	static const char *const files[] = { "status", "again" };
	char *path = cluster_path(c, "stop");

	unlink(path);
	free(path);
	c->submitted_before = c->submissions;
	cluster_look(c, false);
	for (uint64_t k = 0; k < c->shards; k++) {
		struct cluster_task *t = &c->task[k];
		bool over = t->state == TASK_OVER;

		t->tries = min_u64(t->tries, 1);
		if ((over && cluster_is_whole(c, k)) || (!over && t->tries > 0))
			continue;
		t->tries = 0;
		t->state = TASK_LOST;
		for (size_t i = 0; i < ARRAY_LENGTH(files); i++) {
			path = cluster_path(c, "task.%llu/%s",
			    (unsigned long long)k, files[i]);
			unlink(path);
			free(path);
		}
	}
}

static int
go_on(struct cluster *c, bool compare)
{
	int r = cluster_read(c);

	if (r == COMMAND_DONE && compare)
		r = cluster_compare(c);
	if (r != COMMAND_DONE)
		return r;
	cluster_submissions_read(c);
	take_up(c);
	return COMMAND_DONE;
}

/* --- anew ----------------------------------------------------------------- */

static void
note_alive(struct cluster *c, const char *job, uint64_t task,
    const char *state)
{
	static const char *const alive[] = { "PENDING", "RUNNING", "SUSPENDED",
		"COMPLETING", "CONFIGURING", "REQUEUED", "REQUEUE_HOLD" };

	(void)job, (void)task;
	for (size_t i = 0; i < ARRAY_LENGTH(alive); i++)
		if (strcmp(alive[i], state) == 0)
			c->alive = true;
}

/* A run of that name whose tasks still write is not to be swept away. */
static int
sweep(struct cluster *c)
{
	if (!has_plan(c))
		goto out;
	if (cluster_read(c) == COMMAND_DONE) {
		cluster_submissions_read(c);
		(void)cluster_ask(c, note_alive);
	}
	if (c->alive) {
		print_error("batch: tasks of %s are still in Slurm's queue "
		    "(job %s): 'heaptide resume %s' waits for them, scancel "
		    "ends them", c->b->id,
		    c->submission[c->submissions - 1].job, c->b->id);
		return COMMAND_FAILED;
	}
out:
	cluster_remove(c);
	cluster_free(c);
	(void)open_run(c, c->b);
	return cluster_lock(c, true);
}

static int
make_anew(struct cluster *c, const struct batch_command *command)
{
	bool *all;
	int r = sweep(c);

	if (r == COMMAND_DONE)
		r = cluster_make(c, command);
	if (r != COMMAND_DONE || c->total == 0)
		return r;
	all = need(malloc(c->shards * sizeof(*all)));
	for (uint64_t k = 0; k < c->shards; k++)
		all[k] = true;
	r = cluster_submit(c, all);
	free(all);
	/* Nobody can go on with what nobody took. */
	if (r != COMMAND_DONE)
		cluster_remove(c);
	return r;
}

/* --- the end -------------------------------------------------------------- */

static void
tell_unfinished(const struct cluster *c, uint64_t k)
{
	const struct cluster_task *t = &c->task[k];

	cluster_tell_log(c, k);
	if (t->state == TASK_OVER)
		batch_say(c->b, "task %llu ended with status %d before all "
		    "its items were done; %s/task.%llu/log has more",
		    (unsigned long long)k, t->status, c->directory,
		    (unsigned long long)k);
}

/* A shard that is not done: what its task said, or that it may go on. */
static int
unfinished(const struct cluster *c)
{
	int status = 0;

	for (uint64_t k = 0; k < c->shards; k++) {
		const struct cluster_task *t = &c->task[k];

		if (t->state == TASK_OVER && cluster_is_whole(c, k))
			continue;
		if (!c->b->halted)
			tell_unfinished(c, k);
		if (t->state == TASK_OVER && (t->status == COMMAND_USAGE ||
		    t->status == COMMAND_NO_MEMORY ||
		    t->status >= COMMAND_FAILED))
			status = t->status;
		else if (status == 0)
			status = COMMAND_CHECKPOINT;
	}
	return status;
}

static int
end_run(struct cluster *c)
{
	struct batch *b = c->b;
	int left = unfinished(c), r;

	if (left != 0 && !b->halted) {
		batch_say(b, "what is done is kept, and 'heaptide resume %s' "
		    "goes on", b->id);
		return left;
	}
	r = cluster_gather(c);
	cluster_report(c);
	if (r != COMMAND_DONE)
		return r;
	if (left == 0)
		cluster_remove(c);
	return halt_status(&b->halt, &b->counts, b->halted, b->last);
}

/* What is shown, and when it is given up: as now, or as at first. */
static void
settle(struct cluster *c)
{
	const struct batch_options *o = c->b->options;
	struct batch *b = c->b;

	if (o->progress != RUN_NOT_GIVEN)
		c->progress = o->progress;
	if (o->summary != RUN_NOT_GIVEN)
		c->summary = o->summary;
	b->progress = c->progress;
	b->silent = c->quiet || o->quiet;
	b->unit = c->unit;
	b->total = c->total;
	if (c->halt != NULL)
		(void)halt_parse(c->halt, &b->halt);
	b->counts.whole = c->fixed != 0 ? (c->total + c->fixed - 1) /
	    c->fixed : 0;
}

static const char *
last_job(const struct cluster *c)
{
	return c->submissions > 0 ? c->submission[c->submissions - 1].job :
	    "";
}

static int
follow(struct cluster *c)
{
	struct batch *b = c->b;
	int r;

	settle(c);
	if (b->options->no_wait) {
		printf("Submitted batch: %s as Slurm job %s, %llu tasks; "
		    "'heaptide resume %s' waits for it and gathers\n", b->id,
		    last_job(c), (unsigned long long)c->shards, b->id);
		return COMMAND_DONE;
	}
	if (!b->silent)
		fprintf(stderr, "Started batch: %s (Slurm job %s)\n", b->id,
		    last_job(c));
	r = cluster_wait(c);
	if (r != COMMAND_DONE)
		return r;
	return b->signal != 0 ? 128 + b->signal : end_run(c);
}

static int
close_run(struct cluster *c, int status)
{
	c->b->unit = NULL;
	cluster_free(c);
	return status;
}

int
cluster_run(struct batch *b, const struct batch_command *command)
{
	bool resume = b->options->resume;
	struct cluster c;
	int r;

	batch_name(b, command);
	r = open_run(&c, b);
	if (r == COMMAND_DONE && resume && !has_plan(&c)) {
		print_error("batch: there is no run %s on a cluster to go on "
		    "with: the same command, directory and place of its items "
		    "are", b->id);
		r = COMMAND_FAILED;
	}
	if (r == COMMAND_DONE)
		r = cluster_lock(&c, !resume);
	if (r == COMMAND_DONE)
		r = resume ? go_on(&c, true) : make_anew(&c, command);
	if (r == COMMAND_DONE && c.total == 0) {
		cluster_report(&c);
		cluster_remove(&c);
	} else if (r == COMMAND_DONE) {
		r = follow(&c);
	}
	return close_run(&c, r);
}

int
cluster_resume(struct batch *b, const char *id)
{
	struct cluster c;
	int r;

	snprintf(b->id, sizeof(b->id), "%s", id);
	r = open_run(&c, b);
	if (r == COMMAND_DONE)
		r = cluster_lock(&c, false);
	if (r == COMMAND_DONE)
		r = go_on(&c, false);
	if (r == COMMAND_DONE)
		r = follow(&c);
	return close_run(&c, r);
}

/* --- how far it is -------------------------------------------------------- */

static int
show(struct cluster *c, bool json)
{
	uint64_t items = 0, failed = 0;
	json_t *o;

	for (uint64_t k = 0; k < c->shards; k++) {
		items += min_u64(c->task[k].tail.items, c->task[k].count);
		failed += c->task[k].tail.failed;
	}
	if (!json) {
		printf("%s: %llu of %llu %ss done, %llu jobs failed; %llu of "
		    "%llu tasks over, last Slurm job %s\n", c->b->id,
		    (unsigned long long)items, (unsigned long long)c->total,
		    c->unit, (unsigned long long)failed,
		    (unsigned long long)cluster_count(c, TASK_OVER),
		    (unsigned long long)c->shards, last_job(c));
		return COMMAND_DONE;
	}
	o = json_head();
	json_object_set_new(o, "batchId", json_text(c->b->id));
	json_object_set_new(o, "engine", json_text("slurm"));
	json_object_set_new(o, "done", json_number(items));
	json_object_set_new(o, "total", json_number(c->total));
	json_object_set_new(o, "failed", json_number(failed));
	json_object_set_new(o, "tasks", json_number(c->shards));
	json_object_set_new(o, "tasks_over", json_number(cluster_count(c,
	    TASK_OVER)));
	json_object_set_new(o, "slurm_job", json_text(last_job(c)));
	return json_print(o);
}

int
cluster_show(const char *id, bool json)
{
	struct batch *b = need(calloc(1, sizeof(*b)));
	struct cluster c;
	int r;

	snprintf(b->id, sizeof(b->id), "%s", id);
	r = open_run(&c, b);
	if (r == COMMAND_DONE)
		r = cluster_read(&c);
	if (r == COMMAND_DONE) {
		cluster_submissions_read(&c);
		cluster_look(&c, false);
		r = show(&c, json);
	}
	r = close_run(&c, r);
	free(b);
	return r;
}
