/*
 * report-sites.c - the sites in a report's text: how much, and who called
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "report/report.h"

#define TOP_DEFAULT   10 /* sites */
#define TOP_MINOR     5  /* in the lists behind the first */
#define CALLERS_MINOR 3

static const struct {
	const char *title; /* of KEY_LIVE "now" or "at the end" follows */
	bool bytes;        /* the value is a size, else a count */
} keys[KEYS] = {
	[KEY_LIVE] = { "Who holds the memory", true },
	[KEY_PEAK] = { "Who held the memory at the peak", true },
	[KEY_ALLOCATED] = { "Who allocated most bytes", true },
	[KEY_ALLOCATIONS] = { "Who allocated most often", false },
	[KEY_TEMPORARY] = { "Who freed at once what was allocated", false },
};

/* --- words that all sections of the text share --------------------------- */

void
report_heading(const struct print *out, const char *title, const char *more)
{
	fputc('\n', out->to);
	print_line(out, PRINT_STRONG, "%s%s", title, more);
}

const char *
report_when(const struct report *r)
{
	if (r->profile->live)
		return "now";
	if (r->profile->segment->identity.origin.bytes != 0)
		return "at the end";
	return r->profile->segment->watch.taken_ns != 0 ?
	    "when it was copied" : "at the end";
}

char *
report_share(char words[REPORT_SHARE_ROOM], uint64_t part, uint64_t whole)
{
	double share = whole != 0 ? 100 * (double)part / (double)whole : 0;

	snprintf(words, REPORT_SHARE_ROOM, "%.1f %%", share);
	return words;
}

/* --- frames --------------------------------------------------------------- */

void
report_frame(char *words, size_t room, const struct frame *f)
{
	char place[SYMBOL_PLACE_ROOM];

	symbols_place(f, place);
	if (place[0] == '\0' && f->named)
		snprintf(place, sizeof(place), "%.100s",
		    basename(f->module));
	snprintf(words, room, "%s%s%s%s", f->function,
	    place[0] != '\0' ? "  " : "", place,
	    f->inlined ? " (inlined)" : "");
}

static bool
is_same_frame(const struct frame *a, const struct frame *b)
{
	return a->line == b->line && strcmp(a->file, b->file) == 0 &&
	    strcmp(a->function, b->function) == 0;
}

/* Where the standard libraries of C++ and Rust have their sources. */
static const char *const library_parts[] = {
	"/include/c++/", "library/alloc/src/", "library/core/src/",
	"library/std/src/", "/rust/deps/", "/rustc/",
};

static bool
is_library_frame(const struct frame *f)
{
	for (size_t i = 0; i < ARRAY_LENGTH(library_parts); i++)
		if (strstr(f->file, library_parts[i]) != NULL)
			return true;
	return false;
}

size_t
report_fold(const struct frame *frames, size_t count, char *words,
    size_t room)
{
	char line[3900], note[48];
	size_t n = 1;

	if (is_library_frame(&frames[0])) {
		while (n < count && is_library_frame(&frames[n]))
			n++;
		report_frame(line, sizeof(line), &frames[n - 1]);
		snprintf(note, sizeof(note), " (and %zu inside)", n - 1);
	} else {
		while (n < count && is_same_frame(&frames[0], &frames[n]))
			n++;
		report_frame(line, sizeof(line), &frames[0]);
		snprintf(note, sizeof(note), " (%zu times)", n);
	}
	snprintf(words, room, "%s%s", line, n > 1 ? note : "");
	return n;
}

/* --- one site ------------------------------------------------------------- */

/* A line of a site behind its first; @left is under its figure. */
static void
text_under(const struct print *out, const char *left, const char *words)
{
	if (words[0] == '\0')
		print_line(out, PRINT_FAINT, "  %12s", left);
	else
		print_line(out, PRINT_FAINT, "  %12s  %7s    %s", left, "",
		    words);
}

/*
 * The callers of a site, @left beside the first.  When not all are shown the
 * last line says how many are left.
 */
static void
text_callers(const struct report *r, const struct print *out,
    const struct frame *frames, size_t count, uint64_t most,
    const char *left)
{
	char words[4096];
	size_t i = 1;

	if (r->options->full)
		most = UINT64_MAX;
	for (uint64_t shown = 0; i < count && shown < most; shown++) {
		if (r->options->full)
			report_frame(words, sizeof(words), &frames[i++]);
		else
			i += report_fold(&frames[i], count - i, words,
			    sizeof(words));
		text_under(out, shown == 0 ? left : "", words);
	}
	if (i == 1 && left[0] != '\0')
		text_under(out, left, "");
	if (i < count && most != 0)
		print_line(out, PRINT_FAINT, "%27s... %zu more", "",
		    count - i);
}

/* What is estimated is about as much. */
static void
put_value(char *words, size_t room, enum site_key key,
    const struct site_row *row)
{
	const char *about = row->figures->drawn != 0 && row->value[key] != 0 ?
	    "~" : "";
	uint64_t value = row->value[key];
	char text[TEXT_COUNT_ROOM];

	if (keys[key].bytes)
		snprintf(words, room, "%s%s", about,
		    text_format_bytes(text, value));
	else
		snprintf(words, room, "%s%s x", about,
		    text_format_count(text, value));
}

