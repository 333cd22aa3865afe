/*
 * program.h - can our library be loaded into a program: asked of its file
 *
 * Floor 2 (sys).  May use: base.  Used by: door (for what the program is about
 * to execute), the tools (for what they are).
 * Contexts: anywhere: in a signal handler, and in a child of vfork(), which
 * runs on its parent's memory.  Only the stack is written, some 900 bytes.
 *
 * What cannot be read, or is no program at all, is UNFOLLOWED_NOT: so the
 * kernel, or the dynamic linker, is left to say what is wrong with it.
 */
#ifndef SYS_PROGRAM_H
#define SYS_PROGRAM_H

#include <stdbool.h>

#include "base/segment.h"

/* What every build of ours is called; it is known by this name, too. */
#define PROGRAM_LIBRARY "libheaptide.so"

#define PROGRAM_LEVELS 5   /* BINPRM's: a script may interpret a script */
#define PROGRAM_LINE   257 /* BINPRM_BUF_SIZE, which is all the kernel reads */

/* Who runs a script: its first line's first word.  False: it is none. */
bool program_interpreter(int fd, char path[PROGRAM_LINE]);

/*
 * What would become of our library in the program that @fd is open on?
 * Privileges are not asked for.  @path: by its name one knows a dynamic linker
 * that is run like a program; may be NULL.
 */
enum segment_unfollowed program_judge(int fd, const char *path);

/*
 * The same, privileges included, of what execveat() finds by @directory, @path
 * and @flags.  A script is as good as its interpreter.
 *
 * Cost: some ten system calls.
 */
enum segment_unfollowed program_look(int directory, const char *path,
    int flags);

/* Must our library be kept away from it, as it would do harm? */
bool program_harms(enum segment_unfollowed why);

#endif
