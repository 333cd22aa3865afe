/*
 * cluster-plan.c - the directory of a run on a cluster: its plan, its shards
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/crc.h"
#include "base/text.h"
#include "batch/cluster.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"
#include "sys/sys.h"

#define REMOVE_TRIES 20
#define REMOVE_NS    (100 * NS_PER_MS)

/* --- its directory -------------------------------------------------------- */

static int
tell(const char *doing, const char *path)
{
	print_error("batch: cannot %s %s: %s", doing, path, strerror(errno));
	return COMMAND_FAILED;
}

static int
make_directories(const struct cluster *c)
{
	char *parent = need_text("%s", c->directory);
	int r = COMMAND_DONE;

	*strrchr(parent, '/') = '\0';
	(void)mkdir(parent, 0700);
	free(parent);
	if (mkdir(c->directory, 0700) < 0 && errno != EEXIST)
		r = tell("make", c->directory);
	return r;
}

/* One command at a time submits, waits and gathers. */
int
cluster_lock(struct cluster *c, bool make)
{
	int r = make ? make_directories(c) : COMMAND_DONE;

	if (r != COMMAND_DONE)
		return r;
	c->lock = open(c->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->lock < 0)
		return tell("open", c->directory);
	if (flock(c->lock, LOCK_EX | LOCK_NB) == 0)
		return COMMAND_DONE;
	if (errno != EWOULDBLOCK)
		return tell("lock", c->directory);
	print_error("batch: another command waits for %s already", c->b->id);
	return COMMAND_FAILED;
}

/* --- what is taken away --------------------------------------------------- */

