/*
 * plan-look.c - how much is used, as estimated, and what follows from it
 */
#include "plan/plan-state.h"

#include <string.h>

#include "base/base.h"
#include "plan/op.h"
#include "plan/plan.h"
#include "plan/pressure.h"
#include "sys/sys.h"

/*
 * Limits are read anew so often, some 100 us each time; near one of them, which
 * others may be filling as well, more often.
 */
#define LIMIT_NS      (1 * NS_PER_S)
#define LIMIT_NEAR_NS (20 * NS_PER_MS)

static uint64_t
estimate(uint64_t live)
{
	struct plan_state *plan = plan_state();
	uint64_t base = plan_load(&plan->base);
	uint64_t used = base + above_u64(live, plan_load(&plan->from));

	return used <= plan_load(&plan->near) ? used :
	    base + above_u64(live, plan_load(&plan->from_near));
}

static void
store_used(struct tide_room *room, uint64_t used)
{
	uint64_t budget = plan_load(&room->budget);

	plan_store(&room->used, used);
	plan_store(&room->left, budget == TIDE_NONE ? TIDE_NONE :
	    above_u64(budget, used));
}

bool
plan_note(uint64_t live, uint64_t now_ns)
{
	struct plan_state *plan = plan_state();
	struct tide_room *room = plan->room;
	uint64_t used = estimate(live);
	bool due = used >= plan_load(&plan->look_at) ||
	    live >= plan_load(&plan->live_line) ||
	    now_ns >= plan_load(&plan->look_ns);

	plan_store(&room->live, live);
	store_used(room, used);
	plan_raise_to(&room->peak_live, live);
	plan_raise_to(&room->peak_used, used);
	plan_raise_to(&plan->high, used);
	/* What is due is for a safe point: tide_batch_more() comes to one. */
	if (due)
		plan_store(&room->gate, TIDE_NONE);
	else if (plan_load(&room->gate) != TIDE_NONE)
		plan_store(&room->gate, used);
	return due;
}

void
plan_set_live_line(uint64_t live)
{
	plan_store(&plan_state()->live_line, live);
}

uint64_t
plan_quantum(void)
{
	struct plan_state *plan = plan_state();

	return plan_load(&plan->quantum);
}

uint64_t
plan_high(void)
{
	struct plan_state *plan = plan_state();

	return plan_load(&plan->high);
}

double
plan_stalled(void)
{
	return plan_state()->stalled;
}

void
plan_saw(uint64_t used)
{
	struct plan_state *plan = plan_state();

	plan_raise_to(&plan->room->peak_used, used);
}

void
plan_high_reset(void)
{
	struct plan_state *plan = plan_state();

	plan_store(&plan->high, plan_load(&plan->room->used));
	plan_store(&plan->high_held, plan_held());
	plan_store(&plan->high_own, plan->own);
	plan->stood_own = plan->own;
}

uint64_t
plan_high_held(void)
{
	return plan_load(&plan_state()->high_held);
}

static void
see_heap(struct host_heap *heap)
{
	struct plan_state *plan = plan_state();

	memset(heap, 0, sizeof(*heap));
	if (plan->host->heap == NULL || !plan->host->heap(heap))
		memset(heap, 0, sizeof(*heap));
}

uint64_t
plan_used_now(void)
{
	struct plan_state *plan = plan_state();
	struct host_heap heap;

	if (!plan_is_counted())
		return plan_load(&plan->room->used);
	see_heap(&heap);
	return estimate(heap.bytes);
}

uint64_t
plan_held(void)
{
	struct plan_state *plan = plan_state();
	struct host_heap heap;

	see_heap(&heap);
	return sensor_held(&plan->sensor, heap.bytes);
}

void
plan_reused(uint64_t stood, uint64_t held, uint64_t live)
{
	struct plan_state *plan = plan_state();
	struct sensor_batch b;

	memset(&b, 0, sizeof(b));
	b.stood = stood;
	b.held = held;
	b.live = live;
	b.risen = above_u64(plan_load(&plan->high_own), plan->stood_own);
	sensor_reused(&plan->sensor, &b);
}

uint64_t
plan_fits(void)
{
	struct plan_state *plan = plan_state();

	if (!plan_is_counted() || plan->limit.budget == TIDE_NONE)
		return 0;
	return sensor_fits(&plan->sensor, plan_load(&plan->room->used),
	    plan_held());
}

/* --- a look --------------------------------------------------------------- */

