#include "heap/mapping.h"

#include <string.h>

#include "base/base.h"
#include "heap/site.h"
#include "mem/segment.h"
#include "sys/sys.h"

#define PAGE_BYTES    UINT64_C(4096)
#define QUEUE_LENGTH  1024 /* a power of two */
#define YIELDS_MOST   20000
#define FIND_TRIES    8

/*
 * A place in the queue (after D. Vyukov's bounded queue): @turn equals the
 * ticket of the writer whose turn it is, and that ticket + 1 once it is full.
 */
struct change {
	_Atomic uint64_t turn;
	struct mapping range; /* kind MAPPING_NONE: take it out */
};

static struct {
	struct change queue[QUEUE_LENGTH];
	_Atomic uint64_t head; /* next ticket for writers */
	uint64_t tail;         /* of who applies */
	_Atomic bool applying;
} mappings;

/* Ticket t belongs to place t % LENGTH; zeroed memory is round 0. */
static uint64_t
turn_of(uint64_t ticket)
{
	return 2 * (ticket / QUEUE_LENGTH);
}

static bool
enqueue(const struct mapping *range)
{
	uint64_t ticket = atomic_load(&mappings.head);

	for (;;) {
		struct change *c = &mappings.queue[ticket % QUEUE_LENGTH];
		uint64_t turn = atomic_load_explicit(&c->turn,
		    memory_order_acquire);

		if (turn != turn_of(ticket)) {
			uint64_t now = atomic_load(&mappings.head);

			if (now == ticket)
				return false; /* full */
			ticket = now;
		} else if (atomic_compare_exchange_weak(&mappings.head,
		    &ticket, ticket + 1)) {
			c->range = *range;
			atomic_store_explicit(&c->turn, turn + 1,
			    memory_order_release);
			return true;
		}
	}
}

static bool
dequeue(struct mapping *range)
{
	struct change *c = &mappings.queue[mappings.tail % QUEUE_LENGTH];
	uint64_t turn = turn_of(mappings.tail);

	if (atomic_load_explicit(&c->turn, memory_order_acquire) != turn + 1)
		return false;
	*range = c->range;
	atomic_store_explicit(&c->turn, turn + 2, memory_order_release);
	mappings.tail++;
	return true;
}

static void
account(const struct mapping *m, uint64_t bytes, bool whole)
{
	if (m->site != 0)
		site_unmap(m->site, bytes, whole);
}

/* The first row that ends behind @start. */
static uint64_t
find_row(const struct mapping *rows, uint64_t count, uint64_t start)
{
	uint64_t low = 0;
	uint64_t high = count;

	while (low < high) {
		uint64_t middle = (low + high) / 2;

		if (rows[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Take [start, end) out; returns how many rows are left. */
static uint64_t
cut_out(struct mapping *rows, uint64_t count, uint64_t start, uint64_t end)
{
	uint64_t i = find_row(rows, count, start);
	uint64_t gone;

	if (i < count && rows[i].start < start && rows[i].end > end) {
		/* A hole: one range becomes two; there is room, see apply() */
		account(&rows[i], end - start, false);
		memmove(&rows[i + 1], &rows[i], (count - i) * sizeof(*rows));
		rows[i].end = start;
		rows[i + 1].start = end;
		return count + 1;
	}
	if (i < count && rows[i].start < start) {
		account(&rows[i], rows[i].end - start, false);
		rows[i].end = start;
		i++;
	}
	for (gone = i; gone < count && rows[gone].end <= end; gone++)
		account(&rows[gone], rows[gone].end - rows[gone].start, true);
	if (gone < count && rows[gone].start < end) {
		account(&rows[gone], end - rows[gone].start, false);
		rows[gone].start = end;
	}
	memmove(&rows[i], &rows[gone], (count - gone) * sizeof(*rows));
	return count - (gone - i);
}

static void
apply(const struct mapping *change)
{
	struct segment *s = segment_mine();
	struct segment_table *t = &s->table[TABLE_MAPPINGS];
	struct mapping *rows = segment_rows(TABLE_MAPPINGS);
	uint64_t count = atomic_load_explicit(&t->used, memory_order_relaxed);
	uint64_t i;

	/* One more for a hole, one more for what is put in. */
	if (segment_room(TABLE_MAPPINGS, count + 2) < 0) {
		atomic_fetch_add(&s->lost.mappings, 1);
		return;
	}
	atomic_fetch_add(&s->live.mappings_version, 1);
	count = cut_out(rows, count, change->start, change->end);
	if (change->kind != MAPPING_NONE) {
		i = find_row(rows, count, change->start);
		memmove(&rows[i + 1], &rows[i], (count - i) * sizeof(*rows));
		rows[i] = *change;
		count++;
		if (change->site != 0)
			site_map(change->site, change->end - change->start);
	}
	atomic_store_explicit(&t->used, count, memory_order_relaxed);
	atomic_fetch_add(&s->live.mappings_version, 1);
}

/*
 * Apply what is queued, unless somebody is at it.  The queue is looked at once
 * more after the flag is down: what came in between was left to us.
 */
static void
work(void)
{
	struct mapping change;
	const struct change *next;
	uint64_t full;

	do {
		if (atomic_exchange(&mappings.applying, true))
			return;
		while (dequeue(&change))
			apply(&change);
		next = &mappings.queue[mappings.tail % QUEUE_LENGTH];
		full = turn_of(mappings.tail) + 1;
		atomic_store(&mappings.applying, false);
	} while (atomic_load(&next->turn) == full);
}

/*
 * A full queue means that who applies it was put to sleep by the kernel.  The
 * CPU is offered a few times, and then the change is lost: it might be this
 * very thread, below a signal handler.
 */
static void
submit(const struct mapping *change)
{
	int yields;

	for (yields = 0; !enqueue(change); yields++) {
		if (yields == YIELDS_MOST) {
			atomic_fetch_add(&segment_mine()->lost.mappings, 1);
			return;
		}
		sys_yield();
	}
	work();
}

void
mapping_add(uint64_t start, uint64_t bytes, enum mapping_kind kind,
    uint32_t site)
{
	submit(&(struct mapping){
	    .start = start,
	    .end = start + round_up(bytes, PAGE_BYTES),
	    .kind = kind,
	    .site = site,
	    .born_ns = sys_clock_coarse(),
	});
}

void
mapping_remove(uint64_t start, uint64_t bytes)
{
	submit(&(struct mapping){
	    .start = start,
	    .end = start + round_up(bytes, PAGE_BYTES),
	});
}

bool
mapping_find(uint64_t address, struct mapping *mapping)
{
	struct segment *s = segment_mine();
	const struct segment_table *t = &s->table[TABLE_MAPPINGS];
	const struct mapping *rows = segment_rows(TABLE_MAPPINGS);
	int tries;

	for (tries = 0; tries < FIND_TRIES; tries++) {
		uint32_t version = atomic_load(&s->live.mappings_version);
		uint64_t count = min_u64(atomic_load(&t->used), t->capacity);
		uint64_t i = find_row(rows, count, address);
		bool found = i < count && rows[i].start <= address;

		if (found)
			*mapping = rows[i];
		atomic_thread_fence(memory_order_acquire);
		if ((version & 1) == 0 &&
		    atomic_load(&s->live.mappings_version) == version)
			return found;
	}
	return false;
}

void
mapping_reset(void)
{
	memset(&mappings, 0, sizeof(mappings));
}