/* True: it is gone, or was never there. */
static bool
remove_below(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW |
	    O_CLOEXEC);
	DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
	struct dirent *entry;

	while (directory != NULL && (entry = readdir(directory)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) < 0 &&
		    (errno == EISDIR || errno == EPERM))
			(void)remove_below(fd, entry->d_name);
	}
	if (directory != NULL)
		closedir(directory);
	else if (fd >= 0)
		close(fd);
	return unlinkat(at, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

/*
 * The plan first: without one, nobody takes the rest for a run.  A task that
 * has said that it is done may be about to close its log, which on NFS has
 * another name until then.
 */
void
cluster_remove(struct cluster *c)
{
	char *plan = cluster_path(c, "plan");

	unlink(plan);
	free(plan);
	for (int i = 0; i < REMOVE_TRIES; i++) {
		if (remove_below(AT_FDCWD, c->directory))
			return;
		sys_sleep(REMOVE_NS);
	}
}

/* --- shards --------------------------------------------------------------- */

/* Each is of whole jobs, so jobs have the numbers they have in one batch. */
static void
cut(struct cluster *c)
{
	uint64_t each = max_u64(c->fixed, 1);
	uint64_t jobs = (c->total + each - 1) / each;
	uint64_t left = jobs, at = 0, n;

	c->task = need(calloc(c->shards + 1, sizeof(*c->task)));
	for (uint64_t k = 0; k < c->shards; k++) {
		n = (left + c->shards - k - 1) / (c->shards - k);
		c->task[k].first = at;
		c->task[k].count = min_u64(n * each, c->total - at);
		at += c->task[k].count;
		left -= n;
	}
}

/* A pipe may have no item just now. */
static int
take_item(struct items *items, char **item)
{
	struct pollfd ready = { .fd = items->fd, .events = POLLIN };
	int r;

	while ((r = items_take(items, item)) == 0)
		(void)poll(&ready, 1, -1);
	return r;
}

static uint64_t
hash_item(uint64_t hash, const char *item)
{
	uint32_t sum = crc_32c(0, item, strlen(item) + 1);

	return mix_u64(hash ^ sum) + strlen(item);
}

static int
check_items(const struct cluster *c)
{
	const struct items *items = &c->b->items;

	if (items->error == 0)
		return COMMAND_DONE;
	print_error(items->error == -EILSEQ ? "batch: item %llu holds a zero "
	    "byte: --null reads items with these between" :
	    "batch: items cannot be read beyond %llu",
	    (unsigned long long)items->taken + 1);
	return items->error == -EILSEQ ? COMMAND_USAGE : COMMAND_FAILED;
}

static int
write_shard(struct cluster *c, uint64_t k)
{
	char *path = cluster_path(c, "items.%llu", (unsigned long long)k);
	FILE *file = fopen(path, "we");
	char *item;
	int r = COMMAND_DONE;

	if (file == NULL)
		r = tell("write", path);
	for (uint64_t i = 0; r == COMMAND_DONE && i < c->task[k].count; i++) {
		if (take_item(&c->b->items, &item) <= 0)
			break;
		c->hash = hash_item(c->hash, item);
		if (fwrite(item, 1, strlen(item) + 1, file) == 0)
			r = tell("write", path);
		free(item);
	}
	if (file != NULL && fclose(file) != 0 && r == COMMAND_DONE)
		r = tell("write", path);
	free(path);
	return r == COMMAND_DONE ? check_items(c) : r;
}

static int
write_shards(struct cluster *c)
{
	int r = COMMAND_DONE;
	char *path;

	for (uint64_t k = 0; r == COMMAND_DONE && k < c->shards; k++) {
		path = cluster_path(c, "task.%llu", (unsigned long long)k);
		if (mkdir(path, 0700) < 0)
			r = tell("make", path);
		else
			r = write_shard(c, k);
		free(path);
	}
	return r;
}

int
cluster_compare(struct cluster *c)
{
	uint64_t hash = 0, count = 0;
	char *item;
	int r;

	for (; take_item(&c->b->items, &item) > 0; count++) {
		hash = hash_item(hash, item);
		free(item);
	}
	r = check_items(c);
	if (r != COMMAND_DONE || (count == c->total && hash == c->hash))
		return r;
	print_error("batch: cannot go on with %s: the list is not what it "
	    "was: it had %llu items, and has %llu%s", c->b->id,
	    (unsigned long long)c->total, (unsigned long long)count,
	    count == c->total ? " others" : "");
	return COMMAND_FAILED;
}

/* --- the plan ------------------------------------------------------------- */

enum plan_kind { PLAN_TEXT, PLAN_NUMBER, PLAN_FLAG, PLAN_CHOICE };

#define ROW(name, what, member) \
	{ name, what, offsetof(struct cluster, member) }

static const struct plan_row {
	const char *key;
	enum plan_kind kind;
	size_t at;
} plan_rows[] = {
	ROW("where", PLAN_TEXT, where),
	ROW("joblog", PLAN_TEXT, joblog),
	ROW("profile", PLAN_TEXT, profile),
	ROW("halt", PLAN_TEXT, halt),
	ROW("unit", PLAN_TEXT, unit),
	ROW("fixed", PLAN_NUMBER, fixed),
	ROW("total", PLAN_NUMBER, total),
	ROW("shards", PLAN_NUMBER, shards),
	ROW("requeues", PLAN_NUMBER, requeues),
	ROW("hash", PLAN_NUMBER, hash),
	ROW("keep_order", PLAN_FLAG, keep_order),
	ROW("quiet", PLAN_FLAG, quiet),
	ROW("progress", PLAN_CHOICE, progress),
	ROW("summary", PLAN_CHOICE, summary),
};

static void
write_row(const struct cluster *c, const struct plan_row *row, FILE *file)
{
	const void *at = (const char *)c + row->at;
	unsigned long long n = 0;

	if (row->kind == PLAN_TEXT) {
		if (*(char *const *)at != NULL)
			fprintf(file, "%s=%s%c", row->key, *(char *const *)at,
			    '\0');
		return;
	}
	if (row->kind == PLAN_NUMBER)
		n = *(const uint64_t *)at;
	else if (row->kind == PLAN_FLAG)
		n = *(const bool *)at;
	else
		n = (unsigned)*(const int *)at;
	fprintf(file, "%s=%llu%c", row->key, n, '\0');
}

/* What is there under its name is whole. */
static int
write_plan(const struct cluster *c)
{
	char *path = cluster_path(c, "plan");
	char *new = cluster_path(c, "plan.new");
	FILE *file = fopen(new, "we");
	bool good = file != NULL;

	for (size_t i = 0; good && i < ARRAY_LENGTH(plan_rows); i++)
		write_row(c, &plan_rows[i], file);
	for (size_t i = 0; good && i < c->sbatches; i++)
		fprintf(file, "sbatch=%s%c", c->sbatch[i], '\0');
	if (file != NULL)
		good = fflush(file) == 0 && fsync(fileno(file)) == 0;
	if (file != NULL && fclose(file) != 0)
		good = false;
	good = good && rename(new, path) == 0;
	if (!good)
		(void)tell("write", path);
	free(path);
	free(new);
	return good ? COMMAND_DONE : COMMAND_FAILED;
}

static bool
read_row(struct cluster *c, const char *key, const char *value)
{
	uint64_t n = 0;
	void *at;
	size_t i;

	if (strcmp(key, "sbatch") == 0) {
		c->sbatch = need(realloc(c->sbatch, (c->sbatches + 1) *
		    sizeof(*c->sbatch)));
		c->sbatch[c->sbatches++] = need_text("%s", value);
		return true;
	}
	for (i = 0; i < ARRAY_LENGTH(plan_rows) &&
	    strcmp(plan_rows[i].key, key) != 0; i++)
		;
	if (i == ARRAY_LENGTH(plan_rows))
		return false;
	at = (char *)c + plan_rows[i].at;
	if (plan_rows[i].kind == PLAN_TEXT) {
		free(*(char **)at);
		*(char **)at = need_text("%s", value);
		return true;
	}
	if (text_parse_u64(value, UINT64_MAX, &n) < 0)
		return false;
	if (plan_rows[i].kind == PLAN_NUMBER)
		*(uint64_t *)at = n;
	else if (plan_rows[i].kind == PLAN_FLAG)
		*(bool *)at = n != 0;
	else
		*(int *)at = (int)min_u64(n, 3);
	return true;
}

int
cluster_read(struct cluster *c)
{
	char *path = cluster_path(c, "plan"), *line = NULL, *value;
	FILE *file = fopen(path, "re");
	size_t room = 0;
	bool good = true;

	if (file == NULL) {
		print_error("batch: there is no run %s to go on with on a "
		    "cluster", c->b->id);
		free(path);
		return COMMAND_FAILED;
	}
	while (good && getdelim(&line, &room, '\0', file) > 0) {
		value = strchr(line, '=');
		good = value != NULL;
		if (good)
			*value = '\0';
		good = good && read_row(c, line, value + 1);
	}
	fclose(file);
	free(line);
	good = good && c->shards > 0 && c->shards <= CLUSTER_SHARDS_MOST &&
	    c->total > 0 && c->shards <= c->total && c->where != NULL &&
	    c->unit != NULL && c->fixed <= UINT32_MAX;
	if (good)
		cut(c);
	else
		print_error("batch: %s is damaged", path);
	free(path);
	return good ? COMMAND_DONE : COMMAND_FAILED;
}

/* --- making it ------------------------------------------------------------ */

static char *
from_root(const struct cluster *c, const char *path)
{
	if (path == NULL || *path == '/')
		return path != NULL ? need_text("%s", path) : NULL;
	return need_text("%s/%s", c->where, path);
}

static void
take_options(struct cluster *c)
{
	const struct batch_options *o = c->b->options;

	c->joblog = from_root(c, o->joblog);
	c->profile = from_root(c, o->profile);
	c->halt = o->halt != NULL ? need_text("%s", o->halt) : NULL;
	c->unit = need_text("%s", c->b->unit);
	c->fixed = c->b->fixed;
	c->requeues = o->requeues;
	c->keep_order = o->keep_order;
	c->quiet = o->quiet;
	c->progress = c->b->progress;
	c->summary = c->b->summary;
	c->sbatches = o->sbatch.count;
	c->sbatch = need(calloc(c->sbatches + 1, sizeof(*c->sbatch)));
	for (size_t i = 0; i < c->sbatches; i++)
		c->sbatch[i] = need_text("%s", o->sbatch.value[i]);
}

int
cluster_make(struct cluster *c, const struct batch_command *command)
{
	const struct batch_options *o = c->b->options;
	int r;

	c->where = getcwd(NULL, 0);
	if (c->where == NULL)
		return tell("find", "the working directory");
	take_options(c);
	c->total = items_count(&c->b->items);
	if (c->total == 0)
		return check_items(c);
	c->shards = min_u64(o->shards != 0 ? o->shards : CLUSTER_SHARDS,
	    c->fixed != 0 ? (c->total + c->fixed - 1) / c->fixed : c->total);
	cut(c);
	r = write_shards(c);
	if (r == COMMAND_DONE)
		r = cluster_script(c, command);
	if (r == COMMAND_DONE)
		r = write_plan(c);
	return r;
}

void
cluster_free(struct cluster *c)
{
	for (size_t i = 0; i < c->sbatches; i++)
		free(c->sbatch[i]);
	free(c->sbatch);
	free(c->where);
	free(c->joblog);
	free(c->profile);
	free(c->halt);
	free(c->unit);
	free(c->task);
	free(c->submission);
	free(c->directory);
	if (c->lock >= 0)
		close(c->lock);
}
