/*
 * stranger.h - who comes before us, and who frees what we have never seen
 *
 * Floor 8 (door).  May use: base, mem, control.  Used by: boot, record.
 * Contexts: stranger_find() once, while the pool serves this thread;
 * stranger_freed() anywhere; the rest at boot and exit.
 */
#ifndef DOOR_STRANGER_H
#define DOOR_STRANGER_H

#include <stdint.h>

/* Find out where calls of malloc() are bound to. */
void stranger_find(void);

/* Store it in a segment that was just made. */
void stranger_store(void);

/* A block that we have never seen is freed by who is at @pc. */
void stranger_freed(uint64_t pc);

#endif
