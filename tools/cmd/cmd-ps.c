/*
 * cmd-ps.c - `heaptide ps`: every process of this user with heaptide inside
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/room.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "plan/message.h"
#include "profile/shelf.h"
#include "report/leaks.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"
#include "symbols/json.h"
#include "sys/place.h"
#include "sys/proc.h"
#include "top/processes.h"

extern char **environ;

#define INDENT_MOST 40 /* columns of tree in front of a command */

struct ps_options {
	bool json;
	bool all;
	bool clean;
};

static const struct option_row ps_rows[] = {
	{ .name = "all", .letter = 'a', .kind = OPTION_FLAG,
	  .at = offsetof(struct ps_options, all),
	  .help = "also what a process was before an exec" },
	{ .name = "clean", .kind = OPTION_FLAG,
	  .at = offsetof(struct ps_options, clean),
	  .help = "remove what dead processes left and nobody will collect" },
	{ .name = "json", .kind = OPTION_FLAG,
	  .at = offsetof(struct ps_options, json),
	  .help = "print JSON" },
	{ .name = NULL }
};

/* --- as text -------------------------------------------------------------- */

static const struct print_column columns[] = {
	{ "PID", true },
	{ "HEAP", true },
	{ "PEAK", true },
	{ "RSS", true },
	{ "GROWTH", true },
	{ "BUDGET", true }, /* how much is used of which */
	{ "LEFT", true }, /* until the limit, at this rate */
	{ "LEAKS", true }, /* sites that surely keep growing */
	{ "THREADS", true },
	{ "STACKS", false },
	{ "STATE", false },
	{ "COMMAND", false },
};

static enum print_style
state_style(enum process_state state)
{
	switch (state) {
	case PROCESS_RUNNING: return PRINT_PLAIN;
	case PROCESS_STOPPED:
	case PROCESS_ZOMBIE: return PRINT_WARN;
	default: return PRINT_FAINT;
	}
}

#define BUDGET_ROOM (TEXT_BYTES_ROOM + 16)

/* `62 % of 512 MiB`, as the program is told it; or the limit alone. */
static const char *
format_budget(const struct process *e, char text[BUDGET_ROOM])
{
	uint64_t bytes = e->asks ? e->budget : e->limit;
	char size[TEXT_BYTES_ROOM];

	if (!process_is_living(e->state) || bytes == TIDE_NONE || bytes == 0)
		return "-";
	text_format_bytes(size, bytes);
	if (e->asks)
		snprintf(text, BUDGET_ROOM, "%.0f %% of %s", 100 *
		    (double)e->used / (double)bytes, size);
	else
		snprintf(text, BUDGET_ROOM, "%s", size);
	return text;
}

static void
show_entry(struct print_table *t, const struct process *e, unsigned depth)
{
	unsigned indent = depth * 2 < INDENT_MOST ? depth * 2 : INDENT_MOST;
	char bytes[TEXT_BYTES_ROOM], state[PROCESS_STATE_ROOM];
	char rate[TEXT_RATE_ROOM], time[TEXT_DURATION_ROOM];
	char budget[BUDGET_ROOM];

	print_row_style(t, state_style(e->state));
	print_cell(t, "%lld", process_shown_pid(e));
	print_cell(t, "%s", text_format_bytes(bytes, e->heap));
	print_cell(t, "%s", text_format_bytes(bytes, e->peak));
	print_cell(t, "%s", e->resident == 0 ||
	    !process_is_living(e->state) ? "-" :
	    text_format_bytes(bytes, e->resident));
	print_cell(t, "%s", e->moves && trend_is_sure(&e->growth) ?
	    text_format_rate(rate, e->growth.rate) : "-");
	print_cell(t, "%s", format_budget(e, budget));
	print_cell(t, "%s", e->left_s < PROCESS_LEFT_MOST ?
	    text_format_duration(time, e->left_s * NS_PER_S) : "-");
	if (e->judged)
		print_cell(t, "%zu", e->leaks.growing);
	else
		print_cell(t, "-");
	print_cell(t, "%u", e->threads);
	print_cell(t, "%s", e->stacks);
	print_cell(t, "%s", process_describe_state(e, state));
	print_cell(t, "%*s%s", (int)indent, "", e->command);
}

/* Who was shown is not shown again: files may lie, and form a circle. */
static void
show_tree(struct print_table *t, struct process *e, unsigned depth,
    const struct ps_options *o)
{
	if (e->shown)
		return;
	e->shown = true;
	if (process_is_listed(e, o->all))
		show_entry(t, e, depth++);
	for (struct process *c = e->first_child; c != NULL; c = c->sibling)
		show_tree(t, c, depth, o);
}

