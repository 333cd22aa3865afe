/*
 * dial.h - which stacks are kept: none, those of some blocks, all; and changes
 *
 * Floor 8 (door).  May use: all floors.  Used by: boot, where, record, attend.
 * Contexts: inside malloc, in signal handlers.  errno is left as it was.
 *
 * Counts are exact whatever the dial says.  Once it has been turned, blocks may
 * have a record or none (boot_now.mixed): then every free looks for one, and
 * what is freed without was made while none was kept.  A thread that has not
 * heard of a turn goes on as before, and that is right as well: it hears of it
 * on its next slow path.
 */
#ifndef DOOR_DIAL_H
#define DOOR_DIAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"
#include "door/boot.h"

/* Before this process counts; a child goes on as its parent did. */
void dial_begin(void);

/* The mode that this comes to. */
enum mode dial_mode(void);

/* Give the calling thread what it needs as the dial stands. */
void dial_prepare(struct tally *t);

/* Is the calling thread as the dial stands? */
static HOT bool
dial_is_heard(void)
{
	return LIKELY(self.turned == boot_now.turned);
}

/* Turn it as the segment's config wants it, if that is something else. */
void dial_follow(uint64_t now_ns);

#endif
