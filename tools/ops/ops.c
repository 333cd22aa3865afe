/*
 * ops.c - what the operations of a program did, as a table and in lines
 */
#include "ops/ops.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "model/numbers.h"
#include "symbols/json.h"

size_t
ops_of(const struct profile *profile, struct tide_op_stats op[TIDE_OPS])
{
	const struct control c = profile_control(profile);

	return counsel_ops(&c, op);
}

static const char *
format_real_bytes(char buffer[TEXT_BYTES_ROOM], double bytes)
{
	return text_format_bytes(buffer, numbers_whole(bytes, INT64_MAX));
}

/* --- tables --------------------------------------------------------------- */

static void
print_done(const struct print *out, const struct tide_op_stats *op,
    size_t count)
{
	static const struct print_column columns[] = {
		{ "OPERATION", false }, { "BATCHES", true }, { "ITEMS", true },
		{ "FAILED", true }, { "LEAST", true }, { "MOST", true },
		{ "NEXT", true }, { "PEAK", true }, { "RETAINED", true },
		{ "CUTS", true }, { "TIME", true }, { "ITEMS/S", true },
		{ "BOUND", false },
	};
	struct print_table *t = print_table_open(columns,
	    ARRAY_LENGTH(columns));
	char bytes[TEXT_BYTES_ROOM], n[TEXT_COUNT_ROOM];
	char time[TEXT_DURATION_ROOM];

	for (size_t i = 0; i < count; i++) {
		print_cell(t, "%s", op[i].name);
		print_cell(t, "%s", text_format_count(n, op[i].batches));
		print_cell(t, "%s", text_format_count(n, op[i].items));
		print_cell(t, "%s", text_format_count(n, op[i].items_failed));
		print_cell(t, "%s", text_format_count(n, op[i].n_least));
		print_cell(t, "%s", text_format_count(n, op[i].n_most));
		print_cell(t, "%s", text_format_count(n, op[i].n_next));
		print_cell(t, "%s", text_format_bytes(bytes,
		    op[i].growth_most));
		print_cell(t, "%s", text_format_bytes(bytes,
		    op[i].retained_sum));
		print_cell(t, "%s", text_format_count(n, op[i].cuts));
		print_cell(t, "%s", text_format_duration(time,
		    op[i].time_ns));
		print_cell(t, "%.1f", advice_items_a_second(&op[i]));
		print_cell(t, "%s", counsel_bound(op[i].bound));
	}
	print_table_close(t, out, 0);
}

static void
print_learned(const struct print *out, const struct tide_op_stats *op,
    size_t count)
{
	static const struct print_column columns[] = {
		{ "OPERATION", false }, { "BYTES/ITEM", true },
		{ "LARGEST", true }, { "FIXED", true }, { "PER ITEM", true },
		{ "POWER", true }, { "MEAN GROWTH", true },
		{ "PREDICTED", true }, { "KNEE", true }, { "POLICY", false },
	};
	struct print_table *t = print_table_open(columns,
	    ARRAY_LENGTH(columns));
	char bytes[TEXT_BYTES_ROOM], n[TEXT_COUNT_ROOM];

	for (size_t i = 0; i < count; i++) {
		print_cell(t, "%s", op[i].name);
		print_cell(t, "%s", format_real_bytes(bytes,
		    advice_bytes_an_item(&op[i])));
		print_cell(t, "%s", text_format_bytes(bytes,
		    op[i].item_most));
		print_cell(t, "%s", text_format_bytes(bytes, op[i].fixed));
		print_cell(t, "%s", format_real_bytes(bytes,
		    op[i].per_item));
		print_cell(t, "%.1f", numbers_within(op[i].power, 0, 99));
		print_cell(t, "%s", format_real_bytes(bytes,
		    advice_growth(&op[i])));
		print_cell(t, "%s", text_format_bytes(bytes,
		    op[i].predicted_last));
		print_cell(t, "%s", op[i].knee == 0 ? "-" :
		    text_format_count(n, op[i].knee));
		print_cell(t, "%s", counsel_policy(op[i].policy));
	}
	print_table_close(t, out, 0);
}

