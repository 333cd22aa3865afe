/*
 * report-time.c - the part of a report that is about time: the series, marks,
 * and how fast the heap grows
 */
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "control/mark.h"
#include "report/leaks.h"
#include "report/report.h"
#include "say/need.h"
#include "symbols/json.h"

#define MARKS_SHOWN 12

/* --- as JSON -------------------------------------------------------------- */

static json_t *
json_point(const struct profile *p, const struct point *point)
{
	return json_pack("[f, I, I]", profile_seconds(p, point->at_ns),
	    (json_int_t)point->live_bytes, (json_int_t)point->resident);
}

json_t *
report_json_series(const struct profile *p)
{
	json_t *list = json_array();
	struct point last;
	size_t count;
	const struct point **point = need(profile_series(p, &count));

	for (size_t i = 0; i < count; i++)
		json_array_append_new(list, json_point(p, point[i]));
	if (profile_point_last(p, count > 0 ? point[count - 1] : NULL, &last))
		json_array_append_new(list, json_point(p, &last));
	free(point);
	return list;
}

static json_t *
json_mark(const struct profile *p, const struct mark *m)
{
	char name[sizeof(m->name) + 1] = "";
	int64_t bytes;
	json_t *object;

	memcpy(name, m->name, sizeof(m->name));
	object = json_pack("{s:I, s:s, s:f, s:I, s:I, s:I, s:b}",
	    "number", (json_int_t)(m - p->mark),
	    "kind", profile_mark_kind(m),
	    "at", profile_seconds(p, m->at_ns),
	    "live_bytes", (json_int_t)m->live_bytes,
	    "allocated_bytes", (json_int_t)m->allocated,
	    "resident", (json_int_t)m->resident,
	    "sites", profile_held(p, m, 0, &bytes));
	json_object_set_new(object, "name", json_text(name));
	return object;
}

json_t *
report_json_marks(const struct profile *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->marks; i++)
		if (profile_mark_kind(&p->mark[i]) != NULL)
			json_array_append_new(list, json_mark(p, &p->mark[i]));
	return list;
}

/* --- as text -------------------------------------------------------------- */

void
report_print_growth(const struct report *r, const struct print *out)
{
	const struct profile *p = r->profile;
	char rate[TEXT_RATE_ROOM], low[TEXT_RATE_ROOM];
	char high[TEXT_RATE_ROOM], time[TEXT_DURATION_ROOM];
	struct trend_line line;
	uint64_t span = min_u64(NS_PER_HOUR, p->now_ns -
	    p->segment->identity.clock_ns);

	if (!profile_growth(p, span, &line) || !trend_is_sure(&line))
		return;
	print_line(out, PRINT_PLAIN, "  growth      %s over the last %s "
	    "(%s to %s)", text_format_rate(rate, line.rate),
	    text_format_duration(time, span),
	    text_format_rate(low, line.low),
	    text_format_rate(high, line.high));
}

void
report_print_leaks(const struct report *r, const struct print *out)
{
	char words[LEAKS_WORDS_ROOM];
	struct judge_brief brief;

	leaks_brief(r->profile, &brief);
	if (leaks_brief_words(&brief, words))
		print_line(out, PRINT_WARN, "  leaks       %s; 'heaptide "
		    "leaks' tells more", words);
}

static void
print_mark(const struct report *r, struct print_table *t,
    const struct mark *m)
{
	char bytes[TEXT_BYTES_ROOM], time[TEXT_DURATION_ROOM];
	char name[sizeof(m->name) + 1] = "";

	memcpy(name, m->name, sizeof(m->name));
	print_cell(t, "%s", text_format_duration(time, m->at_ns -
	    min_u64(m->at_ns, r->profile->segment->identity.clock_ns)));
	print_cell(t, "%s", text_format_bytes(bytes, m->live_bytes > 0 ?
	    (uint64_t)m->live_bytes : 0));
	print_cell(t, "%s", profile_mark_kind(m));
	print_cell(t, "%s", print_clean(name));
}

void
report_print_marks(const struct report *r, const struct print *out)
{
	static const struct print_column columns[] = {
		{ "AFTER", true }, { "HEAP", true }, { "KIND", false },
		{ "NAME", false },
	};
	const struct profile *p = r->profile;
	size_t shown = 0, all = 0, from = p->marks;
	struct print_table *t;

	for (size_t i = 0; i < p->marks; i++)
		all += profile_mark_kind(&p->mark[i]) != NULL;
	if (all == 0)
		return;
	while (from > 0 && shown < MARKS_SHOWN)
		shown += profile_mark_kind(&p->mark[--from]) != NULL;
	report_heading(out, "Marks", shown < all ? ", the last of them" : "");
	t = print_table_open(columns, ARRAY_LENGTH(columns));
	for (; from < p->marks; from++)
		if (profile_mark_kind(&p->mark[from]) != NULL)
			print_mark(r, t, &p->mark[from]);
	print_table_close(t, out, 2);
}
