#include "stack/memo.h"

#include <stdatomic.h>
#include <string.h>

#define ENTRY_WORDS(count) (sizeof(struct memo_entry) / 8 + (count))
#define ENTRY_MOST         ENTRY_WORDS(MEMO_TRACE)

/* A memo begins with so many words, and a slot for each 16 of them. */
#define RING_LEAST   ((uint32_t)(4 * KIB))
#define RING_MOST    ((uint32_t)(64 * KIB))
#define WORDS_A_SLOT 16

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
	memo->children_of = MEMO_NEVER;
}

struct memo *
memo_open(void *room, size_t bytes)
{
	struct memo *memo = room;

	memo->ring_most = bytes >= MEMO_LARGE ? RING_MOST : RING_LEAST;
	memo->ring_words = RING_LEAST;
	memo->slots = RING_LEAST / WORDS_A_SLOT;
	memo->at = (uint64_t *)(memo + 1);
	memo->ring = memo->at + MEMO_WAYS * memo->ring_most / WORDS_A_SLOT;
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

const struct memo_entry *
memo_kin(const struct memo *memo, const struct arch_frame *from,
    uint32_t generation)
{
	const struct memo_entry *e = memo_entry(memo,
	    memo->at[memo_slot(memo, from)], generation);

	if (e != NULL && e->pc == from->pc && e->sp == from->sp)
		return e;
	return memo_entry(memo, memo->last, generation);
}

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

void
memo_begin(struct memo *memo, const struct arch_frame *from,
    struct memo_trace *trace)
{
	*trace = (struct memo_trace){ .word = next_entry(memo)->word,
		.place = from->sp };
}

void
memo_put(struct memo *memo, const struct arch_frame *from,
    const struct memo_trace *trace, const struct memo_result *result)
{
	uint64_t *at = &memo->at[memo_slot(memo, from)];
	uint64_t here = next_place(memo);
	uint64_t head = here + ENTRY_WORDS(trace->count);
	bool is_round = head / memo->ring_words !=
	    memo->head / memo->ring_words;

	memo->misses++;
	if (!trace->whole)
		return;
	*next_entry(memo) = (struct memo_entry){
		.pc = from->pc, .sp = from->sp, .fp = from->fp,
		.generation = result->generation, .node = result->node,
		.site = result->site, .frames = result->frames,
		.count = (uint16_t)trace->count,
		.flags = (uint16_t)trace->flags,
		.first_fp = (uint16_t)trace->first_fp,
	};
	/*
	 * What is good has begun less than a ring ago, taken off the room of
	 * the next one, which is written where it will lie, and what may be
	 * skipped before it.
	 */
	memo->oldest = max_u64(memo->oldest,
	    head + 2 * ENTRY_MOST - memo->ring_words);
	atomic_signal_fence(memory_order_seq_cst);
	memo->head = head;
	at[1] = at[0];
	at[0] = memo->last = here;
	if (UNLIKELY(is_round)) {
		grow(memo);
		memo->hits = memo->misses = 0;
	}
}

uint32_t *
memo_child(struct memo *memo, uint32_t parent, uint64_t pc,
    uint32_t generation)
{
	uint64_t hash = mix_u64(pc + parent * UINT64_C(0x9e3779b97f4a7c15));

	if (UNLIKELY(memo->children_of != generation)) {
		memset(memo->child, 0, sizeof(memo->child));
		memo->children_of = generation;
	}
	return &memo->child[hash % MEMO_CHILDREN];
}
