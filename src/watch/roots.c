#include "watch/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/base.h"
#include "sys/proc.h"
#include "sys/sys.h"
#include "watch/glibc.h"

#define PAGE_BYTES  UINT64_C(4096)
#define VMAS_MOST   (UINT64_C(1) << 18)
#define ARENAS_MOST 16384
#define STACKS_MOST (2 * HOLD_THREADS_MOST)
#define PAGES       512 /* looked up at once */

/* Bits of an entry of /proc/PID/pagemap. */
#define PAGE_PRESENT (UINT64_C(1) << 63)
#define PAGE_SWAPPED (UINT64_C(1) << 62)
#define PAGE_OF_FILE (UINT64_C(1) << 61)

static uint64_t
word_at(uint64_t address)
{
	return *(const uint64_t *)(uintptr_t)address;
}

/* --- pages that were written ---------------------------------------------- */

static bool
read_pages(const struct roots *r, uint64_t page, size_t n)
{
	return r->pagemap >= 0 && sys_pread(r->pagemap, r->page,
	    n * sizeof(r->page[0]), page * sizeof(r->page[0])) ==
	    (ssize_t)(n * sizeof(r->page[0]));
}

static bool
was_written(uint64_t page)
{
	return (page & (PAGE_PRESENT | PAGE_SWAPPED)) != 0 &&
	    (page & PAGE_OF_FILE) == 0;
}

/*
 * A fork does not copy the tables of pages that are shared, so those in memory
 * are asked for; such memory that is swapped out is not looked at.
 */
static void
shared_written(const struct roots *r, uint64_t start, uint64_t end,
    void (*each)(void *each_context, uint64_t start, uint64_t end),
    void *each_context)
{
	uint8_t *there = (uint8_t *)r->page;
	uint64_t at, stop, i;

	for (at = round_down(start, PAGE_BYTES); at < end; at = stop) {
		stop = min_u64(round_up(end, PAGE_BYTES), at + PAGES *
		    PAGE_BYTES);
		if (sys_resident((const void *)(uintptr_t)at, stop - at,
		    there) < 0)
			return;
		for (i = 0; i < (stop - at) / PAGE_BYTES; i++)
			if (there[i] & 1)
				each(each_context, max_u64(start, at + i *
				    PAGE_BYTES), min_u64(end, at + (i + 1) *
				    PAGE_BYTES));
	}
}

void
roots_written(void *context, uint64_t start, uint64_t end,
    void (*each)(void *each_context, uint64_t start, uint64_t end),
    void *each_context)
{
	const struct roots *r = context;
	uint64_t at, stop, from;
	size_t i, n;

	if (r->shared) {
		shared_written(r, start, end, each, each_context);
		return;
	}
	for (at = start; at < end; at = stop) {
		uint64_t first = at / PAGE_BYTES;

		n = min_u64(PAGES, (end + PAGE_BYTES - 1) / PAGE_BYTES -
		    first);
		stop = min_u64(end, (first + n) * PAGE_BYTES);
		if (!read_pages(r, first, n)) {
			each(each_context, at, stop);
			continue;
		}
		for (i = 0; i < n; i++) {
			if (!was_written(r->page[i]))
				continue;
			from = i;
			while (i < n && was_written(r->page[i]))
				i++;
			each(each_context,
			    max_u64(at, (first + from) * PAGE_BYTES),
			    min_u64(stop, (first + i) * PAGE_BYTES));
		}
	}
}

/* --- the map -------------------------------------------------------------- */

static bool
begins(const char *name, const char *with)
{
	return strncmp(name, with, strlen(with)) == 0;
}

/* The pages of a device may be anything. */
static bool
is_device(const char *name)
{
	return begins(name, "/dev/") && !begins(name, "/dev/shm/") &&
	    !begins(name, "/dev/zero");
}

static enum vma_kind
kind_of(const struct roots *r, const struct vma *v, const char *mode,
    uint64_t inode, const char *name)
{
	const struct vma *before = r->vmas > 0 ? &r->vma[r->vmas - 1] : NULL;

	if (mode[0] != 'r' || is_device(name) || begins(name, "[v"))
		return VMA_NONE;
	if (mode[3] == 's')
		return mode[1] == 'w' ? VMA_SHARED : VMA_NONE;
	if (begins(name, "[heap]"))
		return VMA_BREAK;
	if (begins(name, "[stack]"))
		return VMA_STACK;
	if (inode != 0)
		return VMA_MODULE;
	/* A module's zeroed data goes on where its file ends. */
	if (name[0] == '\0' && before != NULL && before->end == v->start &&
	    before->kind == VMA_MODULE && before->writable &&
	    mode[1] == 'w')
		return VMA_MODULE;
	return VMA_ANONYMOUS;
}

