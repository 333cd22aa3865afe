#include "watch/trace.h"

#include <errno.h>

#define ASK_BYTES   (UINT64_C(16) << 20)
/* From here on it is worth asking which pages were ever written. */
#define LARGE_BYTES (UINT64_C(256) << 10)

int
trace_open(struct trace *m, struct heap *heap, struct workroom *room)
{
	*m = (struct trace){ .heap = heap, .room = room };
	m->stack = workroom_take_sparse(room, ((uint64_t)heap->blocks + 1) *
	    sizeof(m->stack[0]));
	m->word = workroom_take_sparse(room, TRACE_WORDS_MOST *
	    sizeof(m->word[0]));
	return m->stack != NULL && m->word != NULL ? 0 : -ENOMEM;
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

uint32_t
trace_join(const struct trace *m, uint32_t a, uint32_t b)
{
	if (a == TRACE_LABEL_NONE || a == b)
		return b;
	if (b == TRACE_LABEL_NONE)
		return a;
	return a == TRACE_LABEL_MANY || b == TRACE_LABEL_MANY ?
	    TRACE_LABEL_MANY : join(m, a, b);
}

/* --- looks ---------------------------------------------------------------- */

/*
 * A new label for a block: then what it points to has it as well.  The flag of
 * an entry says that it is on the stack.
 */
static HOT void
visit(struct trace *m, uint32_t index, uint64_t address, uint32_t label)
{
	uint64_t *entry = &m->heap->entry[index];
	uint64_t now = *entry;
	uint32_t there = heap_label(now);

	if (there == label || there == HEAP_DEAD || there == TRACE_LABEL_MANY ||
	    (m->starts && address != heap_start(now)))
		return;
	if (there != TRACE_LABEL_NONE)
		label = label == TRACE_LABEL_MANY ? label :
		    join(m, there, label);
	if (there == label)
		return;
	*entry = (now & ~HEAP_LABEL_MASK) | HEAP_FLAG | label;
	if ((now & HEAP_FLAG) != 0)
		return;
	m->stack[m->depth++] = index;
	if (m->depth > m->deepest)
		m->deepest = m->depth;
}

static HOT void
visit_later(struct trace *m, const struct trace_look *look)
{
	struct trace_look *slot = &m->visit[m->visits++ % TRACE_AHEAD];

	if (m->visits > TRACE_AHEAD)
		visit(m, slot->index, slot->address, slot->label);
	__builtin_prefetch(&m->heap->entry[look->index], 1);
	*slot = *look;
}

/* Its group is in the cache by now: which block is it? */
static HOT void
find(struct trace *m, struct trace_look *look)
{
	look->index = heap_find(m->heap, look->address);
	if (look->index != HEAP_NONE)
		visit_later(m, look);
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
	uint32_t root;
	bool words;
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

bool
trace_follow(struct trace *m)
{
	const uint32_t ahead = ARRAY_LENGTH(m->next);

	for (;;) {
		if (m->depth == 0 && m->nexts == 0)
			settle(m);
		if ((m->depth == 0 && m->nexts == 0) || is_over(m))
			break;
		/* A ring of those that come next: ask for them now. */
		while (m->depth > 0 && m->nexts < ahead) {
			uint32_t i = m->stack[--m->depth];
			const char *at = (const char *)(uintptr_t)
			    heap_start(m->heap->entry[i]);

			__builtin_prefetch(at - 8);
			__builtin_prefetch(at + 64);
			m->next[m->nexts++] = i;
		}
		while (m->nexts > 0)
			scan_block(m, m->next[--m->nexts]);
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
scan_named(void *context, uint64_t start, uint64_t end)
{
	struct range_scan *s = context;
	struct trace *m = s->m;
	uint64_t at;

	for (at = round_up(start, 8); at + 8 <= end; at += 8) {
		uint64_t value = *(const uint64_t *)(uintptr_t)at;

		if (UNLIKELY(heap_find(m->heap, value) != HEAP_NONE))
			find_later(m, value, label_of_word(m, s->root, at));
	}
	m->scanned += end - start;
}

void
trace_range(struct trace *m, uint32_t root, uint64_t start, uint64_t end,
    bool words)
{
	struct range_scan s = { .m = m, .root = root, .words = words };

	if (!words)
		scan_large(m, start, end, TRACE_LABEL_ROOT + root);
	else if (m->written != NULL)
		m->written(m->context, start, end, scan_named, &s);
	else
		scan_named(&s, start, end);
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
	    (!m->starts || address == heap_start(*entry)))
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
