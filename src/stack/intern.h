/*
 * intern.h - a stack's number: equal stacks have one, different ones do not
 *
 * Floor 5 (stack).  May use: base, sys, mem, memo.  Used by: door.
 * Contexts: inside malloc, in signal handlers, in a child just forked: no
 * lock, no waiting, bounded by the stack's depth.
 *
 * Stacks are paths in the segment's tree of (parent, return address), found
 * from parent to child through links in private memory.
 */
#ifndef STACK_INTERN_H
#define STACK_INTERN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "stack/memo.h"

/*
 * The node of a stack: @pcs, leaf first, above the frames of node @base, or of
 * the whole stack if that is 0.  0: a table was full, and nothing is known of
 * this stack.  INTERN_LATER: another library lies where one was, and the old
 * nodes are just being forgotten, by another thread or further out in this one.
 *
 * @memo: the calling thread's, which knows some nodes from before; or NULL
 */
#define INTERN_LATER UINT32_MAX
uint32_t intern_stack(struct memo *memo, uint32_t base, const uint64_t *pcs,
    size_t depth);

/*
 * After INTERN_LATER: lets the thread that forgets go on with it; @since is 0
 * before the first time.  False: it is no use, since that is the calling thread
 * itself, further out, or one that was stopped in the middle of it.
 */
bool intern_give_way(uint64_t *since);

/* Of a stack's node that of its outer frames, @frames left out. */
uint32_t intern_outer(uint32_t node, uint32_t frames);

/*
 * Another number once nodes are forgotten or may have to be: a node is the
 * stack's as long as the number stays.
 */
extern _Atomic uint32_t intern_generation_now INSIDE;

static inline uint32_t
intern_generation(void)
{
	return atomic_load_explicit(&intern_generation_now,
	    memory_order_acquire);
}

/*
 * dlclose() was called, and has returned.  Not inside malloc: it takes some
 * 10 us.  The caller holds off whoever would close another one meanwhile.
 */
void intern_closed(void);

/* Forget the parent's nodes: a child, just forked. */
void intern_reset(void);

#endif
