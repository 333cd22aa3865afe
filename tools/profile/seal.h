/*
 * seal.h - what says that a file was changed since it was written
 *
 * Beside the house (tools/profile).  May use: base, image.  Used by: image.c,
 * reader.c.
 *
 * A program stores into its profile until its last moment, so nothing in that
 * can be a checksum; but a copy is finished, and has one of each of its parts.
 */
#ifndef PROFILE_SEAL_H
#define PROFILE_SEAL_H

#include <stdint.h>

#include "profile/image.h"

/* Rows that a seal may have: one a table, and one of the header. */
#define SEAL_PARTS (TABLE_ROOM + 1)

/* Parts of a profile as a set: bit TABLE_* of a table, TABLE_ROOM the
 * header. */
typedef uint64_t seal_parts;

/*
 * Make the header of a copy of @image with a seal behind all its tables, and
 * the rows of that; returns how many.  Of what is in @changed the checksum is
 * wrong, and so it stays known that it was changed.
 */
size_t seal_make(const struct segment *image, seal_parts changed,
    uint8_t header[SEGMENT_HEADER_BYTES], struct seal row[SEAL_PARTS]);

/*
 * Which parts of a file with the header @s are not as they were when it was
 * sealed; 0: none, or it has no seal.  Or a negative errno: it cannot be read.
 */
int seal_check(const struct image_source *from, const struct segment *s,
    seal_parts *changed);

#endif
