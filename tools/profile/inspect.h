/*
 * inspect.h - can a command be profiled: asked before it starts
 *
 * Beside the house (tools/profile).  May use: base, sys/program.h; libelf.
 * Used by: run.h, bypassed.c.
 *
 * The answer is advice.  What the kernel and the dynamic linker do with the
 * command is for them to say; this only spares the user a riddle afterwards.
 */
#ifndef PROFILE_INSPECT_H
#define PROFILE_INSPECT_H

#include <stdbool.h>

struct inspection {
	/* The file that the kernel will load: CMD, or the interpreter of a
	 * script; NULL: there is none. */
	char *path;
	/* Why it cannot be run at all; NULL: nothing known against it. */
	char *obstacle;
	/* Why heaptide will not be inside; NULL: nothing known against it. */
	char *reason;
	/* Why the counts will be low although heaptide is inside, or NULL. */
	char *warning;
	/* False: the library must be kept away, its presence would harm. */
	bool may_preload;
};

/*
 * Look at @name as execvp() would find it.  The texts are parts of a sentence
 * ("it is statically linked ..."), NULL where there is nothing to say.
 */
void inspect_command(const char *name, struct inspection *in);
void inspect_free(struct inspection *in);

/*
 * The allocator that is linked into the executable at @path, shown to others
 * or not: "jemalloc", "a malloc of its own"; NULL: none, as far as its symbols
 * tell.  A file that was stripped tells nothing.
 */
const char *inspect_allocator(const char *path);

#endif
