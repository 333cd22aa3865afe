/*
 * diff-compare.c - may two profiles be compared, and over how many batches
 *
 * What stands in the way is said and no more: whatever can be shown is shown.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "diff/diff.h"
#include "say/need.h"

static void say_why(struct diff *d, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void
say_why(struct diff *d, const char *format, ...)
{
	va_list args;

	if (d->whys == DIFF_WHY_MOST)
		return;
	va_start(args, format);
	d->why[d->whys++] = need_text_list(format, args);
	va_end(args);
}

/* What another tool counted is not counted as we do. */
static void
compare_origins(struct diff *d)
{
	for (int i = 0; i < 2; i++) {
		const struct profile *p = &d->side[i].profile;
		char *origin = profile_text(p, p->segment->identity.origin);

		if (origin[0] != '\0')
			say_why(d, "%s is from %s", d->side[i].name, origin);
		free(origin);
	}
}

/* --- is it one run -------------------------------------------------------- */

static bool
is_same_run(const struct profile *a, const struct profile *b)
{
	const struct segment_identity *x = &a->segment->identity;
	const struct segment_identity *y = &b->segment->identity;
	char *host = profile_text(a, x->host), *other =
	    profile_text(b, y->host);
	bool same = strcmp(host, other) == 0 && x->pid == y->pid &&
	    x->origin.bytes == 0 && y->origin.bytes == 0 &&
	    x->start_ticks == y->start_ticks &&
	    x->started_ns == y->started_ns &&
	    x->exec_count == y->exec_count && x->namespace == y->namespace;

	free(host);
	free(other);
	return same;
}

/* How many epochs had ended. */
static uint64_t
epochs_at(const struct diff_side *s)
{
	const struct mark *m = s->mark;

	if (m == NULL)
		return s->profile.segment->watch.epochs;
	while (m > s->profile.mark && m->epoch == 0)
		m--;
	return m->epoch;
}

static void
find_batches(struct diff *d)
{
	const struct diff_side *a = &d->side[0], *b = &d->side[1];

	d->batches = d->options->per;
	if (d->batches != 0 || !d->same_run)
		return;
	d->batches = above_u64(epochs_at(b), epochs_at(a)) +
	    above_u64(epochs_at(a), epochs_at(b));
}

/* --- what makes two profiles different ------------------------------------ */

/* The last part of a text of each; false: they are the same. */
static bool
differ(const struct diff *d, size_t at, char *last[2])
{
	for (int i = 0; i < 2; i++) {
		const struct profile *p = &d->side[i].profile;
		struct segment_text text;
		const char *slash;
		char *path;

		memcpy(&text, (const char *)&p->segment->identity + at,
		    sizeof(text));
		path = profile_text(p, text);
		slash = strrchr(path, '/');
		last[i] = need_text("%s", slash != NULL ? slash + 1 : path);
		free(path);
	}
	return strcmp(last[0], last[1]) != 0;
}

static void
compare_texts(struct diff *d)
{
	static const struct {
		size_t at; /* in struct segment_identity */
		const char *words;
	} texts[] = {
		{ offsetof(struct segment_identity, executable),
		    "other programs" },
		{ offsetof(struct segment_identity, allocator),
		    "other allocators" },
	};
	char *last[2];

	for (size_t i = 0; i < ARRAY_LENGTH(texts); i++) {
		if (differ(d, texts[i].at, last) &&
		    last[0][0] != '\0' && last[1][0] != '\0')
			say_why(d, "%s: A has '%s', B has '%s'",
			    texts[i].words, last[0], last[1]);
		free(last[0]);
		free(last[1]);
	}
}

static void
compare_counting(struct diff *d)
{
	const struct profile *a = &d->side[0].profile;
	const struct profile *b = &d->side[1].profile;
	uint32_t deep = a->segment->config.depth;
	uint32_t other = b->segment->config.depth;
	bool cut = a->segment->lost.truncated != 0 ||
	    b->segment->lost.truncated != 0;

	if (a->segment->head.machine != b->segment->head.machine &&
	    a->segment->head.machine != 0 && b->segment->head.machine != 0)
		say_why(d, "they are of two kinds of CPU");
	if (strcmp(profile_stacks(a), profile_stacks(b)) != 0)
		say_why(d, "stacks were kept otherwise: A '%s', B '%s'",
		    profile_stacks(a), profile_stacks(b));
	if (cut && deep != other && deep != 0 && other != 0)
		say_why(d, "stacks were cut at other depths: A at %" PRIu32
		    " frames, B at %" PRIu32, deep, other);
}

/* --- what is wrong with one of them --------------------------------------- */

/* The nearest before or after whose figures are kept. */
static const struct mark *
find_kept(const struct diff_side *s)
{
	const struct profile *p = &s->profile;
	size_t from = (size_t)(s->mark - p->mark);
	int64_t bytes;

	for (size_t i = 1; i < p->marks; i++) {
		if (i <= from && profile_held(p, s->mark - i, 0, &bytes))
			return s->mark - i;
		if (from + i < p->marks &&
		    profile_held(p, s->mark + i, 0, &bytes))
			return s->mark + i;
	}
	return NULL;
}

static void
explain_no_sites(struct diff *d, const struct diff_side *s)
{
	const struct mark *kept;

	if (s->mark == NULL || s->profile.sites <= 1 ||
	    s->profile.segment->config.stacks == STACKS_NONE) {
		say_why(d, "%s has no sites: no stacks were kept", s->name);
		return;
	}
	kept = find_kept(s);
	say_why(d, "%s has no figures of sites at mark '%s'%s%.*s%s",
	    s->name, s->mark_name,
	    kept != NULL ? "; the nearest with them is '" : "",
	    kept != NULL ? (int)sizeof(kept->name) : 0,
	    kept != NULL ? kept->name : "", kept != NULL ? "'" : "");
}

/* To people profile_tell_changed() says it, once the rest is printed. */
static void
say_changed(struct diff *d, const struct diff_side *s)
{
	char where[PROFILE_CHANGED_ROOM];

	if (!d->options->json)
		return;
	profile_describe_changed(&s->profile, where);
	say_why(d, "%s was changed since heaptide wrote it, in %s", s->name,
	    where);
}

static void
compare_side(struct diff *d, const struct diff_side *s)
{
	const struct profile *p = &s->profile;

	if (p->changed != 0)
		say_changed(d, s);
	else if (p->damaged != 0)
		say_why(d, "%s is damaged: %zu rows contradict the others",
		    s->name, p->damaged);
	else if (!profile_is_exact(p))
		say_why(d, "%s is not exact; 'heaptide report' tells why",
		    s->name);
	if (p->segment->watch.switches != 0)
		say_why(d, "%s was told to keep other stacks while it ran: "
		    "sites have a part of what they held", s->name);
}

void
diff_compare(struct diff *d)
{
	d->same_run = is_same_run(&d->side[0].profile, &d->side[1].profile);
	find_batches(d);
	compare_origins(d);
	compare_texts(d);
	compare_counting(d);
	for (int i = 0; i < 2; i++) {
		if (!d->side[i].has_sites)
			explain_no_sites(d, &d->side[i]);
		/* What is wrong with one run is told once. */
		if (i == 0 || !d->same_run)
			compare_side(d, &d->side[i]);
	}
}

void
diff_judge_match(struct diff *d)
{
	if (d->match.unnamed != 0)
		say_why(d, "%zu calls in what was built anew have no names, "
		    "and so no other to be compared with", d->match.unnamed);
}
