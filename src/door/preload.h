/*
 * preload.h - our entry in LD_PRELOAD
 *
 * Floor 8 (door).  May use: base, sys.  Used by: boot, interpose-exec.c.
 * Contexts: anywhere: in a signal handler, and in a child of vfork(), which
 * runs on its parent's memory.
 */
#ifndef DOOR_PRELOAD_H
#define DOOR_PRELOAD_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Does the value of an LD_PRELOAD name our library?  @own is the path that it
 * was loaded from; its last part is what counts, for the rest may be spelt in
 * many ways.
 */
bool preload_has(const char *list, const char *own);

/* Our entry in the list, @bytes long, or NULL. */
const char *preload_entry(const char *list, const char *own, size_t *bytes);

/*
 * Write the list without our library, the others in their order, to @to, which
 * has room for all of @list.  Returns its length, 0: nobody is left.
 */
size_t preload_without(char *to, const char *list, const char *own);

#endif