static void
show_sums(const struct print *out, const struct processes *l)
{
	char heap[TEXT_BYTES_ROOM], resident[TEXT_BYTES_ROOM];
	struct processes_sums s = processes_sum(l);

	if (s.living == 0)
		print_line(out, PRINT_PLAIN,
		    "no process with heaptide inside is running");
	else
		print_line(out, PRINT_STRONG, "total of %zu: heap %s, "
		    "resident %s", s.living, text_format_bytes(heap, s.heap),
		    text_format_bytes(resident, s.resident));
	if (s.left != 0)
		print_line(out, PRINT_PLAIN, "%zu dead and not collected "
		    "(%s): 'heaptide report PID' reads, 'heaptide ps --clean' "
		    "removes", s.left, text_format_bytes(heap, s.left_bytes));
	for (size_t i = 0; i < l->count; i++)
		if (l->process[i]->trouble != NULL)
			print_line(out, PRINT_BAD, "%s",
			    l->process[i]->trouble);
}

static int
show_text(struct processes *l, const struct ps_options *o)
{
	struct print out = print_open(stdout);
	struct print_table *t;
	size_t listed = 0;

	for (size_t i = 0; i < l->count; i++)
		listed += process_is_listed(l->process[i], o->all);
	if (listed != 0) {
		t = print_table_open(columns, ARRAY_LENGTH(columns));
		for (size_t i = 0; i < l->count; i++)
			if (!l->process[i]->has_parent)
				show_tree(t, l->process[i], 0, o);
		for (size_t i = 0; i < l->count; i++)
			show_tree(t, l->process[i], 0, o);
		print_table_close(t, &out, 0);
	}
	show_sums(&out, l);
	return COMMAND_DONE;
}

/* --- cleaning ------------------------------------------------------------- */

/* Who was killed beside it has left its socket behind as well. */
static void
remove_socket(const struct process *e)
{
	const char *name = strrchr(e->path, '/');
	char *path;

	if (name == NULL || e->key.image != SHELF_LAST)
		return;
	path = need_text("%.*s/%lld.sock", (int)(name - e->path), e->path,
	    (long long)e->key.pid);
	(void)unlink(path);
	free(path);
}

/* The same of a supervisor: the log of its run, and its fifo. */
static void
remove_runs(void)
{
	struct shelf_name supervisor;
	char directory[PLACE_ROOM];
	struct dirent *entry;
	DIR *dir;

	if (place_look(environ, directory) < 0)
		return;
	dir = opendir(directory);
	while (dir != NULL && (entry = readdir(dir)) != NULL)
		if (shelf_parse_run(entry->d_name, &supervisor) &&
		    supervisor.namespace == shelf_namespace() &&
		    !proc_is_alive(supervisor.pid, supervisor.ticks))
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	if (dir != NULL)
		closedir(dir);
}

static int
clean(const struct processes *l, const struct ps_options *o)
{
	struct print out = print_open(stdout);
	char bytes[TEXT_BYTES_ROOM];
	uint64_t freed = 0;
	size_t removed = 0;
	int status = COMMAND_DONE;

	for (size_t i = 0; i < l->count; i++) {
		const struct process *e = l->process[i];

		if (!process_is_left(l, e))
			continue;
		if (unlink(e->path) == 0) {
			remove_socket(e);
			removed++;
			freed += e->bytes_on_disk;
		} else if (errno != ENOENT) {
			print_error("ps: cannot remove %s: %s", e->path,
			    strerror(errno));
			status = COMMAND_FAILED;
		}
	}
	remove_runs();
	if (o->json) {
		json_t *object = json_head();

		json_object_set_new(object, "removed",
		    json_integer((json_int_t)removed));
		json_object_set_new(object, "bytes",
		    json_integer((json_int_t)freed));
		return json_print(object) == COMMAND_DONE ? status :
		    COMMAND_FAILED;
	}
	print_line(&out, PRINT_PLAIN, "removed %zu profile%s of dead "
	    "processes, %s", removed, removed == 1 ? "" : "s",
	    text_format_bytes(bytes, freed));
	return status;
}

static void
measure(struct process *p)
{
	process_measure(p);
	process_judge(p);
}

static int
ps_run(const void *options, int operands, char **operand)
{
	const struct ps_options *o = options;
	struct processes l = { .count = 0 };
	char why[PROCESSES_WHY_ROOM];
	int status = COMMAND_FAILED;

	(void)operands;
	(void)operand;
	if (processes_read(&l, why) < 0) {
		print_error("ps: %s", why);
	} else if (o->clean) {
		status = clean(&l, o);
	} else {
		for (size_t i = 0; i < l.count; i++)
			if (process_is_living(l.process[i]->state))
				measure(l.process[i]);
		status = o->json ? json_print(processes_json(&l, o->all)) :
		    show_text(&l, o);
	}
	processes_free(&l);
	return status;
}

const struct command command_ps = {
	.name = "ps",
	.help = "list the processes of this user with heaptide inside",
	.rows = ps_rows,
	.options_bytes = sizeof(struct ps_options),
	.run = ps_run,
};
