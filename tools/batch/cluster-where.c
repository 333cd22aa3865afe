/*
 * cluster-where.c - where the files of a run on a cluster are
 */
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "batch/cluster.h"
#include "plan/run-who.h"
#include "say/need.h"

extern char **environ;

/* Beside the journals of runs; nodes may stand elsewhere, so from the root. */
char *
cluster_directory(const char *id)
{
	char path[JOURNAL_PATH], whole[PATH_MAX];

	if (run_who_make_directory(environ, path) < 0 ||
	    realpath(path, whole) == NULL)
		return NULL;
	*strrchr(whole, '/') = '\0';
	return need_text("%s/slurm/%s", whole, id);
}

char *
cluster_path(const struct cluster *c, const char *format, ...)
{
	va_list args;
	char *name, *path;

	va_start(args, format);
	name = need_text_list(format, args);
	va_end(args);
	path = need_text("%s/%s", c->directory, name);
	free(name);
	return path;
}
