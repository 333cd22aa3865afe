/*
 * cmd-top.c - `heaptide top`: look, draw, wait for a key, and again
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "say/option.h"
#include "say/print.h"
#include "sys/sys.h"
#include "top/top.h"

/* A wish for less would only keep the machine busy. */
#define INTERVAL_LEAST (100 * NS_PER_MS)

#define MESSAGE_NS (10 * NS_PER_S) /* then the keys are told again */

struct top_options {
	uint64_t interval_ns;
};

static const struct top_options top_defaults = {
	.interval_ns = NS_PER_S,
};

static const struct option_row top_rows[] = {
	{ .name = "interval", .letter = 'i', .kind = OPTION_DURATION,
	  .at = offsetof(struct top_options, interval_ns), .word = "TIME",
	  .least = INTERVAL_LEAST,
	  .help = "look so often (1s)" },
	{ .name = NULL }
};

/* --- looking and drawing -------------------------------------------------- */

static void
look(struct top *t)
{
	if (t->in_process)
		top_process_read(&t->process);
	else
		top_list_read(&t->list);
	if (above_u64(sys_clock(), t->said_ns) > MESSAGE_NS)
		t->message[0] = '\0';
}

static void
draw(struct top *t)
{
	screen_clear();
	if (t->in_help) {
		top_draw_help(t);
	} else {
		if (t->in_process)
			top_process_draw(&t->process);
		else
			top_list_draw(&t->list);
		top_draw_foot(t);
	}
	screen_show();
}

/* Names may take a while: what is there is shown first. */
static void
draw_with_names(struct top *t)
{
	draw(t);
	if (!t->in_process || t->in_help ||
	    !top_sites_need_names(&t->process.sites))
		return;
	top_sites_find_names(&t->process.sites, &t->process.profile);
	draw(t);
}

static void
go_on(struct top *t, uint64_t interval_ns)
{
	uint64_t next_ns = sys_clock();

	while (!t->quit) {
		uint64_t now_ns = sys_clock();
		int key;

		if (now_ns >= next_ns || t->stale) {
			look(t);
			t->stale = false;
			next_ns = sys_clock() + interval_ns;
		}
		draw_with_names(t);
		key = screen_key(above_u64(next_ns, sys_clock()));
		if (key == SCREEN_KEY_STOP)
			break;
		if (key == SCREEN_KEY_REDRAW)
			screen_redraw();
		else if (key != SCREEN_KEY_NONE)
			top_key(t, key);
	}
}

/* --- beginning and end ---------------------------------------------------- */

static int
refuse_usage(void)
{
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		print_error("top: standard input and output must be a "
		    "terminal; 'heaptide ps' and 'heaptide report' write to "
		    "files");
		return COMMAND_USAGE;
	}
	return COMMAND_DONE;
}

static int
open_first(struct top *t, const char *operand)
{
	char path[PLACE_ROOM], why[512];
	uint64_t pid;

	if (text_parse_u64(operand, INT32_MAX, &pid) < 0 || pid == 0) {
		print_error("top: '%s' is no process; a PID is accepted",
		    operand);
		return COMMAND_USAGE;
	}
	if (profile_find(pid, path, why) < 0) {
		print_error("top: %s", why);
		return COMMAND_FAILED;
	}
	top_process_open(&t->process, path);
	if (!t->process.is_open) {
		print_error("top: %s", t->process.why);
		top_process_close(&t->process);
		return COMMAND_FAILED;
	}
	t->in_process = true;
	return COMMAND_DONE;
}

/* As whoever has sent it expects. */
static void
die_of(int number)
{
	signal(number, SIG_DFL);
	raise(number);
}

static int
top_run(const void *options, int operands, char **operand)
{
	const struct top_options *o = options;
	struct top t = { .quit = false };
	char why[SCREEN_WHY_ROOM];
	int r = refuse_usage();

	if (r == COMMAND_DONE && operands > 0)
		r = open_first(&t, operand[0]);
	if (r != COMMAND_DONE)
		return r;
	if (screen_open(why) < 0) {
		print_error("top: %s", why);
		r = COMMAND_USAGE;
		goto out;
	}
	go_on(&t, o->interval_ns);
	screen_close();
	if (screen_signal() != 0)
		die_of(screen_signal());
out:
	if (t.in_process)
		top_process_close(&t.process);
	top_list_free(&t.list);
	return r;
}

const struct command command_top = {
	.name = "top",
	.args = "[PID]",
	.help = "watch processes, or one of them, on the whole terminal",
	.rows = top_rows,
	.defaults = &top_defaults,
	.options_bytes = sizeof(struct top_options),
	.operands_most = 1,
	.run = top_run,
};
