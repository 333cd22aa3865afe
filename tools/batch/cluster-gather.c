/*
 * cluster-gather.c - what the tasks of a run have done, in one
 */
#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/segment.h"
#include "base/text.h"
#include "batch/cluster.h"
#include "formats/merge.h"
#include "run/run.h"
#include "say/command.h"
#include "say/need.h"
#include "say/output.h"
#include "say/print.h"
#include "symbols/json.h"
#include "sys/sys.h"

#define PIECE 65536

/* --- what jobs wrote ------------------------------------------------------ */

static int
open_results(const struct cluster *c, uint64_t k, struct results_set *s)
{
	char *path = cluster_path(c, "task.%llu/results",
	    (unsigned long long)k);
	int r = results_open(s, path, c->task[k].count);

	if (r < 0 && r != -ENOENT)
		print_error("batch: cannot read %s: %s", path, strerror(-r));
	free(path);
	return r;
}

bool
cluster_is_whole(const struct cluster *c, uint64_t k)
{
	struct results_set s;
	bool whole;

	if (open_results(c, k, &s) < 0)
		return false;
	whole = results_have(&s, 0, c->task[k].count);
	results_free(&s);
	return whole;
}

static bool
copy(int from, uint64_t at, uint64_t bytes, int to)
{
	static char piece[PIECE];
	ssize_t n;

	for (; bytes > 0; at += (uint64_t)n, bytes -= (uint64_t)n) {
		n = pread(from, piece, min_u64(bytes, PIECE), (off_t)at);
		if (n < 0 && errno == EINTR) {
			n = 0;
			continue;
		}
		if (n <= 0 || output_write(to, piece, (size_t)n) < 0)
			return false;
	}
	return true;
}

static int
by_number(const void *a, const void *b)
{
	const struct result *x = a, *y = b;

	return (x->number > y->number) - (x->number < y->number);
}

/* By items, or as they came: a shard after the other in any case. */
static bool
tell_results(const struct cluster *c, struct results_set *s)
{
	if (!c->keep_order && s->count > 0)
		qsort(s->row, s->count, sizeof(*s->row), by_number);
	for (size_t i = 0; i < s->count; i++) {
		const struct result *r = &s->row[i];

		if (!copy(s->fd[r->file], r->at, r->bytes[0],
		    STDOUT_FILENO) || !copy(s->fd[r->file],
		    r->at + r->bytes[0], r->bytes[1], STDERR_FILENO))
			return false;
	}
	return true;
}

/* --- joblogs -------------------------------------------------------------- */

static void
count_rows(struct cluster *c, uint64_t k, const struct joblog *log)
{
	struct batch *b = c->b;
	uint64_t left = c->task[k].count, n;

	for (size_t i = 0; i < log->count; i++) {
		const struct joblog_row *row = &log->row[i];

		n = min_u64(left, c->fixed != 0 ? c->fixed :
		    max_u64(row->items, 1));
		left -= n;
		b->counts.done++;
		b->figures.items += n;
		if (row->status == 0 && row->signal == 0)
			continue;
		b->counts.failed++;
		b->figures.items_failed += n;
	}
}

static int
take_joblog(struct cluster *c, uint64_t k, int fd)
{
	char *path = cluster_path(c, "task.%llu/joblog",
	    (unsigned long long)k);
	struct joblog log;
	size_t line;
	int r = joblog_read(&log, path, &line);

	free(path);
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	count_rows(c, k, &log);
	for (size_t i = 0; fd >= 0 && r == 0 && i < log.count; i++)
		r = joblog_add(fd, &log.row[i]);
	joblog_free(&log);
	return r;
}

/* --- profiles ------------------------------------------------------------- */

struct profiles {
	struct profile_file {
		char *path;
		unsigned long long number; /* of its job */
		struct timespec at;
	} *file;
	size_t count;
};

static void
add_profile(struct profiles *all, char *path, unsigned long long number)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		free(path);
		return;
	}
	if ((all->count & (all->count - 1)) == 0)
		all->file = need(realloc(all->file, (all->count * 2 + 1) *
		    sizeof(*all->file)));
	all->file[all->count++] = (struct profile_file){ path, number,
		st.st_mtim };
}

static int
by_job(const void *a, const void *b)
{
	const struct profile_file *x = a, *y = b;

	if (x->number != y->number)
		return x->number < y->number ? -1 : 1;
	if (x->at.tv_sec != y->at.tv_sec)
		return x->at.tv_sec < y->at.tv_sec ? -1 : 1;
	return (x->at.tv_nsec > y->at.tv_nsec) -
	    (x->at.tv_nsec < y->at.tv_nsec);
}

