/*
 * unwind.h - the return addresses of the calling thread
 *
 * Floor 5 (stack).  May use: base, sys.  Used by: door.
 * Contexts: unwind_stack() inside malloc and in signal handlers: no lock, no
 * allocation, and no fault on a stack that is not what it should be; what is
 * read is known to be readable.
 */
#ifndef STACK_UNWIND_H
#define STACK_UNWIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "stack/memo.h"
#include "sys/arch.h"

/*
 * A thread's own stack.  What lies between its stack pointer and the top
 * cannot go away while it runs on it, so readable pages stay readable.  Of
 * any other stack (a fiber's, a signal's) nothing is remembered.
 */
struct stack {
	uint64_t top;     /* 0: not known, and every page is asked for */
	uint64_t low;     /* [low, top) is readable, without a gap */
	uint64_t foreign; /* page of the last stack pointer elsewhere */
	uint64_t sure;    /* [sure, top) is nothing but this stack */
};

/*
 * @top: an address above all frames, such as the thread's control block.
 * @sure_bytes: so much below it is surely the stack or, where it grows by
 * itself, will be; that counts once the kernel may not be asked any more.
 */
#define UNWIND_STACK_MOST  (UINT64_C(64) << 20)
#define UNWIND_STACK_LEAST (UINT64_C(12) << 10) /* PTHREAD_STACK_MIN less data */
void unwind_set_top(struct stack *stack, uint64_t top, uint64_t sure_bytes);

/* Is this stack pointer on it?  May ask the kernel, once a page. */
bool unwind_is_own(struct stack *stack, uint64_t sp);

/*
 * Write the return addresses from @from outwards, leaf first.  @from is what
 * called the allocation function, and the first, so that no frame of ours
 * shows.  Where a signal came in between, the address is one behind the
 * instruction that it interrupted, as that of a call would be.
 *
 * @stack: the calling thread's own
 * @buffer: @room addresses
 * @cut: set to 1 if there are more, or no rule is known for a frame (generated
 *       code, and the rare function that has none)
 * @trace: gets what the walk depends on; see memo_begin(), or all zeros
 *
 * Return: how many.
 */
size_t unwind_stack(const struct arch_frame *from, struct stack *stack,
    uint64_t *buffer, size_t room, int *cut, struct memo_trace *trace);

/*
 * The same by libunwind, the judge of the above.  It is for tests only: it
 * takes locks that a forked child may find held for ever, and keeps a pipe by
 * its numbers, which may be the program's own descriptors by then.
 *
 * It is opened privately: linked in plainly, its _Unwind_* names would come
 * before libgcc's in the whole program, and every C++ throw would cost twenty
 * times as much.  unwind_reference_open() at boot only; 0, or -ENOENT: it is
 * not installed.
 *
 * @from: the return address of the allocation function
 * @buffer: UNWIND_OWN addresses more than @room, for our own frames; the
 *          answer starts at @buffer[*first]
 *
 * Return: how many; 0: it went astray.
 */
#define UNWIND_OWN 8
int unwind_reference_open(void);
size_t unwind_reference(uint64_t from, uint64_t *buffer, size_t room,
    size_t *first, int *cut);

#endif
