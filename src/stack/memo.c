#include "stack/memo.h"

#include <stdatomic.h>
#include <string.h>

/* Words of an entry with the even number @even of them, and their places. */
#define ENTRY_WORDS(even) \
	(sizeof(struct memo_entry) / 8 + (even) + ((even) + 3) / 4)
#define ENTRY_MOST        ENTRY_WORDS(MEMO_TRACE)

_Static_assert(MEMO_TRACE % 2 == 0, "words are compared by twos");

/* A memo begins with so many words, and a place in each table for 16 of them. */
#define RING_LEAST   ((uint32_t)(4 * KIB))
#define RING_MOST    ((uint32_t)(64 * KIB))
#define WORDS_A_SLOT 16

/* So many of another shape, one after another, and one of them leads. */
#define STRANGERS_MOST 8

/*
 * It is doubled when it was gone round, and more than one in so many of those
 * who looked something up found nothing; all together by no more than this.
 */
#define MISSES_TO_GROW 16
#define GROWTH_MOST    (3 * MIB)

static struct {
	_Atomic uint64_t growth; /* bytes */
} memos;

/* From the ring's first word on, so that a short life touches little of it. */
void
memo_clear(struct memo *memo)
{
	memo->head = round_up(memo->head + 1, memo->ring_words);
	memo->oldest = memo->born = memo->head;
	memo->last = 0;
	memo->hits = memo->misses = 0;
	memo->paths_of = MEMO_NEVER;
}

struct memo *
memo_open(void *room, size_t bytes)
{
	struct memo *memo = room;

	memo->ring_most = bytes >= MEMO_LARGE ? RING_MOST : RING_LEAST;
	memo->ring_words = RING_LEAST;
	memo->slots = RING_LEAST / WORDS_A_SLOT;
	memo->leader = (uint64_t *)(memo + 1);
	memo->other = memo->leader + memo->ring_most / WORDS_A_SLOT;
	memo->ring = memo->other + memo->ring_most / WORDS_A_SLOT;
	memo_clear(memo);
	return memo;
}

/*
 * Entries are found by the ring's size and the number of slots, so all are
 * forgotten first, for a signal handler that looks in between.
 */
static void
grow(struct memo *memo)
{
	uint64_t bytes = memo->ring_words * sizeof(uint64_t);

	if (memo->ring_words == memo->ring_most ||
	    memo->misses < (memo->hits + memo->misses) / MISSES_TO_GROW)
		return;
	if (atomic_fetch_add(&memos.growth, bytes) + bytes > GROWTH_MOST) {
		atomic_fetch_sub(&memos.growth, bytes);
		return;
	}
	memo->head = round_up(memo->head + 1, 2 * memo->ring_words);
	memo->oldest = memo->born = memo->head;
	atomic_signal_fence(memory_order_seq_cst);
	memo->ring_words *= 2;
	memo->slots *= 2;
}

/* --- finding -------------------------------------------------------------- */

/*
 * A hash of what lies in the places of @leader, which has the same start.  (All
 * of them are above the stack pointer, and below the top: see memo.h.)
 */
static uint64_t
look_at_places(const struct memo_entry *leader, uint64_t hash)
{
	uint64_t place = leader->sp;
	uint64_t factor = UINT64_C(0xd6e8feb86659fd93);
	uint32_t i;

	for (i = 0; i < leader->count; i++) {
		place = memo_place(place, leader->word[i]);
		if (LIKELY(!memo_is_far(leader->word[i])))
			hash += *(const uint64_t *)(uintptr_t)place * factor;
		factor += UINT64_C(0xbf58476d1ce4e5b8); /* even: it stays odd */
	}
	return mix_u64(hash);
}

/* Write down where the words of @e lie, and the last once more. */
static void
lay_places(struct memo_entry *e)
{
	uint16_t *place = (uint16_t *)&e->word[e->even];
	uint64_t at = 0; /* in words, from the stack pointer on */
	uint64_t all = 0;
	uint32_t i;

	for (i = 0; i < e->count; i++) {
		at += (uint64_t)memo_distance(e->word[i]);
		place[i] = (uint16_t)at;
		all |= at;
	}
	if (e->even != e->count) {
		e->word[i] = e->word[i - 1];
		place[i] = (uint16_t)at;
	}
	atomic_signal_fence(memory_order_seq_cst);
	e->flags = (uint16_t)((e->flags & ~MEMO_NEW) |
	    (all > UINT16_MAX ? MEMO_WIDE : 0));
}

bool
memo_holds_long(const struct memo_entry *e)
{
	uint64_t place = e->sp;
	uint32_t i;

	for (i = 0; i < e->count; i++) {
		place = memo_place(place, e->word[i]);
		if (!memo_is_there(place, e->word[i]))
			return false;
	}
	if ((e->flags & MEMO_NEW) != 0)
		lay_places((struct memo_entry *)e); /* it is ours */
	return true;
}

/* Do two walks lead through the same places? */
static bool
is_same_shape(const struct memo_entry *a, const struct memo_entry *b)
{
	uint32_t i;

	for (i = 0; i < a->count && i < b->count; i++)
		if (memo_distance(a->word[i]) != memo_distance(b->word[i]))
			return false;
	return a->count == b->count &&
	    (a->flags & MEMO_HAS_FAR) == (b->flags & MEMO_HAS_FAR);
}

