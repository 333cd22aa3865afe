/*
 * report-findings.c - what a program did wrong with its blocks, in a report
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/base.h"
#include "base/text.h"
#include "report/findings.h"
#include "report/report.h"
#include "symbols/json.h"

/* --- JSON ----------------------------------------------------------------- */

static json_t *
json_freers(const struct report *r, const struct finding_row *row)
{
	json_t *list = json_array();

	for (size_t i = 0; i < row->freers; i++) {
		const struct json_member members[] = {
			{ "blocks", json_number(row->freer[i].blocks) },
			{ "by", json_stack(r->symbols, &row->freer[i].call) },
		};

		json_array_append_new(list, json_fill(json_object(), members,
		    ARRAY_LENGTH(members)));
	}
	return list;
}

static json_t *
json_finding(const struct report *r, const struct finding_row *row)
{
	const struct json_member members[] = {
		{ "kind", json_string(finding_name(row->kind)) },
		{ "count", json_number(row->count) },
		{ "bytes", json_number(row->bytes) },
		{ "asked", row->kind == FINDING_SIZE ?
		    json_number(row->asked) : json_null() },
		{ "given", row->kind == FINDING_SIZE ?
		    json_number(row->given) : json_null() },
		{ "allocated", json_stack(r->symbols, &row->allocated) },
		{ "freed", json_stack(r->symbols, &row->freed) },
		{ "first_freed", row->first_freed.leaf == 0 ? json_null() :
		    json_stack(r->symbols, &row->first_freed) },
		{ "usually_freed", json_freers(r, row) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

json_t *
report_json_findings(const struct report *r)
{
	json_t *list = json_array();
	struct findings all;

	findings_open(&all, r->profile, r->symbols);
	for (size_t i = 0; i < all.count; i++)
		json_array_append_new(list, json_finding(r, &all.row[i]));
	findings_close(&all);
	return list;
}

/* --- text ----------------------------------------------------------------- */

static void
text_path(const struct report *r, const struct print *out, const char *what,
    const struct site *path)
{
	uint64_t most = r->options->full ? UINT64_MAX : r->options->callers;
	struct frame *frames;
	size_t count = symbols_stack(r->symbols, path, &frames), i = 0;
	char words[4096];

	for (uint64_t shown = 0; i < count && shown <= most; shown++) {
		i += report_fold(&frames[i], count - i, words, sizeof(words));
		print_line(out, PRINT_FAINT, "      %-12s%s",
		    shown == 0 ? what : "", words);
	}
	if (i < count)
		print_line(out, PRINT_FAINT, "%18s... %zu more", "",
		    count - i);
	free(frames);
}

static void
text_finding(const struct report *r, const struct print *out,
    const struct finding_row *row)
{
	char times[TEXT_COUNT_ROOM], bytes[TEXT_BYTES_ROOM], sizes[64] = "";

	if (row->kind == FINDING_SIZE)
		snprintf(sizes, sizeof(sizes), ": %" PRIu64 " and not the %"
		    PRIu64 " asked for", row->given, row->asked);
	print_line(out, PRINT_STRONG, "  %s%s; %s time%s, %s",
	    finding_words(row->kind), sizes,
	    text_format_count(times, row->count), row->count == 1 ? "" : "s",
	    text_format_bytes(bytes, row->bytes));
	text_path(r, out, "allocated", &row->allocated);
	text_path(r, out, "freed", &row->freed);
	text_path(r, out, "freed first", &row->first_freed);
	for (size_t i = 0; i < row->freers; i++)
		text_path(r, out, i == 0 ? "usually by" : "or by",
		    &row->freer[i].call);
}

void
report_print_findings(const struct report *r, const struct print *out)
{
	struct findings all;
	char more[48];

	findings_open(&all, r->profile, r->symbols);
	if (all.count != 0) {
		snprintf(more, sizeof(more), " (%zu finding%s)", all.count,
		    all.count == 1 ? "" : "s");
		report_heading(out, "What it does wrong with its blocks",
		    more);
	}
	for (size_t i = 0; i < all.count; i++)
		text_finding(r, out, &all.row[i]);
	findings_close(&all);
}
