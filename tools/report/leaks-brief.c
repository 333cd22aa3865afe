/*
 * leaks-brief.c - what keeps growing, in a line of a report on something else
 */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "report/leaks.h"
#include "say/need.h"
#include "symbols/json.h"

void
leaks_brief(const struct profile *profile, struct judge_brief *brief)
{
	const struct control c = profile_control(profile);
	const struct judge_options options = {
		.now_ns = profile->now_ns,
		.warmup = SIZE_MAX,
		.ended = !profile->live,
	};

	if (judge_in_brief(&c, &options, brief) < 0)
		need(NULL);
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
		    "%s%zu made a step", used != 0 ? ", " : "", b->steps);
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
