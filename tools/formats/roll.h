/*
 * roll.h - things that get a number when they are first met, by their bytes
 *
 * Beside the house (tools/formats).  May use: need.  Used by:
 * export-heaptrack.c, export-pprof.c.
 *
 * A roll is a pointer, NULL at first.
 */
#ifndef FORMATS_ROLL_H
#define FORMATS_ROLL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct roll_entry;

/*
 * The number of @bytes of @key, the first of all being @first; *@fresh: it has
 * been given just now.
 */
uint64_t roll_number(struct roll_entry **roll, const void *key, size_t bytes,
    uint64_t first, bool *fresh);

void roll_free(struct roll_entry **roll);

#endif
