#include "stack/unwind.h"

#include <dlfcn.h>
#include <errno.h>

#include "base/base.h"
#include "stack/rules.h"
#include "sys/arch.h"
#include "sys/sys.h"

#define PAGE_BYTES UINT64_C(4096)

/* --- by our own rules ----------------------------------------------------- */

/*
 * May the word at @address be read?  A thread's stack is asked about page by
 * page once, and then remembered as one extent; on another stack (a fiber's,
 * a signal's) the extent starts anew.
 */
static bool
is_known(struct extent *known, uint64_t address)
{
	uint64_t page = round_down(address, PAGE_BYTES);

	if (LIKELY(address - known->low < known->high - known->low))
		return true;
	if (address % 8 != 0 || !sys_is_readable((void *)(uintptr_t)address))
		return false;
	if (page == known->high) {
		known->high += PAGE_BYTES;
	} else if (page + PAGE_BYTES == known->low) {
		known->low = page;
	} else {
		known->low = page;
		known->high = page + PAGE_BYTES;
	}
	return true;
}

static bool
read_word(struct extent *known, uint64_t address, uint64_t *word)
{
	if (UNLIKELY(address % 8 != 0 || !is_known(known, address)))
		return false;
	*word = *(const uint64_t *)(uintptr_t)address;
	return true;
}

static bool
find_cfa(const struct rule *rule, const struct arch_frame *f,
    struct extent *known, uint64_t *cfa)
{
	switch (rule->cfa) {
	case CFA_SP:
		*cfa = f->sp + rule->cfa_offset;
		return true;
	case CFA_FP:
		*cfa = f->fp + rule->cfa_offset;
		return true;
	default:
		return read_word(known, f->fp - rule->cfa_offset, cfa);
	}
}

/* From a frame to its caller's; false: the stack is not what it should be. */
static bool
step(const struct rule *rule, struct arch_frame *f, struct extent *known)
{
	uint64_t cfa;
	bool good;

	/* A stack rises towards its root; a chain that does not has no end. */
	if (!find_cfa(rule, f, known, &cfa) || cfa <= f->sp ||
	    !read_word(known, cfa - rule->ra_offset, &f->pc))
		return false;
	good = true;
	if (rule->fp == FP_AT_CFA)
		good = read_word(known, cfa - rule->fp_offset, &f->fp);
	else if (rule->fp == FP_AT_FP)
		good = read_word(known, f->fp + rule->fp_offset, &f->fp);
	else if (rule->fp == FP_LOST)
		f->fp = 0;
	f->sp = cfa;
	return good;
}

/* From a signal's trampoline to what the signal interrupted. */
static bool
step_signal(struct arch_frame *f, struct extent *known)
{
	uint64_t context = f->sp + ARCH_UCONTEXT;

	if (!is_known(known, context) ||
	    !is_known(known, context + sizeof(ucontext_t) - 8))
		return false;
	*f = arch_interrupted((const ucontext_t *)(uintptr_t)context);
	return true;
}

size_t
unwind_stack(const struct arch_frame *from, struct extent *known,
    uint64_t *buffer, size_t room, int *cut)
{
	struct arch_frame f = *from;
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
			return n;
		if (UNLIKELY(rule.cfa == CFA_NONE))
			break;
		if (LIKELY(rule.cfa != CFA_SIGNAL)) {
			if (!step(&rule, &f, known))
				return n;
			place = f.pc - 1;
		} else {
			if (!step_signal(&f, known))
				return n;
			place = f.pc++;
		}
	}
	*cut = 0;
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
