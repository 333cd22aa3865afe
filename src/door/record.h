/*
 * record.h - the cold half of malloc and free: who, and where from
 *
 * Floor 8 (door).  May use: all floors.  Used by: interpose*.c.
 * Contexts: inside malloc, in signal handlers.  errno is left as it was.
 *
 * All of them want self.tally to be set, and a block that was already counted
 * in it, by usable size.
 */
#ifndef DOOR_RECORD_H
#define DOOR_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/segment.h"
#include "sys/arch.h"

/*
 * The tally asked for a look, or every block is to be written down.  Returns
 * @block, so that it can be the last thing that malloc() does.
 */
void *record_alloc(void *block, size_t requested, size_t usable,
    struct arch_frame caller);

/* Under boot_recording: count the free by @pc, and forget the block. */
void record_free(void *block, size_t usable, uint64_t pc);

/* Without: the tally asked for a look at a free. */
void record_look(void);

/*
 * realloc() takes the record out before the allocator may give the address
 * to another thread, and puts it back if the block stays where it is.
 */
struct taken {
	uint64_t pc; /* of who calls */
	size_t usable;
	uint32_t site; /* 0: there was no record */
	uint32_t slack;
	uint32_t epoch;
};

void record_take(void *block, size_t usable, struct taken *taken);
void record_put_back(void *block, const struct taken *taken);
void record_taken_free(void *block, const struct taken *taken);

/* The site of a call of the mmap family; 0: stacks are not asked for. */
uint32_t record_mapping_site(struct arch_frame caller);

/* A call whose thread has no row of its own. */
void record_shared_alloc(void *block, size_t requested, size_t usable);
void record_shared_free(void *block, size_t usable);

#endif
