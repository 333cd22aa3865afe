/*
 * cmd-export.c - `heaptide export`: a profile for other tools
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "command.h"
#include "export.h"
#include "option.h"
#include "output.h"
#include "print.h"

struct export_options {
	int format;
	int by;
	const char *file;
	bool debuginfod;
};

/* The formats, and a name for none, which stands before them. */
static const struct {
	const char *name;
	bool (*write)(const struct export *e);
	bool binary;
} formats[] = {
	{ "pprof", export_pprof, true },
	{ "collapsed", export_collapsed, false },
	{ "speedscope", export_speedscope, false },
	{ "massif", export_massif, false },
	{ "heaptrack", export_heaptrack, false },
	{ "callgrind", export_callgrind, false },
	{ "csv", export_csv, false },
	{ "json", export_json, false },
};

static const char *const format_names[] = {
	"pprof", "collapsed", "speedscope", "massif", "heaptrack",
	"callgrind", "csv", "json", NULL
};

#define NO_FORMAT (-1)

static const struct option_row export_rows[] = {
	{ .name = "format", .letter = 'f', .kind = OPTION_CHOICE,
	  .choices = format_names,
	  .at = offsetof(struct export_options, format),
	  .help = "for which tool" },
	{ .name = "output", .letter = 'o', .kind = OPTION_TEXT,
	  .at = offsetof(struct export_options, file), .word = "FILE",
	  .help = "where it goes (standard output)" },
	{ .name = "by", .letter = 'b', .kind = OPTION_CHOICE,
	  .choices = export_values,
	  .at = offsetof(struct export_options, by),
	  .help = "which figure is the first, or the only one (live)" },
	{ .name = "debuginfod", .kind = OPTION_FLAG,
	  .at = offsetof(struct export_options, debuginfod),
	  .help = "ask DEBUGINFOD_URLS for debug files" },
	{ .name = NULL }
};

static const struct export_options export_defaults = {
	.format = NO_FORMAT,
	.by = EXPORT_LIVE,
};

/* True: it can be exported by what is asked for. */
static bool
is_known(const struct export *e)
{
	if (e->by != EXPORT_GROWTH || e->grown)
		return true;
	print_error("export: growth is not known of '%s': nothing was noted "
	    "but how it stood last", e->report->profile->path);
	return false;
}

static int
write_format(const struct export_options *o, struct report *r)
{
	struct output out;
	struct export e;
	bool good;
	int error;

	error = output_open(&out, o->file);
	if (error < 0) {
		print_error("export: cannot write '%s': %s", o->file,
		    strerror(-error));
		return COMMAND_FAILED;
	}
	export_open(&e, r, out.to, (enum export_value)o->by);
	good = is_known(&e) && formats[o->format].write(&e);
	if (good && e.estimated && formats[o->format].write != export_json)
		print_error("export: figures are estimated, of one "
		    "allocation in %llu bytes, and scaled up to all",
		    (unsigned long long)r->profile->segment->config.
		    sample_bytes);
	export_close(&e);
	error = output_close(&out, good);
	if (error < 0)
		print_error("export: cannot write '%s': %s",
		    out.file != NULL ? out.file : "standard output",
		    strerror(-error));
	return good && error == 0 ? COMMAND_DONE : COMMAND_FAILED;
}

/* A terminal is no place for it. */
static bool
may_show(const struct export_options *o)
{
	if (o->file != NULL || !formats[o->format].binary ||
	    !isatty(STDOUT_FILENO))
		return true;
	print_error("export: --format %s is binary, and not for a terminal; "
	    "name a file with -o", formats[o->format].name);
	return false;
}

static int
export_run(const void *options, int operands, char **operand)
{
	const struct export_options *o = options;
	const struct report_options plain = {
		.debuginfod = o->debuginfod,
	};
	struct profile profile;
	struct report r;
	char why[512];
	int status;

	(void)operands;
	if (o->format == NO_FORMAT) {
		print_error("export: --format is missing; pprof, collapsed, "
		    "speedscope, massif, heaptrack, callgrind, csv or json is "
		    "accepted");
		return COMMAND_USAGE;
	}
	if (!may_show(o))
		return COMMAND_USAGE;
	if (profile_open(operand[0], &profile, why) < 0) {
		print_error("export: %s", why);
		return COMMAND_FAILED;
	}
	report_open(&r, &profile, &plain);
	status = write_format(o, &r);
	report_close(&r);
	profile_close(&profile);
	return status;
}

const struct command command_export = {
	.name = "export",
	.args = "FILE|PID",
	.help = "write a profile in the format of another tool",
	.rows = export_rows,
	.defaults = &export_defaults,
	.options_bytes = sizeof(struct export_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = export_run,
};
