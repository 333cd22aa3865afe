/*
 * way.h - how a system call goes on that a signal has interrupted
 *
 * Floor 6 (watch).  May use: base, sys.  Used by: hold.
 * Contexts: anywhere.  It is for CPUs on which threads can be held.
 */
#ifndef WATCH_WAY_H
#define WATCH_WAY_H

#include <stdint.h>

enum way {
	WAY_NONE,    /* leave it alone */
	WAY_AGAIN,   /* make it again */
	WAY_RESTART  /* the kernel knows how long it is to go on */
};

/* @a: its arguments as far as they are known, or NULL: it has just begun. */
enum way way_of(int64_t call, const uint64_t *a);

#endif