static void
take_line(struct roots *r, const char *line)
{
	struct vma *v = &r->vma[r->vmas];
	const char *at = line;
	const char *mode;
	uint64_t inode = 0, skipped;

	*v = (struct vma){ .start = 0 };
	if (!proc_number(&at, 16, &v->start) || *at++ != '-' ||
	    !proc_number(&at, 16, &v->end) || *at++ != ' ')
		return;
	mode = at;
	at += 5;
	if (!proc_number(&at, 16, &skipped) ||
	    !proc_number(&at, 16, &skipped) || *at++ != ':' ||
	    !proc_number(&at, 16, &skipped) ||
	    !proc_number(&at, 10, &inode))
		return;
	while (*at == ' ')
		at++;
	v->writable = mode[1] == 'w';
	v->kind = (uint8_t)kind_of(r, v, mode, inode, at);
	r->vmas++;
}

int
roots_open(struct roots *r, struct workroom *room)
{
	struct proc_lines lines;
	char *line;
	int error;

	*r = (struct roots){ .room = room, .vmas_most = VMAS_MOST,
		.pagemap = -1 };
	r->vma = workroom_take_sparse(room, VMAS_MOST * sizeof(r->vma[0]));
	r->root = workroom_take_sparse(room, TRACE_ROOTS_MOST *
	    sizeof(r->root[0]));
	r->arena = workroom_take_sparse(room, ARENAS_MOST *
	    sizeof(r->arena[0]));
	r->of_thread = workroom_take_sparse(room, HOLD_THREADS_MOST *
	    sizeof(r->of_thread[0]));
	r->stack = workroom_take_sparse(room, STACKS_MOST *
	    sizeof(r->stack[0]));
	r->page = workroom_take(room, PAGES * sizeof(r->page[0]));
	if (r->vma == NULL || r->root == NULL || r->arena == NULL ||
	    r->of_thread == NULL || r->stack == NULL || r->page == NULL)
		return -ENOMEM;
	error = proc_lines_open(&lines, "/proc/self/maps");
	if (error < 0)
		return error;
	while (r->vmas < r->vmas_most &&
	    (line = proc_lines_next(&lines)) != NULL)
		take_line(r, line);
	error = proc_lines_close(&lines);
	r->pagemap = sys_open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC, 0);
	return error;
}

