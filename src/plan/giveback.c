#include "plan/giveback.h"

#include "base/base.h"
#include "base/text.h"

#define ARENAS_MOST 256 /* with more of them, all at once */
#define NAME_ROOM   64

void
giveback_glibc(const struct giveback *g, uint64_t want)
{
	size_t top = want != TIDE_NONE && g->mallinfo2 != NULL ?
	    g->mallinfo2().keepcost : 0;

	(void)g->malloc_trim((size_t)above_u64(top, want));
}

void
giveback_tcmalloc(const struct giveback *g, uint64_t want)
{
	if (want == TIDE_NONE || g->release_some == NULL)
		g->release_all();
	else
		g->release_some((size_t)want);
}

/* --- jemalloc ------------------------------------------------------------- */

/* `before`N`behind`. */
static const char *
numbered(char name[NAME_ROOM], const char *before, unsigned n,
    const char *behind)
{
	struct text t;

	text_open(&t, name, NAME_ROOM);
	text_put(&t, before);
	text_put_u64(&t, n);
	text_put(&t, behind);
	return name;
}

static void
purge_arena(const struct giveback *g, unsigned arena)
{
	char name[NAME_ROOM];

	(void)g->mallctl(numbered(name, "arena.", arena, ".purge"), NULL,
	    NULL, NULL, 0);
}

static size_t
read_pages(const struct giveback *g, unsigned arena, const char *which,
    bool *known)
{
	size_t pages = 0, bytes = sizeof(pages);
	char name[NAME_ROOM];

	if (g->mallctl(numbered(name, "stats.arenas.", arena, which), &pages,
	    &bytes, NULL, 0) != 0)
		*known = false;
	return pages;
}

/*
 * Unused pages of each that are resident; the page's bytes, or 0: that is not
 * known.  An arena that nobody has used yet has no figures.
 */
static size_t
read_arenas(const struct giveback *g, uint32_t unused[ARENAS_MOST],
    unsigned *count)
{
	uint64_t epoch = 1;
	size_t page = 0, bytes = sizeof(page), size = sizeof(*count);
	unsigned any = 0, i;
	size_t pages;
	bool known;

	*count = 0;
	if (g->mallctl("epoch", NULL, NULL, &epoch, sizeof(epoch)) != 0 ||
	    g->mallctl("arenas.page", &page, &bytes, NULL, 0) != 0 ||
	    g->mallctl("arenas.narenas", count, &size, NULL, 0) != 0 ||
	    *count > ARENAS_MOST)
		return 0;
	for (i = 0; i < *count; i++) {
		known = true;
		pages = read_pages(g, i, ".pdirty", &known) +
		    read_pages(g, i, ".pmuzzy", &known);
		unused[i] = known ? (uint32_t)min_u64(pages, UINT32_MAX) : 0;
		any += known;
	}
	return any > 0 ? page : 0;
}

/* Of those with any: the least of @pages or more, else the largest. */
static unsigned
choose_arena(const uint32_t *unused, unsigned count, uint64_t pages)
{
	unsigned best = 0, i;

	for (i = 1; i < count; i++)
		if (unused[best] < pages ? unused[i] > unused[best] :
		    unused[i] >= pages && unused[i] < unused[best])
			best = i;
	return best;
}

void
giveback_jemalloc(const struct giveback *g, uint64_t want)
{
	uint32_t unused[ARENAS_MOST];
	uint64_t pages;
	unsigned count, i;
	size_t page = want == TIDE_NONE ? 0 : read_arenas(g, unused, &count);

	if (page == 0) {
		/* 4096: MALLCTL_ARENAS_ALL. */
		purge_arena(g, 4096);
		return;
	}
	pages = want / page + 1;
	while (pages > 0 && count > 0) {
		i = choose_arena(unused, count, pages);
		if (unused[i] == 0)
			break;
		purge_arena(g, i);
		pages = above_u64(pages, unused[i]);
		unused[i] = 0;
	}
}

bool
giveback_is_pending(const struct giveback *g)
{
	bool runs = false;
	size_t bytes = sizeof(runs);

	return g->mallctl != NULL && g->mallctl("background_thread", &runs,
	    &bytes, NULL, 0) == 0 && runs;
}
