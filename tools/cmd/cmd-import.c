/*
 * cmd-import.c - `heaptide import`: an old profile of another tool, as ours
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "cmd/commands.h"
#include "formats/import.h"
#include "formats/packed.h"
#include "say/need.h"
#include "say/option.h"
#include "say/print.h"

struct import_options {
	const char *file;
};

static const struct {
	const char *name;
	bool (*read)(struct import *in);
} formats[] = {
	{ "heaptrack", import_heaptrack },
	{ "massif", import_massif },
	{ "pprof", import_pprof },
};

static const struct option_row import_rows[] = {
	{ .name = "output", .letter = 'o', .kind = OPTION_TEXT,
	  .at = offsetof(struct import_options, file), .word = "FILE",
	  .help = "where the profile goes" },
	{ .name = NULL }
};

/* What it cannot say is said once, here. */
static void
say_origin(const struct profile *p, const char *to)
{
	struct print out = print_open(stdout);
	char *origin = profile_text(p, p->segment->identity.origin);

	print_line(&out, PRINT_PLAIN, "%s: from %s", to, origin);
	free(origin);
}

static int
write_profile(struct import *in, const char *to)
{
	struct profile p;
	int r;

	if (forge_profile(in->forge, in->path, &p, in->why) < 0) {
		print_error("import: %s", in->why);
		return COMMAND_FAILED;
	}
	r = profile_compact(&p, to);
	if (r < 0)
		print_error("import: cannot write '%s': %s", to,
		    strerror(-r));
	else
		say_origin(&p, to);
	profile_close(&p);
	return r < 0 ? COMMAND_FAILED : COMMAND_DONE;
}

static int
import_file(size_t format, const char *path, const char *to)
{
	struct import *in = need(calloc(1, sizeof(*in)));
	int status = COMMAND_FAILED;

	in->path = path;
	in->from = packed_open(path);
	if (in->from == NULL) {
		print_error("import: cannot read '%s': %s", path,
		    errno == EINVAL ? "it is no file" : strerror(errno));
		free(in);
		return status;
	}
	in->forge = forge_open();
	if (formats[format].read(in))
		status = write_profile(in, to);
	else
		print_error("import: %s", in->why);
	forge_close(in->forge);
	if (in->from != NULL)
		fclose(in->from);
	free(in->text);
	free(in);
	return status;
}

static int
import_run(const void *options, int operands, char **operand)
{
	const struct import_options *o = options;

	(void)operands;
	if (o->file == NULL) {
		print_error("import: -o FILE is missing: where the profile "
		    "goes");
		return COMMAND_USAGE;
	}
	for (size_t i = 0; i < ARRAY_LENGTH(formats); i++)
		if (strcmp(formats[i].name, operand[0]) == 0)
			return import_file(i, operand[1], o->file);
	print_error("import: '%s' is no format; heaptrack, massif or pprof is "
	    "accepted", operand[0]);
	return COMMAND_USAGE;
}

const struct command command_import = {
	.name = "import",
	.args = "heaptrack|massif|pprof FILE",
	.help = "make a profile of one of another tool",
	.rows = import_rows,
	.options_bytes = sizeof(struct import_options),
	.operands_least = 2,
	.operands_most = 2,
	.run = import_run,
};
