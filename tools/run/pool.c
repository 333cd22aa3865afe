#include "run/pool.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"
#include "say/signals.h"
#include "sys/cgroup.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define SWEEP_NS     (100 * NS_PER_MS)
#define SWEEPS       10 /* between two looks at the machine */
#define AUDIT_LOOKS  60 /* between two audits that nothing speaks for */
#define NEARLY       64 /* a budget that changes by less stays: 1/64 */

/* --- where ---------------------------------------------------------------- */

int
pool_path(const char *name, bool make, char path[PLACE_ROOM])
{
	char directory[PLACE_ROOM];
	int r = make ? place_find(environ, directory) :
	    place_look(environ, directory);

	if (r < 0) {
		print_error("pool: no directory for pools: %s: %s", directory,
		    strerror(-r));
		return COMMAND_FAILED;
	}
	r = place_pool(directory, name, make, path);
	if (r == -EINVAL) {
		print_error("pool: '%s' is no name; up to 64 letters, digits, "
		    "'.', '_' and '-' are accepted, the first of them a "
		    "letter, a digit or '_'", name);
		return COMMAND_USAGE;
	}
	if (r < 0) {
		print_error("pool: there is no pool '%s': %s: %s", name, path,
		    strerror(-r));
		return COMMAND_FAILED;
	}
	return COMMAND_DONE;
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

size_t
pool_names(char ***names)
{
	char directory[PLACE_ROOM], path[PLACE_ROOM], one[PLACE_ROOM];
	char **list = NULL;
	struct dirent *e;
	size_t n = 0;
	DIR *d = NULL;

	if (place_look(environ, directory) == 0 &&
	    place_pools(directory, path) == 0)
		d = opendir(path);
	while (d != NULL && (e = readdir(d)) != NULL) {
		if (place_pool(directory, e->d_name, 0, one) < 0)
			continue;
		list = need(realloc(list, (n + 1) * sizeof(*list)));
		list[n++] = need_text("%s", e->d_name);
	}
	if (d != NULL)
		closedir(d);
	if (n > 0)
		qsort(list, n, sizeof(*list), by_name);
	*names = list;
	return n;
}

/* --- what others leave ---------------------------------------------------- */

static int
by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* Memory of its own: what the kernel could not simply drop. */
static uint64_t
own_memory(const char *root, int pid)
{
	struct { uint64_t anonymous, shared, swapped; } own = { 0, 0, 0 };
	static const struct proc_key keys[] = {
		{ "RssAnon:", 0, 1024 }, { "RssShmem:", 8, 1024 },
		{ "VmSwap:", 16, 1024 },
	};
	struct proc_lines lines;
	char path[PLACE_ROOM], *line;

	if (proc_path(path, sizeof(path), root, pid, "status") < 0 ||
	    proc_lines_open(&lines, path) < 0)
		return 0;
	while ((line = proc_lines_next(&lines)) != NULL)
		(void)proc_key_take(line, keys, ARRAY_LENGTH(keys), &own);
	(void)proc_lines_close(&lines);
	return own.anonymous + own.shared + own.swapped;
}

/* A process may be several members. */
static uint64_t
members_memory(const char *root, const struct shares *pool)
{
	int *pids = need(calloc(pool->slots, sizeof(*pids)));
	struct shares_row row;
	uint64_t sum = 0;
	size_t n = 0, i;

	for (i = 0; i < pool->slots; i++)
		if (shares_read_row(pool, (uint32_t)i, &row))
			pids[n++] = row.pid;
	qsort(pids, n, sizeof(*pids), by_number);
	for (i = 0; i < n; i++)
		if (i == 0 || pids[i] != pids[i - 1])
			sum += own_memory(root, pids[i]);
	free(pids);
	return sum;
}

/* What is free for whoever comes, by the machine and our control groups. */
static uint64_t
free_for_all(const char *root)
{
	struct proc_memory memory;
	struct cgroup_memory *groups = need(malloc(sizeof(*groups)));
	const struct cgroup_level *level;
	uint64_t room = UINT64_MAX;

	if (proc_memory_read(root, &memory) == 0)
		room = memory.available;
	if (cgroup_memory_read(root, 0, groups) == 0)
		for (level = groups->level;
		    level < groups->level + groups->levels; level++)
			if (level->max != CGROUP_NONE)
				room = min_u64(room, above_u64(level->max,
				    level->used));
	free(groups);
	return room;
}

uint64_t
pool_room(const char *root, const struct shares *pool)
{
	uint64_t room = free_for_all(root), members;
	struct shares_total total;

	shares_read(pool, &total);
	members = members_memory(root, pool);
	if (room > UINT64_MAX - members)
		return total.set;
	return min_u64(total.set, room + members);
}

/* --- a broker ------------------------------------------------------------- */

static volatile sig_atomic_t ended;

static void
note_end(int number)
{
	(void)number;
	ended = 1;
}

/* A budget that changes all the time would have everybody count all the
 * time. */
static void
follow_room(const char *name, const char *root, struct shares_member *member)
{
	char now_text[TEXT_BYTES_ROOM];
	struct shares_total total;
	uint64_t room;

	shares_read(member->pool, &total);
	room = pool_room(root, member->pool);
	if (room == total.budget || (room < total.set &&
	    max_u64(room, total.budget) - min_u64(room, total.budget) <
	    total.set / NEARLY))
		return;
	(void)shares_budget_set(member, room);
	printf("pool %s: budget %s\n", name, text_format_bytes(now_text,
	    room));
	fflush(stdout);
}

int
pool_look_after(const char *name, struct shares *pool)
{
	const char *root = getenv("HEAPTIDE_SYSROOT");
	const struct sigaction end = { .sa_handler = note_end };
	struct shares_member member;
	struct shares_total total;
	unsigned n;
	int r;

	r = shares_join(pool, 1, 0, 0, &member);
	if (r < 0) {
		print_error("pool: cannot join '%s': %s", name, strerror(-r));
		return COMMAND_FAILED;
	}
	sigaction(SIGTERM, &end, NULL);
	if (!signals_are_ignored(SIGINT))
		sigaction(SIGINT, &end, NULL);
	if (!signals_are_ignored(SIGHUP))
		sigaction(SIGHUP, &end, NULL);
	for (n = 0, total.stopped = 0; !ended && !total.stopped; n++) {
		if (n % SWEEPS == 0)
			follow_room(name, root != NULL ? root : "", &member);
		if (n % (SWEEPS * AUDIT_LOOKS) == 0)
			(void)shares_audit(&member, NULL);
		(void)shares_sweep(&member);
		sys_sleep(SWEEP_NS);
		shares_read(pool, &total);
	}
	shares_leave(&member);
	return COMMAND_DONE;
}
