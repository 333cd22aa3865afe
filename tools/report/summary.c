/*
 * summary.c - the ten lines behind a run: how high, from where, what next
 */
#include "report/summary.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "ops/advise.h"
#include "ops/ops.h"
#include "ops/work.h"
#include "report/bypassed.h"
#include "report/findings.h"
#include "report/leaks.h"
#include "say/print.h"
#include "symbols/json.h"
#include "symbols/symbol.h"
#include "symbols/telling.h"

#define SITES_SHOWN 3

/* A site with what it held at the peak, and who it is. */
struct top {
	const struct site *site;
	uint64_t at_peak_bytes;
	uint64_t live_bytes;
	bool estimated;
	struct frame *frames; /* leaf first */
	size_t count;
};

/* --- the largest sites ---------------------------------------------------- */

/* Insert @new if it is larger than one of @top, which falls in size. */
static size_t
insert(struct top top[SITES_SHOWN], size_t count, const struct top *new)
{
	size_t at = count;

	while (at > 0 && top[at - 1].at_peak_bytes < new->at_peak_bytes)
		at--;
	if (at == SITES_SHOWN)
		return count;
	if (count < SITES_SHOWN)
		count++;
	memmove(&top[at + 1], &top[at],
	    (count - 1 - at) * sizeof(top[0]));
	top[at] = *new;
	return count;
}

static size_t
find_top(const struct profile *p, struct top top[SITES_SHOWN])
{
	size_t count = 0;

	for (size_t i = 1; i < p->sites; i++) {
		struct top new = {
			.site = &p->site[i],
			.at_peak_bytes = p->figures[i].at_peak_bytes,
			.live_bytes = p->figures[i].live_bytes,
			.estimated = p->figures[i].drawn != 0,
		};

		if ((p->site[i].flags & SITE_APART) == 0 &&
		    new.at_peak_bytes != 0)
			count = insert(top, count, &new);
	}
	return count;
}

static void
name_top(struct symbols *symbols, struct top top[SITES_SHOWN], size_t count)
{
	const struct site *sites[SITES_SHOWN] = { NULL };

	for (size_t i = 0; i < count; i++)
		sites[i] = top[i].site;
	symbols_resolve(symbols, sites, count);
	for (size_t i = 0; i < count; i++)
		top[i].count = symbols_stack(symbols, top[i].site,
		    &top[i].frames);
}

static void
free_top(struct top top[SITES_SHOWN], size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(top[i].frames);
}

/* --- text ----------------------------------------------------------------- */

/* "exit status 3", "signal 9 (Killed), out of memory" */
static void
describe_end(const struct segment_end *end, char *text, size_t room)
{
	if (end->how == END_SIGNALLED)
		snprintf(text, room, "ended by signal %d (%s)%s", end->signal,
		    strsignal(end->signal), end->out_of_memory != 0 ?
		    ": out of memory" : "");
	else
		snprintf(text, room, "exit status %d", end->status);
}

static void
print_head(const struct print *out, const struct summary *s)
{
	const struct segment *segment = s->profile->segment;
	char end[128], took[TEXT_DURATION_ROOM];

	describe_end(&segment->end, end, sizeof(end));
	print_line(out, PRINT_STRONG, "heaptide: %s (pid %d) ran %s, %s",
	    s->command, segment->identity.pid, text_format_duration(took,
	    s->profile->now_ns - segment->identity.clock_ns), end);
}

static void
print_totals(const struct print *out, const struct totals *t)
{
	char bytes[TEXT_BYTES_ROOM], off[TEXT_BYTES_ROOM];
	char when[TEXT_DURATION_ROOM], blocks[TEXT_COUNT_ROOM];
	char calls[TEXT_COUNT_ROOM], error[64] = "";

	if (t->peak_error_bytes != 0)
		snprintf(error, sizeof(error), ", off by %s at most",
		    text_format_bytes(off, t->peak_error_bytes));
	print_line(out, PRINT_PLAIN, "  %-14s %10s after %s%s", "peak heap",
	    text_format_bytes(bytes, t->peak_bytes),
	    text_format_duration(when, totals_peak_ns(t)), error);
	print_line(out, PRINT_PLAIN, "  %-14s %10s in %s blocks", "still held",
	    text_format_bytes(bytes, t->live_bytes),
	    text_format_count(blocks, t->live_blocks));
	print_line(out, PRINT_PLAIN, "  %-14s %10s, %.0f %% of them freed "
	    "before the next", "allocations",
	    text_format_count(calls, t->allocations),
	    t->allocations == 0 ? 0.0 :
	    100.0 * (double)t->temporary / (double)t->allocations);
}

