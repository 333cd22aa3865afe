/*
 * top-sites.c - the sites of a process: which come first, which are unfolded
 */
#include "top/top.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "say/need.h"

/* More than these nobody scrolls through, and each wants a name. */
#define SITES_MOST 200

/* --- lines ---------------------------------------------------------------- */

/* The first of them is the site's title. */
static size_t
calls_of(const struct top_sites *s, size_t at)
{
	const struct top_name *name = top_names_find(&s->names,
	    s->site[at].id);

	return name != NULL && name->unfolded ? above_u64(name->calls, 1) : 0;
}

/* What the cursor was on keeps it, or else the line does. */
static void
follow_selected(struct top_sites *s)
{
	for (size_t i = 0; i < s->lines; i++)
		if (s->site[s->line[i].site].id == s->selected &&
		    (s->line[i].call == s->selected_call ||
		    s->line[i].call == 0))
			s->scroll.at = i;
	top_sites_move(s, 0);
}

/* Make the lines anew, by what is unfolded. */
static void
arrange(struct top_sites *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->sites; i++)
		count += 1 + calls_of(s, i);
	free(s->line);
	s->line = need(calloc(count + 1, sizeof(s->line[0])));
	s->lines = 0;
	for (uint32_t i = 0; i < s->sites; i++) {
		size_t calls = calls_of(s, i);

		for (uint32_t call = 0; call <= calls; call++)
			s->line[s->lines++] = (struct top_line){ i, call };
	}
	follow_selected(s);
}

/* --- reading -------------------------------------------------------------- */

/* The newest mark that has figures of sites. */
static const struct mark *
last_mark(const struct profile *p)
{
	int64_t bytes;

	for (size_t i = p->marks; i-- > 0; )
		if (profile_mark_kind(&p->mark[i]) != NULL &&
		    profile_held(p, &p->mark[i], 0, &bytes))
			return &p->mark[i];
	return NULL;
}

static struct top_site
make_site(const struct profile *p, const struct mark *since, uint32_t id)
{
	const struct figures *f = &p->figures[id];
	struct top_site site = {
		.id = id,
		.estimated = f->drawn != 0,
		.live = f->live_bytes,
		.blocks = f->live_blocks,
	};
	int64_t held;

	if (since != NULL && profile_held(p, since, id, &held))
		site.growth = (int64_t)(f->live_bytes - (uint64_t)held);
	return site;
}

static enum top_order order; /* qsort() hands nothing through */

static int64_t
value_of(const struct top_site *s)
{
	switch (order) {
	case ORDER_GROWTH: return s->growth;
	case ORDER_COUNT: return (int64_t)s->blocks;
	default: return (int64_t)s->live;
	}
}

static int
compare_sites(const void *a, const void *b)
{
	const struct top_site *x = a, *y = b;
	int64_t vx = value_of(x), vy = value_of(y);

	if (vx != vy)
		return vx > vy ? -1 : 1;
	if (x->live != y->live)
		return x->live > y->live ? -1 : 1;
	return x->id < y->id ? -1 : x->id > y->id;
}

static bool
is_shown(const struct top_site *s)
{
	return s->live != 0 || s->growth != 0;
}

void
top_sites_read(struct top_sites *s, const struct profile *p)
{
	free(s->site);
	s->site = need(calloc(p->sites + 1, sizeof(s->site[0])));
	s->sites = 0;
	s->since = last_mark(p);
	for (uint32_t i = 1; i < p->sites; i++) {
		struct top_site site;

		if (p->site[i].leaf >= p->nodes ||
		    p->figures[i].allocations == 0 ||
		    (p->site[i].flags & SITE_APART))
			continue;
		site = make_site(p, s->since, i);
		if (is_shown(&site))
			s->site[s->sites++] = site;
	}
	order = s->order;
	qsort(s->site, s->sites, sizeof(s->site[0]), compare_sites);
	s->sites = min_u64(s->sites, SITES_MOST);
	arrange(s);
}

/* --- names ---------------------------------------------------------------- */

/* The sites of the page, without a name; returns how many. */
static size_t
nameless(const struct top_sites *s, uint32_t *sites, size_t room)
{
	size_t found = 0;

	for (size_t i = s->scroll.first; i < s->lines && found < room &&
	    i < s->scroll.first + s->scroll.page; i++) {
		uint32_t id = s->site[s->line[i].site].id;

		if (top_names_find(&s->names, id) == NULL)
			sites[found++] = id;
	}
	return found;
}

bool
top_sites_need_names(const struct top_sites *s)
{
	uint32_t site;

	return nameless(s, &site, 1) != 0;
}

void
top_sites_find_names(struct top_sites *s, const struct profile *profile)
{
	uint32_t sites[SITES_MOST];
	size_t count = nameless(s, sites, SITES_MOST);

	top_names_add(&s->names, profile, sites, count);
}

/* --- the cursor ----------------------------------------------------------- */

void
top_sites_move(struct top_sites *s, long by)
{
	top_scroll_move(&s->scroll, by, s->lines);
	if (s->lines == 0)
		return;
	s->selected = s->site[s->line[s->scroll.at].site].id;
	s->selected_call = s->line[s->scroll.at].call;
}

void
top_sites_turn(struct top_sites *s)
{
	struct top_name *name;

	if (s->lines == 0)
		return;
	name = top_names_find(&s->names, s->selected);
	if (name == NULL)
		return;
	name->unfolded = !name->unfolded;
	s->selected_call = 0;
	arrange(s);
}

void
top_sites_free(struct top_sites *s)
{
	top_names_free(&s->names);
	free(s->site);
	free(s->line);
	*s = (struct top_sites){ .order = s->order };
}
