/*
 * import.h - profiles of other tools, as profiles of ours
 *
 * Beside the house (tools/formats).  May use: base, need, forge, packed,
 * proto.  Used by: cmd-import.c.
 *
 * One import-*.c knows a format.  It puts stacks and figures into a forge, and
 * says what that tool did not tell (enum segment_unknown).  A file comes from
 * outside: whatever is wrong with it ends in a sentence.
 */
#ifndef FORMATS_IMPORT_H
#define FORMATS_IMPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "formats/forge.h"

struct import_point {
	uint64_t at_ns, live_bytes, resident;
};

#define IMPORT_POINTS 4096

struct import {
	const char *path;
	FILE *from;
	struct forge *forge;
	uint64_t line;   /* being read, from 1 */
	char *text;      /* the line, without its end */
	size_t text_room;
	char why[512];   /* the sentence, "" if all is well */
	struct import_point point[IMPORT_POINTS];
	size_t points;
	uint64_t distance_ns; /* of two points, at least */
};

/* The next line is in @text; false: there is none, or the file is damaged. */
bool import_line(struct import *in);

/* "'x' is damaged: ...", with the line if one was read; returns false. */
bool import_refuse(struct import *in, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Hexadecimal or decimal digits at *@at, which goes behind; false: none. */
bool import_number(const char **at, int base, uint64_t *value);

/* A point of the series; of too many every other one goes. */
void import_point(struct import *in, uint64_t at_ns, uint64_t live_bytes,
    uint64_t resident);

/* Who made it, and which of enum segment_unknown it has not. */
void import_origin(struct import *in, const char *origin, uint32_t unknown);

/* The command line as one text: it is parted at blanks. */
void import_command(struct import *in, const char *command);

/* After all sites: the peak and how long it ran. */
void import_end(struct import *in, uint64_t peak_bytes, uint64_t peak_ns,
    uint64_t end_ns);

/*
 * Is it an allocation function?  Our stacks begin with who called it, so such
 * are left out at the leaf.
 */
bool import_allocates(const char *function);

/* False: the sentence is in @why. */
bool import_heaptrack(struct import *in);
bool import_massif(struct import *in);
bool import_pprof(struct import *in);

/* The text that gperftools and jemalloc write, which begins so. */
#define IMPORT_HEAP    "heap profile:"
#define IMPORT_HEAP_V2 "heap_v2/"
bool import_heap(struct import *in);

#endif