/* Who called @frame, for it is often but the program's own malloc. */
static const struct frame *
caller_of(const struct top *top, const struct frame *frame)
{
	const struct frame *caller = frame + 1;

	if (caller >= top->frames + top->count || !caller->named ||
	    telling_is_runtime(caller))
		return NULL;
	return caller;
}

/* What is estimated is about as much; nothing is nothing. */
static const char *
about_bytes(char text[TEXT_BYTES_ROOM + 1], const struct top *top,
    uint64_t bytes)
{
	text[0] = '~';
	text_format_bytes(text + 1, bytes);
	return top->estimated && bytes != 0 ? text : text + 1;
}

static void
print_site(const struct print *out, const struct top *top)
{
	char peak[TEXT_BYTES_ROOM + 1], live[TEXT_BYTES_ROOM + 1];
	const struct frame *frame = telling_frame(top->frames, top->count);
	const struct frame *caller = NULL;
	char place[SYMBOL_PLACE_ROOM] = "";

	if (frame != NULL) {
		symbols_place(frame, place);
		caller = caller_of(top, frame);
	}
	print_line(out, PRINT_PLAIN, "  %14s %10s now  %s%s%s%s%s",
	    about_bytes(peak, top, top->at_peak_bytes),
	    about_bytes(live, top, top->live_bytes),
	    frame != NULL ? frame->function : "[no stack]",
	    place[0] != '\0' ? "  " : "", place,
	    caller != NULL ? " < " : "",
	    caller != NULL ? caller->function : "");
}

static void
print_children(const struct print *out, const struct gather *g)
{
	char peak[TEXT_BYTES_ROOM];

	if (g->processes != 0)
		print_line(out, PRINT_PLAIN, "  %-14s %10zu, largest %s (pid "
		    "%d) with a peak of %s; in %s", "children", g->processes,
		    g->largest.name, g->largest.pid, text_format_bytes(peak,
		    g->largest.peak_bytes), g->folder);
	if (g->images != 0)
		print_line(out, PRINT_PLAIN, "  %-14s %10zu of this process "
		    "before its last exec; in %s", "profiles", g->images,
		    g->folder);
}

/* What the whole run started and heaptide could not, or may not, enter. */
static void
sum_unfollowed(const struct summary *s, uint64_t counts[UNFOLLOWED_KINDS])
{
	memcpy(counts, s->gather->unfollowed, sizeof(s->gather->unfollowed));
	profile_add_unfollowed(s->profile, counts);
}

static void
print_unfollowed(const struct print *out, const struct summary *s)
{
	uint64_t counts[UNFOLLOWED_KINDS];
	char text[PROFILE_CAUSES_ROOM];

	sum_unfollowed(s, counts);
	if (profile_describe_unfollowed(counts, text))
		print_line(out, PRINT_PLAIN, "  %-14s %s", "not profiled",
		    text);
}

/* Nothing to say, nothing said: what is exact needs no line. */
static void
print_losses(const struct print *out, const struct profile *p)
{
	char line[512], n[TEXT_COUNT_ROOM];
	size_t used = 0;

	if (profile_is_exact(p))
		return;
	line[0] = '\0';
	for (size_t i = 0; i < PROFILE_LOSSES; i++) {
		uint64_t lost = profile_lost(p, &profile_losses[i]);

		if (lost == 0 || !profile_losses[i].withdraws ||
		    used >= sizeof(line))
			continue;
		used += (size_t)snprintf(line + used, sizeof(line) - used,
		    "%s%s %s", used == 0 ? "" : "; ",
		    text_format_count(n, lost), profile_losses[i].means);
	}
	if (p->damaged != 0 && used < sizeof(line))
		snprintf(line + used, sizeof(line) - used, "%s%s damaged rows",
		    used == 0 ? "" : "; ", text_format_count(n, p->damaged));
	if (line[0] != '\0')
		print_line(out, PRINT_WARN, "  %-14s %s", "not exact", line);
}

/* Beyond doubt, and for so long that it is no start. */
#define GROWTH_LEAST_NS (30 * NS_PER_S)
#define GROWTH_SPAN_NS  NS_PER_HOUR

static bool
find_growth(const struct profile *p, struct trend_line *line)
{
	return p->now_ns - p->segment->identity.clock_ns >= GROWTH_LEAST_NS &&
	    profile_growth(p, GROWTH_SPAN_NS, line) && trend_is_sure(line);
}

