/*
 * leaks-brief.c - what keeps growing, in a line of a report on something else
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "report/leaks.h"
#include "report/suppress.h"
#include "say/need.h"
#include "symbols/json.h"
#include "symbols/symbol.h"

static void
take_off(struct judge_brief *brief, const struct verdict *v)
{
	if (v->kind == VERDICT_GROWING) {
		brief->growing--;
		brief->per_second -= v->per_second;
	} else {
		brief->steps--;
	}
}

/*
 * Take off what is known of the C library, as `heaptide leaks` does: whoever is
 * told of a site is to find it there.  Names cost, so only where there is one.
 */
static void
leave_out_suppressed(const struct profile *profile, const struct judge *j,
    struct judge_brief *brief)
{
	const struct site **sites;
	struct symbols *symbols;
	struct suppress known;
	size_t count = 0;

	sites = need(calloc(brief->growing + brief->steps, sizeof(*sites)));
	for (uint64_t i = 1; i < j->sites; i++)
		if (judge_is_told(&j->verdict[i]))
			sites[count++] = &profile->site[i];
	symbols = symbols_open(profile, false);
	symbols_resolve(symbols, sites, count);
	suppress_open(&known, true);
	for (size_t i = 0; i < count; i++) {
		struct frame *frames;
		size_t depth = symbols_stack(symbols, sites[i], &frames);

		if (suppress_find(&known, frames, depth) != NULL)
			take_off(brief, &j->verdict[sites[i] - profile->site]);
		free(frames);
	}
	suppress_close(&known);
	symbols_close(symbols);
	free(sites);
}

void
leaks_brief(const struct profile *profile, struct judge_brief *brief)
{
	const struct control c = profile_control(profile);
	const struct judge_options options = {
		.now_ns = profile->now_ns,
		.warmup = SIZE_MAX,
		.ended = !profile->live,
	};
	struct judge j;

	if (judge_open(&j, &c, &options) < 0)
		need(NULL);
	*brief = judge_count(&j);
	if (brief->growing + brief->steps != 0)
		leave_out_suppressed(profile, &j, brief);
	judge_close(&j);
}

void
leaks_brief_of(const struct leaks *l, struct judge_brief *brief)
{
	*brief = judge_count(&l->judge);
	for (size_t i = 0; i < l->rows; i++)
		if (l->row[i].suppressed != NULL &&
		    judge_is_told(l->row[i].verdict))
			take_off(brief, l->row[i].verdict);
}

bool
leaks_brief_words(const struct judge_brief *b, char words[LEAKS_WORDS_ROOM])
{
	char rate[TEXT_RATE_ROOM];
	int used = 0;

	words[0] = '\0';
	if (b->growing != 0)
		used = snprintf(words, LEAKS_WORDS_ROOM, "%zu site%s grow%s "
		    "by %s", b->growing, b->growing == 1 ? "" : "s",
		    b->growing == 1 ? "s" : "",
		    text_format_rate(rate, b->per_second));
	else if (b->heap == VERDICT_GROWING)
		used = snprintf(words, LEAKS_WORDS_ROOM, "the heap grows");
	if (b->steps != 0)
		snprintf(words + used, LEAKS_WORDS_ROOM - (size_t)used,
		    "%s%zu%s made a step", used != 0 ? ", " : "", b->steps,
		    b->growing != 0 ? "" : b->steps == 1 ? " site" : " sites");
	return words[0] != '\0';
}

json_t *
leaks_brief_json(const struct judge_brief *b)
{
	const struct json_member members[] = {
		{ "heap", json_string(verdict_name(b->heap)) },
		{ "growing", json_number(b->growing) },
		{ "steps", json_number(b->steps) },
		{ "bytes_per_hour", json_real(b->per_second * 3600) },
	};

	return json_fill(json_object(), members,
	    sizeof(members) / sizeof(members[0]));
}

json_t *
leaks_json_in_brief(const struct profile *profile)
{
	struct judge_brief brief;

	leaks_brief(profile, &brief);
	return leaks_brief_json(&brief);
}
