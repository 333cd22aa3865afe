/*
 * merge-say.c - how evenly a job's memory is spread, for people and programs
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "formats/merge.h"
#include "report/report.h"
#include "say/need.h"
#include "say/print.h"
#include "symbols/json.h"

#define RANKS_SHOWN 16

struct sorted {
	uint32_t site;
	uint64_t bytes;
};

/* --- as text -------------------------------------------------------------- */

static void
print_spread(const struct merge *m, struct print_table *t, const char *what,
    const struct merge_spread *s)
{
	char least[TEXT_BYTES_ROOM], mean[TEXT_BYTES_ROOM];
	char most[TEXT_BYTES_ROOM];
	double average = merge_mean(m, s);

	print_cell(t, "%s", text_format_bytes(least, s->least));
	print_cell(t, "%s", text_format_bytes(mean, whole_u64(average + 0.5)));
	print_cell(t, "%s", text_format_bytes(most, s->most));
	if (average > 0)
		print_cell(t, "%.2f", (double)s->most / average);
	else
		print_cell(t, "-");
	print_cell(t, "%s", s->most != 0 ?
	    basename(m->rank[s->who_most].file) : "-");
	/* Last, as names of functions are long, and cut there. */
	print_cell(t, "%s", what);
}

static int
compare_sorted(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return (x->site > y->site) - (x->site < y->site);
}

/* The heap's sites by what they hold together, or held at the peaks. */
static struct sorted *
sort_sites(const struct merge *m, size_t *count)
{
	struct sorted *list = need(calloc(m->sites + 1, sizeof(*list)));

	*count = 0;
	for (size_t i = 1; i < m->sites; i++)
		if ((m->sum.site[i].flags & SITE_APART) == 0)
			list[(*count)++] = (struct sorted){ (uint32_t)i,
				max_u64(m->site[i].live.sum,
				m->site[i].peak.sum) };
	if (*count != 0)
		qsort(list, *count, sizeof(*list), compare_sorted);
	return list;
}

static void
print_sites(const struct merge *m, struct print_table *t, uint64_t top)
{
	struct symbols *symbols = symbols_open(&m->sum, false);
	size_t count;
	struct sorted *list = sort_sites(m, &count);

	for (size_t i = 0; i < count && i < top; i++) {
		const struct site *site = &m->sum.site[list[i].site];
		struct frame *frame;
		size_t frames = symbols_stack(symbols, site, &frame);
		char words[512] = "[no stack]";

		if (frames != 0)
			report_frame(words, sizeof(words), &frame[0]);
		print_spread(m, t, words, &m->site[list[i].site].peak);
		free(frame);
	}
	free(list);
	symbols_close(symbols);
}

static void
print_ranks(const struct merge *m, const struct print *out)
{
	static const struct print_column columns[] = {
		{ "RANK", true }, { "PEAK", true }, { "LIVE", true },
		{ "ALLOCATIONS", true }, { "PROFILE", false },
	};
	struct print_table *t = print_table_open(columns,
	    ARRAY_LENGTH(columns));

	for (size_t i = 0; i < m->ranks && i < RANKS_SHOWN; i++) {
		const struct totals *total = &m->rank[i].totals;
		char peak[TEXT_BYTES_ROOM], live[TEXT_BYTES_ROOM];
		char count[TEXT_COUNT_ROOM];

		print_cell(t, "%zu", i);
		print_cell(t, "%s", text_format_bytes(peak,
		    total->peak_bytes));
		print_cell(t, "%s", text_format_bytes(live,
		    total->live_bytes));
		print_cell(t, "%s", text_format_count(count,
		    total->allocations));
		print_cell(t, "%s", m->rank[i].file);
	}
	print_table_close(t, out, 2);
	if (m->ranks > RANKS_SHOWN)
		print_line(out, PRINT_FAINT, "  and %zu more",
		    m->ranks - RANKS_SHOWN);
}

