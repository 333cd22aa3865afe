/*
 * answer-metrics.c - what monitoring systems are told, as JSON or in their text
 */
#include "control/answer.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "control/metrics.h"
#include "control/reply.h"
#include "control/seen.h"

static void
judge(const struct control *c, struct metrics_facts *f)
{
	struct judge_brief brief;

	if (seen_brief(c, &brief) < 0)
		return;
	f->leaks[0] = brief.growing;
	f->leaks[1] = brief.steps;
}

static void
put_text(void *context, const char *text, size_t bytes)
{
	text_put_bytes(context, text, bytes);
}

/*
 * The text is written to the end of the room, and from there into the member,
 * which begins at its start: what is in front of what, and by how much each
 * byte may grow, leaves them apart.
 */
static void
put_as_text(struct text *t, enum metrics_format format,
    const struct metrics_facts *f)
{
	size_t room = t->bytes / 3, at = t->bytes - room;
	struct text end;
	const struct metrics_out out = { put_text, &end };

	text_open(&end, t->start + at, room);
	metrics_write(&out, format, &f, 1);
	metrics_write_end(&out, format);
	t->bytes = at;
	reply_text(t, "content_type", format == METRICS_OPENMETRICS ?
	    "application/openmetrics-text; version=1.0.0; charset=utf-8" :
	    "text/plain; version=0.0.4; charset=utf-8");
	if (end.cut)
		t->cut = 1;
	else
		reply_text_bytes(t, "text", end.start, end.used);
	t->bytes = at + room;
}

void
answer_metrics(struct control *c, const struct request *r, struct text *t)
{
	struct metrics_facts facts;

	if (r->words > 1 && !request_is(r, 1, "openmetrics") &&
	    !request_is(r, 1, "prometheus")) {
		request_refuse(t, -EINVAL, "'metrics' is asked as: metrics "
		    "[openmetrics|prometheus]");
		return;
	}
	metrics_read(c, &facts);
	judge(c, &facts);
	if (r->words == 1)
		metrics_reply(t, &facts);
	else
		put_as_text(t, request_is(r, 1, "openmetrics") ?
		    METRICS_OPENMETRICS : METRICS_PROMETHEUS, &facts);
}