void
ops_print_tables(const struct print *out, const struct tide_op_stats *op,
    size_t count)
{
	print_done(out, op, count);
	fputc('\n', out->to);
	print_learned(out, op, count);
}

/* --- lines ---------------------------------------------------------------- */

/* What did not go as it should, or cost something; "" of none. */
static void
format_extra(const struct tide_op_stats *op, char *words, size_t room)
{
	char time[TEXT_DURATION_ROOM], bytes[TEXT_BYTES_ROOM];
	size_t used = 0;

	words[0] = '\0';
	if (op->cuts != 0)
		used = (size_t)snprintf(words, room, ", %" PRIu64 " cut%s",
		    op->cuts, op->cuts == 1 ? "" : "s");
	if (op->items_failed != 0 && used < room)
		used += (size_t)snprintf(words + used, room - used,
		    ", %" PRIu64 " failed", op->items_failed);
	if (op->delay_ns != 0 && used < room)
		snprintf(words + used, room - used, ", delays of %s freed %s",
		    text_format_duration(time, op->delay_ns),
		    text_format_bytes(bytes, op->delay_freed));
}

/* Which part of the budget the largest batch took; "": there is none. */
static void
format_share(const struct tide_op_stats *op, const struct tide_room *room,
    char words[32])
{
	words[0] = '\0';
	if (room->budget != TIDE_NONE && room->budget != 0)
		snprintf(words, 32, " (%.1f %% of the budget)", 100 *
		    (double)op->growth_most / (double)room->budget);
}

static void
print_op_line(const struct print *out, const struct tide_op_stats *op,
    const struct tide_room *room, unsigned column, const char *head)
{
	char peak[TEXT_BYTES_ROOM], mean[TEXT_BYTES_ROOM];
	char item[TEXT_BYTES_ROOM], share[32], extra[160];

	format_share(op, room, share);
	format_extra(op, extra, sizeof(extra));
	print_line(out, PRINT_PLAIN, "  %-*s %s: %" PRIu64 " batch%s, peak "
	    "%s%s, %s on average, %s an item%s", (int)column, head, op->name,
	    op->batches, op->batches == 1 ? "" : "es",
	    text_format_bytes(peak, op->growth_most), share,
	    format_real_bytes(mean, advice_growth(op)),
	    format_real_bytes(item, advice_bytes_an_item(op)), extra);
}

void
ops_print_cleanups(const struct print *out, const struct ops_cleanups *c,
    unsigned column)
{
	char freed[TEXT_BYTES_ROOM], returned[TEXT_BYTES_ROOM];
	char time[TEXT_DURATION_ROOM], fault[TEXT_DURATION_ROOM];

	if (c->count == 0)
		return;
	print_line(out, PRINT_PLAIN, "  %-*s %" PRIu64 ", %s freed, %s "
	    "returned to the system, in %s; faults afterwards %s",
	    (int)column, "cleanups", c->count,
	    text_format_bytes(freed, c->freed),
	    text_format_bytes(returned, c->returned),
	    text_format_duration(time, c->ns),
	    text_format_duration(fault, c->fault_ns));
}

void
ops_print_lines(const struct print *out, const struct profile *profile,
    unsigned column)
{
	const struct control c = profile_control(profile);
	const struct tide_room *room = control_room(&c);
	struct tide_op_stats op[TIDE_OPS];
	size_t count = counsel_ops(&c, op), shown = 0;

	for (size_t i = 0; i < count; i++)
		if (advice_is_used(&op[i]))
			print_op_line(out, &op[i], room, column,
			    shown++ == 0 ? "operations" : "");
	if (room != NULL)
		ops_print_cleanups(out, &(struct ops_cleanups){
		    room->cleanups, room->cleanup_bytes,
		    room->cleanup_returned, room->cleanup_ns,
		    room->refault_ns }, column);
}

