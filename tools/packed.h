/*
 * packed.h - a file that may be compressed, by gzip or zstd, as a stream
 *
 * Beside the house (tools).  May use: base, need; zlib, libzstd.  Used by:
 * import*.c.
 */
#ifndef TOOLS_PACKED_H
#define TOOLS_PACKED_H

#include <stdio.h>

/* NULL with errno; who reads what is damaged finds ferror(). */
FILE *packed_open(const char *path);

#endif
