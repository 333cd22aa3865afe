/*
 * record.h - the long half of malloc and free: who, and where from
 *
 * Floor 8 (door).  May use: all floors.  Used by: interpose*.c.
 * Contexts: inside malloc, in signal handlers.  errno is left as it was.
 *
 * All of them want self.tally to be set.
 */
#ifndef DOOR_RECORD_H
#define DOOR_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "base/base.h"
#include "base/segment.h"
#include "door/boot.h"
#include "door/cooperate-room.h"
#include "door/real.h"
#include "heap/ledger.h"
#include "heap/tally.h"
#include "sys/arch.h"

/*
 * Under boot_now.records: count a new block, and write it down.  The caller's
 * frame comes in registers.  Returns @block, so that it can be the last thing
 * that malloc() does.
 */
void *record_alloc(void *block, size_t requested, size_t usable, uint64_t pc,
    uint64_t sp, uint64_t fp);

/* The same of a free by who is at @pc: count it, and forget the block. */
void record_free(void *block, size_t usable, uint64_t pc);

/* Without: the tally asked for a look, at a free. */
void record_look(void);

/* The same at an allocation, which may be one to draw.  Returns @block. */
void *record_due(void *block, size_t usable, struct arch_frame caller);

/* sample_may_have(@block): if there is a record, it ends here. */
void record_free_drawn(void *block, size_t usable);

/*
 * realloc() takes the record out before the allocator may give the address
 * to another thread, and puts it back if the block stays where it is.
 */
struct taken {
	uint64_t pc; /* of who calls */
	size_t usable;
	struct record record; /* of site 0: there was none */
};

/* @size: that it is to have.  Of @taken the record is written. */
void record_take(void *block, size_t size, struct taken *taken);
void record_put_back(void *block, const struct taken *taken);

/*
 * @replaced: record_new() follows, and is where to look.  Between the two the
 * program holds neither, so a mark that is set there would say of a buffer
 * that only grows that it was gone.
 */
void record_taken_free(void *block, const struct taken *taken, bool replaced);

/* The site of a call of the mmap family; 0: stacks are not asked for. */
uint32_t record_mapping_site(struct arch_frame caller);

/* --- however this process is counted -------------------------------------- */

/*
 * The allocator gave @block: count it, and pass it on.  The caller's frame is
 * looked up where it is needed and handed over in registers: what is called
 * last may take the place of our frame.
 */
static inline __attribute__((always_inline)) void *
record_held(void *block, size_t requested, size_t usable,
    struct arch_caller caller)
{
	struct arch_frame from;

	if (LIKELY(boot_now.records)) {
		from = arch_frame_of(caller);
		return record_alloc(block, requested, usable, from.pc,
		    from.sp, from.fp);
	}
	if (tally_alloc(self.tally, block, usable))
		return record_due(block, usable, arch_frame_of(caller));
	return block;
}

static inline __attribute__((always_inline)) void *
record_new(void *block, size_t requested, struct arch_caller caller)
{
	if (UNLIKELY(block == NULL))
		return cooperate_refused(); /* errno stays */
	return record_held(block, requested, real_held(block, requested),
	    caller);
}

/* The same of one that malloc() or calloc() has made. */
static inline __attribute__((always_inline)) void *
record_made(void *block, size_t requested, struct arch_caller caller)
{
	if (UNLIKELY(block == NULL))
		return cooperate_refused();
	return record_held(block, requested,
	    real_held_made(block, requested), caller);
}

/* The block is about to go back to the allocator, by who is at @pc. */
static inline void
record_gone(void *block, uint64_t pc)
{
	size_t usable = real_usable(block);

	if (LIKELY(boot_now.records)) {
		record_free(block, usable, pc);
		return;
	}
	if (sample_may_have(block))
		record_free_drawn(block, usable);
	if (tally_free(self.tally, block, usable))
		record_look();
}

/* A call whose thread has no row of its own. */
void record_shared_alloc(void *block, size_t requested, size_t usable);
void record_shared_free(void *block, size_t usable);

#endif
