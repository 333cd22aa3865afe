/*
 * cmd-export.c - `heaptide export`: a profile for other tools
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "cmd/commands.h"
#include "formats/export.h"
#include "say/option.h"
#include "say/output.h"
#include "say/print.h"

struct export_options {
	int format;
	int by;
	const char *file;
	bool debuginfod;
	bool prometheus;
};

static const struct {
	bool (*write)(const struct export *e);
	bool binary;
	bool totals; /* has no figure of sites that is scaled up */
} formats[] = {
	{ .write = export_pprof, .binary = true },
	{ .write = export_collapsed },
	{ .write = export_speedscope },
	{ .write = export_massif },
	{ .write = export_heaptrack },
	{ .write = export_callgrind },
	{ .write = export_csv },
	{ .write = export_json, .totals = true },
	{ .write = export_openmetrics, .totals = true },
	{ .write = export_prometheus, .totals = true },
};

/* In the same order. */
static const char *const format_names[] = {
	"pprof", "collapsed", "speedscope", "massif", "heaptrack",
	"callgrind", "csv", "json", "openmetrics", "prometheus", NULL
};

#define NO_FORMAT  (-1)
#define PROMETHEUS 9

_Static_assert(ARRAY_LENGTH(format_names) == ARRAY_LENGTH(formats) + 1 &&
    ARRAY_LENGTH(formats) == PROMETHEUS + 1, "a name for each format");

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
	{ .name = "prometheus", .kind = OPTION_FLAG,
	  .at = offsetof(struct export_options, prometheus),
	  .help = "the same as --format prometheus" },
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
write_format(const struct export_options *o, int format, struct report *r)
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
	good = is_known(&e) && formats[format].write(&e);
	if (good && e.estimated && !formats[format].totals)
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
may_show(const struct export_options *o, int format)
{
	if (o->file != NULL || !formats[format].binary ||
	    !isatty(STDOUT_FILENO))
		return true;
	print_error("export: --format %s is binary, and not for a terminal; "
	    "name a file with -o", format_names[format]);
	return false;
}

/* NO_FORMAT: a sentence has said why. */
static int
find_format(const struct export_options *o)
{
	if (!o->prometheus && o->format == NO_FORMAT)
		print_error("export: --format is missing; pprof, collapsed, "
		    "speedscope, massif, heaptrack, callgrind, csv, json, "
		    "openmetrics or prometheus is accepted");
	else if (!o->prometheus || o->format == PROMETHEUS)
		return o->format;
	else if (o->format == NO_FORMAT)
		return PROMETHEUS;
	else
		print_error("export: --prometheus is another name of --format "
		    "prometheus, and '%s' is given as well; one of them is "
		    "accepted", format_names[o->format]);
	return NO_FORMAT;
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
	int status, format = find_format(o);
	char why[512];

	(void)operands;
	if (format == NO_FORMAT || !may_show(o, format))
		return COMMAND_USAGE;
	if (profile_open(operand[0], &profile, why) < 0) {
		print_error("export: %s", why);
		return COMMAND_FAILED;
	}
	report_open(&r, &profile, &plain);
	status = write_format(o, format, &r);
	report_close(&r);
	status = profile_tell_changed(&profile, "export", status);
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
