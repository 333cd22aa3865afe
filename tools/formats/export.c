/*
 * export.c - what all formats of other tools are made of
 */
#include "formats/export.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "control/history.h"
#include "say/need.h"

const char *const export_values[] = {
	[EXPORT_LIVE] = "live",
	[EXPORT_PEAK] = "peak",
	[EXPORT_ALLOCATIONS] = "allocations",
	[EXPORT_BYTES] = "bytes",
	[EXPORT_GROWTH] = "growth",
	[EXPORT_VALUES] = NULL
};

static const struct {
	const char *title, *unit;
} words[EXPORT_VALUES] = {
	[EXPORT_LIVE] = { "live bytes", "bytes" },
	[EXPORT_PEAK] = { "bytes at the peak", "bytes" },
	[EXPORT_ALLOCATIONS] = { "allocations", "count" },
	[EXPORT_BYTES] = { "bytes allocated", "bytes" },
	[EXPORT_GROWTH] = { "growth in bytes", "bytes" },
};

const char *
export_title(enum export_value value)
{
	return words[value].title;
}

const char *
export_unit(enum export_value value)
{
	return words[value].unit;
}

/* --- rows ----------------------------------------------------------------- */

/* What the site held when it was first noted what all hold. */
static int64_t
first_held(const struct export *e, uint32_t site)
{
	struct control control = profile_control(e->report->profile);
	struct held held[TREND_COLUMNS];

	history_of(&control, site, held);
	return held[0].live_bytes;
}

static struct export_row
make_row(const struct export *e, const struct site_row *site)
{
	const struct figures *f = site->figures;
	struct export_row row = {
		.site = site,
		.value = {
			[EXPORT_LIVE] = (int64_t)f->live_bytes,
			[EXPORT_PEAK] = (int64_t)f->at_peak_bytes,
			[EXPORT_ALLOCATIONS] = (int64_t)f->allocations,
			[EXPORT_BYTES] = (int64_t)f->allocated_bytes,
		},
		.live_blocks = f->live_blocks,
		.frees = f->frees,
		.temporary = f->temporary,
	};

	if (e->grown)
		row.value[EXPORT_GROWTH] = sub_i64(row.value[EXPORT_LIVE],
		    first_held(e, site->id));
	return row;
}

/*
 * What came before stacks were kept, or with the fork, so that the sums are
 * the totals.  Beside an estimate it would be its noise.
 */
static void
put_rest(struct export *e)
{
	const struct totals *t = &e->report->totals;
	struct export_row rest = {
		.value = {
			[EXPORT_LIVE] = (int64_t)t->live_bytes,
			[EXPORT_PEAK] = (int64_t)t->peak_bytes,
			[EXPORT_ALLOCATIONS] = (int64_t)t->allocations,
			[EXPORT_BYTES] = (int64_t)t->allocated_bytes,
		},
		.live_blocks = t->live_blocks,
		.frees = t->frees,
		.temporary = t->temporary,
	};
	int64_t some = 0;

	for (size_t i = 0; i < e->rows; i++) {
		const struct export_row *row = &e->row[i];

		for (size_t v = 0; v < EXPORT_GROWTH; v++)
			rest.value[v] = sub_i64(rest.value[v],
			    row->value[v]);
		rest.live_blocks = above_u64(rest.live_blocks,
		    row->live_blocks);
		rest.frees = above_u64(rest.frees, row->frees);
		rest.temporary = above_u64(rest.temporary, row->temporary);
	}
	for (size_t v = 0; v < EXPORT_GROWTH; v++) {
		if (rest.value[v] < 0)
			rest.value[v] = 0;
		some |= rest.value[v];
	}
	if (some != 0 && (!e->estimated || e->rows == 0))
		e->row[e->rows++] = rest;
}

static enum export_value sort_value; /* qsort() hands nothing through */

static int
compare_rows(const void *a, const void *b)
{
	const struct export_row *x = a, *y = b;
	int64_t vx = x->value[sort_value], vy = y->value[sort_value];

	if (vx != vy)
		return vx > vy ? -1 : 1;
	if (x->site == NULL || y->site == NULL)
		return x->site == NULL ? 1 : -1;
	return (x->site->id > y->site->id) - (x->site->id < y->site->id);
}

void
export_open(struct export *e, struct report *r, FILE *to,
    enum export_value by)
{
	const struct profile *p = r->profile;

	*e = (struct export){
		.report = r, .to = to, .by = by,
		.grown = p->moments != 0,
		.estimated = p->segment->config.stacks == STACKS_SAMPLED,
	};
	if (e->grown)
		e->grown_since = profile_seconds(p, p->moment[0].at_ns);
	e->row = need(calloc(r->sites + 1, sizeof(*e->row)));
	report_resolve(r, r->site, r->sites);
	for (size_t i = 0; i < r->sites; i++)
		e->row[e->rows++] = make_row(e, &r->site[i]);
	put_rest(e);
	sort_value = by;
	qsort(e->row, e->rows, sizeof(*e->row), compare_rows);
}

void
export_close(struct export *e)
{
	free(e->row);
}

size_t
export_stack(const struct export *e, const struct export_row *row,
    struct frame **frames)
{
	size_t count = row->site == NULL ? 0 :
	    symbols_stack(e->report->symbols, row->site->site, frames);

	if (count != 0)
		return count;
	if (row->site != NULL)
		free(*frames);
	*frames = need(calloc(1, sizeof(**frames)));
	**frames = (struct frame){
		.function = "[no stack]", .file = "", .module = "",
		.note = true,
	};
	return 1;
}

uint64_t
export_sum(const struct export *e, enum export_value value)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < e->rows; i++)
		if (e->row[i].value[value] > 0)
			sum += (uint64_t)e->row[i].value[value];
	return sum;
}

/* --- words ---------------------------------------------------------------- */

char *
export_subject(const struct export *e)
{
	char *command = print_clean(profile_command(e->report->profile));
	char *subject = need_text("heaptide " PACKAGE_VERSION ": %s", command);

	free(command);
	return subject;
}

char *
export_caveat(const struct export *e)
{
	const struct segment_config *c = &e->report->profile->segment->config;

	if (!e->estimated)
		return need_text("%s", "");
	return need_text("estimated: one allocation was recorded in %" PRIu64
	    " bytes on average, and figures are scaled up to all",
	    (uint64_t)c->sample_bytes);
}
