#include "heap/mapping.h"

#include <string.h>

#include "base/base.h"
#include "heap/peak.h"
#include "heap/site.h"
#include "mem/segment.h"
#include "sys/sys.h"

#define PAGE_BYTES    UINT64_C(4096)
#define QUEUE_LENGTH  4096 /* a power of two */
/*
 * As many as changes may wait to be laid down, and the same again for threads
 * that are with the kernel at this moment.
 */
#define HANDS         (2 * QUEUE_LENGTH)

/*
 * A place in the queue (after D. Vyukov's bounded queue): @turn equals the
 * ticket of the writer whose turn it is, and that ticket + 1 once it is full.
 */
struct change {
	_Atomic uint64_t turn;
	struct mapping range; /* kind MAPPING_NONE: take it out */
};

/*
 * More kinds, of a change: what mremap() moves keeps what it was, and what it
 * was is known only when all changes before have been applied.  So it goes
 * through a hand, whose number is in the change's @site.
 */
enum {
	MAPPING_LIFT = MAPPING_KINDS, /* take it out, into the hand */
	MAPPING_LOOK,                 /* into the hand, and leave it there */
	MAPPING_LAY,                  /* what is in the hand becomes the range */
	MAPPING_BACK                  /* it comes to lie where it was */
};

/* Its fields belong to who applies changes. */
struct hand {
	_Atomic bool taken;
	uint16_t kind;
	uint16_t generation;
	uint32_t site;
	uint64_t start; /* of what was lifted, */
	uint64_t end;   /* as far as it is of one kind and site */
	bool more;      /* was lifted than that */
};

static struct {
	struct change queue[QUEUE_LENGTH];
	_Atomic uint64_t head; /* next ticket for writers */
	_Atomic uint64_t tail; /* of who applies */
	_Atomic uint64_t stuck; /* where it was in vain waited for, plus 1 */
	_Atomic bool applying;
	struct hand hand[HANDS];
	_Atomic uint64_t next_hand; /* to be tried */
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
	uint64_t ticket = atomic_load_explicit(&mappings.tail,
	    memory_order_relaxed);
	struct change *c = &mappings.queue[ticket % QUEUE_LENGTH];
	uint64_t turn = turn_of(ticket);

	if (atomic_load_explicit(&c->turn, memory_order_acquire) != turn + 1)
		return false;
	*range = c->range;
	atomic_store_explicit(&c->turn, turn + 2, memory_order_release);
	atomic_store_explicit(&mappings.tail, ticket + 1,
	    memory_order_relaxed);
	return true;
}

static void
account(const struct mapping *m, uint64_t bytes, bool whole)
{
	if (m->site != 0)
		site_unmap(m->site, m->generation, bytes, whole);
}