/* Put @at first in a slot of two; what was first is second. */
static void
put_first(uint64_t *slot, uint64_t at)
{
	if (slot[0] == at)
		return;
	slot[1] = slot[0];
	slot[0] = at;
}

/* The leader of those that start at @from, which is then first in its slot. */
static const struct memo_entry *
find_leader(const struct memo *memo, const struct arch_frame *from,
    uint32_t generation)
{
	uint64_t *slot = memo_slot(memo, memo->leader, memo_hash(from));
	const struct memo_entry *e = memo_entry(memo, slot[0], generation);

	if (LIKELY(e != NULL) && memo_starts(e, from))
		return e;
	e = memo_entry(memo, slot[1], generation);
	if (e == NULL || !memo_starts(e, from))
		return NULL;
	put_first(slot, slot[1]);
	return e;
}

const struct memo_entry *
memo_find_other(struct memo *memo, const struct arch_frame *from,
    uint32_t generation)
{
	const struct memo_entry *leader = find_leader(memo, from, generation);
	uint64_t hash = memo_hash(from);
	const struct memo_entry *e;
	uint64_t *slot;
	int i;

	if (leader == NULL)
		return NULL;
	slot = memo_slot(memo, memo->other, look_at_places(leader, hash));
	for (i = 0; i < 2; i++) {
		e = memo_entry(memo, slot[i], generation);
		if (e == NULL || !memo_starts(e, from) || !memo_holds(e, from))
			continue;
		memo->last = slot[i];
		memo->hits++;
		if (e->shape == leader->shape)
			*memo_slot(memo, memo->leader, hash) = slot[i];
		return e;
	}
	return NULL;
}

const struct memo_entry *
memo_kin(const struct memo *memo, const struct arch_frame *from,
    uint32_t generation)
{
	const struct memo_entry *e = find_leader(memo, from, generation);

	return e != NULL ? e : memo_entry(memo, memo->last, generation);
}

/* --- putting in ----------------------------------------------------------- */

/* Where the next entry begins: in one piece. */
static uint64_t
next_place(const struct memo *memo)
{
	uint64_t left = memo->ring_words - memo->head % memo->ring_words;

	return left < ENTRY_MOST ? memo->head + left : memo->head;
}

static struct memo_entry *
next_entry(const struct memo *memo)
{
	return (void *)&memo->ring[next_place(memo) % memo->ring_words];
}

/* Put the entry at @here where it will be looked for. */
static void
line_up(struct memo *memo, struct memo_entry *e, uint64_t here)
{
	const struct arch_frame from = { .pc = e->pc, .sp = e->sp };
	uint64_t hash = memo_hash(&from);
	/* It is ours, and a handler that reads it sees one number or another. */
	struct memo_entry *leader = (struct memo_entry *)find_leader(memo,
	    &from, e->generation);

	e->shape = (uint32_t)here;
	if (leader != NULL && is_same_shape(leader, e))
		e->shape = leader->shape;
	else if (leader != NULL && leader->strangers++ < STRANGERS_MOST) {
		put_first(memo_slot(memo, memo->other,
		    look_at_places(leader, hash)), here);
		return;
	}
	put_first(memo_slot(memo, memo->other, look_at_places(e, hash)), here);
	if (leader != NULL) /* which is first by now */
		*memo_slot(memo, memo->leader, hash) = here;
	else
		put_first(memo_slot(memo, memo->leader, hash), here);
}

uint64_t
memo_lay(struct memo *memo, const struct arch_frame *from,
    const struct memo_trace *trace, const struct memo_result *result)
{
	struct memo_entry *e = next_entry(memo);

	memo->misses++;
	if (!trace->whole)
		return 0;
	*e = (struct memo_entry){
		.pc = from->pc, .sp = from->sp, .fp = from->fp,
		.generation = result->generation, .node = result->node,
		.site = result->site, .frames = result->frames,
		.even = (trace->count + 1) & ~UINT32_C(1),
		.count = (uint16_t)trace->count,
		.flags = (uint16_t)(trace->flags | MEMO_NEW),
		.first_fp = (uint16_t)trace->first_fp,
	};
	memcpy(e->word, trace->word, trace->count * sizeof(*e->word));
	return next_place(memo);
}

void
memo_put(struct memo *memo, uint64_t here)
{
	struct memo_entry *e = next_entry(memo);
	uint64_t head = here + ENTRY_WORDS(e->even);
	bool is_round = head / memo->ring_words !=
	    memo->head / memo->ring_words;

	/* A handler may have left for another stack, where others were put. */
	if (UNLIKELY(here != next_place(memo)))
		return;
	/*
	 * What is good has begun less than a ring ago, taken off the room of
	 * the next one, and what may be skipped before it.
	 */
	memo->oldest = max_u64(memo->oldest,
	    head + 2 * ENTRY_MOST - memo->ring_words);
	atomic_signal_fence(memory_order_seq_cst);
	memo->head = head;
	memo->last = here;
	line_up(memo, e, here);
	if (UNLIKELY(is_round)) {
		grow(memo);
		memo->hits = memo->misses = 0;
	}
}

uint32_t *
memo_path(struct memo *memo, uint64_t hash, uint32_t generation)
{
	if (UNLIKELY(memo->paths_of != generation)) {
		memset(memo->path, 0, sizeof(memo->path));
		memo->paths_of = generation;
	}
	return &memo->path[hash % MEMO_PATHS];
}
