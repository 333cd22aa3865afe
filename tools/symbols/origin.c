#include "symbols/origin.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base.h"
#include "say/need.h"
#include "say/print.h"
#include "symbols/cache.h"
#include "symbols/object.h"

/* /usr/lib/debug/.build-id/ab/cdef.debug, where packages put debug files. */
static char *
debug_path(const struct module *m)
{
	char name[2 * sizeof(m->build_id) + 1] = "";

	if (m->build_id_bytes < 2)
		return NULL;
	for (size_t i = 0; i < m->build_id_bytes; i++)
		snprintf(name + 2 * i, 3, "%02x", m->build_id[i]);
	return need_text("/usr/lib/debug/.build-id/%.2s/%s.debug", name,
	    name + 2);
}

static void
choose_files(struct origin *o, const struct profile *profile,
    const char *path)
{
	size_t n = 0;

	o->file[n++] = need_text("%s", path);
	/* A program in a container names files as it sees them. */
	if (profile->live)
		o->file[n++] = need_text("/proc/%d/root%s",
		    profile_pid(profile), path);
	o->file[n++] = debug_path(o->module);
}

/* What there is to ask, as one line: see cache.h. */
static char *
describe_files(const struct origin *o, bool online)
{
	char *line = need_text("%s", online ? "online" : "offline");

	for (size_t i = 0; i < ORIGIN_FILES; i++) {
		char *before = line;
		struct stat st;

		if (o->file[i] == NULL || stat(o->file[i], &st) != 0)
			continue;
		line = need_text("%s %" PRIu64 ".%" PRId64 ".%ld", before,
		    (uint64_t)st.st_size, (int64_t)st.st_mtim.tv_sec,
		    st.st_mtim.tv_nsec);
		free(before);
	}
	return line;
}

static void
explain(struct origin *o, int error)
{
	if (error == -ESTALE)
		snprintf(o->trouble, sizeof(o->trouble),
		    "another build of it is there now");
	else if (error == -ENOEXEC)
		snprintf(o->trouble, sizeof(o->trouble), "it is no ELF file");
	else
		snprintf(o->trouble, sizeof(o->trouble), "%s",
		    strerror(-error));
}

/* The first file that is the very build that ran. */
void
origin_ask(struct origin *o)
{
	const struct module *m = o->module;
	int r = -ENOENT;

	if (o->opened)
		return;
	o->opened = true;
	for (size_t i = 0; i < ORIGIN_FILES; i++) {
		int e;

		if (o->file[i] == NULL)
			continue;
		e = object_open(o->file[i], m->build_id, m->build_id_bytes,
		    &o->object);
		if (e == 0)
			return;
		if (e != -ENOENT)
			r = e;
	}
	explain(o, r);
}

void
origin_open(struct origin *o, const struct profile *profile, bool online)
{
	char *source, *path;

	if (o->cache != NULL)
		return;
	path = profile_text(profile, o->module->path);
	choose_files(o, profile, path);
	o->path = print_clean(path); /* to be shown from here on */
	source = describe_files(o, online);
	o->cache = cache_open(o->module->build_id, o->module->build_id_bytes,
	    source);
	free(source);
	if (!cache_is_stale(o->cache))
		return;
	/* Old answers are true, but newer files may know more. */
	origin_ask(o);
	if (o->object != NULL)
		cache_clear(o->cache);
}

void
origin_close(struct origin *o)
{
	if (o->cache != NULL)
		cache_close(o->cache);
	object_close(o->object);
	free(o->path);
	for (size_t i = 0; i < ORIGIN_FILES; i++)
		free(o->file[i]);
}
