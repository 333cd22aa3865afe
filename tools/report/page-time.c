/*
 * page-time.c - what a page draws over time: the series and its terms, what
 * each site held at each moment, how long blocks lived, the budget's lines
 */
#include <stdlib.h>

#include "base/base.h"
#include "control/history.h"
#include "model/reconcile.h"
#include "model/states.h"
#include "report/page.h"
#include "say/need.h"
#include "symbols/json.h"

/* --- the series ----------------------------------------------------------- */

struct series {
	json_t *at, *live, *resident, *peak, *allocated;
	json_t *term[RSS_TERMS];
	bool split; /* some point tells where resident memory went */
};

static void
add_point(struct series *s, const struct profile *p, const struct point *point)
{
	json_array_append_new(s->at,
	    json_real(profile_seconds(p, point->at_ns)));
	json_array_append_new(s->live, json_integer(point->live_bytes));
	json_array_append_new(s->resident, json_number(point->resident));
	json_array_append_new(s->peak, json_integer(point->peak_bytes));
	json_array_append_new(s->allocated, json_number(point->allocated));
	for (size_t i = 0; i < RSS_TERMS; i++) {
		json_array_append_new(s->term[i],
		    json_number(point->terms[i]));
		s->split |= point->terms[i] != 0;
	}
}

json_t *
page_json_series(const struct profile *p)
{
	struct series s = { json_array(), json_array(), json_array(),
		json_array(), json_array(), { NULL }, false };
	const struct point **point;
	struct point last;
	json_t *terms = json_object();
	size_t count;

	for (size_t i = 0; i < RSS_TERMS; i++)
		s.term[i] = json_array();
	point = need(profile_series(p, &count));
	for (size_t i = 0; i < count; i++)
		add_point(&s, p, point[i]);
	if (profile_point_last(p, count > 0 ? point[count - 1] : NULL, &last))
		add_point(&s, p, &last);
	free(point);
	for (size_t i = 0; i < RSS_TERMS; i++)
		json_object_set_new(terms, reconcile_names[i], s.term[i]);
	if (!s.split) {
		json_decref(terms);
		terms = json_null();
	}
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "at", s.at,
	    "live", s.live, "resident", s.resident, "peak", s.peak,
	    "allocated", s.allocated, "terms", terms);
}

/* --- moments -------------------------------------------------------------- */

static size_t
moments_of(const struct profile *p)
{
	return (size_t)min_u64(p->moments, min_u64(TREND_COLUMNS,
	    p->segment->watch.trend_used));
}

/* The place in report.marks of the mark in row @row of the table. */
static json_int_t
mark_index(const struct profile *p, uint32_t row)
{
	json_int_t index = 0;

	if (row >= p->marks || profile_mark_kind(&p->mark[row]) == NULL)
		return -1;
	for (uint32_t i = 0; i < row; i++)
		index += profile_mark_kind(&p->mark[i]) != NULL;
	return index;
}

json_t *
page_json_moments(const struct profile *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < moments_of(p); i++) {
		const struct moment *m = &p->moment[i];

		json_array_append_new(list, json_pack(
		    "{s:f, s:I, s:I, s:I}",
		    "at", profile_seconds(p, m->at_ns),
		    "live", (json_int_t)m->live_bytes,
		    "epoch", (json_int_t)m->epoch,
		    "mark", m->mark == 0 ? (json_int_t)-1 :
		    mark_index(p, m->mark - 1)));
	}
	return list;
}

struct history {
	json_t *site, *first, *moment, *live;
};

/* Only where it was another than before: that is at few for most sites. */
static void
add_history(struct history *h, const struct control *c, uint32_t site,
    size_t moments)
{
	struct held held[TREND_COLUMNS];
	size_t first = json_array_size(h->moment);
	int64_t before = 0;

	history_of(c, site, held);
	for (size_t i = 0; i < moments; i++) {
		if (held[i].live_bytes == before)
			continue;
		before = held[i].live_bytes;
		json_array_append_new(h->moment, json_integer((json_int_t)i));
		json_array_append_new(h->live, json_integer(before));
	}
	if (json_array_size(h->moment) == first)
		return;
	json_array_append_new(h->site, json_number(site));
	json_array_append_new(h->first, json_number(first));
}

