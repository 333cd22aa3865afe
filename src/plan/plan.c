/*
 * plan.c - where the process stands, and what follows
 *
 * All is under one lock, which is held for as long as it takes to compute; but
 * for plan_note(), which runs inside malloc and reads a few words of its own.
 */
#include "plan/plan.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "base/text.h"
#include "model/sensor.h"
#include "model/states.h"
#include "plan/boundary.h"
#include "plan/cleanup.h"
#include "plan/guard.h"
#include "plan/member.h"
#include "plan/message.h"
#include "plan/op.h"
#include "plan/pressure.h"
#include "plan/reserve.h"
#include "plan/run.h"
#include "plan/settings.h"
#include "plan/shares.h"
#include "sys/sys.h"

/*
 * Limits are read anew so often, some 100 us each time; near one of them, which
 * others may be filling as well, more often.
 */
#define LIMIT_NS      (1 * NS_PER_S)
#define LIMIT_NEAR_NS (20 * NS_PER_MS)

/* At a warning, cheap cleanups are asked for so often (C.3). */
#define CLEAN_NS (2 * NS_PER_S)

static struct {
	const struct plan_host *host;
	struct tide_room *room;
	uint32_t lock;
	int32_t pid;

	struct sensor sensor;
	struct states states;
	struct host_limit limit;
	uint64_t limit_ns;  /* when it was read; 0: never */
	uint64_t set_bytes; /* by the program itself; 0: nothing */

	/*
	 * For plan_note(), by model/sensor.h: used = base + what @live is above
	 * @from, or where that is above @near, above @from_near.
	 */
	uint64_t base, from, near, from_near;
	uint64_t look_at; /* used from here on: look */
	uint64_t look_ns; /* or from then on */
	uint64_t quantum;
	uint64_t high;    /* the most used since plan_high_reset() */
	uint64_t live;    /* exact, of the last look; TIDE_NONE: not known */

	uint64_t start_used;
	uint64_t allocated, allocated_ns; /* of the last look */
	uint64_t trend_used, trend_ns;    /* see trend() */
	double trend;
	uint64_t events, events_seen;     /* see heeded() */
	uint64_t followed, followed_ns; /* used at the last look */
	uint64_t failed;
	uint64_t cleaned_ns;
	int settled;      /* the state that messages were last about */
	double clean_from; /* share of the budget; 0: where it is critical */
	bool clean_late;  /* nothing is cleaned up before it is critical */
	bool debug;       /* every decision is told */
} plan;

/* --- small things --------------------------------------------------------- */

struct tide_room *
plan_room(void)
{
	return plan.room;
}

const struct plan_host *
plan_host(void)
{
	return plan.host;
}

bool
plan_has_begun(void)
{
	return plan.room != NULL;
}

struct states *
plan_states(void)
{
	return &plan.states;
}

bool
plan_debugs(void)
{
	return plan.debug;
}

uint64_t
plan_live(void)
{
	return plan.live;
}

uint64_t
plan_start_used(void)
{
	return plan.start_used;
}

void
plan_lock(void)
{
	uint64_t since = 0;

	while (__atomic_exchange_n(&plan.lock, 1, __ATOMIC_ACQUIRE) != 0)
		if (plan.pid != sys_pid() || !sys_give_way(&since))
			return; /* its holder is the parent's, or was stopped
				 * for good */
}

static bool
try_lock(void)
{
	return __atomic_exchange_n(&plan.lock, 1, __ATOMIC_ACQUIRE) == 0;
}

void
plan_unlock(void)
{
	__atomic_store_n(&plan.lock, 0, __ATOMIC_RELEASE);
}

static uint64_t
load(const uint64_t *word)
{
	return __atomic_load_n(word, __ATOMIC_RELAXED);
}

static void
store(uint64_t *word, uint64_t n)
{
	__atomic_store_n(word, n, __ATOMIC_RELAXED);
}

static void
raise_to(uint64_t *word, uint64_t n)
{
	if (n > load(word))
		store(word, n);
}

