/*
 * run-part.c - which items a batch may have: none that is left out, and of a run
 * that does again what failed, those only
 */
#include "plan/run-state.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "plan/plan.h"
#include "sys/sys.h"

/* --- what is left out ----------------------------------------------------- */

static void
note_quarantined(const struct span *span)
{
	struct run_state *run = run_state();
	struct journal_fail fail;
	char range[48];
	struct text t;

	memset(&fail, 0, sizeof(fail));
	fail.first = span->first;
	fail.count = span->end - span->first;
	fail.reason = TIDE_ERROR;
	fail.attempt = run->attempt;
	text_field(fail.why, sizeof(fail.why), "its process ended with it");
	text_open(&t, range, sizeof(range));
	text_put_u64(&t, span->first);
	text_put(&t, "-");
	text_put_u64(&t, span->end - 1);
	run_say("left out from now on, as HEAPTIDE_QUARANTINE says: ", range,
	    "");
	/* Where it cannot be kept it is left out by this process all the same. */
	(void)journal_mark(&run->journal, JOURNAL_QUAR, &fail, sizeof(fail),
	    NULL, 0);
}

/* Is all of it left out already? */
static bool
is_within(const struct spans *s, const struct span *span)
{
	uint64_t at = span->first;
	const struct span *have;

	while (at < span->end) {
		have = spans_from(s, at);
		if (have == NULL || have->first > at)
			return false;
		at = have->end;
	}
	return true;
}

/* HEAPTIDE_QUARANTINE: first-last,... */
static int
take_quarantine(void)
{
	struct run_state *run = run_state();
	const char *text = run_given("QUARANTINE");
	struct spans wish;
	size_t i;
	int r;

	if (text == NULL || *text == '\0')
		return 0;
	memset(&wish, 0, sizeof(wish));
	r = spans_parse(&wish, text);
	if (r == -EINVAL)
		run_say("HEAPTIDE_QUARANTINE=", text, " is not accepted; "
		    "FIRST-LAST,... is");
	for (i = 0; r == 0 && i < wish.count; i++) {
		if (is_within(&run->parts.quarantined, &wish.at[i]))
			continue;
		note_quarantined(&wish.at[i]);
		r = spans_put(&run->parts.quarantined, wish.at[i].first,
		    wish.at[i].end, run->journal.number);
	}
	spans_close(&wish);
	return r;
}

/* All that the file says, to know when it is done after all. */
static int
note_failing(const struct spans *from)
{
	struct run_state *run = run_state();
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < from->count; i++)
		r = spans_put(&run->failing, from->at[i].first,
		    from->at[i].end, from->at[i].stamp);
	return r;
}

/* Those that are left out as well. */
static int
add_quarantined(struct run_failed *parts)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < parts->quarantined.count; i++)
		r = spans_put(&parts->failed, parts->quarantined.at[i].first,
		    parts->quarantined.at[i].end, 0);
	spans_close(&parts->quarantined);
	return r;
}

int
run_part_open(bool with_quarantined)
{
	struct run_state *run = run_state();
	uint8_t *buffer;
	int r = 0;

	run_failed_close(&run->parts);
	spans_close(&run->failing);
	if (run->look.failed + run->look.quarantined > 0) {
		buffer = run_look_buffer();
		if (buffer == NULL)
			return -ENOMEM;
		r = run_failed_read(run->journal.fd, buffer, &run->parts);
		run_look_no_buffer(buffer);
	}
	if (r == 0)
		r = take_quarantine();
	if (r == 0)
		r = note_failing(&run->parts.failed);
	if (r == 0)
		r = note_failing(&run->parts.quarantined);
	if (r == 0 && run->redo)
		r = run_failed_to_redo(&run->parts);
	if (r == 0 && run->redo && with_quarantined)
		r = add_quarantined(&run->parts);
	plan_room()->quarantined = spans_items(&run->parts.quarantined);
	return r;
}

/* --- a part --------------------------------------------------------------- */

/* The first that failed, and those right behind it.  False: none did. */
static bool
find_failed(const struct spans *s, uint64_t end, struct run_part *part)
{
	const struct span *span = spans_from(s, part->first);
	uint64_t at;

	if (span == NULL || span->first >= end)
		return false;
	part->first = max_u64(part->first, span->first);
	at = min_u64(span->end, end);
	while ((span = spans_from(s, at)) != NULL && span->first <= at &&
	    at < end)
		at = min_u64(span->end, end);
	part->count = at - part->first;
	part->left = spans_count(s, part->first, end);
	return true;
}

/* The first that is not left out, up to one that is. */
static bool
find_other(const struct spans *s, uint64_t end, struct run_part *part)
{
	const struct span *span = spans_from(s, part->first);

	while (span != NULL && span->first <= part->first) {
		part->first = span->end;
		span = spans_from(s, part->first);
	}
	if (part->first >= end)
		return false;
	part->left = end == TIDE_NONE ? TIDE_NONE : end - part->first -
	    spans_count(s, part->first, end);
	part->count = span != NULL ? min_u64(span->first, end) -
	    part->first : end == TIDE_NONE ? TIDE_NONE : end - part->first;
	return true;
}

bool
run_part_find(uint64_t first, uint64_t remaining, struct run_part *part)
{
	struct run_state *run = run_state();
	uint64_t end = remaining > TIDE_NONE - first ? TIDE_NONE :
	    first + remaining;
	bool found;

	part->first = first;
	part->count = part->left = remaining;
	part->end = end;
	part->number = 0;
	if (!run_enter())
		return true;
	part->number = run->journal.number;
	found = run->redo ? find_failed(&run->parts.failed, end, part) :
	    find_other(&run->parts.quarantined, end, part);
	run_unlock();
	return found;
}
