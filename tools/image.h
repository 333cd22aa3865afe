/*
 * image.h - a private copy of a segment, with a header that tells the truth
 *
 * Beside the house (tools).  May use: base.  Used by: reader.c.
 *
 * The used rows of each table, one behind the other.  A copy holds still while
 * it is read, cannot raise SIGBUS when somebody truncates the file, and is at
 * the same time what profile_compact() writes.  Its header and its tables are
 * where they say; what the rows say is for the reader to judge.
 */
#ifndef TOOLS_IMAGE_H
#define TOOLS_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/segment.h"

/* Where bytes come from: a file, or memory. */
struct image_source {
	const char *name;
	int fd;              /* -1: memory */
	const uint8_t *bytes;
	uint64_t size;
};

struct image {
	struct segment *segment; /* to be freed */
	uint64_t bytes;
	bool copied; /* from a copy already, not from what a process stores */
};

/* Room for the sentence that says why there is none. */
#define WHY_ROOM 512

/* 0, or a negative errno; the sentence is in @why then. */
int image_read(const struct image_source *from, struct image *image,
    char why[WHY_ROOM]);

/* Write the sentence; returns @error. */
int refuse(char why[WHY_ROOM], int error, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
