/*
 * finding.h - wrong uses of the allocator, in a table of fixed size
 *
 * Floor 4 (heap).  May use: base, sys, mem.  Used by: door.
 * Contexts: inside malloc, in signal handlers, in a child just forked.
 *
 * What is found again is counted where it was noted first.  Two threads that
 * find the same at the same time may both note it; who reads adds that up.
 */
#ifndef HEAP_FINDING_H
#define HEAP_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"

/*
 * Count one more like @what, by kind, site and where it is freed to return to.
 * False: the paths that it is freed by must be told apart (finding_note()).
 */
bool finding_again(const struct finding *what);

/* Note @what, or count it: by kind, site and the path that it is freed by. */
void finding_note(const struct finding *what);

#endif
