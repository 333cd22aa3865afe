#include "run/room.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "plan/shares.h"
#include "profile/reader.h"
#include "say/command.h"
#include "say/need.h"
#include "say/print.h"
#include "sys/place.h"
#include "sys/proc.h"

#define VARIABLE "HEAPTIDE_BUDGET"

extern char **environ;

static const char *
system_root(void)
{
	const char *root = getenv("HEAPTIDE_SYSROOT");

	return root != NULL ? root : "";
}

/* --- whom it is about ----------------------------------------------------- */

/* What its profile knows: the heap, and a budget that was set meanwhile. */
static void
look_inside(struct room *room, uint64_t *budget_bytes)
{
	struct profile profile;
	struct totals totals;
	char why[512], pid[16];

	snprintf(pid, sizeof(pid), "%d", room->pid);
	if (profile_open(pid, &profile, why) < 0)
		return;
	if (profile.live) {
		profile_totals(&profile, &totals);
		room->has_segment = true;
		room->live = totals.live_bytes;
		room->peak = totals.peak_bytes;
		*budget_bytes = profile.segment->config.budget_bytes;
	}
	profile_close(&profile);
}

int
room_find(struct room *room, const char *command, const char *operand)
{
	struct proc_status status;
	struct proc_stat stat;
	uint64_t pid;
	int r;

	memset(room, 0, sizeof(*room));
	chain_open(&room->chain, system_root(), 0, NULL);
	if (operand == NULL)
		return COMMAND_DONE;
	if (text_parse_u64(operand, INT_MAX, &pid) < 0 || pid == 0) {
		print_error("%s: '%s' is no process; a pid is accepted",
		    command, operand);
		return COMMAND_USAGE;
	}
	r = proc_stat_read((int)pid, &stat);
	if (r == 0)
		r = proc_status_read((int)pid, &status);
	if (r < 0) {
		print_error("%s: cannot look at process %d: %s", command,
		    (int)pid, strerror(-r));
		return COMMAND_FAILED;
	}
	room->pid = (int)pid;
	memcpy(room->name, stat.name, sizeof(room->name));
	chain_open(&room->chain, system_root(), room->pid, &status);
	return COMMAND_DONE;
}

/* --- wishes --------------------------------------------------------------- */

/* @from is given over. */
static void
add_wish(struct room *room, const char *name, const char *value, char *from)
{
	struct source_wish wish;

	if (source_parse(value, &wish) == 0 &&
	    chain_add_wish(&room->chain, name, &wish) == 0)
		room->from[room->chain.count - 1] = from;
	else
		free(from);
}

static void
add_configured(struct room *room, const struct config *config)
{
	static const char *const names[] = {
		[FROM_COMMAND_LINE] = "option",
		[FROM_ENVIRONMENT] = "environment",
		[FROM_FILE] = "file",
		[FROM_USER_FILE] = "file",
		[FROM_PRESET] = "preset",
	};
	const struct config_value *v = config_values(config, "budget");
	char *from;
	size_t i;

	for (i = 0; i < ARRAY_LENGTH(names); i++) {
		if (v[i].text == NULL ||
		    (room->pid != 0 && i != FROM_COMMAND_LINE))
			continue;
		if (i == FROM_COMMAND_LINE)
			from = need_text("%s %s", v[i].where, v[i].text);
		else if (i == FROM_ENVIRONMENT)
			from = need_text("%s=%s", v[i].where, v[i].text);
		else
			from = need_text("%s: budget = %s", v[i].where,
			    v[i].text);
		add_wish(room, names[i], v[i].text, from);
	}
}

/* The value of a variable in the environment of another, or NULL. */
static char *
variable_of(const struct room *room, const char *name)
{
	size_t length = strlen(name), size = 0;
	char path[512], *line = NULL, *value = NULL;
	FILE *f;

	if (room->pid == 0) {
		const char *ours = getenv(name);

		return ours != NULL ? need_text("%s", ours) : NULL;
	}
	if (proc_path(path, sizeof(path), room->chain.root, room->pid,
	    "environ") < 0)
		return NULL;
	f = fopen(path, "re");
	if (f == NULL)
		return NULL;
	while (value == NULL && getdelim(&line, &size, '\0', f) > 0)
		if (strncmp(line, name, length) == 0 && line[length] == '=')
			value = need_text("%s", line + length + 1);
	free(line);
	fclose(f);
	return value;
}

/* Of a process: what it was set to by request, and what it was started with. */
static void
add_its_own(struct room *room)
{
	char bytes[24], *value = variable_of(room, VARIABLE);
	uint64_t budget = 0, given = 0;
	struct source_wish wish;

	look_inside(room, &budget);
	if (value != NULL && source_parse(value, &wish) == 0)
		given = wish.form == FORM_BYTES ? wish.value : budget;
	if (budget != 0 && budget != given) {
		snprintf(bytes, sizeof(bytes), "%llu",
		    (unsigned long long)budget);
		add_wish(room, "request", bytes,
		    need_text("set while it runs"));
	}
	if (value != NULL && *value != '\0')
		add_wish(room, "environment", value,
		    need_text(VARIABLE "=%s", value));
	free(value);
}

/* --- what others give ----------------------------------------------------- */

/*
 * What the member @pid may use: its base and its lease.  Who holds no lease, or
 * is none yet, may ask for what is left.
 */