/* Of a job that was done twice, the last. */
static void
settle_profiles(struct profiles *all)
{
	size_t kept = 0;

	if (all->count > 0)
		qsort(all->file, all->count, sizeof(*all->file), by_job);
	for (size_t i = 0; i < all->count; i++) {
		if (kept > 0 && all->file[kept - 1].number ==
		    all->file[i].number)
			free(all->file[--kept].path);
		all->file[kept++] = all->file[i];
	}
	all->count = kept;
}

/* `NUMBER.PID.tide` of task @k. */
static void
find_profiles(const struct cluster *c, uint64_t k, struct profiles *all)
{
	char *path = cluster_path(c, "task.%llu/profiles",
	    (unsigned long long)k);
	DIR *directory = opendir(path);
	struct profiles here = { NULL, 0 };
	struct dirent *entry;
	char *end;
	unsigned long long number;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		number = strtoull(entry->d_name, &end, 10);
		if (number != 0 && *end == '.')
			add_profile(&here, need_text("%s/%s", path,
			    entry->d_name), number);
	}
	if (directory != NULL)
		closedir(directory);
	free(path);
	settle_profiles(&here);
	all->file = need(realloc(all->file, (all->count + here.count + 1) *
	    sizeof(*all->file)));
	if (here.count > 0)
		memcpy(all->file + all->count, here.file, here.count *
		    sizeof(*here.file));
	all->count += here.count;
	free(here.file);
}

/* Into the user's directory, which may be on another disk. */
static void
move_profile(const struct cluster *c, const char *path)
{
	char *to = need_text("%s%s", c->profile, strrchr(path, '/'));
	struct profile p;
	char why[512];
	int r = rename(path, to) < 0 ? -errno : 0;

	if (r == -EXDEV && profile_open(path, &p, why) == 0) {
		r = profile_compact(&p, to);
		profile_close(&p);
	}
	if (r < 0)
		batch_say(c->b, "cannot write %s: %s", to, strerror(-r));
	free(to);
}

static int
merge_all(const struct cluster *c, const struct profiles *all)
{
	char *to = need_text("%s/merged" SEGMENT_SUFFIX, c->profile);
	struct merge m;
	char why[512];
	size_t n = 0;
	int r = 0;

	merge_open(&m, all->count);
	for (size_t i = 0; i < all->count; i++) {
		if (merge_add(&m, all->file[i].path, why))
			n++;
		else
			batch_say(c->b, "no profile of job %llu in the sum: "
			    "%s", all->file[i].number, why);
	}
	if (n > 0 && merge_finish(&m, why))
		r = profile_compact(&m.sum, to);
	else
		batch_say(c->b, "no profile: %s", n > 0 ? why :
		    "no job left one");
	if (r < 0)
		batch_say(c->b, "cannot write %s: %s", to, strerror(-r));
	merge_close(&m);
	free(to);
	return r < 0 ? COMMAND_FAILED : COMMAND_DONE;
}

static int
gather_profiles(const struct cluster *c)
{
	struct profiles all = { NULL, 0 };
	int r;

	if (c->profile == NULL)
		return COMMAND_DONE;
	(void)mkdir(c->profile, 0777);
	for (uint64_t k = 0; k < c->shards; k++)
		find_profiles(c, k, &all);
	r = merge_all(c, &all);
	for (size_t i = 0; i < all.count; i++) {
		move_profile(c, all.file[i].path);
		free(all.file[i].path);
	}
	free(all.file);
	return r;
}

/* --- all of it ------------------------------------------------------------ */

void
cluster_tell_log(const struct cluster *c, uint64_t k)
{
	char *path = cluster_path(c, "task.%llu/log", (unsigned long long)k);
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t room = 0;

	while (file != NULL && getline(&line, &room, file) > 0)
		if (strncmp(line, "heaptide: ", 10) == 0) {
			line[strcspn(line, "\n")] = '\0';
			fprintf(stderr, "task %llu: %s\n",
			    (unsigned long long)k, print_clean(line));
		}
	free(line);
	if (file != NULL)
		fclose(file);
	free(path);
}

static int
gather_task(struct cluster *c, uint64_t k, int joblog)
{
	struct results_set s;
	int r = open_results(c, k, &s), e;
	bool told = true;

	if (r == 0) {
		told = tell_results(c, &s);
		results_free(&s);
	}
	if (!c->b->halted)
		cluster_tell_log(c, k);
	if (!told) {
		print_error("batch: what jobs wrote cannot be told: %s",
		    strerror(errno));
		return COMMAND_FAILED;
	}
	e = take_joblog(c, k, joblog);
	if (e < 0)
		print_error("batch: the joblog of task %llu: %s",
		    (unsigned long long)k, strerror(-e));
	return (r < 0 && r != -ENOENT) || e < 0 ? COMMAND_FAILED :
	    COMMAND_DONE;
}

