/*
 * leaks-json.c - what keeps growing, for programs: all that can be judged
 */
#include <stdlib.h>

#include "base/base.h"
#include "report/leaks-scan.h"
#include "report/leaks.h"
#include "say/need.h"
#include "say/print.h"
#include "symbols/json.h"

/* Of each age what is left of it, and of what. */
static void
json_ages(const struct leaks *l, const struct leaks_row *row, json_t *object)
{
	struct judge_age ages[VERDICT_POINTS];
	size_t count = judge_ages(&l->judge, leaks_site(l, row), ages);
	json_t *survivors = json_array(), *made = json_array();

	for (size_t i = 0; i < count; i++) {
		json_array_append_new(survivors, json_pack("[f, I]",
		    ages[i].age, (json_int_t)ages[i].bytes));
		json_array_append_new(made, json_number(ages[i].made));
	}
	json_object_set_new(object, "survivors", survivors);
	json_object_set_new(object, "made", made);
}

/* The number of an epoch; by time, seconds since the start. */
static json_t *
json_moment(const struct leaks *l, size_t point)
{
	uint64_t epoch = min_u64(whole_u64(l->judge.epoch[point]), INT64_MAX);

	return l->judge.timed ? json_real(l->judge.at[point]) :
	    json_integer((json_int_t)epoch);
}

static json_t *
json_verdict(const struct leaks *l, const struct verdict *v, json_t *object)
{
	const struct json_member members[] = {
		{ "verdict", json_string(verdict_name(v->kind)) },
		{ "bytes_per_epoch", json_real(v->per_epoch) },
		{ "bytes_per_hour", json_real(v->per_second * 3600) },
		{ "low", json_real(v->low) },
		{ "high", json_real(v->high) },
		{ "p", json_real(v->p) },
		{ "q", json_real(v->q) },
		{ "since", json_moment(l, v->since) },
		{ "rose", json_real(v->rose) },
		{ "minor", json_boolean(v->minor) },
		{ "doubted", json_boolean(v->doubted) },
	};

	return json_fill(object, members, ARRAY_LENGTH(members));
}

static json_t *
json_row(const struct leaks *l, const struct leaks_row *row, bool stacks)
{
	const struct judged *d = row->judged;
	json_t *object = json_verdict(l, row->verdict, json_object());
	const struct json_member members[] = {
		{ "site", json_number(leaks_site(l, row)) },
		{ "live_bytes", json_integer(d->live_bytes) },
		{ "live_blocks", json_integer(d->live_blocks) },
		{ "held_bytes", json_real(d->held) },
		{ "given_back", json_boolean(d->given_back) },
		{ "allocations", json_number(d->allocations) },
		{ "estimated", json_boolean(d->estimated) },
		{ "error", json_real(d->error) },
		{ "mapping", json_boolean((row->site->flags &
		    SITE_MAPPING) != 0) },
		{ "pool", json_pool(l->profile, row->site) },
		{ "pool_like", json_boolean(leaks_may_be_pool(l, row)) },
		{ "limit_in", row->left_s == UINT64_MAX ? json_null() :
		    json_number(row->left_s) },
		{ "suppressed", row->suppressed == NULL ? json_null() :
		    json_text(row->suppressed->pattern) },
		{ "stack", stacks ? json_stack(l->symbols, row->site) :
		    NULL },
		{ "lives", stacks || judge_is_told(row->verdict) ?
		    leaks_json_lives(l, row) : NULL },
	};

	json_fill(object, members, ARRAY_LENGTH(members));
	json_ages(l, row, object);
	return object;
}

/* How what cannot be reached grew, where it was judged. */
static void
json_growth(const struct leaks *l, const struct leaks_row *row,
    json_t *object)
{
	const struct verdict *v = row->verdict;
	const struct json_member members[] = {
		{ "bytes_per_epoch", json_real(v->per_epoch) },
		{ "bytes_per_hour", json_real(v->per_second * 3600) },
		{ "low", json_real(v->low) },
		{ "high", json_real(v->high) },
		{ "p", json_real(v->p) },
		{ "since", json_moment(l, v->since) },
		{ "limit_in", row->left_s == UINT64_MAX ? json_null() :
		    json_number(row->left_s) },
	};

	json_fill(object, members, ARRAY_LENGTH(members));
	json_ages(l, row, object);
}

/* What nobody can reach is lost for sure. */
static void
append_unreachable(const struct leaks *l, json_t *list)
{
	const struct leaks_row **row;
	size_t count;
	uint32_t *site;

	if (!leaks_scan_has(l->profile))
		return;
	row = need(calloc(l->profile->sites + 1, sizeof(*row)));
	for (size_t i = 0; i < l->rows; i++)
		row[leaks_site(l, &l->row[i])] = &l->row[i];
	site = leaks_scan_sites(l->profile, &count);
	for (size_t i = 0; i < count; i++) {
		json_t *object = leaks_scan_json_site(l->profile, l->symbols,
		    site[i]);

		if (row[site[i]] != NULL)
			json_growth(l, row[site[i]], object);
		json_array_append_new(list, object);
	}
	free(site);
	free(row);
}

/* Of each verdict the strongest are enough for a page. */
#define KIND_MOST 500

static json_t *
json_rows(const struct leaks *l, bool stacks, size_t *left_out)
{
	json_t *list = json_array();
	size_t kinds[VERDICT_GROWING + 1] = { 0 };

	*left_out = 0;
	append_unreachable(l, list);
	for (size_t i = 0; i < l->rows; i++) {
		const struct verdict *v = l->row[i].verdict;

		if (!l->options->all && v->kind == VERDICT_UNKNOWN)
			continue;
		if (stacks || kinds[v->kind]++ < KIND_MOST)
			json_array_append_new(list, json_row(l, &l->row[i],
			    stacks));
		else
			(*left_out)++;
	}
	return list;
}

json_t *
leaks_json(const struct leaks *l, bool stacks)
{
	const struct profile *p = l->profile;
	json_t *object = json_head();
	size_t left_out;
	json_t *rows = json_rows(l, stacks, &left_out);
	const struct json_member members[] = {
		{ "pid", json_integer(p->segment->identity.pid) },
		{ "command", json_command(p) },
		{ "running", json_boolean(p->live) },
		{ "stacks", json_string(profile_stacks(p)) },
		{ "exact", json_boolean(profile_is_exact(p)) },
		{ "epochs", json_number(l->judge.epochs) },
		{ "by", json_string(l->judge.timed ? "time" : "epochs") },
		{ "points", json_number(l->judge.points) },
		{ "heap", json_verdict(l, &l->judge.heap, json_object()) },
		{ "suppressed", json_number(l->suppressed) },
		{ "scan", leaks_scan_has(p) ? leaks_scan_json_summary(p) :
		    json_null() },
		{ "leaks", rows },
		{ "left_out", stacks ? NULL : json_number(left_out) },
	};

	return json_fill(object, members, ARRAY_LENGTH(members));
}

int
leaks_print_json(const struct leaks *l)
{
	return json_print(leaks_json(l, true));
}