void
plan_say(const char *line)
{
	struct text t;

	if (plan.room == NULL)
		return;
	text_open(&t, plan.room->message, sizeof(plan.room->message));
	text_put(&t, line);
	if (plan.host->say != NULL)
		plan.host->say(line);
}

/* --- what is used --------------------------------------------------------- */

static uint64_t
estimate(uint64_t live)
{
	uint64_t base = load(&plan.base);
	uint64_t used = base + above_u64(live, load(&plan.from));

	return used <= load(&plan.near) ? used :
	    base + above_u64(live, load(&plan.from_near));
}

static void
store_used(struct tide_room *room, uint64_t used)
{
	uint64_t budget = load(&room->budget);

	store(&room->used, used);
	store(&room->left, budget == TIDE_NONE ? TIDE_NONE :
	    above_u64(budget, used));
}

bool
plan_note(uint64_t live, uint64_t now_ns)
{
	struct tide_room *room = plan.room;
	uint64_t used = estimate(live);
	bool due = used >= load(&plan.look_at) ||
	    now_ns >= load(&plan.look_ns);

	store(&room->live, live);
	store_used(room, used);
	raise_to(&room->peak_live, live);
	raise_to(&room->peak_used, used);
	raise_to(&plan.high, used);
	/* What is due is for a safe point: tide_batch_more() comes to one. */
	if (due)
		store(&room->gate, TIDE_NONE);
	else if (load(&room->gate) != TIDE_NONE)
		store(&room->gate, used);
	return due;
}

uint64_t
plan_quantum(void)
{
	return load(&plan.quantum);
}

uint64_t
plan_high(void)
{
	return load(&plan.high);
}

void
plan_saw(uint64_t used)
{
	raise_to(&plan.room->peak_used, used);
}

void
plan_high_reset(void)
{
	store(&plan.high, load(&plan.room->used));
}

static void
see_heap(struct host_heap *heap)
{
	memset(heap, 0, sizeof(*heap));
	if (plan.host->heap == NULL || !plan.host->heap(heap))
		memset(heap, 0, sizeof(*heap));
}

/* Is the heap counted? */
static bool
is_counted(void)
{
	return plan.host->heap != NULL;
}

uint64_t
plan_used_now(void)
{
	struct host_heap heap;

	if (!is_counted())
		return load(&plan.room->used);
	see_heap(&heap);
	return estimate(heap.bytes);
}

uint64_t
plan_held(void)
{
	struct host_heap heap;

	see_heap(&heap);
	return sensor_held(&plan.sensor, heap.bytes);
}

/* --- a look --------------------------------------------------------------- */

/* Ask the kernel; what is estimated starts from there again. */
static void
sample(uint64_t now_ns, const struct host_heap *heap)
{
	struct tide_room *room = plan.room;
	struct host_memory memory;
	struct sensor_look look;

	if (plan.host->memory(&memory) < 0)
		return;
	memset(&look, 0, sizeof(look));
	look.used = memory.used + plan.limit.others;
	look.live = heap->bytes;
	look.now_ns = now_ns;
	sensor_sample(&plan.sensor, &look);
	room->resident = memory.resident;
	room->retained = is_counted() ? above_u64(memory.used, heap->bytes) :
	    0;
	room->sampled_ns = now_ns;
	room->samples++;
}

/* The least room in any limit, which may be less than the budget less used. */
static void
read_limit(uint64_t now_ns)
{
	struct tide_room *room = plan.room;
	struct host_limit limit;

	memset(&limit, 0, sizeof(limit));
	if (plan.host->limit(plan.set_bytes, &limit) < 0)
		return;
	plan.limit = limit;
	plan.limit_ns = now_ns;
	sensor_budget(&plan.sensor,
	    limit.budget == TIDE_NONE ? 0 : limit.budget);
	store(&room->budget, limit.budget);
	room->soft = limit.soft;
	room->slow_from = limit.slow_from;
	memcpy(room->source, limit.source, sizeof(room->source));
	room->source[sizeof(room->source) - 1] = '\0';
}

