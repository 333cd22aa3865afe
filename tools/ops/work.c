#include "ops/work.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "control/counsel.h"
#include "model/advice.h"
#include "model/numbers.h"
#include "ops/ops.h"
#include "symbols/json.h"

#define MOST 1e18 /* what is more, or no number, is damaged */

static double
seconds_of(uint64_t ns)
{
	return (double)ns / (double)NS_PER_S;
}

double
work_part(double part, double whole)
{
	return whole > 0 ? numbers_within(part / whole, 0, MOST) : 0;
}

/* --- adding up ------------------------------------------------------------ */

static void
add_op(struct work *w, const struct tide_op_stats *op)
{
	w->ops++;
	w->batches += op->batches;
	w->items += op->items;
	w->items_failed += op->items_failed;
	w->cuts += op->cuts;
	w->aborts += op->aborts;
	w->overruns += op->overruns;
	w->batch_mean += (double)op->growth_sum; /* a sum as yet */
	w->batch_most = max_u64(w->batch_most, op->growth_most);
	w->seconds += seconds_of(op->time_ns);
	w->delay_seconds += seconds_of(op->delay_ns);
	w->delay_freed += op->delay_freed;
	w->wait_seconds += seconds_of(op->wait_ns);
	w->checkpoints += op->checkpoints;
	w->checkpoint_bytes += op->checkpoint_bytes;
	w->checkpoint_seconds += seconds_of(op->checkpoint_ns);
}

static void
add_room(struct work *w, const struct tide_room *room)
{
	w->budget = room->budget;
	w->used_peak = room->peak_used;
	w->used_mean = numbers_whole(numbers_within(room->used_mean, 0, MOST),
	    INT64_MAX);
	if (room->budget != TIDE_NONE) {
		w->utilization = work_part((double)w->used_mean,
		    (double)room->budget);
		w->peak_utilization = work_part((double)w->used_peak,
		    (double)room->budget);
	}
	w->batch_p50 = room->growth_p50;
	w->batch_p95 = room->growth_p95;
	w->batch_p99 = room->growth_p99;
	w->cleanups = room->cleanups;
	w->cleanup_freed = room->cleanup_bytes;
	w->cleanup_returned = room->cleanup_returned;
	w->cleanup_seconds = seconds_of(room->cleanup_ns);
	w->refault_seconds = seconds_of(room->refault_ns);
	w->retries = room->attempts > 0 ? room->attempts - 1 : 0;
	w->trend_points = room->trend_points;
	w->trend = numbers_within(room->trend_rate, -MOST, MOST);
	w->trend_low = numbers_within(room->trend_low, -MOST, MOST);
	w->trend_high = numbers_within(room->trend_high, -MOST, MOST);
}

bool
work_of(const struct profile *profile, struct work *w)
{
	const struct control c = profile_control(profile);
	const struct tide_room *room = control_room(&c);
	struct tide_op_stats op[TIDE_OPS];
	size_t count = ops_of(profile, op);

	*w = (struct work){ .ops = 0 };
	for (size_t i = 0; i < count; i++)
		if (advice_is_used(&op[i]))
			add_op(w, &op[i]);
	if (room == NULL || w->ops == 0)
		return false;
	add_room(w, room);
	w->bytes_per_item = work_part(w->batch_mean, (double)w->items);
	w->batch_mean = work_part(w->batch_mean, (double)w->batches);
	w->overhead = work_part(w->delay_seconds + w->cleanup_seconds +
	    w->checkpoint_seconds, w->seconds);
	return true;
}

/* --- lines ---------------------------------------------------------------- */

static const char *
format_seconds(char text[TEXT_DURATION_ROOM], double seconds)
{
	return text_format_duration(text, numbers_whole(seconds * 1e9,
	    INT64_MAX));
}

static void
print_used(const struct print *out, const struct work *w, int column)
{
	char mean[TEXT_BYTES_ROOM], peak[TEXT_BYTES_ROOM];
	char budget[TEXT_BYTES_ROOM], share[96] = "";

	if (w->budget != TIDE_NONE)
		snprintf(share, sizeof(share), "; %.1f and %.1f %% of the "
		    "budget of %s", 100 * w->utilization, 100 *
		    w->peak_utilization, text_format_bytes(budget,
		    w->budget));
	print_line(out, PRINT_PLAIN, "  %-*s %s on average, %s at most%s",
	    column, "used", text_format_bytes(mean, w->used_mean),
	    text_format_bytes(peak, w->used_peak), share);
}

static void
print_batches(const struct print *out, const struct work *w, int column)
{
	char half[TEXT_BYTES_ROOM], most[TEXT_BYTES_ROOM];
	char nearly[TEXT_BYTES_ROOM], count[TEXT_COUNT_ROOM];
	char items[TEXT_COUNT_ROOM];

	print_line(out, PRINT_PLAIN, "  %-*s %s with %s items; half took %s "
	    "or less, 95 %% %s, 99 %% %s", column, "batches",
	    text_format_count(count, w->batches),
	    text_format_count(items, w->items),
	    text_format_bytes(half, w->batch_p50),
	    text_format_bytes(nearly, w->batch_p95),
	    text_format_bytes(most, w->batch_p99));
}

