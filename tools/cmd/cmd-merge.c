/*
 * cmd-merge.c - `heaptide merge`: the ranks of a job as one profile, and how
 * evenly its memory is spread over them
 */
#include <string.h>

#include "base/base.h"
#include "cmd/commands.h"
#include "formats/merge.h"
#include "say/option.h"
#include "say/print.h"

#define TOP_DEFAULT 10

struct merge_options {
	const char *file;
	uint64_t top;
	bool json;
};

static const struct option_row merge_rows[] = {
	{ .name = "output", .letter = 'o', .kind = OPTION_TEXT,
	  .at = offsetof(struct merge_options, file), .word = "FILE",
	  .help = "where the sum goes, a profile like others" },
	{ .name = "top", .letter = 'n', .kind = OPTION_COUNT, .word = "N",
	  .at = offsetof(struct merge_options, top),
	  .least = 1, .most = 1000000,
	  .help = "show N sites (10; in JSON all)" },
	{ .name = "json", .letter = 'j', .kind = OPTION_FLAG,
	  .at = offsetof(struct merge_options, json),
	  .help = "print JSON, all of it" },
	{ .name = NULL }
};

static int
write_sum(const struct merge *m, const char *file)
{
	int r = profile_compact(&m->sum, file);

	if (r == 0)
		return COMMAND_DONE;
	print_error("merge: cannot write '%s': %s", file, strerror(-r));
	return COMMAND_FAILED;
}

static int
merge_all(struct merge *m, const struct merge_options *o, char **operand)
{
	uint64_t top = o->top != 0 ? o->top : o->json ? SIZE_MAX : TOP_DEFAULT;
	int status = COMMAND_DONE;
	char why[512];

	for (; *operand != NULL; operand++)
		if (!merge_add(m, *operand, why)) {
			print_error("merge: %s", why);
			return COMMAND_FAILED;
		}
	if (!merge_finish(m, why)) {
		print_error("merge: %s", why);
		return COMMAND_FAILED;
	}
	if (o->file != NULL)
		status = write_sum(m, o->file);
	if (!o->json)
		merge_print_text(m, top);
	else if (merge_print_json(m, top) != COMMAND_DONE)
		status = COMMAND_FAILED;
	return m->changed ? COMMAND_FAILED : status;
}

static int
merge_run(const void *options, int operands, char **operand)
{
	struct merge m;
	int status;

	merge_open(&m, (size_t)operands);
	status = merge_all(&m, options, operand);
	merge_close(&m);
	return status;
}

const struct command command_merge = {
	.name = "merge",
	.args = "FILE|PID...",
	.help = "add up the profiles of a job's ranks, and compare them",
	.rows = merge_rows,
	.options_bytes = sizeof(struct merge_options),
	.operands_least = 1,
	.operands_most = -1,
	.run = merge_run,
};