static bool
is_limit_old(uint64_t now_ns)
{
	uint64_t age = now_ns - plan.limit_ns;

	return plan.limit_ns == 0 || age > LIMIT_NS ||
	    (plan.room->state >= TIDE_WARNING && age > LIMIT_NEAR_NS);
}

/* When to look again: at the next line, or as the sensor has it. */
static void
arm(uint64_t now_ns, const struct host_heap *heap, uint64_t used)
{
	const struct states_conf *c = &plan.states.conf;
	const double line[3] = { c->warn, c->critical, c->exhausted };
	const double budget = (double)plan.limit.budget;
	uint32_t threads = heap->threads > 0 ? heap->threads : 1;
	uint64_t next = used + max_u64(heap->bytes / 20, 256 * KIB);
	size_t i;

	for (i = 0; plan.limit.budget != TIDE_NONE && i < 3; i++)
		if ((double)used < line[i] * budget)
			next = min_u64(next, (uint64_t)(line[i] * budget));
	store(&plan.look_at, next);
	store(&plan.look_ns, now_ns + sensor_period(&plan.sensor,
	    heap->bytes));
	store(&plan.quantum, plan.limit.budget == TIDE_NONE ? 64 * KIB :
	    sensor_quantum(&plan.sensor, heap->bytes, threads));
	store(&plan.base, plan.sensor.used0);
	store(&plan.from, plan.sensor.live0 + plan.sensor.reusable0);
	store(&plan.from_near, plan.sensor.live0);
	store(&plan.near, plan.limit.budget == TIDE_NONE ? TIDE_NONE :
	    (uint64_t)(budget * 0.85));
	plan.room->error = sensor_error(&plan.sensor, heap->bytes, threads,
	    now_ns);
}

static void
note_rate(uint64_t now_ns, const struct host_heap *heap)
{
	uint64_t ns = now_ns - plan.allocated_ns;

	if (plan.allocated_ns != 0 && ns < 10 * NS_PER_MS)
		return;
	if (plan.allocated_ns != 0)
		plan.room->rate = (uint64_t)((double)above_u64(heap->allocated,
		    plan.allocated) * 1e9 / (double)ns);
	plan.allocated = heap->allocated;
	plan.allocated_ns = now_ns;
}

/*
 * How fast it rises, bytes a second, for who foresees the end of it.  What a
 * batch takes was foreseen and comes back: while any is under way nothing is
 * said, and one in between is measured over a tenth of a second at least.
 */
static double
trend(uint64_t now_ns, uint64_t used)
{
	uint64_t ns = now_ns - plan.trend_ns;

	if (op_active() > 0)
		return 0;
	if (plan.trend_ns == 0 || ns >= 100 * NS_PER_MS) {
		plan.trend = plan.trend_ns == 0 ? 0 :
		    (double)above_u64(used, plan.trend_used) * 1e9 /
		    (double)ns;
		plan.trend_used = used;
		plan.trend_ns = now_ns;
	}
	return plan.trend;
}

/* What was used at the last look is taken to have been so until this one. */
static void
follow(uint64_t now_ns, uint64_t used)
{
	struct tide_room *room = plan.room;
	uint64_t ns = now_ns - plan.followed_ns;

	if (plan.followed_ns != 0 && ns != 0 && ns < INT64_MAX) {
		room->watched_ns += ns;
		room->used_mean += ((double)plan.followed -
		    room->used_mean) * (double)ns / (double)room->watched_ns;
		if (plan.limit.budget != TIDE_NONE &&
		    (double)plan.followed > 0.8 * (double)plan.limit.budget)
			room->high_ns += ns;
	}
	plan.followed_ns = now_ns;
	plan.followed = used;
}

/*
 * Of the events at a limit those that mean something: where files fill a group
 * up to its limit, the kernel drops some of them all the time, and nobody is
 * short of anything.
 */