/* --- checkpoints ---------------------------------------------------------- */

struct checkpoints {
	uint64_t written, bytes, ns;
	uint64_t failed, quarantined;
	int error; /* of the last that failed */
};

/* False: there are none. */
static bool
sum_checkpoints(const struct profile *profile, struct checkpoints *sum)
{
	const struct control c = profile_control(profile);
	const struct tide_room *room = control_room(&c);
	struct tide_op_stats op[TIDE_OPS];
	size_t count = counsel_ops(&c, op);

	memset(sum, 0, sizeof(*sum));
	for (size_t i = 0; i < count; i++) {
		sum->written += op[i].checkpoints;
		sum->bytes += op[i].checkpoint_bytes;
		sum->ns += op[i].checkpoint_ns;
	}
	if (room != NULL) {
		sum->failed = room->checkpoints_failed;
		sum->quarantined = room->quarantined;
		sum->error = (int)(room->checkpoint_error & 4095);
	}
	return (sum->written | sum->failed | sum->quarantined) != 0;
}

void
ops_print_checkpoints(const struct print *out, const struct profile *profile,
    unsigned column)
{
	char bytes[TEXT_BYTES_ROOM], time[TEXT_DURATION_ROOM];
	struct checkpoints sum;

	if (!sum_checkpoints(profile, &sum))
		return;
	if (sum.written != 0)
		print_line(out, PRINT_PLAIN, "  %-*s %" PRIu64 ", %s, in %s",
		    (int)column, "checkpoints", sum.written,
		    text_format_bytes(bytes, sum.bytes),
		    text_format_duration(time, sum.ns));
	if (sum.failed != 0)
		print_line(out, PRINT_WARN, "  %-*s %" PRIu64 " checkpoint%s "
		    "could not be written, the last: %s", (int)column,
		    "not written", sum.failed, sum.failed == 1 ? "" : "s",
		    strerror(sum.error));
	if (sum.quarantined != 0)
		print_line(out, PRINT_WARN, "  %-*s %" PRIu64 " item%s, see "
		    "'heaptide checkpoints failed'", (int)column, "left out",
		    sum.quarantined, sum.quarantined == 1 ? "" : "s");
}