static void
print_between(const struct print *out, const struct work *w, int column)
{
	char rate[TEXT_BYTES_ROOM], low[TEXT_BYTES_ROOM];
	char high[TEXT_BYTES_ROOM];

	if (w->trend_points == 0)
		return;
	if (w->trend_low > 0)
		print_line(out, PRINT_WARN, "  %-*s what is held grows by %s "
		    "a batch (%s to %s)", column, "between",
		    text_format_bytes(rate, numbers_whole(w->trend,
		    INT64_MAX)), text_format_bytes(low, numbers_whole(
		    w->trend_low, INT64_MAX)), text_format_bytes(high,
		    numbers_whole(w->trend_high, INT64_MAX)));
	else
		print_line(out, PRINT_PLAIN, "  %-*s what is held does not "
		    "grow from batch to batch", column, "between");
}

/* What delays and waits took, and brought. */
static void
print_delays(const struct print *out, const struct work *w, int column)
{
	char time[TEXT_DURATION_ROOM], freed[TEXT_BYTES_ROOM];

	if (w->delay_seconds > 0)
		print_line(out, PRINT_PLAIN, "  %-*s %s, in which %s were "
		    "freed", column, "delays", format_seconds(time,
		    w->delay_seconds), text_format_bytes(freed,
		    w->delay_freed));
	/* Less is what it takes to ask. */
	if (w->wait_seconds >= 0.1)
		print_line(out, PRINT_PLAIN, "  %-*s %s for room", column,
		    "waited", format_seconds(time, w->wait_seconds));
}

static void
print_run(const struct print *out, const struct work *w, int column)
{
	char time[TEXT_DURATION_ROOM], bytes[TEXT_BYTES_ROOM];

	if (w->checkpoints != 0)
		print_line(out, PRINT_PLAIN, "  %-*s %" PRIu64 ", %s, in %s",
		    column, "checkpoints", w->checkpoints,
		    text_format_bytes(bytes, w->checkpoint_bytes),
		    format_seconds(time, w->checkpoint_seconds));
	if (w->retries != 0)
		print_line(out, PRINT_PLAIN, "  %-*s the run was started "
		    "anew %" PRIu64 " time%s", column, "retries", w->retries,
		    w->retries == 1 ? "" : "s");
	if (w->overhead >= 0.001)
		print_line(out, PRINT_PLAIN, "  %-*s delays, cleanups and "
		    "checkpoints took %.1f %% of the batches' time", column,
		    "cost", 100 * w->overhead);
}

void
work_print_of(const struct print *out, const struct work *w, unsigned column)
{
	print_used(out, w, (int)column);
	print_batches(out, w, (int)column);
	print_between(out, w, (int)column);
	print_delays(out, w, (int)column);
	print_run(out, w, (int)column);
}

void
work_print(const struct print *out, const struct profile *profile,
    unsigned column)
{
	struct work w;

	if (work_of(profile, &w))
		work_print_of(out, &w, column);
}

/* --- JSON ----------------------------------------------------------------- */

static json_t *
json_trend(const struct work *w)
{
	if (w->trend_points == 0)
		return json_null();
	return json_pack("{s:f, s:f, s:f, s:I}", "bytes_per_batch", w->trend,
	    "low", w->trend_low, "high", w->trend_high, "points",
	    (json_int_t)min_u64(w->trend_points, INT64_MAX));
}

/* Of a share that is not known null. */
static json_t *
json_share(const struct work *w, double share)
{
	return w->budget == TIDE_NONE ? json_null() : json_real(share);
}

json_t *
work_json_of(const struct work *w)
{
	const struct json_member members[] = {
		{ "operations", json_integer(w->ops) },
		{ "batches", json_number(w->batches) },
		{ "items", json_number(w->items) },
		{ "items_failed", json_number(w->items_failed) },
		{ "cuts", json_number(w->cuts) },
		{ "aborts", json_number(w->aborts) },
		{ "overruns", json_number(w->overruns) },
		{ "budget", w->budget == TIDE_NONE ? json_null() :
		    json_number(w->budget) },
		{ "used_mean", json_number(w->used_mean) },
		{ "used_peak", json_number(w->used_peak) },
		{ "utilization", json_share(w, w->utilization) },
		{ "peak_utilization", json_share(w, w->peak_utilization) },
		{ "batch_mean", json_real(w->batch_mean) },
		{ "batch_p50", json_number(w->batch_p50) },
		{ "batch_p95", json_number(w->batch_p95) },
		{ "batch_p99", json_number(w->batch_p99) },
		{ "batch_most", json_number(w->batch_most) },
		{ "bytes_per_item", json_real(w->bytes_per_item) },
		{ "seconds", json_real(w->seconds) },
		{ "delay_seconds", json_real(w->delay_seconds) },
		{ "delay_freed", json_number(w->delay_freed) },
		{ "wait_seconds", json_real(w->wait_seconds) },
		{ "cleanups", json_number(w->cleanups) },
		{ "cleanup_freed", json_number(w->cleanup_freed) },
		{ "cleanup_returned", json_number(w->cleanup_returned) },
		{ "cleanup_seconds", json_real(w->cleanup_seconds) },
		{ "refault_seconds", json_real(w->refault_seconds) },
		{ "retries", json_number(w->retries) },
		{ "checkpoints", json_number(w->checkpoints) },
		{ "checkpoint_bytes", json_number(w->checkpoint_bytes) },
		{ "checkpoint_seconds", json_real(w->checkpoint_seconds) },
		{ "overhead_pct", json_real(100 * w->overhead) },
		{ "slope", json_trend(w) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

json_t *
work_json(const struct profile *profile)
{
	struct work w;

	return work_of(profile, &w) ? work_json_of(&w) : json_null();
}
