/*
 * shelf.h - names in the directory of segments
 *
 * Beside the house (tools).  May use: base.  Used by: gather.c, cmd-ps.c.
 *
 *   <pid>.<ticks>.tide      a process, by its start time told from others
 *                           that had its pid
 *   <pid>.<ticks>.<n>.tide  what it was before its exec number n + 1
 */
#ifndef TOOLS_SHELF_H
#define TOOLS_SHELF_H

#include <stdbool.h>
#include <stdint.h>

#define SHELF_LAST (-1)

struct shelf_name {
	int pid;
	int image;      /* SHELF_LAST, or the n of an earlier image */
	uint64_t ticks;
};

/* False: @text is not the name of a segment; @name is left alone. */
bool shelf_parse(const char *text, struct shelf_name *name);

#endif
