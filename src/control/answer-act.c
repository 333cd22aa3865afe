/*
 * answer-act.c - what is asked for, and when it is done
 *
 * What concerns how the program counts is written where its threads look on
 * their slow path, and they are asked to take it at their next allocation; a
 * program at rest has nothing to count.
 */
#include "control/answer.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/segment.h"
#include "control/limit.h"
#include "control/mark.h"
#include "control/reply.h"
#include "control/seen.h"
#include "model/sources.h"
#include "sys/sys.h"

/* More is no budget, and not every reader of JSON has room for it. */
#define BUDGET_MOST ((uint64_t)INT64_MAX)

/* The rest of the line, blanks between words as one. */
static void
join_words(const struct request *r, char *name, size_t room)
{
	struct text t;
	size_t i;

	text_open(&t, name, room);
	for (i = 1; i < r->words; i++) {
		if (i > 1)
			text_put(&t, " ");
		text_put(&t, r->word[i]);
	}
}

void
answer_mark(struct control *c, const struct request *r, struct text *t)
{
	char name[REQUEST_LINE_MOST + 1];
	int64_t number;

	join_words(r, name, sizeof(name));
	if (strlen(name) > MARK_NAME_MOST) {
		request_refuse(t, -EINVAL, "a name of at most 59 bytes is "
		    "accepted");
		return;
	}
	number = mark_set(c, MARK_NAMED, name, sys_clock());
	if (number < 0) {
		request_refuse(t, (int)number, "there is no room for another "
		    "mark");
		return;
	}
	if (number != MARK_NOT_KEPT)
		reply_i64(t, "number", number);
	reply_text(t, "mark", name);
	reply_u64(t, "epochs", c->segment->watch.epochs);
}

void
answer_stacks(struct control *c, const struct request *r, struct text *t)
{
	struct segment_config *config = &c->segment->config;
	uint32_t i;

	if (r->words > 1) {
		for (i = STACKS_NONE; i <= STACKS_ALL; i++)
			if (request_is(r, 1, control_stacks(i)))
				break;
		if (i > STACKS_ALL) {
			request_refuse(t, -EINVAL,
			    "'stacks' takes none, sampled or all");
			return;
		}
		atomic_store(&config->stacks_wanted, i + 1);
		control_nudge(c);
	}
	i = atomic_load(&config->stacks_wanted);
	reply_text(t, "stacks", control_stacks(atomic_load(&config->stacks)));
	reply_text(t, "wanted", control_stacks(i == 0 ?
	    atomic_load(&config->stacks) : i - 1));
}

void
answer_sample(struct control *c, const struct request *r, struct text *t)
{
	struct segment_config *config = &c->segment->config;
	uint64_t bytes;

	if (r->words > 1) {
		if (text_parse_bytes(r->word[1], &bytes) < 0 || bytes == 0 ||
		    bytes > SEGMENT_SAMPLE_MOST) {
			request_refuse(t, -EINVAL, "'sample' takes a size "
			    "from 1 byte to 1 TiB, as 64K or 1M");
			return;
		}
		atomic_store(&config->sample_bytes, bytes);
		control_nudge(c);
	}
	reply_u64(t, "sample_bytes", atomic_load(&config->sample_bytes));
}

/* What `512M`, `60%`, `max-256M` or `off` (0) comes to, as it stands now. */
static int
read_budget(const struct control *c, const struct request *r, uint64_t *bytes)
{
	struct source_wish wish;
	int error = 0;

	if (request_is(r, 1, "off")) {
		*bytes = 0;
		return 0;
	}
	if (source_parse(r->word[1], &wish) < 0)
		return -EINVAL;
	if (wish.form == FORM_BYTES)
		*bytes = wish.value;
	else
		error = limit_of_wish(c->pid, &wish, bytes);
	return error == 0 && (*bytes == 0 || *bytes > BUDGET_MOST) ?
	    -EINVAL : error;
}

void
answer_budget(struct control *c, const struct request *r, struct text *t)
{
	struct segment_config *config = &c->segment->config;
	struct limit limit;
	uint64_t bytes;
	int error;

	if (r->words > 1) {
		error = read_budget(c, r, &bytes);
		if (error < 0) {
			request_refuse(t, -EINVAL, error == -EINVAL ? "'budget' "
			    "takes a size, as 512M, a share of what would "
			    "rule without it, as 60%, or less so much, as "
			    "max-256M; or off" : "no limit is "
			    "known that could be shared so");
			return;
		}
		atomic_store(&config->budget_bytes, bytes);
	}
	if (seen_limit(c, &limit) < 0) {
		request_refuse(t, -ESRCH, "the process has ended");
		return;
	}
	if (limit.bytes == LIMIT_NONE) {
		reply_null(t, "budget");
		return;
	}
	reply_u64(t, "budget", limit.bytes);
	reply_u64(t, "used", limit.used);
	reply_u64(t, "available", limit.available);
	reply_text(t, "source", limit.source);
}

/*
 * It is done inside, by the next thread that comes by, after this answer; the
 * `trim` among the marks says when, and `trims_done` how many have been.
 */
static void
tell_trims(const struct control *c, struct text *t)
{
	const struct segment_watch *w = &c->segment->watch;

	reply_u64(t, "trims_wanted", atomic_load(&w->trims_wanted));
	reply_u64(t, "trims_done", atomic_load(&w->trims_done));
}

void
answer_trim_now(struct control *c, struct text *t)
{
	atomic_fetch_add(&c->segment->watch.trims_wanted, 1);
	tell_trims(c, t);
	control_nudge(c);
}

void
answer_trim(struct control *c, const struct request *r, struct text *t)
{
	bool tells = request_is(r, 1, "last");

	if (r->words > 1 && !tells)
		request_refuse(t, -EINVAL, "'trim' is asked as: trim [last]");
	else if (tells)
		tell_trims(c, t);
	else
		answer_trim_now(c, t);
}
