#include "stack/unwind.h"

#include <dlfcn.h>
#include <errno.h>

#include "base/base.h"
#include "stack/rules.h"
#include "sys/arch.h"
#include "sys/sys.h"

#define PAGE_BYTES UINT64_C(4096)
#define ADDRESS_BITS 47

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

static inline bool
is_own(struct stack *stack, uint64_t sp)
{
	return LIKELY(sp >= stack->low && sp < stack->top) ||
	    grows_to(stack, round_down(sp, PAGE_BYTES));
}

/* What is known to be readable during one walk. */
struct reach {
	uint64_t low;
	uint64_t high;
};

static COLD bool
reaches(struct reach *reach, uint64_t address)
{
	uint64_t page = round_down(address, PAGE_BYTES);

	if (!sys_is_readable((const void *)(uintptr_t)address))
		return false;
	if (page == reach->high) {
		reach->high += PAGE_BYTES;
	} else {
		reach->low = page;
		reach->high = page + PAGE_BYTES;
	}
	return true;
}

static inline bool
is_known(struct reach *reach, uint64_t address)
{
	return LIKELY(address >= reach->low && address < reach->high) ||
	    reaches(reach, address);
}

/* --- what a walk depends on ----------------------------------------------- */

/* In memo.h is why. */
struct walk {
	struct reach reach;
	uint64_t first; /* the first frame's stack pointer */
	struct memo_trace *trace;
};

static inline void
note(struct memo_trace *t, struct memo_word word)
{
	if (t->word == NULL)
		return;
	if (LIKELY(t->count < MEMO_TRACE))
		t->word[t->count++] = word;
	else
		t->whole = false;
}

/* A frame pointer counts from when a rule uses it: most hold anything. */
static inline void
note_fp(struct memo_trace *t)
{
	t->uses_fp |= t->fp_first;
	if (t->fp_pending)
		note(t, t->fp);
	t->fp_pending = false;
}

static inline void
note_no_fp(struct memo_trace *t)
{
	t->fp_first = t->fp_pending = false;
}

/* --- by our own rules ----------------------------------------------------- */

static bool
read_word(struct walk *w, uint64_t address, uint64_t *word)
{
	if (UNLIKELY(address % 8 != 0 || !is_known(&w->reach, address)))
		return false;
	*word = *(const uint64_t *)(uintptr_t)address;
	return true;
}

static bool
read_noted(struct walk *w, uint64_t address, uint64_t *word)
{
	if (!read_word(w, address, word))
		return false;
	note(w->trace, (struct memo_word){ address - w->first, *word });
	return true;
}

static bool
read_fp(struct walk *w, uint64_t address, uint64_t *fp)
{
	if (!read_word(w, address, fp))
		return false;
	w->trace->fp_first = false;
	w->trace->fp_pending = true;
	w->trace->fp = (struct memo_word){ address - w->first, *fp };
	return true;
}

static bool
find_cfa(const struct rule *rule, const struct arch_frame *f, struct walk *w,
    uint64_t *cfa)
{
	if (LIKELY(rule->cfa == CFA_SP)) {
		*cfa = f->sp + rule->cfa_offset;
		return true;
	}
	note_fp(w->trace);
	if (rule->cfa == CFA_FP) {
		*cfa = f->fp + rule->cfa_offset;
		return true;
	}
	return read_noted(w, f->fp - rule->cfa_offset, cfa);
}

/* From a frame to its caller's; false: the stack is not what it should be. */
static bool
step(const struct rule *rule, struct arch_frame *f, struct walk *w)
{
	uint64_t cfa;
	bool good;

	/* A stack rises towards its root; a chain that does not has no end. */
	if (!find_cfa(rule, f, w, &cfa) || cfa <= f->sp ||
	    !read_noted(w, cfa - rule->ra_offset, &f->pc))
		return false;
	good = true;
	if (rule->fp == FP_AT_CFA) {
		good = read_fp(w, cfa - rule->fp_offset, &f->fp);
	} else if (rule->fp == FP_AT_FP) {
		note_fp(w->trace);
		good = read_fp(w, f->fp + rule->fp_offset, &f->fp);
	} else if (rule->fp == FP_LOST) {
		note_no_fp(w->trace);
		f->fp = 0;
	}
	f->sp = cfa;
	return good;
}

/* From a signal's trampoline to what the signal interrupted. */
static bool
step_signal(struct arch_frame *f, struct reach *reach)
{
	uint64_t context = f->sp + ARCH_UCONTEXT;

	if (!is_known(reach, context) ||
	    !is_known(reach, context + sizeof(ucontext_t) - 8))
		return false;
	*f = arch_interrupted((const ucontext_t *)(uintptr_t)context);
	return true;
}

/*
 * No place for code, be it generated: what a stack made by hand has at its
 * root, which may be anything, and each time something else.
 */
static bool
is_nonsense(uint64_t pc)
{
	return pc < PAGE_BYTES || pc >> ADDRESS_BITS != 0;
}

/*
 * A trace is all there is if the walk came to a root, and read nothing but the
 * thread's own stack, between its own frame and the top.
 */
static size_t
walk(struct walk *w, struct arch_frame f, uint64_t *buffer, size_t room,
    int *cut)
{
	uint64_t place = f.pc - 1;
	size_t n = 0;

	*cut = 1;
	/* An address of 0 or 1: a stack that was made by hand ends so. */
	while (f.pc > 1) {
		struct rule rule;

		if (UNLIKELY(n == room))
			return n;
		buffer[n++] = f.pc;
		if (UNLIKELY(rules_find(place, &rule) < 0))
			return n - (n > 1 && is_nonsense(f.pc));
		if (UNLIKELY(rule.cfa == CFA_NONE))
			break;
		if (LIKELY(rule.cfa != CFA_SIGNAL)) {
			if (!step(&rule, &f, w))
				return n;
			place = f.pc - 1;
		} else {
			w->trace->whole = false;
			if (!step_signal(&f, &w->reach))
				return n;
			place = f.pc++;
		}
	}
	*cut = 0;
	return n;
}

size_t
unwind_stack(const struct arch_frame *from, struct stack *stack,
    uint64_t *buffer, size_t room, int *cut, struct memo_trace *trace)
{
	struct walk w = { { 0, 0 }, from->sp, trace };
	struct reach own = { from->sp, stack->top };
	size_t n;

	trace->count = 0;
	trace->uses_fp = trace->fp_pending = false;
	trace->fp_first = true;
	/* Not from stack->low on: what is below may have gone meanwhile. */
	trace->whole = is_own(stack, from->sp);
	if (trace->whole)
		w.reach = own;
	n = walk(&w, *from, buffer, room, cut);
	trace->whole &= *cut == 0 && w.reach.low == own.low &&
	    w.reach.high == own.high;
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
