/*
 * bypassed.c - which modules of a process heaptide does not hear of, in words
 *
 * What the process and its look at itself have written down; and one thing
 * that no process can see: a malloc that its executable has and hides, which
 * the file tells.
 */
#include "report/bypassed.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"
#include "base/text.h"
#include "profile/inspect.h"
#include "symbols/json.h"

#define PATH_ROOM (sizeof(((struct segment_bypass *)NULL)->module) + 1)

/* A row that may be believed. */
struct row {
	uint32_t why;
	uint64_t frees;
	char module[PATH_ROOM];
	char allocator[PATH_ROOM];
};

struct rows {
	size_t count;
	struct row row[SEGMENT_BYPASSES + 1];
};

static const char *const names[BYPASS_KINDS] = {
	[BYPASS_FIRST] = "first",
	[BYPASS_BOUND] = "bound",
	[BYPASS_NAMESPACE] = "namespace",
	[BYPASS_OWN] = "own",
	[BYPASS_HIDDEN] = "hidden",
};

static bool
has(const struct rows *rows, const struct row *row)
{
	for (size_t i = 0; i < rows->count; i++)
		if (rows->row[i].why == row->why &&
		    strcmp(rows->row[i].module, row->module) == 0)
			return true;
	return false;
}

static void
take(struct rows *rows, const struct segment_bypass *from)
{
	struct row *row = &rows->row[rows->count];

	*row = (struct row){ .why = from->why, .frees = from->frees };
	if (row->why == BYPASS_NONE || row->why >= BYPASS_KINDS)
		return;
	memcpy(row->module, from->module, sizeof(from->module));
	memcpy(row->allocator, from->allocator, sizeof(from->allocator));
	print_clean(row->module);
	print_clean(row->allocator);
	rows->count += !has(rows, row);
}

/* Is the file still what ran there, and did it run here? */
static bool
is_as_it_was(const struct profile *p, const char *path)
{
	char here[HOST_NAME_MAX + 1] = "";
	char *host = profile_text(p, p->segment->identity.host);
	bool same;
	struct stat st;

	same = gethostname(here, sizeof(here) - 1) == 0 &&
	    strcmp(host, here) == 0 && stat(path, &st) == 0 &&
	    S_ISREG(st.st_mode) &&
	    (double)st.st_ctime <= profile_started(p) + 1;
	free(host);
	return same;
}

static void
take_hidden(struct rows *rows, const struct profile *p)
{
	char *path = profile_text(p, p->segment->identity.executable);
	size_t bytes = strlen(path), room = PATH_ROOM - 2;
	struct row *row = &rows->row[rows->count];
	const char *found = NULL;

	if (path[0] == '/' && is_as_it_was(p, path))
		found = inspect_allocator(path);
	if (found != NULL) {
		*row = (struct row){ .why = BYPASS_FIRST };
		snprintf(row->module, sizeof(row->module), "%s",
		    path + above_u64(bytes, room));
		snprintf(row->allocator, sizeof(row->allocator), "%s", found);
		print_clean(row->module);
		if (!has(rows, row)) {
			row->why = BYPASS_HIDDEN;
			rows->count++;
		}
	}
	free(path);
}

static void
collect(struct rows *rows, const struct profile *p)
{
	rows->count = 0;
	for (size_t i = 0; i < SEGMENT_BYPASSES; i++)
		take(rows, &p->segment->bypass[i]);
	take_hidden(rows, p);
}

/* It stands before heaptide, and its calls arrive all the same. */
static bool
passes_on(const struct profile *p, const struct row *row)
{
	return row->why == BYPASS_FIRST && !profile_is_bypassed(p);
}

static void
print_row(const struct profile *p, const struct row *row,
    const struct print *out, int width)
{
	const char *m = row->module, *a = row->allocator;
	char count[TEXT_COUNT_ROOM];

	switch (row->why) {
	case BYPASS_FIRST:
		if (passes_on(p, row))
			print_line(out, PRINT_PLAIN, "  %-*s malloc of %s "
			    "comes before heaptide's, and passes calls on",
			    width, "behind", m);
		else
			print_line(out, PRINT_WARN, "  %-*s anything: malloc "
			    "of %s comes before heaptide's", width,
			    "not seen", m);
		return;
	case BYPASS_BOUND:
		print_line(out, PRINT_WARN, "  %-*s what %s allocates: its "
		    "calls are bound to %s (RTLD_DEEPBIND)", width,
		    "not seen", m, a);
		return;
	case BYPASS_NAMESPACE:
		print_line(out, PRINT_WARN, "  %-*s what %s allocates: it has "
		    "a C library of its own (dlmopen)", width, "not seen", m);
		return;
	case BYPASS_OWN:
		print_line(out, PRINT_WARN, "  %-*s what %s allocates: its "
		    "calls are bound to its own malloc", width, "not seen",
		    m);
		return;
	case BYPASS_HIDDEN:
		print_line(out, PRINT_WARN, "  %-*s what %s gives out by %s, "
		    "which is linked into it", width, "not seen", m, a);
		return;
	case BYPASS_FREES:
		print_line(out, PRINT_WARN, "  %-*s the allocation of %s "
		    "blocks that %s freed", width, "not seen",
		    text_format_count(count, row->frees), m);
		return;
	}
}

void
bypassed_print(const struct profile *p, const struct print *out, int width)
{
	struct rows rows;

	collect(&rows, p);
	for (size_t i = 0; i < rows.count; i++)
		print_row(p, &rows.row[i], out, width);
}

json_t *
bypassed_json(const struct profile *p)
{
	json_t *list = json_array();
	struct rows rows;

	collect(&rows, p);
	for (size_t i = 0; i < rows.count; i++) {
		const struct row *row = &rows.row[i];
		json_t *o;

		if (names[row->why] == NULL)
			continue;
		o = json_pack("{s:s, s:s}", "module", row->module, "why",
		    names[row->why]);
		if (row->allocator[0] != '\0')
			json_object_set_new(o, "allocator",
			    json_string(row->allocator));
		if (row->why == BYPASS_FIRST)
			json_object_set_new(o, "passes_on",
			    json_boolean(passes_on(p, row)));
		json_array_append_new(list, o);
	}
	return list;
}

json_t *
bypassed_json_frees(const struct profile *p)
{
	json_t *list = json_array();
	struct rows rows;

	collect(&rows, p);
	for (size_t i = 0; i < rows.count; i++)
		if (rows.row[i].why == BYPASS_FREES)
			json_array_append_new(list, json_pack("{s:s, s:o}",
			    "module", rows.row[i].module, "frees",
			    json_number(rows.row[i].frees)));
	return list;
}
