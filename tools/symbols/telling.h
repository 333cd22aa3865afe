/*
 * telling.h - the one function of a path that tells who wanted the memory
 *
 * Beside the house (tools/symbols).  May use: symbol.  Used by: summary.c,
 * advise.c.
 */
#ifndef SYMBOLS_TELLING_H
#define SYMBOLS_TELLING_H

#include <stdbool.h>
#include <stddef.h>

#include "symbols/symbol.h"

/* Is it of a library whose functions say what was done, not who wanted it? */
bool telling_is_runtime(const struct frame *frame);

/*
 * The frame that tells most; of equals the one nearest to the allocation.
 * NULL: there are none.
 */
const struct frame *telling_frame(const struct frame *frames, size_t count);

#endif
