/*
 * cmd-pool.c - `heaptide pool`: one budget for many processes
 */
#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "plan/shares.h"
#include "run/pool.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"
#include "symbols/json.h"
#include "sys/proc.h"

#define UNSET UINT64_MAX

struct pool_options {
	uint64_t budget;
	uint64_t cores;
	uint64_t members;
	bool broker;
	bool json;
};

static const struct pool_options pool_defaults = {
	.budget = UNSET, .cores = UNSET, .members = UNSET,
};

static const struct option_row pool_rows[] = {
	{ .name = "budget", .kind = OPTION_BYTES, .word = "SIZE",
	  .at = offsetof(struct pool_options, budget),
	  .least = SHARES_UNIT, .most = SHARES_BYTES_MOST,
	  .help = "start: what all have together, 4K to 128T" },
	{ .name = "cores", .kind = OPTION_COUNT, .word = "N",
	  .at = offsetof(struct pool_options, cores),
	  .most = SHARES_SLOTS_MOST,
	  .help = "start: how many may do a batch at one time; 0: any "
	      "number (the processors)" },
	{ .name = "members", .kind = OPTION_COUNT, .word = "N",
	  .at = offsetof(struct pool_options, members), .least = 1,
	  .most = SHARES_SLOTS_MOST,
	  .help = "start: how many may join (16383)" },
	{ .name = "broker", .kind = OPTION_FLAG,
	  .at = offsetof(struct pool_options, broker),
	  .help = "start: stay, and take off what others use" },
	{ .name = "json", .kind = OPTION_FLAG,
	  .at = offsetof(struct pool_options, json),
	  .help = "status: print JSON" },
	{ .name = NULL }
};

/* --- start, stop ---------------------------------------------------------- */

static int
open_pool(const char *name, const char *path, int write, struct shares *pool)
{
	int r = shares_open(pool, path, write);

	if (r == 0)
		return COMMAND_DONE;
	if (r == -ENOENT)
		print_error("pool: there is no pool '%s'", name);
	else if (r == -EXDEV)
		print_error("pool: '%s' was started in another pid namespace, "
		    "where processes have other numbers", name);
	else if (r == -EBADMSG)
		print_error("pool: %s is no pool, or of another version",
		    path);
	else
		print_error("pool: cannot open %s: %s", path, strerror(-r));
	return COMMAND_FAILED;
}

/* Said once, to who can change it; the pool works all the same. */
static void
warn_of_disk(const char *path)
{
	struct statfs fs;

	if (statfs(path, &fs) == 0 && fs.f_type != TMPFS_MAGIC &&
	    fs.f_type != RAMFS_MAGIC)
		print_error("pool: %s is on a disk; whenever the kernel writes "
		    "it back, members may wait for seconds. Set HEAPTIDE_DIR "
		    "to a directory on a tmpfs, such as one in /dev/shm",
		    path);
}

static uint64_t
processors(void)
{
	long n = sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? min_u64((uint64_t)n, SHARES_SLOTS_MOST) : 1;
}

static int
start(const struct pool_options *o, const char *name)
{
	char path[PLACE_ROOM], budget[TEXT_BYTES_ROOM];
	uint64_t cores = o->cores != UNSET ? o->cores : processors();
	uint64_t members = o->members != UNSET ? o->members :
	    SHARES_SLOTS_MOST;
	struct shares pool;
	int r;

	if (o->budget == UNSET) {
		print_error("pool: start needs --budget SIZE, such as "
		    "--budget 4G");
		return COMMAND_USAGE;
	}
	r = pool_path(name, true, path);
	if (r != COMMAND_DONE)
		return r;
	r = shares_create(path, o->budget, (uint32_t)cores,
	    (uint32_t)members);
	if (r == -EEXIST) {
		print_error("pool: there is a pool '%s'; 'heaptide pool stop "
		    "%s' ends it", name, name);
		return COMMAND_FAILED;
	}
	if (r < 0) {
		print_error("pool: cannot make %s: %s", path, strerror(-r));
		return COMMAND_FAILED;
	}
	warn_of_disk(path);
	text_format_bytes(budget, o->budget);
	if (cores > 0)
		printf("pool %s: %s for %llu at a time; programs join it by "
		    "HEAPTIDE_POOL=%s\n", name, budget,
		    (unsigned long long)cores, name);
	else
		printf("pool %s: %s; programs join it by HEAPTIDE_POOL=%s\n",
		    name, budget, name);
	fflush(stdout);
	if (!o->broker)
		return COMMAND_DONE;
	r = open_pool(name, path, 1, &pool);
	if (r != COMMAND_DONE)
		return r;
	r = pool_look_after(name, &pool);
	shares_close(&pool);
	return r;
}

