/*
 * leaks-json.c - what keeps growing, for programs: nothing is left out
 */
#include <stdlib.h>

#include "base/base.h"
#include "json.h"
#include "leaks.h"
#include "print.h"

static json_t *
json_stack(const struct leaks *l, const struct site *site)
{
	json_t *list = json_array();
	struct frame *frame;
	size_t count = symbols_stack(l->symbols, site, &frame);

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_frame(&frame[i]));
	free(frame);
	return list;
}

static json_t *
json_ages(const struct leaks_row *row)
{
	json_t *list = json_array();

	for (size_t i = 0; i < row->ages; i++)
		json_array_append_new(list, json_pack("[f, I]",
		    row->age[i].age, (json_int_t)row->age[i].bytes));
	return list;
}

static json_t *
json_made(const struct leaks_row *row)
{
	json_t *list = json_array();

	for (size_t i = 0; i < row->ages; i++)
		json_array_append_new(list, json_number(row->age[i].made));
	return list;
}

/* The number of an epoch; by time, seconds since the start. */
static json_t *
json_moment(const struct leaks *l, size_t point)
{
	return l->timed ? json_real(l->at[point]) :
	    json_integer((json_int_t)l->epoch[point]);
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
json_row(const struct leaks *l, const struct leaks_row *row)
{
	const struct figures *f = row->figures;
	json_t *object = json_verdict(l, &row->verdict, json_object());
	const struct json_member members[] = {
		{ "site", json_number((uint64_t)(row->site -
		    l->profile->site)) },
		{ "live_bytes", json_number(f->live_bytes) },
		{ "live_blocks", json_number(f->live_blocks) },
		{ "held_bytes", json_number(row->held) },
		{ "given_back", json_boolean(row->given_back) },
		{ "allocations", json_number(f->allocations) },
		{ "estimated", json_boolean(f->drawn != 0) },
		{ "error", json_number(f->error_bytes) },
		{ "mapping", json_boolean((row->site->flags &
		    SITE_MAPPING) != 0) },
		{ "pool", json_pool(l->profile, row->site) },
		{ "limit_in", row->left_s == UINT64_MAX ? json_null() :
		    json_number(row->left_s) },
		{ "suppressed", row->suppressed == NULL ? json_null() :
		    json_text(row->suppressed->pattern) },
		{ "survivors", json_ages(row) },
		{ "made", json_made(row) },
		{ "stack", json_stack(l, row->site) },
	};

	return json_fill(object, members, ARRAY_LENGTH(members));
}

static json_t *
json_rows(const struct leaks *l)
{
	json_t *list = json_array();

	for (size_t i = 0; i < l->rows; i++)
		if (l->row[i].verdict.kind != VERDICT_UNKNOWN ||
		    l->row[i].verdict.doubted)
			json_array_append_new(list, json_row(l, &l->row[i]));
	return list;
}

int
leaks_print_json(const struct leaks *l)
{
	const struct profile *p = l->profile;
	json_t *object = json_head();
	const struct json_member members[] = {
		{ "pid", json_integer(p->segment->identity.pid) },
		{ "command", json_command(p) },
		{ "running", json_boolean(p->live) },
		{ "stacks", json_string(profile_stacks(p)) },
		{ "exact", json_boolean(profile_is_exact(p)) },
		{ "epochs", json_number(l->epochs) },
		{ "by", json_string(l->timed ? "time" : "epochs") },
		{ "points", json_number(l->points) },
		{ "heap", json_verdict(l, &l->heap, json_object()) },
		{ "suppressed", json_number(l->suppressed) },
		{ "leaks", json_rows(l) },
	};

	return json_print(json_fill(object, members, ARRAY_LENGTH(members)));
}
