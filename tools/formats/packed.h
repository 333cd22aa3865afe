/*
 * packed.h - a file that may be compressed, by gzip or zstd, as a stream
 *
 * Beside the house (tools/formats).  May use: base, need; zlib, libzstd.  Used
 * by: import*.c.
 */
#ifndef FORMATS_PACKED_H
#define FORMATS_PACKED_H

#include <stdio.h>

/* NULL with errno; who reads what is damaged finds ferror(). */
FILE *packed_open(const char *path);

#endif
