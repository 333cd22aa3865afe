/*
 * survey.h - when it is looked for blocks that nobody can reach
 *
 * Floor 8 (door), below boot and attend.  May use: all floors.  Used by: boot, attend,
 * api.
 * Contexts: inside malloc, on the slow path; survey_wait() where the program
 * may be kept waiting.  errno is left as it was.
 */
#ifndef DOOR_SURVEY_H
#define DOOR_SURVEY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/segment.h"

/* Is one asked for, or is there one whose child is to be waited for? */
static inline bool
survey_is_due(const struct segment *s)
{
	return atomic_load_explicit(&s->watch.scans_wanted,
	    memory_order_relaxed) != atomic_load_explicit(
	    &s->watch.scans_done, memory_order_relaxed) ||
	    atomic_load_explicit(&s->scan.child, memory_order_relaxed) != 0;
}

/* Begin one that is asked for, see to one that has ended.  Does not wait. */
void survey_attend(void);

/* In a child, just forked: none of it is the child's. */
void survey_in_child(void);

/*
 * Ask for one, and wait until it is done.  @starts: only pointers to starts of
 * blocks count.  0, or a negative errno value: segment_scan says why.
 */
int survey_wait(bool starts);

#endif
