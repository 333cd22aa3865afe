/*
 * census.h - look at a process' resident memory and store it in its segment
 *
 * Floor 7 (control).  May use: base, model, sys.  Used by: `heaptide run`
 * beside the program, `report` of a live one, the library at its exit.
 * Contexts: not from inside malloc; allocates nothing, leaves errno alone.
 */
#ifndef CONTROL_CENSUS_H
#define CONTROL_CENSUS_H

#include <stdbool.h>

#include "base/segment.h"

/*
 * May the tables that a census reads be believed to lie in a file of @bytes?
 * Ask first if the segment is not your own.
 */
bool census_may(const struct segment *segment, uint64_t bytes);

/*
 * Read /proc/PID/smaps, classify every range by the segment's tables (own
 * spans, mappings, threads' stack addresses), reconcile with the tallies, and
 * store into rss[RSS_LAST]; also into rss[RSS_PEAK] if more is resident than
 * ever before.  Several may do it at once: who comes second is turned away.
 *
 * Cost: about 1 ms per 100 MiB resident, on the side of who asks; the process
 *       is held up only where it maps memory at the same moment.
 *
 * Return: 0; -ESRCH, -EACCES from /proc; -EBUSY another census is under way;
 * -EINVAL the segment's tables do not fit it.
 */
int census_take(struct segment *segment, int pid);

/*
 * The same, but the answer goes to @rss only and @segment is left alone, so
 * it may be a read-only view or a copy.
 */
int census_look(const struct segment *segment, int pid,
    struct segment_rss *rss);

#endif