static void
add_share(struct room *room, const struct shares *pool, const char *name)
{
	struct shares_total total;
	struct shares_row row = { .pid = 0 };
	uint64_t bytes;
	uint32_t i;

	shares_read(pool, &total);
	for (i = 0; room->pid != 0 && i < total.slots; i++)
		if (shares_read_row(pool, i, &row) != 0 &&
		    row.pid == room->pid)
			break;
	if (room->pid == 0 || i == total.slots)
		row = (struct shares_row){ .pid = 0 };
	bytes = row.base + row.lease;
	if (row.lease == 0)
		bytes += total.left > 0 ? (uint64_t)total.left : 0;
	chain_add_pool(&room->chain, bytes, row.used);
	room->from[room->chain.count - 1] = row.pid == 0 ?
	    need_text("HEAPTIDE_POOL=%s: what is left", name) :
	    need_text("HEAPTIDE_POOL=%s", name);
}

/* By its name, or by its path, which has a slash in it. */
static int
find_pool(const char *name, char path[PLACE_ROOM])
{
	char directory[PLACE_ROOM];
	int r;

	if (strchr(name, '/') != NULL)
		return snprintf(path, PLACE_ROOM, "%s", name) < PLACE_ROOM ?
		    0 : -ENAMETOOLONG;
	r = place_look(environ, directory);
	return r < 0 ? r : place_pool(directory, name, 0, path);
}

static void
add_pool(struct room *room)
{
	char path[PLACE_ROOM];
	char *name = variable_of(room, "HEAPTIDE_POOL");
	struct shares pool = { .head = NULL };

	/* A pool that is not there limits nobody. */
	if (name != NULL && find_pool(name, path) == 0 &&
	    shares_open(&pool, path, 0) == 0) {
		add_share(room, &pool, name);
		shares_close(&pool);
	}
	free(name);
}

static void
add_slurm(struct room *room)
{
	size_t before = room->chain.count;
	char *node = variable_of(room, "SLURM_MEM_PER_NODE");
	char *each = variable_of(room, "SLURM_MEM_PER_CPU");
	char *cpus = variable_of(room, "SLURM_CPUS_ON_NODE");
	bool by_node = node != NULL && *node != '\0' && strcmp(node, "0") != 0;

	if (chain_add_slurm(&room->chain, node, each, cpus) == 0 &&
	    room->chain.count > before)
		room->from[before] = by_node ?
		    need_text("SLURM_MEM_PER_NODE=%s", node) :
		    need_text("SLURM_MEM_PER_CPU=%s SLURM_CPUS_ON_NODE=%s",
		    each, cpus);
	free(node);
	free(each);
	free(cpus);
}

/* --- the whole ------------------------------------------------------------ */

void
room_read(struct room *room, const struct config *config)
{
	bool force = setting_is_on(config_get(config, "budget.force"));
	struct chain *c = &room->chain;

	add_configured(room, config);
	if (room->pid != 0)
		add_its_own(room);
	add_pool(room);
	add_slurm(room);
	chain_add_system(c);
	room->error = sources_judge(c->source, c->count, force,
	    &room->answer);
}

int
room_check(const struct room *room, const struct config *config,
    char why[CONFIG_WHY_ROOM])
{
	const struct source *first = &room->chain.source[0];
	const char *value = config_get(config, "budget");
	bool ours = room->pid == 0 ||
	    config_origin(config, "budget") == FROM_COMMAND_LINE;

	/* The nearest is the first row; those behind it do no harm. */
	if (room->error == 0 || value == NULL || !ours ||
	    first->kind != SOURCE_SET || first->bytes != SOURCE_NONE)
		return 0;
	snprintf(why, CONFIG_WHY_ROOM, "%s %s %s",
	    config_where(config, "budget"), value,
	    room->error == -ENODATA ?
	    "is relative, and there is no limit to be relative to" :
	    "takes away more than the lowest limit is");
	return -EINVAL;
}

void
room_close(struct room *room)
{
	size_t i;

	for (i = 0; i < room->chain.count; i++)
		free(room->from[i]);
	room->chain.count = 0;
}

char *
room_from(const struct room *room, size_t i)
{
	const struct chain_link *l = &room->chain.link[i];
	char path[512] = "";

	if (room->from[i] != NULL)
		return need_text("%s", room->from[i]);
	if (l->file == NULL)
		return need_text("%s", l->name);
	if (l->path_bytes != 0)
		return need_text("%.*s/%s", (int)l->path_bytes,
		    room->chain.groups.path, l->file);
	if (room->chain.source[i].kind == SOURCE_HOST)
		return need_text("%s/proc/%s", room->chain.root, l->file);
	(void)proc_path(path, sizeof(path), room->chain.root, room->pid,
	    l->file);
	return need_text("%s", path);
}

/*
 * Of a shell nothing is resident yet: then it is what the rest of the machine,
 * or of the group, uses.
 */
uint64_t
room_used(const struct room *room)
{
	const struct chain *c = &room->chain;
	size_t i = room->answer.rules;
	struct proc_memory memory;

	if (room->pid != 0)
		return i < c->count && c->source[i].used != SOURCE_NONE ?
		    c->source[i].used : c->status.resident;
	if (i < c->count && c->source[i].kind == SOURCE_CGROUP &&
	    c->source[i].used != SOURCE_NONE)
		return c->source[i].used;
	if (i < c->count && c->source[i].kind != SOURCE_HOST)
		return 0;
	if (proc_memory_read(c->root, &memory) < 0)
		return 0;
	return above_u64(memory.total, memory.available);
}

uint64_t
room_available(const struct room *room)
{
	return room->answer.available;
}

void
room_settle_preset(struct config *config)
{
	struct room room;

	if (!config->wants_budget)
		return;
	(void)room_find(&room, "preset", NULL);
	room_read(&room, config);
	config_use_preset(config, preset_of_budget(room.answer.budget));
	room_close(&room);
}
