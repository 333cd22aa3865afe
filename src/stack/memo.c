#include "stack/memo.h"

/*
 * Entries lie in a ring, one behind the other, as they came; the oldest are
 * written over.  An entry is good if it began less than a ring ago, taken off
 * the room of the next one, which is just being written, and what is skipped
 * before it so that it lies in one piece.
 */
struct entry {
	uint64_t pc;
	uint64_t sp;
	uint64_t fp;
	uint32_t generation;
	uint32_t node;
	uint32_t count;
	uint32_t uses_fp;
	struct memo_word word[];
};

#define ENTRY_WORDS(count) \
	((sizeof(struct entry) + (count) * sizeof(struct memo_word)) / 8)
#define ENTRY_MOST  ENTRY_WORDS(MEMO_TRACE)

/* From the ring's first word on, so that a short life touches little of it. */
void
memo_clear(struct memo *memo)
{
	memo->head = round_up(memo->head + 1, MEMO_WORDS);
	memo->born = memo->head;
}

static size_t
slot_of(const struct arch_frame *from)
{
	return mix_u64(from->pc ^ from->sp << 20) % MEMO_HEADS;
}

static bool
is_good(const struct memo *memo, uint64_t at)
{
	return at >= memo->born && at < memo->head &&
	    memo->head - at <= MEMO_WORDS - 2 * ENTRY_MOST;
}

uint32_t
memo_find(const struct memo *memo, const struct arch_frame *from, uint64_t top,
    uint32_t generation)
{
	uint64_t at = memo->at[slot_of(from)];
	uint64_t room = top - from->sp;
	const struct entry *e;
	uint32_t i;

	if (!is_good(memo, at))
		return 0;
	e = (const void *)&memo->ring[at % MEMO_WORDS];
	if (e->pc != from->pc || e->sp != from->sp ||
	    e->generation != generation || (e->uses_fp && e->fp != from->fp))
		return 0;
	for (i = 0; i < e->count; i++)
		if (e->word[i].offset >= room ||
		    *(const uint64_t *)(uintptr_t)(from->sp +
		    e->word[i].offset) != e->word[i].value)
			return 0;
	return e->node;
}

/* Where the next entry begins: in one piece. */
static uint64_t
next_place(const struct memo *memo)
{
	uint64_t left = MEMO_WORDS - memo->head % MEMO_WORDS;

	return left < ENTRY_MOST ? memo->head + left : memo->head;
}

void
memo_begin(struct memo *memo, struct memo_trace *trace)
{
	struct entry *e = (void *)&memo->ring[next_place(memo) % MEMO_WORDS];

	trace->word = e->word;
}

void
memo_put(struct memo *memo, const struct arch_frame *from,
    const struct memo_trace *trace, uint32_t generation, uint32_t node)
{
	uint64_t at = next_place(memo);
	struct entry *e = (void *)&memo->ring[at % MEMO_WORDS];

	if (!trace->whole)
		return;
	*e = (struct entry){ .pc = from->pc, .sp = from->sp, .fp = from->fp,
		.generation = generation, .node = node,
		.count = trace->count, .uses_fp = trace->uses_fp };
	memo->head = at + ENTRY_WORDS(trace->count);
	memo->at[slot_of(from)] = at;
}