int
cluster_gather(struct cluster *c)
{
	struct batch *b = c->b;
	int joblog = -1, r = COMMAND_DONE, one;

	b->counts.done = b->counts.failed = 0;
	b->figures.items = b->figures.items_failed = 0;
	if (c->joblog != NULL) {
		joblog = joblog_open(c->joblog, true);
		if (joblog < 0) {
			print_error("batch: cannot write %s: %s", c->joblog,
			    strerror(-joblog));
			return COMMAND_FAILED;
		}
	}
	for (uint64_t k = 0; k < c->shards; k++) {
		one = gather_task(c, k, joblog);
		r = r != COMMAND_DONE ? r : one;
	}
	if (joblog >= 0 && close(joblog) < 0)
		r = COMMAND_FAILED;
	one = gather_profiles(c);
	return r != COMMAND_DONE ? r : one;
}

/* --- the report ----------------------------------------------------------- */

/* How often tasks were begun, less the first time of each. */
static uint64_t
count_again(const struct cluster *c)
{
	uint64_t n = 0, here;
	char *path;
	FILE *file;
	int byte;

	for (uint64_t k = 0; k < c->shards; k++) {
		path = cluster_path(c, "task.%llu/begun",
		    (unsigned long long)k);
		file = fopen(path, "re");
		free(path);
		if (file == NULL)
			continue;
		for (here = 0; (byte = getc(file)) != EOF;)
			here += byte == '\n';
		n += above_u64(here, 1);
		fclose(file);
	}
	return n;
}

static json_t *
jobs_json(const struct cluster *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->submissions; i++)
		if (c->submission[i].job[0] != '\0')
			json_array_append_new(list,
			    json_text(c->submission[i].job));
	return list;
}

static void
report_json(const struct cluster *c, uint64_t ns)
{
	const struct batch *b = c->b;
	const struct json_member members[] = {
		{ "id", json_text(b->id) },
		{ "engine", json_text("slurm") },
		{ "items", json_number(b->figures.items) },
		{ "items_failed", json_number(b->figures.items_failed) },
		{ "items_left", json_number(above_u64(c->total,
		    b->figures.items)) },
		{ "jobs", json_number(b->counts.done) },
		{ "failed", json_number(b->counts.failed) },
		{ "tasks", json_number(c->shards) },
		{ "tasks_over", json_number(cluster_count(c, TASK_OVER)) },
		{ "requeues", json_number(count_again(c)) },
		{ "slurm_jobs", jobs_json(c) },
		{ "seconds", json_real((double)ns / (double)NS_PER_S) },
	};

	json_say(json_fill(json_head(), members, ARRAY_LENGTH(members)));
}

static void
report_text(const struct cluster *c, uint64_t ns)
{
	const struct batch *b = c->b;
	struct print p = print_open(stderr);
	char time[TEXT_DURATION_ROOM];
	uint64_t again = count_again(c);

	print_line(&p, PRINT_STRONG, "batch %s: %llu %s%s in %llu job%s of "
	    "%llu task%s, %s", b->id, (unsigned long long)b->figures.items,
	    c->unit, b->figures.items == 1 ? "" : "s",
	    (unsigned long long)b->counts.done,
	    b->counts.done == 1 ? "" : "s", (unsigned long long)c->shards,
	    c->shards == 1 ? "" : "s", text_format_duration(time, ns));
	if (b->counts.failed != 0)
		print_line(&p, PRINT_BAD, "  failed     %llu job%s, %llu %s%s",
		    (unsigned long long)b->counts.failed,
		    b->counts.failed == 1 ? "" : "s",
		    (unsigned long long)b->figures.items_failed, c->unit,
		    b->figures.items_failed == 1 ? "" : "s");
	if (again != 0)
		print_line(&p, PRINT_WARN, "  again      tasks began anew "
		    "%llu time%s, each where it was",
		    (unsigned long long)again, again == 1 ? "" : "s");
}

void
cluster_report(const struct cluster *c)
{
	uint64_t ns = sys_clock() - c->b->began_ns;

	if (c->b->silent || c->summary == SUMMARY_OFF)
		return;
	if (c->summary == SUMMARY_JSON)
		report_json(c, ns);
	else
		report_text(c, ns);
}
