#include "watch/trace.h"

#include <errno.h>

#define ASK_BYTES   (UINT64_C(16) << 20)
/* From here on it is worth asking which pages were ever written. */
#define LARGE_BYTES (UINT64_C(256) << 10)

int
trace_open(struct trace *m, struct heap *heap, struct workroom *room)
{
	size_t words = heap->blocks / 64 + 1;

	*m = (struct trace){ .heap = heap, .room = room,
		.anys = words / 64 / 64 + 1 };
	m->waiting = workroom_take(room, words * sizeof(m->waiting[0]));
	m->some = workroom_take(room, (words / 64 + 1) * sizeof(m->some[0]));
	m->any = workroom_take(room, m->anys * sizeof(m->any[0]));
	m->word = workroom_take_sparse(room, TRACE_WORDS_MOST *
	    sizeof(m->word[0]));
	return m->waiting != NULL && m->some != NULL && m->any != NULL &&
	    m->word != NULL ? 0 : -ENOMEM;
}

/* --- labels --------------------------------------------------------------- */

uint32_t
trace_root(const struct trace *m, uint32_t label)
{
	return label >= TRACE_LABEL_WORD ?
	    m->word[label - TRACE_LABEL_WORD].root : label - TRACE_LABEL_ROOT;
}

/* The least label above both, which differ and are neither none nor many. */
static uint32_t
join(const struct trace *m, uint32_t a, uint32_t b)
{
	uint32_t root = trace_root(m, a);

	return root == trace_root(m, b) ? root + TRACE_LABEL_ROOT :
	    TRACE_LABEL_MANY;
}

static HOT bool
is_weak(const struct trace *m, uint32_t label)
{
	return label >= m->weak && label < TRACE_LABEL_WORD;
}

/* Of what all blocks of a site have in common, stacks are no part. */
uint32_t
trace_join(const struct trace *m, uint32_t a, uint32_t b)
{
	if (a == TRACE_LABEL_NONE || a == b)
		return b;
	if (b == TRACE_LABEL_NONE)
		return a;
	if (is_weak(m, a) != is_weak(m, b))
		return is_weak(m, a) ? b : a;
	return a == TRACE_LABEL_MANY || b == TRACE_LABEL_MANY ?
	    TRACE_LABEL_MANY : join(m, a, b);
}

/* --- what waits ----------------------------------------------------------- */

static HOT void
set_bit(uint64_t *words, size_t i)
{
	words[i / 64] |= UINT64_C(1) << (i % 64);
}

static HOT void
push(struct trace *m, uint32_t index)
{
	set_bit(m->waiting, index);
	set_bit(m->some, index / 64);
	set_bit(m->any, index / 64 / 64);
	m->depth++;
}

/* The next word of @some that has any, from the one that is followed on. */
static void
turn_to_next(struct trace *m)
{
	size_t word = m->at / 64;
	uint64_t bits = m->any[word] & (UINT64_MAX << (m->at % 64));

	while (bits == 0) {
		word = word + 1 < m->anys ? word + 1 : 0;
		bits = m->any[word];
	}
	m->at = word * 64 + (size_t)__builtin_ctzll(bits);
}

/* One of those that wait; there is one. */
static HOT uint32_t
take(struct trace *m)
{
	size_t i, k;

	if (m->some[m->at] == 0)
		turn_to_next(m);
	i = m->at * 64 + (size_t)__builtin_ctzll(m->some[m->at]);
	k = i * 64 + (size_t)__builtin_ctzll(m->waiting[i]);
	m->waiting[i] &= m->waiting[i] - 1;
	if (m->waiting[i] == 0)
		m->some[m->at] &= m->some[m->at] - 1;
	if (m->some[m->at] == 0)
		m->any[m->at / 64] &= ~(UINT64_C(1) << (m->at % 64));
	m->depth--;
	return (uint32_t)k;
}

/* --- looks ---------------------------------------------------------------- */

/* Is a pointer to @address, in the block that starts at @start, one to it? */
static HOT bool
counts(const struct trace *m, uint64_t start, uint64_t address)
{
	return LIKELY(address == start) || (!m->starts &&
	    (m->is_within == NULL || m->is_within(start, address)));
}

/*
 * A new label for a block: then what it points to has it as well.  The flag of
 * an entry says that it waits.
 */
