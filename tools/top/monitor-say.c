/*
 * monitor-say.c - a line of what was seen, for a person or a program
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "base/text.h"
#include "say/need.h"
#include "symbols/json.h"
#include "top/monitor.h"

#define DAY_S  UINT64_C(86400)

/* Time left is worth a warning below this, and worth a word below that. */
#define SOON_S  DAY_S
#define EVER_S  (365 * DAY_S)

static const char *const state_names[] = {
	[MONITOR_OK] = "ok",
	[MONITOR_WARNING] = "warning",
	[MONITOR_CRITICAL] = "critical",
	[MONITOR_EXHAUSTED] = "exhausted",
};

static const enum print_style state_styles[] = {
	[MONITOR_OK] = PRINT_PLAIN,
	[MONITOR_WARNING] = PRINT_WARN,
	[MONITOR_CRITICAL] = PRINT_BAD,
	[MONITOR_EXHAUSTED] = PRINT_BAD,
};

/* --- words ---------------------------------------------------------------- */

#define WORDS_ROOM 160

/* `2 h 10 min to the limit at this rate`; "" if that is far off. */
static const char *
put_time_left(char words[WORDS_ROOM], const struct look *look)
{
	char time[TEXT_DURATION_ROOM];

	words[0] = '\0';
	if (look->limit_in < EVER_S)
		snprintf(words, WORDS_ROOM, "%s to the limit at this rate",
		    text_format_duration(time, look->limit_in * NS_PER_S));
	return words;
}

/* `+1.2 MiB/s`; "" if nothing is sure. */
static const char *
put_rate(char words[TEXT_RATE_ROOM], const struct look *look)
{
	words[0] = '\0';
	if (look->grows_known && trend_is_sure(&look->growth))
		text_format_rate(words, look->growth.rate);
	return words;
}

/* --- what a person should look at ----------------------------------------- */

#define WARNINGS_MOST 4

struct warnings {
	char text[WARNINGS_MOST][WORDS_ROOM];
	size_t count;
};

static void
warn(struct warnings *list, const char *words)
{
	snprintf(list->text[list->count++], WORDS_ROOM, "%s", words);
}

static void
find_warnings(const struct look *look, struct warnings *list)
{
	char words[WORDS_ROOM], bytes[TEXT_BYTES_ROOM];

	list->count = 0;
	if (look->state != MONITOR_OK) {
		snprintf(words, sizeof(words), "%.0f %% of the limit are used "
		    "(%s)", 100 * (double)look->limit.used /
		    (double)look->limit.bytes, look->limit.source);
		warn(list, words);
	}
	if (look->limit_in < SOON_S)
		warn(list, put_time_left(words, look));
	if (look->swapped != 0) {
		snprintf(words, sizeof(words), "%s are swapped out",
		    text_format_bytes(bytes, look->swapped));
		warn(list, words);
	}
	if (look->inside && !look->exact)
		warn(list, "counts of the heap are not exact");
}

/* --- as text -------------------------------------------------------------- */

/* On a terminal the time of day is enough; a file is read on other days. */
static const char *
put_now(const struct print *out, char words[32])
{
	time_t now = time(NULL);
	struct tm tm;

	if (localtime_r(&now, &tm) == NULL || strftime(words, 32,
	    out->width != 0 ? "%H:%M:%S" : "%Y-%m-%dT%H:%M:%S%z", &tm) == 0)
		words[0] = '\0';
	return words;
}

static void
put_limit(FILE *to, const struct look *look)
{
	char used[TEXT_BYTES_ROOM], bytes[TEXT_BYTES_ROOM];

	if (look->limit.bytes == LIMIT_NONE)
		fprintf(to, "Memory: %s/no limit %s",
		    text_format_bytes(used, look->resident),
		    state_names[look->state]);
	else
		fprintf(to, "Memory: %s/%s %s (%s)",
		    text_format_bytes(used, look->limit.used),
		    text_format_bytes(bytes, look->limit.bytes),
		    state_names[look->state], look->limit.source);
}

static void
put_growth(FILE *to, const struct look *look)
{
	char words[WORDS_ROOM];

	if (put_rate(words, look)[0] == '\0')
		return;
	fprintf(to, "  %s", words);
	if (put_time_left(words, look)[0] != '\0')
		fprintf(to, ", %s", words);
}

static void
put_resident(FILE *to, const struct look *look)
{
	char resident[TEXT_BYTES_ROOM], peak[TEXT_BYTES_ROOM];

	fprintf(to, "  rss %s, peak %s",
	    text_format_bytes(resident, look->resident),
	    text_format_bytes(peak, look->peak));
	if (look->swapped != 0)
		fprintf(to, ", swapped %s",
		    text_format_bytes(peak, look->swapped));
}

static void
put_heap(FILE *to, const struct look *look)
{
	char live[TEXT_BYTES_ROOM], peak[TEXT_BYTES_ROOM];
	char blocks[TEXT_COUNT_ROOM];

	if (look->inside)
		fprintf(to, "  heap %s in %s block%s, peak %s%s",
		    text_format_bytes(live, look->heap.live_bytes),
		    text_format_count(blocks, look->heap.live_blocks),
		    look->heap.live_blocks == 1 ? "" : "s",
		    text_format_bytes(peak, look->heap.peak_bytes),
		    look->exact ? "" : " (not exact)");
}

