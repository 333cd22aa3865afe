#include "watch/heapwalk.h"

#include <errno.h>

#include "watch/glibc.h"

#define EXTENTS_MOST  (UINT64_C(1) << 20)
#define UNKNOWNS_MOST (UINT64_C(1) << 16)
#define CELL_BITS     20 /* 1 MiB */
#define CELLS_MOST    (UINT64_C(1) << 24)
/* So many chunks in a row, or the end of the heap, are taken for a chain. */
#define CHAIN_LEAST   64
#define FAST_MOST     (UINT32_C(1) << 24) /* a list that is longer is none */

static uint64_t
word_at(uint64_t address)
{
	return *(const uint64_t *)(uintptr_t)address;
}

/* --- what there is -------------------------------------------------------- */

int
heap_open(struct heap *h, struct workroom *room, uint64_t key)
{
	*h = (struct heap){ .room = room, .key = key,
		.extents_most = EXTENTS_MOST, .unknowns_most = UNKNOWNS_MOST };
	h->extent = workroom_take_sparse(room, EXTENTS_MOST *
	    sizeof(h->extent[0]));
	h->unknown = workroom_take_sparse(room, UNKNOWNS_MOST *
	    sizeof(h->unknown[0]));
	return h->extent != NULL && h->unknown != NULL ? 0 : -ENOMEM;
}

static int
add(struct heap *h, uint64_t head, uint64_t start, uint64_t end,
    uint32_t arena, bool mapped)
{
	struct heap_extent *e = &h->extent[h->extents];
	uint64_t groups;

	if (h->extents == h->extents_most)
		return -ENOMEM;
	*e = (struct heap_extent){ .head = head, .start = start, .end = end,
		.origin = round_down(start, 1 << HEAP_GROUP_BITS),
		.arena = arena };
	groups = (end - e->origin + (1 << HEAP_GROUP_BITS) - 1) >>
	    HEAP_GROUP_BITS;
	if (!mapped) {
		e->group = workroom_take(h->room, groups *
		    sizeof(struct heap_group));
		if (e->group == NULL)
			return -ENOMEM;
	}
	h->extents++;
	h->bytes += end - start;
	return 0;
}

int
heap_add(struct heap *h, uint64_t head, uint64_t start, uint64_t end,
    uint32_t arena)
{
	start = round_up(start, 16);
	return start + CHUNK_LEAST > end ? 0 : add(h, head, start, end,
	    arena, false);
}

int
heap_add_mapped(struct heap *h, uint64_t head, uint64_t block, uint64_t end)
{
	return add(h, head, block, end, 0, true);
}

static bool
comes_before(const struct heap_extent *a, const struct heap_extent *b)
{
	return a->start < b->start;
}

/* Heapsort: it needs no memory, and bears any order. */
static void
sift(struct heap_extent *e, size_t at, size_t n)
{
	struct heap_extent moved = e[at];
	size_t child;

	for (; (child = 2 * at + 1) < n; at = child) {
		child += child + 1 < n &&
		    comes_before(&e[child], &e[child + 1]);
		if (!comes_before(&moved, &e[child]))
			break;
		e[at] = e[child];
	}
	e[at] = moved;
}

static void
sort_extents(struct heap *h)
{
	size_t n = h->extents, i;

	for (i = n / 2; i-- > 0;)
		sift(h->extent, i, n);
	for (i = n; i-- > 1;) {
		struct heap_extent last = h->extent[i];

		h->extent[i] = h->extent[0];
		h->extent[0] = last;
		sift(h->extent, 0, i);
	}
}

/* --- finding extents ------------------------------------------------------ */

static int
open_area(struct heap *h, struct heap_area *a, size_t from, size_t to)
{
	uint64_t cells, i, k;

	if (from == to)
		return 0;
	a->start = h->extent[from].start;
	a->bytes = h->extent[to - 1].end - a->start;
	a->shift = CELL_BITS;
	while (a->bytes >> a->shift >= CELLS_MOST)
		a->shift++;
	cells = (a->bytes >> a->shift) + 1;
	a->cell = workroom_take_sparse(h->room, cells * sizeof(a->cell[0]));
	if (a->cell == NULL)
		return -ENOMEM;
	workroom_used(h->room, min_u64(cells * sizeof(a->cell[0]), h->bytes));
	for (k = from; k < to; k++)
		for (i = (h->extent[k].start - a->start) >> a->shift;
		    i <= (h->extent[k].end - 1 - a->start) >> a->shift; i++)
			if (a->cell[i] == 0)
				a->cell[i] = (uint32_t)k + 1;
	return 0;
}

