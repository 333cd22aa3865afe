/*
 * bypass.h - which modules of a process allocate past heaptide
 *
 * Floor 7 (control).  May use: base, sys.  Used by: the library at its exit,
 * `heaptide run` beside the program, `report` of a live one.
 * Contexts: as each function says; nothing is allocated, errno is left alone.
 *
 * The dynamic linker has written into each module where its calls of malloc()
 * and free() go.  So it is looked there, in the memory of the process as it is
 * now, and not at how a module was loaded: RTLD_DEEPBIND, dlmopen() and what
 * else binds elsewhere look the same, and have the same effect.  A call that
 * was linked inside its module leaves no trace there.
 */
#ifndef CONTROL_BYPASS_H
#define CONTROL_BYPASS_H

#include <stdint.h>

#include "base/segment.h"

/*
 * Look at every module of process @pid, 0: the caller, and note in @segment
 * which go past the library.  Not from inside malloc.
 *
 * Cost: some 20 us a module, on the side of who asks.
 *
 * Return: 0, or a negative errno: -EACCES, -EPERM, -ESRCH.
 */
int bypass_look(struct segment *segment, int pid);

/*
 * Note a module, once; @allocator may be NULL.  The row, or NULL: there is no
 * room for it.  Anywhere, from several threads.
 */
struct segment_bypass *bypass_note(struct segment *segment,
    enum bypass_why why, const char *module, const char *allocator);

#endif