/* The least room in any limit, which may be less than the budget less used. */
static void
read_limit(uint64_t now_ns)
{
	struct plan_state *plan = plan_state();
	struct tide_room *room = plan->room;
	struct host_limit limit;

	memset(&limit, 0, sizeof(limit));
	if (plan->host->limit(plan->set_bytes, &limit) < 0)
		return;
	plan->limit = limit;
	plan->limit_ns = now_ns;
	sensor_budget(&plan->sensor,
	    limit.budget == TIDE_NONE ? 0 : limit.budget);
	plan_store(&room->budget, limit.budget);
	room->soft = limit.soft;
	room->slow_from = limit.slow_from;
	memcpy(room->source, limit.source, sizeof(room->source));
	room->source[sizeof(room->source) - 1] = '\0';
}

static bool
is_limit_old(uint64_t now_ns)
{
	struct plan_state *plan = plan_state();
	uint64_t age = now_ns - plan->limit_ns;

	return plan->limit_ns == 0 || age > LIMIT_NS ||
	    (plan->room->state >= TIDE_WARNING && age > LIMIT_NEAR_NS);
}

/* When to look again: at the next line, or as the sensor has it. */
static void
arm(uint64_t now_ns, const struct host_heap *heap, uint64_t used)
{
	struct plan_state *plan = plan_state();
	const struct states_conf *c = &plan->states.conf;
	const double line[3] = { c->warn, c->critical, c->exhausted };
	const double budget = (double)plan->limit.budget;
	uint32_t threads = heap->threads > 0 ? heap->threads : 1;
	uint64_t next = used + max_u64(heap->bytes / 20, 256 * KIB);
	size_t i;

	for (i = 0; plan->limit.budget != TIDE_NONE && i < 3; i++)
		if ((double)used < line[i] * budget)
			next = min_u64(next, whole_u64(line[i] * budget));
	plan_store(&plan->look_at, next);
	plan_store(&plan->look_ns, now_ns + sensor_period(&plan->sensor,
	    heap->bytes));
	plan_store(&plan->quantum, plan->limit.budget == TIDE_NONE ? 64 * KIB :
	    sensor_quantum(&plan->sensor, heap->bytes, threads));
	plan_store(&plan->base, plan->sensor.used0);
	plan_store(&plan->from, plan->sensor.live0 + plan->sensor.reusable0);
	plan_store(&plan->from_near, plan->sensor.live0);
	plan_store(&plan->near, plan->limit.budget == TIDE_NONE ? TIDE_NONE :
	    whole_u64(budget * 0.85));
	plan->room->error = sensor_error(&plan->sensor, heap->bytes, threads,
	    now_ns);
}

bool
plan_is_due(uint64_t now_ns)
{
	struct plan_state *plan = plan_state();

	return now_ns >= plan_load(&plan->look_ns) || plan_is_old(now_ns) ||
	    plan_load(&plan->room->used) >= plan_load(&plan->look_at);
}

static void
note_rate(uint64_t now_ns, const struct host_heap *heap)
{
	struct plan_state *plan = plan_state();
	uint64_t ns = now_ns - plan->allocated_ns;

	if (plan->allocated_ns != 0 && ns < 10 * NS_PER_MS)
		return;
	if (plan->allocated_ns != 0)
		plan->room->rate = whole_u64((double)above_u64(heap->allocated,
		    plan->allocated) * 1e9 / (double)ns);
	plan->allocated = heap->allocated;
	plan->allocated_ns = now_ns;
}

/*
 * How fast it rises, bytes a second, for who foresees the end of it.  What a
 * batch takes was foreseen and comes back: while any is under way nothing is
 * said, and one in between is measured over a tenth of a second at least.
 */
static double
trend(uint64_t now_ns, uint64_t used)
{
	struct plan_state *plan = plan_state();
	uint64_t ns = now_ns - plan->trend_ns;

	if (op_active() > 0)
		return 0;
	if (plan->trend_ns == 0 || ns >= 100 * NS_PER_MS) {
		plan->trend = plan->trend_ns == 0 ? 0 :
		    (double)above_u64(used, plan->trend_used) * 1e9 /
		    (double)ns;
		plan->trend_used = used;
		plan->trend_ns = now_ns;
	}
	return plan->trend;
}

/* What was used at the last look is taken to have been so until this one. */
static void
follow(uint64_t now_ns, uint64_t used)
{
	struct plan_state *plan = plan_state();
	struct tide_room *room = plan->room;
	uint64_t ns = now_ns - plan->followed_ns;

	if (plan->followed_ns != 0 && ns != 0 && ns < INT64_MAX) {
		room->watched_ns += ns;
		room->used_mean += ((double)plan->followed -
		    room->used_mean) * (double)ns / (double)room->watched_ns;
		if (plan->limit.budget != TIDE_NONE &&
		    (double)plan->followed > 0.8 * (double)plan->limit.budget)
			room->high_ns += ns;
	}
	plan->followed_ns = now_ns;
	plan->followed = used;
}