void
merge_print_text(const struct merge *m, uint64_t top)
{
	static const struct print_column columns[] = {
		{ "MIN", true }, { "MEAN", true }, { "MAX", true },
		{ "MAX/MEAN", true }, { "WHO", false }, { "OF", false },
	};
	struct print out = print_open(stdout);
	char sum[TEXT_BYTES_ROOM], together[TEXT_BYTES_ROOM];
	struct print_table *t;

	print_line(&out, PRINT_STRONG, "%zu rank%s; their peaks come to %s, "
	    "at one time they held at least %s", m->ranks,
	    m->ranks == 1 ? "" : "s",
	    text_format_bytes(sum, m->peak.sum),
	    text_format_bytes(together, m->together));
	print_ranks(m, &out);
	print_line(&out, PRINT_STRONG, "Imbalance, and of the largest sites "
	    "at the peaks");
	t = print_table_open(columns, ARRAY_LENGTH(columns));
	print_spread(m, t, "peak", &m->peak);
	print_spread(m, t, "live", &m->live);
	print_spread(m, t, "allocated", &m->allocated);
	print_sites(m, t, top);
	print_table_close(t, &out, 2);
}

/* --- as JSON -------------------------------------------------------------- */

static json_t *
json_spread(const struct merge *m, const struct merge_spread *s)
{
	double mean = merge_mean(m, s);
	const struct json_member members[] = {
		{ "min", json_number(s->least) },
		{ "mean", json_real(mean) },
		{ "max", json_number(s->most) },
		{ "sum", json_number(s->sum) },
		{ "max_over_mean", mean > 0 ?
		    json_real((double)s->most / mean) : json_null() },
		{ "max_rank", s->ranks != 0 ?
		    json_integer(s->who_most) : json_null() },
		/* Where several have none of it, nobody is the least. */
		{ "min_rank", s->ranks == m->ranks && s->ranks != 0 ?
		    json_integer(s->who_least) : json_null() },
		{ "ranks", json_number(s->ranks) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static json_t *
json_ranks(const struct merge *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->ranks; i++) {
		const struct merge_rank *r = &m->rank[i];
		const struct json_member members[] = {
			{ "rank", json_number(i) },
			{ "file", json_text(r->file) },
			{ "host", json_text(r->host) },
			{ "pid", json_integer(r->pid) },
			{ "end", json_string(r->end) },
			{ "peak_bytes", json_number(r->totals.peak_bytes) },
			{ "live_bytes", json_number(r->totals.live_bytes) },
			{ "allocations",
			    json_number(r->totals.allocations) },
			{ "allocated_bytes",
			    json_number(r->totals.allocated_bytes) },
		};

		json_array_append_new(list, json_fill(json_object(), members,
		    ARRAY_LENGTH(members)));
	}
	return list;
}

static json_t *
json_site_rows(const struct merge *m, uint64_t top)
{
	struct symbols *symbols = symbols_open(&m->sum, false);
	json_t *array = json_array();
	size_t count;
	struct sorted *list = sort_sites(m, &count);

	for (size_t i = 0; i < count && i < top; i++) {
		uint32_t id = list[i].site;
		const struct figures *f = &m->sum.figures[id];
		const struct json_member members[] = {
			{ "id", json_number(id) },
			{ "live_bytes", json_number(f->live_bytes) },
			{ "at_peak_bytes", json_number(f->at_peak_bytes) },
			{ "allocations", json_number(f->allocations) },
			{ "estimated", json_boolean(f->drawn != 0) },
			{ "live", json_spread(m, &m->site[id].live) },
			{ "peak", json_spread(m, &m->site[id].peak) },
			{ "stack", json_stack(symbols, &m->sum.site[id]) },
		};

		json_array_append_new(array, json_fill(json_object(), members,
		    ARRAY_LENGTH(members)));
	}
	free(list);
	symbols_close(symbols);
	return array;
}

int
merge_print_json(const struct merge *m, uint64_t top)
{
	json_t *imbalance = json_object();

	json_object_set_new(imbalance, "peak_bytes", json_spread(m, &m->peak));
	json_object_set_new(imbalance, "live_bytes", json_spread(m, &m->live));
	json_object_set_new(imbalance, "allocated_bytes",
	    json_spread(m, &m->allocated));
	const struct json_member members[] = {
		{ "exact", json_boolean(profile_is_exact(&m->sum)) },
		{ "ranks", json_ranks(m) },
		{ "together_bytes", json_number(m->together) },
		{ "imbalance", imbalance },
		{ "sites", json_site_rows(m, top) },
	};

	return json_print(json_fill(json_head(), members,
	    ARRAY_LENGTH(members)));
}
