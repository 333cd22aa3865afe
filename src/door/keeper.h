/*
 * keeper.h - a thread that answers for a program nobody else stands beside
 *
 * Floor 8 (door), above attend.  May use: all floors.  Used by: boot, start.c,
 * interpose-confine.
 *
 * Only where it is asked for (HEAPTIDE_KEEPER=on): one more thread makes
 * glibc's allocator take its locks, and there are things that a program with
 * two threads may not do.  `heaptide run` serves its programs from outside, and
 * where a program was preloaded by hand the command answers beside it, by the
 * segment; so nobody needs a keeper but who speaks to the socket himself.
 *
 * It has all signals blocked, and allocates nothing.  A program that closes
 * descriptors it did not open closes the keeper's: that is noticed before one
 * is used, and the keeper leaves.  So it does, within half a second, where all
 * threads of the program have ended by pthread_exit().
 */
#ifndef DOOR_KEEPER_H
#define DOOR_KEEPER_H

/*
 * At the end of the library's start, in the program's first thread.  What libc
 * takes for a thread is ours, see boot_own_begin().
 */
void keeper_start(const char *directory, char *const *environment);

/* Have it leave, and wait until it has: at exit, and before a filter of system
 * calls.  Nothing happens if there is none. */
void keeper_end(void);

/* In a child just forked, where the thread is not: its descriptors go. */
void keeper_in_child(void);

#endif
