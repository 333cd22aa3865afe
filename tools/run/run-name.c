/*
 * run-name.c - where the profile of a run goes: FILE with its `%x` filled in
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "run/run.h"
#include "say/output.h"

/* A rank is what the launcher of a parallel job calls its processes. */
static const char *const rank_variables[] = {
	"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "MV2_COMM_WORLD_RANK",
	"SLURM_PROCID",
};

static const char *
find_rank(void)
{
	for (size_t i = 0; i < ARRAY_LENGTH(rank_variables); i++) {
		const char *rank = getenv(rank_variables[i]);

		if (rank != NULL && *rank != '\0')
			return rank;
	}
	return "0";
}

const char *
run_bad_percent(const char *pattern)
{
	for (; (pattern = strchr(pattern, '%')) != NULL; pattern += 2)
		if (pattern[1] == '\0' || strchr("phcr%", pattern[1]) == NULL)
			return pattern;
	return NULL;
}

static char *
expand_file(const char *pattern, int pid, const char *command)
{
	char host[HOST_NAME_MAX + 1] = "localhost";
	char name[GATHER_NAME_ROOM];
	char *file = NULL;
	size_t bytes;
	FILE *out;

	out = open_memstream(&file, &bytes);
	if (out == NULL)
		return NULL;
	(void)gethostname(host, sizeof(host) - 1);
	for (; *pattern != '\0'; pattern++) {
		if (*pattern != '%') {
			fputc(*pattern, out);
			continue;
		}
		switch (*++pattern) {
		case 'p': fprintf(out, "%d", pid); break;
		case 'h': fputs(host, out); break;
		case 'c': fputs(gather_name(command, name), out); break;
		case 'r': fputs(find_rank(), out); break;
		default: fputc('%', out); break;
		}
	}
	return fclose(out) == 0 ? file : NULL;
}

/* In a directory it has the name that it would have here. */
static char *
name_in(const char *folder, const char *between, char *name)
{
	char *file;

	if (name == NULL || asprintf(&file, "%s%s%s", folder, between,
	    name) < 0)
		file = NULL;
	free(name);
	return file;
}

bool
run_name_results(struct run *run)
{
	char *file = expand_file(run->options->file, run->child.pid,
	    run->argv[0]);
	const char *between = file != NULL ? output_folder(file) : NULL;

	run->file = between == NULL ? file : name_in(file, between,
	    expand_file(RUN_FILE, run->child.pid, run->argv[0]));
	if (between != NULL)
		free(file);
	return run->file != NULL &&
	    asprintf(&run->folder, "%s.d", run->file) >= 0;
}