/* What the break has grown to lies far from what is mapped: cut there. */
static int
open_areas(struct heap *h)
{
	size_t cut = h->extents, i;
	uint64_t widest = 0;
	int r;

	for (i = 1; i < h->extents; i++) {
		uint64_t gap = h->extent[i].start - h->extent[i - 1].end;

		if (gap > widest) {
			widest = gap;
			cut = i;
		}
	}
	r = open_area(h, &h->area[0], 0, cut);
	return r < 0 ? r : open_area(h, &h->area[1], cut, h->extents);
}

/* --- walking -------------------------------------------------------------- */

/* One extent on the way: where its top is, and a bit a block that is in use. */
struct walk {
	struct heap *h;
	const struct heap_extent *e;
	uint64_t top;   /* chunk; 0: not known */
	uint64_t *live; /* a word a group */
};

/*
 * The bytes of the chunk at @c, or 0: there is none.  Small ones of 16 bytes
 * are fences in front of what is not the heap's.
 */
static uint64_t
chunk_bytes(const struct heap_extent *e, uint64_t c)
{
	uint64_t head, bytes;

	if (c + CHUNK_HEAD > e->end)
		return 0;
	head = word_at(c + 8);
	bytes = head & ~(uint64_t)CHUNK_BITS;
	if ((head & CHUNK_MAPPED) || bytes % 16 != 0 || bytes < 16 ||
	    bytes > e->end - c ||
	    /* In other arenas chunks in use have the mark, free ones do not. */
	    (e->arena == 0 && (head & CHUNK_NOT_MAIN) != 0))
		return 0;
	return bytes;
}

/*
 * A free chunk says its size at both ends, and the next one that it is free.
 * Where both is not so, the next one is just being made.
 */
static bool
is_used(const struct heap_extent *e, uint64_t c, uint64_t bytes)
{
	return c + bytes + CHUNK_HEAD > e->end ||
	    (word_at(c + bytes + 8) & CHUNK_PREVIOUS_USED) != 0 ||
	    word_at(c + bytes) != bytes;
}

static void
set(const struct walk *w, uint64_t block, bool live)
{
	uint64_t place = (block - w->e->origin) >> 4;

	w->e->group[place >> 6].starts |= UINT64_C(1) << (place & 63);
	if (live)
		w->live[place >> 6] |= UINT64_C(1) << (place & 63);
}

/* From @c on, does a chain of chunks go on for long, or to the end? */
static bool
is_chain(const struct walk *w, uint64_t c)
{
	uint64_t bytes;
	int n;

	for (n = 0; n < CHAIN_LEAST; n++) {
		if (c == w->top || c == w->e->end)
			return n > 0;
		bytes = chunk_bytes(w->e, c);
		if (bytes < CHUNK_LEAST)
			return bytes == 16 && n > 0;
		c += bytes;
	}
	return true;
}

/* Where chunks go on after @from, or the extent's end. */
static uint64_t
next_chain(const struct walk *w, uint64_t from)
{
	uint64_t c;

	for (c = from; c + CHUNK_LEAST <= w->e->end; c += 16)
		if (c == w->top || (chunk_bytes(w->e, c) >= CHUNK_LEAST &&
		    is_chain(w, c)))
			return c;
	return w->e->end;
}

/* Nothing of ours from @from to @to; what is no fence may hold pointers. */
static int
note_unknown(const struct walk *w, uint64_t from, uint64_t to, bool fence)
{
	struct heap *h = w->h;

	if (from + CHUNK_HEAD <= to)
		set(w, from + CHUNK_HEAD, false);
	if (from >= to || (fence && to == w->e->end && to - from <= 64))
		return 0;
	if (h->unknowns == h->unknowns_most)
		return -ENOMEM;
	h->unknown[h->unknowns++] = (struct heap_range){ from, to };
	h->unknown_bytes += to - from;
	return 0;
}

static bool
is_cached(const struct walk *w, uint64_t block, uint64_t bytes)
{
	return w->h->key != 0 && bytes >= CHUNK_LEAST &&
	    word_at(block + 8) == w->h->key;
}

/* 0, or -ENOMEM. */
static int
walk_extent(const struct walk *w)
{
	const struct heap_extent *e = w->e;
	uint64_t c = e->start, next, bytes;
	int r;

	while (c + CHUNK_HEAD <= e->end) {
		if (c == w->top) {
			set(w, c + CHUNK_HEAD, false);
			next = c + (word_at(c + 8) & ~(uint64_t)CHUNK_BITS);
			if (next <= c || next >= e->end)
				break;
			/* Somebody else's sbrk() lies behind it. */
			r = note_unknown(w, next, e->end, false);
			return r;
		}
		bytes = chunk_bytes(e, c);
		if (bytes >= CHUNK_LEAST) {
			set(w, c + CHUNK_HEAD, is_used(e, c, bytes) &&
			    !is_cached(w, c + CHUNK_HEAD, bytes));
			c += bytes;
			continue;
		}
		next = next_chain(w, c + 16);
		r = note_unknown(w, c, next, bytes == 16);
		if (r < 0)
			return r;
		c = next;
	}
	return 0;
}

