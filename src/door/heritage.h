/*
 * heritage.h - what a child must know of its parent at the very moment of the
 * fork: what it holds without having allocated it
 *
 * Floor 8 (door).  May use: base, mem, heap.  Used by: boot.
 * Contexts: the handlers of a fork; heritage_fill() inside malloc.
 */
#ifndef DOOR_HERITAGE_H
#define DOOR_HERITAGE_H

#include <stdbool.h>

/* A fork is near.  @counts: there is a segment, and it is this process'. */
void heritage_take(bool counts);

/* Into a segment that nobody else knows yet. */
void heritage_fill(void);

#endif
