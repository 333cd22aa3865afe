/*
 * absent.h - why there is no profile of a process
 *
 * Beside the house (tools/profile).  May use: base, sys, shelf, print.  Used by:
 * reader.c, and by who cannot use the directory of segments.
 */
#ifndef PROFILE_ABSENT_H
#define PROFILE_ABSENT_H

#include <stddef.h>
#include <stdint.h>

#define ABSENT_ROOM 320

/*
 * What follows "there is no profile of process PID in DIRECTORY", from ": " on:
 * it has ended, is another user's, has its profile elsewhere, or runs without
 * heaptide.  "" where even that is not known.
 */
void absent_reason(uint64_t pid, char *reason, size_t room);

/* What is wrong with @directory, of which place_find() has said @error. */
const char *absent_place(const char *directory, int error);

#endif