static void
print_growth(const struct print *out, const struct profile *p)
{
	char rate[TEXT_RATE_ROOM];
	struct trend_line line;

	if (find_growth(p, &line))
		print_line(out, PRINT_PLAIN, "  %-14s %10s %s",
		    "growth", text_format_rate(rate, line.rate),
		    p->now_ns - p->segment->identity.clock_ns >
		    GROWTH_SPAN_NS ? "over the last hour" : "all the while");
}

static void
print_leaks(const struct print *out, const struct summary *s)
{
	char words[LEAKS_WORDS_ROOM];
	struct judge_brief brief;

	leaks_brief(s->profile, &brief);
	if (leaks_brief_words(&brief, words))
		print_line(out, PRINT_WARN, "  %-14s %s; heaptide leaks %s "
		    "tells more", "leaks", words, s->file);
}

/* Wrong uses of the allocator; nothing is said of none. */
static void
print_findings(const struct print *out, const struct profile *p)
{
	struct findings all;
	struct symbols *symbols;
	char kinds[256];

	if (p->findings == 0)
		return;
	symbols = symbols_open(p, false);
	findings_open(&all, p, symbols);
	findings_describe(&all, kinds, sizeof(kinds));
	if (all.count != 0)
		print_line(out, PRINT_WARN, "  %zu finding%s: %s; heaptide "
		    "report tells where", all.count,
		    all.count == 1 ? "" : "s", kinds);
	findings_close(&all);
	symbols_close(symbols);
}

/* Of a program that sizes its batches by us. */
static void
print_ops(const struct print *out, const struct summary *s)
{
	struct tide_op_stats op[TIDE_OPS];

	ops_print_checkpoints(out, s->profile, 14);
	if (ops_of(s->profile, op) == 0)
		return;
	ops_print_lines(out, s->profile, 14);
	work_print(out, s->profile, 14);
	advise_print(s->profile, s->file, out, 14);
}

static void
print_attempts(const struct print *out, const struct summary *s)
{
	if (s->attempts != NULL && *s->attempts != '\0')
		print_line(out, PRINT_PLAIN, "  %-14s %s", "attempts",
		    s->attempts);
	if (s->left_out != NULL && *s->left_out != '\0')
		print_line(out, PRINT_WARN, "  %-14s %s", "left out",
		    s->left_out);
}

void
summary_print_text(const struct summary *s)
{
	struct print out = print_open(stderr);
	struct top top[SITES_SHOWN];
	char bytes[TEXT_BYTES_ROOM];
	struct symbols *symbols;
	struct totals totals;
	size_t count;

	profile_totals(s->profile, &totals);
	print_head(&out, s);
	print_totals(&out, &totals);
	count = find_top(s->profile, top);
	if (count != 0) {
		symbols = symbols_open(s->profile, false);
		name_top(symbols, top, count);
		print_line(&out, PRINT_FAINT, "  %14s", "held at peak");
		for (size_t i = 0; i < count; i++)
			print_site(&out, &top[i]);
		free_top(top, count);
		symbols_close(symbols);
	}
	if (s->resident_peak != 0)
		print_line(&out, PRINT_PLAIN, "  %-14s %10s", "resident peak",
		    text_format_bytes(bytes, s->resident_peak));
	print_growth(&out, s->profile);
	print_leaks(&out, s);
	print_ops(&out, s);
	print_attempts(&out, s);
	print_children(&out, s->gather);
	print_unfollowed(&out, s);
	print_findings(&out, s->profile);
	print_losses(&out, s->profile);
	bypassed_print(s->profile, &out, 14);
	print_line(&out, PRINT_PLAIN, "  next: heaptide report %s", s->file);
}

/* --- JSON ----------------------------------------------------------------- */

/* NULL, which leaves the member out, for what was not counted. */
static json_t *
json_requested(const struct totals *t, uint64_t n)
{
	return t->requested_known ? json_number(n) : NULL;
}