/* Small chunks that an arena keeps for itself look in use; they are not. */
static void
bury_list(struct heap *h, uint64_t *const live[], uint64_t chunk)
{
	uint32_t n;

	for (n = 0; chunk != 0 && n < FAST_MOST; n++) {
		const struct heap_area *a = heap_area_of(h, chunk);
		const struct heap_extent *e = a != NULL && chunk % 16 == 0 ?
		    heap_extent_of(h, a, chunk + CHUNK_HEAD) : NULL;
		uint64_t place;

		if (e == NULL || e->group == NULL)
			return;
		place = (chunk + CHUNK_HEAD - e->origin) >> 4;
		live[e - h->extent][place >> 6] &=
		    ~(UINT64_C(1) << (place & 63));
		chunk = glibc_unprotect(chunk + CHUNK_HEAD,
		    word_at(chunk + CHUNK_HEAD));
	}
}

static void
bury_lists(struct heap *h, uint64_t *const live[])
{
	size_t i, k;

	for (i = 0; i < h->arenas; i++) {
		const struct glibc_arena *a = (const void *)(uintptr_t)
		    h->arena[i];

		for (k = 0; k < ARRAY_LENGTH(a->fast); k++)
			bury_list(h, live, a->fast[k]);
	}
}

/* --- the entries ---------------------------------------------------------- */

static int
count_blocks(struct heap *h)
{
	uint64_t n = 0;
	size_t i, k, groups;

	for (i = 0; i < h->extents; i++) {
		struct heap_extent *e = &h->extent[i];

		e->first = (uint32_t)n;
		groups = e->group == NULL ? 0 : (e->end - e->origin +
		    (1 << HEAP_GROUP_BITS) - 1) >> HEAP_GROUP_BITS;
		n += e->group == NULL;
		for (k = 0; k < groups; k++) {
			e->group[k].before = (uint32_t)n;
			n += heap_ones(e->group[k].starts);
		}
		if (n >= HEAP_NONE)
			return -EOVERFLOW;
	}
	h->blocks = (uint32_t)n;
	h->entry = workroom_take(h->room, n * sizeof(h->entry[0]));
	return h->entry == NULL ? -ENOMEM : 0;
}

static void
enter(struct heap *h, uint32_t index, uint64_t start, bool live)
{
	h->entry[index] = start >> 4 << HEAP_START_BIT |
	    (live ? 0 : HEAP_DEAD);
}

static void
enter_extent(struct heap *h, const struct heap_extent *e,
    const uint64_t *live)
{
	size_t groups = (e->end - e->origin + (1 << HEAP_GROUP_BITS) - 1) >>
	    HEAP_GROUP_BITS;
	size_t k;

	for (k = 0; k < groups; k++) {
		uint64_t bits = e->group[k].starts;
		uint32_t index = e->group[k].before;

		for (; bits != 0; bits &= bits - 1) {
			unsigned place = (unsigned)__builtin_ctzll(bits);

			enter(h, index++, e->origin + (k << HEAP_GROUP_BITS) +
			    place * 16, live[k] >> place & 1);
		}
	}
}

static int
walk_all(struct heap *h, uint64_t **live)
{
	struct walk w = { .h = h };
	size_t i, groups;
	int r = 0;

	for (i = 0; r == 0 && i < h->extents; i++) {
		w.e = &h->extent[i];
		if (w.e->group == NULL)
			continue;
		groups = (w.e->end - w.e->origin +
		    (1 << HEAP_GROUP_BITS) - 1) >> HEAP_GROUP_BITS;
		live[i] = workroom_take(h->room, groups * sizeof(uint64_t));
		if (live[i] == NULL)
			return -ENOMEM;
		w.live = live[i];
		w.top = w.e->arena < h->arenas ? ((const struct glibc_arena *)
		    (uintptr_t)h->arena[w.e->arena])->top : 0;
		r = walk_extent(&w);
	}
	return r;
}

int
heap_walk(struct heap *h, const uint64_t *arena, size_t arenas)
{
	uint64_t **live;
	size_t i;
	int r;

	h->arena = arena;
	h->arenas = arenas;
	sort_extents(h);
	live = workroom_take(h->room, (h->extents + 1) * sizeof(live[0]));
	r = live == NULL ? -ENOMEM : open_areas(h);
	if (r == 0)
		r = walk_all(h, live);
	if (r == 0) {
		bury_lists(h, live);
		r = count_blocks(h);
	}
	for (i = 0; r == 0 && i < h->extents; i++) {
		const struct heap_extent *e = &h->extent[i];

		if (e->group == NULL)
			enter(h, e->first, e->start, true);
		else
			enter_extent(h, e, live[i]);
	}
	return r;
}