static uint64_t
heeded(uint64_t events, uint64_t used)
{
	if (plan.limit.budget != TIDE_NONE &&
	    (double)used >= 0.70 * (double)plan.limit.budget)
		plan.events += above_u64(events, plan.events_seen);
	plan.events_seen = events;
	return plan.events;
}

static void
judge(uint64_t now_ns, const struct host_heap *heap, uint64_t used)
{
	struct tide_room *room = plan.room;
	struct host_pressure pressure;
	struct states_look look;
	int state, before = room->state;
	uint64_t pretended = load(&room->pressure);

	memset(&look, 0, sizeof(look));
	look.now_ns = now_ns;
	look.budget = plan.limit.budget == TIDE_NONE ? 0 : plan.limit.budget;
	look.used = used;
	look.rate = trend(now_ns, used);
	look.failed = heap->failed + load(&plan.failed);
	if (plan.host->pressure != NULL &&
	    plan.host->pressure(&pressure) == 0) {
		look.some = pressure.some;
		look.full = pressure.full;
		look.limit_events = heeded(pressure.events, used);
	}
	state = states_step(&plan.states, &look);
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
		store(&room->live, stored);
		see_heap(heap);
	} while (heap->bytes != stored && ++tries < 8);
	room->blocks = heap->blocks;
	raise_to(&room->peak_live, stored);
}

/* With the lock held. */
static void
look_now(uint64_t now_ns, bool sampled)
{
	struct tide_room *room = plan.room;
	struct host_heap heap;
	uint64_t used;

	see_heap(&heap);
	__atomic_store_n(&room->sequence, room->sequence + 1,
	    __ATOMIC_RELEASE);
	if (is_limit_old(now_ns))
		read_limit(now_ns);
	if (sampled || plan.sensor.looks == 0 ||
	    now_ns - room->sampled_ns >= sensor_period(&plan.sensor,
	    heap.bytes) || sensor_is_due(&plan.sensor, heap.bytes))
		sample(now_ns, &heap);
	used = sensor_used(&plan.sensor, heap.bytes);
	note_rate(now_ns, &heap);
	follow(now_ns, used);
	judge(now_ns, &heap, used);
	arm(now_ns, &heap, used);
	plan.live = is_counted() ? heap.bytes : TIDE_NONE;
	if (is_counted())
		store_live(room, &heap);
	raise_to(&room->peak_used, used);
	raise_to(&plan.high, used);
	room->available = plan.limit.budget == TIDE_NONE ? TIDE_NONE :
	    above_u64(plan.limit.budget, used);
	room->looks++;
	store_used(room, used);
	/* Where the heap is not counted, only who asks us keeps it up. */
	store(&room->gate, !is_counted() || states_cuts(&plan.states) ||
	    room->state >= TIDE_CRITICAL ? TIDE_NONE : used);
	store(&room->refreshed_ns, now_ns);
	__atomic_store_n(&room->sequence, room->sequence + 1,
	    __ATOMIC_RELEASE);
}

/* --- the beginning -------------------------------------------------------- */

#define BELOW_CRITICAL 0.97

static void
configure(void)
{
	const char *between;
	struct states_conf conf;
	double target;

	memset(&conf, 0, sizeof(conf));
	conf.warn = settings_share("WARN", 0.75);
	conf.critical = settings_share("CRITICAL", 0.88);
	/* As 0.96 lies between 0.88 and all. */
	conf.exhausted = conf.critical + (1 - conf.critical) * 2 / 3;
	states_open(&plan.states, &conf);
	plan.room->warn_mille = (uint32_t)(plan.states.conf.warn * 1000);
	plan.room->critical_mille =
	    (uint32_t)(plan.states.conf.critical * 1000);
	/* Below the line where batches are cut, or each that is as large as it
	 * may be would hold up the next until that is forgotten. */
	target = BELOW_CRITICAL * plan.states.conf.critical;
	plan.room->target_mille = (uint32_t)(settings_share("TARGET",
	    target < 0.90 ? target : 0.90) * 1000);
	plan.clean_from = settings_share("RECLAIM_THRESHOLD", 0);
	between = settings_find("RECLAIM_BETWEEN");
	plan.clean_late = between != NULL && strcmp(between, "never") == 0;
	plan.debug = settings_is_on("LOG_DEBUG", false);
}