/*
 * Of the events at a limit those that mean something: where files fill a group
 * up to its limit, the kernel drops some of them all the time, and nobody is
 * short of anything.
 */
static uint64_t
heeded(uint64_t events, uint64_t used)
{
	struct plan_state *plan = plan_state();

	if (plan->limit.budget != TIDE_NONE &&
	    (double)used >= 0.70 * (double)plan->limit.budget)
		plan->events += above_u64(events, plan->events_seen);
	plan->events_seen = events;
	return plan->events;
}

static void
judge(uint64_t now_ns, const struct host_heap *heap, uint64_t used)
{
	struct plan_state *plan = plan_state();
	struct tide_room *room = plan->room;
	struct host_pressure pressure;
	struct states_look look;
	int state, before = room->state;
	uint64_t pretended = plan_load(&room->pressure);

	memset(&look, 0, sizeof(look));
	look.now_ns = now_ns;
	look.budget = plan->limit.budget == TIDE_NONE ? 0 : plan->limit.budget;
	look.used = used;
	look.rate = trend(now_ns, used);
	look.failed = heap->failed + plan_load(&plan->failed);
	if (plan->host->pressure != NULL &&
	    plan->host->pressure(&pressure) == 0) {
		plan->stalled = look.some = pressure.some;
		look.full = pressure.full;
		look.limit_events = heeded(pressure.events, used);
	}
	state = states_step(&plan->states, &look);
	if (pretended != 0 && (int)pretended - 1 > state)
		state = (int)pretended - 1;
	room->failed = look.failed;
	if (state != before) {
		room->at_state_ns[before & 3] += now_ns - room->state_ns;
		room->state_ns = now_ns;
		room->warnings += state > before;
		room->state = state;
		pressure_notify(state);
	}
}

/*
 * To ask the kernel took a while, in which threads have published what is true
 * by now: that is not to be put back.
 */
static void
store_live(struct tide_room *room, struct host_heap *heap)
{
	uint64_t stored;
	int tries = 0;

	see_heap(heap);
	do {
		stored = heap->bytes;
		plan_store(&room->live, stored);
		see_heap(heap);
	} while (heap->bytes != stored && ++tries < 8);
	room->blocks = heap->blocks;
	plan_raise_to(&room->peak_live, stored);
}

/* With the lock held. */
void
plan_look(uint64_t now_ns, bool sampled)
{
	struct plan_state *plan = plan_state();
	struct tide_room *room = plan->room;
	struct host_heap heap;
	uint64_t used;

	see_heap(&heap);
	__atomic_store_n(&room->sequence, room->sequence + 1,
	    __ATOMIC_RELEASE);
	if (is_limit_old(now_ns))
		read_limit(now_ns);
	if (sampled || plan->sensor.looks == 0 || plan_is_old(now_ns) ||
	    now_ns - room->sampled_ns >= sensor_period(&plan->sensor,
	    heap.bytes) || sensor_is_due(&plan->sensor, heap.bytes))
		plan_sample(now_ns, &heap, sampled);
	used = sensor_used(&plan->sensor, heap.bytes);
	note_rate(now_ns, &heap);
	follow(now_ns, used);
	judge(now_ns, &heap, used);
	arm(now_ns, &heap, used);
	plan->live = plan_is_counted() ? heap.bytes : TIDE_NONE;
	if (plan_is_counted())
		store_live(room, &heap);
	else
		plan_set_refresh();
	plan_raise_to(&room->peak_used, used);
	plan_raise_to(&plan->high, used);
	room->available = plan->limit.budget == TIDE_NONE ? TIDE_NONE :
	    above_u64(plan->limit.budget, used);
	room->looks++;
	store_used(room, used);
	/* Where the heap is not counted, only who asks us keeps it up. */
	plan_store(&room->gate, !plan_is_counted() ||
	    states_cuts(&plan->states) || room->state >= TIDE_CRITICAL ?
	    TIDE_NONE : used);
	plan_store(&room->refreshed_ns, now_ns);
	__atomic_store_n(&room->sequence, room->sequence + 1,
	    __ATOMIC_RELEASE);
}

bool
plan_may_grow(uint64_t line, uint64_t last, uint64_t stood)
{
	struct plan_state *plan = plan_state();
	struct host_heap heap;
	int may;

	if (!plan_is_counted())
		return false;
	last = min_u64(last, plan_line(plan->limit.budget,
	    plan->states.conf.critical));
	plan_lock();
	see_heap(&heap);
	may = sensor_may_grow(&plan->sensor, heap.bytes, line, last, stood);
	if (may == SENSOR_LOOK) {
		plan_look(sys_clock(), true);
		see_heap(&heap);
		may = sensor_may_grow(&plan->sensor, heap.bytes, line, last,
		    stood);
	}
	plan_unlock();
	return may == SENSOR_GROW;
}
