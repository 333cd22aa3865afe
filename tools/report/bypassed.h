/*
 * bypassed.h - which modules of a process heaptide does not hear of, in words
 *
 * Beside the house (tools/report).  May use: base, reader, inspect, print.
 * Used by: report-text.c, report-json.c, summary.c.
 */
#ifndef REPORT_BYPASSED_H
#define REPORT_BYPASSED_H

#include <jansson.h>
#include <stddef.h>

#include "profile/reader.h"
#include "say/print.h"

/*
 * A line for each module whose allocations are not seen, or which comes before
 * heaptide; nothing if there is none.  @width is that of the first word.
 */
void bypassed_print(const struct profile *profile, const struct print *out,
    int width);

/* The same as an array, which is empty then. */
json_t *bypassed_json(const struct profile *profile);

/* An array of who freed blocks that heaptide had never seen. */
json_t *bypassed_json_frees(const struct profile *profile);

#endif
