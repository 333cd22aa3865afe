#include "model/sources.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"

#define WHOLE UINT64_C(1000000) /* millionths in a share of 100 % */

int
source_parse(const char *s, struct source_wish *wish)
{
	static const char less[] = "max-";
	struct source_wish w;
	int r;

	if (strncmp(s, less, sizeof(less) - 1) == 0) {
		w.form = FORM_LESS;
		r = text_parse_bytes(s + sizeof(less) - 1, &w.value);
	} else if (strchr(s, '%') != NULL) {
		w.form = FORM_SHARE;
		r = text_parse_share(s, &w.value);
	} else {
		w.form = FORM_BYTES;
		r = text_parse_bytes(s, &w.value);
	}
	if (r == 0)
		*wish = w;
	return r;
}

/* Limits that are a budget by themselves. */
static bool
is_limit(const struct source *s)
{
	return s->kind != SOURCE_SET && s->kind != SOURCE_HIGH;
}

/* Index of the least limit, the first of equals; @count: there is none. */
static size_t
least_limit(const struct source *sources, size_t count)
{
	size_t i, least = count;

	for (i = 0; i < count; i++)
		if (is_limit(&sources[i]) && sources[i].bytes != SOURCE_NONE &&
		    (least == count || sources[i].bytes < sources[least].bytes))
			least = i;
	return least;
}

/* What a wish comes to, where @base would rule without it. */
static int
wish_bytes(const struct source_wish *wish, uint64_t base, uint64_t *bytes)
{
	if (wish->form == FORM_BYTES) {
		*bytes = wish->value;
		return 0;
	}
	if (base == SOURCE_NONE)
		return -ENODATA;
	if (wish->form == FORM_LESS) {
		if (wish->value > base)
			return -ERANGE;
		*bytes = base - wish->value;
		return 0;
	}
	*bytes = base / WHOLE * wish->value +
	    base % WHOLE * wish->value / WHOLE;
	return 0;
}

static enum source_verdict
verdict_of(const struct source *s)
{
	if (s->bytes == SOURCE_NONE)
		return VERDICT_NO_LIMIT;
	return s->kind == SOURCE_HIGH ? VERDICT_WARNS : VERDICT_NOT_LOWER;
}

/*
 * The nearest wish that can be computed: its index, or @count.  Those behind
 * it are superseded; @error is the first failure on the way.
 */
static size_t
nearest_wish(struct source *sources, size_t count, uint64_t base, int *error)
{
	size_t i, nearest = count;
	int r;

	for (i = 0; i < count; i++) {
		if (sources[i].kind != SOURCE_SET)
			continue;
		r = wish_bytes(&sources[i].wish, base, &sources[i].bytes);
		if (r < 0) {
			sources[i].bytes = SOURCE_NONE;
			sources[i].verdict = VERDICT_NO_LIMIT;
			if (nearest == count && *error == 0)
				*error = r;
		} else if (nearest == count) {
			nearest = i;
		} else {
			sources[i].verdict = VERDICT_SUPERSEDED;
		}
	}
	return nearest;
}

/* The host's limit moves, and with it a wish that is relative to it. */
static bool
is_moving(const struct source *sources, size_t rules, size_t limit,
    size_t count)
{
	return limit < count && sources[limit].kind == SOURCE_HOST &&
	    (rules == limit || sources[rules].wish.form != FORM_BYTES);
}

static bool
counts(const struct source *s)
{
	return s->verdict == VERDICT_RULES || s->verdict == VERDICT_NOT_LOWER;
}

static void
find_room(const struct source *sources, size_t count,
    struct sources_answer *answer)
{
	uint64_t room;
	size_t i;

	for (i = 0; i < count; i++) {
		if (!counts(&sources[i]) || sources[i].used == SOURCE_NONE)
			continue;
		room = sources[i].bytes -
		    min_u64(sources[i].used, sources[i].bytes);
		if (room < answer->available) {
			answer->available = room;
			answer->tightest = i;
		}
	}
}

int
sources_judge(struct source *sources, size_t count, bool force,
    struct sources_answer *answer)
{
	struct sources_answer a = { SOURCE_NONE, SOURCE_NONE, SOURCE_NONE,
		count, count, false };
	size_t i, limit, wish;
	uint64_t base;
	int error = 0;

	limit = least_limit(sources, count);
	base = limit < count ? sources[limit].bytes : SOURCE_NONE;
	for (i = 0; i < count; i++) {
		if (sources[i].kind == SOURCE_SET)
			continue;
		sources[i].verdict = verdict_of(&sources[i]);
		if (sources[i].verdict == VERDICT_WARNS)
			a.slow_from = min_u64(a.slow_from, sources[i].bytes);
	}
	wish = nearest_wish(sources, count, base, &error);

	a.rules = limit;
	if (wish < count) {
		sources[wish].verdict = VERDICT_NOT_LOWER;
		if (force || sources[wish].bytes <= base)
			a.rules = wish;
	}
	if (a.rules < count) {
		a.budget = sources[a.rules].bytes;
		a.soft = is_moving(sources, a.rules, limit, count);
		sources[a.rules].verdict = VERDICT_RULES;
	}
	/* By force, whatever is below the budget has no say. */
	for (i = 0; force && wish < count && i < count; i++)
		if (is_limit(&sources[i]) && sources[i].bytes < a.budget)
			sources[i].verdict = VERDICT_OVERRULED;

	find_room(sources, count, &a);
	*answer = a;
	return error;
}

uint64_t
source_of_host(uint64_t total, uint64_t available, uint64_t resident)
{
	uint64_t reserve = max_u64(total / 20, 256 * MIB);
	uint64_t ours = available + resident;

	return above_u64(ours, reserve);
}
