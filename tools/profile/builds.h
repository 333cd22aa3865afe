/*
 * builds.h - which modules of two profiles are the same, and which are not
 *
 * Beside the house (tools/profile).  May use: base, reader, print.  Used by:
 * match.c.
 *
 * A module is known by its base name and its build-id; by the name alone where
 * one of that name has no build-id.  It was rebuilt if each side has a build of
 * that name which the other has not: that some library of the same name is
 * there besides does not make it so.
 */
#ifndef PROFILE_BUILDS_H
#define PROFILE_BUILDS_H

#include <stdint.h>

#include "profile/reader.h"

#define BUILDS_MOST 0x7ffffff0 /* modules; more than are read */

struct builds {
	const struct profile *profile[2];
	struct family *families;  /* modules of one base name; a table */
	struct member *member[2]; /* by module */
};

void builds_open(struct builds *b, const struct profile *p0,
    const struct profile *p1);
void builds_close(struct builds *b);

/* Of a finished module: the same number on both sides is the same file. */
uint32_t builds_class(const struct builds *b, int side, size_t module);

/* Its base name if it was rebuilt, else NULL. */
const char *builds_rebuilt(const struct builds *b, int side, size_t module);

/* The names of those that were, clean; each and the list are to be freed. */
char **builds_list(const struct builds *b, size_t *count);

#endif
