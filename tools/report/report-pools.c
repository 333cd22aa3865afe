/*
 * report-pools.c - what a program's own pools hold, in a report
 *
 * It lies in memory that the heap's totals have already.  Pools of one name are
 * one here; those that two threads named at the same time have a row each.
 */
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "report/report.h"
#include "symbols/json.h"

struct sum {
	char name[PROFILE_POOL_ROOM];
	uint64_t pools, allocations, live_blocks, live_bytes, peak_bytes, lost;
};

static bool
is_named_before(const struct report *r, size_t row, const char *name)
{
	char other[PROFILE_POOL_ROOM];

	for (size_t i = 0; i < row; i++)
		if (strcmp(profile_pool_name(r->profile, i, other), name) == 0)
			return true;
	return false;
}

static void
add(struct sum *sum, const struct pool *p)
{
	int64_t live = p->live_bytes, peak = p->peak_bytes;

	sum->pools += p->pools;
	sum->live_bytes += live > 0 ? (uint64_t)live : 0;
	sum->peak_bytes += peak > 0 ? (uint64_t)peak : 0;
	sum->lost += p->lost;
}

/* All of the name that row @row has; false: it has none, or one seen before. */
static bool
add_up(const struct report *r, size_t row, struct sum *sum)
{
	char name[PROFILE_POOL_ROOM];

	*sum = (struct sum){ .pools = 0 };
	profile_pool_name(r->profile, row, sum->name);
	if (sum->name[0] == '\0' || is_named_before(r, row, sum->name))
		return false;
	for (size_t i = row; i < r->profile->pools; i++)
		if (strcmp(profile_pool_name(r->profile, i, name),
		    sum->name) == 0)
			add(sum, &r->profile->pool[i]);
	for (size_t i = 0; i < r->pools; i++) {
		int of = profile_pool(r->profile, r->pool[i].site);

		if (of < 0 || strcmp(profile_pool_name(r->profile, (size_t)of,
		    name), sum->name) != 0)
			continue;
		sum->allocations += r->pool[i].figures->allocations;
		sum->live_blocks += r->pool[i].figures->live_blocks;
	}
	return true;
}

json_t *
report_json_pools(const struct report *r)
{
	json_t *list = json_array();
	struct sum s;

	for (size_t i = 0; i < r->profile->pools; i++)
		if (add_up(r, i, &s))
			json_array_append_new(list, json_pack(
			    "{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			    "name", json_text(s.name),
			    "pools", json_number(s.pools),
			    "allocations", json_number(s.allocations),
			    "live_blocks", json_number(s.live_blocks),
			    "live_bytes", json_number(s.live_bytes),
			    "peak_bytes", json_number(s.peak_bytes),
			    "lost", json_number(s.lost)));
	return list;
}

/* --- text ----------------------------------------------------------------- */

#define SITES_SHOWN   5
#define CALLERS_SHOWN 3

static void
put_pool(struct print_table *t, const struct sum *s)
{
	char bytes[TEXT_BYTES_ROOM], count[TEXT_COUNT_ROOM];

	print_cell(t, "%s", s->name);
	print_cell(t, "%s", text_format_bytes(bytes, s->live_bytes));
	print_cell(t, "%s", text_format_count(count, s->live_blocks));
	print_cell(t, "%s", text_format_bytes(bytes, s->peak_bytes));
	print_cell(t, "%s", text_format_count(count, s->allocations));
	print_cell(t, "%s", text_format_count(count, s->pools));
	if (s->lost != 0)
		print_cell(t, "%s blocks found no room",
		    text_format_count(count, s->lost));
	else
		print_cell(t, "%s", "");
}

void
report_print_pools(const struct report *r, const struct print *out)
{
	static const struct print_column columns[] = {
		{ "pool", false }, { "holds", true }, { "blocks", true },
		{ "peak", true }, { "allocations", true }, { "pools", true },
		{ "", false },
	};
	struct print_table *t;
	struct sum s;

	if (r->profile->pools == 0)
		return;
	report_heading(out, "Pools of the program",
	    ", in memory that is counted above");
	t = print_table_open(columns, ARRAY_LENGTH(columns));
	for (size_t i = 0; i < r->profile->pools; i++)
		if (add_up(r, i, &s))
			put_pool(t, &s);
	print_table_close(t, out, 2);
	report_site_list(r, out, "Who holds what is in pools", r->pool,
	    r->pools, KEY_LIVE, report_wanted(r, SIZE_MAX, SITES_SHOWN),
	    CALLERS_SHOWN);
}