static json_t *
json_totals(const struct profile *p)
{
	struct totals t;

	profile_totals(p, &t);
	const struct json_member members[] = {
		{ "allocations", json_number(t.allocations) },
		{ "frees", json_number(t.frees) },
		{ "allocated_bytes", json_number(t.allocated_bytes) },
		{ "requested_bytes", json_number(t.requested_bytes) },
		{ "live_blocks", json_number(t.live_blocks) },
		{ "live_bytes", json_number(t.live_bytes) },
		{ "live_requested_bytes",
		    json_requested(&t, t.live_requested_bytes) },
		{ "peak_bytes", json_number(t.peak_bytes) },
		{ "peak_requested_bytes",
		    json_requested(&t, t.peak_requested_bytes) },
		{ "temporary", json_number(t.temporary) },
		{ "peak_at", json_real(t.peak_at) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

static json_t *
json_site(const struct profile *p, const struct top *top)
{
	const struct frame *frame = telling_frame(top->frames, top->count);
	json_t *o = json_pack("{s:I, s:I, s:I, s:b}",
	    "id", (json_int_t)(top->site - p->site),
	    "at_peak_bytes", (json_int_t)top->at_peak_bytes,
	    "live_bytes", (json_int_t)top->live_bytes,
	    "estimated", top->estimated);

	if (frame == NULL)
		return o;
	json_object_set_new(o, "function", json_text(frame->function));
	json_object_set_new(o, "file", json_text(frame->file));
	json_object_set_new(o, "line", json_integer(frame->line));
	json_object_set_new(o, "module", json_text(frame->module));
	return o;
}

static json_t *
json_sites(const struct profile *p)
{
	struct symbols *symbols = symbols_open(p, false);
	struct top top[SITES_SHOWN];
	size_t count = find_top(p, top);
	json_t *list = json_array();

	name_top(symbols, top, count);
	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_site(p, &top[i]));
	free_top(top, count);
	symbols_close(symbols);
	return list;
}

static json_t *
json_children(const struct gather *g)
{
	json_t *o = json_pack("{s:I, s:I, s:I}",
	    "ended", (json_int_t)g->processes,
	    "running", (json_int_t)g->alive,
	    "earlier_images", (json_int_t)g->images);

	if (g->processes + g->images != 0)
		json_object_set_new(o, "folder", json_text(g->folder));
	if (g->largest.pid != 0)
		json_object_set_new(o, "largest", json_pack("{s:i, s:o, s:I}",
		    "pid", g->largest.pid, "name", json_text(g->largest.name),
		    "peak_bytes", (json_int_t)g->largest.peak_bytes));
	return o;
}

/* The strongest, of a program with operations; else null. */
static json_t *
json_advice(const struct summary *s)
{
	struct tide_op_stats op[TIDE_OPS];
	const struct advice *first;
	struct advised a;
	json_t *advice;

	if (ops_of(s->profile, op) == 0)
		return json_null();
	advise_open(&a, s->profile, s->file);
	first = advise_first(&a);
	advice = first != NULL ? advise_json(&a, first) : json_null();
	advise_close(&a);
	return advice;
}

/* All of them, of a program with operations. */
static json_t *
json_advices(const struct summary *s)
{
	struct tide_op_stats op[TIDE_OPS];
	json_t *list = json_array();
	struct advised a;

	if (ops_of(s->profile, op) == 0)
		return list;
	advise_open(&a, s->profile, s->file);
	for (size_t i = 0; i < a.counsel->count; i++)
		json_array_append_new(list, advise_json(&a,
		    &a.counsel->advice[i]));
	advise_close(&a);
	return list;
}

void
summary_print_json(const struct summary *s)
{
	const struct profile *p = s->profile;
	const struct segment_end *end = &p->segment->end;
	uint64_t counts[UNFOLLOWED_KINDS];

	sum_unfollowed(s, counts);
	const struct json_member members[] = {
		{ "pid", json_integer(p->segment->identity.pid) },
		{ "command", json_command(p) },
		{ "started", json_real(profile_started(p)) },
		{ "duration", json_real(profile_seconds(p, p->now_ns)) },
		{ "end", json_end(end->how == END_SIGNALLED ? "signalled" :
		    "exited", end) },
		{ "stacks", json_string(profile_stacks(p)) },
		{ "exact", json_boolean(profile_is_exact(p)) },
		{ "lost", json_lost(p) },
		{ "bypassed", bypassed_json(p) },
		{ "totals", json_totals(p) },
		{ "rss", json_pack("{s:I}", "peak",
		    (json_int_t)s->resident_peak) },
		{ "sites", json_sites(p) },
		{ "leaks", leaks_json_in_brief(p) },
		{ "ops", ops_json_of(p) },
		{ "checkpoints", ops_json_checkpoints(p) },
		{ "work", work_json(p) },
		{ "recommendations", json_advices(s) },
		{ "advice", json_advice(s) },
		{ "children", json_children(s->gather) },
		{ "not_profiled", json_unfollowed(counts) },
		{ "file", json_text(s->file) },
	};
	json_t *o = json_fill(json_head(), members, ARRAY_LENGTH(members));

	if (s->outcome != NULL)
		json_object_update(o, s->outcome);
	json_dumpf(o, stderr, JSON_INDENT(1) | JSON_REAL_PRECISION(15));
	fputc('\n', stderr);
	json_decref(o);
}