static HOT void
visit(struct trace *m, uint32_t index, uint64_t address, uint32_t label)
{
	uint64_t *entry = &m->heap->entry[index];
	uint64_t now = *entry;
	uint32_t there = heap_label(now);

	if (there == label || there == HEAP_DEAD || there == TRACE_LABEL_MANY ||
	    !counts(m, heap_start(now), address))
		return;
	if (there != TRACE_LABEL_NONE && m->weak != 0 &&
	    !is_weak(m, there))
		return;
	if (there != TRACE_LABEL_NONE)
		label = label == TRACE_LABEL_MANY ? label :
		    join(m, there, label);
	if (there == label)
		return;
	*entry = (now & ~HEAP_LABEL_MASK) | HEAP_FLAG | label;
	if ((now & HEAP_FLAG) != 0)
		return;
	push(m, index);
}

static HOT void
visit_later(struct trace *m, uint32_t index, uint64_t address, uint32_t label)
{
	struct trace_look *slot = &m->visit[m->visits++ % TRACE_AHEAD];

	if (m->visits > TRACE_AHEAD)
		visit(m, slot->index, slot->address, slot->label);
	__builtin_prefetch(&m->heap->entry[index], 1);
	*slot = (struct trace_look){ address, label, index };
}

/* Its group is in the cache by now: which block is it? */
static HOT void
find(struct trace *m, const struct trace_look *look)
{
	uint32_t index = heap_find(m->heap, look->address);

	if (index != HEAP_NONE)
		visit_later(m, index, look->address, look->label);
}

static HOT void
find_later(struct trace *m, uint64_t address, uint32_t label)
{
	const struct heap_area *a = heap_area_of(m->heap, address);
	const struct heap_extent *e;
	struct trace_look *slot;

	if (LIKELY(a == NULL))
		return;
	e = heap_extent_of(m->heap, a, address);
	if (e == NULL)
		return;
	if (e->group != NULL)
		__builtin_prefetch(heap_group_of(e, address));
	slot = &m->find[m->finds++ % TRACE_AHEAD];
	if (m->finds > TRACE_AHEAD)
		find(m, slot);
	*slot = (struct trace_look){ address, label, 0 };
}

/* What is on the way arrives. */
static void
settle(struct trace *m)
{
	uint64_t i, n;

	n = m->finds < TRACE_AHEAD ? m->finds : TRACE_AHEAD;
	m->finds -= n;
	for (i = 0; i < n; i++)
		find(m, &m->find[(m->finds + i) % TRACE_AHEAD]);
	m->finds = 0;
	n = m->visits < TRACE_AHEAD ? m->visits : TRACE_AHEAD;
	m->visits -= n;
	for (i = 0; i < n; i++) {
		const struct trace_look *l =
		    &m->visit[(m->visits + i) % TRACE_AHEAD];

		visit(m, l->index, l->address, l->label);
	}
	m->visits = 0;
}

/* --- ranges --------------------------------------------------------------- */

struct range_scan {
	struct trace *m;
	uint32_t label;
};

static HOT void
scan_words(struct trace *m, uint64_t start, uint64_t end, uint32_t label)
{
	const uint64_t *p = (const uint64_t *)(uintptr_t)round_up(start, 8);
	const uint64_t *last = (const uint64_t *)(uintptr_t)round_down(end, 8);

	for (; p < last; p++)
		find_later(m, *p, label);
	m->scanned += end - start;
}

static void
scan_part(void *context, uint64_t start, uint64_t end)
{
	struct range_scan *s = context;

	scan_words(s->m, start, end, s->label);
}

static bool
is_over(struct trace *m)
{
	if (m->scanned >= m->ask_at && m->is_over != NULL) {
		m->ask_at = m->scanned + ASK_BYTES;
		m->over = m->over || m->is_over(m->context);
	}
	return m->over;
}

/* In pieces, so that it can be given up on the way. */
static void
scan_large(struct trace *m, uint64_t start, uint64_t end, uint32_t label)
{
	struct range_scan s = { .m = m, .label = label };

	while (start < end && !is_over(m)) {
		uint64_t stop = min_u64(end, start + ASK_BYTES);

		if (m->written != NULL)
			m->written(m->context, start, stop, scan_part, &s);
		else
			scan_words(m, start, stop, label);
		start = stop;
	}
}

static HOT void
scan_block(struct trace *m, uint32_t index)
{
	uint64_t *entry = &m->heap->entry[index];
	uint64_t start = heap_start(*entry);
	uint64_t usable = heap_usable(start);
	uint32_t label = heap_label(*entry);

	*entry &= ~HEAP_FLAG;
	if (usable >= LARGE_BYTES)
		scan_large(m, start, start + usable, label);
	else
		scan_words(m, start, start + usable, label);
}

/*
 * What waits no more goes through a ring: first its entry is asked for,
 * half a round later its content, and after another half that is scanned.
 */