void
roots_exclude(struct roots *r, uint64_t start, uint64_t end)
{
	if (r->owns < ROOTS_OWN_MOST && start < end)
		r->own[r->owns++] = (struct heap_range){ start, end };
}

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
	size_t low = 0, high = r->vmas;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->vma[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low > 0 && address < r->vma[low - 1].end ? &r->vma[low - 1] :
	    NULL;
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
		if (r->arenas == ARENAS_MOST || !is_readable(r, a,
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
	uint64_t front = word_at(chunk), head = word_at(chunk + 8);
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

/* What is ours within [at, end): where it starts; @past is its end. */
static uint64_t
next_own(const struct roots *r, uint64_t at, uint64_t end, uint64_t *past)
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

/* Between what is ours and what are heaps, there may be blocks. */
static int
hunt_range(struct roots *r, struct heap *h, uint64_t start, uint64_t end)
{
	uint64_t at = start, own, past;
	struct hunt hunt = { .r = r, .h = h };

	while (at < end && hunt.error == 0) {
		own = next_own(r, at, end, &past);
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

/* --- roots ---------------------------------------------------------------- */

static uint32_t
make_root(struct roots *r, enum reach_through kind, uint64_t what)
{
	/* Those that there is no number for are one. */
	if (r->roots + 1 < TRACE_ROOTS_MOST)
		r->roots++;
	r->root[r->roots] = (struct root){ kind, what };
	return r->roots;
}

static uint32_t
root_of(struct roots *r, size_t i)
{
	struct vma *v = &r->vma[i];

	if (v->root != 0)
		return v->root;
	if (v->kind == VMA_MODULE && i > 0 && v[-1].kind == VMA_MODULE &&
	    v[-1].end == v->start && v[-1].root != 0)
		v->root = v[-1].root;
	else
		v->root = make_root(r, v->kind == VMA_MODULE ?
		    THROUGH_MODULE : THROUGH_MAPPING, v->start);
	return v->root;
}

/* The first extent that ends behind @at. */
static size_t
extent_after(const struct heap *h, uint64_t at)
{
	size_t low = 0, high = h->extents;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (h->extent[middle].end <= at)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Call @each for what was written of [at, end), neither ours nor heap. */
static void
each_rest(struct roots *r, const struct heap *h, uint64_t at, uint64_t end,
    void (*each)(void *context, uint64_t start, uint64_t end), void *context)
{
	while (at < end) {
		size_t i = extent_after(h, at);
		uint64_t past, own = next_own(r, at, end, &past);

		if (i < h->extents && h->extent[i].head < own) {
			own = max_u64(at, h->extent[i].head);
			past = h->extent[i].end;
		}
		if (at < own)
			roots_written(r, at, own, each, context);
		at = past;
	}
}

struct marking {
	struct trace *m;
	uint32_t root;
	bool words;
};

static void
mark_part(void *context, uint64_t start, uint64_t end)
{
	const struct marking *k = context;

	trace_range(k->m, k->root, start, end, k->words);
}

static void
mark_rest(struct roots *r, struct trace *m, const struct heap *h,
    uint32_t root, uint64_t at, uint64_t end, bool words)
{
	struct marking k = { m, root, words };

	each_rest(r, h, at, end, mark_part, &k);
}

/* --- stacks --------------------------------------------------------------- */

/*
 * A thread's control block lies on top of its stack, and says where that is,
 * somewhere in its words: start, bytes, bytes of guard.
 */
#define CONTROL_BYTES 4096

static bool
is_stack_of(uint64_t control, uint64_t start, uint64_t bytes)
{
	return start != 0 && start % PAGE_BYTES == 0 && bytes != 0 &&
	    bytes % PAGE_BYTES == 0 && start < control &&
	    start + bytes > control && start + bytes - control < 64 * KIB;
}

static void
take_control(struct roots *r, const struct vma *v, uint64_t control)
{
	uint64_t at;

	for (at = control + 512; at < control + CONTROL_BYTES - 16 &&
	    at + 16 <= v->end; at += 8) {
		uint64_t start = word_at(at), bytes = word_at(at + 8);

		if (!is_stack_of(control, start, bytes))
			continue;
		if (r->stacks < STACKS_MOST)
			r->stack[r->stacks++] = (struct stack_range){
				max_u64(start, v->start),
				min_u64(start + bytes, v->end), control };
		return;
	}
}

struct control_search {
	struct roots *r;
	const struct vma *v;
};

static void
search_controls(void *context, uint64_t start, uint64_t end)
{
	const struct control_search *s = context;
	uint64_t at;

	for (at = round_up(start, 64); at + 24 <= end; at += 64)
		if (word_at(at) == at && word_at(at + 16) == at &&
		    at + 1024 <= s->v->end)
			take_control(s->r, s->v, at);
}

/* In order of address, as all that follows expects. */
static void
find_stacks(struct roots *r, const struct heap *h)
{
	size_t i;

	for (i = 0; ARCH_TCB_SELF && i < r->vmas; i++) {
		struct control_search s = { r, &r->vma[i] };

		if (s.v->kind == VMA_ANONYMOUS && s.v->writable)
			each_rest(r, h, s.v->start, s.v->end,
			    search_controls, &s);
	}
}

static const struct hold_thread *
thread_of(const struct hold *hold, int32_t tid)
{
	uint32_t i;

	for (i = 0; i < hold->count; i++)
		if (hold->thread[i].tid == tid)
			return &hold->thread[i];
	return NULL;
}

/* What a thread that was still may have saved below its stack pointer. */
#define STILL_BYTES 4096

static uint64_t
low_of(const struct hold_thread *t, bool ready)
{
	switch (atomic_load(&t->state)) {
	case HOLD_STILL:
		return ready && t->sp != 0 ? t->sp - STILL_BYTES : 0;
	case HOLD_SELF:
	case HOLD_HELD:
		return t->sp;
	default:
		return 0;
	}
}

/* Where in [start, end) its stack is in use from; @start: it may be all. */
static uint64_t
used_from(uint64_t start, uint64_t end, const struct hold *hold,
    const struct hold_thread *t)
{
	uint64_t low = t != NULL ? low_of(t, atomic_load(&hold->ready) != 0) :
	    0;

	return low > start && low < end ? low : start;
}

static void
mark_registers(struct trace *m, uint32_t root, const struct hold_thread *t)
{
	size_t i;

	if (atomic_load(&t->state) == HOLD_HELD)
		for (i = 0; i < ARRAY_LENGTH(t->word); i++)
			trace_value(m, root, t->word[i]);
	/* Stacks may be blocks. */
	trace_value(m, root, t->sp);
}

static uint32_t
root_of_thread(struct roots *r, const struct hold *hold,
    const struct hold_thread *t)
{
	uint32_t *root = &r->of_thread[t - hold->thread];

	if (*root == 0)
		*root = make_root(r, THROUGH_STACK, (uint64_t)t->tid);
	return *root;
}

/*
 * What points to its table of thread-local data leaves out the first entry; it
 * is kept with the stack.
 */
static void
mark_table(struct trace *m, uint32_t root, const struct stack_range *s)
{
	trace_value(m, root, word_at(s->control + 8) - 16);
}

/*
 * Of a thread that has ended (0) glibc keeps the stack, and what the thread has
 * returned until somebody asks (below 0).
 */
static void
mark_unowned(struct roots *r, struct trace *m, const struct heap *h,
    const struct hold *hold, const struct stack_range *s, int32_t tid)
{
	uint64_t from = hold->tid_at == 0 || tid > 0 ? s->start :
	    tid == 0 ? s->control : s->end;

	uint32_t root = make_root(r, THROUGH_MAPPING, s->start);

	mark_table(m, root, s);
	mark_rest(r, m, h, root, from, s->end, false);
}

static void
mark_stack(struct roots *r, struct trace *m, const struct heap *h,
    const struct hold *hold, const struct stack_range *s)
{
	int32_t tid = *(const int32_t *)(uintptr_t)(s->control +
	    hold->tid_at);
	const struct hold_thread *t = hold->tid_at != 0 && tid > 0 ?
	    thread_of(hold, tid) : NULL;
	uint32_t root;

	if (t == NULL) {
		mark_unowned(r, m, h, hold, s, tid);
		return;
	}
	root = root_of_thread(r, hold, t);
	mark_table(m, root, s);
	mark_rest(r, m, h, root, used_from(s->start, s->end, hold, t), s->end,
	    false);
}

static void
mark_threads(struct roots *r, struct trace *m, const struct hold *hold)
{
	uint32_t i;

	for (i = 0; i < hold->count; i++)
		mark_registers(m, root_of_thread(r, hold, &hold->thread[i]),
		    &hold->thread[i]);
}

/* The first thread's tid is the pid of the process. */
static void
mark_first_stack(struct roots *r, struct trace *m, const struct heap *h,
    const struct hold *hold, const struct vma *v, int pid)
{
	const struct hold_thread *t = thread_of(hold, pid);

	mark_rest(r, m, h, t != NULL ? root_of_thread(r, hold, t) :
	    make_root(r, THROUGH_MAPPING, v->start),
	    used_from(v->start, v->end, hold, t), v->end, false);
}

/* What of a range is not a stack. */
static void
mark_vma(struct roots *r, struct trace *m, const struct heap *h, size_t i)
{
	const struct vma *v = &r->vma[i];
	uint64_t at = v->start;
	size_t k;

	if (v->kind == VMA_NONE || v->kind == VMA_STACK)
		return;
	r->shared = v->kind == VMA_SHARED;
	for (k = 0; k < r->stacks; k++) {
		const struct stack_range *s = &r->stack[k];

		if (s->end <= at || s->start >= v->end)
			continue;
		mark_rest(r, m, h, root_of(r, i), at, s->start, false);
		at = s->end;
	}
	mark_rest(r, m, h, root_of(r, i), at, v->end, v->kind == VMA_MODULE);
	r->shared = false;
}

/* One by one, and each followed at once: what it holds is in the cache. */
void
roots_mark(struct roots *r, struct trace *m, const struct heap *h,
    const struct hold *hold)
{
	size_t i;

	for (i = 0; i < h->unknowns; i++)
		trace_range(m, make_root(r, THROUGH_MAPPING,
		    h->unknown[i].start), h->unknown[i].start,
		    h->unknown[i].end, false);
	find_stacks(r, h);
	for (i = 0; i < r->vmas && trace_follow(m); i++)
		mark_vma(r, m, h, i);
	if (!trace_follow(m))
		return;
	m->weak = TRACE_LABEL_ROOT + r->roots + 1;
	mark_threads(r, m, hold);
	for (i = 0; i < r->vmas; i++)
		if (r->vma[i].kind == VMA_STACK)
			mark_first_stack(r, m, h, hold, &r->vma[i],
			    sys_parent_pid());
	for (i = 0; i < r->stacks && trace_follow(m); i++)
		mark_stack(r, m, h, hold, &r->stack[i]);
	(void)trace_follow(m);
}