static int
stop(const char *name)
{
	char path[PLACE_ROOM];
	struct shares pool;
	int r = pool_path(name, false, path);

	if (r != COMMAND_DONE)
		return r;
	/* What is damaged, or was not finished, has nobody to tell. */
	if (shares_open(&pool, path, 1) == 0) {
		shares_stop(&pool);
		shares_close(&pool);
	}
	if (unlink(path) == 0)
		return COMMAND_DONE;
	if (errno == ENOENT)
		print_error("pool: there is no pool '%s'", name);
	else
		print_error("pool: cannot remove %s: %s", path,
		    strerror(errno));
	return COMMAND_FAILED;
}

/* --- status --------------------------------------------------------------- */

static const char *
name_of(int pid, struct proc_stat *stat)
{
	return proc_stat_read(pid, stat) == 0 ? stat->name : "-";
}

static double
seconds(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

static json_t *
json_member(const struct shares_row *row)
{
	struct proc_stat stat;
	const struct json_member members[] = {
		{ "pid", json_integer(row->pid) },
		{ "name", json_text(name_of(row->pid, &stat)) },
		{ "lease", json_number(row->lease) },
		{ "base", json_number(row->base) },
		{ "used", json_number(row->used) },
		{ "floor", json_number(row->floor) },
		{ "least", json_number(row->least) },
		{ "want", json_number(row->want) },
		{ "waiting", row->waiting_ns > 0 ?
		    json_real(seconds(row->waiting_ns)) : json_null() },
		{ "weight", json_integer(row->weight) },
		{ "granted", json_number(row->granted) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static json_t *
json_pool_of(const char *name, const struct shares *pool)
{
	json_t *list = json_array();
	struct shares_total t;
	struct shares_row row;
	uint32_t i;

	shares_read(pool, &t);
	for (i = 0; i < pool->slots; i++)
		if (shares_read_row(pool, i, &row))
			json_array_append_new(list, json_member(&row));
	const struct json_member members[] = {
		{ "name", json_text(name) },
		{ "budget", json_number(t.budget) },
		{ "set", json_number(t.set) },
		{ "left", json_integer(t.left) },
		{ "leases", json_number(t.leases) },
		{ "bases", json_number(t.bases) },
		{ "used", json_number(t.used) },
		{ "active", json_integer(t.active) },
		{ "cores", json_integer(t.seats) },
		{ "waiting", json_integer(t.waiting) },
		{ "stopped", json_boolean(t.stopped) },
		{ "granted", json_number(t.granted) },
		{ "died", json_number(t.swept) },
		{ "repaired", json_number(t.repaired) },
		{ "members", list },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static void
bytes_cell(struct print_table *table, uint64_t bytes)
{
	char text[TEXT_BYTES_ROOM];

	print_cell(table, "%s", bytes > 0 ? text_format_bytes(text, bytes) :
	    "-");
}

static void
print_members(const struct print *p, const struct shares *pool)
{
	static const struct print_column columns[] = {
		{ "PID", true }, { "LEASE", true }, { "BASE", true },
		{ "USED", true }, { "WANTS", true }, { "WAITING", true },
		{ "LEASES", true }, { "COMMAND", false },
	};
	struct print_table *table = print_table_open(columns,
	    ARRAY_LENGTH(columns));
	char wait[TEXT_DURATION_ROOM];
	struct proc_stat stat;
	struct shares_row row;
	uint32_t i;

	for (i = 0; i < pool->slots; i++) {
		if (!shares_read_row(pool, i, &row))
			continue;
		print_cell(table, "%d", row.pid);
		bytes_cell(table, row.lease);
		bytes_cell(table, row.base);
		bytes_cell(table, row.used);
		bytes_cell(table, row.want);
		print_cell(table, "%s", row.waiting_ns == 0 ? "-" :
		    text_format_duration(wait, row.waiting_ns));
		print_cell(table, "%llu", (unsigned long long)row.granted);
		print_cell(table, "%s", name_of(row.pid, &stat));
		print_row_style(table, row.lease > 0 ? PRINT_STRONG :
		    row.waiting_ns > 0 ? PRINT_PLAIN : PRINT_FAINT);
	}
	print_table_close(table, p, 2);
}

static void
print_pool(const struct print *p, const char *name, const struct shares *pool)
{
	char budget[TEXT_BYTES_ROOM], leases[TEXT_BYTES_ROOM];
	char bases[TEXT_BYTES_ROOM], left[TEXT_BYTES_ROOM];
	char set[TEXT_BYTES_ROOM];
	struct shares_total t;

	shares_read(pool, &t);
	print_line(p, PRINT_STRONG, "pool %s: %s, %s left%s", name,
	    text_format_bytes(budget, t.budget), text_format_bytes(left,
	    t.left > 0 ? (uint64_t)t.left : 0),
	    t.stopped ? "; stopped" : "");
	if (t.budget < t.set)
		print_line(p, PRINT_PLAIN, "  of %s that were set; others use "
		    "the rest", text_format_bytes(set, t.set));
	print_line(p, PRINT_PLAIN, "  %u of %u members hold %s in leases, all "
	    "have %s as bases, %u wait", t.active, t.members,
	    text_format_bytes(leases, t.leases),
	    text_format_bytes(bases, t.bases), t.waiting);
	if (t.members > 0)
		print_members(p, pool);
}

/* Of one pool, as text or into @list. */
static int
show(const char *name, const struct print *p, json_t *list)
{
	char path[PLACE_ROOM];
	struct shares pool;
	int r = pool_path(name, false, path);

	if (r == COMMAND_DONE)
		r = open_pool(name, path, 0, &pool);
	if (r != COMMAND_DONE)
		return r;
	if (list != NULL)
		json_array_append_new(list, json_pool_of(name, &pool));
	else
		print_pool(p, name, &pool);
	shares_close(&pool);
	return COMMAND_DONE;
}

static int
status(const struct pool_options *o, const char *name)
{
	struct print p = print_open(stdout);
	json_t *list = o->json ? json_array() : NULL, *all;
	int r = COMMAND_DONE;
	char **names;
	size_t n, i;

	if (name != NULL) {
		r = show(name, &p, list);
	} else {
		n = pool_names(&names);
		for (i = 0; i < n; i++) {
			(void)show(names[i], &p, list);
			free(names[i]);
		}
		free(names);
		if (n == 0 && !o->json)
			print_line(&p, PRINT_PLAIN, "there is no pool; "
			    "'heaptide pool start NAME --budget SIZE' makes "
			    "one");
	}
	if (list == NULL || r != COMMAND_DONE) {
		json_decref(list);
		return r;
	}
	all = json_head();
	json_object_set_new(all, "pools", list);
	return json_print(all);
}

/* --- the command ---------------------------------------------------------- */

/* An option that another of the three has. */
static int
check_options(const struct pool_options *o, const char *what)
{
	bool is_start = strcmp(what, "start") == 0;
	const char *extra = NULL;

	if (!is_start)
		extra = o->budget != UNSET ? "--budget" :
		    o->cores != UNSET ? "--cores" :
		    o->members != UNSET ? "--members" :
		    o->broker ? "--broker" : NULL;
	if (extra != NULL)
		print_error("pool: %s is for start, not for %s", extra, what);
	else if (o->json && strcmp(what, "status") != 0)
		print_error("pool: --json is for status, not for %s", what);
	else
		return COMMAND_DONE;
	return COMMAND_USAGE;
}

static int
pool_run(const void *options, int operands, char **operand)
{
	const struct pool_options *o = options;
	const char *what = operand[0], *name = operands > 1 ? operand[1] :
	    NULL;
	bool is_start = strcmp(what, "start") == 0;

	if (!is_start && strcmp(what, "stop") != 0 &&
	    strcmp(what, "status") != 0) {
		print_error("pool: there is no '%s'; start, status and stop "
		    "are accepted", what);
		return COMMAND_USAGE;
	}
	if (check_options(o, what) != COMMAND_DONE)
		return COMMAND_USAGE;
	if (strcmp(what, "status") == 0)
		return status(o, name);
	if (name == NULL) {
		print_error("pool: %s needs the NAME of a pool", what);
		return COMMAND_USAGE;
	}
	return is_start ? start(o, name) : stop(name);
}

const struct command command_pool = {
	.name = "pool",
	.args = "start|status|stop [NAME]",
	.help = "one budget for many processes: start it, look, stop it",
	.rows = pool_rows,
	.defaults = &pool_defaults,
	.options_bytes = sizeof(struct pool_options),
	.operands_least = 1,
	.operands_most = 2,
	.run = pool_run,
};