/* Of what a site holds now: in how many blocks, or how sure that is. */
static void
put_left(char *words, size_t room, const struct figures *f)
{
	char count[TEXT_COUNT_ROOM], bytes[TEXT_BYTES_ROOM];

	if (f->drawn != 0)
		snprintf(words, room, "+-%s",
		    text_format_bytes(bytes, f->error_bytes));
	else
		snprintf(words, room, "%s block%s",
		    text_format_count(count, f->live_blocks),
		    f->live_blocks == 1 ? "" : "s");
}

static void
text_site(const struct report *r, const struct print *out,
    const struct site_row *row, enum site_key key, uint64_t whole,
    uint64_t callers)
{
	char value[32], share[REPORT_SHARE_ROOM], words[4096], left[40] = "";
	struct frame *frames;
	size_t depth = symbols_stack(r->symbols, row->site, &frames);

	put_value(value, sizeof(value), key, row);
	if (depth == 0)
		snprintf(words, sizeof(words), "[no stack]");
	else
		report_frame(words, sizeof(words), &frames[0]);
	print_line(out, PRINT_STRONG, "  %12s  %7s  %s", value,
	    report_share(share, row->value[key], whole), words);
	if (key == KEY_LIVE && !profile_lacks(r->profile, UNKNOWN_BLOCKS))
		put_left(left, sizeof(left), row->figures);
	text_callers(r, out, frames, depth, callers, left);
	free(frames);
}

/* --- lists ---------------------------------------------------------------- */

/*
 * What the shares of a list are shares of.  The heap's totals may be more than
 * its sites have: blocks inherited, or without a stack.
 */
static uint64_t
whole_of(const struct report *r, const struct site_row *rows, size_t count,
    enum site_key key)
{
	const struct totals *t = &r->totals;
	const uint64_t heap[KEYS] = {
		[KEY_LIVE] = t->live_bytes,
		[KEY_PEAK] = t->peak_bytes,
		[KEY_ALLOCATED] = t->allocated_bytes,
		[KEY_ALLOCATIONS] = t->allocations,
		[KEY_TEMPORARY] = t->temporary,
	};
	uint64_t sum = 0;

	for (size_t i = 0; i < count; i++)
		sum += rows[i].value[key];
	return rows == r->site ? max_u64(sum, heap[key]) : sum;
}

/*
 * What was there before the dial was turned to all stacks has no site: said, or
 * the shares of the list would leave its reader to wonder.
 */
static void
text_of_no_site(const struct report *r, const struct print *out,
    uint64_t whole)
{
	const struct profile *p = r->profile;
	char bytes[TEXT_BYTES_ROOM], share[REPORT_SHARE_ROOM];
	uint64_t sum = 0;

	if (p->segment->watch.switches == 0 ||
	    p->segment->config.stacks != STACKS_ALL)
		return;
	for (size_t i = 0; i < r->sites; i++)
		sum += r->site[i].value[KEY_LIVE];
	if (sum < whole)
		print_line(out, PRINT_PLAIN, "  %12s  %7s  of no site: "
		    "allocated before all stacks were kept",
		    text_format_bytes(bytes, whole - sum),
		    report_share(share, whole - sum, whole));
}

void
report_site_list(const struct report *r, const struct print *out,
    const char *title, struct site_row *rows, size_t count,
    enum site_key key, size_t top, uint64_t callers)
{
	uint64_t whole = whole_of(r, rows, count, key);
	char title_words[128];
	size_t some = 0, shown;

	report_sort(rows, count, key);
	while (some < count && rows[some].value[key] != 0)
		some++;
	shown = min_u64(some, top);
	if (some == 0)
		return;
	snprintf(title_words, sizeof(title_words), "%s (%zu of %zu sites)",
	    title, shown, some);
	report_heading(out, title_words, "");
	report_resolve(r, rows, shown);
	for (size_t i = 0; i < shown; i++)
		text_site(r, out, &rows[i], key, whole, callers);
	if (rows == r->site && key == KEY_LIVE)
		text_of_no_site(r, out, whole);
}

void
report_print_sites(const struct report *r, const struct print *out)
{
	enum site_key key = (enum site_key)r->options->sort;
	uint64_t callers = r->options->callers;
	size_t top = report_wanted(r, SIZE_MAX, TOP_DEFAULT);
	size_t minor = report_wanted(r, SIZE_MAX, TOP_MINOR);
	static const enum site_key others[] = {
		KEY_TEMPORARY, KEY_ALLOCATIONS,
	};
	char title[96];

	snprintf(title, sizeof(title), "%s%s%s", keys[key].title,
	    key == KEY_LIVE ? " " : "",
	    key == KEY_LIVE ? report_when(r) : "");
	report_site_list(r, out, title, r->site, r->sites, key, top, callers);
	report_site_list(r, out, "Who mapped memory besides", r->map, r->maps,
	    KEY_LIVE, minor, CALLERS_MINOR);
	if (key != KEY_LIVE)
		return;
	for (size_t i = 0; i < ARRAY_LENGTH(others); i++)
		report_site_list(r, out, keys[others[i]].title, r->site,
		    r->sites, others[i], minor, min_u64(callers,
		    CALLERS_MINOR));
}

