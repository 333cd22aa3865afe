/*
 * roots-heaps.c - where glibc's heaps lie, and which of them are whole
 */
#include "watch/roots.h"

#include <errno.h>
#include <string.h>

#include "base/base.h"
#include "watch/glibc.h"

#define PAGE_BYTES UINT64_C(4096)

/* --- glibc's arenas ------------------------------------------------------- */

/*
 * Is there an arena?  Of each of its lists of free chunks the ends close: an
 * empty one's are both its own head, and that of some.  One or two may be just
 * being changed.
 */
#define EMPTY_LEAST 16
#define TORN_MOST   2

static bool
is_arena(const struct glibc_arena *a)
{
	size_t empty = 0, torn = 0, i;

	if (a->mutex < 0 || a->mutex > 2 || a->top == 0 || a->top % 16 != 0)
		return false;
	for (i = 0; i < ARRAY_LENGTH(a->bin) / 2; i++) {
		uint64_t head = glibc_bin(a, i);
		uint64_t forward = a->bin[2 * i], back = a->bin[2 * i + 1];

		if (forward == 0 || forward % 8 != 0 || back % 8 != 0)
			return false;
		torn += (forward == head) != (back == head);
		empty += forward == head && back == head;
	}
	return empty >= EMPTY_LEAST && torn <= TORN_MOST;
}

static const struct vma *
vma_of(const struct roots *r, uint64_t address)
{
	size_t n = rows_upto(r->vma, sizeof(*r->vma),
	    offsetof(struct vma, start), r->vmas, address);

	return n > 0 && address < r->vma[n - 1].end ? &r->vma[n - 1] : NULL;
}

static bool
is_readable(const struct roots *r, uint64_t address, uint64_t bytes)
{
	const struct vma *v = vma_of(r, address);

	return v != NULL && v->kind != VMA_NONE && v->writable &&
	    bytes <= v->end - address;
}

/* The main arena is a variable of libc's that has no name outside. */
static uint64_t
find_main_arena(const struct roots *r, uint64_t start, uint64_t end)
{
	size_t i;
	uint64_t at;

	for (i = 0; i < r->vmas; i++) {
		const struct vma *v = &r->vma[i];

		if (!v->writable || v->kind != VMA_MODULE || v->start < start ||
		    v->start >= end)
			continue;
		for (at = v->start; at + sizeof(struct glibc_arena) <= v->end;
		    at += 8)
			if (is_arena((const void *)(uintptr_t)at))
				return at;
	}
	return 0;
}

/* The others are in a ring with it. */
static int
find_arenas(struct roots *r, uint64_t main_arena)
{
	uint64_t a = main_arena;

	do {
		if (r->arenas == ROOTS_ARENAS_MOST || !is_readable(r, a,
		    sizeof(struct glibc_arena)) ||
		    !is_arena((const void *)(uintptr_t)a))
			return -ENOEXEC;
		r->arena[r->arenas++] = a;
		a = ((const struct glibc_arena *)(uintptr_t)a)->next;
	} while (a != main_arena);
	return 0;
}

/* --- heaps ---------------------------------------------------------------- */

static uint32_t
arena_number(const struct roots *r, uint64_t arena)
{
	uint32_t i;

	for (i = 1; i < r->arenas; i++)
		if (r->arena[i] == arena)
			return i;
	return 0;
}

/* A heap of another arena than the main one, at @at: its end, or 0. */
static uint64_t
add_heap(struct roots *r, struct heap *h, uint64_t at, uint64_t end, int *error)
{
	const struct glibc_heap *heap = (const void *)(uintptr_t)at;
	uint64_t chunks, head;
	uint32_t number;

	if (at + PAGE_BYTES > end)
		return 0;
	number = arena_number(r, heap->arena);
	if (number == 0 || heap->bytes > end - at || heap->bytes % 16 != 0)
		return 0;
	/* The arena lies behind the head of its first heap. */
	head = heap->arena & (GLIBC_HEAP_ALIGN - 1);
	chunks = at + round_up(head + (heap->arena == at + head ?
	    sizeof(struct glibc_arena) : 0), 16);
	if (heap_add(h, at, chunks, at + heap->bytes, number) < 0)
		*error = -ENOMEM;
	return at + heap->bytes;
}

struct hunt {
	struct roots *r;
	struct heap *h;
	uint64_t end;   /* of the range that is looked through */
	uint64_t done;  /* what is before belongs to a block */
	int error;
};

