/*
 * place.h - where the segments of this user lie
 *
 * Floor 2 (sys).  May use: base.  Used by: the library at boot, the tools.
 * Contexts: boot and tools; makes system calls, never allocates.
 */
#ifndef SYS_PLACE_H
#define SYS_PLACE_H

#include <stddef.h>
#include <stdint.h>

#define PLACE_ROOM 4096 /* bytes of a path, terminator included */

/*
 * Find, and if need be make, the directory for segments: $HEAPTIDE_DIR, else
 * $XDG_RUNTIME_DIR/heaptide, else /dev/shm/heaptide-<uid>, else
 * /tmp/heaptide-<uid>.  It must be a directory of this user's (no symbolic
 * link), and is made 0700.  A $HEAPTIDE_DIR that is set rules alone, and may be
 * any directory of this user's that nobody else can write to; of the others,
 * which must be closed to everybody else, the first that works is taken.
 *
 * @environment: as in main(), may be NULL
 * @path: where the answer goes; written on failure too, for the message
 *
 * Return: 0, or a negative errno value: -ENOTDIR, -EACCES (not ours, or open
 * to others), -ENAMETOOLONG, or what the kernel said.
 */
int place_find(char *const *environment, char path[PLACE_ROOM]);

/* Only look: as place_find(), but nothing is made; -ENOENT if there is none. */
int place_look(char *const *environment, char path[PLACE_ROOM]);

/*
 * Look at the @n-th of these places alone, 0 first: a process started with
 * another environment may have taken a later one.  -ENODEV: no such @n.
 */
int place_look_at(char *const *environment, unsigned n,
    char path[PLACE_ROOM]);

/*
 * Write `<directory>/<pid>.<ticks>.tide`; with a @namespace, where pids are as
 * they were elsewhere, `<pid>-<namespace>.<ticks>.tide`.  -ENAMETOOLONG if it
 * does not fit.
 */
int place_segment(const char *directory, int pid, uint64_t namespace,
    uint64_t ticks, char path[PLACE_ROOM]);

/*
 * Write `<directory>/pools/<name>`, and make its directory, 0700, if @make.
 * -EINVAL: @name is no name: 1 to 64 letters, digits, `.`, `_` and `-`, the
 * first of them no `.` and no `-`.  -EACCES, -ENOTDIR as above.
 */
int place_pool(const char *directory, const char *name, int make,
    char path[PLACE_ROOM]);

/* Write `<directory>/pools`. */
int place_pools(const char *directory, char path[PLACE_ROOM]);

#endif
