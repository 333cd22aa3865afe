#include "stack/unwind.h"

#include <dlfcn.h>
#include <errno.h>

#include "base/base.h"
#include "stack/walk.h"
#include "sys/sys.h"

#define PAGE_BYTES UINT64_C(4096)

/* --- what may be read ----------------------------------------------------- */

void
unwind_set_top(struct stack *stack, uint64_t top, uint64_t sure_bytes)
{
	stack->top = round_down(top, 8);
	stack->low = round_down(stack->top - 8, PAGE_BYTES);
	stack->foreign = 0;
	stack->sure = above_u64(stack->top, sure_bytes);
}

/*
 * The same as grows_to() where the kernel may not be asked.  Below a stack is
 * a page that cannot be read, so a stack pointer one page below what can be is
 * on the same stack.
 */
static bool
grows_surely(struct stack *stack, uint64_t page)
{
	if (page + PAGE_BYTES != stack->low && page < stack->sure)
		return false;
	stack->low = page;
	return true;
}

/*
 * Is this stack pointer on the thread's own stack?  The stack reaches as far
 * down as pages can be read without a gap: below a thread's stack is a page
 * that cannot.  Asked once for each page that the stack has grown by.
 */
static COLD bool
grows_to(struct stack *stack, uint64_t page)
{
	uint64_t low = stack->low;

	if (page >= low || stack->top - page > UNWIND_STACK_MOST)
		return false;
	if (sys_is_confined())
		return grows_surely(stack, page);
	if (page == stack->foreign)
		return false;
	while (low > page) {
		low -= PAGE_BYTES;
		if (!sys_is_readable((const void *)(uintptr_t)low)) {
			stack->foreign = page;
			return false;
		}
	}
	stack->low = low;
	return true;
}

bool
unwind_is_own(struct stack *stack, uint64_t sp)
{
	return LIKELY(sp >= stack->low && sp < stack->top) ||
	    grows_to(stack, round_down(sp, PAGE_BYTES));
}

COLD bool
walk_reaches(struct walk *w, uint64_t address)
{
	uint64_t page = round_down(address, PAGE_BYTES);

	if (!sys_is_readable((const void *)(uintptr_t)address))
		return false;
	if (page == w->high) {
		w->high += PAGE_BYTES;
	} else {
		w->low = page;
		w->high = page + PAGE_BYTES;
	}
	return true;
}

/* --- all frames ----------------------------------------------------------- */

static size_t
walk_all(struct walk *w, uint64_t *buffer, size_t room, int *cut)
{
	enum walk_end end;
	size_t n = 0;

	*cut = 1;
	do {
		if (UNLIKELY(n == room) && w->f.pc > 1) {
			w->trace->flags |= MEMO_CUT;
			return n;
		}
		if (LIKELY(w->f.pc > 1))
			buffer[n++] = w->f.pc;
		end = walk_step(w);
	} while (LIKELY(end == WALK_ON));
	if (LIKELY(end == WALK_ROOT)) {
		*cut = 0;
	} else if (end == WALK_NO_RULE) {
		w->trace->flags |= MEMO_NO_RULE;
		if (n > 1 && walk_is_nonsense(w->f.pc)) {
			w->trace->whole = false;
			n--;
		}
	} else {
		w->trace->whole = false;
	}
	return n;
}

/*
 * A trace is all there is if the walk read nothing but the thread's own stack,
 * between its own frame and the top.
 */
size_t
unwind_stack(const struct arch_frame *from, struct stack *stack,
    uint64_t *buffer, size_t room, int *cut, struct memo_trace *trace)
{
	struct walk w = { .low = 0, .high = 0 };
	size_t n;

	walk_begin(&w, from, trace);
	/* Not from stack->low on: what is below may have gone meanwhile. */
	trace->whole = unwind_is_own(stack, from->sp);
	if (trace->whole) {
		w.low = from->sp;
		w.high = stack->top;
	}
	n = walk_all(&w, buffer, room, cut);
	trace->whole &= w.low == from->sp && w.high == stack->top;
	return n;
}

/* --- the reference -------------------------------------------------------- */

/*
 * unw_backtrace(): its cached, locally compiled walk takes 6 ns a frame where
 * stepping with a cursor takes 275.  The soname is libunwind's ABI.
 */
#define REFERENCE "libunwind.so.8"

static struct {
	int (*backtrace)(void **buffer, int size);
} reference;

int
unwind_reference_open(void)
{
	void *library = dlopen(REFERENCE, RTLD_NOW | RTLD_LOCAL);

	if (library == NULL)
		return -ENOENT;
	/* ISO C has no cast from an object pointer to a function pointer. */
	*(void **)&reference.backtrace = dlsym(library, "unw_backtrace");
	return reference.backtrace == NULL ? -ENOENT : 0;
}

size_t
unwind_reference(uint64_t from, uint64_t *buffer, size_t room, size_t *first,
    int *cut)
{
	size_t depth;
	int n;

	n = reference.backtrace((void **)buffer, (int)(room + UNWIND_OWN));
	for (*first = 0; (int)*first < n && *first < UNWIND_OWN; (*first)++)
		if (buffer[*first] == from)
			break;
	if ((int)*first >= n || *first == UNWIND_OWN)
		return 0;
	depth = (size_t)n - *first;
	*cut = depth > room || n == (int)(room + UNWIND_OWN);
	return min_u64(depth, room);
}
