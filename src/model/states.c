#include "model/states.h"

#include <string.h>

#include "base/base.h"

#define STATES_NS        1000000000.0
#define STATES_NEAR_S    0.5  /* S3 */
#define STATES_FULL      0.05
#define STATES_SHARE     0.05 /* S5: of the time, in ten seconds */
#define STATES_BUCKET_NS (0.05 * 10 * STATES_NS)
#define STATES_FITS      0.98 /* S6: one item at least must fit into that */

static double
states_or(double value, double otherwise)
{
	return value > 0 ? value : otherwise;
}

static uint64_t
states_dwell(const struct states *s)
{
	return s->conf.dwell_ns > 0 ? s->conf.dwell_ns : UINT64_C(1000000000);
}

static uint64_t
states_stall(const struct states *s)
{
	return s->conf.stall_ns > 0 ? s->conf.stall_ns : UINT64_C(10000000000);
}

/* The share of the budget at which @state begins. */
static double
states_enter(const struct states *s, int state)
{
	switch (state) {
	case STATES_WARNING:
		return states_or(s->conf.warn, STATES_WARN_FROM);
	case STATES_CRITICAL:
		return states_or(s->conf.critical, STATES_CRITICAL_FROM);
	case STATES_EXHAUSTED:
		return states_or(s->conf.exhausted, STATES_EXHAUSTED_FROM);
	}
	return 0;
}

/* The share below which it may end: 0.70, 0.80 and 0.85 of the defaults, and
 * in proportion of others. */
static double
states_leave(const struct states *s, int state)
{
	switch (state) {
	case STATES_WARNING:
		return states_enter(s, state) * (0.70 / STATES_WARN_FROM);
	case STATES_CRITICAL:
		return states_enter(s, state) * (0.80 / STATES_CRITICAL_FROM);
	case STATES_EXHAUSTED:
		return states_enter(s, state) * (0.85 / STATES_EXHAUSTED_FROM);
	}
	return 0;
}

void
states_open(struct states *s, const struct states_conf *conf)
{
	struct states_conf *c = &s->conf;
	double warn, critical, exhausted;

	memset(s, 0, sizeof(*s));
	if (conf == NULL)
		return;
	*c = *conf;
	warn = states_enter(s, STATES_WARNING);
	critical = states_enter(s, STATES_CRITICAL);
	exhausted = states_enter(s, STATES_EXHAUSTED);
	if (!(warn < critical && critical <= exhausted && exhausted <= 1))
		c->warn = c->critical = c->exhausted = 0;
}

/* --- the state ------------------------------------------------------------ */

static int
states_by_use(const struct states *s, const struct states_look *look)
{
	double share = (double)look->used / (double)look->budget;
	int state = STATES_EXHAUSTED;

	while (state > STATES_OK && share < states_enter(s, state))
		state--;
	return state;
}

static bool
states_is_near(const struct states_look *look)
{
	return look->rate > 0 && (look->used >= look->budget ||
	    (double)(look->budget - look->used) / look->rate < STATES_NEAR_S);
}

/* S2: what others tell holds until its dwell is over. */
static int
states_by_others(struct states *s, const struct states_look *look)
{
	uint64_t until = look->now_ns + states_dwell(s);
	int state;

	if (look->some >= STATES_SOME)
		s->raised_ns[STATES_WARNING] = until;
	if (look->full >= STATES_FULL ||
	    (s->met && look->limit_events > s->limit_events))
		s->raised_ns[STATES_CRITICAL] = until;
	if ((s->met && look->failed > s->failed) || look->lease_overrun)
		s->raised_ns[STATES_EXHAUSTED] = until;
	for (state = STATES_EXHAUSTED; state > STATES_OK; state--)
		if (s->raised_ns[state] > look->now_ns)
			return state;
	return STATES_OK;
}

/* Down by one, if it could have been left for as long as it takes. */
static void
states_fall(struct states *s, const struct states_look *look, int raised)
{
	double share = (double)look->used / (double)look->budget;

	if (raised >= s->state || share >= states_leave(s, s->state)) {
		s->below_ns = 0;
		return;
	}
	if (s->below_ns == 0)
		s->below_ns = look->now_ns > 0 ? look->now_ns : 1;
	if (look->now_ns - s->below_ns >= states_dwell(s)) {
		s->state--;
		s->below_ns = look->now_ns;
	}
}

static void
states_turn_breaker(struct states *s, uint64_t now_ns)
{
	if (s->state >= STATES_CRITICAL) {
		if (s->breaker != STATES_OPEN) {
			s->breaker = STATES_OPEN;
			s->step = 0;
			s->open_ns = now_ns > 0 ? now_ns : 1;
		}
	} else if (s->breaker == STATES_OPEN) {
		s->breaker = STATES_HALF_OPEN;
		s->open_ns = 0;
		s->step = 0;
	}
}

