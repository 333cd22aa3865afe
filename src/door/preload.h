/*
 * preload.h - our entry in LD_PRELOAD, and who must not be given it
 *
 * Floor 8 (door).  May use: base, sys.  Used by: boot, interpose-exec.c.
 * Contexts: anywhere: in a signal handler, and in a child of vfork(), which
 * runs on its parent's memory.  Only the stack is written, some 700 bytes.
 */
#ifndef DOOR_PRELOAD_H
#define DOOR_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/segment.h"

/* The value of an entry of the environment, NULL if it is not @name's. */
const char *preload_value(const char *entry, const char *name);

/*
 * Does the value of an LD_PRELOAD name our library?  @own is the path that it
 * was loaded from; its last part is what counts, for the rest may be spelt in
 * many ways.
 */
bool preload_has(const char *list, const char *own);

/*
 * Write the list without our library, the others in their order, to @to, which
 * has room for all of @list.  Returns its length, 0: nobody is left.
 */
size_t preload_without(char *to, const char *list, const char *own);

/*
 * What would become of our library in the program that execveat() finds by
 * @directory, @path and @flags?  A script is as good as its interpreter.  What
 * cannot be read is UNFOLLOWED_NOT: so the kernel, or the dynamic linker, is
 * left to say what is wrong with it.
 */
enum segment_unfollowed preload_look(int directory, const char *path,
    int flags);

/* Must our library be kept away from it, as it would do harm? */
bool preload_harms(enum segment_unfollowed why);

#endif