/* What matters most first: a terminal may cut the rest. */
static void
say_text(const struct print *out, const struct watched *w,
    const struct look *look)
{
	char *line = NULL, now[32];
	size_t bytes;
	FILE *to = need(open_memstream(&line, &bytes));

	fprintf(to, "%s  %d (%s)  ", put_now(out, now), w->pid, w->name);
	put_limit(to, look);
	put_growth(to, look);
	put_resident(to, look);
	fprintf(to, "  cpu %.1f %%", look->cpu_percent);
	put_heap(to, look);
	if (strcmp(look->status, "running") != 0)
		fprintf(to, "  %s", look->status);
	fclose(to);
	line = need(line);
	print_line(out, state_styles[look->state], "%s", line);
	free(line);
}

/* --- as JSON -------------------------------------------------------------- */

static void
print_object(const struct print *out, json_t *object)
{
	json_dumpf(object, out->to, JSON_COMPACT | JSON_REAL_PRECISION(15));
	fputc('\n', out->to);
	json_decref(object);
}

static json_t *
json_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return json_real((double)now.tv_sec +
	    (double)now.tv_nsec / (double)NS_PER_S);
}

static json_t *
json_warnings(const struct look *look)
{
	struct warnings list;
	json_t *array = json_array();

	find_warnings(look, &list);
	for (size_t i = 0; i < list.count; i++)
		json_array_append_new(array, json_text(list.text[i]));
	return array;
}

static json_t *
json_heap(const struct look *look)
{
	const struct totals *t = &look->heap;
	const struct json_member members[] = {
		{ "live_bytes", json_number(t->live_bytes) },
		{ "live_blocks", json_number(t->live_blocks) },
		{ "peak_bytes", json_number(t->peak_bytes) },
		{ "allocations", json_number(t->allocations) },
		{ "frees", json_number(t->frees) },
		{ "exact", json_boolean(look->exact) },
	};
	json_t *heap = json_fill(json_object(), members,
	    ARRAY_LENGTH(members));

	if (look->inside)
		return heap;
	json_decref(heap);
	return json_null();
}

static json_t *
json_growth(const struct look *look)
{
	const struct trend_line *g = &look->growth;

	if (!look->grows_known)
		return json_null();
	return json_pack("{s:s, s:f, s:f, s:f, s:b}", "of", look->growth_of,
	    "bytes_per_second", g->rate, "low", g->low, "high", g->high,
	    "sure", (int)trend_is_sure(g));
}

static json_t *
json_limit(const struct look *look)
{
	const struct limit *l = &look->limit;

	if (l->bytes == LIMIT_NONE)
		return json_null();
	return json_pack("{s:o, s:o, s:o, s:s}", "bytes",
	    json_number(l->bytes), "used", json_number(l->used), "available",
	    json_number(l->available), "source", l->source);
}

/* The names that were asked for come first. */
static void
say_json(const struct print *out, const struct watched *w,
    const struct look *look)
{
	json_t *warnings = json_warnings(look);
	const struct json_member members[] = {
		{ "memory_rss_mb", json_real((double)look->resident / MIB) },
		{ "cpu_percent", json_real(look->cpu_percent) },
		{ "memory_usage_gb", json_real((double)look->resident / GIB) },
		{ "peak_memory_gb", json_real((double)look->peak / GIB) },
		{ "memory_warnings", json_integer((json_int_t)
		    json_array_size(warnings)) },
		{ "warnings", warnings },
		{ "time", json_now() },
		{ "pid", json_integer(w->pid) },
		{ "name", json_text(w->name) },
		{ "status", json_string(look->status) },
		{ "state", json_string(state_names[look->state]) },
		{ "resident", json_number(look->resident) },
		{ "resident_peak", json_number(look->peak) },
		{ "swapped", json_number(look->swapped) },
		{ "threads", json_integer(look->threads) },
		{ "heap", json_heap(look) },
		{ "limit", json_limit(look) },
		{ "growth", json_growth(look) },
		{ "limit_in", look->limit_in != UINT64_MAX ?
		    json_number(look->limit_in) : json_null() },
	};

	print_object(out, json_fill(json_head(), members,
	    ARRAY_LENGTH(members)));
}

/* --- either --------------------------------------------------------------- */

void
monitor_say(const struct print *out, bool json, const struct watched *w,
    const struct look *look)
{
	if (json)
		say_json(out, w, look);
	else
		say_text(out, w, look);
}

void
monitor_say_end(const struct print *out, bool json, const struct watched *w)
{
	const struct json_member members[] = {
		{ "time", json_now() },
		{ "pid", json_integer(w->pid) },
		{ "name", json_text(w->name) },
		{ "status", json_string("ended") },
	};
	json_t *object = json_fill(json_head(), members,
	    ARRAY_LENGTH(members));
	char now[32];

	if (json) {
		print_object(out, object);
		return;
	}
	json_decref(object);
	print_line(out, PRINT_FAINT, "%s  %d (%s)  has ended",
	    put_now(out, now), w->pid, w->name);
}
