/*
 * tally.h - what each thread allocates and frees: exact, and nearly free
 *
 * Floor 4 (heap).  May use: base, sys, mem.  Used by: door.
 * Contexts: inside malloc, in signal handlers, in a child just forked.
 *
 * The row is in the segment (base/segment.h tells its fields and invariant).
 * Only its owner adds to it, in single instructions that no signal can split.
 *
 * The peak of one allocating thread is exact: a heap is highest just before
 * something is freed, and there `high` is raised to what it was.  So it is
 * what has been, and what is may be higher: the top is the larger of the two.
 * With several threads, each one's share of the common sum may be
 * `drift_bytes` old, so the peak is right to within (threads + 1) drifts.
 */
#ifndef HEAP_TALLY_H
#define HEAP_TALLY_H

#include <stdbool.h>

#include "base/base.h"
#include "base/segment.h"
#include "mem/segment.h"
#include "sys/arch.h"

/* A thread publishes after it has moved so many bytes, to and fro. */
#define TALLY_DRIFT_BYTES (64 * 1024)

/* Row 0 is the one that threads share; this is the first thread's. */
#define TALLY_FIRST 1

static inline int64_t
tally_net(const struct tally *t)
{
	return (int64_t)(arch_own_u64(&t->allocated) -
	    arch_own_u64(&t->freed));
}

/*
 * Count an allocation; the row's address field `last` makes the next free a
 * temporary one.  What this thread holds now.
 */
static HOT int64_t
tally_add(struct tally *t, const void *block, size_t usable)
{
	arch_add_u64(&t->allocated, usable);
	arch_add_u64(&t->allocations, 1);
	atomic_store_explicit(&t->last, (uintptr_t)block,
	    memory_order_relaxed);
	return tally_net(t);
}

/* Has this thread not held as much as @net since it last published, that we
 * know?  From now on we do. */
static HOT bool
tally_rises(struct tally *t, int64_t net)
{
	if (net <= arch_own_i64(&t->high))
		return false;
	arch_raise_i64(&t->high, net);
	return true;
}

/* Count a free, before the block goes back.  True: it was a temporary one. */
static HOT bool
tally_take(struct tally *t, const void *block, size_t usable)
{
	arch_add_u64(&t->freed, usable);
	arch_add_u64(&t->frees, 1);
	if (LIKELY(arch_own_u64(&t->last) != (uintptr_t)block))
		return false;
	arch_add_u64(&t->temporary, 1);
	atomic_store_explicit(&t->last, 0, memory_order_relaxed);
	return true;
}

/*
 * The same two, and true: the slow path is due, see tally_look().  As nobody
 * asks at once, the free looks first whether this was the top, for all
 * allocations since the free before.  (What a signal handler allocates between
 * that and the free itself is missing in it.)
 */
static HOT bool
tally_alloc(struct tally *t, const void *block, size_t usable)
{
	(void)tally_add(t, block, usable);
	return UNLIKELY(arch_sub_is_negative(&t->until_look, (int64_t)usable));
}

static HOT bool
tally_free(struct tally *t, const void *block, size_t usable)
{
	(void)tally_rises(t, tally_net(t));
	(void)tally_take(t, block, usable);
	return UNLIKELY(arch_sub_is_negative(&t->until_look, (int64_t)usable));
}

/* The same for bytes asked for, which only STACKS_ALL can take back. */
static HOT void
tally_request(struct tally *t, size_t requested)
{
	int64_t net;

	arch_add_u64(&t->requested, requested);
	net = (int64_t)(arch_own_u64(&t->requested) -
	    arch_own_u64(&t->requested_freed));
	if (net > arch_own_i64(&t->requested_high))
		arch_raise_i64(&t->requested_high, net);
}

static HOT void
tally_unrequest(struct tally *t, size_t requested)
{
	arch_add_u64(&t->requested_freed, requested);
}

/* Has this thread, which holds @net, moved so far that it should publish? */
static HOT bool
tally_drifted(const struct tally *t, int64_t net)
{
	int64_t drift = net - arch_own_i64(&t->published);

	return UNLIKELY((uint64_t)(drift + TALLY_DRIFT_BYTES) >
	    2 * TALLY_DRIFT_BYTES);
}

/*
 * Publish this thread's share: sums, peaks, and the time of looking.  When
 * the next look is due (until_look) is for the caller to say.
 */
void tally_look(struct tally *t);

/*
 * The highest that the process and the calling thread have been since
 * tally_window_open(), and where they are now.  One window a thread and one of
 * the process: who opens another begins both anew.
 */
struct tally_window {
	int64_t high, now;               /* bytes, of the process */
	int64_t thread_high, thread_now; /* of what this thread holds */
};

void tally_window_open(struct tally *t, struct tally_window *w);
void tally_window_read(struct tally *t, struct tally_window *w);

/* Bytes allocated by all threads since the start. */
uint64_t tally_allocated(void);

/*
 * The live bytes of the process as this thread sees them, which holds @net:
 * what all have published, and its own since then.  Exact while there is one
 * thread.
 */
static inline int64_t
tally_process_bytes(const struct tally *t, int64_t net)
{
	return atomic_load_explicit(&segment_mine()->live.bytes,
	    memory_order_relaxed) + net -
	    atomic_load_explicit(&t->published, memory_order_relaxed);
}

/* Row 0 of a new segment of @process, before all others.  0, or -ENOSPC. */
int tally_create_shared(int process);

/* A row for the calling thread, or the shared row 0 if all are taken. */
struct tally *tally_claim(void);

/* The owner says that it is about to end; its counts go on all the same. */
void tally_leave(struct tally *t);

/* Count in a row that several threads share.  Locked adds. */
void tally_shared_alloc(struct tally *t, size_t usable, size_t requested);
void tally_shared_free(struct tally *t, size_t usable, size_t requested);

/* The sums over all rows at this moment: live blocks, live bytes. */
void tally_sum(uint64_t *blocks, int64_t *bytes, int64_t *requested);

#endif