static HOT void
pop(struct trace *m)
{
	const uint32_t half = TRACE_AHEAD;
	uint32_t i;

	if (m->depth > 0) {
		i = take(m);
		__builtin_prefetch(&m->heap->entry[i], 1);
	} else {
		i = HEAP_NONE; /* a place that stays empty */
	}
	m->next[m->popped++ % (2 * half)] = i;
	if (m->popped < half)
		return;
	i = m->next[(m->popped - half) % (2 * half)];
	if (i != HEAP_NONE) {
		const char *at = (const char *)(uintptr_t)
		    heap_start(m->heap->entry[i]);

		__builtin_prefetch(at - 8);
		__builtin_prefetch(at + 56);
	}
}

static HOT void
scan_next(struct trace *m)
{
	uint32_t i = m->next[m->scanned_blocks++ % ARRAY_LENGTH(m->next)];

	if (i != HEAP_NONE)
		scan_block(m, i);
}

/* Nothing waits any more; what is on the way may bring more. */
static void
run_dry(struct trace *m)
{
	while (m->scanned_blocks < m->popped)
		scan_next(m);
	settle(m);
}

bool
trace_follow(struct trace *m)
{
	for (;;) {
		if (m->depth == 0)
			run_dry(m);
		if (m->depth == 0 || is_over(m))
			break;
		while (m->popped - m->scanned_blocks < ARRAY_LENGTH(m->next) -
		    1)
			pop(m);
		scan_next(m);
	}
	return !m->over;
}

/* --- roots ---------------------------------------------------------------- */

void
trace_value(struct trace *m, uint32_t root, uint64_t value)
{
	find_later(m, value, TRACE_LABEL_ROOT + root);
}

/* The label of the word at @address, or the root's: there are too many. */
static uint32_t
label_of_word(struct trace *m, uint32_t root, uint64_t address)
{
	if (m->words == TRACE_WORDS_MOST)
		return TRACE_LABEL_ROOT + root;
	m->word[m->words] = (struct trace_word){ address, root, 0 };
	return TRACE_LABEL_WORD + m->words++;
}

static void
scan_named(struct trace *m, uint32_t root, uint64_t start, uint64_t end)
{
	uint64_t at;

	for (at = round_up(start, 8); at + 8 <= end; at += 8) {
		uint64_t value = *(const uint64_t *)(uintptr_t)at;

		if (UNLIKELY(heap_find(m->heap, value) != HEAP_NONE))
			find_later(m, value, label_of_word(m, root, at));
	}
	m->scanned += end - start;
}

void
trace_range(struct trace *m, uint32_t root, uint64_t start, uint64_t end,
    bool words)
{
	uint64_t stop;

	for (; start < end && !is_over(m); start = stop) {
		stop = min_u64(end, start + ASK_BYTES);
		if (words)
			scan_named(m, root, start, stop);
		else
			scan_words(m, start, stop, TRACE_LABEL_ROOT + root);
	}
}

/* --- those that nobody reaches -------------------------------------------- */

static void
point_at(struct trace *m, uint32_t from, uint64_t address)
{
	uint32_t index = heap_find(m->heap, address);
	uint64_t *entry;

	if (index == HEAP_NONE || index == from)
		return;
	entry = &m->heap->entry[index];
	if (heap_label(*entry) == TRACE_LABEL_NONE &&
	    counts(m, heap_start(*entry), address))
		*entry |= TRACE_LABEL_INDIRECT;
}

struct pointing {
	struct trace *m;
	uint32_t from;
};

static void
point_from(void *context, uint64_t start, uint64_t end)
{
	const struct pointing *p = context;
	uint64_t at;

	for (at = start; at + 8 <= end; at += 8)
		point_at(p->m, p->from, *(const uint64_t *)(uintptr_t)at);
	p->m->scanned += end - start;
}

bool
trace_indirect(struct trace *m)
{
	struct pointing p = { .m = m };

	for (p.from = 0; p.from < m->heap->blocks && !is_over(m); p.from++) {
		uint64_t entry = m->heap->entry[p.from];
		uint32_t label = heap_label(entry);
		uint64_t start, usable;

		if (label != TRACE_LABEL_NONE && label != TRACE_LABEL_INDIRECT)
			continue;
		start = heap_start(entry);
		usable = heap_usable(start);
		if (usable >= LARGE_BYTES && m->written != NULL)
			m->written(m->context, start, start + usable,
			    point_from, &p);
		else
			point_from(&p, start, start + usable);
	}
	return !m->over;
}
