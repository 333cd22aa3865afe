#include "simulate/sim-pool.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "model/lease.h"

#define PROCESSES_MOST 1000000

/* Times in ms, memory in MB. */
#define START      16.0  /* what a batch takes beside its items */
#define ITEMS_BEST (19 * 16) /* 95 % of its time are items then */
#define RAMP       0.7   /* of its time a batch grows */
#define SIGMA      0.10  /* by how much predictions are off */
#define MARGIN     (1 + 1.3 * SIGMA)
#define RESTART    50.0

#define KIB_PER_MB 1024.0 /* what the law counts in */

const char *const sim_pool_names[SIM_POOL_LAWS] = {
	[SIM_POOL_EQUAL] = "equal share",
	[SIM_POOL_FREE] = "free at start",
	[SIM_POOL_FREE8] = "free/8, jitter",
	[SIM_POOL_MEMFREE] = "memfree",
	[SIM_POOL_FIFO] = "strict FIFO leases",
	[SIM_POOL_ELASTIC] = "elastic leases",
};

enum event_kind { EVENT_READY, EVENT_RAMPED, EVENT_END };

struct event {
	double at;
	uint32_t who;
	uint32_t generation; /* of the process; another: it was killed since */
	enum event_kind kind;
};

struct process {
	double item;   /* MB that one takes */
	double base;
	double lease;
	double grown;  /* MB of its batch at the end */
	double slope;  /* MB a ms, while it ramps */
	double started, ends, ready, waited_most;
	uint32_t items, generation, batches;
	uint32_t older, younger; /* among the active; NOBODY */
	bool active, ramping;
};

#define NOBODY UINT32_MAX

struct world {
	enum sim_pool_law law;
	struct process *process;
	uint32_t count, cores, active, oldest, youngest;
	uint64_t state; /* of the random numbers */
	double now, memory, used, slope, bases, leases, most;
	double items;
	uint64_t kills, batches;

	struct event *heap;
	size_t events, room;

	uint32_t *queue; /* NOBODY: it went already */
	uint64_t head, tail;
	size_t places;
	bool failed;
};

/* --- numbers -------------------------------------------------------------- */

/* splitmix64 */
static uint64_t
draw(struct world *w)
{
	return mix_u64(w->state += UINT64_C(0x9e3779b97f4a7c15));
}