json_t *
page_json_history(const struct report *r)
{
	const struct profile *p = r->profile;
	const struct control c = profile_control(p);
	struct history h = { json_array(), json_array(), json_array(),
		json_array() };
	size_t moments = moments_of(p);

	for (size_t i = 1; i < p->sites && moments != 0; i++)
		if (p->figures[i].allocations != 0)
			add_history(&h, &c, (uint32_t)i, moments);
	return json_pack("{s:o, s:o, s:o, s:o}", "site", h.site, "first",
	    h.first, "moment", h.moment, "live", h.live);
}

/* --- lives ---------------------------------------------------------------- */

/* One pass over all: lives_of() would look at all of them for each site. */
struct life_sum {
	uint64_t bucket[LIFE_BUCKETS];
	uint64_t living;
	bool any;
};

static struct life_sum *
add_up_lives(const struct profile *p)
{
	struct life_sum *sum = need(calloc(p->sites + 1, sizeof(*sum)));

	for (size_t i = 0; i < p->lives; i++) {
		uint64_t site = p->life[i].key >> 32;

		if (site == 0 || site >= p->sites)
			continue;
		sum[site].any = true;
		for (size_t k = 0; k < LIFE_BUCKETS; k++)
			sum[site].bucket[k] += p->life[i].bucket[k];
	}
	for (size_t i = 0; i < p->timeds; i++) {
		const struct timed *t = &p->timed[i];

		if (t->block == 0 || t->site == 0 || t->site >= p->sites)
			continue;
		sum[t->site].any = true;
		sum[t->site].living += t->weight;
	}
	return sum;
}

json_t *
page_json_lives(const struct profile *p)
{
	json_t *site = json_array(), *bucket = json_array();
	json_t *living = json_array();
	struct life_sum *sum = add_up_lives(p);

	for (size_t i = 1; i < p->sites; i++) {
		if (!sum[i].any)
			continue;
		json_array_append_new(site, json_number(i));
		json_array_append_new(living, json_number(sum[i].living));
		for (size_t k = 0; k < LIFE_BUCKETS; k++)
			json_array_append_new(bucket,
			    json_number(sum[i].bucket[k]));
	}
	free(sum);
	return json_pack("{s:o, s:o, s:o}", "site", site, "bucket", bucket,
	    "living", living);
}

/* --- the budget ----------------------------------------------------------- */

/* Where none was set; of the last, sizing.h has why. */
#define WARN_MILLE     ((uint64_t)(1000 * STATES_WARN_FROM))
#define CRITICAL_MILLE ((uint64_t)(1000 * STATES_CRITICAL_FROM))
#define TARGET_MILLE   900

static uint64_t
part_of(uint64_t bytes, uint64_t mille, uint64_t standard)
{
	return whole_u64((double)bytes * (double)(mille != 0 &&
	    mille <= 1000 ? mille : standard) / 1000);
}

json_t *
page_json_budget(const struct profile *p)
{
	static const char *const states[] = { "ok", "warning", "critical",
		"exhausted" };
	const struct segment_config *c = &p->segment->config;
	const struct tide_room *room = p->rooms != 0 ? p->room : NULL;
	bool known = room != NULL && room->budget != TIDE_NONE &&
	    room->budget != 0;
	uint64_t bytes = known ? room->budget : c->budget_bytes;
	char source[sizeof(room->source) + 1] = "set";

	if (bytes == 0)
		return json_null();
	if (known)
		snprintf(source, sizeof(source), "%.*s",
		    (int)sizeof(room->source), room->source);
	const struct json_member members[] = {
		{ "bytes", json_number(bytes) },
		{ "target", json_number(part_of(bytes, c->target_mille,
		    TARGET_MILLE)) },
		{ "warn", json_number(part_of(bytes, c->warn_mille,
		    WARN_MILLE)) },
		{ "critical", json_number(part_of(bytes, c->critical_mille,
		    CRITICAL_MILLE)) },
		{ "source", json_text(print_clean(source)) },
		{ "used", known ? json_number(room->used) : json_null() },
		{ "state", known && room->state >= 0 && room->state <=
		    TIDE_EXHAUSTED ? json_string(states[room->state]) :
		    json_null() },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}