/*
 * A block that is mapped by itself: its chunk reaches to the end of a page, and
 * says how far behind the start of the mapping it begins, which is @page.
 * Where that ends, or 0: there is none.
 */
static uint64_t
mapped_end(const struct hunt *hunt, uint64_t page, uint64_t block)
{
	uint64_t chunk = block - CHUNK_HEAD;
	uint64_t front = roots_word_at(chunk), head = roots_word_at(chunk + 8);
	uint64_t bytes = head & ~(uint64_t)CHUNK_BITS;

	if ((head & CHUNK_BITS) != CHUNK_MAPPED || front != chunk - page ||
	    (bytes + front) % PAGE_BYTES != 0 || bytes < CHUNK_LEAST ||
	    bytes > hunt->end - chunk)
		return 0;
	return chunk + bytes;
}

/*
 * One that is aligned begins further behind; where it began before it was
 * moved there, its first head is still to be seen.
 */
static void
hunt_page(struct hunt *hunt, uint64_t page)
{
	uint64_t block = page + CHUNK_HEAD, at = block, align;
	uint64_t end = mapped_end(hunt, page, block);

	if (end == 0)
		return;
	for (align = 32; at < end; align *= 2) {
		at = round_up(page + CHUNK_HEAD, align);
		if (at < end && mapped_end(hunt, page, at) != 0)
			block = at;
	}
	end = mapped_end(hunt, page, block);
	if (hunt->r->has_record != NULL &&
	    !hunt->r->has_record(block, end - block))
		return;
	hunt->done = end;
	if (heap_add_mapped(hunt->h, page, block, end) < 0)
		hunt->error = -ENOMEM;
}

static void
hunt_pages(void *context, uint64_t start, uint64_t end)
{
	struct hunt *hunt = context;
	uint64_t page;

	for (page = round_up(start, PAGE_BYTES); page < end;
	    page += PAGE_BYTES)
		if (page >= hunt->done)
			hunt_page(hunt, page);
}

/* --- what is ours --------------------------------------------------------- */

void
roots_exclude(struct roots *r, uint64_t start, uint64_t end)
{
	if (r->owns < ROOTS_OWN_MOST && start < end)
		r->own[r->owns++] = (struct heap_range){ start, end };
}

uint64_t
roots_next_own(const struct roots *r, uint64_t at, uint64_t end, uint64_t *past)
{
	uint64_t first = end;
	size_t i;

	*past = end;
	for (i = 0; i < r->owns; i++) {
		const struct heap_range *o = &r->own[i];

		if (o->end <= at || o->start >= first)
			continue;
		first = max_u64(o->start, at);
		*past = min_u64(o->end, end);
	}
	return first;
}

/* --- and what lies between ------------------------------------------------ */

/* Between what is ours and what are heaps, there may be blocks. */
static int
hunt_range(struct roots *r, struct heap *h, uint64_t start, uint64_t end)
{
	uint64_t at = start, own, past;
	struct hunt hunt = { .r = r, .h = h };

	while (at < end && hunt.error == 0) {
		own = roots_next_own(r, at, end, &past);
		hunt.end = own;
		hunt.done = at;
		roots_written(r, at, own, hunt_pages, &hunt);
		at = past;
	}
	return hunt.error;
}

static int
find_in_vma(struct roots *r, struct heap *h, const struct vma *v)
{
	uint64_t from = v->start, at, end;
	int error = 0;

	if (v->kind == VMA_BREAK)
		return heap_add(h, v->start, v->start, v->end, 0);
	if (v->kind != VMA_ANONYMOUS || !v->writable)
		return 0;
	for (at = round_up(v->start, GLIBC_HEAP_ALIGN); at < v->end &&
	    error == 0; at += GLIBC_HEAP_ALIGN) {
		end = add_heap(r, h, at, v->end, &error);
		if (end == 0)
			continue;
		if (error == 0)
			error = hunt_range(r, h, from, at);
		from = end;
	}
	return error < 0 ? error : hunt_range(r, h, from, v->end);
}

int
roots_find_heaps(struct roots *r, struct heap *h, uint64_t start, uint64_t end)
{
	uint64_t main_arena = find_main_arena(r, start, end);
	int error = main_arena == 0 ? -ENOEXEC : find_arenas(r, main_arena);
	size_t i;

	/* Its lists point to chunks, and nobody owns these by that. */
	if (error == 0)
		roots_exclude(r, main_arena, main_arena +
		    sizeof(struct glibc_arena));
	for (i = 0; error == 0 && i < r->vmas; i++)
		error = find_in_vma(r, h, &r->vma[i]);
	return error;
}
