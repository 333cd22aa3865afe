/*
 * intern.h - a stack's number: equal stacks have one, different ones do not
 *
 * Floor 5 (stack).  May use: base, sys, mem.  Used by: door.
 * Contexts: inside malloc, in signal handlers, in a child just forked: no
 * lock, no waiting, bounded by the stack's depth.
 *
 * Stacks are paths in the segment's tree of (parent, return address), found
 * through chains by hash in private memory.
 */
#ifndef STACK_INTERN_H
#define STACK_INTERN_H

#include <stddef.h>
#include <stdint.h>

/*
 * The node of a stack, @pcs leaf first.  0: a table was full, and nothing is
 * known of this stack.  INTERN_LATER: another library lies where one was, and
 * the old nodes are just being forgotten, by another thread or further out in
 * this one.
 */
#define INTERN_LATER UINT32_MAX
uint32_t intern_stack(const uint64_t *pcs, size_t depth);

/*
 * Another number once nodes are forgotten or may have to be: a node is the
 * stack's as long as the number stays.
 */
uint32_t intern_generation(void);

/*
 * dlclose() was called, and has returned.  Not inside malloc: it takes some
 * 10 us.  The caller holds off whoever would close another one meanwhile.
 */
void intern_closed(void);

/* Forget the parent's nodes: a child, just forked. */
void intern_reset(void);

#endif
