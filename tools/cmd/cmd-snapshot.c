/*
 * cmd-snapshot.c - `heaptide snapshot`: a live profile as a file
 *
 * The segment is copied while the program goes on storing into it; a copy that
 * was torn by that is read once more (tools/profile/image.c).
 */
#include <jansson.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cmd/commands.h"
#include "control/census.h"
#include "control/control.h"
#include "live/gather.h"
#include "profile/reader.h"
#include "say/need.h"
#include "say/option.h"
#include "say/output.h"
#include "say/print.h"

struct snapshot_options {
	const char *file;
	bool json;
};

static const struct option_row snapshot_rows[] = {
	{ .name = "output", .letter = 'o', .kind = OPTION_TEXT,
	  .at = offsetof(struct snapshot_options, file), .word = "FILE",
	  .help = "where it goes (heaptide.CMD.PID.tide)" },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct snapshot_options, json),
	  .help = "print its name as JSON" },
	{ .name = NULL }
};

/* In @folder, and @between that and its name; both empty: here. */
static char *
name_file(const struct profile *p, int pid, const char *folder,
    const char *between)
{
	char **arguments = profile_arguments(p);
	char name[GATHER_NAME_ROOM];
	char *file = need_text("%s%sheaptide.%s.%d" SEGMENT_SUFFIX,
	    folder, between,
	    gather_name(arguments != NULL && arguments[0] != NULL ?
	    arguments[0] : "unknown", name), pid);

	free(arguments);
	return file;
}

/* What is resident belongs to it, as of now. */
static void
look(int pid)
{
	char path[PLACE_ROOM], why[512];
	struct control c;

	if (profile_find((uint64_t)pid, path, why) < 0 ||
	    control_open(&c, path, pid) < 0)
		return;
	(void)census_take(c.segment, pid);
	control_close(&c);
}

static int
print_file(int pid, const char *file, bool json)
{
	struct print out = print_open(stdout);
	json_t *o;

	if (json) {
		o = json_head();
		json_object_set_new(o, "pid", json_integer(pid));
		json_object_set_new(o, "file", json_text(file));
		return json_print(o);
	}
	print_line(&out, PRINT_PLAIN, "%s", file);
	return COMMAND_DONE;
}

static int
snapshot_run(const void *options, int operands, char **operand)
{
	const struct snapshot_options *o = options;
	struct profile p;
	char why[512] = "";
	const char *between;
	uint64_t pid;
	char *file;
	int r;

	(void)operands;
	if (text_parse_u64(operand[0], INT_MAX, &pid) < 0 || pid == 0) {
		print_error("snapshot: '%s' is no process; a pid is accepted",
		    operand[0]);
		return COMMAND_USAGE;
	}
	look((int)pid);
	if (profile_open(operand[0], &p, why) < 0) {
		print_error("snapshot: %s", why);
		return COMMAND_FAILED;
	}
	between = o->file != NULL ? output_folder(o->file) : NULL;
	file = o->file == NULL ? name_file(&p, (int)pid, "", "") :
	    between != NULL ? name_file(&p, (int)pid, o->file, between) :
	    need_text("%s", o->file);
	r = profile_compact(&p, file);
	if (r < 0)
		print_error("snapshot: cannot write %s: %s", file,
		    strerror(-r));
	r = r < 0 ? COMMAND_FAILED : print_file((int)pid, file, o->json);
	free(file);
	profile_close(&p);
	return r;
}

const struct command command_snapshot = {
	.name = "snapshot",
	.args = "PID",
	.help = "copy the profile of a process, which goes on",
	.rows = snapshot_rows,
	.options_bytes = sizeof(struct snapshot_options),
	.operands_least = 1,
	.operands_most = 1,
	.run = snapshot_run,
};