static double
uniform(struct world *w)
{
	return ((double)(draw(w) >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal(struct world *w)
{
	double u = uniform(w), v = uniform(w);

	return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* --- what is to come ------------------------------------------------------ */

static void
push(struct world *w, double at, uint32_t who, enum event_kind kind)
{
	struct event *more;
	size_t i = w->events;

	if (w->events == w->room) {
		w->room = w->room > 0 ? 2 * w->room : 1024;
		more = realloc(w->heap, w->room * sizeof(*more));
		if (more == NULL) {
			w->failed = true;
			return;
		}
		w->heap = more;
	}
	w->events++;
	for (; i > 0 && w->heap[(i - 1) / 2].at > at; i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = (struct event){ at, who, w->process[who].generation,
		kind };
}

static struct event
pop(struct world *w)
{
	struct event first = w->heap[0], last = w->heap[--w->events];
	size_t i = 0, c;

	while ((c = 2 * i + 1) < w->events) {
		if (c + 1 < w->events && w->heap[c + 1].at < w->heap[c].at)
			c++;
		if (w->heap[c].at >= last.at)
			break;
		w->heap[i] = w->heap[c];
		i = c;
	}
	w->heap[i] = last;
	return first;
}

/* --- memory --------------------------------------------------------------- */

static void
go_to(struct world *w, double at)
{
	w->used += w->slope * (at - w->now);
	w->most = fmax(w->most, w->used);
	w->now = at;
}

static void
stop_ramp(struct world *w, struct process *p)
{
	if (p->ramping)
		w->slope -= p->slope;
	p->ramping = false;
}

static void
start(struct world *w, uint32_t who, double items, double lease)
{
	struct process *p = &w->process[who];
	double slow, time;

	p->items = (uint32_t)fmin(fmax(items, 1), ITEMS_BEST);
	p->grown = p->item * p->items * exp(SIGMA * normal(w));
	p->lease = lease;
	w->leases += lease;

	slow = fmax(1, (double)(w->active + 1) / w->cores);
	time = (START + p->items) * slow;
	p->started = w->now;
	p->ends = w->now + time;
	p->slope = p->grown / (RAMP * time);
	p->ramping = true;
	w->slope += p->slope;

	p->active = true;
	p->older = w->youngest;
	p->younger = NOBODY;
	if (w->youngest != NOBODY)
		w->process[w->youngest].younger = who;
	else
		w->oldest = who;
	w->youngest = who;
	w->active++;
	w->batches++;
	p->batches++;
	p->waited_most = fmax(p->waited_most, w->now - p->ready);
	push(w, w->now + RAMP * time, who, EVENT_RAMPED);
	push(w, p->ends, who, EVENT_END);
}

/* It gives back all that its batch had; what was to come is void. */
static void
stop(struct world *w, struct process *p)
{
	double whole = RAMP * (p->ends - p->started);

	stop_ramp(w, p);
	w->used -= p->grown * fmin(1, (w->now - p->started) / whole);
	w->leases -= p->lease;
	p->lease = 0;
	p->generation++;
	p->active = false;
	if (p->older != NOBODY)
		w->process[p->older].younger = p->younger;
	else
		w->oldest = p->younger;
	if (p->younger != NOBODY)
		w->process[p->younger].older = p->older;
	else
		w->youngest = p->older;
	w->active--;
}

/* --- the laws ------------------------------------------------------------- */

static void
retry(struct world *w, uint32_t who, double after)
{
	push(w, w->now + after, who, EVENT_READY);
}

/* Laws by which each looks for itself. */
static void
try_alone(struct world *w, uint32_t who)
{
	struct process *p = &w->process[who];
	double left = w->memory - w->used, part;

	switch (w->law) {
	case SIM_POOL_EQUAL:
		start(w, who, 0.9 * (w->memory - w->bases) / w->count /
		    p->item, 0);
		break;
	case SIM_POOL_FREE:
	case SIM_POOL_FREE8:
		part = left * (w->law == SIM_POOL_FREE ? 0.9 : 0.125);
		if (part < p->item)
			retry(w, who, 10 + 10 * uniform(w));
		else
			start(w, who, part / p->item, 0);
		break;
	default: /* SIM_POOL_MEMFREE: jobs of one size, whatever they take */
		if (left < 4.0 * ITEMS_BEST || w->active >= 4 * w->cores)
			retry(w, who, 1 + uniform(w));
		else
			start(w, who, ITEMS_BEST, 0);
	}
}

static void
join_queue(struct world *w, uint32_t who)
{
	w->queue[w->tail++ % w->places] = who;
}

/* All that it wants, or nobody gets anything. */
static void
serve_in_order(struct world *w)
{
	double line = 0.95 * w->memory - w->bases, want;
	struct process *p;

	while (w->head != w->tail && w->active < w->cores) {
		p = &w->process[w->queue[w->head % w->places]];
		want = fmin(p->item * ITEMS_BEST, line / 8);
		want = fmax(want, p->item);
		if (line - w->leases < want)
			return;
		w->head++;
		start(w, (uint32_t)(p - w->process), want / p->item / MARGIN,
		    want);
	}
}

/* The same window as in the ledger. */
static void
serve_elastic(struct world *w)
{
	struct lease_ask ask[LEASE_WINDOW];
	uint64_t got[LEASE_WINDOW], place[LEASE_WINDOW], at;
	struct lease_pool pool = {
		.budget = (uint64_t)(w->memory * KIB_PER_MB),
		.left = (int64_t)((w->memory - w->bases - w->leases) *
		    KIB_PER_MB),
		.bases = (uint64_t)(w->bases * KIB_PER_MB),
		.active = w->active,
		.seats = lease_seats(w->cores),
		.members = w->count,
	};
	struct process *p;
	size_t n = 0, i;

	if (w->active >= pool.seats)
		return;
	while (w->head != w->tail &&
	    w->queue[w->head % w->places] == NOBODY)
		w->head++;
	for (at = w->head; at != w->tail && n < LEASE_WINDOW &&
	    at - w->head < LEASE_REACH; at++) {
		if (w->queue[at % w->places] == NOBODY)
			continue;
		p = &w->process[w->queue[at % w->places]];
		place[n] = at % w->places;
		ask[n++] = (struct lease_ask){
			.least = (uint64_t)(p->item * MARGIN * KIB_PER_MB) + 1,
			.want = (uint64_t)(p->item * MARGIN * ITEMS_BEST *
			    KIB_PER_MB) + 1,
			.waited_ns = (uint64_t)((w->now - p->ready) * 1e6),
			.weight = 1,
		};
	}
	if (lease_grant(&pool, ask, n, got) == 0)
		return;
	for (i = 0; i < n; i++) {
		if (got[i] == 0)
			continue;
		p = &w->process[w->queue[place[i]]];
		start(w, w->queue[place[i]], (double)got[i] / KIB_PER_MB /
		    p->item / MARGIN, (double)got[i] / KIB_PER_MB);
		w->queue[place[i]] = NOBODY;
	}
}

static void
serve(struct world *w)
{
	if (w->law == SIM_POOL_FIFO)
		serve_in_order(w);
	else if (w->law == SIM_POOL_ELASTIC)
		serve_elastic(w);
}

static void
meet(struct world *w, const struct event *e)
{
	struct process *p = &w->process[e->who];

	switch (e->kind) {
	case EVENT_READY:
		if (p->ready == 0)
			p->ready = w->now;
		if (w->law >= SIM_POOL_FIFO)
			join_queue(w, e->who);
		else
			try_alone(w, e->who);
		break;
	case EVENT_RAMPED:
		stop_ramp(w, p);
		break;
	case EVENT_END:
		w->items += p->items;
		stop(w, p);
		p->ready = w->now;
		retry(w, e->who, 0.01);
	}
	while (w->used > w->memory && w->youngest != NOBODY) {
		p = &w->process[w->youngest];
		w->kills++;
		stop(w, p);
		p->ready = w->now;
		retry(w, (uint32_t)(p - w->process), RESTART);
	}
}

/* --- a run ---------------------------------------------------------------- */

static void
settle(struct world *w)
{
	struct process *p;

	for (p = w->process; p < w->process + w->count; p++) {
		p->item = exp(0.8 * normal(w) - 0.32);
		p->base = 2 + 2 * uniform(w);
		p->older = p->younger = NOBODY;
		w->bases += p->base;
	}
	w->memory = fmax(w->bases / (w->count >= 1000 ? 0.5 : 0.2),
	    w->bases + 0.6 * w->cores * ITEMS_BEST);
	w->used = w->bases;
	w->oldest = w->youngest = NOBODY;
	for (p = w->process; p < w->process + w->count; p++)
		push(w, 20 * uniform(w), (uint32_t)(p - w->process),
		    EVENT_READY);
}

static void
sum_up(const struct world *w, double end, struct sim_pool_result *r)
{
	const struct process *p;
	double waited = 0;

	*r = (struct sim_pool_result){ .kills = w->kills,
		.batches = w->batches };
	for (p = w->process; p < w->process + w->count; p++) {
		waited = fmax(waited, p->waited_most);
		if (!p->active)
			waited = fmax(waited, end - p->ready);
		r->unserved += p->batches == 0;
	}
	r->efficiency = w->items / (end * fmin(w->count, w->cores));
	r->used_most = w->most / w->memory;
	r->wait_most = waited / 1e3;
	r->wait_fair = w->batches > 0 ?
	    end / (double)w->batches * w->count / 1e3 : INFINITY;
}

int
sim_pool(const struct sim_pool_options *options,
    struct sim_pool_result *result)
{
	double end = options->time_ns > 0 ? (double)options->time_ns / 1e6 :
	    4000;
	struct world w = { .law = options->law, .count = options->processes,
		.cores = options->cores, .state = options->seed };
	struct event e;

	if (w.count == 0 || w.count > PROCESSES_MOST)
		return -EINVAL;
	if (w.cores == 0)
		w.cores = w.count < 32 ? 8 : w.count < 128 ? 32 : 128;
	/* Places that went already are passed, LEASE_REACH beside. */
	w.places = w.count + LEASE_REACH + 1;
	w.process = calloc(w.count, sizeof(*w.process));
	w.queue = calloc(w.places, sizeof(*w.queue));
	w.failed = w.process == NULL || w.queue == NULL;
	if (!w.failed)
		settle(&w);
	while (!w.failed && w.events > 0) {
		e = pop(&w);
		if (e.at > end)
			break;
		go_to(&w, e.at);
		if (e.generation != w.process[e.who].generation)
			continue;
		meet(&w, &e);
		serve(&w);
	}
	if (!w.failed)
		sum_up(&w, end, result);
	free(w.process);
	free(w.queue);
	free(w.heap);
	return w.failed ? -ENOMEM : 0;
}