json_t *
ops_json_checkpoints(const struct profile *profile)
{
	struct checkpoints sum;

	if (!sum_checkpoints(profile, &sum))
		return json_null();
	const struct json_member members[] = {
		{ "written", json_number(sum.written) },
		{ "bytes", json_number(sum.bytes) },
		{ "seconds", json_real((double)sum.ns / (double)NS_PER_S) },
		{ "failed", json_number(sum.failed) },
		{ "error", sum.failed == 0 ? json_null() :
		    json_text(strerror(sum.error)) },
		{ "quarantined", json_number(sum.quarantined) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

/* --- curves --------------------------------------------------------------- */

#define CURVE_POINTS 16

struct curve_point {
	double n, bytes, rate; /* items a second; 0: nobody has tried */
};

static void
add_point(struct curve_point *points, size_t *count,
    const struct tide_op_stats *op, double n, double rate)
{
	size_t at = *count;

	if (n < 1)
		return;
	for (size_t i = 0; i < *count; i++)
		if (points[i].n == n) {
			if (rate > 0)
				points[i].rate = rate;
			return;
		}
	for (; at > 0 && points[at - 1].n > n; at--)
		points[at] = points[at - 1];
	points[at] = (struct curve_point){ n, advice_batch(op, n), rate };
	(*count)++;
}

/* Sizes about those that there were, and those that were measured. */
static size_t
find_curve(const struct tide_op_stats *op,
    struct curve_point points[CURVE_POINTS])
{
	double most = (double)op->n_most, n;
	size_t count = 0;

	if (!advice_is_used(op) || !advice_is_fitted(op) || most < 1)
		return 0;
	for (n = most / 8; n <= 4 * most; n *= 2)
		add_point(points, &count, op,
		    (double)numbers_whole(n, INT64_MAX), 0);
	add_point(points, &count, op,
	    (double)numbers_whole(advice_items(op) + 0.5, INT64_MAX),
	    advice_items_a_second(op));
	add_point(points, &count, op, most,
	    numbers_within(op->most_rate, 0, 1e18));
	add_point(points, &count, op, (double)op->knee,
	    numbers_within(op->knee_rate, 0, 1e18));
	return count;
}

void
ops_print_curves(const struct print *out, const struct tide_op_stats *op,
    size_t count)
{
	static const struct print_column columns[] = {
		{ "ITEMS", true }, { "BYTES", true }, { "ITEMS/S", true },
		{ "", false },
	};
	struct curve_point points[CURVE_POINTS];
	char bytes[TEXT_BYTES_ROOM];

	for (size_t i = 0; i < count; i++) {
		size_t n = find_curve(&op[i], points);
		struct print_table *t;

		if (n == 0)
			continue;
		print_line(out, PRINT_STRONG, "%s: what a batch takes by its "
		    "size", op[i].name);
		t = print_table_open(columns, ARRAY_LENGTH(columns));
		for (size_t p = 0; p < n; p++) {
			print_cell(t, "%.0f", points[p].n);
			print_cell(t, "%s", format_real_bytes(bytes,
			    points[p].bytes));
			if (points[p].rate > 0)
				print_cell(t, "%.1f", points[p].rate);
			else
				print_cell(t, "-");
			print_cell(t, "%s", points[p].n > (double)
			    op[i].n_most ? "never tried" :
			    points[p].n == (double)op[i].knee ?
			    "larger is not faster" : "");
		}
		print_table_close(t, out, 2);
	}
}

/* --- JSON ----------------------------------------------------------------- */

static json_t *
json_value(const struct counsel_value *v)
{
	switch (v->kind) {
	case COUNSEL_COUNT: return json_number(v->count);
	case COUNSEL_SIGNED: return json_integer(v->signed_count);
	default: return json_real(v->real);
	}
}

static json_t *
json_op(const struct tide_op_stats *op)
{
	json_t *o = json_pack("{s:o, s:o}", "name", json_text(op->name),
	    "unit", json_text(op->unit));
	struct counsel_value value;

	for (size_t i = 0; counsel_member(op, i, &value); i++)
		json_object_set_new(o, value.name, json_value(&value));
	json_object_set_new(o, "bound", json_string(counsel_bound(op->bound)));
	json_object_set_new(o, "policy",
	    json_string(counsel_policy(op->policy)));
	json_object_set_new(o, "active", json_boolean(op->active != 0));
	json_object_set_new(o, "active_most", json_integer(op->active_most));
	return o;
}

json_t *
ops_json(const struct tide_op_stats *op, size_t count)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_op(&op[i]));
	return list;
}

json_t *
ops_json_of(const struct profile *profile)
{
	struct tide_op_stats op[TIDE_OPS];

	return ops_json(op, ops_of(profile, op));
}

json_t *
ops_json_curves(const struct tide_op_stats *op, size_t count)
{
	struct curve_point points[CURVE_POINTS];
	json_t *list = json_array();

	for (size_t i = 0; i < count; i++) {
		size_t n = find_curve(&op[i], points);
		json_t *curve = json_array();

		for (size_t p = 0; p < n; p++)
			json_array_append_new(curve, json_pack(
			    "{s:f, s:f, s:o}", "n", points[p].n, "bytes",
			    points[p].bytes, "items_per_second",
			    points[p].rate > 0 ? json_real(points[p].rate) :
			    json_null()));
		json_array_append_new(list, json_pack("{s:o, s:o}",
		    "operation", json_text(op[i].name), "points", curve));
	}
	return list;
}