/* The first row that ends behind @start. */
static uint64_t
find_row(const struct mapping *rows, uint64_t count, uint64_t start)
{
	return rows_upto(rows, sizeof(*rows), offsetof(struct mapping, end),
	    count, start);
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

/*
 * Take up what lies at @start: of a range never met, that it is memory.  What
 * of it would have to be put back ends where the row does, or at @end.
 * Returns where all that may be moved ends: the kernel moves nothing that has
 * a gap in it.
 */
static uint64_t
take_up(struct hand *hand, const struct mapping *rows, uint64_t count,
    uint64_t start, uint64_t end)
{
	uint64_t i = find_row(rows, count, start);
	bool known = i < count && rows[i].start <= start;
	uint64_t reach = start;

	hand->kind = known ? rows[i].kind : MAPPING_ANONYMOUS;
	hand->site = known ? rows[i].site : 0;
	hand->generation = known ? rows[i].generation : 0;
	hand->start = start;
	hand->end = known ? min_u64(rows[i].end, end) : start;
	for (; i < count && rows[i].start <= reach && reach < end; i++)
		reach = min_u64(rows[i].end, end);
	hand->more = reach > hand->end;
	return reach;
}

/* Out of the hand again, as it was. */
static void
put_back(const struct hand *hand, struct mapping *m)
{
	m->kind = hand->kind;
	m->site = hand->site;
	m->generation = hand->generation;
	m->start = hand->start;
	m->end = hand->end;
	if (hand->more)
		atomic_fetch_add(&segment_mine()->lost.mappings, 1);
}

/* Put a range in, where nothing is; returns how many rows there are. */
static uint64_t
put_in(struct mapping *rows, uint64_t count, const struct mapping *range)
{
	uint64_t i = find_row(rows, count, range->start);

	memmove(&rows[i + 1], &rows[i], (count - i) * sizeof(*rows));
	rows[i] = *range;
	if (range->site != 0)
		site_map(range->site, range->generation,
		    range->end - range->start);
	return count + 1;
}

/* A change that goes through a hand becomes one that does not. */
static struct mapping
resolve(const struct mapping *change, const struct mapping *rows,
    uint64_t count)
{
	struct mapping m = *change;
	struct hand *hand = &mappings.hand[change->site % HANDS];

	if (m.kind < MAPPING_KINDS)
		return m;
	switch (m.kind) {
	case MAPPING_LAY:
		m.kind = m.start < m.end ? hand->kind : MAPPING_NONE;
		m.site = hand->site;
		m.generation = hand->generation;
		atomic_store(&hand->taken, false);
		return m;
	case MAPPING_BACK:
		put_back(hand, &m);
		atomic_store(&hand->taken, false);
		return m;
	case MAPPING_LOOK:
		m.end = m.start;
		break;
	}
	m.end = take_up(hand, rows, count, m.start, m.end);
	m.kind = MAPPING_NONE;
	return m;
}

static void
apply(const struct mapping *change)
{
	struct segment *s = segment_mine();
	struct segment_table *t = &s->table[TABLE_MAPPINGS];
	struct mapping *rows = segment_rows(TABLE_MAPPINGS);
	uint64_t count = atomic_load_explicit(&t->used, memory_order_relaxed);
	const struct mapping m = resolve(change, rows, count);

	if (m.start == m.end)
		return;
	/* One more for a hole, one more for what is put in. */
	if (segment_room(TABLE_MAPPINGS, count + 2) < 0) {
		atomic_fetch_add(&s->lost.mappings, 1);
		return;
	}
	atomic_fetch_add(&s->live.mappings_version, 1);
	count = cut_out(rows, count, m.start, m.end);
	if (m.kind != MAPPING_NONE)
		count = put_in(rows, count, &m);
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
	uint64_t ticket;
	uint64_t full;

	do {
		if (atomic_exchange(&mappings.applying, true))
			return;
		while (dequeue(&change))
			apply(&change);
		ticket = atomic_load_explicit(&mappings.tail,
		    memory_order_relaxed);
		next = &mappings.queue[ticket % QUEUE_LENGTH];
		full = turn_of(ticket) + 1;
		atomic_store(&mappings.applying, false);
	} while (atomic_load(&next->turn) == full);
}

/*
 * Wait for room.  A full queue means that who applies it was put to sleep by
 * the kernel, with thousands of changes behind it: the CPU is offered to it.
 * But it might be this very thread, below a signal handler, or have been left
 * for good, by a jump out of one.  So when nothing has moved for a second,
 * nobody waits for it again.
 */
static COLD bool
enqueue_waiting(const struct mapping *change)
{
	uint64_t since = 0;
	uint64_t was = atomic_load(&mappings.tail);

	while (atomic_load(&mappings.stuck) != was + 1) {
		bool in_time = sys_give_way(&since);
		uint64_t now;

		if (enqueue(change))
			return true;
		now = atomic_load(&mappings.tail);
		if (now != was) {
			was = now;
			since = 0;
		} else if (!in_time) {
			atomic_store(&mappings.stuck, was + 1);
		}
	}
	return false;
}

/* False: the change is lost, and counted. */
static bool
submit(const struct mapping *change)
{
	if (UNLIKELY(!enqueue(change)) && !enqueue_waiting(change)) {
		atomic_fetch_add(&segment_mine()->lost.mappings, 1);
		return false;
	}
	work();
	return true;
}

void
mapping_add(uint64_t start, uint64_t bytes, enum mapping_kind kind,
    uint32_t site)
{
	(void)submit(&(struct mapping){
	    .start = start,
	    .end = start + round_up(bytes, PAGE_BYTES),
	    .kind = (uint16_t)kind,
	    .generation = (uint16_t)stamp_generation(stamp_now()),
	    .site = site,
	    .born_ns = sys_clock_coarse(),
	});
}

void
mapping_remove(uint64_t start, uint64_t bytes)
{
	(void)submit(&(struct mapping){
	    .start = start,
	    .end = start + round_up(bytes, PAGE_BYTES),
	});
}

/* A hand that nobody has, or -1. */
static int
find_hand(void)
{
	int tried;

	for (tried = 0; tried < HANDS; tried++) {
		uint64_t i = atomic_fetch_add(&mappings.next_hand, 1) % HANDS;

		if (!atomic_exchange(&mappings.hand[i].taken, true))
			return (int)i;
	}
	return -1;
}

int
mapping_lift(uint64_t start, uint64_t bytes, bool leave)
{
	int hand = find_hand();

	if (hand < 0) {
		atomic_fetch_add(&segment_mine()->lost.mappings, 1);
		return hand;
	}
	if (submit(&(struct mapping){
	    .start = start,
	    .end = start + round_up(bytes, PAGE_BYTES),
	    .kind = leave ? MAPPING_LOOK : MAPPING_LIFT,
	    .site = (uint32_t)hand,
	}))
		return hand;
	atomic_store(&mappings.hand[hand].taken, false);
	return -1;
}

void
mapping_lay(int hand, uint64_t start, uint64_t bytes)
{
	struct mapping m = {
		.start = start,
		.end = start + round_up(bytes, PAGE_BYTES),
		.kind = MAPPING_LAY,
		.site = (uint32_t)hand,
		.born_ns = sys_clock_coarse(),
	};

	if (hand < 0) {
		/* Of unknown kind, and said so already. */
		m.kind = MAPPING_ANONYMOUS;
		m.site = 0;
		if (bytes == 0)
			return;
	}
	(void)submit(&m);
}

void
mapping_lay_back(int hand)
{
	if (hand >= 0) /* else it lies there, and it has been said */
		(void)submit(&(struct mapping){
		    .kind = MAPPING_BACK,
		    .site = (uint32_t)hand,
		    .born_ns = sys_clock_coarse(),
		});
}

void
mapping_reset(void)
{
	/* Pages that were never written to stay the parent's. */
	memset(mappings.queue, 0, min_u64(mappings.head, QUEUE_LENGTH) *
	    sizeof(mappings.queue[0]));
	memset(mappings.hand, 0, min_u64(mappings.next_hand, HANDS) *
	    sizeof(mappings.hand[0]));
	mappings.head = 0;
	mappings.tail = 0;
	mappings.stuck = 0;
	mappings.next_hand = 0;
	mappings.applying = false;
}