int
states_step(struct states *s, const struct states_look *look)
{
	int by_use, raised;
	bool near;

	if (look->budget == 0) {
		struct states_conf conf = s->conf;

		memset(s, 0, sizeof(*s));
		s->conf = conf;
		s->look = *look;
		return STATES_OK;
	}
	by_use = states_by_use(s, look);
	near = states_is_near(look);
	raised = states_by_others(s, look);
	if (near && by_use < STATES_EXHAUSTED)
		by_use++;
	if (by_use > raised)
		raised = by_use;
	s->look = *look;
	s->failed = look->failed;
	s->limit_events = look->limit_events;
	s->met = true;
	s->predicted = near;

	if (raised > s->state) {
		s->state = raised;
		s->rises++;
		s->below_ns = 0;
	} else if (s->state > STATES_OK) {
		states_fall(s, look, raised);
	}
	states_turn_breaker(s, look->now_ns);
	return s->state;
}

bool
states_cuts(const struct states *s)
{
	return s->state >= STATES_CRITICAL;
}

/* --- batches -------------------------------------------------------------- */

void
states_begun(struct states *s)
{
	if (s->breaker == STATES_HALF_OPEN)
		s->probing = true;
	s->open_ns = 0; /* something moves */
}

void
states_ended(struct states *s, bool well)
{
	uint64_t now = s->look.now_ns > 0 ? s->look.now_ns : 1;

	if (s->probing && s->breaker == STATES_HALF_OPEN) {
		s->breaker = well ? STATES_CLOSED : STATES_OPEN;
		s->step = 0;
	}
	s->probing = false;
	if (s->breaker == STATES_OPEN)
		s->open_ns = now;
}

/* S6: the step after all that was done, as far as it can be taken. */
static void
states_remedy(struct states *s, const struct states_wish *wish,
    struct states_answer *a)
{
	double budget = (double)s->look.budget;
	double need = (double)wish->baseline + (double)wish->one;

	if (s->step == 0) {
		s->step = 1;
		a->verdict = STATES_RECLAIM;
		return;
	}
	/* Not known what an item takes: it may, or nobody would ever know. */
	if (need <= STATES_FITS * budget) {
		s->step = 2;
		a->verdict = STATES_ONE_ITEM;
		return;
	}
	a->baseline = wish->baseline;
	a->one = wish->one;
	a->budget = s->look.budget;
	/* So that the item fits, and a little more than that. */
	a->raise_to = whole_u64(need / STATES_FITS * 1.05);
	a->grew = wish->baseline > wish->start &&
	    (double)(wish->baseline - wish->start) > 0.02 * budget;
	/* Anew helps only if there is room at the start. */
	if (a->grew && wish->checkpoint &&
	    (double)wish->start + (double)wish->one <= STATES_FITS * budget)
		a->verdict = STATES_RECYCLE;
	else
		a->verdict = STATES_NO_MEMORY;
}

void
states_ask(struct states *s, const struct states_wish *wish,
    struct states_answer *a)
{
	uint64_t now = s->look.now_ns;

	memset(a, 0, sizeof(*a));
	if (s->breaker == STATES_CLOSED) {
		a->verdict = STATES_GO;
		return;
	}
	if (s->breaker == STATES_HALF_OPEN && !s->probing) {
		a->verdict = STATES_PROBE;
		return;
	}
	a->verdict = STATES_WAIT;
	if (wish->in_flight || s->probing) {
		/* It ends, or the watchdog of its batch says so. */
		s->open_ns = 0;
		a->until_ns = now + states_stall(s);
		return;
	}
	if (s->open_ns == 0)
		s->open_ns = now > 0 ? now : 1;
	if (now - s->open_ns < states_stall(s) && s->step == 0) {
		/* The state may fall before. */
		a->until_ns = s->open_ns + states_stall(s);
		if (s->below_ns != 0 &&
		    s->below_ns + states_dwell(s) < a->until_ns &&
		    s->below_ns + states_dwell(s) > now)
			a->until_ns = s->below_ns + states_dwell(s);
		return;
	}
	states_remedy(s, wish, a);
}

/* --- cleanups ------------------------------------------------------------- */

/* What has leaked out of the bucket until now. */
static double
states_bucket(const struct states *s, uint64_t now_ns)
{
	double left = s->bucket_ns;

	if (now_ns > s->bucket_at_ns)
		left -= STATES_SHARE * (double)(now_ns - s->bucket_at_ns);
	return left > 0 ? left : 0;
}

bool
states_may_reclaim(const struct states *s, uint64_t now_ns)
{
	return states_bucket(s, now_ns) < STATES_BUCKET_NS;
}

void
states_reclaimed(struct states *s, uint64_t spent_ns, uint64_t now_ns)
{
	s->bucket_ns = states_bucket(s, now_ns) + (double)spent_ns;
	s->bucket_at_ns = now_ns;
}

bool
states_recycle_pays(uint64_t budget, uint64_t baseline, uint64_t start)
{
	return (double)baseline >= 0.7 * (double)budget && baseline > start &&
	    (double)(baseline - start) >= 0.25 * (double)budget;
}

const char *
states_name(int state)
{
	static const char *const names[] = {
		"ok", "warning", "critical", "exhausted"
	};

	return state >= STATES_OK && state <= STATES_EXHAUSTED ?
	    names[state] : "unknown";
}

const char *
states_breaker_name(int breaker)
{
	static const char *const names[] = { "closed", "open", "half open" };

	return breaker >= STATES_CLOSED && breaker <= STATES_HALF_OPEN ?
	    names[breaker] : "unknown";
}
