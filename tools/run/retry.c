#include "run/retry.h"

#include <string.h>

#include "base/base.h"

/* So many that ended at once are no work: from there on there is a pause. */
#define QUICK_MOST     100
#define QUICK_NS       NS_PER_S
#define QUICK_PAUSE_NS NS_PER_S

/* R4 */
static uint64_t
delay_of(struct retry *r, const struct retry_policy *p, double chance)
{
	double least = (double)p->delay_ns;
	double last = r->last_ns != 0 ? (double)r->last_ns : least;
	double next = last * p->factor;

	if (p->spread)
		next = least + chance * (next - least);
	else if (r->last_ns == 0)
		next = least;
	if (next > (double)p->cap_ns)
		next = (double)p->cap_ns;
	r->last_ns = (uint64_t)next;
	return r->last_ns;
}

/* R3: what there was before is behind. */
static void
note_progress(struct retry *r, const struct retry_event *e)
{
	if (!e->has_cursor)
		return;
	r->idle++;
	if (e->cursor <= r->cursor)
		return;
	r->cursor = e->cursor;
	r->memory = r->errors = r->idle = 0;
	r->last_ns = 0;
	if (e->cursor >= r->end)
		r->n = 0;
}

/* R5 */
static void
make_smaller(struct retry *r, const struct retry_policy *p,
    const struct retry_event *e)
{
	uint64_t end = e->first + min_u64(e->n, UINT64_MAX - e->first);

	if (!e->in_batch || e->n == 0)
		return;
	if (r->n == 0 || e->first >= r->end)
		r->end = 0;
	r->end = max_u64(r->end, end);
	r->n = e->n > p->fallback ? p->fallback : 1;
	if (e->n > 1)
		return;
	if (r->alone_at != e->first)
		r->alone = 0;
	r->alone_at = e->first;
	r->alone++;
}

static enum retry_why
recycle(struct retry *r, const struct retry_event *e,
    struct retry_verdict *verdict)
{
	if (e->has_cursor && r->idle >= RETRY_IDLE)
		return RETRY_STUCK;
	r->quick = e->lived_ns < QUICK_NS ? r->quick + 1 : 0;
	if (r->quick > QUICK_MOST)
		verdict->delay_ns = QUICK_PAUSE_NS;
	return RETRY_AGAIN;
}

/* R6; true: it is found. */
static bool
is_found(const struct retry *r, const struct retry_policy *p,
    const struct retry_event *e, uint64_t failures)
{
	return e->has_cursor && e->in_batch && e->n == 1 &&
	    (r->alone >= RETRY_ALONE || failures > p->most);
}

static enum retry_why
try_again(struct retry *r, const struct retry_policy *p,
    const struct retry_event *e, struct retry_verdict *verdict)
{
	uint64_t *failures = outcome_is_memory(e->outcome) ? &r->memory :
	    &r->errors;

	++*failures;
	make_smaller(r, p, e);
	if (is_found(r, p, e, *failures)) {
		if (r->has_left_out && r->left_out == e->first)
			return RETRY_NO_WAY_ROUND;
		r->has_left_out = verdict->leave_out = true;
		r->left_out = verdict->item = e->first;
		r->memory = r->errors = r->alone = 0;
		r->last_ns = 0;
	} else if (*failures > p->most) {
		return RETRY_USED_UP;
	}
	verdict->delay_ns = delay_of(r, p, e->chance);
	return RETRY_AGAIN;
}

static bool
is_wanted(const struct retry_policy *p, enum outcome outcome)
{
	if (p->most == 0)
		return false;
	return outcome_is_memory(outcome) || outcome == OUTCOME_RECYCLE ||
	    outcome == OUTCOME_STALLED ||
	    (outcome == OUTCOME_ERROR && p->errors);
}

void
retry_next(struct retry *r, const struct retry_policy *policy,
    const struct retry_event *e, struct retry_verdict *verdict)
{
	memset(verdict, 0, sizeof(*verdict));
	verdict->why = RETRY_OVER;
	note_progress(r, e);
	if (!is_wanted(policy, e->outcome))
		return;
	if (e->outcome == OUTCOME_RECYCLE) {
		verdict->why = recycle(r, e, verdict);
	} else {
		r->quick = 0;
		verdict->why = try_again(r, policy, e, verdict);
	}
	verdict->n = r->n;
	verdict->end = r->n != 0 ? r->end : 0;
}
