/*
 * peak.h - when does the heap stand as high as never before?
 *
 * Floor 4 (heap).  May use: base, sys, mem.  Used by: tally, site, door.
 * Contexts: inside malloc, in signal handlers, in a child just forked.
 *
 * Who counts for a site compares its stamp with that of now, to keep what it
 * held at the peak before it changes that (struct count in base/segment.h).
 *
 * As long as one thread alone has counted, it sees each new height and each
 * step down from one, and all of it is exact, in plain stores.  From a second
 * one on, heights are known when threads publish, each 64 KiB: then that is
 * when a peak is met or left, and the hot road has no store for it.
 */
#ifndef HEAP_PEAK_H
#define HEAP_PEAK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"
#include "mem/segment.h"
#include "sys/arch.h"

/* Which peak, and which generation. */
static inline uint64_t
stamp_now(void)
{
	return atomic_load_explicit(&segment_mine()->live.stamp,
	    memory_order_relaxed);
}

/* Has no second thread counted yet? */
static inline bool
peak_is_alone(void)
{
	return LIKELY(atomic_load_explicit(&segment_mine()->live.several,
	    memory_order_relaxed) == 0);
}

/* The only thread has allocated, and the heap is @height bytes now. */
static inline void
peak_climb(int64_t height)
{
	struct segment_live *live = &segment_mine()->live;

	if (height <= atomic_load_explicit(&live->peak_bytes,
	    memory_order_relaxed))
		return;
	arch_raise_i64(&live->peak_bytes, height);
	atomic_store_explicit(&live->rising, 1, memory_order_relaxed);
}

/*
 * The only thread is about to free: what all sites hold, they held.  The stamp
 * goes on, in memory and in @stamp, which is what is returned.
 */
static inline uint64_t
peak_leave(uint64_t stamp)
{
	struct segment_live *live = &segment_mine()->live;

	if (atomic_load_explicit(&live->rising, memory_order_relaxed) == 0)
		return stamp;
	atomic_store_explicit(&live->rising, 0, memory_order_relaxed);
	arch_add_u64(&live->stamp, 1);
	return stamp + 1;
}

/*
 * A thread of several has published: the heap is @height bytes, and has been
 * @top since that thread last did so.
 */
void peak_publish(int64_t top, int64_t height);

#endif
