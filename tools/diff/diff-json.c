/*
 * diff-json.c - what differs, for programs: nothing is left out
 */
#include <stdlib.h>

#include "base/base.h"
#include "diff/diff.h"
#include "say/print.h"
#include "symbols/json.h"

/* Null where it is not known. */
static json_t *
json_amount(const struct diff_amount *amount)
{
	return amount->known ? json_number(amount->value) : json_null();
}

static json_t *
json_relative(uint64_t a, int64_t difference)
{
	return a != 0 ? json_real((double)difference / (double)a) :
	    json_null();
}

static json_t *
json_per_batch(const struct diff *d, int64_t difference)
{
	return d->batches != 0 ?
	    json_real((double)difference / (double)d->batches) : json_null();
}

/* --- totals --------------------------------------------------------------- */

static json_t *
json_total(const struct diff *d, enum diff_total total)
{
	const struct diff_amount *a = &d->side[0].total[total];
	const struct diff_amount *b = &d->side[1].total[total];
	int64_t difference = (int64_t)(b->value - a->value);
	bool known = a->known && b->known;
	const struct json_member members[] = {
		{ "a", json_amount(a) },
		{ "b", json_amount(b) },
		{ "difference", known ? json_integer(difference) :
		    json_null() },
		{ "relative", known ? json_relative(a->value, difference) :
		    json_null() },
		{ "per_batch", known ? json_per_batch(d, difference) :
		    json_null() },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static json_t *
json_totals(const struct diff *d)
{
	json_t *totals = json_object();

	for (size_t i = 0; i < DIFF_TOTALS; i++)
		json_object_set_new(totals, diff_totals[i].name,
		    json_total(d, (enum diff_total)i));
	return totals;
}

/* --- sides ---------------------------------------------------------------- */

static json_t *
json_mark(const struct diff_side *s)
{
	if (s->mark == NULL)
		return json_null();
	return json_pack("{s:o, s:o}", "number",
	    json_number((uint64_t)(s->mark - s->profile.mark)),
	    "name", json_text(s->mark_name));
}

static json_t *
json_side(const struct diff_side *s)
{
	const struct profile *p = &s->profile;
	const struct segment_identity *id = &p->segment->identity;
	const struct json_member members[] = {
		{ "operand", json_text(s->operand) },
		{ "pid", json_integer(id->pid) },
		{ "command", json_command(p) },
		{ "executable", json_text_of(p, id->executable) },
		{ "started", profile_lacks(p, UNKNOWN_STARTED) ? json_null() :
		    json_real(profile_started(p)) },
		{ "at", profile_lacks(p, UNKNOWN_TIME) ? json_null() :
		    json_real(profile_seconds(p, s->at_ns)) },
		{ "mark", json_mark(s) },
		{ "running", json_boolean(p->live) },
		{ "stacks", json_string(profile_stacks(p)) },
		{ "exact", json_boolean(profile_is_exact(p)) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static json_t *
json_texts(char *const *text, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_text(text[i]));
	return list;
}

/* --- sites ---------------------------------------------------------------- */

/* The number of the site in the profile of a side, to find it in a report. */
static json_t *
json_id(const struct diff *d, const struct diff_row *row, int i)
{
	const struct site *site = row->match->site[i];

	return site == NULL ? json_null() :
	    json_number((uint64_t)(site - d->side[i].profile.site));
}

static json_t *
json_path(const struct diff *d, const struct diff_row *row)
{
	const struct site *site;
	const struct diff_side *s = diff_shown(d, row, &site);

	return json_stack(s->symbols, site);
}

static json_t *
json_row(const struct diff *d, const struct diff_row *row)
{
	const struct holding *held = row->match->held;
	const struct json_member members[] = {
		{ "a", json_number(held[0].bytes) },
		{ "b", json_number(held[1].bytes) },
		{ "difference", json_integer(row->difference) },
		{ "relative",
		    json_relative(held[0].bytes, row->difference) },
		{ "per_batch", json_per_batch(d, row->difference) },
		{ "estimated",
		    json_boolean(held[0].estimated || held[1].estimated) },
		{ "error", json_number(row->error) },
		{ "noise", json_boolean(row->noise) },
		{ "mapping", json_boolean(row->match->mapping) },
		{ "id_a", json_id(d, row, 0) },
		{ "id_b", json_id(d, row, 1) },
		{ "stack", json_path(d, row) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static json_t *
json_rows(const struct diff *d)
{
	size_t count = d->options->top != 0 ?
	    min_u64(d->rows, d->options->top) : d->rows;
	json_t *list = json_array();

	diff_resolve(d, count);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_row(d, &d->row[i]));
	return list;
}

int
diff_print_json(const struct diff *d)
{
	const struct json_member members[] = {
		{ "a", json_side(&d->side[0]) },
		{ "b", json_side(&d->side[1]) },
		{ "same_run", json_boolean(d->same_run) },
		{ "comparable", json_boolean(d->whys == 0) },
		{ "why", json_texts(d->why, d->whys) },
		{ "matched_by", json_string(d->match.rebuilts != 0 ||
		    d->match.by_name ? "names" : "addresses") },
		{ "rebuilt",
		    json_texts(d->match.rebuilt, d->match.rebuilts) },
		{ "batches", d->batches != 0 ? json_number(d->batches) :
		    json_null() },
		{ "totals", json_totals(d) },
		{ "sites", json_rows(d) },
	};

	return json_print(json_fill(json_head(), members,
	    ARRAY_LENGTH(members)));
}
