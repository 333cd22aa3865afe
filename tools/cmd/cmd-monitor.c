/*
 * cmd-monitor.c - `heaptide monitor`: a line a process and interval
 *
 * Any process will do; of one with heaptide inside its heap is told as well,
 * from its profile, which costs that process nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "say/option.h"
#include "say/print.h"
#include "say/signals.h"
#include "sys/sys.h"
#include "top/monitor.h"

#define INTERVAL_DEFAULT "30s"
#define INTERVAL_LEAST   (10 * NS_PER_MS)

struct monitor_options {
	const char *interval;
	struct option_list pids;
	struct option_list names;
	bool all;
	uint64_t count; /* lines of each process; 0: until it ends */
	const char *file;
	bool daemon;
	bool json;
};

#define AT(member) .at = offsetof(struct monitor_options, member)

static const struct option_row monitor_rows[] = {
	{ .name = "interval", .letter = 'i', .kind = OPTION_TEXT,
	  AT(interval), .word = "T",
	  .help = "time from one line to the next: 500ms, 5s, 1m, or 5 "
	  "(30s)" },
	{ .name = "pid", .letter = 'p', .kind = OPTION_LIST, AT(pids),
	  .word = "PID", .help = "watch this process, as an operand does" },
	{ .name = "name", .kind = OPTION_LIST, AT(names), .word = "NAME",
	  .help = "watch all processes of this name, new ones too" },
	{ .name = "all", .letter = 'a', .kind = OPTION_FLAG, AT(all),
	  .help = "watch all processes of this user with heaptide inside" },
	{ .name = "count", .letter = 'c', .kind = OPTION_COUNT, AT(count),
	  .word = "N", .least = 1,
	  .help = "end after N lines of each process" },
	{ .name = "output", .letter = 'o', .kind = OPTION_TEXT, AT(file),
	  .word = "FILE", .help = "append the lines to FILE" },
	{ .name = "daemon", .kind = OPTION_FLAG, AT(daemon),
	  .help = "go on in the background; -o FILE is due" },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG, AT(json),
	  .help = "print JSON, an object a line" },
	{ .name = NULL }
};

static const struct monitor_options monitor_defaults = {
	.interval = INTERVAL_DEFAULT,
};

struct monitor {
	const struct monitor_options *options;
	uint64_t interval_ns;
	struct watch_list list;
	struct print out;
	bool missing; /* a process that was named is not there */
	int signals;  /* signalfd of those that end us */
};

/* --- what is asked for ---------------------------------------------------- */

/* A bare number is seconds here, as with those who asked for it. */
static bool
read_interval(struct monitor *m)
{
	const char *text = m->options->interval;
	uint64_t seconds;

	if (text_parse_duration(text, &m->interval_ns) < 0) {
		m->interval_ns = 0;
		if (text_parse_u64(text, UINT32_MAX, &seconds) == 0)
			m->interval_ns = seconds * NS_PER_S;
	}
	if (m->interval_ns >= INTERVAL_LEAST)
		return true;
	print_error("monitor: --interval '%s' is not accepted; 500ms, 5s, 1m "
	    "or a number of seconds is, from 10ms on", text);
	return false;
}

static bool
check_options(const struct monitor_options *o, int operands)
{
	if (o->daemon && o->file == NULL)
		print_error("monitor: --daemon needs --output FILE, where the "
		    "lines go");
	else if (operands == 0 && o->pids.count == 0 && o->names.count == 0 &&
	    !o->all)
		print_error("monitor: whom to watch is missing; PID, --name "
		    "NAME or --all is accepted");
	else
		return true;
	return false;
}

/* False: @text is no pid.  One that is not there is told, and remembered. */
static bool
add_pid(struct monitor *m, const char *text)
{
	uint64_t pid;
	int r;

	if (text_parse_u64(text, INT32_MAX, &pid) < 0 || pid == 0) {
		print_error("monitor: '%s' is no process; a pid is accepted, "
		    "or --name NAME", text);
		return false;
	}
	r = watch_add(&m->list, (int)pid);
	if (r == 0)
		return true;
	m->missing = true;
	if (r == -ESRCH)
		print_error("monitor: there is no process %s, or it has ended",
		    text);
	else
		print_error("monitor: cannot look at process %s: %s", text,
		    strerror(-r));
	return true;
}

/* An exit status. */
static int
find_watched(struct monitor *m, int operands, char **operand)
{
	const struct monitor_options *o = m->options;

	for (size_t i = 0; i < o->pids.count; i++)
		if (!add_pid(m, o->pids.value[i]))
			return COMMAND_USAGE;
	for (int i = 0; i < operands; i++)
		if (!add_pid(m, operand[i]))
			return COMMAND_USAGE;
	watch_find(&m->list);
	if (m->list.first != NULL)
		return COMMAND_DONE;
	if (o->names.count != 0)
		print_error("monitor: no process is called '%s'%s",
		    o->names.value[0], o->names.count > 1 ?
		    ", nor by another name that is given" : "");
	else if (o->all)
		print_error("monitor: no process of yours with heaptide "
		    "inside is running");
	return COMMAND_FAILED;
}

