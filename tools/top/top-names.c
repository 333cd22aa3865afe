/*
 * top-names.c - the calls of a site in words, looked up once
 *
 * A profile is opened anew at every look, but a site's calls never change: so
 * what is kept is text, by the site's number, and neither files nor profiles
 * stay open for it.
 */
#include "top/top.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "report/report.h"
#include "say/need.h"
#include "symbols/symbol.h"

#define CALLERS_MOST 3 /* beside the title */
#define LINE_ROOM    4096

struct top_name *
top_names_find(const struct top_names *n, uint32_t site)
{
	struct top_name *name;

	HASH_FIND(hh, n->by_site, &site, sizeof(site), name);
	return name;
}

/* What is left of "function  file.c:12" without the place. */
static char *
function_of(const char *call)
{
	const char *end = strstr(call, "  ");

	return need(strndup(call, end != NULL ? (size_t)(end - call) :
	    strlen(call)));
}

static bool
is_main(const char *call)
{
	return strcmp(call, "main") == 0 || strncmp(call, "main  ", 6) == 0;
}

static void
join_callers(struct top_name *name)
{
	name->callers = need(strdup(""));
	for (size_t i = 1; i < name->calls && i <= CALLERS_MOST; i++) {
		char *function = function_of(name->call[i]);
		char *more = need_text("%s < %s", name->callers, function);

		free(name->callers);
		free(function);
		name->callers = more;
		if (is_main(name->call[i]))
			break; /* what is beyond is the same for all */
	}
}

static void
add(struct top_names *n, struct symbols *symbols, const struct site *site,
    uint32_t id)
{
	struct top_name *name = need(calloc(1, sizeof(*name)));
	struct frame *frames;
	size_t depth = symbols_stack(symbols, site, &frames), at = 0;
	char line[LINE_ROOM];

	name->site = id;
	name->call = need(calloc(depth + 1, sizeof(name->call[0])));
	while (at < depth) {
		at += report_fold(&frames[at], depth - at, line,
		    sizeof(line));
		name->call[name->calls++] = need(strdup(line));
	}
	name->title = need(strdup(name->calls != 0 ? name->call[0] :
	    "[no stack]"));
	join_callers(name);
	free(frames);
	HASH_ADD(hh, n->by_site, site, sizeof(name->site), name);
}

void
top_names_add(struct top_names *n, const struct profile *profile,
    const uint32_t *sites, size_t count)
{
	const struct site **wanted = need(calloc(count + 1, sizeof(*wanted)));
	struct symbols *symbols = symbols_open(profile, false);
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		if (top_names_find(n, sites[i]) == NULL)
			wanted[found++] = &profile->site[sites[i]];
	symbols_resolve(symbols, wanted, found);
	for (size_t i = 0; i < found; i++)
		add(n, symbols, wanted[i],
		    (uint32_t)(wanted[i] - profile->site));
	symbols_close(symbols);
	free(wanted);
}

void
top_names_free(struct top_names *n)
{
	struct top_name *name, *next;

	HASH_ITER(hh, n->by_site, name, next) {
		HASH_DEL(n->by_site, name);
		for (size_t i = 0; i < name->calls; i++)
			free(name->call[i]);
		free(name->call);
		free(name->title);
		free(name->callers);
		free(name);
	}
}
