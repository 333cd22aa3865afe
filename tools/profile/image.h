/*
 * image.h - a private copy of a segment, with a header that tells the truth
 *
 * Beside the house (tools/profile).  May use: base.  Used by: reader.c,
 * seal.h.
 *
 * The used rows of each table, one behind the other.  A copy holds still while
 * it is read, cannot raise SIGBUS when somebody truncates the file, and is at
 * the same time what profile_compact() writes.  Its header and its tables are
 * where they say; what the rows say is for the reader to judge.
 */
#ifndef PROFILE_IMAGE_H
#define PROFILE_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/segment.h"

/* --- image-source.c ------------------------------------------------------- */

/* Where bytes come from: a file, or memory. */
struct image_source {
	const char *name;
	int fd;              /* -1: memory */
	const uint8_t *bytes;
	uint64_t size;
};

/* Read exactly @n bytes; -EINVAL when they are not there. */
int image_source_read(const struct image_source *from, uint64_t offset,
    void *to, uint64_t n);

/* --- image.c -------------------------------------------------------------- */

struct image {
	struct segment *segment; /* to be freed */
	uint64_t bytes;
	bool copied; /* from a copy already, not from what a process stores */
	uint64_t changed; /* since it was written: parts, see seal.h */
};

/* Room for the sentence that says why there is none. */
#define WHY_ROOM 512

/* "sites", of a table; "header", of anything else. */
const char *image_part_name(uint32_t part);

/* 0, or a negative errno; the sentence is in @why then. */
int image_read(const struct image_source *from, struct image *image,
    char why[WHY_ROOM]);

/* Write the sentence; returns @error. */
int refuse(char why[WHY_ROOM], int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