/* --- lines ---------------------------------------------------------------- */

static bool
is_done(const struct monitor *m, const struct watched *w)
{
	return m->options->count != 0 && w->lines >= m->options->count;
}

/* Is there nobody left of whom a line is due? */
static bool
is_over(const struct monitor *m)
{
	const struct watched *w = m->list.first;

	while (w != NULL && is_done(m, w))
		w = w->next;
	return w == NULL;
}

static void
say_end(struct monitor *m, struct watched *w)
{
	if (!is_done(m, w))
		monitor_say_end(&m->out, m->options->json, w);
	watch_drop(&m->list, w);
}

static void
say_ended(struct monitor *m)
{
	struct watched *next;

	for (struct watched *w = m->list.first; w != NULL; w = next) {
		next = w->next;
		if (watch_has_ended(w))
			say_end(m, w);
	}
}

static void
say_all(struct monitor *m)
{
	struct watched *next;
	struct look look;

	for (struct watched *w = m->list.first; w != NULL; w = next) {
		next = w->next;
		if (watch_has_ended(w)) {
			say_end(m, w);
		} else if (!is_done(m, w) && monitor_look(w, &look) == 0) {
			monitor_say(&m->out, m->options->json, w, &look);
			w->lines++;
		}
	}
}

/* Each round of lines is there at once, for who follows the file. */
static bool
flush(struct monitor *m)
{
	if (fflush(m->out.to) == 0 && !ferror(m->out.to))
		return true;
	if (m->out.to != stdout)
		print_error("monitor: cannot write to %s: %s",
		    m->options->file, strerror(errno));
	return false;
}

/* --- time goes by --------------------------------------------------------- */

/* True: go on with the next round. */
static bool
wait_until(struct monitor *m, uint64_t next_ns)
{
	while (sys_clock() < next_ns) {
		if (watch_sleep(&m->list, next_ns, m->signals))
			return false;
		say_ended(m);
		if (m->list.first == NULL)
			watch_find(&m->list);
		if (!flush(m) || is_over(m))
			return false;
	}
	return true;
}

static int
watch(struct monitor *m)
{
	uint64_t next_ns = sys_clock(), now_ns;

	do {
		watch_find(&m->list);
		say_all(m);
		if (!flush(m) || is_over(m))
			break;
		/* Rounds that were slept through are not made up for. */
		now_ns = sys_clock();
		next_ns += m->interval_ns;
		if (next_ns < now_ns)
			next_ns = now_ns + m->interval_ns;
	} while (wait_until(m, next_ns));
	return ferror(m->out.to) || m->missing ? COMMAND_FAILED :
	    COMMAND_DONE;
}

/* --- where the lines go --------------------------------------------------- */

static bool
open_output(struct monitor *m)
{
	FILE *to = stdout;

	if (m->options->file != NULL)
		to = fopen(m->options->file, "ae");
	if (to == NULL) {
		print_error("monitor: cannot append to %s: %s",
		    m->options->file, strerror(errno));
		return false;
	}
	m->out = print_open(to);
	return true;
}

/* False: here goes who started us, and @status is its. */
static bool
go_to_background(const struct monitor *m, int *status)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid = null >= 0 ? fork() : -1;

	if (pid < 0) {
		print_error("monitor: cannot go to the background: %s",
		    strerror(errno));
		*status = COMMAND_FAILED;
		return false;
	}
	if (pid > 0) {
		printf("%d\n", (int)pid);
		*status = m->missing ? COMMAND_FAILED : COMMAND_DONE;
		return false;
	}
	(void)setsid();
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	return true;
}

static void
take_signals(struct monitor *m)
{
	sigset_t set;

	sigemptyset(&set);
	signals_add(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	m->signals = signalfd(-1, &set, SFD_CLOEXEC);
}

static int
monitor_run(const void *options, int operands, char **operand)
{
	const struct monitor_options *o = options;
	struct monitor m = {
		.options = o,
		.list = { .names = &o->names, .all = o->all },
	};
	int status;

	if (!check_options(o, operands) || !read_interval(&m))
		return COMMAND_USAGE;
	status = find_watched(&m, operands, operand);
	if (status != COMMAND_DONE)
		goto out;
	status = COMMAND_FAILED;
	if (!open_output(&m))
		goto out;
	if (!o->daemon || go_to_background(&m, &status)) {
		take_signals(&m);
		status = watch(&m);
	}
	if (m.out.to != stdout)
		fclose(m.out.to);
out:
	watch_drop_all(&m.list);
	return status;
}

const struct command command_monitor = {
	.name = "monitor",
	.args = "[PID...]",
	.help = "print how processes stand, a line an interval",
	.rows = monitor_rows,
	.defaults = &monitor_defaults,
	.options_bytes = sizeof(struct monitor_options),
	.operands_most = -1,
	.run = monitor_run,
};
