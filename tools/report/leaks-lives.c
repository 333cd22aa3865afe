/*
 * leaks-lives.c - how long blocks live and who frees them, of a site
 */
#include <stdlib.h>

#include "base/base.h"
#include "base/text.h"
#include "report/leaks.h"
#include "report/lives.h"
#include "report/report.h"
#include "symbols/json.h"

#define SHARES_SHOWN   3
#define SUSPECTS_SHOWN 5

/* The innermost function of a call; false: nobody knows it. */
static bool
find_call(const struct leaks *l, const struct site *call, struct frame *found)
{
	const struct site *const calls[] = { call };
	struct frame *frame;
	size_t count;

	if (call->leaf == 0)
		return false;
	symbols_resolve(l->symbols, calls, 1);
	count = symbols_stack(l->symbols, call, &frame);
	if (count != 0)
		*found = frame[0];
	free(frame);
	return count != 0;
}

/* --- as text -------------------------------------------------------------- */

static void
print_share(const struct leaks *l, const struct leaks_row *row,
    const struct lives *v, const struct lives_share *s,
    const struct print *out)
{
	double died = row->judged->allocations == 0 ? 0 : 1 -
	    (double)row->judged->live_blocks /
	    (double)row->judged->allocations;
	char words[1024] = "somebody", time[TEXT_DURATION_ROOM];
	struct frame frame;

	if (find_call(l, &s->call, &frame))
		report_frame(words, sizeof(words), &frame);
	print_line(out, PRINT_FAINT, "    %5.1f %% freed by %s after some %s",
	    100 * died * (double)s->blocks / (double)v->freed, words,
	    text_format_duration(time, s->median_ns));
}

static void
print_older(const struct lives *v, const struct print *out)
{
	char blocks[TEXT_COUNT_ROOM], bytes[TEXT_BYTES_ROOM];
	char time[TEXT_DURATION_ROOM];

	if (v->older != 0)
		print_line(out, PRINT_WARN, "    some %s block%s of %s are "
		    "older than any that was freed (%s at most)",
		    text_format_count(blocks, v->older),
		    v->older == 1 ? "" : "s",
		    text_format_bytes(bytes, v->older_bytes),
		    text_format_duration(time, v->longest_ns));
}

void
leaks_print_lives(const struct leaks *l, const struct leaks_row *row,
    const struct print *out)
{
	struct lives v;

	if (!lives_of(&l->lives, leaks_site(l, row), &v))
		return;
	if (v.freed == 0 && row->judged->live_blocks > 0 &&
	    (uint64_t)row->judged->live_blocks == row->judged->allocations)
		print_line(out, PRINT_FAINT, "    not one of its blocks was "
		    "ever freed");
	for (size_t i = 0; v.freed != 0 && i < v.shares && i < SHARES_SHOWN;
	    i++)
		print_share(l, row, &v, &v.share[i], out);
	print_older(&v, out);
}

struct suspect {
	const struct leaks_row *row;
	struct lives lives;
};

static size_t
insert(struct suspect *list, size_t count, const struct suspect *new)
{
	size_t at = count;

	while (at > 0 &&
	    list[at - 1].lives.older_bytes < new->lives.older_bytes) {
		if (at < SUSPECTS_SHOWN)
			list[at] = list[at - 1];
		at--;
	}
	if (at < SUSPECTS_SHOWN)
		list[at] = *new;
	return count < SUSPECTS_SHOWN ? count + 1 : count;
}

void
leaks_print_suspects(const struct leaks *l, const struct print *out)
{
	struct suspect list[SUSPECTS_SHOWN];
	size_t count = 0;
	char words[1024];

	for (size_t i = 0; i < l->rows; i++) {
		struct suspect s = { .row = &l->row[i] };

		if (!judge_is_told(s.row->verdict) &&
		    s.row->suppressed == NULL &&
		    lives_of(&l->lives, leaks_site(l, s.row), &s.lives) &&
		    s.lives.older != 0)
			count = insert(list, count, &s);
	}
	if (count != 0) {
		fputc('\n', out->to);
		print_line(out, PRINT_PLAIN, "these do not grow, but hold "
		    "what is older than its like ever was");
	}
	for (size_t i = 0; i < count; i++) {
		struct frame frame;

		words[0] = '\0';
		if (find_call(l, list[i].row->site, &frame))
			report_frame(words, sizeof(words), &frame);
		print_line(out, PRINT_STRONG, "  %s", words);
		leaks_print_lives(l, list[i].row, out);
	}
}

/* --- as JSON -------------------------------------------------------------- */

static json_t *
json_share(const struct leaks *l, const struct lives_share *s)
{
	struct frame frame;
	const struct json_member members[] = {
		{ "blocks", json_number(s->blocks) },
		{ "median", json_real((double)s->median_ns /
		    (double)NS_PER_S) },
		{ "longest", json_real((double)s->longest_ns /
		    (double)NS_PER_S) },
		{ "by", find_call(l, &s->call, &frame) ?
		    json_frame(&frame) : json_null() },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}

json_t *
leaks_json_lives(const struct leaks *l, const struct leaks_row *row)
{
	json_t *list = json_array();
	struct lives v;

	if (!lives_of(&l->lives, leaks_site(l, row), &v)) {
		json_decref(list);
		return json_null();
	}
	for (size_t i = 0; i < v.shares; i++)
		json_array_append_new(list, json_share(l, &v.share[i]));
	const struct json_member members[] = {
		{ "freed", list },
		{ "watched", json_number(v.watched) },
		{ "living", json_number(v.living) },
		{ "older_blocks", json_number(v.older) },
		{ "older_bytes", json_number(v.older_bytes) },
	};

	return json_fill(json_object(), members, ARRAY_LENGTH(members));
}
