/*
 * unwind.h - the return addresses of the calling thread
 *
 * Floor 5 (stack).  May use: base, sys.  Used by: door.
 * Contexts: unwind_open() at boot only.  unwind_stack() inside malloc and in
 * signal handlers, but not nested in itself in one thread.
 *
 * The walker is libunwind's, opened privately: linked in plainly, its
 * _Unwind_* names would come before libgcc's in the whole program, and every
 * C++ throw would cost twenty times as much.
 */
#ifndef STACK_UNWIND_H
#define STACK_UNWIND_H

#include <stddef.h>
#include <stdint.h>

/* Open the walker.  0, or -ENOENT: it is not installed. */
int unwind_open(void);

/* Make whatever the walker makes once a thread; it may allocate. */
void unwind_warm(void);

/*
 * Write the return addresses from the caller @from outwards, leaf first, into
 * @buffer.  @from is the return address of the allocation function: the first
 * that counts, so that no frame of ours shows.  @buffer has room for
 * UNWIND_OWN more than @room.
 *
 * Return: how many, from @buffer[*first] on; @cut is set if there were more
 * than @room, or the walk went astray.
 */
#define UNWIND_OWN 8
size_t unwind_stack(uint64_t from, uint64_t *buffer, size_t room,
    size_t *first, int *cut);

#endif