void
plan_begin(const struct plan_host *host, struct tide_room *room)
{
	uint64_t now_ns = sys_clock();

	plan.host = host;
	plan.pid = sys_pid();
	plan.quantum = 64 * KIB;
	/* If it cannot be read, there is none that is known. */
	plan.limit.budget = plan.limit.available = TIDE_NONE;
	room->version = TIDE_ROOM_VERSION;
	room->bytes = sizeof(*room);
	room->level = host->level;
	room->pid = plan.pid;
	room->live = room->blocks = TIDE_NONE;
	room->budget = room->slow_from = room->available = TIDE_NONE;
	room->left = TIDE_NONE;
	room->state_ns = now_ns;
	plan.room = room;
	settings_read(host);
	configure();
	sensor_open(&plan.sensor, 0);
	look_now(now_ns, true);
	plan.start_used = room->used;
	member_begin(host);
	member_used(room->used);
	__atomic_store_n(&room->magic, TIDE_ROOM_MAGIC, __ATOMIC_RELEASE);
}

void
plan_in_child(void)
{
	const struct plan_host *host = plan.host;
	uint64_t set_bytes = plan.set_bytes;

	if (plan.room == NULL)
		return;
	memset(&plan, 0, sizeof(plan));
	plan.set_bytes = set_bytes;
	op_in_child();
	boundary_in_child();
	cleanup_in_child();
	member_in_child();
	run_in_child();
	plan_begin(host->in_child != NULL ? host->in_child : host,
	    host->own_room());
	op_rows_in_child();
	guard_in_child();
	reserve_in_child();
}

void
plan_refused(void)
{
	(void)__atomic_add_fetch(&plan.failed, 1, __ATOMIC_RELAXED);
	store(&plan.look_ns, 0);
	if (plan.room != NULL)
		store(&plan.room->gate, TIDE_NONE);
}

int
plan_init(const char *conf)
{
	int r = settings_take(conf);

	if (r < 0)
		return r;
	plan_lock();
	configure();
	plan.limit_ns = 0;
	plan_unlock();
	if (!member_is_in())
		member_begin(plan.host);
	(void)plan_settle(sys_clock(), true);
	return 0;
}

/* --- safe points ---------------------------------------------------------- */

/* May cleanups be called without anybody asking for it? */
static bool
is_automatic(void)
{
	return settings_is_on("RECLAIM_AUTO", true);
}

/*
 * The state whose cleanups are due: the one it is in; or where a line of its own
 * is set for them, critical from there on and not before, but for the last.
 */
static int
clean_state(int state)
{
	uint64_t budget = plan.limit.budget;

	if (plan.clean_late && state < TIDE_CRITICAL)
		return TIDE_OK;
	if (plan.clean_from <= 0 || budget == TIDE_NONE ||
	    state >= TIDE_EXHAUSTED)
		return state;
	if ((double)load(&plan.room->used) >= plan.clean_from * (double)budget)
		return state < TIDE_CRITICAL ? TIDE_CRITICAL : state;
	return state < TIDE_WARNING ? state : TIDE_WARNING;
}

static double
clean_line(void)
{
	return plan.clean_from > 0 ? plan.clean_from :
	    plan.states.conf.critical;
}

/*
 * Has it come to a new state, or back above the line of this one?  A state lasts
 * for a while after there is room again; that is no reason by itself.
 */
static bool
is_pressed(int state, uint64_t used, uint64_t budget)
{
	return plan.settled < state || (state >= TIDE_CRITICAL &&
	    budget != TIDE_NONE && (double)used >=
	    clean_line() * (double)budget);
}

/*
 * What is to be freed: down to below the line where the state is left.  At a
 * warning cheap ones only, and not all the time.
 */
