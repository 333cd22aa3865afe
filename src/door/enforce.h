/*
 * enforce.h - what becomes of a program that goes beyond its budget (--enforce)
 *
 * Floor 8 (door), above cooperate.  May use: all floors.  Used by: start.c, record.
 * Contexts: enforce_begin() once, at the end of boot; enforce_look() inside
 * malloc, on the slow path.
 *
 * Off unless somebody asked for it: a program is not ours to end.  Beyond means
 * that its live bytes, which are exact, are above its budget; what is resident
 * is more than that, but may be given back at any time.
 *
 *	enomem  what would take it beyond, of ENFORCE_LEAST bytes and more, is
 *	        refused with ENOMEM; in a program that has batches, only while
 *	        one is under way
 *	abort   SIGABRT
 *	exit85  SIGTERM, and `heaptide run` ends with 85: start me again
 *	stop    SIGSTOP, for who wants to look at it
 */
#ifndef DOOR_ENFORCE_H
#define DOOR_ENFORCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

#define ENFORCE_LEAST (64 * KIB)

extern bool enforce_is_on INSIDE;

/* As configured in the segment. */
void enforce_begin(void);

/* A thread has published: is it beyond? */
void enforce_judge(void);

static inline void
enforce_look(void)
{
	if (UNLIKELY(enforce_is_on))
		enforce_judge();
}

#endif
