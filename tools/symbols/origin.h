/*
 * origin.h - a module of a profile, and the files that know its functions
 *
 * Beside the house (tools/symbols).  May use: base, reader, cache, object,
 * need, print.  Used by: symbol.c.
 */
#ifndef SYMBOLS_ORIGIN_H
#define SYMBOLS_ORIGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "profile/reader.h"

struct cache;
struct object;

#define ORIGIN_FILES 3 /* that may hold a module's names */

/* A module, as the names of its functions are asked for. */
struct origin {
	const struct module *module;
	size_t first;         /* same module, same file: that one is asked */
	struct cache *cache;  /* NULL: not met yet */
	struct object *object;
	bool opened;          /* or tried to */
	char *path;           /* as recorded, but clean */
	char *file[ORIGIN_FILES];
	char trouble[160];    /* "" if none */
};

/* Its cache, which may know all that is asked; if it is not open yet. */
void origin_open(struct origin *o, const struct profile *profile,
    bool online);
/* Its object, the first file that is the very build that ran; or trouble. */
void origin_ask(struct origin *o);
void origin_close(struct origin *o);

#endif