static void
clean(int state, uint64_t now_ns)
{
	struct tide_reclaim_result result;
	double line = state < TIDE_CRITICAL ? 0.70 : plan.clean_from > 0 ?
	    0.9 * plan.clean_from : 0.80;
	uint64_t budget = plan.limit.budget, used = load(&plan.room->used);
	uint64_t want;
	bool may;

	/* Whose callbacks are to be called comes by, and finds it still due. */
	if (state < TIDE_CRITICAL && !cleanup_is_ours(state))
		return;
	plan_lock();
	may = now_ns - plan.cleaned_ns >= CLEAN_NS ||
	    is_pressed(state, used, budget);
	may = may && states_may_reclaim(&plan.states, now_ns);
	if (may)
		plan.cleaned_ns = now_ns;
	plan_unlock();
	if (!may)
		return;
	want = budget == TIDE_NONE ? 0 :
	    above_u64(used, (uint64_t)(line * (double)budget));
	memset(&result, 0, sizeof(result));
	if (cleanup_run(state, 0, want, &result) != 0)
		return;
	plan_lock();
	states_reclaimed(&plan.states, result.time_ns, now_ns);
	look_now(sys_clock(), true);
	plan_unlock();
}

/* What was said last is true no more. */
static void
say_state(int state)
{
	char line[MESSAGE_ROOM], tagged[MESSAGE_ROOM + 32];
	uint64_t used = load(&plan.room->used);

	if (state >= TIDE_CRITICAL)
		(void)message_high(line, sizeof(line), used,
		    plan.limit.budget);
	else if (state == TIDE_WARNING)
		(void)message_warning(line, sizeof(line), used);
	else
		(void)message_memory(line, sizeof(line), used,
		    plan.limit.budget, state);
	plan_say(message_tagged(tagged, sizeof(tagged), line));
}

/* What other members of a common budget need of us. */
static void
heed(void)
{
	int wish = member_wish();

	if (wish & SHARES_CLEAN)
		(void)cleanup_run(TIDE_CRITICAL, TIDE_FORCE_RECLAIM, 0, NULL);
	if (wish & SHARES_RECYCLE)
		(void)__atomic_fetch_or(&plan.room->stop,
		    TIDE_STOP_RECYCLE, __ATOMIC_RELAXED);
	member_used(load(&plan.room->used));
}

int
plan_settle(uint64_t now_ns, bool sampled)
{
	struct tide_room *room;
	int state;

	if (plan.pid != sys_pid())
		plan_in_child();
	room = plan.room;
	plan_lock();
	look_now(now_ns, sampled);
	state = room->state;
	plan_unlock();
	if (state != plan.settled)
		say_state(state);
	if (clean_state(state) >= TIDE_WARNING && is_automatic())
		clean(clean_state(state), now_ns);
	if (cleanup_is_wanted()) {
		cleanup_wish();
		plan_lock();
		look_now(sys_clock(), true);
		plan_unlock();
	}
	plan.settled = room->state;
	if (member_is_in())
		heed();
	return room->state;
}

void
plan_refresh(uint64_t now_ns)
{
	if (plan.pid != sys_pid()) {
		plan_in_child();
		return;
	}
	if (!try_lock())
		return;
	look_now(now_ns, true);
	plan_unlock();
}

int
plan_visit(void)
{
	uint64_t now_ns = sys_clock();

	if (now_ns < load(&plan.look_ns) &&
	    load(&plan.room->used) < load(&plan.look_at) &&
	    plan.pid == sys_pid() && !cleanup_is_wanted())
		return plan.room->state;
	return plan_settle(now_ns, false);
}

/* What a limit below it says stands: see model/sources.h. */
int
plan_budget_set(uint64_t bytes)
{
	plan_lock();
	plan.set_bytes = bytes;
	plan.limit_ns = 0;
	plan_unlock();
	(void)plan_settle(sys_clock(), true);
	return bytes == 0 || plan.room->budget == bytes ? 0 : -ERANGE;
}
