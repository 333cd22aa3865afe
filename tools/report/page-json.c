/*
 * page-json.c - the object in a page: a report, what grows, what to change
 */
#include <stdlib.h>

#include "base/base.h"
#include "base/text.h"
#include "ops/advise.h"
#include "report/leaks.h"
#include "report/page.h"
#include "say/need.h"
#include "symbols/json.h"

#define PAGE_VERSION 1 /* of the object's members; web/README.md */

/* --- what is to be said first --------------------------------------------- */

static void
say(json_t *list, const char *level, const char *topic, const char *text)
{
	json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "level",
	    level, "topic", topic, "text", json_text(text)));
}

static void
say_losses(const struct report *r, json_t *list)
{
	const struct profile *p = r->profile;
	char where[PROFILE_CHANGED_ROOM];
	char count[TEXT_COUNT_ROOM], *text;

	for (size_t i = 0; i < PROFILE_LOSSES; i++) {
		uint64_t n = profile_lost(p, &profile_losses[i]);

		if (n == 0 || !profile_losses[i].withdraws)
			continue;
		text = need_text("not exact: %s %s",
		    text_format_count(count, n), profile_losses[i].means);
		say(list, "warn", "losses", text);
		free(text);
	}
	if (p->damaged != 0) {
		text = need_text("damaged: %s rows of the file contradict the "
		    "rest and are left out",
		    text_format_count(count, p->damaged));
		say(list, "warn", "losses", text);
		free(text);
	}
	if (p->changed != 0) {
		profile_describe_changed(p, where);
		text = need_text("changed since heaptide wrote it, in %s",
		    where);
		say(list, "warn", "losses", text);
		free(text);
	}
}

static void
say_growth(const struct leaks *l, json_t *list)
{
	enum verdict_kind heap = l->judge.heap.kind;
	char words[LEAKS_WORDS_ROOM], *text;
	struct judge_brief brief;

	leaks_brief_of(l, &brief);
	if (leaks_brief_words(&brief, words)) {
		say(list, "warn", "leaks", words);
		return;
	}
	if (l->judge.points < 2 || heap == VERDICT_UNKNOWN) {
		say(list, "plain", "leaks", "too few epochs to say whether "
		    "anything keeps growing");
		return;
	}
	text = need_text("nothing keeps growing: the heap is %s over %zu "
	    "moments", verdict_name(heap), l->judge.points);
	say(list, "good", "leaks", text);
	free(text);
}

static void
say_advice(const struct advised *a, json_t *list)
{
	char text[COUNSEL_TEXT_ROOM], setting[COUNSEL_SETTING_ROOM], *words;

	for (size_t i = 0; i < a->counsel->count; i++) {
		const struct advice *advice = &a->counsel->advice[i];

		advise_text(a, advice, text);
		advise_setting(a, advice, setting);
		words = need_text("%s: %s%s%s", advice_name(advice->id), text,
		    *setting != '\0' ? "; try " : "", setting);
		say(list, advice->severity >= ADVICE_WARN ? "warn" :
		    advice->severity == ADVICE_FINE ? "good" : "plain",
		    "advice", words);
		free(words);
	}
}

/* --- the whole ------------------------------------------------------------ */

static json_t *
json_advice(const struct advised *a)
{
	json_t *list = json_array();

	for (size_t i = 0; i < a->counsel->count; i++)
		json_array_append_new(list,
		    advise_json(a, &a->counsel->advice[i]));
	return list;
}

static void
add_advice(const struct report *r, json_t *object, json_t *sentences)
{
	struct advised a;

	advise_open(&a, r->profile, r->profile->path);
	say_advice(&a, sentences);
	json_object_set_new(object, "advice", json_advice(&a));
	advise_close(&a);
}

static void
add_leaks(const struct report *r, json_t *object, json_t *sentences)
{
	const struct leaks_options options = {
		.warmup = UINT64_MAX,
		.debuginfod = r->options->debuginfod,
	};
	struct leaks l;

	if (!leaks_open(&l, r->profile, &options, "report"))
		return; /* there are neither marks nor files to be missing */
	say_growth(&l, sentences);
	json_object_set_new(object, "leaks", leaks_json(&l, false));
	leaks_close(&l);
}

json_t *
page_json(const struct report *r)
{
	const struct profile *p = r->profile;
	json_t *object = json_head(), *sentences = json_array();
	const struct json_member members[] = {
		{ "page", json_integer(PAGE_VERSION) },
		{ "report", report_json_brief(r) },
		{ "sentences", sentences },
		{ "by_thread", page_json_by_thread(r) },
		{ "series", page_json_series(p) },
		{ "budget", page_json_budget(p) },
		{ "moments", page_json_moments(p) },
		{ "history", page_json_history(r) },
		{ "lives", page_json_lives(p) },
	};

	json_fill(object, members, ARRAY_LENGTH(members));
	page_json_sites(r, object);
	say_losses(r, sentences);
	add_leaks(r, object, sentences);
	add_advice(r, object, sentences);
	return object;
}
