#include "watch/roots.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/base.h"
#include "sys/proc.h"
#include "sys/sys.h"

#define PAGE_BYTES  UINT64_C(4096)
#define VMAS_MOST   (UINT64_C(1) << 18)
#define STACKS_MOST (2 * HOLD_THREADS_MOST)

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
	r->arena = workroom_take_sparse(room, ROOTS_ARENAS_MOST *
	    sizeof(r->arena[0]));
	r->of_thread = workroom_take_sparse(room, HOLD_THREADS_MOST *
	    sizeof(r->of_thread[0]));
	r->stack = workroom_take_sparse(room, STACKS_MOST *
	    sizeof(r->stack[0]));
	r->page = workroom_take(room, ROOTS_PAGES * sizeof(r->page[0]));
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
	return rows_upto(h->extent, sizeof(*h->extent),
	    offsetof(struct heap_extent, end), h->extents, at);
}

/* Call @each for what was written of [at, end), neither ours nor heap. */
static void
each_rest(struct roots *r, const struct heap *h, uint64_t at, uint64_t end,
    void (*each)(void *context, uint64_t start, uint64_t end), void *context)
{
	while (at < end) {
		size_t i = extent_after(h, at);
		uint64_t past, own = roots_next_own(r, at, end, &past);

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
		uint64_t start = roots_word_at(at);
		uint64_t bytes = roots_word_at(at + 8);

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
		if (roots_word_at(at) == at && roots_word_at(at + 16) == at &&
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
	trace_value(m, root, roots_word_at(s->control + 8) - 16);
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
