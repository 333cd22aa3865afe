/*
 * retrace.h - of a stack that was walked before but for some frames, those
 *
 * Floor 5 (stack).  May use: base, sys, memo, rules, walk, unwind.  Used by:
 * door.
 * Contexts: inside malloc and in signal handlers, as unwind.h.
 *
 * Most stacks that are not remembered are nearly one that is: another place
 * called the same function, or another leaf hangs on the same branch.  So the
 * walk goes by the remembered words, comparing, as long as they are there;
 * where one is not, it steps by rules from that frame on, until it comes to a
 * place that is remembered with the same address in it, and goes on comparing.
 * The argument in memo.h holds all along: a frame is known by its instruction,
 * its stack pointer and, where a rule uses it, its frame pointer, and from a
 * known frame on the same words lead the same way.
 */
#ifndef STACK_RETRACE_H
#define STACK_RETRACE_H

#include <stdbool.h>
#include <stdint.h>

#include "stack/memo.h"
#include "stack/unwind.h"

/*
 * The frames of a stack, leaf first: @fresh of them are in the buffer, and
 * behind those come @known, which are the outermost of the remembered stack.
 */
struct retraced {
	uint32_t fresh;
	uint32_t known;
	int cut; /* as in unwind_stack() */
};

/*
 * Walk from @from by what is remembered in @kin.
 *
 * @stack: the calling thread's own
 * @buffer: @room addresses
 * @trace: gets what the walk depends on; see memo_begin()
 *
 * False: it cannot be said in this way, so walk by unwind_stack().
 *
 * Some 5 ns, a third of a nanosecond for each word that is as it was, and 10 ns
 * for each frame that is not.
 */
bool retrace(const struct memo_entry *kin, const struct arch_frame *from,
    struct stack *stack, uint64_t *buffer, uint32_t room,
    struct memo_trace *trace, struct retraced *result);

#endif
