/*
 * top-sites-view.c - the sites and the marks of a process, drawn
 */
#include "top/top.h"

#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"

/* --- sites ---------------------------------------------------------------- */

/* Columns of the list, and from which width on they are there. */
#define LIVE   10
#define SHARE  8
#define GROWN  11
#define BLOCKS 10
#define GROWN_LEAST  44
#define BLOCKS_LEAST 64

/* The heads of columns by which sites may be sorted. */
static unsigned
draw_head(const struct top_sites *s, unsigned y, unsigned x, unsigned room,
    enum top_order order)
{
	static const char *const heads[ORDERS] = {
		[ORDER_LIVE] = "LIVE", [ORDER_GROWTH] = "GREW",
		[ORDER_COUNT] = "BLOCKS",
	};
	const char *arrow = screen_is_utf8() ? "\u25be" : "*";

	return screen_put_right(y, x, room, SCREEN_HEAD, "%s%s",
	    s->order == order ? arrow : "", heads[order]);
}

static void
draw_sites_head(const struct top_sites *s, unsigned y)
{
	unsigned columns = screen_columns(), x;

	x = draw_head(s, y, 0, LIVE, ORDER_LIVE);
	x = screen_put_right(y, x, SHARE, SCREEN_HEAD, "SHARE");
	if (columns >= GROWN_LEAST)
		x = draw_head(s, y, x, GROWN, ORDER_GROWTH);
	if (columns >= BLOCKS_LEAST)
		x = draw_head(s, y, x, BLOCKS, ORDER_COUNT);
	x = screen_put(y, x + 2, UINT32_MAX, SCREEN_HEAD, "WHO");
	if (s->since != NULL)
		(void)screen_put(y, x + 2, UINT32_MAX, SCREEN_FAINT,
		    "grew since '%.*s'", (int)sizeof(s->since->name),
		    s->since->name);
	else
		(void)screen_put(y, x + 2, UINT32_MAX, SCREEN_FAINT,
		    "k sets a mark to grow from");
}

/* "+1.2 MiB" */
static void
draw_grown(unsigned y, unsigned x, const struct top_sites *s,
    const struct top_site *site)
{
	uint64_t size = site->growth < 0 ? -(uint64_t)site->growth :
	    (uint64_t)site->growth;
	char bytes[TEXT_BYTES_ROOM];

	if (s->since == NULL || size == 0)
		(void)screen_put_right(y, x, GROWN, SCREEN_FAINT, "%s",
		    s->since == NULL ? "-" : "0");
	else
		(void)screen_put_right(y, x, GROWN, site->growth > 0 ?
		    SCREEN_WARN : SCREEN_GOOD, "%c%s", site->growth < 0 ?
		    '-' : '+', top_bytes(bytes, size));
}

static unsigned
draw_figures(const struct top_process *p, const struct top_site *site,
    unsigned y)
{
	char bytes[TEXT_BYTES_ROOM], count[TEXT_COUNT_ROOM];
	const char *about = site->estimated ? "~" : "";
	uint64_t whole = max_u64(p->totals.live_bytes, 1);
	unsigned columns = screen_columns(), x = 0;

	x = screen_put_right(y, x, LIVE, SCREEN_STRONG, "%s%s", about,
	    text_format_bytes(bytes, site->live));
	x = screen_put_right(y, x, SHARE, SCREEN_PLAIN, "%.1f %%",
	    100 * (double)min_u64(site->live, whole) / (double)whole);
	if (columns >= GROWN_LEAST) {
		draw_grown(y, x, &p->sites, site);
		x += GROWN;
	}
	if (columns >= BLOCKS_LEAST)
		x = screen_put_right(y, x, BLOCKS, SCREEN_PLAIN, "%s%s",
		    about, text_format_count(count, site->blocks));
	return x + 2;
}

static void
draw_site(const struct top_process *p, const struct top_site *site,
    unsigned y)
{
	const struct top_name *name = top_names_find(&p->sites.names,
	    site->id);
	unsigned x = draw_figures(p, site, y);

	if (name == NULL) {
		(void)screen_put(y, x, UINT32_MAX, SCREEN_FAINT,
		    "... looking up its name");
		return;
	}
	x = screen_put(y, x, UINT32_MAX, SCREEN_PLAIN, "%s", name->title);
	if (!name->unfolded)
		(void)screen_put(y, x, UINT32_MAX, SCREEN_FAINT, " %s",
		    name->callers);
}

/* The calls that led there, below it. */
static void
draw_call(const struct top_process *p, const struct top_site *site,
    uint32_t call, unsigned y)
{
	const struct top_name *name = top_names_find(&p->sites.names,
	    site->id);
	unsigned indent = screen_columns() >= BLOCKS_LEAST ? LIVE + SHARE :
	    2;

	if (name != NULL && call < name->calls)
		(void)screen_put(y, indent + 2, UINT32_MAX, SCREEN_FAINT,
		    "%s %s", screen_is_utf8() ? call + 1 < name->calls ?
		    "\u251c" : "\u2514" : "|", name->call[call]);
}

void
top_sites_draw(struct top_process *p, unsigned y, unsigned rows)
{
	struct top_sites *s = &p->sites;

	draw_sites_head(s, y++);
	top_scroll_fit(&s->scroll, rows, s->lines);
	if (s->lines == 0)
		(void)screen_put(y, 2, UINT32_MAX, SCREEN_FAINT, "no call "
		    "paths are kept of what is held; S turns that on");
	for (unsigned i = 0; i < rows && s->scroll.first + i < s->lines; i++) {
		const struct top_line *line = &s->line[s->scroll.first + i];
		bool selected = s->scroll.first + i == s->scroll.at;

		screen_select(selected);
		if (selected)
			screen_fill(y + i, SCREEN_PLAIN);
		if (line->call == 0)
			draw_site(p, &s->site[line->site], y + i);
		else
			draw_call(p, &s->site[line->site], line->call,
			    y + i);
		screen_select(false);
	}
}

/* --- marks ---------------------------------------------------------------- */

static void
draw_mark(const struct top_process *p, const struct mark *m, unsigned y)
{
	char ago[TEXT_DURATION_ROOM], bytes[TEXT_BYTES_ROOM], when[48];
	bool event = m->kind == MARK_STACKS || m->kind == MARK_TRIM;
	unsigned x;

	snprintf(when, sizeof(when), "%s ago", text_format_duration(ago,
	    above_u64(p->profile.now_ns, m->at_ns)));
	x = screen_put_right(y, 0, 20, SCREEN_FAINT, "%s", when);
	x = screen_put(y, x + 2, 8, SCREEN_PLAIN, "%-8s",
	    profile_mark_kind(m));
	x = screen_put_right(y, x, 10, SCREEN_PLAIN, "%s",
	    text_format_bytes(bytes, m->live_bytes > 0 ?
	    (uint64_t)m->live_bytes : 0));
	(void)screen_put(y, x + 2, UINT32_MAX, event ? SCREEN_FAINT :
	    SCREEN_STRONG, "%.*s", (int)sizeof(m->name), m->name);
}

/* The newest first. */
void
top_marks_draw(const struct top_process *p, unsigned y, unsigned rows)
{
	unsigned drawn = 0;

	(void)screen_put(y++, 1, UINT32_MAX, SCREEN_HEAD,
	    "MARKS AND EVENTS");
	for (size_t i = p->profile.marks; i-- > 0 && drawn < rows; )
		if (profile_mark_kind(&p->profile.mark[i]) != NULL)
			draw_mark(p, &p->profile.mark[i], y + drawn++);
}
